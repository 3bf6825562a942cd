//! What identifies an object, and where it came from.

use std::fmt;
use std::sync::Arc;

use crate::{Map, Node, Text};

/// A kind in every version of its group.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// API group; empty for the core group.
    pub group: Text,
    /// Kind, as in manifests.
    pub kind: Text,
}

/// A kind in one version of its group.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupVersionKind {
    /// API group; empty for the core group.
    pub group: Text,
    /// Version, as `v1`.
    pub version: Text,
    /// Kind, as in manifests.
    pub kind: Text,
}

/// What makes an object one object on one cluster: group, kind, namespace and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// API group; empty for the core group.
    pub group: Text,
    /// Kind, as in manifests.
    pub kind: Text,
    /// Namespace; empty for cluster-scoped objects and for manifests that name none.
    pub namespace: Text,
    /// Name.
    pub name: Text,
}

/// The file and line an object starts at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Path from the root of the tree, with forward slashes.
    pub path: Text,
    /// Line of the document's first token, counted from one.
    pub line: u32,
    /// Which document of the file this is, counted from zero.
    pub document: u32,
}

/// A Kubernetes object as data, remembering where it came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    /// The object itself; a map for every object that passed a parser of ours.
    pub node: Node,
    /// File and line, for objects that came from a file.
    pub origin: Option<Arc<Origin>>,
}

impl GroupVersionKind {
    /// Splits `apiVersion` at its slash; the core group has none.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    /// `group/version`, or the bare version for the core group.
    pub fn api_version(&self) -> Text {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            smol_str::format_smolstr!("{}/{}", self.group, self.version)
        }
    }

    /// The kind without its version.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind {
            group: self.group.clone(),
            kind: self.kind.clone(),
        }
    }
}

impl ObjectKey {
    /// The kind without namespace and name.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind {
            group: self.group.clone(),
            kind: self.kind.clone(),
        }
    }
}

impl Object {
    /// An object that came from no file.
    pub fn new(node: Node) -> Self {
        Self { node, origin: None }
    }

    /// `apiVersion`, empty when absent.
    pub fn api_version(&self) -> &str {
        self.node.str_at(&["apiVersion"]).unwrap_or_default()
    }

    /// `kind`, empty when absent.
    pub fn kind(&self) -> &str {
        self.node.str_at(&["kind"]).unwrap_or_default()
    }

    /// `metadata.name`, empty when absent.
    pub fn name(&self) -> &str {
        self.node.str_at(&["metadata", "name"]).unwrap_or_default()
    }

    /// `metadata.namespace`, empty when absent.
    pub fn namespace(&self) -> &str {
        self.node
            .str_at(&["metadata", "namespace"])
            .unwrap_or_default()
    }

    /// `metadata.uid`, empty when absent.
    pub fn uid(&self) -> &str {
        self.node.str_at(&["metadata", "uid"]).unwrap_or_default()
    }

    /// `metadata.resourceVersion`, empty when absent.
    pub fn resource_version(&self) -> &str {
        self.node
            .str_at(&["metadata", "resourceVersion"])
            .unwrap_or_default()
    }

    /// Who manages fields, as `metadata.managedFields` says; one name may come several times.
    pub fn managers(&self) -> impl Iterator<Item = &str> {
        let managers = self.node.at(&["metadata", "managedFields"]);
        let managers = managers.and_then(Node::as_list).unwrap_or_default();
        managers.iter().filter_map(|own| own.str_at(&["manager"]))
    }

    /// Forgets which fields each manager owns; who they are stays. It is most of many objects, and
    /// whoever keeps copies only to look at them has no use for it.
    pub fn forget_owned_fields(&mut self) {
        let managers = self.node.at_mut(&["metadata", "managedFields"]);
        for own in managers.and_then(Node::as_list_mut).into_iter().flatten() {
            own.remove(&["fieldsV1"]);
        }
    }

    /// `metadata.generation`, zero when absent.
    pub fn generation(&self) -> i64 {
        let generation = self.node.at(&["metadata", "generation"]);
        generation.and_then(Node::as_i64).unwrap_or_default()
    }

    /// Whether deletion has been asked for.
    pub fn is_deleting(&self) -> bool {
        let timestamp = self.node.at(&["metadata", "deletionTimestamp"]);
        timestamp.is_some_and(|timestamp| !timestamp.is_null())
    }

    /// Whether a finalizer is on it.
    pub fn has_finalizer(&self, name: &str) -> bool {
        self.finalizers()
            .iter()
            .any(|own| own.as_str() == Some(name))
    }

    fn finalizers(&self) -> &[Node] {
        let finalizers = self.node.at(&["metadata", "finalizers"]);
        finalizers.and_then(Node::as_list).unwrap_or_default()
    }

    /// The merge patch that puts a finalizer on this version of the object, as the last one, or
    /// takes it off.
    pub fn finalizer_patch(&self, name: &str, present: bool) -> Node {
        let others = self.finalizers().iter();
        let others = others.filter(|own| own.as_str() != Some(name)).cloned();
        let own = present.then(|| Node::from(name));
        let mut patch = Node::map();
        patch.set(&["metadata", "finalizers"], Node::list(others.chain(own)));
        patch.set(&["metadata", "resourceVersion"], self.resource_version());
        patch
    }

    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.node.str_at(&["metadata", "labels", key])
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.node.str_at(&["metadata", "annotations", key])
    }

    /// `metadata.labels`, if it is a map.
    pub fn labels(&self) -> Option<&Map> {
        self.node.at(&["metadata", "labels"])?.as_map()
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind::new(self.api_version(), self.kind())
    }

    /// Group, kind, namespace and name.
    pub fn key(&self) -> ObjectKey {
        let gvk = self.gvk();
        ObjectKey {
            group: gvk.group,
            kind: gvk.kind,
            namespace: self.namespace().into(),
            name: self.name().into(),
        }
    }
}

impl From<Node> for Object {
    fn from(node: Node) -> Self {
        Self::new(node)
    }
}

impl fmt::Display for GroupKind {
    /// `Kind.group`, or the bare kind for the core group.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        Ok(())
    }
}

impl fmt::Display for GroupVersionKind {
    /// `group/version, Kind=kind`, as Go prints it (`/v1, Kind=Pod` for the core group).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}, Kind={}", self.group, self.version, self.kind)
    }
}

impl fmt::Display for ObjectKey {
    /// `Kind/namespace/name`, or `Kind/name` without a namespace, as Flux prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "/{}", self.namespace)?;
        }
        write!(f, "/{}", self.name)
    }
}

impl fmt::Display for Origin {
    /// `path:line`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_group_has_no_slash() {
        assert_eq!(GroupVersionKind::new("v1", "Pod").api_version(), "v1");
        let deployment = GroupVersionKind::new("apps/v1", "Deployment");
        assert_eq!(deployment.group, "apps");
        assert_eq!(deployment.api_version(), "apps/v1");
        assert_eq!(deployment.to_string(), "apps/v1, Kind=Deployment");
    }
}
