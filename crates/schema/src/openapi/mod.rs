//! OpenAPI v3 documents: what kubectl reads to explain, validate and patch objects.
//!
//! One document per group and version, made on first request. Schemas of built-in kinds come from
//! the k8s-openapi crate (structure and descriptions), joined with list types, patch keys and
//! defaults from our type table; those of custom resources from their definitions.
//!
//! Deliberately absent: deprecated watch paths, which are not served either, and protobuf answers.

use std::sync::OnceLock;

use object::{Map, Node};

use crate::builtin::{Kind, kinds};

mod components;
mod paths;

/// Version of the described API, as the documents state it.
const API_VERSION: &str = "v1.36.3";

/// What the document of a custom resource is made from.
#[derive(Clone, Copy, Debug)]
pub struct Custom<'a> {
    /// API group.
    pub group: &'a str,
    /// API version.
    pub version: &'a str,
    /// Kind.
    pub kind: &'a str,
    /// Kind of its lists.
    pub list_kind: &'a str,
    /// Plural, as in paths.
    pub plural: &'a str,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// The schema of this version as the definition has it; `None` accepts anything.
    pub schema: Option<&'a Node>,
    /// Whether the status subresource is served.
    pub status: bool,
    /// Whether the scale subresource is served.
    pub scale: bool,
}

/// A resource as paths need it, built-in or custom.
struct Resource<'a> {
    group: &'a str,
    version: &'a str,
    kind: &'a str,
    plural: &'a str,
    namespaced: bool,
    verbs: &'a [&'a str],
    /// Name, the body's schema, its group, version and kind when they differ, and verbs.
    subresources: Vec<Sub<'a>>,
    schema: String,
    list_schema: String,
    /// Custom resources take no strategic merge patches.
    strategic: bool,
}

struct Sub<'a> {
    name: &'a str,
    serves: Option<(&'a str, &'a str, &'a str)>,
    schema: String,
    verbs: &'a [&'a str],
}

/// The built-in group-versions, in the order of discovery: `("", "v1")`, `("apps", "v1")`, ….
pub fn group_versions() -> Vec<(&'static str, &'static str)> {
    let mut known: Vec<(&str, &str)> = Vec::new();
    for kind in kinds() {
        if !known.contains(&(kind.group, kind.version)) {
            known.push((kind.group, kind.version));
        }
    }
    known
}

/// The document of a built-in group-version; made once, then shared.
pub fn document(group: &str, version: &str) -> Option<Node> {
    static DOCUMENTS: [OnceLock<Node>; GROUP_VERSIONS_MAX] =
        [const { OnceLock::new() }; GROUP_VERSIONS_MAX];
    let at = group_versions()
        .iter()
        .position(|known| *known == (group, version))?;
    let slot = DOCUMENTS.get(at)?;
    Some(
        slot.get_or_init(|| builtin_document(group, version))
            .clone(),
    )
}

/// Built-in group-versions there may be; there are 21.
const GROUP_VERSIONS_MAX: usize = 32;

fn builtin_document(group: &str, version: &str) -> Node {
    let served = kinds()
        .iter()
        .filter(|kind| (kind.group, kind.version) == (group, version));
    let schemas = components::builtin(group, version);
    let resources: Vec<Resource<'_>> = served.map(builtin_resource).collect();
    assemble(&resources, schemas)
}

fn builtin_resource(kind: &'static Kind) -> Resource<'static> {
    let schema = components::name_of(&kind.api_version(), kind.kind);
    // Connections to containers and proxies take no objects.
    let connects = |served: &(&str, &str, &str)| served.2.ends_with("Options");
    let objects = kind
        .subresources
        .iter()
        .filter(|sub| !sub.serves.as_ref().is_some_and(connects));
    let subresources = objects.map(|sub| Sub {
        name: sub.name,
        serves: sub.serves.map(|(group, version, body)| match version {
            "" => (kind.group, kind.version, body),
            version => (group, version, body),
        }),
        schema: match sub.serves {
            Some((group, version, body)) => {
                let api_version = match (group, version) {
                    (_, "") => kind.api_version(),
                    ("", version) => version.to_owned(),
                    (group, version) => format!("{group}/{version}"),
                };
                components::name_of(&api_version, body)
            }
            None => schema.clone(),
        },
        verbs: sub.verbs,
    });
    Resource {
        group: kind.group,
        version: kind.version,
        kind: kind.kind,
        plural: kind.plural,
        namespaced: kind.namespaced,
        verbs: kind.verbs,
        subresources: subresources.collect(),
        list_schema: format!("{schema}List"),
        schema,
        strategic: true,
    }
}

const CUSTOM_VERBS: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
const SUBRESOURCE_VERBS: &[&str] = &["get", "patch", "update"];

/// The document of a group-version that custom resources serve; all of `served` belong to it.
pub fn custom(served: &[Custom<'_>]) -> Node {
    let schemas = components::custom(served);
    let resources: Vec<Resource<'_>> = served
        .iter()
        .map(|custom| {
            let schema = components::custom_name(custom.group, custom.version, custom.kind);
            let list_schema =
                components::custom_name(custom.group, custom.version, custom.list_kind);
            let scale = custom.scale.then(|| Sub {
                name: "scale",
                serves: Some(("autoscaling", "v1", "Scale")),
                schema: components::name_of("autoscaling/v1", "Scale"),
                verbs: SUBRESOURCE_VERBS,
            });
            let status = custom.status.then(|| Sub {
                name: "status",
                serves: None,
                schema: schema.clone(),
                verbs: SUBRESOURCE_VERBS,
            });
            Resource {
                group: custom.group,
                version: custom.version,
                kind: custom.kind,
                plural: custom.plural,
                namespaced: custom.namespaced,
                verbs: CUSTOM_VERBS,
                subresources: scale.into_iter().chain(status).collect(),
                schema,
                list_schema,
                strategic: false,
            }
        })
        .collect();
    assemble(&resources, schemas)
}

fn assemble(resources: &[Resource<'_>], schemas: Map) -> Node {
    let mut all = Map::new();
    for resource in resources {
        paths::add(&mut all, resource);
    }
    all.sort_keys();
    let mut document = Node::map();
    document.set(&["openapi"], "3.0.0");
    document.set(&["info", "title"], "Kubernetes");
    document.set(&["info", "version"], API_VERSION);
    document.set(&["paths"], all);
    document.set(&["components", "schemas"], schemas);
    let token: Map = [
        ("type", "apiKey"),
        ("name", "authorization"),
        ("in", "header"),
    ]
    .into_iter()
    .collect();
    document.set(&["components", "securitySchemes", "BearerToken"], token);
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` of a document.
    fn references(node: &Node, found: &mut Vec<String>) {
        match node {
            Node::Map(map) => {
                for (key, value) in map.iter() {
                    match (key.as_str(), value) {
                        ("$ref", Node::String(target)) => found.push(target.to_string()),
                        (_, value) => references(value, found),
                    }
                }
            }
            Node::List(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    fn check_references(document: &Node) {
        let mut found = Vec::new();
        references(document, &mut found);
        assert!(!found.is_empty());
        for target in found {
            let name = target
                .strip_prefix("#/components/schemas/")
                .expect("a component");
            assert!(
                document.at(&["components", "schemas", name]).is_some(),
                "{name} is missing"
            );
        }
    }

    #[test]
    fn every_built_in_document_describes_its_kinds_and_is_whole() {
        for (group, version) in group_versions() {
            let document = document(group, version).expect("built in");
            check_references(&document);
            for kind in kinds()
                .iter()
                .filter(|kind| (kind.group, kind.version) == (group, version))
            {
                let name = components::name_of(&kind.api_version(), kind.kind);
                let schema = document.at(&["components", "schemas", &name]);
                let schema = schema.unwrap_or_else(|| panic!("{name} is missing"));
                let kinds = schema
                    .get("x-kubernetes-group-version-kind")
                    .and_then(Node::as_list);
                let kinds = kinds.unwrap_or_else(|| panic!("{name} has no kind"));
                assert!(
                    kinds
                        .iter()
                        .any(|known| known.str_at(&["kind"]) == Some(kind.kind))
                );
            }
        }
    }

    #[test]
    fn a_patch_says_what_kubectl_looks_for() {
        let document = document("apps", "v1").expect("built in");
        let path = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}";
        let patch = document.at(&["paths", path, "patch"]).expect("patchable");
        assert_eq!(
            patch.str_at(&["x-kubernetes-group-version-kind", "kind"]),
            Some("Deployment")
        );
        let parameters = patch
            .get("parameters")
            .and_then(Node::as_list)
            .expect("parameters");
        for wanted in ["fieldValidation", "dryRun", "fieldManager", "force"] {
            let found = |parameter: &Node| parameter.str_at(&["name"]) == Some(wanted);
            assert!(parameters.iter().any(found), "{wanted}");
        }
        let strategic = "application/strategic-merge-patch+json";
        assert!(patch.at(&["requestBody", "content", strategic]).is_some());
        let containers = [
            "components",
            "schemas",
            "io.k8s.api.core.v1.PodSpec",
            "properties",
            "containers",
        ];
        let containers = document.at(&containers).expect("containers");
        assert_eq!(
            containers.str_at(&["x-kubernetes-patch-merge-key"]),
            Some("name")
        );
        assert_eq!(containers.str_at(&["x-kubernetes-list-type"]), Some("map"));
    }

    #[test]
    fn a_custom_document_wraps_the_schema_and_takes_no_strategic_patch() {
        let mut schema = Node::map();
        schema.set(&["type"], "object");
        schema.set(&["properties", "spec", "type"], "object");
        let widget = Custom {
            group: "stable.example.com",
            version: "v1",
            kind: "Widget",
            list_kind: "WidgetList",
            plural: "widgets",
            namespaced: true,
            schema: Some(&schema),
            status: true,
            scale: true,
        };
        let document = custom(&[widget]);
        check_references(&document);
        let properties = [
            "components",
            "schemas",
            "com.example.stable.v1.Widget",
            "properties",
        ];
        let properties = document.at(&properties).expect("the wrapped schema");
        for key in ["apiVersion", "kind", "metadata", "spec"] {
            assert!(properties.get(key).is_some(), "{key}");
        }
        let path = "/apis/stable.example.com/v1/namespaces/{namespace}/widgets/{name}";
        let content = document.at(&["paths", path, "patch", "requestBody", "content"]);
        let content = content.expect("patchable");
        assert!(
            content
                .get("application/strategic-merge-patch+json")
                .is_none()
        );
        assert!(content.get("application/merge-patch+json").is_some());
        let scale = format!("{path}/scale");
        let kind = [
            "paths",
            &scale,
            "get",
            "x-kubernetes-group-version-kind",
            "kind",
        ];
        assert_eq!(document.str_at(&kind), Some("Scale"));
    }
}
