//! ResourceQuotas: what a namespace may hold, and what it does hold.
//!
//! # Source
//! kubernetes/kubernetes `pkg/quota/v1`, kubernetes/apiserver
//! `pkg/admission/plugin/resourcequota/controller.go`.

use std::collections::BTreeMap;

use golang::Quantity;
use object::{Map, Node, Text};

use crate::call::{Call, Target, is_deleting, meta};
use crate::limits::{add, pod_amounts};
use crate::settle::Worklist;
use crate::{Event, Refusal, State, Writer};

type Amounts = BTreeMap<Text, Quantity>;

const QUOTAS: &str = "resourcequotas";

fn count_of(number: i64) -> Quantity {
    Quantity::new(number, golang::quantity::Format::DecimalSi)
}

fn amounts(node: Option<&Node>) -> Amounts {
    let entries = node.and_then(Node::as_map).into_iter().flat_map(Map::iter);
    entries
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.parse().ok()?)))
        .collect()
}

/// What one object takes of a quota.
fn usage(resource: &str, object: &Node) -> Amounts {
    let mut used = Amounts::new();
    let mut count = |name: &str, number: i64| drop(used.insert(name.into(), count_of(number)));
    let ended = matches!(
        object.str_at(&["status", "phase"]),
        Some("Succeeded" | "Failed")
    );
    if resource == "pods" && ended {
        count("count/pods", 1);
        return used;
    }
    count(&format!("count/{resource}"), 1);
    if !resource.contains('.') {
        count(resource, 1);
    }
    match resource {
        "pods" => {
            for (name, amount) in pod_amounts(object, "requests") {
                if matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
                    used.insert(name.clone(), amount.clone());
                }
                used.insert(format!("requests.{name}").into(), amount);
            }
            for (name, amount) in pod_amounts(object, "limits") {
                used.insert(format!("limits.{name}").into(), amount);
            }
        }
        "services" => {
            let ports = object
                .at(&["spec", "ports"])
                .and_then(Node::as_list)
                .map_or(0, <[Node]>::len);
            let ports = i64::try_from(ports).unwrap_or(i64::MAX);
            match object.str_at(&["spec", "type"]) {
                Some("NodePort") => count("services.nodeports", ports),
                Some("LoadBalancer") => {
                    count("services.loadbalancers", 1);
                    if object
                        .at(&["spec", "allocateLoadBalancerNodePorts"])
                        .and_then(Node::as_bool)
                        != Some(false)
                    {
                        count("services.nodeports", ports);
                    }
                }
                _ => {}
            }
        }
        "persistentvolumeclaims" => {
            let storage = object.str_at(&["spec", "resources", "requests", "storage"]);
            let class = object
                .str_at(&["spec", "storageClassName"])
                .unwrap_or_default();
            let storage: Option<Quantity> = storage.and_then(|text| text.parse().ok());
            if let Some(storage) = storage {
                if !class.is_empty() {
                    let name = format!("{class}.storageclass.storage.k8s.io/requests.storage");
                    used.insert(name.into(), storage.clone());
                }
                used.insert("requests.storage".into(), storage);
            }
            if !class.is_empty() {
                let name = format!("{class}.storageclass.storage.k8s.io/persistentvolumeclaims");
                used.insert(name.into(), count_of(1));
            }
        }
        _ => {}
    }
    used
}

/// Whether a quota counts this object.
fn in_scope(quota: &Node, resource: &str, object: &Node) -> bool {
    let scopes = quota
        .at(&["spec", "scopes"])
        .and_then(Node::as_list)
        .unwrap_or_default();
    let plain = scopes
        .iter()
        .filter_map(Node::as_str)
        .map(|scope| (scope, "Exists", &[][..]));
    let expressions = quota
        .at(&["spec", "scopeSelector", "matchExpressions"])
        .and_then(Node::as_list);
    let selected = expressions.unwrap_or_default().iter().map(|expression| {
        let text = |key: &str| expression.str_at(&[key]).unwrap_or_default();
        let values = expression
            .get("values")
            .and_then(Node::as_list)
            .unwrap_or_default();
        (text("scopeName"), text("operator"), values)
    });
    plain.chain(selected).all(|(scope, operator, values)| {
        if resource != "pods" {
            return false;
        }
        let bounded = object.at(&["spec", "activeDeadlineSeconds"]).is_some();
        let best_effort = crate::pods::quality_of_service(object) == "BestEffort";
        let class = object
            .str_at(&["spec", "priorityClassName"])
            .unwrap_or_default();
        let listed = || values.iter().any(|value| value.as_str() == Some(class));
        match (scope, operator) {
            ("Terminating", _) => bounded,
            ("NotTerminating", _) => !bounded,
            ("BestEffort", _) => best_effort,
            ("NotBestEffort", _) => !best_effort,
            ("PriorityClass", "In") => listed(),
            ("PriorityClass", "NotIn") => !listed(),
            ("PriorityClass", "DoesNotExist") => class.is_empty(),
            ("PriorityClass", _) => !class.is_empty(),
            _ => true,
        }
    })
}

/// The table a name in a quota counts objects of.
fn resource_of(name: &str) -> Text {
    match name {
        "cpu" | "memory" | "ephemeral-storage" => "pods".into(),
        name if name.starts_with("count/") => name["count/".len()..].into(),
        "requests.storage" => "persistentvolumeclaims".into(),
        name if name.contains(".storageclass.storage.k8s.io/") => "persistentvolumeclaims".into(),
        name if name.starts_with("requests.") || name.starts_with("limits.") => "pods".into(),
        "services.nodeports" | "services.loadbalancers" => "services".into(),
        name => name.into(),
    }
}

/// What a namespace takes of the amounts a quota names.
fn used(state: &State, namespace: &str, quota: &Node, hard: &Amounts) -> Amounts {
    let mut used: Amounts = hard
        .keys()
        .map(|name| (name.clone(), count_of(0)))
        .collect();
    let mut resources: Vec<Text> = hard.keys().map(|name| resource_of(name)).collect();
    resources.sort();
    resources.dedup();
    for resource in resources {
        for (_, object) in state.list(&resource, Some(namespace)) {
            if in_scope(quota, &resource, object) {
                let mut taken = usage(&resource, object);
                taken.retain(|name, _| hard.contains_key(name));
                add(&mut used, &taken);
            }
        }
    }
    used
}

/// Refuses what would exceed a quota of the namespace; `old` is what the object replaces.
pub(crate) fn check(
    call: &Call<'_>,
    target: &Target<'_>,
    object: &Node,
    old: Option<&Node>,
) -> Result<(), Refusal> {
    let resource = target.resource.storage.as_str();
    for (key, quota) in call.state.list(QUOTAS, Some(target.namespace)) {
        let hard = amounts(quota.at(&["spec", "hard"]));
        if !hard.keys().any(|name| resource_of(name) == resource)
            || !in_scope(quota, resource, object)
        {
            continue;
        }
        let refuse = |problem: String| {
            Err(Refusal::not_admitted(
                target.resource,
                meta(object, "name"),
                &problem,
            ))
        };
        if resource == "pods" && old.is_none() {
            let missing = missing_resources(object, &hard);
            if !missing.is_empty() {
                return refuse(format!(
                    "failed quota: {}: must specify {missing}",
                    key.name
                ));
            }
        }
        let before = old.map(|old| usage(resource, old)).unwrap_or_default();
        let mut wanted = usage(resource, object);
        wanted.retain(|name, amount| {
            let Some(before) = before.get(name) else {
                return true;
            };
            match amount.minus(before) {
                Some(more) => *amount = more,
                None => return false,
            }
            true
        });
        wanted.retain(|name, amount| {
            hard.contains_key(name) && !amount.is_zero() && !amount.is_negative()
        });
        if wanted.is_empty() {
            continue;
        }
        let taken = used(call.state, target.namespace, quota, &hard);
        let exceeded = |name: &Text, amount: &Quantity| {
            let total = taken.get(name).and_then(|taken| taken.plus(amount));
            total.is_none_or(|total| hard.get(name).is_some_and(|bound| total > *bound))
        };
        wanted.retain(|name, amount| exceeded(name, amount));
        if !wanted.is_empty() {
            let tell = |amounts: &Amounts| {
                let pairs: Vec<String> = wanted
                    .keys()
                    .filter_map(|name| Some(format!("{name}={}", amounts.get(name)?)))
                    .collect();
                pairs.join(",")
            };
            return refuse(format!(
                "exceeded quota: {}, requested: {}, used: {}, limited: {}",
                key.name,
                tell(&wanted),
                tell(&taken),
                tell(&hard)
            ));
        }
    }
    Ok(())
}

/// Compute resources a quota counts and a container does not ask for.
fn missing_resources(pod: &Node, hard: &Amounts) -> String {
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for key in ["containers", "initContainers"] {
        for container in pod
            .at(&["spec", key])
            .and_then(Node::as_list)
            .unwrap_or_default()
        {
            for name in hard.keys() {
                let (field, resource) = match name.as_str() {
                    "cpu" | "memory" => ("requests", name.as_str()),
                    name => match name.split_once('.') {
                        Some((field @ ("requests" | "limits"), resource @ ("cpu" | "memory"))) => {
                            (field, resource)
                        }
                        _ => continue,
                    },
                };
                if container.at(&["resources", field, resource]).is_none() {
                    let container = container.str_at(&["name"]).unwrap_or_default();
                    missing.entry(name).or_default().push(container);
                }
            }
        }
    }
    let parts: Vec<String> = missing
        .iter()
        .map(|(name, containers)| format!("{name} for: {}", containers.join(",")))
        .collect();
    parts.join("; ")
}

/// Keeps the counts in the status of quotas.
pub(crate) fn react(writer: &mut Writer<'_>, worklist: &Worklist, events: &[Event]) {
    let mut namespaces: Vec<Text> = events
        .iter()
        .map(|event| &event.key)
        .chain(worklist.iter().map(|(_, key)| key))
        .map(|key| key.namespace.clone())
        .filter(|namespace| !namespace.is_empty())
        .collect();
    namespaces.sort();
    namespaces.dedup();
    for namespace in namespaces {
        let quotas: Vec<Node> = writer
            .state()
            .list(QUOTAS, Some(&namespace))
            .map(|(_, quota)| quota.node.clone())
            .collect();
        for mut quota in quotas {
            if is_deleting(&quota) {
                continue;
            }
            let hard = amounts(quota.at(&["spec", "hard"]));
            if hard.is_empty() {
                continue;
            }
            let used = used(writer.state(), &namespace, &quota, &hard);
            let told = |amounts: &Amounts| -> Map {
                amounts
                    .iter()
                    .map(|(name, amount)| (name.clone(), amount.to_string()))
                    .collect()
            };
            let mut status = Node::map();
            status.set(&["hard"], told(&hard));
            status.set(&["used"], told(&used));
            if quota.get("status") != Some(&status) {
                quota.set(&["status"], status);
                // A refusal means that somebody else changed it: their event brings us back.
                let _ = writer.update_status(QUOTAS, quota);
            }
        }
    }
}
