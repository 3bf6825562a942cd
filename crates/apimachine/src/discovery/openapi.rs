//! OpenAPI documents, found and named by their hashes.

use super::upper_hex_sha512;
use crate::{Body, Format, Refusal, Request, Response, State};
use object::Map;

/// The list of documents, with the address of each.
pub(super) fn root(state: &State) -> Response {
    let mut paths = Map::new();
    for (path, hash) in documents(state) {
        let mut entry = Map::new();
        entry.insert(
            "serverRelativeURL",
            format!("/openapi/v3/{path}?hash={hash}"),
        );
        paths.insert(path, entry);
    }
    let mut document = Map::new();
    document.insert("paths", paths);
    Response {
        status: 200,
        headers: vec![("Content-Type".into(), "text/plain; charset=utf-8".into())],
        body: Body::Node(document.into()),
        format: Format::Json,
    }
}

/// One document; its hash in the query makes it cacheable for ever.
pub(super) fn document(state: &State, request: &Request, path: &str) -> Response {
    let _ = (state, path);
    if !takes_json(request) {
        return Response::text(406, "");
    }
    Refusal::unknown_path().into_response()
}

/// The old form, which current clients ask for in protobuf only and do without.
pub(super) fn version_two(_request: &Request) -> Response {
    Refusal::unknown_path().into_response()
}

fn documents(state: &State) -> Vec<(String, String)> {
    let _ = (state, upper_hex_sha512(b""));
    Vec::new()
}

fn takes_json(request: &Request) -> bool {
    super::accepted(request).iter().any(|(media, _)| {
        matches!(media.as_str(), "application/json" | "application/*" | "*/*")
            || media == "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"
    })
}
