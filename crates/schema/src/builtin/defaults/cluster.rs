//! Defaults of what administrators write: RBAC, storage, scheduling, flow control, devices.

use object::{Map, Node};

use super::{Rule, fill, fill_zero, inner, text};

/// The group of roles and of users.
const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) const RULES: &[Rule] = &[
    ("rbac.v1.ClusterRoleBinding", |binding| {
        fill_zero(inner(binding, "roleRef"), "apiGroup", RBAC)
    }),
    ("rbac.v1.RoleBinding", |binding| {
        fill_zero(inner(binding, "roleRef"), "apiGroup", RBAC)
    }),
    ("rbac.v1.Subject", |subject| {
        if matches!(text(subject, "kind"), "User" | "Group") {
            fill_zero(subject, "apiGroup", RBAC);
        }
    }),
    ("storage.v1.StorageClass", |class| {
        fill(class, "reclaimPolicy", "Delete");
        fill(class, "volumeBindingMode", "Immediate");
    }),
    ("storage.v1.CSIDriver", |driver| {
        let spec = inner(driver, "spec");
        fill(spec, "attachRequired", true);
        fill(spec, "podInfoOnMount", false);
        fill(spec, "storageCapacity", false);
        fill(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
        fill_zero(spec, "volumeLifecycleModes", Node::list(["Persistent"]));
        fill(spec, "requiresRepublish", false);
        fill(spec, "seLinuxMount", false);
    }),
    ("scheduling.v1.PriorityClass", |class| {
        fill(class, "preemptionPolicy", "PreemptLowerPriority")
    }),
    ("flowcontrol.v1.FlowSchemaSpec", |spec| {
        fill_zero(spec, "matchingPrecedence", 1000)
    }),
    ("flowcontrol.v1.ExemptPriorityLevelConfiguration", |level| {
        fill(level, "nominalConcurrencyShares", 0);
        fill(level, "lendablePercent", 0);
    }),
    (
        "flowcontrol.v1.LimitedPriorityLevelConfiguration",
        |level| {
            fill(level, "nominalConcurrencyShares", 30);
            fill(level, "lendablePercent", 0);
        },
    ),
    ("flowcontrol.v1.QueuingConfiguration", |queuing| {
        fill_zero(queuing, "handSize", 8);
        fill_zero(queuing, "queues", 64);
        fill_zero(queuing, "queueLengthLimit", 50);
    }),
    ("resource.v1.ExactDeviceRequest", device_request),
    ("resource.v1.DeviceSubRequest", device_request),
];

fn device_request(request: &mut Map) {
    fill_zero(request, "allocationMode", "ExactCount");
    if text(request, "allocationMode") == "ExactCount" {
        fill_zero(request, "count", 1);
    }
}
