//! What is done to pods through their subresources: binding, eviction, log.
//!
//! # Source
//! kubernetes/kubernetes `pkg/registry/core/pod/storage/storage.go`, `eviction.go`.

use object::{LabelSelector, Map, Node, Text};

use crate::call::{Call, Target, is_deleting, meta, stamp};
use crate::decode::{self, Expected};
use crate::options::{self, DeleteOptions, WriteOptions};
use crate::path::Route;
use crate::serve::Answer;
use crate::status::Cause;
use crate::{Deletion, Key, Refusal, Request};

const BUDGETS: &str = "poddisruptionbudgets.policy";
/// Seconds to wait while nobody has counted the pods of a budget.
const UNCOUNTED_RETRY: u32 = 10;

fn created() -> Answer {
    let mut status: Map = [("kind", "Status"), ("apiVersion", "v1")]
        .into_iter()
        .collect();
    status.insert("metadata", Node::map());
    status.insert("status", "Success");
    status.insert("code", 201);
    Answer {
        status: 201,
        node: status.into(),
    }
}

/// Puts a pod on a node.
pub(crate) fn bind(
    call: &mut Call<'_>,
    request: &Request,
    route: &Route,
) -> Result<Answer, Refusal> {
    let options = options::write(request, "CreateOptions", false)?;
    call.dry_run = options.dry_run;
    let expected = Expected {
        group: "",
        version: "v1",
        kind: "Binding",
        custom: None,
    };
    let content_type = request.content_type.as_deref();
    let decoded = decode::object(
        call.state,
        &request.body,
        content_type,
        &expected,
        options.validation,
    )?;
    let binding = decoded.node;
    let name = match route.name.as_str() {
        "" => Text::from(meta(&binding, "name")),
        name => name.into(),
    };
    if meta(&binding, "name") != name {
        return Err(Refusal::bad_request(
            "name in URL does not match name in Binding object",
        ));
    }
    let node = Text::from(binding.str_at(&["target", "name"]).unwrap_or_default());
    let kind = binding.str_at(&["target", "kind"]).unwrap_or_default();
    if !matches!(kind, "" | "Node") {
        let problem =
            format!("target.kind: Unsupported value: {kind:?}: supported values: \"Node\", \"\"");
        return Err(Refusal::plain_error(problem));
    }
    if node.is_empty() {
        return Err(Refusal::plain_error("target.name: Required value"));
    }
    let pods = call
        .state
        .storage_type("pods")
        .ok_or_else(Refusal::unknown_resource)?;
    let Some(live) = call.live(&pods, &route.namespace, &name) else {
        return Err(Refusal::not_found(&pods, &name));
    };
    let conflict = |problem: String| {
        let mut refusal = Refusal::conflict(&pods, &name, &problem);
        refusal.message = refusal.message.replacen("pods", "pods/binding", 1);
        refusal.kind = "pods/binding".into();
        refusal
    };
    if is_deleting(&live) {
        return Err(conflict(format!(
            "pod {name} is being deleted, cannot be assigned to a host"
        )));
    }
    if let Some(host) = live
        .str_at(&["spec", "nodeName"])
        .filter(|host| !host.is_empty())
    {
        return Err(conflict(format!(
            "pod {name} is already assigned to node {host:?}"
        )));
    }
    let mut pod = live.node.clone();
    pod.set(&["spec", "nodeName"], node);
    for (key, value) in binding
        .at(&["metadata", "annotations"])
        .and_then(Node::as_map)
        .into_iter()
        .flat_map(Map::iter)
    {
        pod.set(&["metadata", "annotations", key], value.clone());
    }
    let now = call.now();
    set_condition(&mut pod, "PodScheduled", None, &now);
    call.store(&pods, Key::new(route.namespace.clone(), name), Some(pod));
    Ok(created())
}

/// Sets a condition to true, with a reason and a message if there are any.
fn set_condition(pod: &mut Node, kind: &str, why: Option<(&str, &str)>, now: &str) {
    let conditions = pod
        .at(&["status", "conditions"])
        .and_then(Node::as_list)
        .unwrap_or_default();
    let mut conditions = conditions.to_vec();
    conditions.retain(|condition| condition.str_at(&["type"]) != Some(kind));
    let mut condition = Map::new();
    condition.insert("type", kind);
    condition.insert("status", "True");
    condition.insert("lastProbeTime", Node::Null);
    condition.insert("lastTransitionTime", now);
    if let Some((reason, message)) = why {
        condition.insert("reason", reason);
        condition.insert("message", message);
    }
    conditions.push(condition.into());
    pod.set(&["status", "conditions"], conditions);
}

/// Deletes a pod if the budgets it belongs to allow that.
pub(crate) fn evict(
    call: &mut Call<'_>,
    request: &Request,
    route: &Route,
) -> Result<Answer, Refusal> {
    let options = options::write(request, "CreateOptions", false)?;
    decode::check_size(&request.body)?;
    let encoding = decode::encoding(request.content_type.as_deref(), false)?;
    let raw = decode::parse(&request.body, encoding).map_err(Refusal::bad_request)?;
    let eviction = raw.node;
    if meta(&eviction, "name") != route.name {
        return Err(Refusal::bad_request(
            "name in URL does not match name in Eviction object",
        ));
    }
    let empty = Node::map();
    let wished = eviction
        .get("deleteOptions")
        .filter(|wished| wished.as_map().is_some());
    let delete = options::delete(request, Some(wished.unwrap_or(&empty)))?;
    call.dry_run = options.dry_run || delete.dry_run;
    let resource = &route.resource;
    let Some(live) = call.live(resource, &route.namespace, &route.name) else {
        return Err(Refusal::not_found(resource, &route.name));
    };
    let delete = DeleteOptions {
        deletion: Deletion {
            uid: Some(meta(&live, "uid").into()),
            ..delete.deletion.clone()
        },
        ..delete
    };
    let pending = is_deleting(&live);
    let finished = matches!(
        live.str_at(&["status", "phase"]),
        Some("Succeeded" | "Failed" | "Pending")
    );
    if !finished && !pending {
        charge_budget(call, route, &live)?;
    }
    if !pending && !call.dry_run {
        announce(call, route, &live);
    }
    let write = WriteOptions::default();
    call.delete(
        &Target {
            subresource: "",
            ..Target::of(route, &write)
        },
        &delete,
    )?;
    Ok(created())
}

/// Notes on the pod why it is about to end; like every status of the server's own, without owner.
fn announce(call: &mut Call<'_>, route: &Route, live: &Node) {
    let mut pod = live.clone();
    let now = call.now();
    let why = ("EvictionByEvictionAPI", "Eviction API: evicting");
    set_condition(&mut pod, "DisruptionTarget", Some(why), &now);
    let key = Key::new(route.namespace.clone(), route.name.clone());
    call.store(&route.resource, key, Some(pod));
}

fn charge_budget(call: &mut Call<'_>, route: &Route, pod: &Node) -> Result<(), Refusal> {
    let labels = pod.at(&["metadata", "labels"]).and_then(Node::as_map);
    let budgets: Vec<(Key, Node)> = call
        .state
        .list(BUDGETS, Some(&route.namespace))
        .filter(|(_, budget)| {
            let selector = budget.at(&["spec", "selector"]);
            selector.is_some_and(|selector| LabelSelector::from_node(selector).matches(labels))
        })
        .map(|(key, budget)| (key.clone(), budget.node.clone()))
        .collect();
    let (key, mut budget) = match budgets.len() {
        0 => return Ok(()),
        1 => budgets.into_iter().next().expect("there is one"),
        _ => {
            let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Refusal::plain_error(message));
        }
    };
    let number = |keys: &[&str]| budget.at(keys).and_then(Node::as_i64).unwrap_or_default();
    let refuse = |retry_after: u32, problem: String| Refusal {
        bare_details: true,
        retry_after,
        causes: vec![Cause {
            reason: "DisruptionBudget".into(),
            message: problem,
            field: String::new(),
        }],
        ..Refusal::new(
            429,
            "TooManyRequests",
            "Cannot evict pod as it would violate the pod's disruption budget.",
        )
    };
    let name = &key.name;
    if number(&["status", "observedGeneration"]) < number(&["metadata", "generation"]) {
        let problem =
            format!("The disruption budget {name} is still being processed by the server.");
        return Err(refuse(UNCOUNTED_RETRY, problem));
    }
    let allowed = number(&["status", "disruptionsAllowed"]);
    if allowed <= 0 {
        let (needed, healthy) = (
            number(&["status", "desiredHealthy"]),
            number(&["status", "currentHealthy"]),
        );
        let problem = format!(
            "The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
        );
        return Err(refuse(0, problem));
    }
    budget.set(&["status", "disruptionsAllowed"], allowed - 1);
    let now = stamp(call.env.now);
    if allowed == 1 {
        disruption_condition(&mut budget, &now);
    }
    budget.set(&["status", "disruptedPods", &route.name], now);
    let Some(resource) = call.state.storage_type(BUDGETS) else {
        return Ok(());
    };
    let options = WriteOptions {
        manager: "kube-apiserver".into(),
        ..WriteOptions::default()
    };
    let target = Target {
        resource: &resource,
        namespace: &key.namespace,
        name,
        subresource: "status",
        options: &options,
    };
    call.update(&target, budget).map(|_| ())
}

fn disruption_condition(budget: &mut Node, now: &str) {
    let generation = budget
        .at(&["status", "observedGeneration"])
        .and_then(Node::as_i64)
        .unwrap_or_default();
    let mut condition = Map::new();
    condition.insert("type", "DisruptionAllowed");
    condition.insert("status", "False");
    condition.insert("observedGeneration", generation);
    condition.insert("lastTransitionTime", now);
    condition.insert("reason", "InsufficientPods");
    condition.insert("message", "");
    let conditions = budget
        .at(&["status", "conditions"])
        .and_then(Node::as_list)
        .unwrap_or_default();
    let mut conditions = conditions.to_vec();
    conditions.retain(|one| one.str_at(&["type"]) != Some("DisruptionAllowed"));
    conditions.push(condition.into());
    budget.set(&["status", "conditions"], conditions);
}

/// The log of a container that never ran: nothing.
pub(crate) fn log(call: &Call<'_>, route: &Route) -> Result<Answer, Refusal> {
    let resource = &route.resource;
    let Some(pod) = call
        .state
        .get(&resource.storage, &route.namespace, &route.name)
    else {
        return Err(Refusal::not_found(resource, &route.name));
    };
    let node = pod.str_at(&["spec", "nodeName"]).unwrap_or_default();
    if node.is_empty() {
        let message = format!("pod {} does not have a host assigned", route.name);
        return Err(Refusal::bad_request(message));
    }
    if call.state.get("nodes", "", node).is_none() {
        return Err(Refusal::not_found(resource, node));
    }
    let text = pod
        .str_at(&["metadata", "annotations", "fleetwright.dev/log"])
        .unwrap_or_default();
    Ok(Answer {
        status: 200,
        node: Node::from(text),
    })
}
