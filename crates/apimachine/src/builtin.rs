//! The resources every cluster serves, and what their strategies do differently.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use object::{GroupVersionKind, Text};

use crate::types::{ResourceType, Scale, Subresource, qualified};

/// How the names of a kind are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// RFC 1123 subdomain.
    #[default]
    Subdomain,
    /// RFC 1123 label.
    Label,
    /// Anything that fits into one path segment.
    PathSegment,
}

/// What a kind does differently from others; the default is what a custom resource does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// `metadata.generation` counts changes of the wish.
    pub generation: bool,
    /// A PUT of an object that is not there creates it.
    pub create_on_update: bool,
    /// A PUT without resourceVersion overwrites.
    pub unconditional_update: bool,
    /// DELETE answers the object.
    pub delete_returns_object: bool,
    /// Dependents are left alone when the client does not say.
    pub orphans_by_default: bool,
    /// How names are checked.
    pub name: NameRule,
    /// Keys outside metadata whose change counts as a new generation.
    pub payload: &'static [&'static str],
}

/// One line per resource: group, version, plural, kind, scope (`n` or `c`), verbs, flags, short
/// names, category, subresources. A dash is nothing.
///
/// Verbs: `full`, `nodc` (no deletecollection), `create`, `read`. Flags: `g` generation,
/// `c` create on update, `n` needs a version to update, `d` delete returns the object, `o` orphans
/// by default, `l` label name, `p` path segment name.
///
/// # Source
/// kubernetes/kubernetes `pkg/registry/*/*/strategy.go` and `storage/storage.go`; the flags as a
/// v1.36 server shows them.
const TABLE: &str = "
- v1 bindings Binding n create - - - -
- v1 componentstatuses ComponentStatus c read - cs - -
- v1 configmaps ConfigMap n full - cm - -
- v1 endpoints Endpoints n full c ep - -
- v1 events Event n full c ev - -
- v1 limitranges LimitRange n full c limits - -
- v1 namespaces Namespace c nodc dl ns - finalize,status
- v1 nodes Node c full - no - proxy,status
- v1 persistentvolumeclaims PersistentVolumeClaim n full d pvc - status
- v1 persistentvolumes PersistentVolume c full d pv - status
- v1 pods Pod n full gd po all attach,binding,ephemeralcontainers,eviction,exec,log,portforward,proxy,resize,status
- v1 podtemplates PodTemplate n full gd - - -
- v1 replicationcontrollers ReplicationController n full go rc all scale,status
- v1 resourcequotas ResourceQuota n full d quota - status
- v1 secrets Secret n full - - - -
- v1 serviceaccounts ServiceAccount n full d sa - token
- v1 services Service n full cdl svc all proxy,status
admissionregistration.k8s.io v1 mutatingadmissionpolicies MutatingAdmissionPolicy c full gn - api-extensions -
admissionregistration.k8s.io v1 mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding c full gn - api-extensions -
admissionregistration.k8s.io v1 mutatingwebhookconfigurations MutatingWebhookConfiguration c full gn - api-extensions -
admissionregistration.k8s.io v1 validatingadmissionpolicies ValidatingAdmissionPolicy c full gn - api-extensions status
admissionregistration.k8s.io v1 validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding c full gn - api-extensions -
admissionregistration.k8s.io v1 validatingwebhookconfigurations ValidatingWebhookConfiguration c full gn - api-extensions -
apiextensions.k8s.io v1 customresourcedefinitions CustomResourceDefinition c full gn crd,crds api-extensions status
apps v1 controllerrevisions ControllerRevision n full - - - -
apps v1 daemonsets DaemonSet n full g ds all status
apps v1 deployments Deployment n full g deploy all scale,status
apps v1 replicasets ReplicaSet n full g rs all scale,status
apps v1 statefulsets StatefulSet n full g sts all scale,status
authentication.k8s.io v1 selfsubjectreviews SelfSubjectReview c create - - - -
authentication.k8s.io v1 tokenreviews TokenReview c create - - - -
authorization.k8s.io v1 localsubjectaccessreviews LocalSubjectAccessReview n create - - - -
authorization.k8s.io v1 selfsubjectaccessreviews SelfSubjectAccessReview c create - - - -
authorization.k8s.io v1 selfsubjectrulesreviews SelfSubjectRulesReview c create - - - -
authorization.k8s.io v1 subjectaccessreviews SubjectAccessReview c create - - - -
autoscaling v1 horizontalpodautoscalers HorizontalPodAutoscaler n full - hpa all status
autoscaling v2 horizontalpodautoscalers HorizontalPodAutoscaler n full - hpa all status
batch v1 cronjobs CronJob n full g cj all status
batch v1 jobs Job n full go - all status
certificates.k8s.io v1 certificatesigningrequests CertificateSigningRequest c full - csr - approval,status
coordination.k8s.io v1 leases Lease n full cn - - -
discovery.k8s.io v1 endpointslices EndpointSlice n full g - - -
events.k8s.io v1 events Event n full c ev - -
flowcontrol.apiserver.k8s.io v1 flowschemas FlowSchema c full g - - status
flowcontrol.apiserver.k8s.io v1 prioritylevelconfigurations PriorityLevelConfiguration c full g - - status
networking.k8s.io v1 ingressclasses IngressClass c full g - - -
networking.k8s.io v1 ingresses Ingress n full g ing - status
networking.k8s.io v1 ipaddresses IPAddress c full - ip - -
networking.k8s.io v1 networkpolicies NetworkPolicy n full g netpol - -
networking.k8s.io v1 servicecidrs ServiceCIDR c full - - - status
node.k8s.io v1 runtimeclasses RuntimeClass c full cn - - -
policy v1 poddisruptionbudgets PodDisruptionBudget n full gn pdb - status
rbac.authorization.k8s.io v1 clusterrolebindings ClusterRoleBinding c full cp - - -
rbac.authorization.k8s.io v1 clusterroles ClusterRole c full cp - - -
rbac.authorization.k8s.io v1 rolebindings RoleBinding n full cp - - -
rbac.authorization.k8s.io v1 roles Role n full cp - - -
resource.k8s.io v1 deviceclasses DeviceClass c full g - - -
resource.k8s.io v1 resourceclaims ResourceClaim n full - - - status
resource.k8s.io v1 resourceclaimtemplates ResourceClaimTemplate n full - - - -
resource.k8s.io v1 resourceslices ResourceSlice c full g - - -
scheduling.k8s.io v1 priorityclasses PriorityClass c full g pc - -
storage.k8s.io v1 csidrivers CSIDriver c full nd - - -
storage.k8s.io v1 csinodes CSINode c full nd - - -
storage.k8s.io v1 csistoragecapacities CSIStorageCapacity n full - - - -
storage.k8s.io v1 storageclasses StorageClass c full d sc - -
storage.k8s.io v1 volumeattachments VolumeAttachment c full nd - - status
storage.k8s.io v1 volumeattributesclasses VolumeAttributesClass c full - vac - -
";

/// Served resources by group, version and plural.
pub(crate) type Types = BTreeMap<(Text, Text, Text), Arc<ResourceType>>;

struct Table {
    types: Arc<Types>,
    traits: BTreeMap<Text, Traits>,
}

/// The built-in resources.
pub(crate) fn types() -> Arc<Types> {
    table().types.clone()
}

/// What the kind stored under this key does differently; custom resources are not in the table.
pub(crate) fn traits(storage: &str) -> Traits {
    const CUSTOM: Traits = Traits {
        generation: true,
        create_on_update: false,
        unconditional_update: false,
        delete_returns_object: false,
        orphans_by_default: false,
        name: NameRule::Subdomain,
        payload: &[],
    };
    table().traits.get(storage).copied().unwrap_or(CUSTOM)
}

fn table() -> &'static Table {
    static CELL: OnceLock<Table> = OnceLock::new();
    CELL.get_or_init(|| {
        let mut types = Types::new();
        let mut traits = BTreeMap::new();
        for line in TABLE.lines().filter(|line| !line.is_empty()) {
            let (resource, its) = parse(line).expect("every line of the table has ten columns");
            traits.insert(resource.storage.clone(), its);
            let key = (
                resource.group.clone(),
                resource.version.clone(),
                resource.plural.clone(),
            );
            types.insert(key, Arc::new(resource));
        }
        Table {
            types: Arc::new(types),
            traits,
        }
    })
}

fn parse(line: &str) -> Option<(ResourceType, Traits)> {
    let mut columns = line
        .split(' ')
        .map(|column| if column == "-" { "" } else { column });
    let (group, version) = (columns.next()?, columns.next()?);
    let (plural, kind) = (columns.next()?, columns.next()?);
    let namespaced = columns.next()? == "n";
    let (verbs, flags) = (columns.next()?, columns.next()?);
    let (short_names, categories) = (columns.next()?, columns.next()?);
    let subresources = columns.next()?;
    let texts = |list: &str| {
        list.split(',')
            .filter(|text| !text.is_empty())
            .map(Text::from)
            .collect::<Vec<_>>()
    };
    let flag = |flag| flags.contains(flag);
    let traits = Traits {
        generation: flag('g'),
        create_on_update: flag('c'),
        unconditional_update: !flag('n'),
        delete_returns_object: flag('d'),
        orphans_by_default: flag('o'),
        name: match (flag('l'), flag('p')) {
            (true, _) => NameRule::Label,
            (_, true) => NameRule::PathSegment,
            _ => NameRule::Subdomain,
        },
        payload: payload(kind),
    };
    let verbs: &[&str] = match verbs {
        "full" => &[
            "create",
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "update",
            "watch",
        ],
        "nodc" => &[
            "create", "delete", "get", "list", "patch", "update", "watch",
        ],
        "read" => &["get", "list"],
        _ => &["create"],
    };
    // Two groups may serve the same objects.
    let (storage, storage_version) = match (group, plural) {
        ("events.k8s.io", "events") => ("events".into(), "v1"),
        ("autoscaling", _) => (qualified(plural, group), "v2"),
        _ => (qualified(plural, group), version),
    };
    let scaled = subresources.split(',').any(|name| name == "scale");
    let resource = ResourceType {
        group: group.into(),
        version: version.into(),
        plural: plural.into(),
        singular: kind.to_ascii_lowercase().into(),
        kind: kind.into(),
        list_kind: format!("{kind}List").into(),
        namespaced,
        short_names: texts(short_names),
        categories: texts(categories),
        verbs: verbs.iter().copied().map(Text::from).collect(),
        subresources: texts(subresources).into_iter().map(subresource).collect(),
        storage,
        storage_version: storage_version.into(),
        scale: scaled.then(|| Scale {
            spec_replicas: ".spec.replicas".into(),
            status_replicas: ".status.replicas".into(),
            label_selector: Some(".spec.selector".into()),
        }),
        custom: None,
    };
    Some((resource, traits))
}

/// The keys whose change makes a new generation.
fn payload(kind: &str) -> &'static [&'static str] {
    match kind {
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => &["webhooks"],
        "EndpointSlice" => &["addressType", "endpoints", "ports"],
        "PriorityClass" => &["value", "globalDefault", "description", "preemptionPolicy"],
        "PodTemplate" => &["template"],
        _ => &["spec"],
    }
}

fn subresource(name: Text) -> Subresource {
    const ALL: &[&str] = &["create", "delete", "get", "patch", "update"];
    let (group, version, kind): (&str, &str, &str) = match name.as_str() {
        "scale" => ("autoscaling", "v1", "Scale"),
        "binding" => ("", "v1", "Binding"),
        "eviction" => ("policy", "v1", "Eviction"),
        "token" => ("authentication.k8s.io", "v1", "TokenRequest"),
        _ => ("", "", ""),
    };
    let verbs: &[&str] = match name.as_str() {
        "binding" | "eviction" | "token" => &["create"],
        "attach" | "exec" | "portforward" => &["create", "get"],
        "finalize" => &["update"],
        "log" => &["get"],
        "proxy" => ALL,
        _ => &["get", "patch", "update"],
    };
    Subresource {
        kind: (!kind.is_empty()).then(|| GroupVersionKind {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }),
        verbs: verbs.iter().copied().map(Text::from).collect(),
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_knows_scopes_verbs_and_subresources() {
        let types = types();
        let deployments = &types[&("apps".into(), "v1".into(), "deployments".into())];
        assert!(deployments.namespaced && deployments.has_status() && deployments.scale.is_some());
        assert_eq!(deployments.qualified(), "deployments.apps");
        assert!(traits("leases.coordination.k8s.io").create_on_update);
        assert!(!traits("widgets.example.com").unconditional_update);
        assert_eq!(
            types[&("events.k8s.io".into(), "v1".into(), "events".into())].storage,
            "events"
        );
    }
}
