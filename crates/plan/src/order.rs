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

/// Kinds of OpenChoreo that come after the others of their group, in this order: their controllers
/// tell what is missing, and these refer to the others. Flux knows no order of them.
const REFERRING: &[&str] = &["Component", "ComponentRelease", "ReleaseBinding"];

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
    let refers = |key: &ObjectKey| match key.group.as_str() {
        "openchoreo.dev" => REFERRING.iter().position(|kind| *kind == key.kind),
        _ => None,
    };
    fn names(key: &ObjectKey) -> [&str; 3] {
        [&key.kind, &key.namespace, &key.name]
    }
    (rank(a), &a.group, refers(a), names(a)).cmp(&(rank(b), &b.group, refers(b), names(b)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_openchoreos_kinds_those_that_refer_to_others_come_last() {
        let key = |group: &str, kind: &str| ObjectKey {
            group: group.into(),
            kind: kind.into(),
            ..ObjectKey::default()
        };
        let ours = [
            "ReleaseBinding",
            "ComponentRelease",
            "Component",
            "Workload",
            "Environment",
        ];
        let mut keys: Vec<ObjectKey> = ours.map(|kind| key("openchoreo.dev", kind)).to_vec();
        keys.extend([
            key("", "Pod"),
            key("x.dev", "Workload"),
            key("x.dev", "Component"),
        ]);
        keys.sort_by(apply_order);
        let kinds: Vec<&str> = keys.iter().map(|key| key.kind.as_str()).collect();
        assert_eq!(
            kinds.join(" "),
            "Pod Environment Workload Component ComponentRelease ReleaseBinding Component Workload"
        );
    }
}
