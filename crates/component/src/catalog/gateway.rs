//! Where the endpoints of a binding are outside of its data plane's network.
//!
//! # Source
//! openchoreo/openchoreo `internal/controller/releasebinding/controller.go` after v1.2.3: which route is
//! of which endpoint, and which listener gives which address.

use std::collections::BTreeMap;

use object::{Node, Text};

use crate::context::gateway;
use crate::dependencies::EndpointUrl;
use crate::render::{Inputs, Rendering};

/// Label of a route: the endpoint that it leads to.
const ENDPOINT_NAME: &str = "openchoreo.dev/endpoint-name";
/// Label of a route: for whom it is.
const ENDPOINT_VISIBILITY: &str = "openchoreo.dev/endpoint-visibility";
/// Annotation of a route: where the paths of the endpoint start, when its first match does not say.
const ENDPOINT_BASE_PATH: &str = "openchoreo.dev/endpoint-base-path";

/// Addresses of an endpoint at one gateway, by listener: `http`, `https` or `tls`.
pub type GatewayUrls = BTreeMap<&'static str, EndpointUrl>;

/// Addresses of an endpoint at the gateways of its environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reachable {
    /// At the gateway for everybody.
    pub external: GatewayUrls,
    /// At the gateway inside.
    pub internal: GatewayUrls,
}

/// Addresses of the endpoints of a workload at gateways, as the labels of rendered routes say.
///
/// Of several routes for one endpoint and gateway the last counts.
pub fn gateway_urls(rendering: &Rendering, inputs: &Inputs<'_>) -> BTreeMap<Text, Reachable> {
    let gateways = gateway(inputs.environment, inputs.data_plane);
    let mut found: BTreeMap<Text, Reachable> = BTreeMap::new();
    for route in rendering.objects.iter().map(|own| &own.object) {
        let api_version = route.str_at(&["apiVersion"]).unwrap_or_default();
        if !api_version.starts_with("gateway.networking.k8s.io/") {
            continue;
        }
        let label = |key: &str| route.str_at(&["metadata", "labels", key]);
        let Some(name) = label(ENDPOINT_NAME) else {
            continue;
        };
        let Some(endpoint) = inputs.release.workload.endpoints.get(name) else {
            continue;
        };
        let external = label(ENDPOINT_VISIBILITY) == Some("external");
        let at = ["ingress", if external { "external" } else { "internal" }];
        let Some(listeners) = gateways.get(at[0]).and_then(|own| own.get(at[1])) else {
            continue;
        };
        let urls = urls(route, &endpoint.kind, listeners);
        if urls.is_empty() {
            continue;
        }
        let reachable = found.entry(name.into()).or_default();
        match external {
            true => reachable.external = urls,
            false => reachable.internal = urls,
        }
    }
    found
}

/// The addresses of a route at the listeners of a gateway.
fn urls(route: &Node, endpoint: &str, listeners: &Node) -> GatewayUrls {
    let kind = route.str_at(&["kind"]).unwrap_or_default();
    let wanted: &[&str] = match (kind, endpoint) {
        ("HTTPRoute", "HTTP" | "REST" | "GraphQL" | "Websocket") | ("GRPCRoute", "gRPC") => {
            &["http", "https"]
        }
        ("TLSRoute", kind) if kind != "UDP" => &["tls"],
        _ => &[],
    };
    let first = |keys: &[&str]| -> Option<&Node> { route.at(keys)?.as_list()?.first() };
    let host = first(&["spec", "hostnames"]).and_then(Node::as_str);
    let Some(host) = host.filter(|host| !host.is_empty()) else {
        return GatewayUrls::new();
    };
    let said = route.str_at(&["metadata", "annotations", ENDPOINT_BASE_PATH]);
    let path = said.filter(|path| !path.is_empty()).or_else(|| {
        let rule = first(&["spec", "rules"]).filter(|_| kind == "HTTPRoute")?;
        let matched = rule.get("matches")?.as_list()?.first()?;
        matched.str_at(&["path", "value"])
    });
    let mut found = GatewayUrls::new();
    for listener in ["http", "https", "tls"] {
        let own = listeners
            .get(listener)
            .filter(|_| wanted.contains(&listener));
        let Some(own) = own.filter(|own| own.as_map().is_some()) else {
            continue;
        };
        let url = EndpointUrl {
            scheme: scheme(endpoint, listener != "http").into(),
            host: host.into(),
            port: own.get("port").and_then(Node::as_i64).unwrap_or_default(),
            path: path.unwrap_or_default().into(),
        };
        found.insert(listener, url);
    }
    found
}

fn scheme(endpoint: &str, secure: bool) -> &'static str {
    match (endpoint, secure) {
        ("Websocket", false) => "ws",
        ("Websocket", true) => "wss",
        ("gRPC", false) => "grpc",
        ("gRPC", true) => "grpcs",
        ("TCP", false) => "tcp",
        ("TCP", true) => "tls",
        (_, false) => "http",
        (_, true) => "https",
    }
}
