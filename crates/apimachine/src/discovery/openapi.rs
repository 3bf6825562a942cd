//! OpenAPI documents, one for each group version, named by their hashes.
//!
//! Documents of built-in groups are the same for every cluster and made once; those of custom
//! resources follow their definitions.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use object::{Map, Node, json};

use super::{operations, schemas, upper_hex_sha512};
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
        let mut paths = Documents::new();
        for resource in crate::builtin::types().values() {
            paths.entry(path_of(resource)).or_default();
            if !resource.group.is_empty() {
                paths.entry(format!("apis/{}", resource.group)).or_default();
            }
        }
        for path in ["api", "apis", "version"] {
            paths.entry(path.to_owned()).or_default();
        }
        paths
    })
}

/// `api/v1` or `apis/apps/v1`.
fn path_of(resource: &ResourceType) -> String {
    match resource.group.as_str() {
        "" => format!("api/{}", resource.version),
        group => format!("apis/{group}/{}", resource.version),
    }
}

fn make_built_in(path: &str) -> Document {
    let types = crate::builtin::types();
    let resources: Vec<&Arc<ResourceType>> = types
        .values()
        .filter(|resource| path_of(resource) == path)
        .collect();
    make(path, &resources)
}

fn custom_paths(state: &State) -> Vec<String> {
    let mut paths: Vec<String> = state
        .resource_types()
        .filter(|resource| resource.custom.is_some())
        .map(|resource| path_of(resource))
        .collect();
    paths.dedup();
    paths
}

fn custom(state: &State, path: &str) -> Option<Document> {
    let resources: Vec<&Arc<ResourceType>> = state
        .resource_types()
        .filter(|resource| resource.custom.is_some() && path_of(resource) == path)
        .collect();
    (!resources.is_empty()).then(|| make(path, &resources))
}

fn make(path: &str, resources: &[&Arc<ResourceType>]) -> Document {
    let mut schemas = schemas::Schemas::default();
    let mut paths = Map::new();
    for resource in resources {
        operations::add(resource, &mut paths, &mut schemas);
    }
    if resources.is_empty() {
        operations::add_discovery(path, &mut paths);
    }
    paths.sort_keys();
    let scheme = super::map([
        ("type", "apiKey".into()),
        ("in", "header".into()),
        ("name", "authorization".into()),
    ]);
    let document = super::map([
        ("openapi", "3.0.0".into()),
        (
            "info",
            super::map([
                ("title", "Kubernetes".into()),
                ("version", "v1.36.3".into()),
            ]),
        ),
        ("paths", paths.into()),
        (
            "components",
            super::map([
                ("schemas", schemas.finish()),
                ("securitySchemes", super::map([("BearerToken", scheme)])),
            ]),
        ),
    ]);
    let text = json::to_string(&document);
    let hash = upper_hex_sha512(text.as_bytes());
    Document { text, hash }
}

/// A reference to a schema.
pub(super) fn reference(name: &str) -> Node {
    super::map([("$ref", format!("#/components/schemas/{name}").into())])
}
