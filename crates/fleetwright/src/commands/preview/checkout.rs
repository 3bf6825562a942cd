//! The objects of OpenChoreo in a checkout, as its Kustomizations apply them.
//!
//! Flux's Kustomizations of the checkout are built, so that namespaces, patches and substitutions
//! count. Without any, folders with kustomization files are built. Files that none of these applies
//! are read as they are, for a tree may be applied by something that is elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use component::model;
use diag::{Code, Diagnostic, Explain as _, Severity, Span};
use object::{Object, Origin, Text};
use tree::{Isolated, Tree, TreePath};

/// Folders that hold what others wrote, besides hidden ones.
const FOREIGN_FOLDERS: &[&str] = &["node_modules", "vendor"];

/// Texts without which a file holds nothing that counts here.
const GROUPS: &[&str] = &["openchoreo.dev/", "kustomize.toolkit.fluxcd.io/"];

/// Names of kustomization files.
const KUSTOMIZATIONS: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What a checkout holds.
#[derive(Debug, Default)]
pub struct Checkout {
    /// Objects of OpenChoreo with the files they come from.
    pub objects: Vec<Object>,
    /// What is wrong with files and Kustomizations; places are paths of the tree.
    pub problems: Vec<Diagnostic>,
    /// Paths of Flux's Kustomizations; empty when there are none.
    pub applied_paths: Vec<String>,
    /// Files and lines of objects that some Kustomization applies.
    applied: BTreeSet<(Text, u32)>,
}

impl Checkout {
    /// Reads every file that may hold objects of OpenChoreo.
    pub fn read(tree: &Tree) -> Self {
        let mut checkout = Self::default();
        let written = checkout.documents(tree);
        if !written.iter().any(model::is_openchoreo) {
            return checkout;
        }
        let units = units(tree, &written);
        let mut built = Vec::new();
        for unit in &units {
            checkout.applied_paths.push(unit.path.clone());
            built.extend(checkout.build_unit(tree, unit));
        }
        if units.is_empty() {
            for folder in roots(tree) {
                built.extend(checkout.build_folder(tree, &folder));
            }
        }
        let mut seen = BTreeSet::new();
        for mut object in built.into_iter().filter(model::is_openchoreo) {
            if is_cluster_scoped(object.kind()) {
                object.node.remove(&["metadata", "namespace"]);
            }
            let place = object.origin.as_deref().map(place_of);
            checkout.applied.extend(place.clone());
            // Two Kustomizations may apply one file.
            if seen.insert((place, object.key())) {
                checkout.objects.push(object);
            }
        }
        let rest = written.into_iter().filter(|object| {
            let place = object.origin.as_deref().map(place_of);
            model::is_openchoreo(object)
                && !place.is_some_and(|own| checkout.applied.contains(&own))
        });
        checkout.objects.extend(rest.collect::<Vec<_>>());
        checkout
    }

    /// Whether a Kustomization of the checkout applies what stands there.
    pub fn is_applied(&self, origin: &Origin) -> bool {
        self.applied.contains(&place_of(origin))
    }

    /// Every document of files that hold something that counts.
    fn documents(&mut self, tree: &Tree) -> Vec<Object> {
        let mut found = Vec::new();
        for (path, _) in tree.entries() {
            let name = path.file_name();
            let foreign =
                |folder: &str| folder.starts_with('.') || FOREIGN_FOLDERS.contains(&folder);
            if !(name.ends_with(".yaml") || name.ends_with(".yml"))
                || path.components().any(foreign)
            {
                continue;
            }
            let Ok(text) = tree.read_text(path) else {
                continue;
            };
            if !GROUPS.iter().any(|group| text.contains(group)) {
                continue;
            }
            match yaml::load(&text, &yaml::Limits::default()) {
                Ok(documents) => found.extend(documents.into_iter().map(|document| Object {
                    node: document.node,
                    origin: Some(Arc::new(Origin {
                        path: path.as_str().into(),
                        line: document.line,
                        document: document.index,
                    })),
                })),
                Err(error) => {
                    let line = error.position().unwrap_or_default();
                    let mut span = Span::line(path.as_str(), line.line);
                    span.column = line.column;
                    let diagnostic = Diagnostic::error(error.code(), error.to_string());
                    self.problems.push(diagnostic.at(span));
                }
            }
        }
        found
    }

    /// What a Kustomization of Flux applies; what stands in its folder when it does not build.
    fn build_unit(&mut self, tree: &Tree, unit: &api::Kustomization) -> Vec<Object> {
        let spec = render::Spec {
            // Labels that say who applied something do not matter here.
            owner: None,
            ..runtime::render_spec(unit)
        };
        let mut variables = render::Variables::default();
        for (name, value) in &unit.substitute {
            variables.set(name.as_str(), value);
        }
        let (rendered, _) = render::kustomization(tree, &spec, &variables, &Isolated);
        match rendered {
            Ok(rendered) => rendered.objects,
            Err(errors) => {
                let name = unit.meta.key.to_string();
                let diagnostics = errors.iter().map(|error| error.to_diagnostic());
                self.unbuilt(&name, diagnostics);
                Vec::new()
            }
        }
    }

    /// What a folder with a kustomization file builds to.
    fn build_folder(&mut self, tree: &Tree, folder: &TreePath) -> Vec<Object> {
        let options = kustomize::Options::flux();
        let (built, _) = kustomize::build(tree, folder, &options, &Isolated);
        match built {
            Ok(built) => built.objects,
            Err(errors) => {
                let diagnostics = errors.iter().map(|error| error.to_diagnostic());
                self.unbuilt(&format!("kustomization in `{folder}`"), diagnostics);
                Vec::new()
            }
        }
    }

    /// Files of what does not build count as they are, which is worth a word.
    fn unbuilt(&mut self, name: &str, diagnostics: impl Iterator<Item = Diagnostic>) {
        for mut diagnostic in diagnostics {
            diagnostic.severity = Severity::Warning;
            let message = &mut diagnostic.message;
            message.push_str(&format!("; the files of {name} count as they are written"));
            self.problems.push(diagnostic);
        }
    }
}

fn place_of(origin: &Origin) -> (Text, u32) {
    (origin.path.as_str().into(), origin.line)
}

fn is_cluster_scoped(kind: &str) -> bool {
    kind.starts_with("Cluster") || kind == "Organization"
}

/// Gives objects without a namespace this one, where their kind has one.
pub fn place(objects: &mut [Object], namespace: &str) {
    for object in objects {
        if object.namespace().is_empty() && !is_cluster_scoped(object.kind()) {
            object.node.set(&["metadata", "namespace"], namespace);
        }
    }
}

/// Kustomizations of Flux whose folder is there. A path that is not belongs to another source.
fn units(tree: &Tree, written: &[Object]) -> Vec<api::Kustomization> {
    let kind = api::kustomization_kind().group_kind();
    let units = written
        .iter()
        .filter(|object| object.gvk().group_kind() == kind);
    let units = units.filter_map(|object| api::Kustomization::read(object).ok());
    let here = units.filter(|unit| {
        let path = unit.path.trim_start_matches('/');
        TreePath::root()
            .join(path)
            .is_ok_and(|path| tree.is_directory(&path))
    });
    here.collect()
}

/// Whether Kustomizations below this root name folders below it.
pub fn has_units(tree: &Tree) -> bool {
    let written = Checkout::default().documents(tree);
    !units(tree, &written).is_empty()
}

/// Folders with a kustomization file that no other one reads, and that is no component.
fn roots(tree: &Tree) -> Vec<TreePath> {
    let mut folders = Vec::new();
    let mut read = BTreeSet::new();
    for (path, _) in tree.entries() {
        let Some(folder) = path
            .parent()
            .filter(|_| KUSTOMIZATIONS.contains(&path.file_name()))
        else {
            continue;
        };
        let value = tree.read_text(path).ok().and_then(|text| {
            let documents = yaml::load(&text, &yaml::Limits::default()).ok()?;
            documents.into_iter().next()
        });
        let Some(value) = value.map(|document| document.node) else {
            continue;
        };
        for field in ["resources", "bases", "components"] {
            let entries = value.get(field).and_then(object::Node::as_list);
            let entries = entries.unwrap_or_default().iter();
            let entries = entries.filter_map(|entry| folder.join(entry.as_str()?).ok());
            read.extend(entries.filter(|entry| tree.is_directory(entry)));
        }
        if value.str_at(&["kind"]) != Some("Component") {
            folders.push(folder);
        }
    }
    folders.retain(|folder| !read.contains(folder));
    folders
}

/// What no Kustomization of the checkout applies, when it has some.
pub fn not_applied(checkout: &Checkout) -> Vec<(&Object, Diagnostic)> {
    if checkout.applied_paths.is_empty() {
        return Vec::new();
    }
    let mut paths: Vec<&str> = checkout.applied_paths.iter().map(String::as_str).collect();
    paths.sort_unstable();
    paths.dedup();
    let objects = checkout.objects.iter().filter(|object| {
        let applied = object
            .origin
            .as_deref()
            .is_some_and(|own| checkout.is_applied(own));
        object.kind() != "ReleaseConfig" && !applied
    });
    objects
        .map(|object| {
            let message = format!("no Kustomization of this checkout applies {}", object.key());
            let help = format!(
                "Move the file below one of {}, or add a Kustomization for it.",
                paths.join(", ")
            );
            let code = Code("ComponentNotApplied");
            (object, Diagnostic::error(code, message).with_help(help))
        })
        .collect()
}
