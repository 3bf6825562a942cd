//! The text that `helm template` prints.
//!
//! # Source
//! helm/helm `pkg/cmd/template.go`, `pkg/action/action.go`.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::LazyLock;

use golang::Regexp;
use golang::glob::path_match;

use super::{Event, Files, Hook, Manifests, NOTES, split};
use crate::error::ManifestError;
use crate::options::Profile;

/// What to print.
#[derive(Clone, Debug, Default)]
pub struct TextOptions {
    /// Whose splitting `show_only` follows.
    pub profile: Profile,
    /// Whether files of `crds/` come first.
    pub include_crds: bool,
    /// Whether hooks are left out.
    pub no_hooks: bool,
    /// Whether hooks that are tests are left out.
    pub skip_tests: bool,
    /// Patterns of templates, counted from below the chart's name; empty means all.
    pub show_only: Vec<String>,
}

static SOURCE: LazyLock<Regexp> =
    LazyLock::new(|| Regexp::new("# Source: [^/]+/(.+)").expect("the pattern is valid"));

impl Manifests {
    /// All of it as one text.
    ///
    /// # Errors
    /// [`ManifestError::NotFound`] for a pattern of `show_only` that nothing matches.
    pub fn text(&self, options: &TextOptions) -> Result<String, ManifestError> {
        let documents = self.documents(options);
        let sizes = documents.map(|(path, content, _)| path.len() + content.len() + FRAME_BYTES);
        let mut text = String::with_capacity(sizes.sum());
        self.each_part(options, |part| text.push_str(part));
        match options.show_only.is_empty() {
            true => Ok(text),
            false => show_only(&text, options),
        }
    }

    /// What [`Manifests::text`] gives, document by document, so that it is nowhere as a whole. Nothing
    /// is given when there is an error.
    ///
    /// # Errors
    /// As [`Manifests::text`].
    pub fn parts(
        &self,
        options: &TextOptions,
        mut give: impl FnMut(&str),
    ) -> Result<(), ManifestError> {
        match options.show_only.is_empty() {
            true => self.each_part(options, give),
            false => give(&self.text(options)?),
        }
        Ok(())
    }

    fn each_part(&self, options: &TextOptions, mut give: impl FnMut(&str)) {
        let is_hook = |kind: WrittenKind| kind == WrittenKind::Hook;
        let mut text = String::new();
        let manifests = self.documents(options);
        let mut manifests = manifests.filter(|(.., kind)| !is_hook(*kind)).peekable();
        while let Some((path, content, _)) = manifests.next() {
            text.clear();
            push(&mut text, path, &content);
            if manifests.peek().is_none() {
                // Only the white space around all of it goes; the first line is a mark.
                text.truncate(text.trim_end().len());
            }
            give(&text);
        }
        give("\n");
        for (path, content, _) in self.documents(options).filter(|(.., kind)| is_hook(*kind)) {
            text.clear();
            push(&mut text, path, &content);
            give(&text);
        }
    }

    /// What is printed for debugging when a file is no YAML: every file that is not blank, as
    /// templates left it, in the order of execution, which is the likeliest one there.
    ///
    /// # Errors
    /// As [`Manifests::text`].
    pub fn unsorted(files: &Files, options: &TextOptions) -> Result<String, ManifestError> {
        let mut text = String::new();
        let mut files: Vec<_> = files.iter().rev().collect();
        files.sort_by_key(|(path, _)| Reverse(path.matches('/').count()));
        for (path, content) in files {
            let content = String::from_utf8_lossy(content);
            if !path.ends_with(NOTES) && !content.trim().is_empty() {
                push(&mut text, path, &content);
            }
        }
        let text = format!("{}\n", text.trim());
        match options.show_only.is_empty() {
            true => Ok(text),
            false => show_only(&text, options),
        }
    }

    /// What `--output-dir` writes, in order.
    pub fn written<'a>(&'a self, options: &'a TextOptions) -> impl Iterator<Item = Written<'a>> {
        self.documents(options).map(|(path, content, kind)| {
            let mut text = String::new();
            push(&mut text, path, &content);
            Written { path, text, kind }
        })
    }

    /// Path and text of everything that is wanted, and what it is.
    fn documents<'a>(
        &'a self,
        options: &'a TextOptions,
    ) -> impl Iterator<Item = (&'a str, Cow<'a, str>, WrittenKind)> {
        let crds = self.crds.iter().filter(|_| options.include_crds);
        let crds = crds.map(|crd| {
            let text = String::from_utf8_lossy(crd.content.bytes());
            (&*crd.path, text, WrittenKind::Crd)
        });
        let manifests = self.manifests.iter();
        let manifests = manifests.map(|manifest| {
            let text = Cow::Borrowed(&*manifest.content);
            (&*manifest.path, text, WrittenKind::Manifest)
        });
        let is_test = |hook: &&Hook| hook.events.contains(&Event::Test);
        let hooks = self.hooks.iter().filter(|_| !options.no_hooks);
        let hooks = hooks.filter(move |hook| !options.skip_tests || !is_test(hook));
        let hooks = hooks.map(|hook| {
            let text = Cow::Borrowed(&*hook.content);
            (&*hook.path, text, WrittenKind::Hook)
        });
        crds.chain(manifests).chain(hooks)
    }
}

/// One document of [`Manifests::written`]; one whose path came before belongs to that file's end.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// Path of the template or file, which begins with the chart's name.
    pub path: &'a str,
    /// What to write.
    pub text: String,
    /// Where it comes from.
    pub kind: WrittenKind,
}

/// Where a document comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenKind {
    /// A file of `crds/`.
    Crd,
    /// A template.
    Manifest,
    /// A template, and it is a hook.
    Hook,
}

/// What [`push`] adds to a path and a content.
const FRAME_BYTES: usize = "---\n# Source: \n\n".len();

fn push(text: &mut String, path: &str, content: &str) {
    for part in ["---\n# Source: ", path, "\n", content, "\n"] {
        text.push_str(part);
    }
}

fn show_only(text: &str, options: &TextOptions) -> Result<String, ManifestError> {
    let documents: Vec<(&str, &str)> = split::documents(text, options.profile)
        .into_iter()
        .filter_map(|document| {
            let path = SOURCE.captures(document)?.get(1)?.as_str();
            Some((path, document))
        })
        .collect();
    let mut shown = String::new();
    for pattern in &options.show_only {
        let mut missing = true;
        for (path, document) in &documents {
            if path_match(pattern, path).unwrap_or(false) {
                missing = false;
                shown.push_str("---\n");
                shown.push_str(document);
                shown.push('\n');
            }
        }
        if missing {
            return Err(ManifestError::NotFound(pattern.clone()));
        }
    }
    Ok(shown)
}
