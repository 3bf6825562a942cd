//! The paths inside an OpenAPI document: what can be done with each resource.

use object::{Map, Node};

use super::map;
use super::openapi::reference;
use super::schemas::Schemas;
use crate::ResourceType;
use crate::types::Subresource;

/// Query parameters by name and type.
const DRY_RUN: (&str, &str) = ("dryRun", "string");
const WRITE: [(&str, &str); 3] = [
    DRY_RUN,
    ("fieldManager", "string"),
    ("fieldValidation", "string"),
];
const DELETE: [(&str, &str); 4] = [
    DRY_RUN,
    ("gracePeriodSeconds", "integer"),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
];
const LIST: [(&str, &str); 10] = [
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
];

/// Adds the paths of a resource and the schemas they use.
pub(super) fn add(resource: &ResourceType, paths: &mut Map, schemas: &mut Schemas) {
    let base = match resource.group.as_str() {
        "" => format!("/api/{}", resource.version),
        group => format!("/apis/{group}/{}", resource.version),
    };
    let plural = &resource.plural;
    let collection = match resource.namespaced {
        true => format!("{base}/namespaces/{{namespace}}/{plural}"),
        false => format!("{base}/{plural}"),
    };
    let has = |verb: &str| resource.verbs.iter().any(|one| one == verb);
    let object = schemas.object(resource);
    let mut methods = Methods {
        resource,
        sub: None,
        name: object,
        schemas,
        path: Map::new(),
    };
    if has("list") {
        methods.list("list");
    }
    if has("create") {
        methods.write("post", "create", &WRITE);
    }
    if has("deletecollection") {
        methods.delete("deletecollection");
    }
    paths.insert(collection.clone(), methods.finish(&["namespace"]));
    if resource.namespaced && has("list") {
        methods.list("list");
        paths.insert(format!("{base}/{plural}"), methods.finish(&[]));
    }
    if has("get") {
        methods.get();
        if has("update") {
            methods.write("put", "put", &WRITE);
        }
        if has("patch") {
            methods.patch();
        }
        if has("delete") {
            methods.delete("delete");
        }
        paths.insert(
            format!("{collection}/{{name}}"),
            methods.finish(&["name", "namespace"]),
        );
    }
    for sub in &resource.subresources {
        let has = |verb: &str| sub.verbs.iter().any(|one| one == verb);
        let name = match &sub.kind {
            Some(kind) => schemas.kind(&kind.group, &kind.version, &kind.kind),
            None => schemas.object(resource),
        };
        let mut methods = Methods {
            resource,
            sub: Some(sub),
            name,
            schemas,
            path: Map::new(),
        };
        if has("get") {
            methods.get();
        }
        if has("create") {
            methods.write("post", "create", &WRITE);
        }
        if has("update") {
            methods.write("put", "put", &WRITE);
        }
        if has("patch") {
            methods.patch();
        }
        paths.insert(
            format!("{collection}/{{name}}/{}", sub.name),
            methods.finish(&["name", "namespace"]),
        );
    }
}

/// The one path of a document that only leads to others.
pub(super) fn add_discovery(path: &str, paths: &mut Map) {
    let operation = map([(
        "responses",
        map([("200", map([("description", "OK".into())]))]),
    )]);
    paths.insert(format!("/{path}/"), map([("get", operation)]));
}

/// The operations of one path in the making.
struct Methods<'a> {
    resource: &'a ResourceType,
    sub: Option<&'a Subresource>,
    /// Schema of what is read and written.
    name: String,
    schemas: &'a mut Schemas,
    path: Map,
}

impl Methods<'_> {
    fn list(&mut self, action: &str) {
        let list = self.schemas.list(self.resource);
        let operation = self.operation(action, &LIST, None, &[("200", &list)]);
        self.path.insert("get", operation);
    }

    fn get(&mut self) {
        let name = self.name.clone();
        let operation = self.operation("get", &[], None, &[("200", &name)]);
        self.path.insert("get", operation);
    }

    fn write(&mut self, method: &str, action: &str, parameters: &[(&str, &str)]) {
        let name = self.name.clone();
        let body = map([("*/*", map([("schema", reference(&name))]))]);
        let operation = self.operation(
            action,
            parameters,
            Some(body),
            &[("200", &name), ("201", &name)],
        );
        self.path.insert(method, operation);
    }

    fn patch(&mut self) {
        let mut parameters = WRITE.to_vec();
        parameters.push(("force", "boolean"));
        let patch = self.schemas.meta("Patch");
        let mut types = vec![
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/apply-patch+yaml",
        ];
        // Clients learn from this whether a strategic merge is understood.
        if self.resource.custom.is_none() {
            types.push("application/strategic-merge-patch+json");
        }
        types.sort_unstable();
        let body: Map = types
            .into_iter()
            .map(|media| (media, map([("schema", reference(&patch))])))
            .collect();
        let name = self.name.clone();
        let operation = self.operation(
            "patch",
            &parameters,
            Some(body.into()),
            &[("200", &name), ("201", &name)],
        );
        self.path.insert("patch", operation);
    }

    fn delete(&mut self, action: &str) {
        let options = self.schemas.meta("DeleteOptions");
        let status = self.schemas.meta("Status");
        let body = map([("*/*", map([("schema", reference(&options))]))]);
        let operation = self.operation(
            action,
            &DELETE,
            Some(body),
            &[("200", &status), ("202", &status)],
        );
        self.path.insert("delete", operation);
    }

    fn operation(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
        body: Option<Node>,
        answers: &[(&str, &str)],
    ) -> Node {
        let resource = self.resource;
        let (group, version, kind) = match self.sub.and_then(|sub| sub.kind.as_ref()) {
            Some(kind) if !kind.version.is_empty() => (&kind.group, &kind.version, &kind.kind),
            Some(kind) => (&resource.group, &resource.version, &kind.kind),
            None => (&resource.group, &resource.version, &resource.kind),
        };
        let mut operation = Map::new();
        let scope = if resource.namespaced {
            "Namespaced"
        } else {
            ""
        };
        let sub = self.sub.map_or("", |sub| sub.name.as_str());
        let id = format!(
            "{action}{}{scope}{}{}",
            capital_words(&resource.group, &resource.version),
            resource.kind,
            capital(sub)
        );
        operation.insert("operationId", id);
        let parameters = parameters
            .iter()
            .map(|(name, kind)| parameter("query", name, kind));
        operation.insert("parameters", Node::list(parameters));
        if let Some(content) = body {
            operation.insert(
                "requestBody",
                map([("content", content), ("required", true.into())]),
            );
        }
        let answers = answers.iter().map(|(code, schema)| {
            let forms = ["application/json", "application/yaml"]
                .map(|media| (media, map([("schema", reference(schema))])));
            (
                *code,
                map([("description", "OK".into()), ("content", map(forms))]),
            )
        });
        let mut responses: Map = answers.collect();
        responses.insert("401", map([("description", "Unauthorized".into())]));
        operation.insert("responses", responses);
        operation.insert("x-kubernetes-action", action);
        operation.insert(
            "x-kubernetes-group-version-kind",
            map([
                ("group", group.clone().into()),
                ("kind", kind.clone().into()),
                ("version", version.clone().into()),
            ]),
        );
        operation.into()
    }

    /// The path with the parameters it contains.
    fn finish(&mut self, names: &[&str]) -> Node {
        let mut path = std::mem::take(&mut self.path);
        let names = names
            .iter()
            .filter(|name| **name != "namespace" || self.resource.namespaced);
        let mut parameters: Vec<Node> = names
            .map(|name| {
                let mut parameter = parameter("path", name, "string");
                parameter.set(&["required"], true);
                parameter
            })
            .collect();
        parameters.push(parameter("query", "pretty", "string"));
        path.insert("parameters", parameters);
        path.into()
    }
}

fn parameter(place: &str, name: &str, kind: &str) -> Node {
    let schema = map([("type", kind.into()), ("uniqueItems", true.into())]);
    map([
        ("name", name.into()),
        ("in", place.into()),
        ("schema", schema),
    ])
}

/// `AppsV1`, `CoreV1`, `RbacAuthorizationV1`.
fn capital_words(group: &str, version: &str) -> String {
    let group = if group.is_empty() { "core" } else { group };
    let group = group.strip_suffix(".k8s.io").unwrap_or(group);
    group.split('.').chain([version]).map(capital).collect()
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}
