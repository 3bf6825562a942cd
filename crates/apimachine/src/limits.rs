//! LimitRanges: defaults and bounds for the resources of containers, pods and claims.
//!
//! # Source
//! kubernetes/kubernetes `plugin/pkg/admission/limitranger/admission.go`.

use std::collections::BTreeMap;

use golang::Quantity;
use object::{Map, Node, Text};

use crate::Refusal;
use crate::call::{Call, Target, meta};

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

type Amounts = BTreeMap<Text, Quantity>;

fn limits_of(call: &Call<'_>, namespace: &str) -> Vec<Node> {
    let ranges = call.state.list("limitranges", Some(namespace));
    ranges
        .flat_map(|(_, range)| {
            range
                .at(&["spec", "limits"])
                .and_then(Node::as_list)
                .unwrap_or_default()
        })
        .cloned()
        .collect()
}

fn amounts(node: Option<&Node>) -> Amounts {
    let entries = node.and_then(Node::as_map).into_iter().flat_map(Map::iter);
    entries
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.parse().ok()?)))
        .collect()
}

fn is_of(limit: &Node, kind: &str) -> bool {
    limit.str_at(&["type"]) == Some(kind)
}

/// Gives containers the resources they do not ask for.
pub(crate) fn set_defaults(call: &Call<'_>, target: &Target<'_>, pod: &mut Node) {
    let limits = limits_of(call, target.namespace);
    let mut told = Vec::new();
    for limit in limits.iter().filter(|limit| is_of(limit, "Container")) {
        let defaults = [
            ("requests", "request", limit.get("defaultRequest")),
            ("limits", "limit", limit.get("default")),
        ];
        for (list, word) in [
            ("containers", "container"),
            ("initContainers", "init container"),
        ] {
            let containers = pod.at_mut(&["spec", list]).and_then(Node::as_list_mut);
            for container in containers.into_iter().flatten() {
                for (field, noun, default) in &defaults {
                    let set = fill(container, field, *default);
                    if !set.is_empty() {
                        let name = container.str_at(&["name"]).unwrap_or_default();
                        told.push(format!("{} {noun} for {word} {name}", set.join(", ")));
                    }
                }
            }
        }
    }
    if !told.is_empty() {
        let text = format!("LimitRanger plugin set: {}", told.join("; "));
        pod.set(&["metadata", "annotations", ANNOTATION], text);
    }
}

/// Sets what is missing; says which resources, sorted.
fn fill(container: &mut Node, field: &str, defaults: Option<&Node>) -> Vec<String> {
    let mut set = Vec::new();
    for (name, value) in defaults
        .and_then(Node::as_map)
        .into_iter()
        .flat_map(Map::iter)
    {
        if container.at(&["resources", field, name]).is_none() {
            container.set(&["resources", field, name], value.clone());
            set.push(name.to_string());
        }
    }
    set.sort();
    set
}

/// Refuses pods and claims outside the bounds of their namespace.
pub(crate) fn check(call: &Call<'_>, target: &Target<'_>, object: &Node) -> Result<(), Refusal> {
    let limits = limits_of(call, target.namespace);
    let mut problems = Vec::new();
    for limit in &limits {
        let kind = limit.str_at(&["type"]).unwrap_or_default();
        match (target.resource.storage.as_str(), kind) {
            ("pods", "Container") => {
                for key in ["containers", "initContainers"] {
                    for container in object
                        .at(&["spec", key])
                        .and_then(Node::as_list)
                        .unwrap_or_default()
                    {
                        let requests = amounts(container.at(&["resources", "requests"]));
                        let limits = amounts(container.at(&["resources", "limits"]));
                        bounds(limit, kind, &requests, &limits, &mut problems);
                    }
                }
            }
            ("pods", "Pod") => {
                let (requests, limits) = (
                    pod_amounts(object, "requests"),
                    pod_amounts(object, "limits"),
                );
                bounds(limit, kind, &requests, &limits, &mut problems);
            }
            ("persistentvolumeclaims", "PersistentVolumeClaim") => {
                let requests = amounts(object.at(&["spec", "resources", "requests"]));
                claim_bounds(limit, kind, &requests, &mut problems);
            }
            _ => {}
        }
    }
    let mut unique: Vec<String> = Vec::new();
    for problem in problems {
        if !unique.contains(&problem) {
            unique.push(problem);
        }
    }
    let problem = match &unique[..] {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    Err(Refusal::not_admitted(
        target.resource,
        meta(object, "name"),
        &problem,
    ))
}

/// What a pod needs at most at once: its containers together, or one of those that run before.
pub(crate) fn pod_amounts(pod: &Node, field: &str) -> Amounts {
    let list = |key: &str| {
        pod.at(&["spec", key])
            .and_then(Node::as_list)
            .unwrap_or_default()
    };
    let mut sum = Amounts::new();
    for container in list("containers") {
        add(&mut sum, &amounts(container.at(&["resources", field])));
    }
    for container in list("initContainers") {
        for (name, amount) in amounts(container.at(&["resources", field])) {
            let known = sum.entry(name).or_insert_with(|| amount.clone());
            if *known < amount {
                *known = amount;
            }
        }
    }
    sum
}

/// Adds `more` to `sum`.
pub(crate) fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        match sum.get(name).map(|known| known.plus(amount)) {
            Some(Some(total)) => drop(sum.insert(name.clone(), total)),
            // More than a quantity can hold: what is there is beyond every bound already.
            Some(None) => {}
            None => drop(sum.insert(name.clone(), amount.clone())),
        }
    }
}

fn bounds(
    limit: &Node,
    kind: &str,
    requests: &Amounts,
    limits: &Amounts,
    problems: &mut Vec<String>,
) {
    for (name, bound) in amounts(limit.get("min")) {
        let text = format!("minimum {name} usage per {kind} is {bound}");
        match requests.get(&name) {
            None => problems.push(format!("{text}.  No request is specified")),
            Some(request) if *request < bound => {
                problems.push(format!("{text}, but request is {request}"))
            }
            Some(_) => {
                if let Some(limit) = limits.get(&name).filter(|limit| **limit < bound) {
                    problems.push(format!("{text}, but limit is {limit}"));
                }
            }
        }
    }
    for (name, bound) in amounts(limit.get("max")) {
        let text = format!("maximum {name} usage per {kind} is {bound}");
        match limits.get(&name) {
            None => problems.push(format!("{text}.  No limit is specified")),
            Some(limit) if *limit > bound => problems.push(format!("{text}, but limit is {limit}")),
            Some(_) => {
                if let Some(request) = requests.get(&name).filter(|request| **request > bound) {
                    problems.push(format!("{text}, but request is {request}"));
                }
            }
        }
    }
    for (name, bound) in amounts(limit.get("maxLimitRequestRatio")) {
        let text = format!("{name} max limit to request ratio per {kind} is {bound}, but");
        let request = requests.get(&name).map_or(0.0, Quantity::as_f64);
        let limit = limits.get(&name).map_or(0.0, Quantity::as_f64);
        if request == 0.0 {
            problems.push(format!("{text} no request is specified or request is 0"));
        } else if limit == 0.0 {
            problems.push(format!("{text} no limit is specified or limit is 0"));
        } else if limit / request > bound.as_f64() {
            problems.push(format!("{text} provided ratio is {:.6}", limit / request));
        }
    }
}

fn claim_bounds(limit: &Node, kind: &str, requests: &Amounts, problems: &mut Vec<String>) {
    for (key, word) in [("min", "minimum"), ("max", "maximum")] {
        for (name, bound) in amounts(limit.get(key)) {
            let text = format!("{word} {name} usage per {kind} is {bound}");
            match requests.get(&name) {
                None => problems.push(format!("{text}.  No request is specified")),
                Some(request)
                    if (key == "min" && *request < bound) || (key == "max" && *request > bound) =>
                {
                    problems.push(format!("{text}, but request is {request}"));
                }
                Some(_) => {}
            }
        }
    }
}
