//! The roles every cluster starts with, and roles that collect the rules of others.

use object::{LabelSelector, Map, Node, Text};

use super::{AUTHENTICATED, GROUP, MASTERS, UNAUTHENTICATED};

/// Groups, resources and verbs of one rule, separated by blanks; the core group is written `core`.
type Grant = (&'static str, &'static str, &'static str);

const READ: &str = "get list watch";
const ALL: &str = "create delete deletecollection get list patch update watch";
const WRITE: &str = "create delete deletecollection patch update";

/// Marks roles and bindings that the server keeps up to date.
const BOOTSTRAPPING: (&str, &str) = ("kubernetes.io/bootstrapping", "rbac-defaults");

/// The objects a fresh cluster holds: `cluster-admin`, `admin`, `edit`, `view` and the roles they
/// will collect (see [`aggregate`]), and what discovery and health need. `apiVersion`, `kind` and `metadata.name` are set;
/// nothing that the store assigns.
///
/// # Source
/// kubernetes/kubernetes `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`, without the
/// roles of components that do not run here.
pub fn bootstrap_objects() -> Vec<Node> {
    let mut objects = vec![
        role(
            "cluster-admin",
            &[],
            [resources(&("*", "*", "*")), paths("*", "*")],
        ),
        collector("admin", &[]),
        collector("edit", &["admin"]),
        collector("view", &["edit"]),
        role(
            "system:aggregate-to-admin",
            &["admin"],
            ADMIN.iter().map(resources),
        ),
        role(
            "system:aggregate-to-edit",
            &["edit"],
            EDIT.iter().map(resources),
        ),
        role(
            "system:aggregate-to-view",
            &["view"],
            VIEW.iter().map(resources),
        ),
        role("system:basic-user", &[], BASIC.iter().map(resources)),
        role(
            "system:auth-delegator",
            &[],
            DELEGATOR.iter().map(resources),
        ),
        role(
            "system:discovery",
            &[],
            [paths(
                "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/",
                "get",
            )],
        ),
        role(
            "system:public-info-viewer",
            &[],
            [paths("/healthz /livez /readyz /version /version/", "get")],
        ),
        role(
            "system:monitoring",
            &[],
            [paths(
                "/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*",
                "get",
            )],
        ),
        role(
            "system:service-account-issuer-discovery",
            &[],
            [paths(
                "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
                "get",
            )],
        ),
    ];
    for (name, groups) in [
        ("cluster-admin", &[MASTERS][..]),
        ("system:basic-user", &[AUTHENTICATED]),
        ("system:discovery", &[AUTHENTICATED]),
        (
            "system:public-info-viewer",
            &[AUTHENTICATED, UNAUTHENTICATED],
        ),
        ("system:monitoring", &["system:monitoring"]),
        (
            "system:service-account-issuer-discovery",
            &["system:serviceaccounts"],
        ),
    ] {
        objects.push(binding(name, groups));
    }
    objects
}

/// What ClusterRoles with an `aggregationRule` should hold: name and `rules`, only where the rules
/// differ from the present ones. Apply until it answers nothing: a collector may collect collectors.
///
/// # Source
/// kubernetes/kubernetes `pkg/controller/clusterroleaggregation`.
pub fn aggregate(cluster_roles: &[Node]) -> Vec<(Text, Node)> {
    let mut roles: Vec<&Node> = cluster_roles.iter().collect();
    roles.sort_by_key(|role| role.str_at(&["metadata", "name"]).unwrap_or_default());
    let mut current: Vec<Option<Node>> = roles
        .iter()
        .map(|role| role.get("rules").cloned())
        .collect();
    // Three rounds reach the deepest bootstrap chain (view, edit, admin); deeper chains end with the next write.
    for _ in 0..3 {
        for at in 0..roles.len() {
            let Some(selectors) = roles[at]
                .at(&["aggregationRule", "clusterRoleSelectors"])
                .and_then(Node::as_list)
            else {
                continue;
            };
            let mut rules: Vec<Node> = Vec::new();
            for selector in selectors {
                for (other, role) in roles.iter().enumerate() {
                    if other == at || !selects(selector, role) {
                        continue;
                    }
                    for rule in current[other]
                        .as_ref()
                        .and_then(Node::as_list)
                        .unwrap_or_default()
                    {
                        if !rules.contains(rule) {
                            rules.push(rule.clone());
                        }
                    }
                }
            }
            current[at] = if rules.is_empty() {
                None
            } else {
                Some(Node::from(rules))
            };
        }
    }
    let changed = roles.iter().zip(current).filter(|(role, rules)| {
        role.get("aggregationRule")
            .is_some_and(|rule| !rule.is_null())
            && role.get("rules").filter(|node| !node.is_null()) != rules.as_ref()
    });
    changed
        .map(|(role, rules)| {
            (
                role.str_at(&["metadata", "name"])
                    .unwrap_or_default()
                    .into(),
                rules.unwrap_or(Node::Null),
            )
        })
        .collect()
}

/// Whether a label selector of a role takes `object`; an empty one takes all.
fn selects(selector: &Node, object: &Node) -> bool {
    let labels = object.at(&["metadata", "labels"]).and_then(Node::as_map);
    LabelSelector::from_node(selector).matches(labels)
}

fn words(text: &str) -> Vec<Node> {
    text.split_whitespace()
        .map(|word| Node::from(if word == "core" { "" } else { word }))
        .collect()
}

fn resources(&(groups, resources, verbs): &Grant) -> Node {
    let mut rule = Map::new();
    rule.insert("apiGroups", words(groups));
    rule.insert("resources", words(resources));
    rule.insert("verbs", words(verbs));
    Node::Map(rule)
}

fn paths(urls: &str, verbs: &str) -> Node {
    let mut rule = Map::new();
    rule.insert("nonResourceURLs", words(urls));
    rule.insert("verbs", words(verbs));
    Node::Map(rule)
}

fn object(kind: &str, name: &str, aggregated_to: &[&str]) -> Node {
    let mut object = Node::map();
    object.set(&["apiVersion"], format!("{GROUP}/v1"));
    object.set(&["kind"], kind);
    object.set(&["metadata", "name"], name);
    object.set(
        &[
            "metadata",
            "annotations",
            "rbac.authorization.kubernetes.io/autoupdate",
        ],
        "true",
    );
    object.set(&["metadata", "labels", BOOTSTRAPPING.0], BOOTSTRAPPING.1);
    for target in aggregated_to {
        let label = format!("{GROUP}/aggregate-to-{target}");
        object.set(&["metadata", "labels", &label], "true");
    }
    object
}

fn role(name: &str, aggregated_to: &[&str], rules: impl IntoIterator<Item = Node>) -> Node {
    let mut role = object("ClusterRole", name, aggregated_to);
    role.set(&["rules"], rules.into_iter().collect::<Vec<_>>());
    role
}

/// A role without rules of its own that collects those labelled for it.
fn collector(name: &str, aggregated_to: &[&str]) -> Node {
    let mut role = object("ClusterRole", name, aggregated_to);
    let mut selector = Node::map();
    let label = format!("{GROUP}/aggregate-to-{name}");
    selector.set(&["matchLabels", &label], "true");
    role.set(&["aggregationRule", "clusterRoleSelectors"], vec![selector]);
    role
}

fn binding(name: &str, groups: &[&str]) -> Node {
    let mut binding = object("ClusterRoleBinding", name, &[]);
    let mut reference = Map::new();
    reference.insert("apiGroup", GROUP);
    reference.insert("kind", "ClusterRole");
    reference.insert("name", name);
    binding.set(&["roleRef"], reference);
    let subjects = groups.iter().map(|group| {
        let mut subject = Map::new();
        subject.insert("apiGroup", GROUP);
        subject.insert("kind", "Group");
        subject.insert("name", *group);
        Node::Map(subject)
    });
    binding.set(&["subjects"], subjects.collect::<Vec<_>>());
    binding
}

const ADMIN: &[Grant] = &[
    (
        "authorization.k8s.io",
        "localsubjectaccessreviews",
        "create",
    ),
    (GROUP, "rolebindings roles", ALL),
];

const EDIT: &[Grant] = &[
    (
        "core",
        "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy",
        READ,
    ),
    ("core", "serviceaccounts", "impersonate"),
    (
        "core",
        "pods pods/attach pods/exec pods/portforward pods/proxy",
        WRITE,
    ),
    ("core", "pods/eviction", "create"),
    (
        "core",
        "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
        WRITE,
    ),
    ("core events.k8s.io", "events", WRITE),
    ("core", "serviceaccounts/token", "create"),
    (
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
        WRITE,
    ),
    ("autoscaling", "horizontalpodautoscalers", WRITE),
    ("batch", "cronjobs jobs", WRITE),
    (
        "extensions",
        "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale",
        WRITE,
    ),
    ("policy", "poddisruptionbudgets", WRITE),
    ("networking.k8s.io", "ingresses networkpolicies", WRITE),
    ("coordination.k8s.io", "leases", ALL),
    (
        "resource.k8s.io",
        "resourceclaims resourceclaimtemplates",
        WRITE,
    ),
];

const VIEW: &[Grant] = &[
    (
        "core",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
        READ,
    ),
    (
        "core",
        "bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
        READ,
    ),
    ("core", "namespaces", READ),
    ("core events.k8s.io", "events", READ),
    ("discovery.k8s.io", "endpointslices", READ),
    (
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
        READ,
    ),
    (
        "autoscaling",
        "horizontalpodautoscalers horizontalpodautoscalers/status",
        READ,
    ),
    ("batch", "cronjobs cronjobs/status jobs jobs/status", READ),
    (
        "extensions",
        "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
        READ,
    ),
    (
        "policy",
        "poddisruptionbudgets poddisruptionbudgets/status",
        READ,
    ),
    (
        "networking.k8s.io",
        "ingresses ingresses/status networkpolicies",
        READ,
    ),
    (
        "resource.k8s.io",
        "resourceclaims resourceclaims/status resourceclaimtemplates",
        READ,
    ),
];

const BASIC: &[Grant] = &[
    (
        "authorization.k8s.io",
        "selfsubjectaccessreviews selfsubjectrulesreviews",
        "create",
    ),
    ("authentication.k8s.io", "selfsubjectreviews", "create"),
];

const DELEGATOR: &[Grant] = &[
    ("authentication.k8s.io", "tokenreviews", "create"),
    ("authorization.k8s.io", "subjectaccessreviews", "create"),
];
