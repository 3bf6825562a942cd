//! Namespaces on objects whose kind has none.

use diag::Code;
use object::FieldPath;

use super::{Collector, described, finding, is_or_are, some};
use crate::accumulate::Target;
use crate::resource::Item;
use crate::transform::Namespace;

const CODE: Code = Code("NamespaceOnClusterKind");

/// Well-known kinds without namespace that the reference's schema does not know, by group.
const CLUSTER_KINDS: &[(&str, &[&str])] = &[
    (
        "admissionregistration.k8s.io",
        &[
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
            "MutatingWebhookConfiguration",
        ],
    ),
    (
        "apiextensions.crossplane.io",
        &["CompositeResourceDefinition", "Composition"],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    (
        "argoproj.io",
        &["ClusterWorkflowTemplate", "ClusterAnalysisTemplate"],
    ),
    ("cert-manager.io", &["ClusterIssuer"]),
    ("certificates.k8s.io", &["ClusterTrustBundle"]),
    (
        "cilium.io",
        &[
            "CiliumClusterwideNetworkPolicy",
            "CiliumClusterwideEnvoyConfig",
            "CiliumLoadBalancerIPPool",
            "CiliumL2AnnouncementPolicy",
            "CiliumBGPPeeringPolicy",
            "CiliumBGPClusterConfig",
            "CiliumBGPAdvertisement",
            "CiliumBGPPeerConfig",
        ],
    ),
    ("cluster.open-cluster-management.io", &["ManagedCluster"]),
    (
        "config.openshift.io",
        &["ClusterVersion", "OAuth", "APIServer", "OperatorHub"],
    ),
    (
        "console.openshift.io",
        &["ConsoleLink", "ConsoleNotification", "ConsolePlugin"],
    ),
    (
        "external-secrets.io",
        &[
            "ClusterSecretStore",
            "ClusterExternalSecret",
            "ClusterPushSecret",
        ],
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        &["FlowSchema", "PriorityLevelConfiguration"],
    ),
    ("gateway.networking.k8s.io", &["GatewayClass"]),
    ("karpenter.k8s.aws", &["EC2NodeClass"]),
    ("karpenter.sh", &["NodePool", "NodeClaim"]),
    ("kyverno.io", &["ClusterPolicy", "ClusterCleanupPolicy"]),
    (
        "machineconfiguration.openshift.io",
        &["MachineConfig", "MachineConfigPool"],
    ),
    ("networking.k8s.io", &["IPAddress", "ServiceCIDR"]),
    ("pkg.crossplane.io", &["Provider", "Function"]),
    ("policy", &["PodSecurityPolicy"]),
    ("resource.k8s.io", &["DeviceClass", "ResourceSlice"]),
    ("security.openshift.io", &["SecurityContextConstraints"]),
    (
        "serving.kserve.io",
        &["ClusterServingRuntime", "ClusterStorageContainer"],
    ),
    (
        "snapshot.storage.k8s.io",
        &["VolumeSnapshotClass", "VolumeSnapshotContent"],
    ),
    ("tekton.dev", &["ClusterTask"]),
    ("templates.gatekeeper.sh", &["ConstraintTemplate"]),
    ("trust.cert-manager.io", &["Bundle"]),
];

/// Groups whose kinds all have no namespace.
const CLUSTER_GROUPS: &[&str] = &["constraints.gatekeeper.sh"];

/// Looks at the `namespace` field of a file.
pub(super) fn check(lint: &mut Collector, target: &Target, namespace: &Namespace, items: &[Item]) {
    let wrong: Vec<String> = items
        .iter()
        .filter(|item| !item.id.cluster_scoped && !item.history.helm_generated)
        .filter(|item| is_cluster_kind(&item.id.gvk.group, &item.id.gvk.kind))
        .map(described)
        .collect();
    let span = target.value_span(&FieldPath::keys(["namespace"]), &namespace.namespace);
    let found = (!wrong.is_empty()).then(|| {
        let message = format!(
            "namespace `{}` is set on objects whose kinds have no namespace",
            namespace.namespace
        );
        let mut found = finding(CODE, message, "also goes to cluster-wide objects");
        let verb = is_or_are(wrong.len());
        found
            .notes
            .push(format!("cluster-wide {verb} {}", some(&wrong)));
        found.with_help("Move these objects to a kustomization without `namespace`.")
    });
    lint.see(CODE, span, "", target.depends_on(), found);
}

fn is_cluster_kind(group: &str, kind: &str) -> bool {
    CLUSTER_GROUPS.contains(&group)
        || CLUSTER_KINDS
            .iter()
            .any(|(known, kinds)| *known == group && kinds.contains(&kind))
}
