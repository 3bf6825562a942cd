//! Releases and bindings as files of a checkout.
//!
//! ```text
//!  Checkout ── releases ──→ files of releases, one for each component that has changed
//!           ── bindings ──→ files of bindings: which release runs in one environment
//! ```
//!
//! Nothing is written here: an [`Output`] holds whole files and why each of them is written.
//!
//! # Invariants
//!
//! - **A release never changes.** A name that is in use with other content is refused, with what
//!   differs.
//! - **Doing it again does nothing.** An unchanged checkout gives no file.
//! - **Only what was asked for.** Bindings are edited in place, overrides and comments stay, see
//!   [`crate::edit`]; every path is inside of the checkout.
//! - **Numbers are numbers**: the tenth release of a day is newer than the ninth, see
//!   [`names::newest`].
//!
//! # Source
//! openchoreo/openchoreo `internal/occ/fsmode` at v0.12.0 and v1.2.3: names, folders, which release
//! a binding gets. Where those write a release under another name than was asked for, or over
//! another, this refuses.

mod binding;
mod check;
mod error;
pub mod names;
mod release;

use std::collections::BTreeMap;

use diag::Diagnostic;
use object::{Node, Object, Text};
use tree::TreePath;

pub use binding::{BindingRequest, bindings};
pub use check::binding as new_binding;
pub use error::{Difference, GenerateError, differences};
pub use release::{ReleaseRequest, releases};

use crate::checkout::Checkout;
use crate::edit;
use crate::model::{Component, Owner};

/// What all objects of the group call their version.
const API_VERSION: &str = "openchoreo.dev/v1alpha1";

/// Which components.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only of this namespace.
    pub namespace: Option<Text>,
    /// Only of this project.
    pub project: Option<Text>,
    /// Only this one; a single component that cannot be done is an error.
    pub component: Option<Text>,
}

/// What is to be written.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// One for each component, by namespace and name.
    pub items: Vec<Item>,
    /// Whole files, new and changed.
    pub files: BTreeMap<TreePath, String>,
    /// What is worth a look.
    pub warnings: Vec<Diagnostic>,
}

/// What comes of one component.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its namespace.
    pub namespace: Text,
    /// Its project and name.
    pub owner: Owner,
    /// What is written, or why nothing is.
    pub outcome: Result<Made, GenerateError>,
}

/// An object that is right, perhaps after its file was written.
#[derive(Clone, Debug)]
pub struct Made {
    /// What happens to its file.
    pub step: Step,
    /// Its file.
    pub path: TreePath,
    /// The object as it will stand there.
    pub object: Object,
    /// What differs from what stands there now; empty for a new file.
    pub changes: Vec<Difference>,
}

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is new.
    Create,
    /// A value in it changes.
    Update,
    /// Nothing.
    Keep,
}

impl Output {
    /// Why components could not be done.
    pub fn errors(&self) -> impl Iterator<Item = &GenerateError> {
        self.items
            .iter()
            .filter_map(|item| item.outcome.as_ref().err())
    }

    /// What was made.
    pub fn made(&self) -> impl Iterator<Item = (&Item, &Made)> {
        let items = self.items.iter();
        items.filter_map(|item| Some((item, item.outcome.as_ref().ok()?)))
    }

    /// Adds a new file.
    fn create(
        &mut self,
        checkout: &Checkout,
        path: TreePath,
        object: Object,
    ) -> Result<Made, GenerateError> {
        let folder_on_the_way = path
            .prefixes()
            .any(|at| at != path && (checkout.tree().is_file(&at) || self.files.contains_key(&at)));
        let taken = self.files.contains_key(&path)
            || checkout.tree().is_file(&path)
            || checkout.tree().is_directory(&path);
        if taken || folder_on_the_way {
            return Err(GenerateError::FileTaken {
                path,
                object: describe(&object),
            });
        }
        self.files
            .insert(path.clone(), yaml::to_string(&object.node));
        Ok(Made {
            step: Step::Create,
            path,
            object,
            changes: Vec::new(),
        })
    }

    /// Sets values of an object where it stands.
    fn update(
        &mut self,
        checkout: &Checkout,
        manifest: &crate::checkout::Manifest,
        values: &[(Vec<Text>, Node)],
    ) -> Result<Made, GenerateError> {
        let path = manifest.path.clone();
        let mut object = manifest.object.clone();
        for (keys, value) in values {
            let keys: Vec<&str> = keys.iter().map(Text::as_str).collect();
            object.node.set(&keys, value.clone());
        }
        let changes = differences(&manifest.object.node, &object.node);
        if changes.is_empty() {
            return Ok(Made {
                step: Step::Keep,
                path,
                object,
                changes,
            });
        }
        let mut text = match self.files.get(&path) {
            Some(text) => text.clone(),
            None => checkout
                .tree()
                .read_text(&path)
                .map_err(|error| GenerateError::Read(path.clone(), error.to_string()))?,
        };
        for (keys, value) in values {
            text = edit::set(&text, manifest.document, keys, value)
                .map_err(|error| GenerateError::Edit(path.clone(), error))?;
        }
        self.files.insert(path.clone(), text);
        Ok(Made {
            step: Step::Update,
            path,
            object,
            changes,
        })
    }
}

/// The components that are meant, by namespace and name.
///
/// # Errors
/// A single component that is not there, or in several namespaces.
fn select<'a>(
    checkout: &'a Checkout,
    selection: &Selection,
) -> Result<Vec<&'a Component>, GenerateError> {
    let fits = |wanted: &Option<Text>, own: &Text| wanted.as_ref().is_none_or(|text| text == own);
    let all = checkout.catalog().components().filter(|own| {
        fits(&selection.namespace, &own.head.namespace)
            && fits(&selection.project, &own.owner.project)
    });
    let all: Vec<&Component> = all.collect();
    let Some(name) = &selection.component else {
        return match (&selection.project, all.is_empty()) {
            (Some(project), true) => Err(GenerateError::NoProject {
                name: project.clone(),
                known: known_projects(checkout),
            }),
            _ => Ok(all),
        };
    };
    let found: Vec<&Component> = all
        .iter()
        .copied()
        .filter(|own| own.head.name == *name)
        .collect();
    match found.len() {
        0 => Err(GenerateError::NoComponent {
            name: name.clone(),
            project: selection.project.clone(),
            known: all.iter().map(|own| own.head.name.clone()).collect(),
        }),
        1 => Ok(found),
        _ => Err(GenerateError::SeveralNamespaces {
            name: name.clone(),
            namespaces: found.iter().map(|own| own.head.namespace.clone()).collect(),
        }),
    }
}

fn known_projects(checkout: &Checkout) -> Vec<Text> {
    let components = checkout.catalog().components();
    let mut known: Vec<Text> = components.map(|own| own.owner.project.clone()).collect();
    known.sort();
    known.dedup();
    known
}

/// What is made of each component that a selection means.
fn of_each(
    checkout: &Checkout,
    selection: &Selection,
    mut make: impl FnMut(&Component, &mut Output) -> Result<Made, GenerateError>,
) -> Result<Output, GenerateError> {
    let mut output = Output::default();
    for component in select(checkout, selection)? {
        let outcome = make(component, &mut output);
        output.items.push(Item {
            namespace: component.head.namespace.clone(),
            owner: component.as_owner(),
            outcome,
        });
    }
    Ok(output)
}

/// An object of the group; its namespace is written down when that of the component is.
fn object_of(
    checkout: &Checkout,
    component: &Component,
    kind: &str,
    name: &str,
    spec: Node,
) -> Object {
    let mut object = new_object(kind);
    object.node.set(&["metadata", "name"], name);
    let written = checkout.file_of(component);
    if written.is_none_or(|own| !own.object.namespace().is_empty()) {
        let namespace = component.head.namespace.clone();
        object.node.set(&["metadata", "namespace"], namespace);
    }
    object.node.set(&["spec"], spec);
    object
}

/// An object of the group without a name yet.
pub(crate) fn new_object(kind: &str) -> Object {
    let mut node = Node::map();
    node.set(&["apiVersion"], API_VERSION);
    node.set(&["kind"], kind);
    Object::new(node)
}

/// `Kind/name`.
fn describe(object: &Object) -> String {
    format!("{} `{}`", object.kind(), object.name())
}

/// Refuses names that are no names of objects, which could be paths.
fn check_name(what: &'static str, name: &str) -> Result<(), GenerateError> {
    let problems = object::names::subdomain(name);
    match problems.is_empty() {
        true => Ok(()),
        false => Err(GenerateError::Name {
            what,
            name: name.into(),
            problems,
        }),
    }
}

/// Refuses components whose names, or whose project's, are no names.
fn check_owner(owner: &Owner) -> Result<(), GenerateError> {
    check_name("component", &owner.component)?;
    check_name("project", &owner.project)
}

/// The folder where objects of a component go when nobody says: beside what is there already,
/// else below the folder of the component.
fn inferred(
    checkout: &Checkout,
    component: &Component,
    kind: &str,
    folder: &str,
) -> Result<TreePath, GenerateError> {
    let owner = component.as_owner();
    let last = checkout
        .owned(kind, &component.head.namespace, &owner)
        .last()
        .and_then(|own| own.path.parent());
    if let Some(path) = last {
        return Ok(path);
    }
    let own = checkout
        .file_of(component)
        .and_then(|own| own.path.parent());
    let own = own.filter(|path| path.file_name() == owner.component);
    let path = match own {
        Some(path) => path.join(folder),
        None => TreePath::new(&format!(
            "projects/{}/components/{}/{folder}",
            owner.project, owner.component
        )),
    };
    path.map_err(GenerateError::Path)
}

/// The path of an object's file.
fn file(folder: &TreePath, name: &str) -> Result<TreePath, GenerateError> {
    folder
        .join(&format!("{name}.yaml"))
        .map_err(GenerateError::Path)
}
