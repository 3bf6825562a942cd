//! Objects of all kinds that kustomize knows something about, which refer to each other by name.

use super::maker::{Made, Maker, Odd};
use super::value::{Step, Value, list, map};
use super::words;

/// Kinds with how often they are made.
const KINDS: &[(&str, usize)] = &[
    ("ConfigMap", 14),
    ("Deployment", 14),
    ("Service", 8),
    ("Secret", 6),
    ("StatefulSet", 4),
    ("DaemonSet", 2),
    ("Job", 2),
    ("CronJob", 3),
    ("Pod", 3),
    ("ReplicaSet", 1),
    ("ReplicationController", 1),
    ("PodTemplate", 1),
    ("Ingress", 3),
    ("OldIngress", 2),
    ("IngressClass", 1),
    ("HorizontalPodAutoscaler", 2),
    ("OldHorizontalPodAutoscaler", 1),
    ("Role", 2),
    ("ClusterRole", 2),
    ("RoleBinding", 3),
    ("ClusterRoleBinding", 2),
    ("ServiceAccount", 4),
    ("PersistentVolume", 2),
    ("PersistentVolumeClaim", 2),
    ("StorageClass", 2),
    ("CustomResourceDefinition", 2),
    ("Custom", 6),
    ("Namespace", 3),
    ("ValidatingWebhookConfiguration", 1),
    ("MutatingWebhookConfiguration", 1),
    ("APIService", 1),
    ("PriorityClass", 1),
    ("NetworkPolicy", 2),
    ("PodDisruptionBudget", 2),
    ("ValidatingAdmissionPolicy", 1),
    ("ValidatingAdmissionPolicyBinding", 1),
    ("LimitRange", 1),
    ("ResourceQuota", 1),
    ("Endpoints", 1),
    ("Node", 1),
    ("KnativeService", 1),
    ("ClusterKind", 1),
];

/// One object, of an id that is rarely taken.
pub fn object(maker: &mut Maker) -> Value {
    let total: usize = KINDS.iter().map(|(_, weight)| weight).sum();
    for _ in 0..4 {
        let mut at = maker.dice.below(total);
        let kind = KINDS
            .iter()
            .find(|(_, weight)| {
                let found = at < *weight;
                at = at.wrapping_sub(*weight);
                found
            })
            .map_or("ConfigMap", |(kind, _)| kind);
        let value = of_kind(maker, kind);
        let id = format!(
            "{}/{}/{}",
            value.str_at(&["kind"]),
            value.str_at(&["metadata", "namespace"]),
            value.str_at(&["metadata", "name"])
        );
        if maker.taken.insert(id) || maker.odd(Odd::Repeats, 4) {
            return value;
        }
    }
    let mut value = of_kind(maker, "ConfigMap");
    let number = maker.number();
    value
        .entry("metadata")
        .set("name", format!("spare-{number}"));
    value
}

/// Objects of a file; some of them are wrapped in a list.
pub fn file(maker: &mut Maker, made: &mut Vec<Made>) -> Vec<Value> {
    let count = [1, 1, 1, 2, 2, 3][maker.dice.below(6)];
    let mut values: Vec<Value> = (0..count).map(|_| object(maker)).collect();
    made.extend(values.iter().cloned().map(Made::new));
    if maker.dice.one_in(20) {
        for value in &mut values {
            if value
                .get("metadata")
                .is_some_and(|metadata| metadata.get("annotations").is_some())
            {
                value
                    .entry("metadata")
                    .entry("annotations")
                    .scalars_as_texts();
            }
        }
        let kind = maker.noted(
            "kind",
            &["List", "ConfigMapList", "ResourceList", "FooList"],
        );
        let mut wrapper = map! {"apiVersion" => "v1", "kind" => kind, "items" => values};
        if maker.dice.one_in(6) {
            wrapper.set("metadata", map! {"name" => "wrapper"});
        }
        if kind == "ResourceList" {
            wrapper.set("apiVersion", "config.kubernetes.io/v1");
        }
        return vec![wrapper];
    }
    values
}

fn of_kind(maker: &mut Maker, kind: &str) -> Value {
    let mut value = match kind {
        "ConfigMap" => {
            let mut value = object_of("v1", "ConfigMap");
            let data = data(maker);
            if !data.is_empty_collection() || maker.dice.one_in(2) {
                value.set("data", data);
            }
            if maker.dice.one_in(12) {
                value.set("binaryData", map! {"b" => "//4A"});
            }
            if maker.dice.one_in(12) {
                value.set("immutable", true);
            }
            value
        }
        "Secret" => {
            let mut value = object_of("v1", "Secret");
            let key = if maker.dice.one_in(2) {
                "stringData"
            } else {
                "data"
            };
            let mut entries = Value::empty_map();
            for _ in 0..maker.dice.below(3) {
                let key = maker.key();
                entries.set(&key, "c2VjcmV0");
            }
            value.set(key, entries);
            if maker.dice.one_in(2) {
                value.set("type", maker.dice.pick(&["Opaque", "kubernetes.io/tls"]));
            }
            value
        }
        "Deployment" => workload(maker, "apps/v1", "Deployment"),
        "StatefulSet" => {
            let mut value = workload(maker, "apps/v1", "StatefulSet");
            value.entry("spec").set("serviceName", maker.name());
            if maker.dice.one_in(2) {
                let claim = map! {
                    "metadata" => map! {"name" => "data"},
                    "spec" => map! {"storageClassName" => maker.name(), "accessModes" => list!["ReadWriteOnce"]},
                };
                value
                    .entry("spec")
                    .set("volumeClaimTemplates", list![claim]);
            }
            value
        }
        "DaemonSet" => workload(maker, "apps/v1", "DaemonSet"),
        "ReplicaSet" => workload(maker, "apps/v1", "ReplicaSet"),
        "ReplicationController" => {
            let mut value = workload(maker, "v1", "ReplicationController");
            let labels = labels(maker);
            value.entry("spec").set("selector", labels);
            value
        }
        "PodTemplate" => {
            let mut value = object_of("v1", "PodTemplate");
            value.set("template", template(maker));
            value
        }
        "Job" => {
            let mut value = object_of("batch/v1", "Job");
            value.set(
                "spec",
                map! {"template" => template(maker), "backoffLimit" => 2},
            );
            if maker.dice.one_in(3) {
                let labels = labels(maker);
                value
                    .entry("spec")
                    .set("selector", map! {"matchLabels" => labels});
            }
            value
        }
        "CronJob" => {
            let version = maker.dice.pick(&["batch/v1", "batch/v1beta1"]);
            let mut value = object_of(version, "CronJob");
            let job = map! {"spec" => map! {"template" => template(maker)}};
            value.set(
                "spec",
                map! {"schedule" => "*/5 * * * *", "jobTemplate" => job},
            );
            value
        }
        "Pod" => {
            let mut value = object_of("v1", "Pod");
            value.set("spec", pod_spec(maker));
            value
        }
        "Service" => {
            let mut value = object_of("v1", "Service");
            let mut spec = map! {"selector" => labels(maker), "ports" => service_ports(maker)};
            if maker.dice.one_in(4) {
                spec.set(
                    "type",
                    maker
                        .dice
                        .pick(&["ClusterIP", "LoadBalancer", "ExternalName"]),
                );
            }
            value.set("spec", spec);
            value
        }
        "Ingress" => {
            let mut value = object_of("networking.k8s.io/v1", "Ingress");
            let mut rules = Vec::new();
            for _ in 0..maker.dice.between(1, 2) {
                let backend = map! {"service" => map! {"name" => maker.name(), "port" => map! {"number" => 80}}};
                let path = map! {"path" => "/", "pathType" => "Prefix", "backend" => backend};
                rules.push(map! {"host" => maker.text(), "http" => map! {"paths" => list![path]}});
            }
            let mut spec = map! {"rules" => rules};
            if maker.dice.one_in(2) {
                spec.set(
                    "tls",
                    list![map! {"hosts" => list!["example.com"], "secretName" => maker.name()}],
                );
            }
            if maker.dice.one_in(3) {
                spec.set("ingressClassName", maker.name());
            }
            if maker.dice.one_in(4) {
                spec.set(
                    "defaultBackend",
                    map! {"service" => map! {"name" => maker.name()}},
                );
            }
            value.set("spec", spec);
            if maker.dice.one_in(4) {
                let key = maker.dice.pick(&[
                    "nginx.ingress.kubernetes.io/fastcgi-params-configmap",
                    "ingress.kubernetes.io/auth-secret",
                    "nginx.ingress.kubernetes.io/auth-tls-secret",
                ]);
                let name = maker.name();
                value.entry("metadata").entry("annotations").set(key, name);
            }
            value
        }
        "OldIngress" => {
            let version = maker
                .dice
                .pick(&["extensions/v1beta1", "networking.k8s.io/v1beta1"]);
            let mut value = object_of(version, "Ingress");
            let path =
                map! {"backend" => map! {"serviceName" => maker.name(), "servicePort" => 80}};
            let mut spec = map! {"rules" => list![map! {"http" => map! {"paths" => list![path]}}]};
            if maker.dice.one_in(3) {
                spec.set(
                    "backend",
                    map! {"serviceName" => maker.name(), "servicePort" => "http"},
                );
            }
            value.set("spec", spec);
            value
        }
        "IngressClass" => {
            let mut value = object_of("networking.k8s.io/v1", "IngressClass");
            value.set("spec", map! {"controller" => "example.com/x"});
            value
        }
        "HorizontalPodAutoscaler" => {
            let version = maker.dice.pick(&["autoscaling/v2", "autoscaling/v2beta2"]);
            let mut value = object_of(version, "HorizontalPodAutoscaler");
            let target =
                map! {"apiVersion" => "apps/v1", "kind" => "Deployment", "name" => maker.name()};
            let metric = map! {"type" => "Resource", "resource" => map! {"name" => "cpu"}};
            value.set(
                "spec",
                map! {"scaleTargetRef" => target, "maxReplicas" => 3, "metrics" => list![metric]},
            );
            value
        }
        "OldHorizontalPodAutoscaler" => {
            let mut value = object_of("autoscaling/v1", "HorizontalPodAutoscaler");
            let kind = maker
                .dice
                .pick(&["StatefulSet", "ReplicaSet", "ReplicationController"]);
            value.set(
                "spec",
                map! {"scaleTargetRef" => map! {"kind" => kind, "name" => maker.name()}},
            );
            value
        }
        "Role" | "ClusterRole" => {
            let mut value = object_of("rbac.authorization.k8s.io/v1", kind);
            let mut rule = map! {"apiGroups" => list![""], "resources" => list!["configmaps", "secrets"], "verbs" => list!["get", "*"]};
            if maker.dice.one_in(2) {
                rule.set("resourceNames", list![maker.name(), maker.name()]);
            }
            value.set("rules", list![rule]);
            value
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            let version = maker.dice.pick(&["v1", "v1", "v1beta1"]);
            let mut value = object_of(&format!("rbac.authorization.k8s.io/{version}"), kind);
            let role = match kind {
                "RoleBinding" => maker.dice.pick(&["Role", "ClusterRole"]),
                _ => "ClusterRole",
            };
            value.set("roleRef", map! {"apiGroup" => "rbac.authorization.k8s.io", "kind" => role, "name" => maker.name()});
            let mut subjects = Vec::new();
            for _ in 0..maker.dice.between(0, 2) {
                let name = match maker.dice.below(4) {
                    0 => "default".to_owned(),
                    _ => maker.name(),
                };
                let kind = maker
                    .dice
                    .pick(&["ServiceAccount", "ServiceAccount", "User", "Group"]);
                let mut subject = map! {"kind" => kind, "name" => name};
                if maker.dice.one_in(2) {
                    subject.set("namespace", maker.dice.pick(words::NAMESPACES));
                }
                subjects.push(subject);
            }
            value.set("subjects", subjects);
            value
        }
        "ServiceAccount" => {
            let mut value = object_of("v1", "ServiceAccount");
            if maker.dice.one_in(3) {
                value.set("imagePullSecrets", list![map! {"name" => maker.name()}]);
            }
            if maker.dice.one_in(4) {
                value.set("secrets", list![map! {"name" => maker.name()}]);
            }
            value
        }
        "PersistentVolume" => {
            let mut value = object_of("v1", "PersistentVolume");
            let spec = match maker.dice.below(2) {
                0 => {
                    map! {"storageClassName" => maker.name(), "nfs" => map! {"server" => "$(VAR)", "path" => "/"}}
                }
                _ => {
                    map! {"azureFile" => map! {"secretName" => maker.name()}, "capacity" => map! {"storage" => "5Gi"}}
                }
            };
            value.set("spec", spec);
            value
        }
        "PersistentVolumeClaim" => {
            let mut value = object_of("v1", "PersistentVolumeClaim");
            value.set(
                "spec",
                map! {"volumeName" => maker.name(), "storageClassName" => maker.name()},
            );
            value
        }
        "StorageClass" => {
            let mut value = object_of("storage.k8s.io/v1", "StorageClass");
            value.set("provisioner", "example.com/x");
            let key = maker.dice.pick(&[
                "secretName",
                "adminSecretName",
                "userSecretName",
                "secretRef",
            ]);
            value.set("parameters", map! {key => maker.name()});
            value
        }
        "CustomResourceDefinition" => {
            let version = maker.dice.pick(&["v1", "v1beta1"]);
            let mut value = object_of(&format!("apiextensions.k8s.io/{version}"), kind);
            let names = map! {"kind" => "Foo", "plural" => "foos"};
            let mut spec =
                map! {"group" => "example.com", "names" => names, "scope" => "Namespaced"};
            if maker.dice.one_in(2) {
                let service = map! {"name" => maker.name(), "namespace" => "dev"};
                spec.set(
                    "conversion",
                    map! {"strategy" => "Webhook", "webhook" => map! {"clientConfig" => map! {"service" => service}}},
                );
            }
            value.set("spec", spec);
            value
        }
        "Custom" => custom(maker),
        "ClusterKind" => {
            let mut value = object_of("example.com/v1", "ClusterFoo");
            value.set("spec", map! {"ref" => maker.name()});
            value
        }
        "Namespace" => object_of("v1", "Namespace"),
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
            let version = maker.dice.pick(&["v1", "v1beta1"]);
            let mut value = object_of(&format!("admissionregistration.k8s.io/{version}"), kind);
            let mut hooks = Vec::new();
            for name in ["one.example.com", "two.example.com"]
                .iter()
                .take(maker.dice.between(1, 2))
            {
                let service = map! {"name" => maker.name(), "namespace" => maker.dice.pick(words::NAMESPACES), "path" => "/x"};
                hooks.push(map! {"name" => *name, "clientConfig" => map! {"service" => service}});
            }
            value.set("webhooks", hooks);
            value
        }
        "APIService" => {
            let mut value = object_of("apiregistration.k8s.io/v1", kind);
            value.set("spec", map! {"service" => map! {"name" => maker.name(), "namespace" => "dev"}, "version" => "v1"});
            value
        }
        "PriorityClass" => {
            let mut value = object_of("scheduling.k8s.io/v1", kind);
            value.set("value", 1000);
            value
        }
        "NetworkPolicy" => {
            let mut value = object_of("networking.k8s.io/v1", kind);
            let peer = map! {"podSelector" => map! {"matchLabels" => labels(maker)}};
            let spec = map! {
                "podSelector" => map! {"matchLabels" => labels(maker)},
                "ingress" => list![map! {"from" => list![peer.clone()]}],
                "egress" => list![map! {"to" => list![peer, map! {"ipBlock" => map! {"cidr" => "10.0.0.0/8"}}]}],
            };
            value.set("spec", spec);
            value
        }
        "PodDisruptionBudget" => {
            let version = maker.dice.pick(&["policy/v1", "policy/v1beta1"]);
            let mut value = object_of(version, kind);
            value.set(
                "spec",
                map! {"minAvailable" => 1, "selector" => map! {"matchLabels" => labels(maker)}},
            );
            value
        }
        "ValidatingAdmissionPolicy" => {
            let mut value = object_of("admissionregistration.k8s.io/v1", kind);
            value.set(
                "spec",
                map! {"validations" => list![map! {"expression" => "object.x == 1"}]},
            );
            value
        }
        "ValidatingAdmissionPolicyBinding" => {
            let mut value = object_of("admissionregistration.k8s.io/v1", kind);
            value.set("spec", map! {"policyName" => maker.name()});
            value
        }
        "LimitRange" | "ResourceQuota" => {
            let mut value = object_of("v1", kind);
            value.set("spec", map! {"hard" => map! {"cpu" => maker.any_scalar()}});
            value
        }
        "Endpoints" => {
            let mut value = object_of("v1", kind);
            value.set(
                "subsets",
                list![map! {"addresses" => list![map! {"ip" => "10.0.0.1"}]}],
            );
            value
        }
        "Node" => {
            let mut value = object_of("v1", kind);
            value.set("spec", map! {"configSource" => map! {"configMap" => map! {"name" => maker.name()}}, "podCIDRs" => list!["10.0.0.0/24", "fd00::/64"]});
            value
        }
        _ => {
            let mut value = object_of("serving.knative.dev/v1", "Service");
            value.set("spec", map! {"template" => template(maker)});
            value
        }
    };
    let written = value.str_at(&["kind"]).to_owned();
    maker.note("kind", &written);
    metadata(maker, &mut value);
    if maker.odd(Odd::Types, 12) {
        break_type(maker, &mut value);
    }
    value
}

fn object_of(api_version: &str, kind: &str) -> Value {
    map! {"apiVersion" => api_version, "kind" => kind, "metadata" => Value::empty_map()}
}

fn metadata(maker: &mut Maker, value: &mut Value) {
    let name = match value.str_at(&["kind"]) {
        "CustomResourceDefinition" => "foos.example.com".to_owned(),
        "Namespace" => maker.dice.pick(words::NAMESPACES).to_owned(),
        "ServiceAccount" if maker.dice.one_in(3) => "default".to_owned(),
        _ => maker.name(),
    };
    let metadata = value.entry("metadata");
    metadata.set("name", name);
    if maker.namespaces && maker.dice.one_in(2) {
        metadata.set("namespace", maker.dice.pick(words::NAMESPACES));
    }
    if maker.dice.one_in(3) {
        metadata.set("labels", labels(maker));
    }
    if maker.dice.one_in(5) {
        let annotations = metadata.entry("annotations");
        for _ in 0..maker.dice.between(1, 2) {
            let key = maker.dice.pick(&["note", "example.com/x", "a"]);
            let text = match maker.odd(Odd::Nulls, 3) {
                true => Value::null(),
                false if maker.odd(Odd::Scalars, 3) => maker.any_scalar(),
                false => maker.text(),
            };
            if matches!(text, Value::Plain(_)) {
                maker.note("style", "annotation that is no text");
            }
            annotations.set(key, text);
        }
    }
    if maker.dice.one_in(40) {
        let flag = maker.noted("local config", &["true", "false", "x", ""]);
        metadata
            .entry("annotations")
            .set("config.kubernetes.io/local-config", flag);
    }
    if maker.odd(Odd::Annotations, 3) {
        let (key, text) = internal_annotation(maker);
        metadata.entry("annotations").set(key, text);
    }
    if maker.dice.one_in(25) {
        metadata.set("finalizers", list!["example.com/a", "example.com/b"]);
    }
    if maker.dice.one_in(40) {
        metadata.set("creationTimestamp", Value::null());
    }
    if maker.odd(Odd::Nulls, 8) {
        let key = match maker.odd(Odd::Types, 2) {
            true => "name",
            false => maker.dice.pick(&["labels", "annotations", "namespace"]),
        };
        metadata.set(key, Value::null());
    }
}

/// An annotation in which the reference keeps its own books.
fn internal_annotation(maker: &mut Maker) -> (&'static str, &'static str) {
    let key = maker.noted(
        "internal annotation",
        &[
            "internal.config.kubernetes.io/prefixes",
            "internal.config.kubernetes.io/suffixes",
            "internal.config.kubernetes.io/refBy",
            "internal.config.kubernetes.io/generatorBehavior",
            "internal.config.kubernetes.io/needsHashSuffix",
            "internal.config.kubernetes.io/allowNameChange",
            "internal.config.kubernetes.io/allowKindChange",
            "internal.config.kubernetes.io/helm-generated",
            "internal.config.kubernetes.io/index",
            "internal.config.kubernetes.io/path",
            "internal.config.kubernetes.io/id",
            "internal.config.kubernetes.io/seqindent",
            "config.kubernetes.io/index",
            "config.kubernetes.io/path",
            "config.kubernetes.io/id",
            "config.k8s.io/id",
            "config.kubernetes.io/origin",
            "config.kubernetes.io/function",
            "alpha.config.kubernetes.io/transformations",
            "kustomize.config.k8s.io/needs-hash",
            "kustomize.config.k8s.io/behavior",
            "kustomize.config.k8s.io/id",
            "internal.config.kubernetes.io/annotations-migration-resource-id",
        ],
    );
    let text = match key {
        "internal.config.kubernetes.io/generatorBehavior" => {
            maker.dice.pick(&["merge", "replace", "create", "x"])
        }
        "config.kubernetes.io/function" => "container: {image: x}",
        "config.kubernetes.io/origin" => "path: x.yaml\n",
        "alpha.config.kubernetes.io/transformations" => "- configuredIn: x\n",
        _ => maker
            .dice
            .pick(&["true", "1", "web", "false", "enabled", ""]),
    };
    (key, text)
}

/// Puts another type somewhere into an object.
fn break_type(maker: &mut Maker, value: &mut Value) {
    let mut paths = value.paths();
    if !maker.has(Odd::Damage) {
        // What makes it an object at all stays.
        paths.retain(|path| {
            path.len() > 2 || path.len() == 2 && path[0] == Step::Key("spec".into())
        });
    }
    let Some(path) = maker.dice.choose(&paths).cloned() else {
        return;
    };
    let other = match maker.dice.below(5) {
        0 => Value::from(1),
        1 => list!["x"],
        2 => map! {"x" => "y"},
        3 => Value::null(),
        _ => Value::empty_map(),
    };
    maker.note("style", "wrong type in an object");
    *at_mut(value, &path) = other;
}

/// The value at a path that is known to exist.
pub fn at_mut<'a>(value: &'a mut Value, path: &[Step]) -> &'a mut Value {
    path.iter().fold(value, |value, step| match (value, step) {
        (Value::List(items), Step::Index(index)) => &mut items[*index],
        (value, Step::Key(key)) => value.entry(key),
        (value, Step::Index(_)) => value,
    })
}

pub fn labels(maker: &mut Maker) -> Value {
    let mut labels = Value::empty_map();
    for _ in 0..maker.dice.between(1, 2) {
        let value = match maker.odd(Odd::Scalars, 6) {
            true => maker.any_scalar(),
            false => maker.dice.pick(words::LABEL_VALUES).into(),
        };
        labels.set(maker.dice.pick(words::LABEL_KEYS), value);
    }
    labels
}

fn data(maker: &mut Maker) -> Value {
    let mut data = Value::empty_map();
    for _ in 0..maker.dice.below(4) {
        let key = maker.key();
        let value = match maker.dice.below(8) {
            0 => maker.any_scalar(),
            1 => maker
                .dice
                .pick(&[
                    "{\"a\": {\"b\": 1}, \"c\": [1, \"x\"]}",
                    "a:\n  b: 1\n  c: [1, x]\n",
                    "{\n  \"a\": {\"b\": \"<x>\"}\n}",
                    "a: {b: text, c: true}",
                ])
                .into(),
            2 => maker.name().into(),
            _ => maker.text(),
        };
        data.set(&key, value);
    }
    data
}

fn custom(maker: &mut Maker) -> Value {
    let version = maker.dice.pick(&["example.com/v1", "example.com/v1alpha1"]);
    let kind = maker.dice.pick(&["Foo", "Bar"]);
    let mut value = object_of(version, kind);
    let mut spec = map! {"ref" => maker.name(), "image" => maker.dice.pick(words::IMAGES)};
    for _ in 0..maker.dice.below(4) {
        let key = maker.key();
        let inner = match maker.dice.below(4) {
            0 => {
                map! {"nested" => maker.any_scalar(), "list" => list![maker.any_scalar(), maker.any_scalar()]}
            }
            1 => list![
                map! {"name" => "one", "value" => maker.any_scalar()},
                map! {"name" => "two", "value" => maker.text()}
            ],
            2 => list![
                list![maker.any_scalar()],
                Value::List(Vec::new()),
                Value::empty_map()
            ],
            _ => maker.any_scalar(),
        };
        spec.set(&key, inner);
    }
    if maker.odd(Odd::Hostile, 4) {
        let key = Value::plain(maker.dice.pick(&[
            "1",
            "true",
            "null",
            "1.5",
            "~",
            "2001-01-01",
            "0x10",
            "[a]",
            "{a: b}",
            "yes",
        ]));
        maker.note("style", "key that is no text");
        if let Value::Map(entries) = &mut spec {
            entries.push((key, "x".into()));
        }
    }
    if maker.dice.one_in(3) {
        spec.set("secretRef", map! {"name" => maker.name()});
    }
    value.set("spec", spec);
    value
}

fn workload(maker: &mut Maker, api_version: &str, kind: &str) -> Value {
    let mut value = object_of(api_version, kind);
    let selector = labels(maker);
    let mut template = template(maker);
    if maker.dice.one_in(2) {
        template.entry("metadata").set("labels", selector.clone());
    }
    let mut spec = map! {"template" => template};
    if maker.dice.one_in(2) {
        spec.set("selector", map! {"matchLabels" => selector});
    }
    if maker.dice.one_in(2) {
        spec.set("replicas", maker.dice.below(5) as i64);
    }
    if maker.dice.one_in(5) {
        let update = map! {"maxSurge" => 1, "maxUnavailable" => maker.dice.pick(&["25%", "1"])};
        spec.set(
            "strategy",
            map! {"type" => "RollingUpdate", "rollingUpdate" => update},
        );
    }
    value.set("spec", spec);
    if maker.dice.one_in(20) {
        value.set(
            "status",
            map! {"conditions" => list![map! {"type" => "Ready", "status" => "True"}]},
        );
    }
    value
}

fn template(maker: &mut Maker) -> Value {
    let mut template = map! {"spec" => pod_spec(maker)};
    if maker.dice.one_in(2) {
        template.set("metadata", map! {"labels" => labels(maker)});
    }
    if maker.dice.one_in(6) {
        let text = maker.text();
        template
            .entry("metadata")
            .set("annotations", map! {"note" => text, "v" => "$(VAR)"});
    }
    template
}

fn pod_spec(maker: &mut Maker) -> Value {
    let mut containers = Vec::new();
    for name in ["app", "side", "third"]
        .iter()
        .take([1, 1, 2, 2, 3][maker.dice.below(5)])
    {
        containers.push(container(maker, name));
    }
    let mut spec = map! {"containers" => containers};
    if maker.dice.one_in(5) {
        spec.set("initContainers", list![container(maker, "init")]);
    }
    if maker.dice.one_in(3) {
        spec.set("serviceAccountName", maker.name());
    }
    if maker.dice.one_in(6) {
        spec.set("priorityClassName", maker.name());
    }
    if maker.dice.one_in(6) {
        spec.set(
            "imagePullSecrets",
            list![map! {"name" => maker.name()}, map! {"name" => "reg"}],
        );
    }
    if maker.dice.one_in(2) {
        spec.set("volumes", volumes(maker));
    }
    if maker.dice.one_in(10) {
        spec.set(
            "hostAliases",
            list![
                map! {"ip" => "127.0.0.1", "hostnames" => list!["a", "b"]},
                map! {"ip" => "10.0.0.1"}
            ],
        );
    }
    if maker.dice.one_in(8) {
        let spread = |key: &str, when: &str| map! {"topologyKey" => key, "whenUnsatisfiable" => when, "maxSkew" => 1};
        let mut first = spread("zone", "DoNotSchedule");
        first.set("labelSelector", map! {"matchLabels" => labels(maker)});
        spec.set(
            "topologySpreadConstraints",
            list![
                first,
                spread("zone", "ScheduleAnyway"),
                spread("host", "DoNotSchedule")
            ],
        );
    }
    if maker.dice.one_in(8) {
        let selector = map! {"matchLabels" => labels(maker)};
        let term = map! {"labelSelector" => selector, "topologyKey" => "zone"};
        let kind = maker.dice.pick(&["podAffinity", "podAntiAffinity"]);
        let affinity = match maker.dice.below(2) {
            0 => map! {"requiredDuringSchedulingIgnoredDuringExecution" => list![term]},
            _ => {
                map! {"preferredDuringSchedulingIgnoredDuringExecution" => list![map! {"weight" => 1, "podAffinityTerm" => term}]}
            }
        };
        spec.set("affinity", map! {kind => affinity});
    }
    if maker.dice.one_in(10) {
        spec.set(
            "tolerations",
            list![
                map! {"key" => "a", "operator" => "Exists"},
                map! {"key" => "b"}
            ],
        );
    }
    if maker.dice.one_in(10) {
        let labels = labels(maker);
        spec.set("nodeSelector", labels);
    }
    spec
}

fn container(maker: &mut Maker, name: &str) -> Value {
    let mut container = map! {"name" => name, "image" => maker.dice.pick(words::IMAGES)};
    if maker.odd(Odd::Misses, 12) {
        maker.note("style", "element without its key");
        container.remove("name");
    }
    if maker.dice.one_in(2) {
        let mut ports = Vec::new();
        for _ in 0..maker.dice.between(1, 3) {
            let number = [80, 80, 443, 8080][maker.dice.below(4)];
            let mut port = map! {"containerPort" => number};
            if maker.dice.one_in(2) {
                port.set("protocol", maker.dice.pick(&["TCP", "UDP"]));
            }
            if maker.dice.one_in(3) {
                port.set("name", maker.dice.pick(&["http", "https", "metrics"]));
            }
            ports.push(port);
        }
        container.set("ports", ports);
    }
    if maker.dice.one_in(2) {
        let mut env = Vec::new();
        for name in ["HOST", "PORT", "TOKEN"]
            .iter()
            .take(maker.dice.between(1, 3))
        {
            let mut entry = map! {"name" => *name};
            match maker.dice.below(4) {
                0 => entry.set(
                    "valueFrom",
                    map! {"configMapKeyRef" => map! {"name" => maker.name(), "key" => "a"}},
                ),
                1 => entry.set(
                    "valueFrom",
                    map! {"secretKeyRef" => map! {"name" => maker.name(), "key" => "a"}},
                ),
                2 => entry.set(
                    "value",
                    maker
                        .dice
                        .pick(&["$(VAR)", "x-$(VAR)-$(VAR_B)", "$$(VAR)", "$(NONE)"]),
                ),
                _ => entry.set("value", maker.text()),
            }
            env.push(entry);
        }
        container.set("env", env);
    }
    if maker.dice.one_in(4) {
        let key = maker.dice.pick(&["configMapRef", "secretRef"]);
        container.set(
            "envFrom",
            list![map! {key => map! {"name" => maker.name()}}],
        );
    }
    if maker.dice.one_in(4) {
        container.set("args", list!["--x", maker.text(), "$(VAR)"]);
    }
    if maker.dice.one_in(6) {
        container.set("command", list!["sh", "-c", maker.text()]);
    }
    if maker.dice.one_in(4) {
        container.set(
            "volumeMounts",
            list![
                map! {"name" => "config", "mountPath" => "/config"},
                map! {"name" => "data", "mountPath" => "/data"}
            ],
        );
    }
    if maker.dice.one_in(4) {
        let cpu = maker.any_scalar();
        container.set(
            "resources",
            map! {"limits" => map! {"cpu" => cpu, "memory" => "1Gi"}},
        );
    }
    container
}

fn volumes(maker: &mut Maker) -> Value {
    let mut volumes = Vec::new();
    for name in ["config", "data", "tmp"]
        .iter()
        .take(maker.dice.between(1, 3))
    {
        let (key, source) = match maker.dice.below(6) {
            0 => ("secret", map! {"secretName" => maker.name()}),
            1 => ("emptyDir", Value::empty_map()),
            2 => ("persistentVolumeClaim", map! {"claimName" => maker.name()}),
            3 => {
                let sources = list![
                    map! {"configMap" => map! {"name" => maker.name()}},
                    map! {"secret" => map! {"name" => maker.name()}}
                ];
                ("projected", map! {"sources" => sources})
            }
            4 if maker.dice.one_in(3) => (
                "image",
                map! {"reference" => maker.dice.pick(words::IMAGES)},
            ),
            _ => ("configMap", map! {"name" => maker.name()}),
        };
        volumes.push(map! {"name" => *name, key => source});
    }
    Value::List(volumes)
}

fn service_ports(maker: &mut Maker) -> Value {
    let mut ports = Vec::new();
    for _ in 0..maker.dice.between(1, 3) {
        let mut port = map! {"port" => [80, 443, 53][maker.dice.below(3)]};
        if maker.dice.one_in(2) {
            port.set("protocol", maker.dice.pick(&["TCP", "UDP"]));
        }
        if maker.dice.one_in(2) {
            port.set("name", maker.dice.pick(&["http", "dns"]));
        }
        if maker.dice.one_in(2) {
            let target = maker.any_scalar();
            port.set("targetPort", target);
        }
        ports.push(port);
    }
    Value::List(ports)
}
