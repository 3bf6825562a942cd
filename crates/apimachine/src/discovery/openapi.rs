//! OpenAPI documents, one for each group version, named by their hashes.
//!
//! Documents of built-in groups are the same for every cluster and made once; those of custom
//! resources follow their definitions.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use object::{Map, Node, json};
use schema::openapi::{self, Custom};

use super::{map, upper_hex_sha512};
use crate::{Body, Format, Refusal, Request, ResourceType, Response, State};

/// The media type of the protobuf form, which Go clients offer beside JSON.
const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";

/// When an answer that never changes expires; there is no clock here to say "in a year".
const FAR_FUTURE: &str = "Thu, 31 Dec 2099 23:59:59 GMT";

/// A document and its hash.
struct Document {
    text: String,
    hash: String,
}

/// Documents by the path below `/openapi/v3/`, made when first asked for.
type Documents = BTreeMap<String, OnceLock<Document>>;

/// The list of documents, with the address of each.
pub(super) fn root(state: &State) -> Response {
    let mut paths = BTreeMap::new();
    for (path, document) in built_in() {
        let document = document.get_or_init(|| make_built_in(path));
        paths.insert(path.clone(), document.hash.clone());
    }
    for path in custom_paths(state) {
        if let Some(document) = custom(state, &path) {
            paths.insert(path, document.hash);
        }
    }
    let mut entries = Map::new();
    for (path, hash) in paths {
        let mut entry = Map::new();
        entry.insert(
            "serverRelativeURL",
            format!("/openapi/v3/{path}?hash={hash}"),
        );
        entries.insert(path, entry);
    }
    let mut document = Map::new();
    document.insert("paths", entries);
    Response {
        status: 200,
        headers: vec![("Content-Type".into(), "text/plain; charset=utf-8".into())],
        body: Body::Node(document.into()),
        format: Format::Json,
    }
}

/// One document. With its hash in the query it may be kept for ever; another hash leads to the right one.
pub(super) fn document(state: &State, request: &Request, path: &str) -> Response {
    let (text, hash) = match built_in().get(path) {
        Some(document) => {
            let document = document.get_or_init(|| make_built_in(path));
            (document.text.clone(), document.hash.clone())
        }
        None => match custom(state, path) {
            Some(document) => (document.text, document.hash),
            None => {
                return Response {
                    headers: Vec::new(),
                    ..Response::text(404, "")
                };
            }
        },
    };
    let takes = |media: &str| {
        matches!(media, "application/json" | "application/*" | "*/*") || media == PROTOBUF
    };
    if !super::accepted(request)
        .iter()
        .any(|(media, _)| takes(media))
    {
        return Response {
            headers: Vec::new(),
            ..Response::text(406, "")
        };
    }
    let etag = format!("\"{hash}\"");
    let wanted = request
        .parameter("hash")
        .filter(|wanted| !wanted.is_empty());
    let (status, cache) = match wanted {
        Some(wanted) if wanted == hash => (200, "public, immutable"),
        Some(_) => (301, "no-cache, private"),
        None => (200, "no-cache, private"),
    };
    let unchanged = status == 200 && request.if_none_match.as_deref() == Some(etag.as_str());
    let mut response = Response::text(
        if unchanged { 304 } else { status },
        if unchanged { String::new() } else { text },
    );
    response.headers = vec![("Content-Type".into(), "application/json".into())];
    let response = response
        .with_header("ETag", etag)
        .with_header("Vary", "Accept")
        .with_header("Cache-Control", cache);
    match status {
        301 => response.with_header("Location", format!("/openapi/v3/{path}?hash={hash}")),
        _ if wanted.is_some() => response.with_header("Expires", FAR_FUTURE),
        _ => response,
    }
}

/// The old form, which current clients ask for in protobuf only and do without.
pub(super) fn version_two() -> Response {
    Refusal::unknown_path().into_response()
}

fn built_in() -> &'static Documents {
    static DOCUMENTS: OnceLock<Documents> = OnceLock::new();
    DOCUMENTS.get_or_init(|| {
        let mut paths: Vec<String> = ["api", "apis", "version"].map(str::to_owned).to_vec();
        for (group, version) in openapi::group_versions() {
            paths.push(path_of(group, version));
            if !group.is_empty() {
                paths.push(format!("apis/{group}"));
            }
        }
        paths
            .into_iter()
            .map(|path| (path, OnceLock::new()))
            .collect()
    })
}

/// `api/v1` or `apis/apps/v1`.
fn path_of(group: &str, version: &str) -> String {
    match group {
        "" => format!("api/{version}"),
        group => format!("apis/{group}/{version}"),
    }
}

fn make_built_in(path: &str) -> Document {
    let mut versions = openapi::group_versions().into_iter();
    let found = versions.find(|(group, version)| path_of(group, version) == path);
    let document = found.and_then(|(group, version)| openapi::document(group, version));
    Document::new(&document.unwrap_or_else(|| signpost(path)))
}

/// The document of a path that only leads to others.
fn signpost(path: &str) -> Node {
    let operation = map([(
        "responses",
        map([("200", map([("description", "OK".into())]))]),
    )]);
    let mut paths = Map::new();
    paths.insert(format!("/{path}/"), map([("get", operation)]));
    map([
        ("openapi", "3.0.0".into()),
        (
            "info",
            map([
                ("title", "Kubernetes".into()),
                ("version", "v1.36.3".into()),
            ]),
        ),
        ("paths", paths.into()),
        ("components", map([("schemas", Node::map())])),
    ])
}

/// Paths of the documents of custom resources, each once.
fn custom_paths(state: &State) -> Vec<String> {
    let custom = state
        .resource_types()
        .filter(|resource| resource.custom.is_some());
    let mut paths: Vec<String> = custom
        .map(|resource| path_of(&resource.group, &resource.version))
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn custom(state: &State, path: &str) -> Option<Document> {
    let served = state
        .resource_types()
        .filter(|resource| path_of(&resource.group, &resource.version) == path);
    let described: Vec<Custom<'_>> = served.filter_map(|resource| describe(resource)).collect();
    (!described.is_empty()).then(|| Document::new(&openapi::custom(&described)))
}

fn describe(resource: &ResourceType) -> Option<Custom<'_>> {
    let version = resource.custom.as_ref()?;
    Some(Custom {
        group: &resource.group,
        version: &resource.version,
        kind: &resource.kind,
        list_kind: &resource.list_kind,
        plural: &resource.plural,
        namespaced: resource.namespaced,
        schema: matches!(version.schema, Node::Map(_)).then_some(&version.schema),
        status: resource.subresource("status").is_some(),
        scale: resource.subresource("scale").is_some(),
    })
}

impl Document {
    fn new(document: &Node) -> Self {
        let text = json::to_string(document);
        let hash = upper_hex_sha512(text.as_bytes());
        Self { text, hash }
    }
}
