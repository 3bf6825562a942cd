//! Rules of services and endpoints.

use object::Node;

use super::{Errors, Fields, Rules, Seen, handlers, names, selector};
use crate::FieldValue;
use crate::field_error::Place;

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "core.v1.Service",
        object: service,
        update,
        update_first: true,
    },
    Rules {
        of: "core.v1.Endpoints",
        object: endpoints,
        update: super::any_update,
        update_first: false,
    },
];

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

fn service(errors: &mut Errors, service: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), service.sub("spec"));
    let kind = spec.text("type");
    let addresses = spec.items("clusterIPs");
    let first = addresses.first().and_then(Node::as_str).unwrap_or_default();
    let headless = first == "None" || spec.text("clusterIP") == "None";
    let ports = spec.items("ports");
    if ports.is_empty() && !headless && kind != "ExternalName" {
        errors.required(&place.child("ports"), "");
    }
    match kind {
        "LoadBalancer" | "NodePort" if headless => {
            let text = format!("may not be set to 'None' for {kind} services");
            errors.invalid(&place.child("clusterIPs").index(0), "None", text);
        }
        "ExternalName" => external_name(errors, &place, spec),
        _ => {}
    }
    let mut seen = Seen::default();
    for (at, port) in ports.iter().enumerate() {
        let list = place.child("ports");
        check_port(errors, &list.index(at), port, ports.len() > 1, &mut seen);
    }
    selector::labels(errors, &place.child("selector"), spec.sub("selector"));
    affinity(errors, &place, spec);
    if kind != "ExternalName" {
        cluster_addresses(errors, &place, spec, headless);
    }
    for (at, address) in spec.items("externalIPs").iter().enumerate() {
        let (list, address) = (
            place.child("externalIPs"),
            address.as_str().unwrap_or_default(),
        );
        let place = list.index(at);
        let messages = names::ip(address);
        match messages.is_empty() {
            true => endpoint_address(errors, &place, address),
            false => errors.invalid_each(&place, address, messages),
        }
    }
    errors.required_one_of(&place.child("type"), kind, &TYPES);
    node_ports(errors, &place.child("ports"), ports, kind);
    balancer(errors, &place, spec, kind);
    traffic(errors, &place, spec, kind);
}

fn external_name(errors: &mut Errors, place: &Place<'_>, spec: &Node) {
    let text = "may not be set for ExternalName services";
    for key in ["clusterIPs", "ipFamilies"] {
        if !spec.items(key).is_empty() {
            errors.forbidden(&place.child(key), text);
        }
    }
    if spec.has("ipFamilyPolicy") {
        errors.forbidden(&place.child("ipFamilyPolicy"), text);
    }
    let name = spec.text("externalName");
    let name = name.strip_suffix('.').unwrap_or(name);
    match name {
        "" => errors.required(&place.child("externalName"), ""),
        name => errors.invalid_each(&place.child("externalName"), name, names::subdomain(name)),
    }
}

fn check_port<'a>(
    errors: &mut Errors,
    place: &Place<'_>,
    port: &'a Node,
    named: bool,
    seen: &mut Seen<&'a str>,
) {
    let name = port.text("name");
    if !name.is_empty() {
        errors.invalid_each(&place.child("name"), name, names::label(name));
        if seen.again(name) {
            errors.duplicate(&place.child("name"), name);
        }
    } else if named {
        errors.required(&place.child("name"), "");
    }
    errors.port(&place.child("port"), port.number("port"));
    let protocol = port.text("protocol");
    errors.required_one_of(&place.child("protocol"), protocol, &["SCTP", "TCP", "UDP"]);
    handlers::port(errors, &place.child("targetPort"), port.sub("targetPort"));
    if port.has("appProtocol") {
        let protocol = port.text("appProtocol");
        errors.invalid_each(
            &place.child("appProtocol"),
            protocol,
            names::qualified(protocol),
        );
    }
}

fn affinity(errors: &mut Errors, place: &Place<'_>, spec: &Node) {
    const SECONDS_MAX: i64 = 86_400;
    let affinity = spec.text("sessionAffinity");
    errors.required_one_of(
        &place.child("sessionAffinity"),
        affinity,
        &["ClientIP", "None"],
    );
    let config_place = place.child("sessionAffinityConfig");
    let config = spec.sub("sessionAffinityConfig");
    match affinity {
        "ClientIP" => {
            let seconds = config.sub("clientIP").int("timeoutSeconds");
            let place = config_place.child("clientIP.timeoutSeconds");
            match seconds {
                None => errors.required(&place, "when session affinity type is ClientIP"),
                Some(seconds) if !(1..=SECONDS_MAX).contains(&seconds) => {
                    let text = format!("must be greater than 0 and less than {SECONDS_MAX}");
                    errors.invalid(&place, seconds, text);
                }
                Some(_) => {}
            }
        }
        "None" if !config.is_null() => {
            errors.forbidden(
                &config_place,
                "must not be set when session affinity is None",
            );
        }
        _ => {}
    }
}

fn cluster_addresses(errors: &mut Errors, place: &Place<'_>, spec: &Node, headless: bool) {
    let (list, addresses) = (place.child("clusterIPs"), spec.items("clusterIPs"));
    let shown = spec.sub("clusterIPs");
    let address = spec.text("clusterIP");
    match (address, addresses.first().and_then(Node::as_str)) {
        ("", Some(_)) => {
            errors.invalid(
                &list,
                shown,
                "must be empty when `clusterIP` is not specified",
            );
        }
        ("", None) => {}
        (_, None) => errors.required(&list, ""),
        (address, Some(first)) if address != first => {
            errors.invalid(&list, shown, "first value must match `clusterIP`");
        }
        _ => {}
    }
    let families = spec.items("ipFamilies");
    let mut seen = Seen::default();
    for (at, family) in families.iter().enumerate() {
        let place = place.child("ipFamilies");
        let family_text = family.as_str().unwrap_or_default();
        errors.one_of(&place.index(at), family_text, &["IPv4", "IPv6"]);
        if seen.again(family_text) {
            errors.duplicate(&place.index(at), family_text);
        }
    }
    let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    let policy = spec.text("ipFamilyPolicy");
    errors.optional_one_of(&place.child("ipFamilyPolicy"), policy, &policies);
    let before = errors.len();
    for (at, address) in addresses.iter().enumerate() {
        let address = address.as_str().unwrap_or_default();
        if at == 0 && address == "None" {
            if addresses.len() > 1 {
                errors.invalid(&list, shown, "'None' must be the first and only value");
            }
            continue;
        }
        errors.invalid_each(&list.index(at), address, names::ip(address));
    }
    let broken = errors.len() > before;
    if addresses.len() > 2 {
        errors.invalid(&list, shown, "may only hold up to 2 values");
    }
    if broken || headless {
        return;
    }
    let is_v6 = |address: &Node| address.as_str().is_some_and(|text| text.contains(':'));
    if addresses.len() > 1 && addresses.iter().filter(|address| is_v6(address)).count() != 1 {
        let text = "may specify no more than one IP for each IP family";
        errors.invalid(&list, shown, text);
    }
    for (at, (address, family)) in addresses.iter().zip(families).enumerate() {
        let family = family.as_str().unwrap_or_default();
        if matches!(family, "IPv4" | "IPv6") && is_v6(address) != (family == "IPv6") {
            let article = format!("expected an {family} value as indicated by `ipFamilies[{at}]`");
            errors.invalid(&list.index(at), address, article);
        }
    }
}

/// Refuses addresses that mean something else than another host.
pub(super) fn endpoint_address(errors: &mut Errors, place: &Place<'_>, address: &str) {
    let Ok(parsed) = address.parse::<std::net::IpAddr>() else {
        return;
    };
    let unspecified = format!("may not be unspecified ({address})");
    let checks = [
        (parsed.is_unspecified(), unspecified.as_str()),
        (
            parsed.is_loopback(),
            "may not be in the loopback range (127.0.0.0/8, ::1/128)",
        ),
        (
            match parsed {
                std::net::IpAddr::V4(v4) => v4.is_link_local(),
                std::net::IpAddr::V6(v6) => v6.is_unicast_link_local(),
            },
            "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
        ),
        (
            match parsed {
                std::net::IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0],
                std::net::IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
            },
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
        ),
    ];
    for (refused, text) in checks {
        if refused {
            errors.invalid(place, address, text);
        }
    }
}

fn node_ports(errors: &mut Errors, place: &Place<'_>, ports: &[Node], kind: &str) {
    if kind == "ClusterIP" {
        for (at, port) in ports.iter().enumerate() {
            if port.number("nodePort") != 0 {
                let text = "may not be used when `type` is 'ClusterIP'";
                errors.forbidden(&place.index(at).child("nodePort"), text);
            }
        }
    }
    let mut taken = Seen::default();
    for (at, port) in ports.iter().enumerate() {
        let number = port.number("nodePort");
        if number != 0 && taken.again((port.text("protocol"), number)) {
            errors.duplicate(&place.index(at).child("nodePort"), number);
        }
    }
    let mut taken = Seen::default();
    for (at, port) in ports.iter().enumerate() {
        if taken.again((port.text("protocol"), port.number("port"))) {
            let protocol = crate::field_error::quote(port.text("protocol"));
            let number = port.number("port");
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":{protocol},\"AppProtocol\":null,\"Port\":{number},\"TargetPort\":0,\"NodePort\":0}}"
            );
            errors.duplicate(&place.index(at), FieldValue::Bare(shown));
        }
    }
}

fn balancer(errors: &mut Errors, place: &Place<'_>, spec: &Node, kind: &str) {
    let text = "may only be used when `type` is 'LoadBalancer'";
    let is_balancer = kind == "LoadBalancer";
    let ranges = spec.items("loadBalancerSourceRanges");
    if !ranges.is_empty() {
        // The path carries the Go name upstream.
        let place = place.child("LoadBalancerSourceRanges");
        if !is_balancer {
            errors.forbidden(&place, text);
        }
        for (at, range) in ranges.iter().enumerate() {
            let range = range.as_str().unwrap_or_default().trim();
            errors.invalid_each(&place.index(at), range, names::cidr(range));
        }
    }
    if spec.has("allocateLoadBalancerNodePorts") && !is_balancer {
        errors.forbidden(&place.child("allocateLoadBalancerNodePorts"), text);
    }
    if spec.has("loadBalancerClass") {
        let (place, class) = (
            place.child("loadBalancerClass"),
            spec.text("loadBalancerClass"),
        );
        match is_balancer {
            true => errors.invalid_each(&place, class, names::qualified(class)),
            false => errors.forbidden(&place, text),
        }
    }
}

fn traffic(errors: &mut Errors, place: &Place<'_>, spec: &Node, kind: &str) {
    let external = place.child("externalTrafficPolicy");
    let policy = spec.text("externalTrafficPolicy");
    let accessible = matches!(kind, "LoadBalancer" | "NodePort")
        || (kind == "ClusterIP" && !spec.items("externalIPs").is_empty());
    if !accessible {
        if !policy.is_empty() {
            let text = "may only be set for externally-accessible services";
            errors.invalid(&external, policy, text);
        }
    } else {
        errors.required_one_of(&external, policy, &["Cluster", "Local"]);
    }
    let health = spec.number("healthCheckNodePort");
    if health != 0 && !(kind == "LoadBalancer" && policy == "Local") {
        let text =
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.invalid(&place.child("healthCheckNodePort"), health, text);
    }
    let internal = place.child("internalTrafficPolicy");
    let policy = spec.text("internalTrafficPolicy");
    if policy.is_empty() && matches!(kind, "NodePort" | "LoadBalancer" | "ClusterIP") {
        errors.required(&internal, "");
    }
    errors.optional_one_of(&internal, policy, &["Cluster", "Local"]);
    if spec.has("trafficDistribution") {
        let known = ["PreferClose", "PreferSameZone", "PreferSameNode"];
        let value = spec.text("trafficDistribution");
        errors.one_of(&place.child("trafficDistribution"), value, &known);
    }
}

fn update(errors: &mut Errors, new: &Node, old: &Node) {
    let place = Place::ROOT.child("spec");
    let (new, old) = (new.sub("spec"), old.sub("spec"));
    let external = |spec: &Node| spec.text("type") == "ExternalName";
    if external(new) || external(old) {
        return;
    }
    let kept = |key: &str, item: usize| {
        let (new, old) = (new.items(key), old.items(key));
        old.get(item).is_none() || new.get(item) == old.get(item)
    };
    for item in [0, 1] {
        let released = item == 1 && new.items("clusterIPs").len() == 1;
        if kept("clusterIPs", item) || released {
            continue;
        }
        let place = place.child("clusterIPs");
        errors.invalid(
            &place.index(item),
            new.sub("clusterIPs"),
            "may not change once set",
        );
    }
    if kept("clusterIPs", 0) && !kept("ipFamilies", 0) && new.text("clusterIP") == "None" {
        let place = place.child("ipFamilies");
        errors.invalid(
            &place.index(0),
            new.sub("ipFamilies"),
            "may not change once set",
        );
    }
    let balancer = |spec: &Node| spec.text("type") == "LoadBalancer";
    let class = new.sub("loadBalancerClass");
    if balancer(new) && balancer(old) && class != old.sub("loadBalancerClass") {
        errors.invalid(
            &place.child("loadBalancerClass"),
            class,
            "may not change once set",
        );
    }
}

fn endpoints(errors: &mut Errors, endpoints: &Node) {
    let list = Place::ROOT.child("subsets");
    for (at, subset) in endpoints.items("subsets").iter().enumerate() {
        let place = list.index(at);
        if subset.items("addresses").is_empty() && subset.items("notReadyAddresses").is_empty() {
            errors.required(&place, "must specify `addresses` or `notReadyAddresses`");
        }
        for key in ["addresses", "notReadyAddresses"] {
            let list = place.child(key);
            for (at, address) in subset.items(key).iter().enumerate() {
                let (item, ip) = (list.index(at), address.text("ip"));
                let messages = names::ip(ip);
                match messages.is_empty() {
                    true => endpoint_address(errors, &item.child("ip"), ip),
                    false => errors.invalid_each(&item.child("ip"), ip, messages),
                }
            }
        }
        let ports = subset.items("ports");
        for (at, port) in ports.iter().enumerate() {
            let list = place.child("ports");
            let place = list.index(at);
            match port.text("name") {
                "" if ports.len() > 1 => errors.required(&place.child("name"), ""),
                "" => {}
                name => errors.invalid_each(&place.child("name"), name, names::label(name)),
            }
            errors.port(&place.child("port"), port.number("port"));
            let protocol = port.text("protocol");
            errors.required_one_of(&place.child("protocol"), protocol, &["SCTP", "TCP", "UDP"]);
        }
    }
}
