//! Both forms of discovery describe what is served.

use super::*;
use crate::Features;

fn get(path: &str, accept: &str) -> Response {
    let state = State::empty(Features::default());
    let request = Request {
        accept: Some(accept.into()),
        ..Request::new("GET", path, "")
    };
    respond(&state, &request).expect("a path of discovery")
}

#[test]
fn versions_sort_as_kubernetes_prefers_them() {
    let mut versions = [
        "v1alpha1", "foo", "v10", "v2", "v1beta2", "v1", "v1beta1", "bar",
    ];
    versions.sort_by(|left, right| documents::compare_versions(right, left));
    assert_eq!(
        versions,
        [
            "v10", "v2", "v1", "v1beta2", "v1beta1", "v1alpha1", "bar", "foo"
        ]
    );
}

#[test]
fn the_first_media_range_that_can_be_answered_decides() {
    let aggregated = AGGREGATED;
    let old = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
    let table = [
        (
            format!("{aggregated},{old},application/json"),
            200,
            "APIGroupDiscoveryList",
        ),
        (format!("{old},application/json"), 200, "APIGroupList"),
        (String::new(), 200, "APIGroupList"),
        ("application/yaml".to_owned(), 200, "APIGroupList"),
        (old.to_owned(), 406, "Status"),
        ("text/html".to_owned(), 406, "Status"),
    ];
    for (accept, status, kind) in table {
        let response = get("/apis", &accept);
        assert_eq!(response.status, status, "{accept}");
        assert_eq!(
            response.node().and_then(|node| node.str_at(&["kind"])),
            Some(kind),
            "{accept}"
        );
    }
}

#[test]
fn both_forms_list_the_same_resources() {
    let document = get("/apis", AGGREGATED);
    let groups = document
        .node()
        .and_then(|node| node.get("items")?.as_list())
        .expect("groups");
    assert!(groups.len() > 15);
    for group in groups {
        let name = group.str_at(&["metadata", "name"]).expect("a name");
        for version in group
            .get("versions")
            .and_then(Node::as_list)
            .expect("versions")
        {
            let version_name = version.str_at(&["version"]).expect("a version");
            let mut names = Vec::new();
            for resource in version
                .get("resources")
                .and_then(Node::as_list)
                .expect("resources")
            {
                let plural = resource.str_at(&["resource"]).expect("a plural");
                names.push(plural.to_owned());
                let subs = resource
                    .get("subresources")
                    .and_then(Node::as_list)
                    .unwrap_or_default();
                names.extend(subs.iter().map(|sub| {
                    format!("{plural}/{}", sub.str_at(&["subresource"]).expect("a name"))
                }));
            }
            let list = get(&format!("/apis/{name}/{version_name}"), "application/json");
            let list = list
                .node()
                .and_then(|node| node.get("resources")?.as_list())
                .expect("a list")
                .to_vec();
            let legacy: Vec<_> = list
                .iter()
                .map(|one| one.str_at(&["name"]).expect("a name"))
                .collect();
            assert_eq!(names, legacy, "{name}/{version_name}");
        }
    }
}

#[test]
fn an_unchanged_document_is_not_sent_again() {
    let first = get("/apis", AGGREGATED);
    let etag = first.header("ETag").expect("an ETag").to_owned();
    let state = State::empty(Features::default());
    let again = Request {
        accept: Some(AGGREGATED.into()),
        if_none_match: Some(etag),
        ..Request::new("GET", "/apis", "")
    };
    let again = respond(&state, &again).expect("an answer");
    assert_eq!((again.status, again.encode().len()), (304, 0));
}

#[test]
fn unknown_groups_and_versions_differ() {
    assert_eq!(
        get("/apis/nope.example.com", "").encode(),
        b"404 page not found\n"
    );
    assert_eq!(
        get("/apis/apps/v9", "")
            .node()
            .and_then(|node| node.str_at(&["reason"])),
        Some("NotFound")
    );
    assert_eq!(get("/api/", "").status, 200);
}

#[test]
fn every_document_is_found_by_its_hash_and_holds_what_it_refers_to() {
    let root = get("/openapi/v3", "");
    let paths = root
        .node()
        .and_then(|node| node.get("paths")?.as_map())
        .expect("paths")
        .clone();
    assert!(paths.contains_key("api/v1") && paths.contains_key("apis/apps/v1"));
    for (path, entry) in paths.iter() {
        let address = entry.str_at(&["serverRelativeURL"]).expect("an address");
        let answer = get_with_query(address);
        assert_eq!(
            (answer.status, answer.header("Cache-Control")),
            (200, Some("public, immutable")),
            "{path}"
        );
        let text = answer.encode();
        let document = object::json::parse(&text, object::json::ANSWER_LIMITS).expect("JSON");
        let schemas = document
            .at(&["components", "schemas"])
            .and_then(Node::as_map)
            .expect("schemas");
        let mut references = Vec::new();
        collect_references(&document, &mut references);
        for reference in references {
            assert!(
                schemas
                    .get(&reference)
                    .is_some_and(|schema| !schema.is_null()),
                "{path} refers to {reference}"
            );
        }
    }
    let wrong = get_with_query("/openapi/v3/apis/apps/v1?hash=00");
    assert_eq!(wrong.status, 301);
    assert_eq!(
        wrong.header("Location"),
        paths
            .get("apis/apps/v1")
            .and_then(|entry| entry.str_at(&["serverRelativeURL"]))
    );
}

#[test]
fn a_patch_says_what_clients_look_for() {
    let answer = get("/openapi/v3/apis/apps/v1", "application/json");
    let document =
        object::json::parse(&answer.encode(), object::json::ANSWER_LIMITS).expect("JSON");
    let path = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}";
    let patch = document.at(&["paths", path, "patch"]).expect("a patch");
    assert_eq!(
        patch.str_at(&["x-kubernetes-group-version-kind", "kind"]),
        Some("Deployment")
    );
    let parameters = patch
        .get("parameters")
        .and_then(Node::as_list)
        .expect("parameters");
    for wanted in ["fieldValidation", "dryRun"] {
        assert!(
            parameters
                .iter()
                .any(|parameter| parameter.str_at(&["name"]) == Some(wanted)),
            "{wanted}"
        );
    }
    assert!(
        patch
            .at(&[
                "requestBody",
                "content",
                "application/strategic-merge-patch+json"
            ])
            .is_some()
    );
}

fn get_with_query(address: &str) -> Response {
    let request = Request::new("GET", address, "");
    respond(&State::empty(Features::default()), &request).expect("a document")
}

fn collect_references(node: &Node, found: &mut Vec<String>) {
    match node {
        Node::Map(map) => {
            if let Some(reference) = map.get("$ref").and_then(Node::as_str) {
                found.extend(
                    reference
                        .strip_prefix("#/components/schemas/")
                        .map(str::to_owned),
                );
            }
            map.values()
                .for_each(|value| collect_references(value, found));
        }
        Node::List(list) => list.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}
