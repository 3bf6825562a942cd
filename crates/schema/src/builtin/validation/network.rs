//! Rules of ingresses, network policies and endpoint slices.

use object::Node;

use super::{Errors, Fields, Rules, Seen, immutable, names, selector};
use crate::field_error::Place;

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "networking.v1.Ingress",
        object: ingress,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "networking.v1.IngressClass",
        object: ingress_class,
        update: class_update,
        update_first: false,
    },
    Rules {
        of: "networking.v1.NetworkPolicy",
        object: network_policy,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "discovery.v1.EndpointSlice",
        object: endpoint_slice,
        update: slice_update,
        update_first: false,
    },
];

fn ingress(errors: &mut Errors, ingress: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), ingress.sub("spec"));
    let rules = spec.items("rules");
    let default = spec.has("defaultBackend");
    if rules.is_empty() && !default {
        let text = "either `defaultBackend` or `rules` must be specified";
        errors.invalid(&place, rules_value(spec), text);
    }
    if default {
        let place = place.child("defaultBackend");
        backend(errors, &place, spec.sub("defaultBackend"));
    }
    for (at, rule) in rules.iter().enumerate() {
        let list = place.child("rules");
        let place = list.index(at);
        let host = rule.text("host");
        if !host.is_empty() {
            let at = place.child("host");
            if names::ip(host).is_empty() {
                errors.invalid(&at, host, "must be a DNS name, not an IP address");
            } else if host.contains('*') {
                errors.invalid_each(&at, host, names::wildcard_subdomain(host));
            } else {
                errors.invalid_each(&at, host, names::subdomain(host));
            }
        }
        if rule.has("http") {
            paths(errors, &place.child("http"), rule.sub("http"));
        }
    }
    let list = place.child("tls");
    for (at, tls) in spec.items("tls").iter().enumerate() {
        let place = list.index(at);
        for (at, host) in tls.items("hosts").iter().enumerate() {
            let host = host.as_str().unwrap_or_default();
            let messages = match host.contains('*') {
                true => names::wildcard_subdomain(host),
                false => names::subdomain(host),
            };
            errors.invalid_each(&place.child("hosts").index(at), host, messages);
        }
        let secret = tls.text("secretName");
        if !secret.is_empty() {
            errors.invalid_each(&place.child("secretName"), secret, names::subdomain(secret));
        }
    }
    let class = spec.text("ingressClassName");
    if spec.has("ingressClassName") {
        errors.invalid_each(
            &place.child("ingressClassName"),
            class,
            names::subdomain(class),
        );
    }
}

fn rules_value(spec: &Node) -> &Node {
    spec.sub("rules")
}

fn paths(errors: &mut Errors, place: &Place<'_>, http: &Node) {
    let list = place.child("paths");
    let paths = http.items("paths");
    if paths.is_empty() {
        errors.required(&list, "");
    }
    for (at, path) in paths.iter().enumerate() {
        let place = list.index(at);
        let text = path.text("path");
        match path.text("pathType") {
            "" => {
                errors.required(&place.child("pathType"), "pathType must be specified");
                continue;
            }
            "Exact" | "Prefix" => {
                let at = place.child("path");
                if !text.starts_with('/') {
                    errors.invalid(&at, text, "must be an absolute path");
                }
                for refused in ["//", "/./", "/../", "%2f", "%2F"] {
                    if !text.is_empty() && text.contains(refused) {
                        errors.invalid(&at, text, format!("must not contain '{refused}'"));
                    }
                }
                for refused in ["/..", "/."] {
                    if text.ends_with(refused) {
                        errors.invalid(&at, text, format!("cannot end with '{refused}'"));
                    }
                }
            }
            "ImplementationSpecific" => {
                if !text.is_empty() && !text.starts_with('/') {
                    errors.invalid(&place.child("path"), text, "must be an absolute path");
                }
            }
            other => {
                let kinds = ["Exact", "ImplementationSpecific", "Prefix"];
                errors.one_of(&place.child("pathType"), other, &kinds);
            }
        }
        backend(errors, &place.child("backend"), path.sub("backend"));
    }
}

fn backend(errors: &mut Errors, place: &Place<'_>, backend: &Node) {
    let (service, resource) = (backend.sub("service"), backend.sub("resource"));
    match (service.is_null(), resource.is_null()) {
        (true, true) => {
            let text = "resource or service backend is required";
            errors.invalid(place, "", text);
        }
        (false, false) => {
            let text = "cannot set both resource and service backends";
            errors.invalid(place, "", text);
        }
        (true, false) => {
            for key in ["kind", "name"] {
                if resource.text(key).is_empty() {
                    errors.required(&place.child("resource").child(key), "");
                }
            }
        }
        (false, true) => {
            let at = place.child("service");
            match service.text("name") {
                "" => errors.required(&at.child("name"), ""),
                name => errors.invalid_each(&at.child("name"), name, names::label(name)),
            }
            let port = service.sub("port");
            match (port.text("name"), port.number("number")) {
                ("", 0) => errors.required(place, "port name or number is required"),
                ("", number) => errors.port(&at.child("port.number"), number),
                (name, 0) => {
                    errors.invalid_each(&at.child("port.name"), name, names::port_name(name));
                }
                _ => errors.invalid(place, "", "cannot set both port name & port number"),
            }
        }
    }
}

fn ingress_class(errors: &mut Errors, class: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), class.sub("spec"));
    let controller = spec.text("controller");
    if controller.len() > 250 {
        errors.push(crate::FieldError::too_long(place.child("controller"), 250));
    }
    match controller {
        "" => errors.required(&place.child("controller"), ""),
        controller => {
            for (part, text) in names::domain_prefixed(controller) {
                errors.invalid(&place.child("controller"), part, text);
            }
        }
    }
    let parameters = spec.sub("parameters");
    if !parameters.is_null() {
        let place = place.child("parameters");
        for key in ["kind", "name"] {
            if parameters.text(key).is_empty() {
                errors.required(&place.child(key), "");
            }
        }
        let scope = parameters.text("scope");
        errors.required_one_of(&place.child("scope"), scope, &["Cluster", "Namespace"]);
        match (scope, parameters.has("namespace")) {
            ("Namespace", false) => {
                let text = "`parameters.scope` is set to 'Namespace'";
                errors.required(&place.child("namespace"), text);
            }
            ("Cluster", true) => {
                let text = "`parameters.scope` is set to 'Cluster'";
                errors.forbidden(&place.child("namespace"), text);
            }
            _ => {}
        }
    }
}

fn class_update(errors: &mut Errors, new: &Node, old: &Node) {
    let place = Place::ROOT.child("spec");
    immutable(
        errors,
        &place,
        "controller",
        new.sub("spec"),
        old.sub("spec"),
    );
}

fn network_policy(errors: &mut Errors, policy: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), policy.sub("spec"));
    selector::check(errors, &place.child("podSelector"), spec.sub("podSelector"));
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        let list = place.child(direction);
        for (at, rule) in spec.items(direction).iter().enumerate() {
            let place = list.index(at);
            for (at, port) in rule.items("ports").iter().enumerate() {
                policy_port(errors, &place.child("ports").index(at), port);
            }
            for (at, peer) in rule.items(peers).iter().enumerate() {
                policy_peer(errors, &place.child(peers).index(at), peer);
            }
        }
    }
    let types = spec.items("policyTypes");
    let place = place.child("policyTypes");
    if types.len() > 2 {
        let text = "may not specify more than two policyTypes";
        errors.invalid(&place, spec.sub("policyTypes"), text);
        return;
    }
    for (at, kind) in types.iter().enumerate() {
        let kind = kind.as_str().unwrap_or_default();
        errors.one_of(&place.index(at), kind, &["Egress", "Ingress"]);
    }
}

fn policy_port(errors: &mut Errors, place: &Place<'_>, port: &Node) {
    let protocol = port.text("protocol");
    errors.optional_one_of(&place.child("protocol"), protocol, &["TCP", "UDP", "SCTP"]);
    let number = port.sub("port");
    if number.is_null() {
        if port.has("endPort") {
            let text = "may not be specified when `port` is not specified";
            errors.invalid(&place.child("endPort"), port.number("endPort"), text);
        }
        return;
    }
    let (port_place, end_place) = (place.child("port"), place.child("endPort"));
    match (number.as_i64(), port.int("endPort")) {
        (Some(number), end) => {
            errors.port(&port_place, number);
            if let Some(end) = end {
                if end < number {
                    // Upstream shows the port, not its end.
                    let text = "must be greater than or equal to `port`";
                    errors.invalid(&end_place, number, text);
                }
                errors.port(&end_place, end);
            }
        }
        (None, end) => {
            if let Some(end) = end {
                let text = "may not be specified when `port` is non-numeric";
                errors.invalid(&end_place, end, text);
            }
            super::handlers::port(errors, &port_place, number);
        }
    }
}

fn policy_peer(errors: &mut Errors, place: &Place<'_>, peer: &Node) {
    let mut others = 0;
    for key in ["podSelector", "namespaceSelector"] {
        if peer.has(key) {
            others += 1;
            selector::check(errors, &place.child(key), peer.sub(key));
        }
    }
    let block = peer.sub("ipBlock");
    if !block.is_null() {
        ip_block(errors, &place.child("ipBlock"), block);
    }
    if others == 0 && block.is_null() {
        errors.required(place, "must specify a peer");
    } else if others > 0 && !block.is_null() {
        let text = "may not specify both ipBlock and another peer";
        errors.forbidden(place, text);
    }
}

fn ip_block(errors: &mut Errors, place: &Place<'_>, block: &Node) {
    let text = block.text("cidr");
    if text.is_empty() {
        return errors.required(&place.child("cidr"), "");
    }
    errors.invalid_each(&place.child("cidr"), text, names::cidr(text));
    let Some(outer) = names::network(text) else {
        return;
    };
    for (at, except) in block.items("except").iter().enumerate() {
        let (list, except) = (place.child("except"), except.as_str().unwrap_or_default());
        let place = list.index(at);
        errors.invalid_each(&place, except, names::cidr(except));
        if let Some(inner) = names::network(except)
            && !(inner.1 > outer.1 && contains(outer, inner.0))
        {
            errors.invalid(&place, except, "must be a strict subset of `cidr`");
        }
    }
}

fn contains((network, length): (std::net::IpAddr, u32), address: std::net::IpAddr) -> bool {
    use std::net::IpAddr::{V4, V6};
    match (network, address) {
        (V4(network), V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            u32::from(network) & mask == u32::from(address) & mask
        }
        (V6(network), V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            u128::from(network) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}

fn endpoint_slice(errors: &mut Errors, slice: &Node) {
    const ENDPOINTS_MAX: usize = 1000;
    const ADDRESSES_MAX: usize = 100;
    let kinds = ["FQDN", "IPv4", "IPv6"];
    let kind = slice.text("addressType");
    errors.required_one_of(&Place::ROOT.child("addressType"), kind, &kinds);
    let list = Place::ROOT.child("endpoints");
    let endpoints = slice.items("endpoints");
    if endpoints.len() > ENDPOINTS_MAX {
        let count = endpoints.len();
        errors.push(crate::FieldError::too_many(list, count, ENDPOINTS_MAX));
        return;
    }
    for (at, endpoint) in endpoints.iter().enumerate() {
        let place = list.index(at);
        let list = place.child("addresses");
        let addresses = endpoint.items("addresses");
        if addresses.is_empty() {
            errors.required(&list, "must contain at least 1 address");
        } else if addresses.len() > ADDRESSES_MAX {
            let count = addresses.len();
            errors.push(crate::FieldError::too_many(list, count, ADDRESSES_MAX));
        }
        for (at, address) in addresses.iter().enumerate() {
            let address = address.as_str().unwrap_or_default();
            let item = list.index(at);
            let messages = match kind {
                "FQDN" => names::subdomain(address),
                "IPv4" | "IPv6" => names::ip(address),
                _ => Vec::new(),
            };
            if kind.starts_with("IPv") && messages.is_empty() {
                if address.contains(':') != (kind == "IPv6") {
                    errors.invalid(&list, address, format!("must be an {kind} address"));
                }
                super::service::endpoint_address(errors, &item, address);
            }
            errors.invalid_each(&item, address, messages);
        }
    }
    let list = Place::ROOT.child("ports");
    let ports = slice.items("ports");
    let mut seen = Seen::default();
    for (at, port) in ports.iter().enumerate() {
        let place = list.index(at);
        let name = port.text("name");
        if !name.is_empty() {
            errors.invalid_each(&place.child("name"), name, names::label(name));
        }
        if seen.again(name) {
            errors.duplicate(&place.child("name"), name);
        }
        let protocol = port.text("protocol");
        errors.required_one_of(&place.child("protocol"), protocol, &["SCTP", "TCP", "UDP"]);
    }
}

fn slice_update(errors: &mut Errors, new: &Node, old: &Node) {
    immutable(errors, &Place::ROOT, "addressType", new, old);
}
