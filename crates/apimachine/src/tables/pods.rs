//! The cells of pods, which sum up what all of their containers do.

use golang::{Timestamp, human_duration};
use object::{Map, Node};

use super::text::{NONE, age, at, is_true, items, number, or};
use crate::ResourceType;

pub(super) fn cells(pod: &Node, now: Timestamp) -> Vec<Node> {
    let summary = Summary::of(pod);
    let restarts = match summary.last_restart {
        Some(time) if summary.restarts > 0 => format!(
            "{} ({} ago)",
            summary.restarts,
            human_duration(now.since(time))
        ),
        _ => summary.restarts.to_string(),
    };
    let ip = match items(pod, &["status", "podIPs"]).first() {
        Some(first) => at(first, &["ip"]),
        None => at(pod, &["status", "podIP"]),
    };
    vec![
        at(pod, &["metadata", "name"]).into(),
        format!("{}/{}", summary.ready, summary.containers).into(),
        summary.reason.into(),
        restarts.into(),
        age(pod, now),
        or(ip, NONE).into(),
        or(at(pod, &["spec", "nodeName"]), NONE).into(),
        or(at(pod, &["status", "nominatedNodeName"]), NONE).into(),
        readiness_gates(pod).into(),
    ]
}

/// Rows of pods that have ended say so; kubectl hides them on demand.
pub(super) fn row_conditions(resource: &ResourceType, object: &Node) -> Vec<Node> {
    if resource.kind != "Pod" || resource.custom.is_some() {
        return Vec::new();
    }
    let message = match at(object, &["status", "phase"]) {
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return Vec::new(),
    };
    let mut condition = Map::new();
    condition.insert("type", "Completed");
    condition.insert("status", "True");
    condition.insert("reason", at(object, &["status", "phase"]));
    condition.insert("message", message);
    vec![Node::Map(condition)]
}

fn readiness_gates(pod: &Node) -> String {
    let gates = items(pod, &["spec", "readinessGates"]);
    if gates.is_empty() {
        return NONE.to_owned();
    }
    let passed = gates
        .iter()
        .filter(|gate| is_true(pod, at(gate, &["conditionType"])))
        .count();
    format!("{passed}/{}", gates.len())
}

/// What the containers of a pod do, taken together.
#[derive(Default)]
struct Summary {
    containers: usize,
    ready: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
    reason: String,
}

impl Summary {
    fn of(pod: &Node) -> Self {
        let phase = at(pod, &["status", "phase"]);
        let mut summary = Self {
            containers: items(pod, &["spec", "containers"]).len(),
            reason: or(at(pod, &["status", "reason"]), phase).to_owned(),
            ..Self::default()
        };
        let gated = |one: &Node| {
            at(one, &["type"]) == "PodScheduled" && at(one, &["reason"]) == "SchedulingGated"
        };
        if items(pod, &["status", "conditions"]).iter().any(gated) {
            summary.reason = "SchedulingGated".into();
        }
        let sidecars = summary.init_containers(pod);
        if let Some(sidecars) = sidecars {
            (summary.restarts, summary.last_restart) = sidecars;
            summary.main_containers(pod);
        }
        if !at(pod, &["metadata", "deletionTimestamp"]).is_empty() {
            if at(pod, &["status", "reason"]) == "NodeLost" {
                summary.reason = "Unknown".into();
            } else if !matches!(phase, "Succeeded" | "Failed") {
                summary.reason = "Terminating".into();
            }
        }
        summary
    }

    /// Reads the init containers; gives the restarts of sidecars when initialization is over.
    fn init_containers(&mut self, pod: &Node) -> Option<(i64, Option<Timestamp>)> {
        let specs = items(pod, &["spec", "initContainers"]);
        let is_sidecar = |status: &Node| {
            let name = at(status, &["name"]);
            specs
                .iter()
                .any(|spec| at(spec, &["name"]) == name && at(spec, &["restartPolicy"]) == "Always")
        };
        self.containers += specs
            .iter()
            .filter(|spec| at(spec, &["restartPolicy"]) == "Always")
            .count();
        let mut sidecars = Self::default();
        let mut initializing = false;
        for (index, status) in items(pod, &["status", "initContainerStatuses"])
            .iter()
            .enumerate()
        {
            self.restarted(status);
            let sidecar = is_sidecar(status);
            if sidecar {
                sidecars.restarted(status);
            }
            let terminated = status
                .at(&["state", "terminated"])
                .filter(|node| !node.is_null());
            let waiting = at(status, &["state", "waiting", "reason"]);
            if terminated.is_some_and(|ended| number(ended, &["exitCode"]) == 0) {
                continue;
            }
            if sidecar && status.get("started").and_then(Node::as_bool) == Some(true) {
                self.ready +=
                    usize::from(status.get("ready").and_then(Node::as_bool) == Some(true));
                continue;
            }
            self.reason = match terminated {
                Some(ended) => format!("Init:{}", end_reason(ended)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => {
                    format!("Init:{waiting}")
                }
                None => format!("Init:{index}/{}", specs.len()),
            };
            initializing = true;
            break;
        }
        (!initializing || is_true(pod, "Initialized"))
            .then_some((sidecars.restarts, sidecars.last_restart))
    }

    fn main_containers(&mut self, pod: &Node) {
        let mut running = false;
        for status in items(pod, &["status", "containerStatuses"]).iter().rev() {
            self.restarted(status);
            let waiting = at(status, &["state", "waiting", "reason"]);
            let terminated = status
                .at(&["state", "terminated"])
                .filter(|node| !node.is_null());
            if !waiting.is_empty() {
                self.reason = waiting.to_owned();
            } else if let Some(ended) = terminated {
                self.reason = end_reason(ended);
            } else if status.get("ready").and_then(Node::as_bool) == Some(true)
                && status
                    .at(&["state", "running"])
                    .is_some_and(|node| !node.is_null())
            {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && running {
            self.reason = if is_true(pod, "Ready") {
                "Running"
            } else {
                "NotReady"
            }
            .to_owned();
        }
    }

    fn restarted(&mut self, status: &Node) {
        self.restarts += number(status, &["restartCount"]);
        let finished = at(status, &["lastState", "terminated", "finishedAt"])
            .parse()
            .ok();
        self.last_restart = self.last_restart.max(finished);
    }
}

/// Why a container ended: its reason, else signal or exit code.
fn end_reason(ended: &Node) -> String {
    let reason = at(ended, &["reason"]);
    if !reason.is_empty() {
        return reason.to_owned();
    }
    match number(ended, &["signal"]) {
        0 => format!("ExitCode:{}", number(ended, &["exitCode"])),
        signal => format!("Signal:{signal}"),
    }
}
