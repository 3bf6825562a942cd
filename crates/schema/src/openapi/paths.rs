//! Paths and operations of the documents.

use object::{Map, Node};

use super::components::{group_version_kind, reference};
use super::{Resource, Sub};

const DELETE_OPTIONS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
const PATCH: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
const STATUS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";

/// A query parameter: name, type, what it does.
type Parameter = (&'static str, &'static str, &'static str);

const PRETTY: Parameter = ("pretty", "string", "If 'true', the answer is indented.");
const DRY_RUN: Parameter = (
    "dryRun",
    "string",
    "With 'All', everything is checked and answered, and nothing is stored.",
);
const FIELD_MANAGER: Parameter = (
    "fieldManager",
    "string",
    "Name of who makes the change, at most 128 printable characters.",
);
const FIELD_VALIDATION: Parameter = (
    "fieldValidation",
    "string",
    "What happens to unknown and duplicate fields: 'Ignore' drops them, 'Warn' says so, 'Strict' refuses the request.",
);
const FORCE: Parameter = (
    "force",
    "boolean",
    "Takes over fields that other managers own. Only for apply patches.",
);
const WRITE: &[Parameter] = &[DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION];
const PATCHES: &[Parameter] = &[DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION, FORCE];
const DELETE: &[Parameter] = &[
    DRY_RUN,
    (
        "gracePeriodSeconds",
        "integer",
        "Seconds until the object is removed; zero removes it at once.",
    ),
    (
        "orphanDependents",
        "boolean",
        "Deprecated, use propagationPolicy: whether dependents stay.",
    ),
    (
        "propagationPolicy",
        "string",
        "What happens to dependents: 'Orphan', 'Background' or 'Foreground'.",
    ),
];
const LIST: &[Parameter] = &[
    (
        "allowWatchBookmarks",
        "boolean",
        "Whether a watch sends events that only carry a resource version.",
    ),
    ("continue", "string", "The token of the previous page."),
    (
        "fieldSelector",
        "string",
        "Keeps objects whose fields have these values.",
    ),
    ("labelSelector", "string", "Keeps objects whose labels fit."),
    ("limit", "integer", "Most objects of one page."),
    (
        "resourceVersion",
        "string",
        "How recent the answer has to be.",
    ),
    (
        "resourceVersionMatch",
        "string",
        "How resourceVersion is meant: 'Exact' or 'NotOlderThan'.",
    ),
    (
        "sendInitialEvents",
        "boolean",
        "Whether a watch begins with the state.",
    ),
    (
        "timeoutSeconds",
        "integer",
        "Seconds after which a list or a watch ends.",
    ),
    (
        "watch",
        "boolean",
        "Answers with a stream of changes instead of a list.",
    ),
];

const PATCH_TYPES: [&str; 3] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/apply-patch+yaml",
];
const STRATEGIC: &str = "application/strategic-merge-patch+json";

/// Adds all paths of a resource.
pub(super) fn add(paths: &mut Map, resource: &Resource<'_>) {
    let root = match resource.group {
        "" => format!("/api/{}", resource.version),
        group => format!("/apis/{group}/{}", resource.version),
    };
    let plural = resource.plural;
    let collection = match resource.namespaced {
        true => format!("{root}/namespaces/{{namespace}}/{plural}"),
        false => format!("{root}/{plural}"),
    };
    let item = format!("{collection}/{{name}}");
    let of = Operations {
        resource,
        sub: None,
    };
    let has = |verb: &str| resource.verbs.contains(&verb);
    let mut path = of.path(resource.namespaced, false);
    if has("list") {
        path.set(&["get"], of.operation("list", "list", resource.namespaced));
    }
    if has("create") {
        path.set(
            &["post"],
            of.operation("create", "post", resource.namespaced),
        );
    }
    if has("deletecollection") {
        let operation = of.operation("deleteCollection", "deletecollection", resource.namespaced);
        path.set(&["delete"], operation);
    }
    paths.insert(collection, path);
    if resource.namespaced && has("list") {
        let mut path = of.path(false, false);
        path.set(&["get"], of.operation("list", "list", false));
        paths.insert(format!("{root}/{plural}"), path);
    }
    if has("get") {
        let mut path = of.path(resource.namespaced, true);
        path.set(&["get"], of.operation("read", "get", resource.namespaced));
        for (method, word, verb) in [
            ("put", "replace", "update"),
            ("patch", "patch", "patch"),
            ("delete", "delete", "delete"),
        ] {
            if has(verb) {
                let action = if verb == "update" { "put" } else { verb };
                path.set(&[method], of.operation(word, action, resource.namespaced));
            }
        }
        paths.insert(item.clone(), path);
    }
    for sub in &resource.subresources {
        let of = Operations {
            resource,
            sub: Some(sub),
        };
        let mut path = of.path(resource.namespaced, true);
        for (method, word, verb) in [
            ("get", "read", "get"),
            ("post", "create", "create"),
            ("put", "replace", "update"),
            ("patch", "patch", "patch"),
        ] {
            if sub.verbs.contains(&verb) {
                let action = match verb {
                    "update" => "put",
                    "create" => "post",
                    verb => verb,
                };
                path.set(&[method], of.operation(word, action, resource.namespaced));
            }
        }
        paths.insert(format!("{item}/{}", sub.name), path);
    }
}

struct Operations<'a> {
    resource: &'a Resource<'a>,
    sub: Option<&'a Sub<'a>>,
}

impl Operations<'_> {
    /// A path with the parameters that all its operations share.
    fn path(&self, namespace: bool, name: bool) -> Node {
        let mut parameters = Vec::new();
        if name {
            parameters.push(in_path(
                "name",
                &format!("Name of the {}.", self.resource.kind),
            ));
        }
        if namespace {
            parameters.push(in_path("namespace", "Namespace of the object."));
        }
        parameters.push(in_query(PRETTY));
        let mut path = Node::map();
        path.set(&["parameters"], parameters);
        path
    }

    /// One operation; `action` is the word of `x-kubernetes-action`.
    fn operation(&self, word: &str, action: &str, namespaced: bool) -> Node {
        let resource = self.resource;
        let schema = self.sub.map_or(&resource.schema, |sub| &sub.schema);
        let mut operation = Node::map();
        operation.set(&["tags"], Node::list([tag(resource).as_str()]));
        operation.set(&["description"], self.description(action));
        operation.set(&["operationId"], self.id(word, action, namespaced));
        let parameters = match action {
            "list" => LIST,
            "post" | "put" => WRITE,
            "patch" => PATCHES,
            "delete" => DELETE,
            "deletecollection" => LIST,
            _ => &[],
        };
        let mut listed: Vec<Node> = parameters.iter().copied().map(in_query).collect();
        if action == "deletecollection" {
            listed.extend(DELETE.iter().copied().map(in_query));
        }
        if !listed.is_empty() {
            operation.set(&["parameters"], listed);
        }
        match action {
            "post" | "put" => {
                operation.set(
                    &["requestBody", "content", "*/*", "schema"],
                    reference(schema),
                );
                operation.set(&["requestBody", "required"], true);
            }
            "patch" => {
                for kind in PATCH_TYPES
                    .into_iter()
                    .chain(resource.strategic.then_some(STRATEGIC))
                {
                    operation.set(
                        &["requestBody", "content", kind, "schema"],
                        reference(PATCH),
                    );
                }
                operation.set(&["requestBody", "required"], true);
            }
            "delete" | "deletecollection" => {
                operation.set(
                    &["requestBody", "content", "*/*", "schema"],
                    reference(DELETE_OPTIONS),
                );
            }
            _ => {}
        }
        let answer = match action {
            "list" => &resource.list_schema,
            "deletecollection" => STATUS,
            "delete" => STATUS,
            _ => schema,
        };
        let codes: &[(&str, &str)] = match action {
            "post" => &[("200", "OK"), ("201", "Created"), ("202", "Accepted")],
            "put" | "patch" => &[("200", "OK"), ("201", "Created")],
            "delete" => &[("200", "OK"), ("202", "Accepted")],
            _ => &[("200", "OK")],
        };
        for (code, text) in codes {
            let response = ["responses", code];
            operation.set(&[response[0], response[1], "description"], *text);
            for kind in ["application/json", "application/yaml"] {
                let at = [response[0], response[1], "content", kind, "schema"];
                operation.set(&at, reference(answer));
            }
            if action == "list" {
                let kind = "application/json;stream=watch";
                let at = [response[0], response[1], "content", kind, "schema"];
                operation.set(&at, reference(answer));
            }
        }
        operation.set(&["responses", "401", "description"], "Unauthorized");
        operation.set(&["x-kubernetes-action"], action);
        let (group, version, kind) = match self.sub.and_then(|sub| sub.serves) {
            Some(served) => served,
            None => (resource.group, resource.version, resource.kind),
        };
        let kinds = group_version_kind(group, version, kind);
        operation.set(&["x-kubernetes-group-version-kind"], kinds);
        operation
    }

    fn description(&self, action: &str) -> String {
        let kind = self.resource.kind;
        let what = match self.sub {
            Some(sub) => format!("the {} of a {kind}", sub.name),
            None => format!("a {kind}"),
        };
        match action {
            "list" => format!("Lists or watches objects of kind {kind}."),
            "post" => format!("Creates {what}."),
            "deletecollection" => format!("Deletes a collection of {kind}."),
            "get" => format!("Reads {what}."),
            "put" => format!("Replaces {what}."),
            "patch" => format!("Changes parts of {what}."),
            _ => format!("Deletes {what}."),
        }
    }

    /// `readAppsV1NamespacedDeploymentStatus`.
    fn id(&self, word: &str, action: &str, namespaced: bool) -> String {
        let resource = self.resource;
        let group = match resource.group {
            "" => "core",
            group => group.strip_suffix(".k8s.io").unwrap_or(group),
        };
        let group: String = group.split(['.', '-']).map(capitalised).collect();
        let version = capitalised(resource.version);
        let scope = if namespaced { "Namespaced" } else { "" };
        let collection = if action == "deletecollection" {
            "Collection"
        } else {
            ""
        };
        let word = word.strip_suffix("Collection").unwrap_or(word);
        let sub = self.sub.map_or(String::new(), |sub| capitalised(sub.name));
        let everywhere = match action == "list" && resource.namespaced && !namespaced {
            true => "ForAllNamespaces",
            false => "",
        };
        let kind = resource.kind;
        format!("{word}{group}{version}{collection}{scope}{kind}{sub}{everywhere}")
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// `apps_v1`, `core_v1`, `rbacAuthorization_v1`.
fn tag(resource: &Resource<'_>) -> String {
    let group = match resource.group {
        "" => "core",
        group => group.strip_suffix(".k8s.io").unwrap_or(group),
    };
    let mut words = group.split(['.', '-']);
    let first = words.next().unwrap_or_default();
    let rest: String = words.map(capitalised).collect();
    format!("{first}{rest}_{}", resource.version)
}

fn in_query((name, kind, description): Parameter) -> Node {
    let mut parameter = Node::map();
    parameter.set(&["name"], name);
    parameter.set(&["in"], "query");
    parameter.set(&["description"], description);
    parameter.set(&["schema", "type"], kind);
    parameter.set(&["schema", "uniqueItems"], true);
    parameter
}

fn in_path(name: &str, description: &str) -> Node {
    let mut parameter = Node::map();
    parameter.set(&["name"], name);
    parameter.set(&["in"], "path");
    parameter.set(&["description"], description);
    parameter.set(&["required"], true);
    parameter.set(&["schema", "type"], "string");
    parameter.set(&["schema", "uniqueItems"], true);
    parameter
}
