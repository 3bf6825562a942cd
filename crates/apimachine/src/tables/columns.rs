//! Which columns each built-in kind has.

use std::sync::LazyLock;

use golang::Timestamp;
use object::Node;

use super::{cells, definition, pods};

/// Columns and cells of one kind.
pub(super) struct Kind {
    name: &'static str,
    /// Columns separated by `|`; `:integer` and the like give a type other than string, a `+` in
    /// front means that only `-o wide` shows it.
    columns: &'static str,
    /// The cells of one row, as many as there are columns.
    pub(super) cells: fn(&Node, Timestamp) -> Vec<Node>,
}

/// The layout of a built-in kind; kinds without one of their own show name and creation time.
pub(super) fn of_kind(name: &str) -> &'static Kind {
    KINDS
        .iter()
        .find(|kind| kind.name == name)
        .unwrap_or(&OTHERS)
}

static OTHERS: Kind = Kind {
    name: "",
    columns: "Name|Created At:date",
    cells: cells::created_at,
};

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let kind = |name, columns, cells| Kind {
        name,
        columns,
        cells,
    };
    vec![
        kind(
            "Pod",
            "Name|Ready|Status|Restarts|Age|+IP|+Node|+Nominated Node|+Readiness Gates",
            pods::cells,
        ),
        kind(
            "Deployment",
            "Name|Ready|Up-to-date|Available|Age|+Containers|+Images|+Selector",
            cells::deployment,
        ),
        kind(
            "ReplicaSet",
            "Name|Desired:integer|Current:integer|Ready:integer|Age|+Containers|+Images|+Selector",
            cells::replica_set,
        ),
        kind(
            "ReplicationController",
            "Name|Desired:integer|Current:integer|Ready:integer|Age|+Containers|+Images|+Selector",
            cells::replication_controller,
        ),
        kind(
            "StatefulSet",
            "Name|Ready|Age|+Containers|+Images",
            cells::stateful_set,
        ),
        kind(
            "DaemonSet",
            "Name|Desired:integer|Current:integer|Ready:integer|Up-to-date:integer|Available:integer|Node Selector|Age|+Containers|+Images|+Selector",
            cells::daemon_set,
        ),
        kind(
            "Job",
            "Name|Status|Completions|Duration|Age|+Containers|+Images|+Selector",
            cells::job,
        ),
        kind(
            "CronJob",
            "Name|Schedule|Timezone|Suspend:boolean|Active:integer|Last Schedule|Age|+Containers|+Images|+Selector",
            cells::cron_job,
        ),
        kind(
            "Service",
            "Name|Type|Cluster-IP|External-IP|Port(s)|Age|+Selector",
            cells::service,
        ),
        kind(
            "Ingress",
            "Name|Class|Hosts|Address|Ports|Age",
            cells::ingress,
        ),
        kind(
            "IngressClass",
            "Name|Controller|Parameters|Age",
            cells::ingress_class,
        ),
        kind("Endpoints", "Name|Endpoints|Age", cells::endpoints),
        kind(
            "EndpointSlice",
            "Name|AddressType|Ports|Endpoints|Age",
            cells::endpoint_slice,
        ),
        kind(
            "Node",
            "Name|Status|Roles|Age|Version|+Internal-IP|+External-IP|+OS-Image|+Kernel-Version|+Container-Runtime",
            cells::node,
        ),
        kind(
            "Event",
            "Last Seen|Type|Reason|Object|+Subobject|+Source|Message|+First Seen|+Count|+Name",
            cells::event,
        ),
        kind("Namespace", "Name|Status|Age", cells::namespace),
        kind("ConfigMap", "Name|Data|Age", cells::config_map),
        kind("Secret", "Name|Type|Data|Age", cells::secret),
        kind("ServiceAccount", "Name|Age", cells::named),
        kind("Lease", "Name|Holder|Age", cells::lease),
        kind(
            "PersistentVolume",
            "Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age|+VolumeMode",
            cells::volume,
        ),
        kind(
            "PersistentVolumeClaim",
            "Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|+VolumeMode",
            cells::volume_claim,
        ),
        kind(
            "StorageClass",
            "Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age",
            cells::storage_class,
        ),
        kind(
            "HorizontalPodAutoscaler",
            "Name|Reference|Targets|MinPods|MaxPods|Replicas|Age",
            cells::autoscaler,
        ),
        kind(
            "PodDisruptionBudget",
            "Name|Min Available|Max Unavailable|Allowed Disruptions:integer|Age",
            cells::disruption_budget,
        ),
        kind(
            "NetworkPolicy",
            "Name|Pod-Selector|Age",
            cells::network_policy,
        ),
        kind("ResourceQuota", "Name|Request|Limit|Age", cells::quota),
        kind("Role", "Name|Created At:date", cells::created_at),
        kind("ClusterRole", "Name|Created At:date", cells::created_at),
        kind(
            "RoleBinding",
            "Name|Role|Age|+Users|+Groups|+ServiceAccounts",
            cells::role_binding,
        ),
        kind(
            "ClusterRoleBinding",
            "Name|Role|Age|+Users|+Groups|+ServiceAccounts",
            cells::role_binding,
        ),
        kind(
            "PriorityClass",
            "Name|Value:integer|Global-Default:boolean|Age|PreemptionPolicy",
            cells::priority_class,
        ),
        kind(
            "MutatingWebhookConfiguration",
            "Name|Webhooks:integer|Age",
            cells::webhooks,
        ),
        kind(
            "ValidatingWebhookConfiguration",
            "Name|Webhooks:integer|Age",
            cells::webhooks,
        ),
        kind(
            "ValidatingAdmissionPolicy",
            "Name|Validations:integer|ParamKind|Age",
            cells::validating_policy,
        ),
        kind(
            "ValidatingAdmissionPolicyBinding",
            "Name|PolicyName|ParamRef|Age",
            cells::policy_binding,
        ),
        kind(
            "MutatingAdmissionPolicy",
            "Name|Mutations:integer|ParamKind|Age",
            cells::mutating_policy,
        ),
        kind(
            "MutatingAdmissionPolicyBinding",
            "Name|PolicyName|ParamRef|Age",
            cells::policy_binding,
        ),
        kind(
            "ControllerRevision",
            "Name|Controller|Revision|Age",
            cells::controller_revision,
        ),
        kind(
            "CertificateSigningRequest",
            "Name|Age|SignerName|Requestor|RequestedDuration|Condition",
            cells::signing_request,
        ),
        kind(
            "PodTemplate",
            "Name|+Containers|+Images|+Pod Labels",
            cells::pod_template,
        ),
        kind("RuntimeClass", "Name|Handler|Age", cells::runtime_class),
        kind(
            "VolumeAttachment",
            "Name|Attacher|PV|Node|Attached:boolean|Age",
            cells::volume_attachment,
        ),
    ]
});

impl Kind {
    /// The entries of `columnDefinitions`.
    pub(super) fn definitions(&self) -> Vec<Node> {
        let columns = self.columns.split('|').filter(|column| !column.is_empty());
        columns
            .map(|column| {
                let (column, priority) = match column.strip_prefix('+') {
                    Some(column) => (column, 1),
                    None => (column, 0),
                };
                let (name, kind) = column.split_once(':').unwrap_or((column, "string"));
                let format = if name == "Name" && priority == 0 {
                    "name"
                } else {
                    ""
                };
                definition(name, kind, format, description(name), priority)
            })
            .collect()
    }
}

/// What a column shows, in a few words.
pub(super) fn description(column: &str) -> &'static str {
    match column {
        "Name" => "Name of the object, unique among those of its kind in the namespace.",
        "Age" => "Time since the object was created.",
        "Created At" => "When the object was created.",
        "Ready" => "How many are ready to serve, and out of how many where both are shown.",
        "Status" => "State in one word.",
        "Restarts" => "How often containers were started again, and when that happened last.",
        "Up-to-date" => "How many follow the newest template.",
        "Available" => "How many have been ready for long enough.",
        "Desired" => "How many there should be.",
        "Current" => "How many there are.",
        "Containers" => "Names of the containers.",
        "Images" => "Images of the containers.",
        "Selector" | "Pod-Selector" => "Labels of the pods that belong to it.",
        "Node Selector" => "Labels a node needs.",
        "Completions" => "How many pods have succeeded, out of how many.",
        "Duration" => "From the start to the end, or until now.",
        "Schedule" => "When it runs, as cron writes it.",
        "Last Schedule" => "Time since it last ran.",
        "Cluster-IP" => "Address inside the cluster.",
        "External-IP" => "Address outside of the cluster.",
        "Port(s)" | "Ports" => "Ports that are open.",
        "Data" => "How many entries it holds.",
        "Targets" => "Measured and wished values.",
        "Message" => "What happened, for people.",
        _ => "See the field of this name with `kubectl explain`.",
    }
}
