//! Which form an answer takes, and how a body is read.
//!
//! # Source
//! kubernetes/apiserver `pkg/endpoints/handlers/negotiation`, `pkg/endpoints/handlers/response.go`.

use golang::Timestamp;
use object::{Map, Node, Text};

use crate::path::is_true;
use crate::response::Format;
use crate::tables::{self, IncludeObject};
use crate::{Refusal, Request, ResourceType, Response};

/// What stands in the body instead of the object itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Form {
    #[default]
    Object,
    /// A Table of this version of `meta.k8s.io`.
    Table(Text),
    Partial,
    PartialList,
}

/// The outcome of reading `Accept`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Negotiated {
    pub form: Form,
    pub format: Format,
}

const TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// Chooses the first acceptable form of an answer.
pub(crate) fn negotiate(request: &Request, watch: bool) -> Result<Negotiated, Refusal> {
    let accept = request.accept.as_deref().unwrap_or_default();
    let mut ranges: Vec<(f64, &str)> = accept
        .split(',')
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .map(|range| (quality(range), range))
        .collect();
    ranges.sort_by(|a, b| b.0.total_cmp(&a.0));
    if ranges.is_empty() {
        return Ok(with_pretty(request, Negotiated::default()));
    }
    let known = |range: &&(f64, &str)| {
        matches!(
            media_type(range.1),
            "*/*" | "application/json" | "application/yaml" | "application/vnd.kubernetes.protobuf"
        )
    };
    if !ranges.iter().any(|range| known(&range)) {
        let message = format!("406: Not Acceptable\n\nAvailable representations: {TYPES}");
        return Err(Refusal {
            bare_details: true,
            ..Refusal::new(406, "NotAcceptable", message)
        });
    }
    match ranges
        .iter()
        .find_map(|(_, range)| acceptable(range, watch))
    {
        Some(negotiated) => Ok(with_pretty(request, negotiated)),
        None => {
            let types = match watch {
                true => {
                    "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
                }
                false => TYPES,
            };
            let message = format!("only the following media types are accepted: {types}");
            Err(Refusal::new(406, "NotAcceptable", message))
        }
    }
}

fn with_pretty(request: &Request, mut negotiated: Negotiated) -> Negotiated {
    let pretty = match request.parameter("pretty") {
        Some(text) => is_true(text),
        None => ["curl", "Wget", "Mozilla"]
            .iter()
            .any(|agent| request.user_agent.starts_with(agent)),
    };
    if pretty && negotiated.format == Format::Json {
        negotiated.format = Format::PrettyJson;
    }
    negotiated
}

fn media_type(range: &str) -> &str {
    range.split(';').next().unwrap_or_default().trim()
}

fn parameters(range: &str) -> impl Iterator<Item = (&str, &str)> {
    range.split(';').skip(1).filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((key.trim(), value.trim().trim_matches('"')))
    })
}

fn quality(range: &str) -> f64 {
    let given = parameters(range).find(|(key, _)| *key == "q");
    given
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(1.0)
}

fn acceptable(range: &str, watch: bool) -> Option<Negotiated> {
    let format = match media_type(range) {
        "*/*" | "application/json" => Format::Json,
        "application/yaml" if !watch => Format::Yaml,
        _ => return None,
    };
    let get = |name: &str| {
        parameters(range)
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    let meta = get("g") == Some("meta.k8s.io");
    let form = match (get("as"), get("v")) {
        (None, _) => Form::Object,
        (Some("Table"), Some(version @ ("v1" | "v1beta1"))) if meta => Form::Table(version.into()),
        (Some("PartialObjectMetadata"), Some("v1")) if meta => Form::Partial,
        (Some("PartialObjectMetadataList"), Some("v1")) if meta => Form::PartialList,
        _ => return None,
    };
    Some(Negotiated { form, format })
}

impl Negotiated {
    /// Puts an object or list into the negotiated form.
    pub(crate) fn respond(
        &self,
        status: u16,
        node: Node,
        resource: &ResourceType,
        request: &Request,
        now: Timestamp,
    ) -> Result<Response, Refusal> {
        let is_list = node.str_at(&["kind"]) == Some(resource.list_kind.as_str());
        let is_status = node.str_at(&["kind"]) == Some("Status");
        let node = match &self.form {
            _ if is_status => node,
            Form::Object => node,
            Form::Table(version) => {
                let include = include_object(request)?;
                let (objects, metadata) = match is_list {
                    true => (
                        items(&node).to_vec(),
                        node.get("metadata").and_then(Node::as_map).cloned(),
                    ),
                    false => {
                        let version = node
                            .str_at(&["metadata", "resourceVersion"])
                            .unwrap_or_default();
                        let metadata = [("resourceVersion", version)].into_iter().collect();
                        (vec![node.clone()], Some(metadata))
                    }
                };
                let mut metadata = metadata.unwrap_or_else(Map::new);
                metadata.retain(|key, value| key != "continue" || value.as_str() != Some(""));
                tables::table(resource, &objects, metadata, include, true, version, now)?
            }
            Form::Partial if is_list => {
                return Err(self.misfit("PartialObjectMetadata", "a list", &node, resource));
            }
            Form::Partial => partial(&node),
            Form::PartialList if !is_list => {
                return Err(self.misfit(
                    "PartialObjectMetadataList",
                    "not a list",
                    &node,
                    resource,
                ));
            }
            Form::PartialList => partial_list(&node),
        };
        Ok(self.finish(Response::json(status, node)))
    }

    /// Sets the headers of the negotiated format.
    pub(crate) fn finish(&self, mut response: Response) -> Response {
        response.format = self.format;
        if self.format == Format::Yaml {
            response.headers.retain(|(name, _)| name != "Content-Type");
            response
                .headers
                .insert(0, ("Content-Type".into(), "application/yaml".into()));
        }
        response
    }

    fn misfit(&self, wanted: &str, is: &str, node: &Node, resource: &ResourceType) -> Refusal {
        let kind = node.str_at(&["kind"]).unwrap_or_default();
        let go = match (&resource.custom, is) {
            (None, _) => format!("*{}.{kind}", package(&resource.group)),
            (Some(_), "a list") => "*unstructured.UnstructuredList".to_owned(),
            (Some(_), _) => "*unstructured.Unstructured".to_owned(),
        };
        let message = format!("you requested {wanted}, but the requested object is {is} ({go})");
        Refusal::new(406, "NotAcceptable", message)
    }
}

/// The Go package of a group's internal types, for messages.
pub(crate) fn package(group: &str) -> &str {
    match group {
        "" | "events.k8s.io" => "core",
        group => group.split('.').next().unwrap_or_default(),
    }
}

/// Reads `includeObject`.
pub(crate) fn include_object(request: &Request) -> Result<IncludeObject, Refusal> {
    match request.parameter("includeObject").unwrap_or_default() {
        "" | "Metadata" => Ok(IncludeObject::Metadata),
        "None" => Ok(IncludeObject::None),
        "Object" => Ok(IncludeObject::Object),
        other => Err(Refusal::bad_request(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be 'Metadata', 'Object', 'None', or empty"
        ))),
    }
}

fn items(list: &Node) -> &[Node] {
    list.get("items")
        .and_then(Node::as_list)
        .unwrap_or_default()
}

/// The metadata of an object as an object of its own.
pub(crate) fn partial(object: &Node) -> Node {
    let mut partial: Map = [
        ("kind", "PartialObjectMetadata"),
        ("apiVersion", "meta.k8s.io/v1"),
    ]
    .into_iter()
    .collect();
    partial.insert(
        "metadata",
        object.get("metadata").cloned().unwrap_or_else(Node::map),
    );
    partial.into()
}

fn partial_list(list: &Node) -> Node {
    let mut partials: Map = [
        ("kind", "PartialObjectMetadataList"),
        ("apiVersion", "meta.k8s.io/v1"),
    ]
    .into_iter()
    .collect();
    partials.insert(
        "metadata",
        list.get("metadata").cloned().unwrap_or_else(Node::map),
    );
    let items = items(list);
    partials.insert(
        "items",
        match items.is_empty() {
            true => Node::Null,
            false => Node::list(items.iter().map(partial)),
        },
    );
    partials.into()
}
