//! Group, version and kind, and the ids that objects are found by.

use std::cmp::Ordering;
use std::fmt;

use object::Text;

/// What stands for the namespace of an object that has none because its kind is cluster-scoped.
pub(crate) const CLUSTER_SCOPED: &str = "_non_namespaceable_";

/// Group, version and kind; an empty part of a selector matches anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Gvk {
    pub group: Text,
    pub version: Text,
    pub kind: Text,
}

/// Kind, name and namespace of an object at one moment of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResId {
    pub gvk: Gvk,
    pub name: Text,
    pub namespace: Text,
    /// Whether the kind is known to have no namespace.
    pub cluster_scoped: bool,
}

/// The part of an id by which two objects are the same.
pub(crate) type IdKey = (Gvk, Text, Text);

impl Gvk {
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    pub fn api_version(&self) -> Text {
        match self.group.is_empty() {
            true => self.version.clone(),
            false => Text::from(format!("{}/{}", self.group, self.version)),
        }
    }

    /// Whether every part that `selector` sets is equal.
    pub fn is_selected(&self, selector: &Self) -> bool {
        (selector.group.is_empty() || selector.group == self.group)
            && (selector.version.is_empty() || selector.version == self.version)
            && (selector.kind.is_empty() || selector.kind == self.kind)
    }

    /// `group_version_kind` with marks for what is empty, as sorting compares it.
    pub fn sort_text(&self) -> String {
        self.sort_parts().concat()
    }

    fn sort_parts(&self) -> [&str; 5] {
        let or = |text, mark| match text {
            "" => mark,
            text => text,
        };
        [
            or(self.group.as_str(), "~G"),
            "_",
            or(self.version.as_str(), "~V"),
            "_",
            or(self.kind.as_str(), "~K"),
        ]
    }

    /// The order of field specs: well-known kinds first, webhooks last, the rest by text.
    pub fn compare(&self, other: &Self) -> Ordering {
        rank(&self.kind).cmp(&rank(&other.kind)).then_with(|| {
            let (own, other) = (self.sort_parts(), other.sort_parts());
            own.iter()
                .flat_map(|part| part.bytes())
                .cmp(other.iter().flat_map(|part| part.bytes()))
        })
    }
}

/// Kinds that come first in the legacy order.
pub(crate) const ORDER_FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last in the legacy order.
pub(crate) const ORDER_LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

fn rank(kind: &str) -> i32 {
    let at = |list: &[&str]| list.iter().position(|known| *known == kind);
    match (at(&ORDER_FIRST), at(&ORDER_LAST)) {
        (Some(at), _) => at as i32 - ORDER_FIRST.len() as i32,
        (_, Some(at)) => 1 + at as i32,
        _ => 0,
    }
}

impl ResId {
    /// The namespace as comparisons see it: `default` when empty, a mark for cluster-scoped kinds.
    pub fn effective_namespace(&self) -> &str {
        if self.cluster_scoped {
            CLUSTER_SCOPED
        } else if self.namespace.is_empty() {
            "default"
        } else {
            &self.namespace
        }
    }

    pub fn same_namespace(&self, other: &Self) -> bool {
        self.effective_namespace() == other.effective_namespace()
    }

    pub fn same_kind_and_name(&self, other: &Self) -> bool {
        self.name == other.name && self.gvk == other.gvk
    }

    pub fn equals(&self, other: &Self) -> bool {
        self.same_kind_and_name(other) && self.same_namespace(other)
    }

    pub fn key(&self) -> IdKey {
        (
            self.gvk.clone(),
            self.name.clone(),
            self.effective_namespace().into(),
        )
    }

    /// Whether every part that `selector` sets is equal; the namespace is the one that is written,
    /// even where the kind has none.
    pub fn is_selected_by(&self, selector: &Self) -> bool {
        let or_default = |namespace: &Text| match namespace.is_empty() {
            true => Text::new_static("default"),
            false => namespace.clone(),
        };
        (selector.name.is_empty() || selector.name == self.name)
            && (selector.namespace.is_empty()
                || or_default(&selector.namespace) == or_default(&self.namespace))
            && self.gvk.is_selected(&selector.gvk)
    }

    /// The id as Go's `%#v` prints it, which some messages of the reference contain.
    pub fn go_syntax(&self) -> String {
        format!(
            "resid.ResId{{Gvk:resid.Gvk{{Group:{:?}, Version:{:?}, Kind:{:?}, isClusterScoped:{}}}, Name:{:?}, Namespace:{:?}}}",
            self.gvk.group.as_str(),
            self.gvk.version.as_str(),
            self.gvk.kind.as_str(),
            self.cluster_scoped,
            self.name.as_str(),
            self.namespace.as_str()
        )
    }
}

fn or_mark<'a>(text: &'a str, mark: &'a str) -> &'a str {
    if text.is_empty() { mark } else { text }
}

impl fmt::Display for Gvk {
    /// `Kind.version.group` with marks for what is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}",
            or_mark(&self.kind, "[noKind]"),
            or_mark(&self.version, "[noVer]"),
            or_mark(&self.group, "[noGrp]")
        )
    }
}

impl fmt::Display for ResId {
    /// `Kind.version.group/name.namespace` with marks for what is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}.{}",
            self.gvk,
            or_mark(&self.name, "[noName]"),
            or_mark(&self.namespace, "[noNs]")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_marks_for_what_is_empty() {
        let id = ResId {
            gvk: Gvk::new("v1", "ConfigMap"),
            name: "a".into(),
            ..ResId::default()
        };
        assert_eq!(id.to_string(), "ConfigMap.v1.[noGrp]/a.[noNs]");
        let other = ResId {
            namespace: "default".into(),
            ..id.clone()
        };
        assert!(id.equals(&other));
    }

    #[test]
    fn well_known_kinds_sort_before_others_and_webhooks_after() {
        let kinds = [
            "MutatingWebhookConfiguration",
            "Zebra",
            "Namespace",
            "Apple",
        ];
        let mut gvks: Vec<_> = kinds.iter().map(|kind| Gvk::new("v1", kind)).collect();
        gvks.sort_by(Gvk::compare);
        let sorted: Vec<_> = gvks.iter().map(|gvk| gvk.kind.as_str()).collect();
        assert_eq!(
            sorted,
            [
                "Namespace",
                "Apple",
                "Zebra",
                "MutatingWebhookConfiguration"
            ]
        );
    }
}
