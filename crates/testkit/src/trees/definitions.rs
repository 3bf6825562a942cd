//! An operator with large custom resource definitions, in the shape that controller-gen writes.
//!
//! A schema is a table of types whose fields name other types, written out in full wherever it is
//! used, as definitions have no references. Descriptions are sentences made by rule, long and
//! short, plain, quoted and as blocks.

use super::{Put, fill, list};

/// How large the definitions are.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Large,
    Huge,
}

/// A type of the schema: its name and its fields.
///
/// A field is `name type`, with `!` after the name when it is required. A type in brackets is a
/// list, with the keys of a list of maps behind the type; `A|B` is an enumeration.
type Type = (&'static str, &'static [&'static str]);

const TYPES: &[Type] = &[
    (
        "LargeSpec",
        &[
            "env [Env:name]",
            "image string",
            "logLevel debug|info|warn|error",
            "nodeAffinity NodeAffinity",
            "paused boolean",
            "replicas int32",
            "resources Resources",
            "retention string",
            "selector! Selector",
            "serviceAccountName string",
            "storage ClaimRef",
            "tolerations [Toleration]",
        ],
    ),
    (
        "HugeSpec",
        &[
            "affinity Affinity",
            "configuration map",
            "containers [Container:name]",
            "dnsPolicy ClusterFirst|ClusterFirstWithHostNet|Default|None",
            "imagePullSecrets [Reference:name]",
            "logLevel debug|info|warn|error",
            "paused boolean",
            "replicas int32",
            "selector! Selector",
            "storage Claim",
            "tolerations [Toleration]",
            "topologySpreadConstraints [Spread:topologyKey,whenUnsatisfiable]",
            "volumes [Volume:name]",
        ],
    ),
    (
        "SmallSpec",
        &[
            "disabled boolean",
            "interval string",
            "items [Header]",
            "labels map",
            "level debug|info|warn|error",
            "resources Resources",
            "selector! Selector",
            "target! Reference",
        ],
    ),
    (
        "Container",
        &[
            "args [string]",
            "command [string]",
            "env [Env:name]",
            "envFrom [EnvFrom]",
            "image string",
            "imagePullPolicy Always|IfNotPresent|Never",
            "lifecycle Lifecycle",
            "livenessProbe Probe",
            "name! string",
            "ports [Port:containerPort,protocol]",
            "readinessProbe Probe",
            "resources Resources",
            "securityContext Security",
            "startupProbe Probe",
            "stdin boolean",
            "terminationMessagePath string",
            "volumeDevices [Device:devicePath]",
            "volumeMounts [Mount:mountPath]",
            "workingDir string",
        ],
    ),
    (
        "Env",
        &["name! string", "value string", "valueFrom EnvSource"],
    ),
    (
        "EnvSource",
        &[
            "configMapKeyRef KeyRef",
            "fieldRef FieldRef",
            "resourceFieldRef ResourceRef",
            "secretKeyRef KeyRef",
        ],
    ),
    (
        "EnvFrom",
        &[
            "configMapRef Optional",
            "prefix string",
            "secretRef Optional",
        ],
    ),
    (
        "KeyRef",
        &["key! string", "name string", "optional boolean"],
    ),
    ("Optional", &["name string", "optional boolean"]),
    ("FieldRef", &["apiVersion string", "fieldPath! string"]),
    (
        "ResourceRef",
        &[
            "containerName string",
            "divisor quantity",
            "resource! string",
        ],
    ),
    ("Reference", &["name! string"]),
    ("Lifecycle", &["postStart Handler", "preStop Handler"]),
    (
        "Handler",
        &[
            "exec Exec",
            "httpGet HttpGet",
            "sleep Sleep",
            "tcpSocket Socket",
        ],
    ),
    ("Exec", &["command [string]"]),
    ("Sleep", &["seconds! int64"]),
    ("Socket", &["host string", "port! quantity"]),
    (
        "HttpGet",
        &[
            "host string",
            "httpHeaders [Header]",
            "path string",
            "port! quantity",
            "scheme HTTP|HTTPS",
        ],
    ),
    ("Header", &["name! string", "value! string"]),
    (
        "Probe",
        &[
            "exec Exec",
            "failureThreshold int32",
            "grpc Grpc",
            "httpGet HttpGet",
            "initialDelaySeconds int32",
            "periodSeconds int32",
            "successThreshold int32",
            "tcpSocket Socket",
            "timeoutSeconds int32",
        ],
    ),
    ("Grpc", &["port! int32", "service string"]),
    (
        "Port",
        &[
            "containerPort! int32",
            "hostPort int32",
            "name string",
            "protocol UDP|TCP|SCTP",
        ],
    ),
    (
        "Resources",
        &[
            "claims [Reference:name]",
            "limits quantities",
            "requests quantities",
        ],
    ),
    (
        "Security",
        &[
            "allowPrivilegeEscalation boolean",
            "capabilities Capabilities",
            "privileged boolean",
            "readOnlyRootFilesystem boolean",
            "runAsGroup int64",
            "runAsNonRoot boolean",
            "runAsUser int64",
            "seLinuxOptions SeLinux",
            "seccompProfile Seccomp",
        ],
    ),
    ("Capabilities", &["add [string]", "drop [string]"]),
    (
        "SeLinux",
        &["level string", "role string", "type string", "user string"],
    ),
    ("Seccomp", &["localhostProfile string", "type! string"]),
    ("Device", &["devicePath! string", "name! string"]),
    (
        "Mount",
        &[
            "mountPath! string",
            "mountPropagation string",
            "name! string",
            "readOnly boolean",
            "subPath string",
            "subPathExpr string",
        ],
    ),
    (
        "Affinity",
        &[
            "nodeAffinity NodeAffinity",
            "podAffinity PodAffinity",
            "podAntiAffinity PodAffinity",
        ],
    ),
    (
        "NodeAffinity",
        &[
            "preferredDuringSchedulingIgnoredDuringExecution [NodePreference]",
            "requiredDuringSchedulingIgnoredDuringExecution NodeTerms",
        ],
    ),
    ("NodePreference", &["preference! NodeTerm", "weight! int32"]),
    ("NodeTerms", &["nodeSelectorTerms! [NodeTerm]"]),
    (
        "NodeTerm",
        &["matchExpressions [Expression]", "matchFields [Expression]"],
    ),
    (
        "Expression",
        &["key! string", "operator! string", "values [string]"],
    ),
    (
        "PodAffinity",
        &[
            "preferredDuringSchedulingIgnoredDuringExecution [PodPreference]",
            "requiredDuringSchedulingIgnoredDuringExecution [PodTerm]",
        ],
    ),
    (
        "PodPreference",
        &["podAffinityTerm! PodTerm", "weight! int32"],
    ),
    (
        "PodTerm",
        &[
            "labelSelector Selector",
            "matchLabelKeys [string]",
            "namespaceSelector Selector",
            "namespaces [string]",
            "topologyKey! string",
        ],
    ),
    (
        "Selector",
        &["matchExpressions [Expression]", "matchLabels map"],
    ),
    (
        "Toleration",
        &[
            "effect string",
            "key string",
            "operator string",
            "tolerationSeconds int64",
            "value string",
        ],
    ),
    (
        "Spread",
        &[
            "labelSelector Selector",
            "maxSkew! int32",
            "minDomains int32",
            "topologyKey! string",
            "whenUnsatisfiable! string",
        ],
    ),
    (
        "Volume",
        &[
            "configMap FileSource",
            "csi Csi",
            "downwardAPI DownwardFiles",
            "emptyDir EmptyDir",
            "ephemeral Ephemeral",
            "hostPath HostPath",
            "name! string",
            "nfs Nfs",
            "persistentVolumeClaim ClaimRef",
            "projected Projected",
            "secret FileSource",
        ],
    ),
    (
        "FileSource",
        &[
            "defaultMode int32",
            "items [File]",
            "name string",
            "optional boolean",
        ],
    ),
    ("File", &["key! string", "mode int32", "path! string"]),
    (
        "Csi",
        &[
            "driver! string",
            "fsType string",
            "nodePublishSecretRef Reference",
            "readOnly boolean",
            "volumeAttributes map",
        ],
    ),
    (
        "DownwardFiles",
        &["defaultMode int32", "items [DownwardFile]"],
    ),
    (
        "DownwardFile",
        &[
            "fieldRef FieldRef",
            "mode int32",
            "path! string",
            "resourceFieldRef ResourceRef",
        ],
    ),
    ("EmptyDir", &["medium string", "sizeLimit quantity"]),
    ("Ephemeral", &["volumeClaimTemplate Claim"]),
    ("HostPath", &["path! string", "type string"]),
    (
        "Nfs",
        &["path! string", "readOnly boolean", "server! string"],
    ),
    ("ClaimRef", &["claimName! string", "readOnly boolean"]),
    ("Projected", &["defaultMode int32", "sources [Projection]"]),
    (
        "Projection",
        &[
            "configMap FileSource",
            "downwardAPI DownwardFiles",
            "secret FileSource",
            "serviceAccountToken Token",
        ],
    ),
    (
        "Token",
        &["audience string", "expirationSeconds int64", "path! string"],
    ),
    (
        "Claim",
        &[
            "accessModes [string]",
            "dataSource DataSource",
            "resources Resources",
            "selector Selector",
            "storageClassName string",
            "volumeMode string",
        ],
    ),
    (
        "DataSource",
        &["apiGroup string", "kind! string", "name! string"],
    ),
    (
        "Status",
        &[
            "conditions [Condition:type]",
            "observedGeneration int64",
            "readyReplicas int32",
            "selector string",
        ],
    ),
    (
        "Condition",
        &[
            "lastTransitionTime! time",
            "message! string",
            "observedGeneration int64",
            "reason! string",
            "status! True|False|Unknown",
            "type! string",
        ],
    ),
];

/// What descriptions are made of; `{}` is the field.
const SENTENCES: &[&str] = &[
    "{} of this object, see below.",
    "Optional: the controller picks a value when it's left out",
    "If specified, {} must be one of 'Always', 'Never' or a name that exists in the same namespace.",
    "Defaults to 30 seconds. Minimum value is 1.",
    "More info: https://example.com/docs/concepts/{}/#what-it-is",
    "A value of \"\" is the same as none, which means that {} is taken from the surrounding object.",
    "This field is immutable once set: changes are refused by the server, and a new object has to be made.",
    "Cannot be updated.",
    "The controller looks at {} whenever the object changes, and at least every ten minutes; what it \
     finds is told in the status. It does not wait for workloads that are being removed.",
    "This is a beta-level feature, and needs the gate to be on",
];

/// Longest line of a block, as people break their comments.
const WIDTH: usize = 78;

/// Names of kinds, prefixes by suffixes.
const PREFIXES: &[&str] = &[
    "Stream", "Query", "Cache", "Object", "Search", "Ledger", "Batch", "Edge",
];
const SUFFIXES: &[&str] = &["Cluster", "Pool", "Backup", "Restore", "Policy", "Gateway"];

/// Writes a schema.
struct Writer {
    text: String,
    /// Numbers the descriptions, so that they differ.
    count: usize,
}

impl Writer {
    fn line(&mut self, indent: usize, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn describe(&mut self, indent: usize, field: &str) {
        self.count += 1;
        let mix = self.count.wrapping_mul(2_654_435_761) >> 7;
        let sentences = (0..1 + mix % 4).map(|number| {
            let at = (mix / 7 + number * 3) % SENTENCES.len();
            SENTENCES[at].replace("{}", field)
        });
        let sentences: Vec<String> = sentences.collect();
        let whole = sentences.join(" ");
        if sentences.len() == 1 {
            let quoted = whole.contains(": ") || whole.contains(" #");
            let text = match quoted {
                true => format!("description: '{}'", whole.replace('\'', "''")),
                false => format!("description: {whole}"),
            };
            return self.line(indent, &text);
        }
        self.line(indent, "description: |-");
        for sentence in &sentences {
            let mut line = String::new();
            for word in sentence.split(' ') {
                if !line.is_empty() && line.len() + word.len() >= WIDTH {
                    self.line(indent + 2, &line);
                    line.clear();
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            self.line(indent + 2, &line);
        }
    }

    /// The schema of a field of the type `kind`, at `indent`.
    fn field(&mut self, indent: usize, name: &str, kind: &str) {
        if let Some(item) = kind
            .strip_prefix('[')
            .and_then(|kind| kind.strip_suffix(']'))
        {
            let (item, keys) = item.split_once(':').unwrap_or((item, ""));
            self.describe(indent, name);
            self.line(indent, "items:");
            self.field(indent + 2, name, item);
            self.line(indent, "type: array");
            if keys.is_empty() {
                return self.line(indent, "x-kubernetes-list-type: atomic");
            }
            self.line(indent, "x-kubernetes-list-map-keys:");
            for key in keys.split(',') {
                self.line(indent, &format!("- {key}"));
            }
            return self.line(indent, "x-kubernetes-list-type: map");
        }
        if let Some((_, fields)) = TYPES.iter().find(|(type_name, _)| *type_name == kind) {
            self.describe(indent, name);
            return self.properties(indent, fields);
        }
        if kind == "map" || kind == "quantities" {
            self.line(indent, "additionalProperties:");
            match kind {
                "map" => self.line(indent + 2, "type: string"),
                _ => self.quantity(indent + 2),
            }
            self.describe(indent, name);
            return self.line(indent, "type: object");
        }
        if kind == "quantity" {
            return self.quantity(indent);
        }
        self.describe(indent, name);
        match kind {
            "int32" | "int64" => {
                self.line(indent, &format!("format: {kind}"));
                self.line(indent, "type: integer");
            }
            "boolean" => self.line(indent, "type: boolean"),
            "time" => {
                self.line(indent, "format: date-time");
                self.line(indent, "type: string");
            }
            _ => {
                if kind.contains('|') {
                    self.line(indent, "enum:");
                    for value in kind.split('|') {
                        match value {
                            "True" | "False" => self.line(indent, &format!("- \"{value}\"")),
                            _ => self.line(indent, &format!("- {value}")),
                        }
                    }
                }
                if name == "topologyKey" {
                    self.line(indent, "maxLength: 316");
                    self.line(
                        indent,
                        r"pattern: ^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]+)*/)?[A-Za-z0-9]+$",
                    );
                }
                self.line(indent, "type: string");
            }
        }
    }

    fn quantity(&mut self, indent: usize) {
        self.line(indent, "anyOf:");
        self.line(indent, "- type: integer");
        self.line(indent, "- type: string");
        self.line(
            indent,
            r"pattern: ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE])?$",
        );
        self.line(indent, "x-kubernetes-int-or-string: true");
    }

    fn properties(&mut self, indent: usize, fields: &[&str]) {
        self.line(indent, "properties:");
        let mut required = Vec::new();
        for field in fields {
            let (name, kind) = field.split_once(' ').unwrap_or((field, "string"));
            let plain = name.trim_end_matches('!');
            if plain != name {
                required.push(plain);
            }
            self.line(indent + 2, &format!("{plain}:"));
            self.field(indent + 4, plain, kind);
        }
        if !required.is_empty() {
            self.line(indent, "required:");
            for name in required {
                self.line(indent, &format!("- {name}"));
            }
        }
        self.line(indent, "type: object");
    }
}

const HEAD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    controller-gen.kubebuilder.io/version: v0.17.2
  name: {plural}.{group}
spec:
  group: {group}
  names:
    categories:
    - example
    kind: {kind}
    listKind: {kind}List
    plural: {plural}
    shortNames:
    - {short}
    singular: {singular}
  scope: Namespaced
  versions:
";

const COLUMNS: &str = "  - additionalPrinterColumns:
    - description: Whether everything is ready
      jsonPath: .status.conditions[?(@.type == 'Ready')].status
      name: Ready
      type: string
    - jsonPath: .metadata.creationTimestamp
      name: Age
      type: date
    name: {version}
    schema:
      openAPIV3Schema:
";

const API_VERSION: &str = "          apiVersion:
            description: |-
              APIVersion defines the versioned schema of this representation of an object.
              Servers should convert recognized schemas to the latest internal value, and
              may reject unrecognized values.
              More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources
            type: string
          kind:
            description: |-
              Kind is a string value representing the REST resource this object represents.
              Cannot be updated.
              In CamelCase.
            type: string
          metadata:
            type: object
";

/// A definition with the types `spec` in each of `versions`.
pub(super) fn definition(kind: &str, group: &str, spec: &str, versions: &[&str]) -> String {
    let singular = kind.to_lowercase();
    let plural = match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{singular}s"),
    };
    let values = [
        ("kind", kind),
        ("group", group),
        ("plural", &plural),
        ("singular", &singular),
        ("short", &singular[..3]),
    ];
    let mut writer = Writer {
        text: fill(HEAD, &values),
        count: kind.len() * 101,
    };
    for (number, version) in versions.iter().enumerate() {
        writer
            .text
            .push_str(&fill(COLUMNS, &[("version", version)]));
        writer.describe(8, kind);
        writer.line(8, "properties:");
        writer.text.push_str(API_VERSION);
        writer.line(10, "spec:");
        writer.field(12, "spec", spec);
        writer.line(10, "status:");
        writer.field(12, "status", "Status");
        writer.line(8, "required:");
        writer.line(8, "- spec");
        writer.line(8, "type: object");
        writer.line(4, "served: true");
        writer.line(4, &format!("storage: {}", number == 0));
        writer.line(4, "subresources:");
        writer.line(6, "status: {}");
    }
    writer.text
}

const OPERATOR: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: platform-system
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: operator
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: operator
  labels:
    control-plane: operator
spec:
  replicas: 1
  selector:
    matchLabels:
      control-plane: operator
  template:
    metadata:
      labels:
        control-plane: operator
    spec:
      serviceAccountName: operator
      containers:
        - name: manager
          image: controller:latest
          args: [--leader-elect, \"--metrics-bind-address=:8443\"]
          ports:
            - containerPort: 9443
              name: webhook
          resources:
            requests: {cpu: 10m, memory: 64Mi}
---
apiVersion: v1
kind: Service
metadata:
  name: webhook
spec:
  ports:
    - port: 443
      targetPort: webhook
  selector:
    control-plane: operator
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: operator
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: operator
subjects:
  - kind: ServiceAccount
    name: operator
    namespace: platform-system
";

const RULE: &str = "  - apiGroups: [{group}]
    resources: [{plural}, {plural}/status, {plural}/finalizers]
    verbs: [create, delete, get, list, patch, update, watch]
";

const ROLE: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {kind}-{what}
  labels:
    rbac.authorization.k8s.io/aggregate-to-{what}: \"true\"
rules:
  - apiGroups: [{group}]
    resources: [{kind}s]
    verbs: {verbs}
";

const GROUP: &str = "data.example.com";

pub(super) fn files(shape: Shape, put: Put<'_>) {
    let kinds = PREFIXES.iter();
    let kinds = kinds.flat_map(|prefix| {
        SUFFIXES
            .iter()
            .map(move |suffix| format!("{prefix}{suffix}"))
    });
    let (count, spec, versions, roles): (_, _, &[&str], _) = match shape {
        Shape::Large => (40, "LargeSpec", &["v1"], 13),
        Shape::Huge => (46, "HugeSpec", &["v1"], 4),
    };
    let kinds: Vec<String> = kinds.take(count).collect();
    let mut names = Vec::new();
    let mut rules = String::from(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: operator\nrules:\n",
    );
    for kind in &kinds {
        let name = format!("{}.yaml", kind.to_lowercase());
        put(
            &format!("crd/{name}"),
            &definition(kind, GROUP, spec, versions),
        );
        names.push(name);
        let plural = format!("{}s", kind.to_lowercase());
        rules.push_str(&fill(RULE, &[("group", GROUP), ("plural", &plural)]));
    }
    put(
        "crd/kustomization.yaml",
        &format!("resources:\n{}", list(names)),
    );

    let mut people = Vec::new();
    for (number, kind) in kinds.iter().take(roles).enumerate() {
        let (what, verbs) = [
            ("view", "[get, list, watch]"),
            ("edit", "[create, delete, patch, update]"),
        ][number % 2];
        let kind = kind.to_lowercase();
        people.push(fill(
            ROLE,
            &[
                ("kind", &kind),
                ("what", what),
                ("verbs", verbs),
                ("group", GROUP),
            ],
        ));
    }
    put("operator/operator.yaml", OPERATOR);
    put("operator/role.yaml", &rules);
    put("operator/people.yaml", &people.join("---\n"));
    put(
        "operator/kustomization.yaml",
        "resources:\n  - operator.yaml\n  - role.yaml\n  - people.yaml\n",
    );
    put("overlay/kustomization.yaml", OVERLAY);
}

const OVERLAY: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: data-system
resources:
  - ../crd
  - ../operator
labels:
  - pairs:
      app.kubernetes.io/part-of: data-platform
images:
  - name: controller
    newName: registry.example.com/data/operator
    newTag: v0.31.0
patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: operator
        namespace: platform-system
      spec:
        replicas: 2
        template:
          spec:
            containers:
              - name: manager
                resources:
                  limits:
                    memory: 512Mi
    target:
      kind: Deployment
";
