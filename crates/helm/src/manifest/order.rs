//! The order in which kinds are installed.
//!
//! # Source
//! helm/helm `pkg/release/v1/util/kind_sorter.go`.

use std::cmp::Ordering;

use crate::options::Profile;

/// Kinds that others need come first. Helm 3 does not know the last two.
const INSTALL: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// How many of them Helm 3 knows.
const KNOWN_TO_HELM3: usize = 36;

/// Orders two kinds; unknown ones come last, by name.
pub(super) fn by_kind(one: &str, other: &str, profile: Profile) -> Ordering {
    let known = match profile {
        Profile::Helm4 => &INSTALL[..],
        Profile::Helm3 => &INSTALL[..KNOWN_TO_HELM3],
    };
    let place = |kind: &str| known.iter().position(|known| *known == kind);
    match (place(one), place(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => one.cmp(other),
    }
}
