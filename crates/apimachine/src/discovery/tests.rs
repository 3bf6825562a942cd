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
