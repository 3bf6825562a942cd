//! From rendered files to manifests and hooks in order, and to the text of `helm template`.
//!
//! # Source
//! helm/helm `pkg/release/v1/util/manifest_sorter.go`, `pkg/action/action.go`,
//! `pkg/cmd/template.go`.

mod hook;
mod order;
mod split;
mod text;

use std::collections::BTreeMap;

use gotemplate::ImpureCall;
use object::Node;

pub use hook::{Event, Hook};
pub use text::{TextOptions, Written, WrittenKind};

use crate::chart::Content;
use crate::decode::{Mistakes, Place, sorted};
use crate::error::{ManifestError, Warning};
use crate::options::Profile;
use crate::parallel;

/// What a file of notes is called.
const NOTES: &str = "NOTES.txt";

/// Rendered files by path, as templates left them.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What a chart renders to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifests {
    /// What is installed, in order.
    pub manifests: Vec<Manifest>,
    /// What runs at certain moments, in the order in which it is printed.
    pub hooks: Vec<Hook>,
    /// What the user is told afterwards.
    pub notes: String,
    /// Whole files of `crds/`.
    pub crds: Vec<Crd>,
    /// Calls of templates whose results do not depend on their arguments alone (the clock, chance, the
    /// cluster), by place. When there are none, the same chart, values and options render to the same
    /// bytes anywhere.
    pub impure: Vec<ImpureCall>,
}

/// One document.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The template it comes from, from the outermost chart's name on.
    pub path: String,
    /// Its text.
    pub content: String,
    /// Its kind; empty where it has none.
    pub kind: String,
}

impl Manifest {
    /// What the text says; a null where it holds only comments.
    pub fn node(&self) -> Node {
        node(&self.content)
    }
}

/// What the text of a document says that was read before.
fn node(content: &str) -> Node {
    let node = crate::decode::yaml(content.as_bytes());
    debug_assert!(node.is_ok(), "only documents that can be read are kept");
    node.unwrap_or_default()
}

/// A file that is installed before everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crd {
    /// The file, from the outermost chart's name on.
    pub path: String,
    /// Its text.
    pub content: Content,
}

/// Takes rendered files apart and puts their documents in order.
///
/// `chart` is the name of the outermost chart. Notes of charts inside are added to its own only
/// with `all_notes`. Partials and blank files are nothing.
///
/// # Errors
/// [`ManifestError::Yaml`] for the first document that cannot be read.
pub fn sort(
    files: Files,
    chart: &str,
    all_notes: bool,
    profile: Profile,
    warnings: &mut Vec<Warning>,
) -> Result<Manifests, ManifestError> {
    let files: Vec<_> = files.into_iter().collect();
    let take = |(path, content): &(String, Vec<u8>)| take(path, content, profile);
    let taken = parallel::map(&files, |(_, content)| content.len(), take);
    put_together(taken, chart, all_notes, profile, warnings)
}

/// A rendered file, taken apart.
pub(crate) struct Taken {
    path: String,
    what: What,
}

enum What {
    Notes(String),
    Documents(Result<Vec<Found>, ManifestError>),
}

/// Takes one file apart.
pub(crate) fn take(path: &str, content: &[u8], profile: Profile) -> Taken {
    Taken {
        path: path.to_owned(),
        what: match path.ends_with(NOTES) {
            true => What::Notes(String::from_utf8_lossy(content).into_owned()),
            false if is_partial(path) => What::Documents(Ok(Vec::new())),
            false => What::Documents(take_apart(path, content, profile)),
        },
    }
}

/// What [`sort`] gives, of files that were taken apart in any order. The last one of a path counts.
///
/// # Errors
/// As [`sort`].
pub(crate) fn put_together(
    taken: impl IntoIterator<Item = Taken>,
    chart: &str,
    all_notes: bool,
    profile: Profile,
    warnings: &mut Vec<Warning>,
) -> Result<Manifests, ManifestError> {
    let taken = taken.into_iter().map(|Taken { path, what }| (path, what));
    let taken: BTreeMap<String, What> = taken.collect();
    let mut sorted = Manifests::default();
    for (path, what) in taken {
        match what {
            What::Notes(text) => sorted.add_notes(&path, &text, chart, all_notes),
            What::Documents(found) => {
                for found in found? {
                    sorted.add(found, warnings);
                }
            }
        }
    }
    sorted.put_in_order(profile);
    Ok(sorted)
}

/// Files that were taken apart before, so that those that say the same need not be read again.
#[derive(Clone, Debug, Default)]
pub struct Known {
    profile: Profile,
    files: BTreeMap<String, KnownFile>,
}

#[derive(Clone, Debug)]
struct KnownFile {
    content: Vec<u8>,
    found: Vec<Found>,
}

/// What a document is.
#[derive(Clone, Debug)]
enum Found {
    Manifest(Manifest),
    Hook(Hook),
    /// A hook for a moment that does not exist, which is left out.
    Unknown(Warning),
}

/// The same as [`sort`], reading only what `known` does not know; it knows these files afterwards.
///
/// # Errors
/// As [`sort`].
pub fn sort_again(
    files: Files,
    known: &mut Known,
    chart: &str,
    all_notes: bool,
    profile: Profile,
    warnings: &mut Vec<Warning>,
) -> Result<Manifests, ManifestError> {
    let mut before = std::mem::take(&mut known.files);
    if known.profile != profile {
        before.clear();
    }
    known.profile = profile;
    let mut sorted = Manifests::default();
    for (path, content) in files {
        if path.ends_with(NOTES) {
            sorted.add_notes(&path, &String::from_utf8_lossy(&content), chart, all_notes);
            continue;
        }
        if is_partial(&path) {
            continue;
        }
        let file = match before.remove(&path) {
            Some(file) if file.content == content => file,
            _ => {
                let found = take_apart(&path, &content, profile)?;
                KnownFile { content, found }
            }
        };
        for found in &file.found {
            sorted.add(found.clone(), warnings);
        }
        known.files.insert(path, file);
    }
    sorted.put_in_order(profile);
    Ok(sorted)
}

impl Manifests {
    fn add(&mut self, found: Found, warnings: &mut Vec<Warning>) {
        match found {
            Found::Manifest(manifest) => self.manifests.push(manifest),
            Found::Hook(hook) => self.hooks.push(hook),
            Found::Unknown(warning) => warnings.push(warning),
        }
    }

    fn add_notes(&mut self, path: &str, text: &str, chart: &str, all_notes: bool) {
        if all_notes || path == format!("{chart}/templates/{NOTES}") {
            if !self.notes.is_empty() {
                self.notes.push('\n');
            }
            self.notes.push_str(text);
        }
    }

    fn put_in_order(&mut self, profile: Profile) {
        self.manifests
            .sort_by(|a, b| order::by_kind(&a.kind, &b.kind, profile));
        self.hooks
            .sort_by(|a, b| order::by_kind(&a.kind, &b.kind, profile));
    }
}

fn is_partial(path: &str) -> bool {
    let name = path.rsplit('/').next();
    name.is_some_and(|name| name.starts_with('_'))
}

/// What a file says, if it is text.
fn text<'a>(path: &str, content: &'a [u8]) -> Result<&'a str, ManifestError> {
    std::str::from_utf8(content).map_err(|_| {
        let problem = yaml::decode(content);
        let problem = problem.map_or_else(|error| error.sigs_message(), str::to_owned);
        ManifestError::Yaml {
            path: path.to_owned(),
            text: format!("error converting YAML to JSON: {problem}"),
            document: String::from_utf8_lossy(content).into_owned(),
        }
    })
}

/// The documents of a file, read.
fn take_apart(path: &str, content: &[u8], profile: Profile) -> Result<Vec<Found>, ManifestError> {
    let mut found = Vec::new();
    for document in split::documents(text(path, content)?, profile) {
        let head = read(document, profile).map_err(|text| ManifestError::Yaml {
            path: path.to_owned(),
            text,
            document: document.to_owned(),
        })?;
        let hook = hook::of(path, document, &head, profile);
        found.push(hook.unwrap_or_else(|| {
            Found::Manifest(Manifest {
                path: path.to_owned(),
                content: document.to_owned(),
                kind: head.kind,
            })
        }));
    }
    Ok(found)
}

/// What is looked at in a document.
#[derive(Debug, Default)]
struct Head {
    kind: String,
    name: String,
    annotations: Vec<(String, String)>,
}

impl Head {
    fn annotation(&self, name: &str) -> Option<&str> {
        let found = self.annotations.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| &**value)
    }
}

/// Checks a document and reads of it what is looked at; the rest is not kept.
fn read(document: &str, profile: Profile) -> Result<Head, String> {
    let node = crate::decode::yaml_entries(document.as_bytes(), |key| {
        let mut fields = ["kind", "apiVersion", "metadata"].into_iter();
        fields.any(|field| key.eq_ignore_ascii_case(field))
    })?;
    let mut head = Head::default();
    let mut mistakes = Mistakes::default();
    let structure = match profile {
        Profile::Helm4 => "util.SimpleHead",
        Profile::Helm3 => "releaseutil.SimpleHead",
    };
    if let Some(map) = mistakes.document(&node, structure) {
        for (key, node) in sorted(map) {
            let place = |field| Place {
                structure: "SimpleHead",
                field,
            };
            if key.eq_ignore_ascii_case("kind") {
                head.kind = mistakes.string(node, place("kind")).unwrap_or_default();
            } else if key.eq_ignore_ascii_case("apiVersion") {
                mistakes.string(node, place("apiVersion"));
            } else if key.eq_ignore_ascii_case("metadata") {
                read_metadata(node, &mut head, &mut mistakes);
            }
        }
    }
    mistakes.finish()?;
    Ok(head)
}

fn read_metadata(node: &Node, head: &mut Head, mistakes: &mut Mistakes) {
    // The Go struct has no name.
    let place = |field| Place {
        structure: "",
        field,
    };
    let Node::Map(map) = node else {
        if !node.is_null() {
            let wanted = r#"struct { Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" }"#;
            let place = Place {
                structure: "SimpleHead",
                field: "metadata",
            };
            mistakes.mismatch(node, place, wanted);
        }
        return;
    };
    for (key, node) in sorted(map) {
        if key.eq_ignore_ascii_case("name") {
            let name = mistakes.string(node, place("metadata.name"));
            head.name = name.unwrap_or_default();
        } else if key.eq_ignore_ascii_case("annotations") {
            head.annotations = mistakes.string_map(node, place("metadata.annotations"));
        }
    }
}
