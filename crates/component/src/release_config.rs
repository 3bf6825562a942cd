//! `release-config.yaml`: the folders that command-line tools write releases and bindings to.
//!
//! A file beside the tree, not an object of a cluster. Every folder is inside of the checkout.
//!
//! # Source
//! openchoreo/openchoreo `internal/occ/fsmode/config` at v0.12.0: the names of the fields, and that
//! the folder of a component goes before that of its project, and this before the one for all.

use std::collections::BTreeMap;

use object::{Node, Text};
use tree::{PathError, TreePath};

use crate::model::Owner;

/// The file's name, in the root of a checkout.
pub const FILE_NAME: &str = "release-config.yaml";

/// Where things are written to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReleaseConfig {
    /// Folders of releases.
    pub releases: Folders,
    /// Folders of bindings.
    pub bindings: Folders,
}

/// Folders by project and component.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folders {
    default: Option<TreePath>,
    projects: BTreeMap<Text, OfProject>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct OfProject {
    default: Option<TreePath>,
    components: BTreeMap<Text, TreePath>,
}

/// What is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseConfigError {
    /// It is of another kind.
    #[error("its kind is `{0}`, not `ReleaseConfig`")]
    Kind(String),
    /// A folder that is not inside of the checkout.
    #[error("`{field}`: {error}")]
    Folder {
        /// The field.
        field: String,
        /// What is wrong with the folder.
        error: PathError,
    },
    /// A value of another type.
    #[error("`{field}` is to be a {wanted}")]
    Type {
        /// The field.
        field: String,
        /// What it should be.
        wanted: &'static str,
    },
}

impl ReleaseConfig {
    /// Reads the content of the file; fields that nobody knows are left alone.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn read(node: &Node) -> Result<Self, Vec<ReleaseConfigError>> {
        let kind = node.str_at(&["kind"]).unwrap_or_default();
        if kind != "ReleaseConfig" {
            return Err(vec![ReleaseConfigError::Kind(kind.to_owned())]);
        }
        let mut errors = Vec::new();
        let mut part = |key: &str| {
            let own = node.get(key).cloned().unwrap_or_default();
            Folders::read(&own, key, &mut errors)
        };
        let config = Self {
            releases: part("componentReleaseDefaults"),
            bindings: part("releaseBindingDefaults"),
        };
        match errors.is_empty() {
            true => Ok(config),
            false => Err(errors),
        }
    }
}

impl Folders {
    /// The folder for what belongs to a component: its own, else that of its project, else that
    /// for all.
    pub fn of(&self, owner: &Owner) -> Option<&TreePath> {
        let project = self.projects.get(&owner.project);
        let own = project.and_then(|project| project.components.get(&owner.component));
        let of_project = || project.and_then(|project| project.default.as_ref());
        own.or_else(of_project).or(self.default.as_ref())
    }

    fn read(node: &Node, field: &str, errors: &mut Vec<ReleaseConfigError>) -> Self {
        let mut folders = Self {
            default: folder(node, field, "defaultOutputDir", errors),
            projects: BTreeMap::new(),
        };
        let projects = format!("{field}.projects");
        for (name, own) in entries(node, field, "projects", errors) {
            let field = format!("{projects}.{name}");
            let mut project = OfProject {
                default: folder(&own, &field, "defaultOutputDir", errors),
                components: BTreeMap::new(),
            };
            let inside = format!("{field}.components");
            let components = Node::Map(entries(&own, &field, "components", errors).collect());
            for name in components.as_map().into_iter().flat_map(object::Map::keys) {
                if let Some(path) = folder(&components, &inside, name, errors) {
                    project.components.insert(name.clone(), path);
                }
            }
            folders.projects.insert(name, project);
        }
        folders
    }
}

/// The entries of a map, if there is one.
fn entries(
    node: &Node,
    field: &str,
    key: &str,
    errors: &mut Vec<ReleaseConfigError>,
) -> impl Iterator<Item = (Text, Node)> + use<> {
    let map = match node.get(key) {
        Some(Node::Map(map)) => map.clone(),
        None | Some(Node::Null) => object::Map::new(),
        Some(_) => {
            errors.push(ReleaseConfigError::Type {
                field: format!("{field}.{key}"),
                wanted: "map",
            });
            object::Map::new()
        }
    };
    map.into_iter()
}

/// A folder, if one is named.
fn folder(
    node: &Node,
    field: &str,
    key: &str,
    errors: &mut Vec<ReleaseConfigError>,
) -> Option<TreePath> {
    let field = format!("{field}.{key}");
    let text = match node.get(key) {
        None | Some(Node::Null) => return None,
        Some(Node::String(text)) if text.is_empty() => return None,
        Some(Node::String(text)) => text,
        Some(_) => {
            errors.push(ReleaseConfigError::Type {
                field,
                wanted: "text",
            });
            return None;
        }
    };
    match TreePath::new(text) {
        Ok(path) => Some(path),
        Err(error) => {
            errors.push(ReleaseConfigError::Folder { field, error });
            None
        }
    }
}
