//! Every resource the API server serves from the start, and how it is treated.

use super::types::{StructId, types};

/// A served resource.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// API version without group.
    pub version: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Plural, as it stands in paths.
    pub plural: &'static str,
    /// Short names.
    pub short_names: &'static [&'static str],
    /// Categories: `all`, `api-extensions`.
    pub categories: &'static [&'static str],
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Verbs in discovery, sorted.
    pub verbs: &'static [&'static str],
    /// Subresources, sorted by name.
    pub subresources: &'static [Subresource],
    /// Whether `metadata.generation` counts changes.
    pub has_generation: bool,
    /// Whether an update may leave out the resource version.
    pub unconditional_update: bool,
    /// Whether a PUT or an apply-less update of a missing object creates it.
    pub create_on_update: bool,
    /// Whether a delete answers with the object instead of a Status.
    pub delete_returns_object: bool,
    /// Field selectors beyond `metadata.name` and `metadata.namespace`.
    pub field_selectors: &'static [&'static str],
    /// What a name has to look like.
    pub name_rule: NameRule,
}

/// A subresource of a [`Kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subresource {
    /// `status`, `scale`, …
    pub name: &'static str,
    /// Group, version and kind of its body when they differ from the resource's.
    pub serves: Option<(&'static str, &'static str, &'static str)>,
    /// Verbs in discovery, sorted.
    pub verbs: &'static [&'static str],
}

/// What the name of an object has to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// Lowercase labels joined by dots, 253 characters.
    Subdomain,
    /// One lowercase label, 63 characters.
    Label,
    /// One lowercase label that says so when it holds dots (Service).
    ServiceLabel,
    /// Anything that can be one segment of a path.
    PathSegment,
    /// Free: what the kind itself refuses.
    Free,
}

/// An API group and how discovery orders it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Name; empty for the core group.
    pub name: &'static str,
    /// Higher comes first.
    pub priority: u32,
    /// Versions, the preferred one first.
    pub versions: &'static [&'static str],
}

const V1: &[&str] = &["v1"];

/// The groups in the order of discovery; groups of custom resources follow with
/// [`CUSTOM_GROUP_PRIORITY`].
///
/// # Source
/// kubernetes/kubernetes `cmd/kube-apiserver/app/aggregator.go` and
/// `pkg/controlplane/apiserver/aggregator.go` at v1.36.3.
pub const GROUPS: &[Group] = &[
    group("", 18_000, V1),
    group("apps", 17_800, V1),
    group("events.k8s.io", 17_750, V1),
    group("authentication.k8s.io", 17_700, V1),
    group("authorization.k8s.io", 17_600, V1),
    group("autoscaling", 17_500, &["v2", "v1"]),
    group("batch", 17_400, V1),
    group("certificates.k8s.io", 17_300, V1),
    group("networking.k8s.io", 17_200, V1),
    group("policy", 17_100, V1),
    group("rbac.authorization.k8s.io", 17_000, V1),
    group("storage.k8s.io", 16_800, V1),
    group("admissionregistration.k8s.io", 16_700, V1),
    group("apiextensions.k8s.io", 16_700, V1),
    group("scheduling.k8s.io", 16_600, V1),
    group("coordination.k8s.io", 16_500, V1),
    group("node.k8s.io", 16_300, V1),
    group("discovery.k8s.io", 16_200, V1),
    group("resource.k8s.io", 16_200, V1),
    group("flowcontrol.apiserver.k8s.io", 16_100, V1),
];

/// Priority of groups that only custom resources serve.
pub const CUSTOM_GROUP_PRIORITY: u32 = 1000;

const ALL_VERBS: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
const NO_COLLECTION: &[&str] = &[
    "create", "delete", "get", "list", "patch", "update", "watch",
];
const CREATE: &[&str] = &["create"];
const GET_LIST: &[&str] = &["get", "list"];
const GET_PATCH_UPDATE: &[&str] = &["get", "patch", "update"];
const PROXY: &[&str] = &["create", "delete", "get", "patch", "update"];
const CREATE_GET: &[&str] = &["create", "get"];
const ALL: &[&str] = &["all"];
const EXTENSIONS: &[&str] = &["api-extensions"];

const STATUS: &[Subresource] = &[sub("status", GET_PATCH_UPDATE)];
const SCALE_STATUS: &[Subresource] = &[
    sub("scale", GET_PATCH_UPDATE).serving("autoscaling", "v1", "Scale"),
    sub("status", GET_PATCH_UPDATE),
];
const POD_SUBRESOURCES: &[Subresource] = &[
    sub("attach", CREATE_GET).serving("", "", "PodAttachOptions"),
    sub("binding", CREATE).serving("", "", "Binding"),
    sub("ephemeralcontainers", GET_PATCH_UPDATE),
    sub("eviction", CREATE).serving("policy", "v1", "Eviction"),
    sub("exec", CREATE_GET).serving("", "", "PodExecOptions"),
    sub("log", &["get"]),
    sub("portforward", CREATE_GET).serving("", "", "PodPortForwardOptions"),
    sub("proxy", PROXY).serving("", "", "PodProxyOptions"),
    sub("resize", GET_PATCH_UPDATE),
    sub("status", GET_PATCH_UPDATE),
];

#[rustfmt::skip]
const EVENT_SELECTORS: &[&str] = &[
    "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
    "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
    "reason", "reportingComponent", "source", "type",
];
#[rustfmt::skip]
const EVENTS_K8S_IO_SELECTORS: &[&str] = &[
    "regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid",
    "regarding.apiVersion", "regarding.resourceVersion", "regarding.fieldPath",
    "reason", "reportingController", "source", "type",
];
const POD_SELECTORS: &[&str] = &[
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
];

/// All served resources, by group in the order of [`GROUPS`], then by plural.
///
/// # Source
/// kubernetes/kubernetes `api/discovery/` and the strategies below `pkg/registry` at v1.36.3.
#[rustfmt::skip]
const KINDS: &[Kind] = &[
    core("bindings", "Binding").verbs(CREATE),
    core("componentstatuses", "ComponentStatus").cluster().verbs(GET_LIST).short(&["cs"]),
    core("configmaps", "ConfigMap").short(&["cm"]),
    core("endpoints", "Endpoints").short(&["ep"]).create_on_update(),
    core("events", "Event").short(&["ev"]).create_on_update().select(EVENT_SELECTORS),
    core("limitranges", "LimitRange").short(&["limits"]).create_on_update(),
    core("namespaces", "Namespace").cluster().short(&["ns"]).verbs(NO_COLLECTION).returned()
        .name(NameRule::Label).select(&["status.phase"]).subresources(&[
            sub("finalize", &["update"]),
            sub("status", GET_PATCH_UPDATE),
        ]),
    core("nodes", "Node").cluster().short(&["no"]).select(&["spec.unschedulable"]).subresources(&[
        sub("proxy", PROXY).serving("", "", "NodeProxyOptions"),
        sub("status", GET_PATCH_UPDATE),
    ]),
    core("persistentvolumeclaims", "PersistentVolumeClaim").short(&["pvc"]).status().returned(),
    core("persistentvolumes", "PersistentVolume").cluster().short(&["pv"]).status().returned(),
    core("pods", "Pod").short(&["po"]).categories(ALL).generation().returned()
        .select(POD_SELECTORS).subresources(POD_SUBRESOURCES),
    core("podtemplates", "PodTemplate").generation().returned(),
    core("replicationcontrollers", "ReplicationController").short(&["rc"]).categories(ALL)
        .generation().scale().select(&["status.replicas"]),
    core("resourcequotas", "ResourceQuota").short(&["quota"]).status().returned(),
    core("secrets", "Secret").select(&["type"]),
    core("serviceaccounts", "ServiceAccount").short(&["sa"]).returned().subresources(&[
        sub("token", CREATE).serving("authentication.k8s.io", "v1", "TokenRequest"),
    ]),
    core("services", "Service").short(&["svc"]).categories(ALL).create_on_update().returned()
        .name(NameRule::ServiceLabel).select(&["spec.clusterIP", "spec.type"]).subresources(&[
            sub("proxy", PROXY).serving("", "", "ServiceProxyOptions"),
            sub("status", GET_PATCH_UPDATE),
        ]),

    kind("apps", "controllerrevisions", "ControllerRevision"),
    kind("apps", "daemonsets", "DaemonSet").short(&["ds"]).categories(ALL).generation().status(),
    kind("apps", "deployments", "Deployment").short(&["deploy"]).categories(ALL).generation().scale(),
    kind("apps", "replicasets", "ReplicaSet").short(&["rs"]).categories(ALL).generation().scale(),
    kind("apps", "statefulsets", "StatefulSet").short(&["sts"]).categories(ALL).generation().scale(),

    kind("events.k8s.io", "events", "Event").short(&["ev"]).create_on_update()
        .select(EVENTS_K8S_IO_SELECTORS),

    kind("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview").cluster().verbs(CREATE).name(NameRule::Free),
    kind("authentication.k8s.io", "tokenreviews", "TokenReview").cluster().verbs(CREATE).name(NameRule::Free),

    kind("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview").verbs(CREATE).name(NameRule::Free),
    kind("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview").cluster().verbs(CREATE).name(NameRule::Free),
    kind("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview").cluster().verbs(CREATE).name(NameRule::Free),
    kind("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview").cluster().verbs(CREATE).name(NameRule::Free),

    kind("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler").version("v2")
        .short(&["hpa"]).categories(ALL).status(),
    kind("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
        .short(&["hpa"]).categories(ALL).status(),

    kind("batch", "cronjobs", "CronJob").short(&["cj"]).categories(ALL).generation().status(),
    kind("batch", "jobs", "Job").categories(ALL).generation().status().select(&["status.successful"]),

    kind("certificates.k8s.io", "certificatesigningrequests", "CertificateSigningRequest").cluster()
        .short(&["csr"]).select(&["spec.signerName"]).subresources(&[
            sub("approval", GET_PATCH_UPDATE),
            sub("status", GET_PATCH_UPDATE),
        ]),

    kind("networking.k8s.io", "ingressclasses", "IngressClass").cluster().generation(),
    kind("networking.k8s.io", "ingresses", "Ingress").short(&["ing"]).generation().status(),
    kind("networking.k8s.io", "ipaddresses", "IPAddress").cluster().short(&["ip"])
        .select(&["spec.parentRef.resource", "spec.parentRef.namespace", "spec.parentRef.name", "spec.parentRef.group"]),
    kind("networking.k8s.io", "networkpolicies", "NetworkPolicy").short(&["netpol"]).generation(),
    kind("networking.k8s.io", "servicecidrs", "ServiceCIDR").cluster().status(),

    kind("policy", "poddisruptionbudgets", "PodDisruptionBudget").short(&["pdb"]).generation()
        .status().conditional(),

    kind("rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding").cluster()
        .create_on_update().name(NameRule::PathSegment),
    kind("rbac.authorization.k8s.io", "clusterroles", "ClusterRole").cluster()
        .create_on_update().name(NameRule::PathSegment),
    kind("rbac.authorization.k8s.io", "rolebindings", "RoleBinding")
        .create_on_update().name(NameRule::PathSegment),
    kind("rbac.authorization.k8s.io", "roles", "Role")
        .create_on_update().name(NameRule::PathSegment),

    kind("storage.k8s.io", "csidrivers", "CSIDriver").cluster().conditional().returned(),
    kind("storage.k8s.io", "csinodes", "CSINode").cluster().conditional().returned(),
    kind("storage.k8s.io", "csistoragecapacities", "CSIStorageCapacity").conditional(),
    kind("storage.k8s.io", "storageclasses", "StorageClass").cluster().short(&["sc"]).returned(),
    kind("storage.k8s.io", "volumeattachments", "VolumeAttachment").cluster().status()
        .conditional().returned(),
    kind("storage.k8s.io", "volumeattributesclasses", "VolumeAttributesClass").cluster()
        .short(&["vac"]).returned(),

    kind("admissionregistration.k8s.io", "mutatingadmissionpolicies", "MutatingAdmissionPolicy")
        .extension(),
    kind("admissionregistration.k8s.io", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding")
        .extension(),
    kind("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration")
        .extension(),
    kind("admissionregistration.k8s.io", "validatingadmissionpolicies", "ValidatingAdmissionPolicy")
        .extension().status(),
    kind("admissionregistration.k8s.io", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding")
        .extension(),
    kind("admissionregistration.k8s.io", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration")
        .extension(),

    kind("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition")
        .extension().short(&["crd", "crds"]).status(),

    kind("scheduling.k8s.io", "priorityclasses", "PriorityClass").cluster().short(&["pc"]).generation(),

    kind("coordination.k8s.io", "leases", "Lease").create_on_update().conditional(),

    kind("node.k8s.io", "runtimeclasses", "RuntimeClass").cluster().create_on_update().conditional(),

    kind("discovery.k8s.io", "endpointslices", "EndpointSlice").generation(),

    kind("resource.k8s.io", "deviceclasses", "DeviceClass").cluster().generation().returned(),
    kind("resource.k8s.io", "resourceclaims", "ResourceClaim").status().returned(),
    kind("resource.k8s.io", "resourceclaimtemplates", "ResourceClaimTemplate").returned(),
    kind("resource.k8s.io", "resourceslices", "ResourceSlice").cluster().generation().returned()
        .select(&["spec.nodeName", "spec.driver"]),

    kind("flowcontrol.apiserver.k8s.io", "flowschemas", "FlowSchema").cluster().generation().status(),
    kind("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", "PriorityLevelConfiguration")
        .cluster().generation().status(),
];

/// All served resources.
pub fn kinds() -> &'static [Kind] {
    KINDS
}

/// The resource `plural` of a group and version.
pub fn lookup(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS
        .iter()
        .find(|kind| kind.plural == plural && kind.group == group && kind.version == version)
}

/// The resource whose objects have this group, version and kind.
pub fn by_kind(group: &str, version: &str, kind: &str) -> Option<&'static Kind> {
    KINDS
        .iter()
        .find(|known| known.kind == kind && known.group == group && known.version == version)
}

/// The struct of any kind the server decodes, also of bodies that are no resource of their own:
/// Scale, Eviction, TokenRequest, DeleteOptions.
pub fn type_of(api_version: &str, kind: &str) -> Option<StructId> {
    let found = types().of_kind(api_version, kind);
    // Delete options are registered with every group.
    found.or_else(|| match kind == "DeleteOptions" {
        true => types().of_kind("v1", kind),
        false => None,
    })
}

impl Kind {
    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// Singular: the kind in lowercase, for every built-in kind.
    pub fn singular(&self) -> String {
        self.kind.to_ascii_lowercase()
    }

    /// Kind of its lists.
    pub fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }

    /// The struct of its objects.
    pub fn struct_id(&self) -> StructId {
        let id = type_of(&self.api_version(), self.kind);
        id.expect("the type table holds every served kind, see the test below")
    }

    /// The subresource `name`.
    pub fn subresource(&self, name: &str) -> Option<&'static Subresource> {
        self.subresources.iter().find(|sub| sub.name == name)
    }

    /// Whether `status` is written through an endpoint of its own.
    pub fn has_status(&self) -> bool {
        self.subresource("status").is_some()
    }

    const fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    const fn cluster(mut self) -> Self {
        self.namespaced = false;
        self
    }

    const fn short(mut self, names: &'static [&'static str]) -> Self {
        self.short_names = names;
        self
    }

    const fn categories(mut self, categories: &'static [&'static str]) -> Self {
        self.categories = categories;
        self
    }

    const fn verbs(mut self, verbs: &'static [&'static str]) -> Self {
        self.verbs = verbs;
        self
    }

    const fn generation(mut self) -> Self {
        self.has_generation = true;
        self
    }

    const fn subresources(mut self, subresources: &'static [Subresource]) -> Self {
        self.subresources = subresources;
        self
    }

    const fn status(self) -> Self {
        self.subresources(STATUS)
    }

    const fn scale(self) -> Self {
        self.subresources(SCALE_STATUS)
    }

    const fn create_on_update(mut self) -> Self {
        self.create_on_update = true;
        self
    }

    const fn conditional(mut self) -> Self {
        self.unconditional_update = false;
        self
    }

    const fn returned(mut self) -> Self {
        self.delete_returns_object = true;
        self
    }

    const fn select(mut self, fields: &'static [&'static str]) -> Self {
        self.field_selectors = fields;
        self
    }

    const fn name(mut self, rule: NameRule) -> Self {
        self.name_rule = rule;
        self
    }

    /// Cluster-scoped, in the category of extensions, with a generation and conditional updates.
    const fn extension(self) -> Self {
        self.cluster()
            .categories(EXTENSIONS)
            .generation()
            .conditional()
    }
}

impl Subresource {
    const fn serving(
        mut self,
        group: &'static str,
        version: &'static str,
        kind: &'static str,
    ) -> Self {
        self.serves = Some((group, version, kind));
        self
    }
}

const fn group(name: &'static str, priority: u32, versions: &'static [&'static str]) -> Group {
    Group {
        name,
        priority,
        versions,
    }
}

const fn sub(name: &'static str, verbs: &'static [&'static str]) -> Subresource {
    Subresource {
        name,
        serves: None,
        verbs,
    }
}

const fn core(plural: &'static str, name: &'static str) -> Kind {
    kind("", plural, name)
}

/// A namespaced resource of version `v1` with all verbs and nothing special.
const fn kind(group: &'static str, plural: &'static str, kind: &'static str) -> Kind {
    Kind {
        group,
        version: "v1",
        kind,
        plural,
        short_names: &[],
        categories: &[],
        namespaced: true,
        verbs: ALL_VERBS,
        subresources: &[],
        has_generation: false,
        unconditional_update: true,
        create_on_update: false,
        delete_returns_object: false,
        field_selectors: &[],
        name_rule: NameRule::Subdomain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_type_and_a_group_and_stands_in_order() {
        let mut last = (0, "");
        for kind in kinds() {
            let _ = kind.struct_id();
            let at = GROUPS.iter().position(|group| group.name == kind.group);
            let at = at.unwrap_or_else(|| panic!("{} has no group", kind.kind));
            assert!(GROUPS[at].versions.contains(&kind.version));
            assert!(last <= (at, kind.plural), "{} is out of order", kind.plural);
            last = (at, kind.plural);
            assert!(kind.verbs.is_sorted());
            assert!(kind.subresources.is_sorted_by_key(|sub| sub.name));
        }
    }

    #[test]
    fn lookups_find_a_resource_from_both_sides() {
        let deployments = lookup("apps", "v1", "deployments").expect("served");
        assert!(deployments.has_status() && deployments.subresource("scale").is_some());
        assert_eq!(
            by_kind("apps", "v1", "Deployment").map(|kind| kind.plural),
            Some("deployments")
        );
        assert!(lookup("apps", "v1beta1", "deployments").is_none());
        assert!(type_of("apps/v1", "DeleteOptions").is_some());
    }
}
