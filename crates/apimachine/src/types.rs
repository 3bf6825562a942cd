//! The resources a cluster serves.

use std::sync::Arc;

use object::{GroupVersionKind, Node, Text};

/// How a `scale` subresource finds its numbers; dotted paths as in a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Path of the wished replicas, as `.spec.replicas`.
    pub spec_replicas: Text,
    /// Path of the counted replicas.
    pub status_replicas: Text,
    /// Path of the selector, as text or as LabelSelector.
    pub label_selector: Option<Text>,
}

/// One subresource of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Subresource {
    /// Name, as `status`.
    pub name: Text,
    /// What it takes and gives when that is another kind than the resource's.
    pub kind: Option<GroupVersionKind>,
    /// Verbs it answers.
    pub verbs: Vec<Text>,
}

/// One resource in one served version.
#[derive(Clone, Debug)]
pub struct ResourceType {
    /// API group; empty for the core group.
    pub group: Text,
    /// Version served here.
    pub version: Text,
    /// Name in paths, as `deployments`.
    pub plural: Text,
    /// Singular name.
    pub singular: Text,
    /// Kind.
    pub kind: Text,
    /// Kind of lists.
    pub list_kind: Text,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Abbreviations for kubectl.
    pub short_names: Vec<Text>,
    /// Groups of resources for kubectl, as `all`.
    pub categories: Vec<Text>,
    /// Verbs it answers, sorted.
    pub verbs: Vec<Text>,
    /// Subresources by name.
    pub subresources: Vec<Subresource>,
    /// Key of the table that stores its objects, in whatever version: `deployments.apps`, `pods`.
    pub storage: Text,
    /// Version that is stored.
    pub storage_version: Text,
    /// What the scale subresource reads and writes.
    pub scale: Option<Scale>,
    /// The definition behind a custom resource; `None` for built-in ones.
    pub custom: Option<Arc<CustomVersion>>,
}

/// What a definition says about one version of a custom resource.
#[derive(Clone, Debug, Default)]
pub struct CustomVersion {
    /// Name of the definition.
    pub definition: Text,
    /// The version's `additionalPrinterColumns`.
    pub printer_columns: Vec<Node>,
    /// The version's `selectableFields` paths.
    pub selectable_fields: Vec<Text>,
    /// The version's `openAPIV3Schema`, as written.
    pub schema: Node,
    /// The same, compiled; `None` when it is nested too deep, and nothing is checked then.
    pub structural: Option<schema::Structural>,
    /// Warning for each request, when the version is deprecated.
    pub deprecation_warning: Option<Text>,
}

impl ResourceType {
    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> Text {
        api_version(&self.group, &self.version)
    }

    /// `deployments.apps`, or `pods` for the core group: how messages and [`crate::State`] name it.
    pub fn qualified(&self) -> Text {
        qualified(&self.plural, &self.group)
    }

    /// `Deployment.apps`, or `Pod` for the core group.
    pub(crate) fn kind_qualified(&self) -> Text {
        qualified(&self.kind, &self.group)
    }

    /// Whether the status is written through a subresource of its own.
    pub fn has_status(&self) -> bool {
        self.subresource("status").is_some()
    }

    /// The subresource of that name.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|sub| sub.name == name)
    }
}

/// `group/version`, or the version alone for the core group.
pub(crate) fn api_version(group: &str, version: &str) -> Text {
    if group.is_empty() {
        version.into()
    } else {
        smol_str::format_smolstr!("{group}/{version}")
    }
}

/// `plural.group`, or the plural alone for the core group.
pub(crate) fn qualified(plural: &str, group: &str) -> Text {
    if group.is_empty() {
        plural.into()
    } else {
        smol_str::format_smolstr!("{plural}.{group}")
    }
}
