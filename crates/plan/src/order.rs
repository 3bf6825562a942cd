//! The order in which kinds are applied.

use object::{Object, ObjectKey};

/// Kinds that come first, in this order.
///
/// # Source
/// fluxcd/pkg `ssa/utils/sort.go`.
const FIRST: &[&str] = &[
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last, in this order: they can refuse what comes after them.
const LAST: &[&str] = &[
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Orders keys as their objects are applied; deletion is the reverse.
pub(crate) fn apply_order(a: &ObjectKey, b: &ObjectKey) -> std::cmp::Ordering {
    let rank = |key: &ObjectKey| {
        let place = |kinds: &[&str]| kinds.iter().position(|kind| *kind == key.kind);
        match (place(FIRST), place(LAST)) {
            (Some(at), _) => at,
            (None, None) => FIRST.len(),
            (None, Some(at)) => FIRST.len() + 1 + at,
        }
    };
    (rank(a), &a.group, &a.kind, &a.namespace, &a.name).cmp(&(
        rank(b),
        &b.group,
        &b.kind,
        &b.namespace,
        &b.name,
    ))
}

/// Orders objects as they are applied.
pub fn sort(objects: &mut [Object]) {
    objects.sort_by_cached_key(|object| Ordered(object.key()));
}

#[derive(PartialEq, Eq)]
struct Ordered(ObjectKey);

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        apply_order(&self.0, &other.0)
    }
}
