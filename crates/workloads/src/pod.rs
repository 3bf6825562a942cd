//! Pods: what a kubelet would report.

use golang::{Duration, Timestamp};
use object::{Node, Object};

use crate::conditions::Conditions;
use crate::fault::{self, Fault};
use crate::node;
use crate::template::number;
use crate::view::{View, Write, Writes, created};

const PODS: &str = "pods";

/// Time from the first failed pull to the first back-off.
const PULL_TIME: Duration = Duration::from_seconds(1);

/// Time a container of a crash loop runs.
const CRASH_TIME: Duration = Duration::from_seconds(1);

/// Time the container of a Job runs.
const TASK_TIME: Duration = Duration::from_seconds(1);

/// First and longest pause before a container is started again.
const RESTART: (Duration, Duration) = (Duration::from_seconds(10), Duration::from_minutes(5));

/// What one container is doing.
struct Container {
    status: Node,
    ready: bool,
    started: bool,
    /// Exit code of a container that has ended for good.
    ended: Option<i64>,
    wake: Option<Timestamp>,
    /// Why it is not running, for an event.
    trouble: Option<(&'static str, String)>,
}

/// What a kubelet would do about one pod.
pub fn reconcile(view: &dyn View, pod: &Object, now: Timestamp) -> Writes {
    let mut writes = Writes::default();
    if pod.is_deleting() {
        writes.delete(PODS, pod);
        return writes;
    }
    let phase = pod.node.str_at(&["status", "phase"]).unwrap_or_default();
    if matches!(phase, "Succeeded" | "Failed") {
        return writes;
    }
    let start = pod.node.str_at(&["status", "startTime"]);
    let start = start
        .and_then(|text| text.parse().ok())
        .or(created(pod))
        .unwrap_or(now);
    let specs = pod.node.at(&["spec", "containers"]).and_then(Node::as_list);
    let containers: Vec<Container> = specs
        .unwrap_or(&[])
        .iter()
        .map(|spec| container(view, pod, spec, start, now))
        .collect();
    for wake in containers.iter().filter_map(|container| container.wake) {
        writes.wake_at(wake);
    }
    let status = status(pod, &containers, start, now);
    let before = pod.node.get("status").cloned();
    writes.status(PODS, pod, status);
    if writes.writes.is_empty() {
        return writes;
    }
    for (reason, message) in containers.iter().filter_map(|c| c.trouble.clone()) {
        let known = before
            .as_ref()
            .and_then(|status| status.get("containerStatuses"));
        let known = known.map(object::json::to_string).unwrap_or_default();
        if !known.contains(reason) {
            writes.writes.push(event(pod, reason, &message, now));
        }
    }
    writes
}

fn container(
    view: &dyn View,
    pod: &Object,
    spec: &Node,
    start: Timestamp,
    now: Timestamp,
) -> Container {
    let text = |key: &str| spec.str_at(&[key]).unwrap_or_default();
    let (name, image) = (text("name"), text("image"));
    let before = pod.node.at(&["status", "containerStatuses"]);
    let before = before.and_then(Node::as_list).unwrap_or(&[]);
    let before = before
        .iter()
        .find(|status| status.str_at(&["name"]) == Some(name));
    let mut status = Node::map();
    status.set(&["name"], name);
    status.set(&["image"], image);
    status.set(&["imageID"], "");
    status.set(&["restartCount"], 0i64);
    // The server shows it even while it is empty.
    status.set(&["lastState"], Node::map());
    let mut container = Container {
        status,
        ready: false,
        started: false,
        ended: None,
        wake: None,
        trouble: None,
    };
    match fault::of(view, pod, image) {
        Some(Fault::ImagePull) => pull_fails(&mut container, image, start, now),
        Some(Fault::CrashLoop(code)) => crashes(&mut container, before, code, start, now),
        Some(Fault::NeverReady) => runs(&mut container, image, start),
        Some(Fault::SlowStart(time)) => {
            runs(&mut container, image, start);
            becomes_ready(&mut container, start.plus(time), now);
        }
        None if is_task(pod) => ends(&mut container, image, start, now),
        None => {
            runs(&mut container, image, start);
            let delay = spec.at(&["readinessProbe", "initialDelaySeconds"]);
            let delay = delay.and_then(Node::as_i64).unwrap_or(0);
            let at = start.plus(Duration::from_seconds(delay));
            becomes_ready(&mut container, at, now);
        }
    }
    container.status.set(&["ready"], container.ready);
    container.status.set(&["started"], container.started);
    container
}

/// Whether the pod is meant to end.
fn is_task(pod: &Object) -> bool {
    let policy = pod.node.str_at(&["spec", "restartPolicy"]);
    matches!(policy, Some("Never" | "OnFailure"))
}

fn runs(container: &mut Container, image: &str, start: Timestamp) {
    let id = format!("simulated://{:016x}", number(image));
    container.status.set(&["containerID"], id);
    let running = ["state", "running", "startedAt"];
    container.status.set(&running, start.to_string());
    container.started = true;
}

fn becomes_ready(container: &mut Container, at: Timestamp, now: Timestamp) {
    container.ready = at <= now;
    container.wake = (!container.ready).then_some(at);
}

fn ends(container: &mut Container, image: &str, start: Timestamp, now: Timestamp) {
    let end = start.plus(TASK_TIME);
    if now < end {
        runs(container, image, start);
        container.ready = true;
        container.wake = Some(end);
        return;
    }
    let terminated = terminated(0, "Completed", start, end);
    container.status.set(&["state", "terminated"], terminated);
    container.ended = Some(0);
}

fn pull_fails(container: &mut Container, image: &str, start: Timestamp, now: Timestamp) {
    let back_off = start.plus(PULL_TIME);
    let (reason, message) = if now < back_off {
        container.wake = Some(back_off);
        (
            "ErrImagePull",
            format!("failed to pull and unpack image \"{image}\": {image}: not found"),
        )
    } else {
        (
            "ImagePullBackOff",
            format!("Back-off pulling image \"{image}\": ErrImagePull: {image}: not found"),
        )
    };
    container
        .status
        .set(&["state", "waiting", "reason"], reason);
    let place = ["state", "waiting", "message"];
    container.status.set(&place, message.as_str());
    container.trouble = Some((reason, message));
}

/// Runs, ends, waits, and begins again; where it is follows from its restarts and its last end.
fn crashes(
    container: &mut Container,
    before: Option<&Node>,
    code: i64,
    start: Timestamp,
    now: Timestamp,
) {
    let restarts = before.and_then(|status| status.get("restartCount")?.as_i64());
    let mut restarts = restarts.unwrap_or(0);
    let time = |keys: &[&str]| before.and_then(|status| status.str_at(keys)?.parse().ok());
    let ended: Option<Timestamp> = time(&["lastState", "terminated", "finishedAt"]);
    let running: Option<Timestamp> = time(&["state", "running", "startedAt"]);
    let mut begun = match (running, ended) {
        (Some(at), _) => at,
        (None, None) => start,
        (None, Some(ended)) => {
            let begins = ended.plus(pause(restarts));
            if now < begins {
                waits(container, restarts, code, ended);
                container.wake = Some(begins);
                return;
            }
            restarts += 1;
            begins
        }
    };
    if begun > now {
        begun = now;
    }
    let end = begun.plus(CRASH_TIME);
    if now < end {
        runs(container, "", begun);
        container.status.set(&["restartCount"], restarts);
        if let Some(ended) = ended {
            let last = terminated(code, "Error", ended, ended);
            container.status.set(&["lastState", "terminated"], last);
        }
        container.wake = Some(end);
        return;
    }
    waits(container, restarts, code, end);
    container.wake = Some(end.plus(pause(restarts)));
}

fn waits(container: &mut Container, restarts: i64, code: i64, ended: Timestamp) {
    let message = format!("back-off {} restarting failed container", pause(restarts));
    container.status.set(&["restartCount"], restarts);
    let reason = "CrashLoopBackOff";
    container
        .status
        .set(&["state", "waiting", "reason"], reason);
    container
        .status
        .set(&["state", "waiting", "message"], message.as_str());
    let last = terminated(code, "Error", ended, ended);
    container.status.set(&["lastState", "terminated"], last);
    container.trouble = Some((reason, message));
}

fn pause(restarts: i64) -> Duration {
    let doubled = RESTART.0.nanoseconds() << restarts.clamp(0, 10);
    Duration(doubled).min(RESTART.1)
}

fn terminated(code: i64, reason: &str, started: Timestamp, finished: Timestamp) -> Node {
    let mut node = Node::map();
    node.set(&["exitCode"], code);
    node.set(&["reason"], reason);
    node.set(&["startedAt"], started.to_string());
    node.set(&["finishedAt"], finished.to_string());
    node
}

fn status(pod: &Object, containers: &[Container], start: Timestamp, now: Timestamp) -> Node {
    let unready: Vec<&str> = containers
        .iter()
        .filter(|container| !container.ready)
        .filter_map(|container| container.status.str_at(&["name"]))
        .collect();
    let all_ended = !containers.is_empty() && containers.iter().all(|c| c.ended.is_some());
    let failed = containers
        .iter()
        .any(|c| c.ended.is_some_and(|code| code != 0));
    let started = containers.iter().any(|c| c.started);
    let restarted = containers
        .iter()
        .any(|c| c.status.at(&["lastState", "terminated"]).is_some());
    let phase = match () {
        () if all_ended && failed => "Failed",
        () if all_ended => "Succeeded",
        () if started || restarted => "Running",
        () => "Pending",
    };
    let message = format!("containers with unready status: [{}]", unready.join(" "));
    let why = match (unready.is_empty(), all_ended) {
        (_, true) => ("PodCompleted", ""),
        (true, _) => ("", ""),
        (false, _) => ("ContainersNotReady", message.as_str()),
    };
    let ready = unready.is_empty() && !all_ended;
    let mut conditions = Conditions::of(pod);
    conditions.set("PodScheduled", true, ("", ""), now);
    conditions.set("Initialized", true, ("", ""), now);
    conditions.set("ContainersReady", ready, why, now);
    conditions.set("Ready", ready, why, now);
    let address = number(pod.uid());
    let ip = format!(
        "10.244.{}.{}",
        (address >> 8) & 0xff,
        1 + (address & 0xff) % 254
    );
    let node_name = pod.node.str_at(&["spec", "nodeName"]).unwrap_or_default();
    let mut status = pod.node.get("status").cloned().unwrap_or(Node::map());
    status.set(&["phase"], phase);
    status.set(&["conditions"], conditions.into_node());
    status.set(&["startTime"], start.to_string());
    status.set(&["hostIP"], node::address_of(node_name));
    status.set(&["podIP"], ip.as_str());
    let mut pod_ip = Node::map();
    pod_ip.set(&["ip"], ip);
    status.set(&["podIPs"], Node::list([pod_ip]));
    let statuses = containers.iter().map(|container| container.status.clone());
    status.set(&["containerStatuses"], Node::list(statuses));
    status
}

fn event(pod: &Object, reason: &str, message: &str, now: Timestamp) -> Write {
    let mut node = Node::map();
    node.set(&["apiVersion"], "v1");
    node.set(&["kind"], "Event");
    let name = format!("{}.{:x}", pod.name(), number(&format!("{reason}{now}")));
    node.set(&["metadata", "name"], name);
    node.set(&["metadata", "namespace"], pod.namespace());
    for (field, value) in [
        ("apiVersion", "v1"),
        ("kind", "Pod"),
        ("namespace", pod.namespace()),
        ("name", pod.name()),
        ("uid", pod.uid()),
    ] {
        node.set(&["involvedObject", field], value);
    }
    node.set(&["type"], "Warning");
    node.set(&["reason"], reason);
    node.set(&["message"], message);
    node.set(&["source", "component"], "kubelet");
    node.set(&["count"], 1i64);
    node.set(&["firstTimestamp"], now.to_string());
    node.set(&["lastTimestamp"], now.to_string());
    Write::Create {
        resource: "events",
        object: node,
        owner: String::new(),
    }
}

/// Whether a pod counts: neither ended nor being deleted.
pub(crate) fn is_active(pod: &Object) -> bool {
    let phase = pod.node.str_at(&["status", "phase"]);
    !pod.is_deleting() && !matches!(phase, Some("Succeeded" | "Failed"))
}

/// Since when a pod is ready; `None` when it is not.
pub(crate) fn ready_since(pod: &Object) -> Option<Timestamp> {
    let conditions = Conditions::of(pod);
    if !conditions.is_true("Ready") || pod.is_deleting() {
        return None;
    }
    let since = conditions.get("Ready")?.str_at(&["lastTransitionTime"])?;
    since.parse().ok()
}
