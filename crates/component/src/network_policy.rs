//! Who may reach the pods of a component, from the visibility of its endpoints.
//!
//! # Source
//! openchoreo/openchoreo `internal/networkpolicy/networkpolicy.go` at v1.2.3. On purpose
//! different: rules name the port that the container listens on, which pods see, not the one of
//! the service.

use object::{Map, Node};

use crate::helpers::protocol;
use crate::metadata::{Metadata, keys};
use crate::model::{DataPlane, Endpoint, Workload};
use crate::names::{NAME_BYTES_MAX, generate_name};

/// The policy of a component; for planes that say so, in the form that Cilium understands.
pub(crate) fn network_policy(metadata: &Metadata, workload: &Workload, plane: &DataPlane) -> Node {
    let provider = plane.head.annotations.get(keys::NETWORK_POLICY_PROVIDER);
    let cilium = provider.and_then(Node::as_str) == Some("cilium");
    let mut endpoints: Vec<&Endpoint> = workload.endpoints.values().collect();
    if cilium {
        endpoints.sort_by_key(|own| own.port.to_string());
    }
    // An endpoint is there once for every visibility that lets these in.
    let visible = |to: &[&str]| -> Vec<&Endpoint> {
        let times = |own: &&Endpoint| {
            let fits = own
                .visibility
                .iter()
                .filter(|own| to.contains(&own.as_str()));
            fits.count()
        };
        let repeated = endpoints
            .iter()
            .map(|own| std::iter::repeat_n(*own, times(own)));
        repeated.flatten().collect()
    };
    let from = [
        (From::Namespace, endpoints.clone()),
        (From::Tenant, visible(&["namespace"])),
        (From::Platform, visible(&["internal", "external"])),
    ];
    let rules: Vec<Node> = from
        .into_iter()
        .filter(|(_, endpoints)| !endpoints.is_empty())
        .map(|(from, endpoints)| match cilium {
            true => from.cilium(metadata, &endpoints),
            false => from.plain(metadata, &endpoints),
        })
        .collect();
    let mut out = Node::map();
    let (version, kind, selector) = match cilium {
        true => ("cilium.io/v2", "CiliumNetworkPolicy", "endpointSelector"),
        false => ("networking.k8s.io/v1", "NetworkPolicy", "podSelector"),
    };
    let component = &metadata.identities.component;
    let mut name = format!("openchoreo-{component}");
    if name.len() > NAME_BYTES_MAX {
        name = generate_name(NAME_BYTES_MAX, &["openchoreo", component]);
    }
    out.set(&["apiVersion"], version);
    out.set(&["kind"], kind);
    out.set(&["metadata", "name"], name);
    out.set(&["metadata", "namespace"], metadata.namespace.clone());
    out.set(
        &["spec", selector, "matchLabels"],
        metadata.pod_selectors.clone(),
    );
    if !cilium {
        out.set(&["spec", "policyTypes"], Node::list(["Ingress"]));
    }
    if !rules.is_empty() {
        out.set(&["spec", "ingress"], rules);
    } else if cilium {
        // Without any rule Cilium would allow everything.
        out.set(&["spec", "ingress"], Node::list([Node::map()]));
    }
    out
}

/// Who a rule lets in.
enum From {
    /// Every pod of the same namespace.
    Namespace,
    /// Every pod of the tenant in the same environment.
    Tenant,
    /// Pods of the platform.
    Platform,
}

fn exists(key: &str) -> Node {
    Map::from_iter([("key", key), ("operator", "Exists")]).into()
}

fn tenant(metadata: &Metadata) -> Map {
    let own = &metadata.identities;
    Map::from_iter([
        (keys::NAMESPACE, own.namespace.clone()),
        (keys::ENVIRONMENT, own.environment.clone()),
    ])
}

fn is_http(endpoint: &Endpoint) -> bool {
    matches!(
        endpoint.kind.as_str(),
        "HTTP" | "REST" | "gRPC" | "GraphQL" | "Websocket"
    )
}

fn port(endpoint: &Endpoint) -> i64 {
    endpoint.target_port.unwrap_or(endpoint.port)
}

impl From {
    fn plain(&self, metadata: &Metadata, endpoints: &[&Endpoint]) -> Node {
        let mut peer = Node::map();
        match self {
            Self::Namespace => peer.set(&["podSelector"], Node::map()),
            Self::Tenant => peer.set(&["namespaceSelector", "matchLabels"], tenant(metadata)),
            Self::Platform => {
                peer.set(&["namespaceSelector"], Node::map());
                peer.set(
                    &["podSelector", "matchExpressions"],
                    Node::list([exists(keys::SYSTEM_COMPONENT)]),
                );
            }
        }
        let ports = endpoints.iter().map(|own| {
            Node::from(Map::from_iter([
                ("port", Node::from(port(own))),
                ("protocol", protocol(&own.kind).into()),
            ]))
        });
        Map::from_iter([("from", Node::list([peer])), ("ports", Node::list(ports))]).into()
    }

    fn cilium(&self, metadata: &Metadata, endpoints: &[&Endpoint]) -> Node {
        const ANY_NAMESPACE: &str = "k8s:io.kubernetes.pod.namespace";
        let mut peer = Node::map();
        match self {
            Self::Namespace => {}
            Self::Tenant => {
                peer.set(&["matchLabels"], tenant(metadata));
                peer.set(&["matchExpressions"], Node::list([exists(ANY_NAMESPACE)]));
            }
            Self::Platform => peer.set(
                &["matchExpressions"],
                Node::list([exists(keys::SYSTEM_COMPONENT), exists(ANY_NAMESPACE)]),
            ),
        }
        // What speaks HTTP comes first.
        let (http, others): (Vec<&&Endpoint>, Vec<&&Endpoint>) =
            endpoints.iter().partition(|own| is_http(own));
        let ports = |own: &&&Endpoint| {
            Map::from_iter([
                ("port", Node::from(port(own).to_string())),
                ("protocol", protocol(&own.kind).into()),
            ])
        };
        let mut entries = Vec::new();
        for (endpoints, speaks_http) in [(http, true), (others, false)] {
            if endpoints.is_empty() {
                continue;
            }
            let mut entry = Node::map();
            entry.set(&["ports"], Node::list(endpoints.iter().map(ports)));
            if speaks_http {
                entry.set(&["rules", "http"], Node::list([Node::map()]));
            }
            entries.push(entry);
        }
        Map::from_iter([
            ("fromEndpoints", Node::list([peer])),
            ("toPorts", Node::list(entries)),
        ])
        .into()
    }
}
