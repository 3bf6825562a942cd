//! Documents that describe the API: groups, resources, version, OpenAPI.
//!
//! # Source
//! kubernetes/apiserver `pkg/endpoints/discovery`; OpenAPI: kubernetes/kube-openapi `pkg/handler3`.

mod documents;
mod openapi;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use object::{Map, Node};
use sha2::{Digest as _, Sha256, Sha512};

use crate::{Body, Format, Refusal, Request, ResourceType, Response, State};

/// What the aggregated form of discovery is asked for and answered as.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Answers paths that describe the API: `/`, `/api`, `/apis/<group>`, `/openapi/v3`, `/version`.
///
/// `None` when the path is something else.
pub fn respond(state: &State, request: &Request) -> Option<Response> {
    let path = request.path.trim_end_matches('/');
    // The two roots answer whatever the method is, as upstream's do.
    let reads = matches!(request.method.as_str(), "GET" | "HEAD");
    if !reads && !matches!(path, "/api" | "/apis") {
        let described = ["/api", "/apis", "/openapi", "/version"]
            .iter()
            .any(|root| path == *root || path.starts_with(&format!("{root}/")));
        return described.then(|| Refusal::method_not_allowed().into_response());
    }
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let document = match parts[..] {
        [] => return Some(legacy(request, documents::paths(state))),
        ["version"] => return Some(legacy(request, documents::version(state))),
        ["openapi", "v2"] => return Some(openapi::version_two()),
        ["openapi", "v3"] => return Some(openapi::root(state)),
        ["openapi", "v3", ref rest @ ..] => {
            return Some(openapi::document(state, request, &rest.join("/")));
        }
        ["api"] if wants_aggregated(request) => {
            return Some(aggregated(request, &documents::aggregated(state, true)));
        }
        ["apis"] if wants_aggregated(request) => {
            return Some(aggregated(request, &documents::aggregated(state, false)));
        }
        ["api"] => Some(documents::core_versions()),
        ["apis"] => Some(documents::groups(state)),
        ["api", version] => match documents::resources(state, "", version) {
            Some(list) => Some(list),
            None => return Some(not_served()),
        },
        ["apis", group] => documents::group(state, group),
        ["apis", group, version] => match documents::resources(state, group, version) {
            Some(list) => Some(list),
            None if documents::group(state, group).is_some() => return Some(not_served()),
            None => None,
        },
        _ => return None,
    };
    Some(match document {
        Some(document) => legacy(request, document),
        None => Refusal::unknown_path().into_response(),
    })
}

/// A version or resource that a served group does not have.
fn not_served() -> Response {
    let refusal = Refusal::new(
        404,
        "NotFound",
        "the server could not find the requested resource",
    );
    Refusal {
        bare_details: true,
        ..refusal
    }
    .into_response()
}

/// The media ranges of the request, likeliest first, each with its parameters.
fn accepted(request: &Request) -> Vec<(String, Vec<String>)> {
    let accept = request
        .accept
        .as_deref()
        .filter(|accept| !accept.trim().is_empty())
        .unwrap_or("*/*");
    let ranges = accept.split(',').map(|range| {
        let mut parts = range.split(';').map(|part| part.trim().to_owned());
        (parts.next().unwrap_or_default(), parts.collect())
    });
    ranges.collect()
}

fn wants_aggregated(request: &Request) -> bool {
    let wanted = |parameters: &[String]| {
        ["g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"]
            .iter()
            .all(|one| parameters.iter().any(|have| have == one))
    };
    // The first range that can be answered decides.
    let first = accepted(request).into_iter().find(|(media, parameters)| {
        media == "application/json" && wanted(parameters)
            || plain_format(media, parameters).is_some()
    });
    first.is_some_and(|(_, parameters)| wanted(&parameters))
}

/// How the plain form of a document is written for a media range; `None` when it cannot be.
fn plain_format(media: &str, parameters: &[String]) -> Option<Format> {
    if parameters
        .iter()
        .any(|parameter| parameter.starts_with("as="))
    {
        return None;
    }
    match media {
        "application/json" | "application/*" | "*/*" => Some(Format::Json),
        "application/yaml" => Some(Format::Yaml),
        _ => None,
    }
}

/// A document in the form the client takes, JSON or YAML.
fn legacy(request: &Request, document: Node) -> Response {
    let format = accepted(request)
        .iter()
        .find_map(|(media, parameters)| plain_format(media, parameters));
    let Some(format) = format else {
        let message = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";
        return Refusal::new(406, "NotAcceptable", message).into_response();
    };
    let media = if format == Format::Yaml {
        "application/yaml"
    } else {
        "application/json"
    };
    Response {
        status: 200,
        headers: vec![("Content-Type".into(), media.into())],
        body: Body::Node(document),
        format,
    }
}

fn aggregated(request: &Request, document: &Node) -> Response {
    let response = Response {
        status: 200,
        headers: vec![("Content-Type".into(), AGGREGATED.into())],
        body: Body::Node(document.clone()),
        format: Format::Json,
    };
    let etag = format!("\"{}\"", upper_hex_sha512(&response.encode()));
    let unchanged = request.if_none_match.as_deref() == Some(etag.as_str());
    let response = match unchanged {
        true => Response {
            status: 304,
            body: Body::Text(String::new()),
            ..response
        },
        false => response,
    };
    response
        .with_header("ETag", etag)
        .with_header("Vary", "Accept")
        .with_header("Cache-Control", "public")
}

fn upper_hex_sha512(bytes: &[u8]) -> String {
    Sha512::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect()
}

/// The hash by which clients notice that the stored version of a resource changed; only resources
/// that are stored have one.
fn storage_version_hash(resource: &ResourceType) -> Option<String> {
    if !resource.verbs.iter().any(|verb| verb == "watch") {
        return None;
    }
    let group = resource
        .storage
        .split_once('.')
        .map_or("", |(_, group)| group);
    // These are stored upstream in an older version than the one that is served.
    let version = match resource.kind.as_str() {
        "CustomResourceDefinition"
        | "MutatingAdmissionPolicy"
        | "MutatingAdmissionPolicyBinding"
            if resource.custom.is_none() =>
        {
            "v1beta1"
        }
        _ => resource.storage_version.as_str(),
    };
    let text = format!("{group}/{version}/{}", resource.kind);
    Some(STANDARD.encode(&Sha256::digest(text.as_bytes())[..8]))
}

fn texts<'a>(items: impl IntoIterator<Item = &'a object::Text>) -> Node {
    Node::list(items.into_iter().map(|item| Node::String(item.clone())))
}

/// A map from pairs.
fn map<const N: usize>(pairs: [(&str, Node); N]) -> Node {
    pairs.into_iter().collect::<Map>().into()
}

#[cfg(test)]
mod tests;
