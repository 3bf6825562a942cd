//! Defaults of networking: the groups networking.k8s.io and discovery.k8s.io.

use object::{Map, Node};

use super::{Rule, fill, has_entries, inner};

pub(super) const RULES: &[Rule] = &[
    ("networking.v1.NetworkPolicyPort", |port| {
        fill(port, "protocol", "TCP")
    }),
    ("networking.v1.NetworkPolicy", network_policy),
    ("networking.v1.IngressClass", |class| {
        let spec = inner(class, "spec");
        if let Some(parameters) = spec.get_mut("parameters").and_then(Node::as_map_mut) {
            fill(parameters, "scope", "Cluster");
        }
    }),
    ("discovery.v1.EndpointPort", |port| {
        fill(port, "name", "");
        fill(port, "protocol", "TCP");
    }),
];

fn network_policy(policy: &mut Map) {
    let spec = inner(policy, "spec");
    if has_entries(spec, "policyTypes") {
        return;
    }
    let types = match has_entries(spec, "egress") {
        true => Node::list(["Ingress", "Egress"]),
        false => Node::list(["Ingress"]),
    };
    spec.insert("policyTypes", types);
}
