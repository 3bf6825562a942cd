//! Which fields the transformers work on: the defaults, and what a build adds to them.
//!
//! # Source
//! The facts are kubernetes-sigs/kustomize `api/internal/konfig/builtinpluginconsts`; merging is
//! `api/internal/plugins/builtinconfig/transformerconfig.go`.

use std::sync::{Arc, OnceLock};

use crate::fieldspec::{self, FieldSpec};
use crate::ids::Gvk;

/// The fields of every transformer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub name_prefix: Vec<FieldSpec>,
    pub name_suffix: Vec<FieldSpec>,
    pub namespace: Vec<FieldSpec>,
    pub common_labels: Vec<FieldSpec>,
    pub labels: Vec<FieldSpec>,
    pub template_labels: Vec<FieldSpec>,
    pub common_annotations: Vec<FieldSpec>,
    pub name_reference: Vec<NameReference>,
    pub var_reference: Vec<FieldSpec>,
    pub images: Vec<FieldSpec>,
    pub replicas: Vec<FieldSpec>,
    /// Nothing was added to the defaults.
    pub is_default: bool,
}

/// The fields that hold names of objects of one kind.
#[derive(Clone, Debug)]
pub(crate) struct NameReference {
    pub target: Gvk,
    pub referrers: Vec<FieldSpec>,
}

impl Config {
    /// Adds everything of `other`, in the order of kinds.
    ///
    /// # Errors
    /// When the two disagree about a field, in the reference's words.
    pub fn merge(&mut self, other: &Self) -> Result<(), String> {
        let lists = [
            (&mut self.name_prefix, &other.name_prefix, "NamePrefix"),
            (&mut self.name_suffix, &other.name_suffix, "NameSuffix"),
            (&mut self.namespace, &other.namespace, "NameSpace"),
            (
                &mut self.common_annotations,
                &other.common_annotations,
                "CommonAnnotations",
            ),
            (
                &mut self.common_labels,
                &other.common_labels,
                "CommonLabels",
            ),
            (&mut self.labels, &other.labels, "Labels"),
            (
                &mut self.template_labels,
                &other.template_labels,
                "TemplateLabels",
            ),
            (
                &mut self.var_reference,
                &other.var_reference,
                "VarReference",
            ),
            (&mut self.images, &other.images, "Images"),
            (&mut self.replicas, &other.replicas, "Replicas"),
        ];
        for (own, incoming, name) in lists {
            fieldspec::merge_all(own, incoming)
                .map_err(|error| format!("failed to merge {name} fieldSpec: {error}"))?;
            own.sort_by(|a, b| a.gvk.compare(&b.gvk));
        }
        for reference in &other.name_reference {
            self.add_name_reference(reference)
                .map_err(|error| format!("failed to merge NameReference fieldSpec: {error}"))?;
        }
        self.name_reference
            .sort_by(|a, b| a.target.compare(&b.target));
        Ok(())
    }

    /// Adds the referrers of one target.
    ///
    /// # Errors
    /// As [`Config::merge`].
    pub fn add_name_reference(&mut self, reference: &NameReference) -> Result<(), String> {
        let mut found = false;
        for known in &mut self.name_reference {
            if known.target == reference.target {
                fieldspec::merge_all(&mut known.referrers, &reference.referrers)?;
                found = true;
            }
        }
        if !found {
            self.name_reference.push(reference.clone());
        }
        Ok(())
    }

    /// The fields that every build starts with.
    pub fn defaults() -> &'static Arc<Self> {
        static DEFAULTS: OnceLock<Arc<Config>> = OnceLock::new();
        DEFAULTS.get_or_init(|| Arc::new(defaults()))
    }
}

/// A spec from `group|version|Kind path`; an empty first word selects everything.
fn spec(select: &str, path: &str, create: bool) -> FieldSpec {
    FieldSpec::new(gvk(select), path, create)
}

fn gvk(select: &str) -> Gvk {
    let mut parts = select.split('|').rev();
    let mut next = || parts.next().unwrap_or_default().into();
    let kind = next();
    let version = next();
    let group = next();
    Gvk {
        group,
        version,
        kind,
    }
}

fn defaults() -> Config {
    let mut config = Config {
        name_prefix: vec![spec("", "metadata/name", false)],
        name_suffix: vec![spec("", "metadata/name", false)],
        namespace: vec![
            spec("Namespace", "metadata/name", true),
            spec(
                "apiregistration.k8s.io||APIService",
                "spec/service/namespace",
                true,
            ),
            spec(
                "apiextensions.k8s.io||CustomResourceDefinition",
                "spec/conversion/webhook/clientConfig/service/namespace",
                false,
            ),
        ],
        common_labels: common_labels(),
        labels: Vec::new(),
        template_labels: template_fields("labels", true),
        common_annotations: template_fields("annotations", false),
        name_reference: name_references(),
        var_reference: var_references(),
        images: images(),
        replicas: [
            "Deployment",
            "ReplicationController",
            "ReplicaSet",
            "StatefulSet",
        ]
        .iter()
        .map(|kind| spec(kind, "spec/replicas", true))
        .collect(),
        is_default: true,
    };
    config
        .merge(&Config::default())
        .expect("an empty configuration conflicts with nothing");
    config
}

const TEMPLATED: [&str; 5] = [
    "|v1|ReplicationController",
    "Deployment",
    "ReplicaSet",
    "DaemonSet",
    "apps||StatefulSet",
];

/// `metadata/FIELD` of everything and of every pod template.
fn template_fields(field: &str, labels: bool) -> Vec<FieldSpec> {
    let mut specs = vec![spec("", &format!("metadata/{field}"), true)];
    for select in TEMPLATED {
        let select = if labels {
            select
        } else {
            select.trim_start_matches("apps||")
        };
        specs.push(spec(
            select,
            &format!("spec/template/metadata/{field}"),
            true,
        ));
    }
    if labels {
        specs.push(spec(
            "apps||StatefulSet",
            "spec/volumeClaimTemplates[]/metadata/labels",
            true,
        ));
    }
    specs.push(spec(
        "batch||Job",
        &format!("spec/template/metadata/{field}"),
        true,
    ));
    specs.push(spec(
        "batch||CronJob",
        &format!("spec/jobTemplate/metadata/{field}"),
        true,
    ));
    specs.push(spec(
        "batch||CronJob",
        &format!("spec/jobTemplate/spec/template/metadata/{field}"),
        true,
    ));
    specs
}

fn common_labels() -> Vec<FieldSpec> {
    let mut specs = template_fields("labels", true);
    specs.push(spec("|v1|Service", "spec/selector", true));
    specs.push(spec("|v1|ReplicationController", "spec/selector", true));
    for select in ["Deployment", "ReplicaSet", "DaemonSet", "apps||StatefulSet"] {
        specs.push(spec(select, "spec/selector/matchLabels", true));
    }
    for (select, path) in [
        ("batch||Job", "spec/selector/matchLabels"),
        (
            "batch||CronJob",
            "spec/jobTemplate/spec/selector/matchLabels",
        ),
        ("policy||PodDisruptionBudget", "spec/selector/matchLabels"),
        (
            "networking.k8s.io||NetworkPolicy",
            "spec/podSelector/matchLabels",
        ),
        (
            "networking.k8s.io||NetworkPolicy",
            "spec/ingress/from/podSelector/matchLabels",
        ),
        (
            "networking.k8s.io||NetworkPolicy",
            "spec/egress/to/podSelector/matchLabels",
        ),
    ] {
        specs.push(spec(select, path, false));
    }
    for select in ["apps||Deployment", "apps||StatefulSet"] {
        for affinity in ["podAffinity", "podAntiAffinity"] {
            for term in [
                "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
                "requiredDuringSchedulingIgnoredDuringExecution",
            ] {
                let path = format!(
                    "spec/template/spec/affinity/{affinity}/{term}/labelSelector/matchLabels"
                );
                specs.push(spec(select, &path, false));
            }
        }
        let path = "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels";
        specs.push(spec(select, path, false));
    }
    specs
}

fn images() -> Vec<FieldSpec> {
    let mut specs = Vec::new();
    for root in ["spec", "spec/template/spec"] {
        for field in [
            "containers[]/image",
            "initContainers[]/image",
            "volumes[]/image/reference",
        ] {
            specs.push(spec("", &format!("{root}/{field}"), true));
        }
    }
    specs
}

/// Workloads and the path to their pod's spec.
const POD_SPECS: [(&str, &str); 8] = [
    ("|v1|Pod", "spec"),
    ("PodTemplate", "template/spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicaSet", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
];

/// Workloads whose pods' service account, claims and priority class are references.
const ACCOUNT_USERS: [(&str, &str); 7] = [
    ("Pod", "spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicationController", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
];

fn name_references() -> Vec<NameReference> {
    let mut references: Vec<NameReference> = Vec::new();
    let mut add = |target: &str, referrers: Vec<(String, String)>| {
        references.push(NameReference {
            target: gvk(target),
            referrers: referrers
                .iter()
                .map(|(select, path)| spec(select, path, false))
                .collect(),
        });
    };
    let plain = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
        fields
            .iter()
            .map(|(select, path)| ((*select).into(), (*path).into()))
            .collect()
    };
    let pods = |roots: &[(&str, &str)], fields: &[&str]| -> Vec<(String, String)> {
        roots
            .iter()
            .flat_map(|(select, root)| {
                fields
                    .iter()
                    .map(move |field| ((*select).into(), format!("{root}/{field}")))
            })
            .collect()
    };
    for target in [
        "Deployment",
        "ReplicationController",
        "ReplicaSet",
        "StatefulSet",
    ] {
        add(
            target,
            plain(&[("HorizontalPodAutoscaler", "spec/scaleTargetRef/name")]),
        );
    }
    let mut config_maps = pods(
        &POD_SPECS,
        &[
            "volumes/configMap/name",
            "volumes/projected/sources/configMap/name",
            "containers/env/valueFrom/configMapKeyRef/name",
            "initContainers/env/valueFrom/configMapKeyRef/name",
            "containers/envFrom/configMapRef/name",
            "initContainers/envFrom/configMapRef/name",
        ],
    );
    config_maps.extend(plain(&[
        ("Node", "spec/configSource/configMap"),
        ("Role", "rules/resourceNames"),
        ("ClusterRole", "rules/resourceNames"),
        (
            "Ingress",
            r"metadata/annotations/nginx.ingress.kubernetes.io\/fastcgi-params-configmap",
        ),
    ]));
    add("|v1|ConfigMap", config_maps);
    let mut secrets = pods(
        &POD_SPECS,
        &[
            "volumes/secret/secretName",
            "volumes/projected/sources/secret/name",
            "containers/env/valueFrom/secretKeyRef/name",
            "initContainers/env/valueFrom/secretKeyRef/name",
            "containers/envFrom/secretRef/name",
            "initContainers/envFrom/secretRef/name",
            "imagePullSecrets/name",
        ],
    );
    secrets.extend(plain(&[
        ("Ingress", "spec/tls/secretName"),
        (
            "Ingress",
            r"metadata/annotations/ingress.kubernetes.io\/auth-secret",
        ),
        (
            "Ingress",
            r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-secret",
        ),
        (
            "Ingress",
            r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-tls-secret",
        ),
        ("ServiceAccount", "imagePullSecrets/name"),
        ("StorageClass", "parameters/secretName"),
        ("StorageClass", "parameters/adminSecretName"),
        ("StorageClass", "parameters/userSecretName"),
        ("StorageClass", "parameters/secretRef"),
        ("Role", "rules/resourceNames"),
        ("ClusterRole", "rules/resourceNames"),
        (
            "serving.knative.dev|v1|Service",
            "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
        ),
        ("PersistentVolume", "spec/azureFile/secretName"),
    ]));
    add("|v1|Secret", secrets);
    add(
        "|v1|Service",
        plain(&[
            ("apps||StatefulSet", "spec/serviceName"),
            ("Ingress", "spec/rules/http/paths/backend/serviceName"),
            ("Ingress", "spec/backend/serviceName"),
            ("Ingress", "spec/rules/http/paths/backend/service/name"),
            ("Ingress", "spec/defaultBackend/service/name"),
            ("apiregistration.k8s.io||APIService", "spec/service/name"),
            (
                "admissionregistration.k8s.io||ValidatingWebhookConfiguration",
                "webhooks/clientConfig/service",
            ),
            (
                "admissionregistration.k8s.io||MutatingWebhookConfiguration",
                "webhooks/clientConfig/service",
            ),
        ]),
    );
    add(
        "rbac.authorization.k8s.io||Role",
        plain(&[("rbac.authorization.k8s.io||RoleBinding", "roleRef/name")]),
    );
    add(
        "rbac.authorization.k8s.io||ClusterRole",
        plain(&[
            ("rbac.authorization.k8s.io||RoleBinding", "roleRef/name"),
            (
                "rbac.authorization.k8s.io||ClusterRoleBinding",
                "roleRef/name",
            ),
        ]),
    );
    let mut accounts = plain(&[
        ("rbac.authorization.k8s.io||RoleBinding", "subjects"),
        ("rbac.authorization.k8s.io||ClusterRoleBinding", "subjects"),
    ]);
    accounts.extend(pods(&ACCOUNT_USERS, &["serviceAccountName"]));
    add("|v1|ServiceAccount", accounts);
    add(
        "|v1|PersistentVolumeClaim",
        pods(&ACCOUNT_USERS, &["volumes/persistentVolumeClaim/claimName"]),
    );
    add(
        "|v1|PersistentVolume",
        plain(&[
            ("PersistentVolumeClaim", "spec/volumeName"),
            ("ClusterRole", "rules/resourceNames"),
        ]),
    );
    add(
        "storage.k8s.io|v1|StorageClass",
        plain(&[
            ("PersistentVolume", "spec/storageClassName"),
            ("PersistentVolumeClaim", "spec/storageClassName"),
            (
                "StatefulSet",
                "spec/volumeClaimTemplates/spec/storageClassName",
            ),
        ]),
    );
    add(
        "scheduling.k8s.io|v1|PriorityClass",
        pods(&ACCOUNT_USERS, &["priorityClassName"]),
    );
    // The reference writes the group with its version, so this never selects anything.
    add(
        "networking.k8s.io/v1|v1|IngressClass",
        plain(&[("Ingress", "spec/ingressClassName")]),
    );
    add(
        "admissionregistration.k8s.io||ValidatingAdmissionPolicy",
        plain(&[(
            "admissionregistration.k8s.io||ValidatingAdmissionPolicyBinding",
            "spec/policyName",
        )]),
    );
    references
}

fn var_references() -> Vec<FieldSpec> {
    let mut specs = Vec::new();
    let roots = [
        ("CronJob", "spec/jobTemplate/spec/template/spec"),
        ("DaemonSet", "spec/template/spec"),
        ("Deployment", "spec/template/spec"),
        ("Job", "spec/template/spec"),
        ("Pod", "spec"),
        ("ReplicaSet", "spec/template/spec"),
        ("StatefulSet", "spec/template/spec"),
    ];
    for (kind, root) in roots {
        for containers in ["containers", "initContainers"] {
            for field in ["args", "command", "env/value", "volumeMounts/mountPath"] {
                specs.push(spec(kind, &format!("{root}/{containers}/{field}"), false));
            }
        }
        let server = match kind {
            "CronJob" => "spec/jobTemplate/spec/template/volumes/nfs/server".to_owned(),
            "StatefulSet" => "spec/volumeClaimTemplates/spec/nfs/server".to_owned(),
            _ => format!("{root}/volumes/nfs/server"),
        };
        specs.push(spec(kind, &server, false));
    }
    for (kind, path) in [
        ("Deployment", "spec/template/metadata/annotations"),
        ("Ingress", "spec/rules/host"),
        ("Ingress", "spec/tls/hosts"),
        ("Ingress", "spec/tls/secretName"),
        ("Service", "spec/ports/port"),
        ("Service", "spec/ports/targetPort"),
        ("PersistentVolume", "spec/nfs/server"),
        ("", "metadata/labels"),
        ("", "metadata/annotations"),
    ] {
        specs.push(spec(kind, path, false));
    }
    specs
}
