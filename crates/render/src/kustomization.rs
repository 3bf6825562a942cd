//! From the files of a source to the objects of one unit.
//!
//! # Source
//! fluxcd/pkg `kustomize/kustomize_generator.go`, `kustomize/kustomize_varsub.go`;
//! fluxcd/kustomize-controller `internal/controller/kustomization_controller.go`.

use std::collections::HashMap;
use std::sync::Arc;

use diag::{Code, Diagnostic, Span};
use kustomize::Overlay;
use object::{Node, Object, ObjectKey, Origin};
use tree::{Tree, TreePath, World};
use yaml::{Duplicates, Limits, ResolveOptions};

use crate::digest::Digest;
use crate::error::{RenderError, span_of};
use crate::normalize;
use crate::spec::{Spec, Variables};
use crate::substitute::{Problem, substitute};

/// Most objects one unit may render.
///
/// Its inventory lives in status, storage refuses requests over 1.5 MiB by default, and an entry
/// takes about 100 bytes; 10,000 leaves a third free for conditions and history.
pub const OBJECTS_MAX: usize = 10_000;

/// Most bytes all objects of one unit may have together: two hundred objects of the largest size a
/// cluster stores, and ten times what the largest public units have.
pub const RENDERED_BYTES_MAX: usize = 32 << 20;

/// Label or annotation that keeps variables in an object as they are.
const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Label or annotation that lets an encrypted Secret pass.
const DECRYPT: &str = "kustomize.toolkit.fluxcd.io/decrypt";

/// Names a kustomization file may have.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Longest name of an object.
const NAME_BYTES_MAX: usize = 253;

/// What a unit renders.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The objects in the order of accumulation, each with the file it came from where one is known.
    pub objects: Vec<Object>,
    /// Everything that was read: equal digests mean equal objects.
    pub digest: Digest,
}

/// Renders the unit `spec` from the files of `tree`.
///
/// Warnings come with a result as well as with errors.
///
/// # Errors
/// Everything that was found wrong, in the order of the steps.
pub fn kustomization(
    tree: &Tree,
    spec: &Spec,
    variables: &Variables,
    world: &dyn World,
) -> (Result<Rendered, Vec<RenderError>>, Vec<Diagnostic>) {
    let mut warnings = Vec::new();
    let result = render(tree, spec, variables, world, &mut warnings);
    (result, warnings)
}

fn render(
    tree: &Tree,
    spec: &Spec,
    variables: &Variables,
    world: &dyn World,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Rendered, Vec<RenderError>> {
    let directory = directory(tree, spec)?;
    let (overlay, files) = overlay(tree, &directory, spec, warnings)?;
    let options = kustomize::Options {
        remote_bases: spec.remote_bases,
        ..kustomize::Options::flux()
    };
    let (built, build_warnings) =
        kustomize::build_with(tree, &directory, Some(&overlay), &options, world);
    warnings.extend(build_warnings);
    let built = built.map_err(|errors| match file_errors(tree, &files) {
        own if own.is_empty() => errors.into_iter().map(RenderError::Build).collect(),
        own => own,
    })?;
    let substituted = substitute_all(built.objects, spec, variables)?;
    let mut objects = Vec::with_capacity(substituted.len());
    for object in substituted {
        normalize::flatten(object, &mut objects);
    }
    objects.retain(|object| !normalize::is_configuration(object));
    let mut errors = check(&mut objects, warnings);
    for object in &mut objects {
        normalize::normalize(object, spec.owner.as_ref(), &spec.common_metadata);
    }
    errors.extend(limits(&objects));
    if !errors.is_empty() {
        return Err(errors);
    }
    let digest = Digest::of(
        tree,
        &built.files_read,
        &built.sources_read,
        spec,
        variables,
    );
    Ok(Rendered { objects, digest })
}

/// The directory of the unit.
fn directory(tree: &Tree, spec: &Spec) -> Result<TreePath, Vec<RenderError>> {
    let missing = |near| {
        vec![RenderError::PathNotFound {
            path: spec.path.clone(),
            near,
        }]
    };
    let path = below_root(&spec.path).ok_or_else(|| missing(None))?;
    if tree.is_directory(&path) {
        return Ok(path);
    }
    let parent = path.parent().unwrap_or_default();
    let name = path.file_name().to_lowercase();
    let near = tree
        .list(&parent)
        .into_iter()
        .find(|(entry, is_directory)| {
            let entry = entry.to_lowercase();
            *is_directory && (entry == name || entry.starts_with(&name) || name.starts_with(&entry))
        });
    Err(missing(near.map(|(entry, _)| match parent.is_root() {
        true => entry,
        false => format!("{parent}/{entry}"),
    })))
}

/// A unit's path below the root of its source, where `..` stays at the root and links are resolved
/// later, inside the tree.
fn below_root(path: &str) -> Option<TreePath> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    TreePath::new(&parts.join("/")).ok()
}

/// What the unit adds to the kustomization file, or the one it stands in for, and the files that
/// this one lists.
fn overlay(
    tree: &Tree,
    directory: &TreePath,
    spec: &Spec,
    warnings: &mut Vec<Diagnostic>,
) -> Result<(Overlay, Vec<TreePath>), Vec<RenderError>> {
    let mut errors = Vec::new();
    let mut overlay = Overlay {
        namespace: spec.target_namespace.clone(),
        name_prefix: spec.name_prefix.clone(),
        name_suffix: spec.name_suffix.clone(),
        build_metadata: spec.build_metadata.clone(),
        ..Overlay::default()
    };
    let mut files = Vec::new();
    if !has_kustomization(tree, directory) {
        let mut walk = Walk {
            tree,
            base: directory,
            resources: Vec::new(),
            files: &mut files,
            warnings,
        };
        walk.directory(directory);
        if walk.resources.is_empty() && overlay.namespace.is_empty() {
            overlay.namespace = "_placeholder".into();
        }
        overlay.generated = Some(walk.resources);
    }
    for component in &spec.components {
        if !is_local(component) {
            errors.push(RenderError::ComponentNotLocal {
                path: component.clone(),
            });
            continue;
        }
        let exists = directory
            .join(component)
            .is_ok_and(|path| tree.is_directory(&path) || tree.is_file(&path));
        if exists || !spec.ignore_missing_components {
            overlay.components.push(component.clone());
        }
    }
    overlay.patches.clone_from(&spec.patches);
    overlay.images.clone_from(&spec.images);
    if errors.is_empty() {
        return Ok((overlay, files));
    }
    let mut all = file_errors(tree, &files);
    all.append(&mut errors);
    Err(all)
}

/// What is wrong with files that were found by walking a directory.
///
/// Reading them takes as long as the build, which reads them as well and fails if one of them is no
/// manifest. So they are looked at only then, for the reference's words about each.
fn file_errors(tree: &Tree, files: &[TreePath]) -> Vec<RenderError> {
    let problem = |path: &TreePath| match tree.read(path) {
        Err(error) => Some((error.to_string(), 0, Code("FileUnreadable"))),
        Ok(content) => match std::str::from_utf8(&content) {
            Err(error) => {
                let problem = format!("invalid UTF-8 at byte {}", error.valid_up_to());
                Some((problem, 0, Code("InvalidUtf8")))
            }
            Ok(text) => kustomize::check_objects(text).err(),
        },
    };
    let wrong = files.iter().filter_map(|path| Some((path, problem(path)?)));
    wrong
        .map(|(path, (problem, line, code))| RenderError::FileInvalid {
            at: Span::line(path.as_str(), line),
            problem,
            code,
        })
        .collect()
}

fn has_kustomization(tree: &Tree, directory: &TreePath) -> bool {
    FILE_NAMES
        .iter()
        .any(|name| directory.join(name).is_ok_and(|path| tree.is_file(&path)))
}

/// Whether a component's path is neither an address nor absolute.
fn is_local(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let remote = [
        "git::",
        "gh:",
        "ssh://",
        "https://",
        "http://",
        "git@",
        "github.com:",
        "github.com/",
    ];
    let is_remote = remote
        .iter()
        .any(|prefix| lower.len() > prefix.len() && lower.starts_with(prefix));
    !is_remote && !lower.starts_with('/') && !lower.trim_start_matches("file://").starts_with('/')
}

/// Collects the files of a directory without kustomization file.
struct Walk<'a> {
    tree: &'a Tree,
    base: &'a TreePath,
    resources: Vec<String>,
    /// Those among them that are files.
    files: &'a mut Vec<TreePath>,
    warnings: &'a mut Vec<Diagnostic>,
}

impl Walk<'_> {
    fn directory(&mut self, directory: &TreePath) {
        for (name, is_directory) in self.tree.list(directory) {
            let Ok(path) = directory.join(&name) else {
                continue;
            };
            if is_directory {
                // A link to a directory is a file as far as a walk is concerned.
                if self.tree.resolve(&path).is_ok_and(|real| real != path) && self.is_link(&path) {
                    continue;
                }
                if has_kustomization(self.tree, &path) {
                    self.add(&path);
                } else {
                    self.directory(&path);
                }
                continue;
            }
            self.file(&path);
        }
    }

    fn is_link(&self, path: &TreePath) -> bool {
        let parent = path.parent().unwrap_or_default();
        let real_parent = self.tree.resolve(&parent).unwrap_or_default();
        let own = real_parent.join(path.file_name());
        own.is_ok_and(|own| self.tree.resolve(path).is_ok_and(|real| real != own))
    }

    fn file(&mut self, path: &TreePath) {
        let extension = path
            .file_name()
            .rsplit_once('.')
            .map_or("", |(_, extension)| extension);
        if extension != "yaml" && extension != "yml" {
            if matches!(extension.to_ascii_lowercase().as_str(), "yaml" | "yml") {
                let text =
                    format!("`{path}` is left out: only `.yaml` and `.yml` in lower case are read");
                let warning = Diagnostic::warning(Code("FileLeftOut"), text);
                self.warnings.push(warning.at(Span::file(path.as_str())));
            }
            return;
        }
        self.add(path);
        self.files.push(path.clone());
    }

    fn add(&mut self, path: &TreePath) {
        let rest = &path.as_str()[self.base.as_str().len()..];
        self.resources
            .push(format!("./{}", rest.trim_start_matches('/')));
    }
}

/// Replaces variables in every object.
fn substitute_all(
    objects: Vec<Object>,
    spec: &Spec,
    variables: &Variables,
) -> Result<Vec<Object>, Vec<RenderError>> {
    if variables.is_empty() && !spec.substitute_always {
        return Ok(objects);
    }
    let mut errors: Vec<RenderError> = variables
        .names()
        .filter(|name| !is_variable_name(name))
        .map(|name| RenderError::VariableName {
            name: name.to_owned(),
        })
        .collect();
    let mut substituted = Vec::with_capacity(objects.len());
    for object in objects {
        match substitute_one(object, spec, variables) {
            Ok(object) => substituted.push(object),
            Err(error) => errors.push(*error),
        }
    }
    if errors.is_empty() {
        Ok(substituted)
    } else {
        Err(errors)
    }
}

fn is_variable_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first == '_' || first.is_ascii_alphabetic())
        && letters.all(|letter| letter == '_' || letter.is_ascii_alphanumeric())
}

fn substitute_one(
    object: Object,
    spec: &Spec,
    variables: &Variables,
) -> Result<Object, Box<RenderError>> {
    if object.label(SUBSTITUTE) == Some("disabled")
        || object.annotation(SUBSTITUTE) == Some("disabled")
    {
        return Ok(object);
    }
    let text = yaml::to_string(&object.node);
    if !text.contains('$') {
        return Ok(object);
    }
    let key = object.key();
    let at = object.origin.as_deref().map(span_of);
    let replaced = substitute(
        &text,
        |name| variables.get(name),
        !spec.substitute_leniently,
    )
    .map_err(|error| {
        let near = match &error.problem {
            Problem::Unset(name) => nearest(name, variables),
            _ => None,
        };
        Box::new(RenderError::Substitution {
            object: key.clone(),
            at: at.clone(),
            error,
            near,
        })
    })?;
    if replaced == text {
        return Ok(object);
    }
    let node = read_value(&replaced).map_err(|problem| {
        Box::new(RenderError::SubstitutionBroke {
            object: key.clone(),
            at: at.clone(),
            problem,
        })
    })?;
    let became = Object {
        node,
        origin: object.origin.clone(),
    };
    if changed_identity(&object, &became) {
        return Err(Box::new(RenderError::SubstitutionChangedStructure {
            object: key,
            at,
            became: became.key(),
        }));
    }
    Ok(became)
}

/// Whether a part of the identity that holds no variable is another than before.
fn changed_identity(before: &Object, after: &Object) -> bool {
    let parts = [
        (before.api_version(), after.api_version()),
        (before.kind(), after.kind()),
        (before.name(), after.name()),
        (before.namespace(), after.namespace()),
    ];
    parts
        .iter()
        .any(|(before, after)| !before.contains('$') && before != after)
}

fn read_value(text: &str) -> Result<Node, String> {
    let mut documents =
        yaml::parse(text, &Limits::default()).map_err(|error| error.go_message())?;
    if documents.is_empty() {
        return Ok(Node::Null);
    }
    let options = ResolveOptions {
        duplicates: Duplicates::LastWins,
        ..ResolveOptions::default()
    };
    yaml::to_value(&documents.swap_remove(0), &options).map_err(|error| error.go_message())
}

/// The variable that differs from `name` only in case or by one letter.
fn nearest(name: &str, variables: &Variables) -> Option<String> {
    let close = |known: &&str| {
        let (a, b) = (name.to_lowercase(), known.to_lowercase());
        a == b || (a.len().abs_diff(b.len()) <= 1 && differences(&a, &b) <= 1)
    };
    variables.names().find(close).map(str::to_owned)
}

/// Letters that have to be inserted, deleted or replaced, as far as one is enough.
fn differences(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same_front = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same_front..], &b[same_front..]);
    let same_back = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    a.len().max(b.len()) - same_back
}

/// Drops what is no object, and finds what cannot be one and what is there twice.
fn check(objects: &mut Vec<Object>, warnings: &mut Vec<Diagnostic>) -> Vec<RenderError> {
    objects.retain(|object| {
        let whole = !object.api_version().is_empty()
            && !object.kind().is_empty()
            && !object.name().is_empty();
        if !whole {
            let text = format!(
                "{} is left out: an object needs apiVersion, kind and name",
                object.key()
            );
            let mut warning = Diagnostic::warning(Code("ObjectLeftOut"), text);
            warning.span = object.origin.as_deref().map(span_of);
            warnings.push(warning);
        }
        whole
    });
    let mut errors = Vec::new();
    let mut seen: HashMap<ObjectKey, Option<Arc<Origin>>> = HashMap::with_capacity(objects.len());
    for object in objects.iter() {
        let key = object.key();
        let at = object.origin.as_deref().map(span_of);
        if let Some(problem) =
            name_problem(object.name()).or_else(|| name_problem(object.namespace()))
        {
            errors.push(RenderError::ObjectInvalid {
                object: key.clone(),
                at: at.clone(),
                problem,
            });
        }
        if is_encrypted(object) {
            errors.push(RenderError::SecretEncrypted {
                object: key.clone(),
                at,
            });
        }
        match seen.get(&key) {
            Some(first) => errors.push(RenderError::DuplicateObject {
                object: key,
                first: first.as_deref().cloned(),
                second: object.origin.as_deref().cloned(),
            }),
            None => drop(seen.insert(key, object.origin.clone())),
        }
    }
    errors
}

/// Why no kind accepts a name.
fn name_problem(name: &str) -> Option<String> {
    if name.len() > NAME_BYTES_MAX {
        return Some(format!(
            "its name has {} bytes, more than {NAME_BYTES_MAX}; look at `namePrefix` and `nameSuffix`",
            name.len()
        ));
    }
    let bad = name == "." || name == ".." || name.contains(['/', '%']);
    bad.then(|| format!("`{name}` cannot be a name"))
}

fn is_encrypted(object: &Object) -> bool {
    object.kind() == "Secret"
        && object.gvk().group.is_empty()
        && object.node.at(&["sops", "mac"]).is_some()
        && object.label(DECRYPT) != Some("disabled")
        && object.annotation(DECRYPT) != Some("disabled")
}

fn limits(objects: &[Object]) -> Vec<RenderError> {
    if objects.len() > OBJECTS_MAX {
        let what = format!("{} objects, more than {OBJECTS_MAX}", objects.len());
        return vec![RenderError::LimitReached { what }];
    }
    let mut bytes = 0;
    for object in objects {
        bytes += size(&object.node);
        if bytes > RENDERED_BYTES_MAX {
            let what = format!("more than {RENDERED_BYTES_MAX} bytes");
            return vec![RenderError::LimitReached { what }];
        }
    }
    Vec::new()
}

/// About the bytes a value has as text.
fn size(node: &Node) -> usize {
    match node {
        Node::String(text) => text.len() + 2,
        Node::List(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Node::Map(map) => {
            map.iter()
                .map(|(key, value)| key.len() + size(value) + 4)
                .sum::<usize>()
                + 2
        }
        _ => 5,
    }
}
