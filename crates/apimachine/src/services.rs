//! Addresses and node ports of Services.
//!
//! # Source
//! kubernetes/kubernetes `pkg/registry/core/service/storage/alloc.go`, `storage.go`.

use std::collections::{BTreeMap, BTreeSet};

use object::{Node, Text};
use schema::{FieldError, FieldValue};

use crate::call::{Call, Target};
use crate::{Key, Refusal, ServiceNetwork};

const PORT_MIN: i64 = 30_000;
const PORT_MAX: i64 = 32_767;
/// Addresses and ports tried at random before all are looked at in order.
const RANDOM_TRIES: usize = 16;

/// Who holds which address and which port of the nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    addresses: BTreeMap<Text, Key>,
    ports: BTreeMap<i64, Key>,
}

impl Taken {
    /// Notes that a Service has changed from `old` to `new`.
    pub(crate) fn note(&mut self, key: &Key, old: Option<&Node>, new: Option<&Node>) {
        if let Some(old) = old {
            for address in texts(old, "clusterIPs") {
                release(&mut self.addresses, &address, key);
            }
            for port in taken_ports(old) {
                release(&mut self.ports, &port, key);
            }
        }
        if let Some(new) = new {
            let addresses = texts(new, "clusterIPs").into_iter();
            self.addresses
                .extend(addresses.map(|own| (own, key.clone())));
            let ports = taken_ports(new).into_iter();
            self.ports.extend(ports.map(|own| (own, key.clone())));
        }
    }

    fn has_address(&self, address: &str, but_of: &Key) -> bool {
        self.addresses
            .get(address)
            .is_some_and(|holder| holder != but_of)
    }

    fn has_port(&self, port: i64, but_of: &Key) -> bool {
        self.ports.get(&port).is_some_and(|holder| holder != but_of)
    }
}

fn release<K: Ord>(held: &mut BTreeMap<K, Key>, one: &K, by: &Key) {
    if held.get(one) == Some(by) {
        held.remove(one);
    }
}

fn taken_ports(service: &Node) -> Vec<i64> {
    let mut taken: Vec<i64> = ports(service).iter().filter_map(node_port).collect();
    let health = service.at(&["spec", "healthCheckNodePort"]);
    taken.extend(health.and_then(Node::as_i64));
    taken
}

fn texts(service: &Node, key: &str) -> Vec<Text> {
    let list = service
        .at(&["spec", key])
        .and_then(Node::as_list)
        .unwrap_or_default();
    list.iter()
        .filter_map(|item| Some(item.as_str()?.into()))
        .collect()
}

fn ports(service: &Node) -> Vec<Node> {
    service
        .at(&["spec", "ports"])
        .and_then(Node::as_list)
        .unwrap_or_default()
        .to_vec()
}

fn node_port(port: &Node) -> Option<i64> {
    port.get("nodePort")
        .and_then(Node::as_i64)
        .filter(|port| *port != 0)
}

fn text<'n>(service: &'n Node, key: &str) -> &'n str {
    service.str_at(&["spec", key]).unwrap_or_default()
}

fn needs_address(service: &Node) -> bool {
    matches!(
        text(service, "type"),
        "ClusterIP" | "NodePort" | "LoadBalancer"
    )
}

fn needs_node_ports(service: &Node) -> bool {
    let allocates = service
        .at(&["spec", "allocateLoadBalancerNodePorts"])
        .and_then(Node::as_bool)
        != Some(false);
    match text(service, "type") {
        "NodePort" => true,
        "LoadBalancer" => allocates,
        _ => false,
    }
}

fn needs_health_check_port(service: &Node) -> bool {
    text(service, "type") == "LoadBalancer" && text(service, "externalTrafficPolicy") == "Local"
}

/// Gives a new Service what it needs.
pub(crate) fn create(
    call: &mut Call<'_>,
    target: &Target<'_>,
    service: &mut Node,
    name: &str,
) -> Result<(), Refusal> {
    normalise(service, None);
    allocate(call, target, service, name)
}

/// Gives a replaced Service what it needs, keeping what it had.
pub(crate) fn update(
    call: &mut Call<'_>,
    target: &Target<'_>,
    service: &mut Node,
    old: &Node,
) -> Result<(), Refusal> {
    carry_over(service, old);
    drop_needless(service, old);
    normalise(service, Some(old));
    allocate(call, target, service, target.name)
}

/// Fills what the client left out and the live Service has.
fn carry_over(service: &mut Node, old: &Node) {
    if needs_address(old) && needs_address(service) {
        let live = Text::from(text(old, "clusterIP"));
        if text(service, "clusterIP").is_empty() && !live.is_empty() {
            service.set(&["spec", "clusterIP"], live.clone());
        }
        if texts(service, "clusterIPs").is_empty() && text(service, "clusterIP") == live {
            copy(service, old, "clusterIPs");
        }
        for key in ["ipFamilies", "ipFamilyPolicy"] {
            if service.at(&["spec", key]).is_none() {
                copy(service, old, key);
            }
        }
    }
    if needs_node_ports(old) && needs_node_ports(service) {
        let mut kept: BTreeSet<i64> = ports(service).iter().filter_map(node_port).collect();
        let old_ports = ports(old);
        let same_name = |a: &Node, b: &Node| {
            a.str_at(&["name"]).unwrap_or_default() == b.str_at(&["name"]).unwrap_or_default()
        };
        let list = service
            .at_mut(&["spec", "ports"])
            .and_then(Node::as_list_mut);
        for port in list.into_iter().flatten() {
            let before = old_ports
                .iter()
                .rev()
                .find(|old| same_name(old, port))
                .and_then(node_port);
            if let Some(before) = before.filter(|_| node_port(port).is_none())
                && kept.insert(before)
            {
                port.set(&["nodePort"], before);
            }
        }
    }
    if needs_health_check_port(old)
        && needs_health_check_port(service)
        && service.at(&["spec", "healthCheckNodePort"]).is_none()
    {
        copy(service, old, "healthCheckNodePort");
    }
}

/// Takes away what a change of type makes pointless, if the client did not touch it.
fn drop_needless(service: &mut Node, old: &Node) {
    let same = |service: &Node, key: &str| service.at(&["spec", key]) == old.at(&["spec", key]);
    if needs_address(old) && !needs_address(service) && text(service, "type") == "ExternalName" {
        for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            if same(service, key) {
                service.remove(&["spec", key]);
            }
        }
    }
    if needs_node_ports(old) && !needs_node_ports(service) {
        let before: Vec<Option<i64>> = ports(old).iter().map(node_port).collect();
        let after: Vec<Option<i64>> = ports(service).iter().map(node_port).collect();
        if before == after {
            let list = service
                .at_mut(&["spec", "ports"])
                .and_then(Node::as_list_mut);
            for port in list.into_iter().flatten() {
                port.remove(&["nodePort"]);
            }
        }
    }
    let balanced = |service: &Node| text(service, "type") == "LoadBalancer";
    let outside = |service: &Node| matches!(text(service, "type"), "LoadBalancer" | "NodePort");
    let lost = [
        (
            "allocateLoadBalancerNodePorts",
            balanced(old) && !balanced(service),
        ),
        ("loadBalancerClass", balanced(old) && !balanced(service)),
        ("externalTrafficPolicy", outside(old) && !outside(service)),
        (
            "internalTrafficPolicy",
            needs_address(old) && !needs_address(service),
        ),
    ];
    for (key, lost) in lost {
        if lost && same(service, key) {
            service.remove(&["spec", key]);
        }
    }
    if needs_health_check_port(old)
        && !needs_health_check_port(service)
        && same(service, "healthCheckNodePort")
    {
        service.remove(&["spec", "healthCheckNodePort"]);
    }
}

fn copy(service: &mut Node, old: &Node, key: &str) {
    if let Some(value) = old.at(&["spec", key]) {
        service.set(&["spec", key], value.clone());
    }
}

/// Brings `clusterIP` and `clusterIPs` together and chooses address families.
fn normalise(service: &mut Node, old: Option<&Node>) {
    let single = Text::from(text(service, "clusterIP"));
    let list = texts(service, "clusterIPs");
    let changed = old.is_none_or(|old| text(old, "clusterIP") != single);
    if !single.is_empty()
        && (list.is_empty() || changed && old.is_some() && list.first() != Some(&single))
    {
        service.set(&["spec", "clusterIPs"], Node::list([single.clone()]));
    } else if single.is_empty()
        && let Some(first) = list.first()
    {
        service.set(&["spec", "clusterIP"], first.clone());
    }
    if !needs_address(service) {
        return;
    }
    let headless = text(service, "clusterIP") == "None";
    let selects = service
        .at(&["spec", "selector"])
        .and_then(Node::as_map)
        .is_some_and(|map| !map.is_empty());
    let both = headless && !selects;
    if service.at(&["spec", "ipFamilyPolicy"]).is_none() {
        let policy = if both {
            "RequireDualStack"
        } else {
            "SingleStack"
        };
        service.set(&["spec", "ipFamilyPolicy"], policy);
    }
    if texts(service, "ipFamilies").is_empty() {
        let families: &[&str] = if both { &["IPv4", "IPv6"] } else { &["IPv4"] };
        service.set(
            &["spec", "ipFamilies"],
            Node::list(families.iter().copied()),
        );
    }
}

/// Refuses two address families, which this cluster does not have.
fn check_families(service: &Node) -> Result<(), FieldError> {
    const PATH: &str = "spec.ipFamilyPolicy";
    let policy = text(service, "ipFamilyPolicy");
    let headless = text(service, "clusterIP") == "None";
    if texts(service, "ipFamilies").len() > 1 && policy == "SingleStack" {
        let problem = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified";
        return Err(FieldError::invalid(PATH, policy, problem));
    }
    match policy == "RequireDualStack" && !headless {
        true => Err(FieldError::invalid(
            PATH,
            policy,
            "this cluster is not configured for dual-stack services",
        )),
        false => Ok(()),
    }
}

fn allocate(
    call: &mut Call<'_>,
    target: &Target<'_>,
    service: &mut Node,
    name: &str,
) -> Result<(), Refusal> {
    let taken = call.state.service_holdings.clone();
    let own = target.key(name);
    let refuse = |error: FieldError| Refusal::invalid("", "Service", name, &[error]);
    if needs_address(service) {
        check_families(service).map_err(refuse)?;
    }
    if needs_address(service) && text(service, "clusterIP") != "None" {
        match text(service, "clusterIP") {
            "" => {
                let address = free_address(call, &taken, &own).ok_or_else(|| {
                    Refusal::internal("failed to allocate a serviceIP: range is full")
                })?;
                service.set(&["spec", "clusterIP"], address.clone());
                service.set(&["spec", "clusterIPs"], Node::list([address]));
            }
            address => {
                let network = call.state.features().service_network;
                check_address(service, address, network, (&taken, &own)).map_err(refuse)?;
            }
        }
    }
    if needs_node_ports(service) {
        allocate_ports(call, service, (&taken, &own)).map_err(refuse)?;
    }
    if needs_health_check_port(service) && service.at(&["spec", "healthCheckNodePort"]).is_none() {
        let given: BTreeSet<i64> = ports(service).iter().filter_map(node_port).collect();
        let is_free = |port: i64| !given.contains(&port) && !taken.has_port(port, &own);
        if let Some(port) = free_port(call, is_free) {
            service.set(&["spec", "healthCheckNodePort"], port);
        }
    }
    Ok(())
}

fn check_address(
    service: &Node,
    address: &str,
    network: ServiceNetwork,
    (taken, own): (&Taken, &Key),
) -> Result<(), FieldError> {
    let all = Node::list(texts(service, "clusterIPs"));
    let refuse = |problem: &str| {
        let problem = format!("failed to allocate IP {address}: {problem}");
        Err(FieldError::invalid(
            "spec.clusterIPs",
            FieldValue::from(&all),
            problem,
        ))
    };
    let Ok(parsed) = address.parse::<std::net::Ipv4Addr>() else {
        return Ok(());
    };
    if !network.contains(parsed) {
        return refuse("the provided network does not match the current range");
    }
    match taken.has_address(address, own) {
        true => refuse("provided IP is already allocated"),
        false => Ok(()),
    }
}

fn free_address(call: &mut Call<'_>, taken: &Taken, own: &Key) -> Option<Text> {
    let network = call.state.features().service_network;
    let address = |number: u64| Text::from(network.address(number).to_string());
    let random = (0..RANDOM_TRIES).find_map(|_| {
        let address = address(1 + call.random.below(network.len()));
        (!taken.has_address(&address, own)).then_some(address)
    });
    random.or_else(|| {
        (1..=network.len())
            .map(address)
            .find(|address| !taken.has_address(address, own))
    })
}

fn free_port(call: &mut Call<'_>, is_free: impl Fn(i64) -> bool) -> Option<i64> {
    let span = u64::try_from(PORT_MAX - PORT_MIN + 1).unwrap_or(1);
    let random = (0..RANDOM_TRIES).find_map(|_| {
        let port = PORT_MIN + i64::try_from(call.random.below(span)).unwrap_or_default();
        is_free(port).then_some(port)
    });
    random.or_else(|| (PORT_MIN..=PORT_MAX).find(|port| is_free(*port)))
}

fn allocate_ports(
    call: &mut Call<'_>,
    service: &mut Node,
    (taken, holder): (&Taken, &Key),
) -> Result<(), FieldError> {
    let mut all = ports(service);
    let mut own: BTreeSet<i64> = BTreeSet::new();
    for (index, port) in all.iter().enumerate() {
        let Some(number) = node_port(port) else {
            continue;
        };
        let refuse = |problem: String| {
            Err(FieldError::invalid(
                format!("spec.ports[{index}].nodePort"),
                number,
                problem,
            ))
        };
        if !(PORT_MIN..=PORT_MAX).contains(&number) {
            return refuse(format!(
                "provided port is not in the valid range. The range of valid ports is {PORT_MIN}-{PORT_MAX}"
            ));
        }
        if taken.has_port(number, holder) {
            return refuse("provided port is already allocated".to_owned());
        }
        own.insert(number);
    }
    for port in &mut all {
        if node_port(port).is_none() {
            let is_free = |port: i64| !own.contains(&port) && !taken.has_port(port, holder);
            let Some(number) = free_port(call, is_free) else {
                continue;
            };
            own.insert(number);
            port.set(&["nodePort"], number);
        }
    }
    if !all.is_empty() {
        service.set(&["spec", "ports"], all);
    }
    Ok(())
}
