//! ReplicaSets: as many pods as asked for.

use golang::{Duration, Timestamp};
use object::{Node, Object};

use crate::conditions::Conditions;
use crate::pod::{is_active, ready_since};
use crate::template::{self, number};
use crate::view::{View, Writes, int};

const REPLICA_SETS: &str = "replicasets.apps";

/// Pods created or deleted for one owner at a time; the rest follows in the next round.
const BURST: usize = 500;

/// What the controller would do about one ReplicaSet.
pub(crate) fn reconcile(view: &dyn View, set: &Object, now: Timestamp) -> Writes {
    let mut writes = Writes::default();
    if set.is_deleting() {
        return writes;
    }
    let pods = view.owned("pods", set);
    let mut active: Vec<&Object> = pods.iter().filter(|pod| is_active(pod)).collect();
    let wanted = int(set, &["spec", "replicas"], 1).max(0) as usize;
    for nth in active.len()..wanted.min(active.len() + BURST) {
        let draw = number(set.name()).wrapping_add(nth as u64);
        let mut pod = template::pod(view, set, &[], draw);
        let name = format!("{}-", set.name());
        pod.set(&["metadata", "generateName"], name);
        writes.create("pods", pod, set);
    }
    if active.len() > wanted {
        // Unready ones first, then the youngest.
        active.sort_by_key(|pod| {
            let created = pod.node.str_at(&["metadata", "creationTimestamp"]);
            (
                ready_since(pod).is_some(),
                std::cmp::Reverse(created.map(str::to_owned)),
            )
        });
        for pod in active.iter().take((active.len() - wanted).min(BURST)) {
            writes.delete("pods", pod);
        }
    }
    writes.status(REPLICA_SETS, set, status(view, set, &active, wanted, now));
    if let Some(at) = available_later(set, &active, now) {
        writes.wake_at(at);
    }
    writes
}

fn status(
    view: &dyn View,
    set: &Object,
    active: &[&Object],
    wanted: usize,
    now: Timestamp,
) -> Node {
    let mut status = Node::map();
    let delay = min_ready(set);
    let ready = active
        .iter()
        .filter(|pod| ready_since(pod).is_some())
        .count();
    let available = active
        .iter()
        .filter(|pod| is_available(pod, delay, now))
        .count();
    let labels = set.node.at(&["spec", "template", "metadata", "labels"]);
    let labels = labels.and_then(Node::as_map);
    let labelled = active
        .iter()
        .filter(|pod| template::has_all(labels, pod.labels()));
    status.set(&["replicas"], active.len() as i64);
    for (key, count) in [
        ("fullyLabeledReplicas", labelled.count()),
        ("readyReplicas", ready),
        ("availableReplicas", available),
    ] {
        if count > 0 {
            status.set(&[key], count as i64);
        }
    }
    status.set(&["observedGeneration"], set.generation());
    let mut conditions = Conditions::of(set);
    match view.refusal(set) {
        Some(message) if active.len() < wanted => {
            let reason = ("FailedCreate", message.as_str());
            conditions.set("ReplicaFailure", true, reason, now);
        }
        _ => conditions.remove("ReplicaFailure"),
    }
    let conditions = conditions.into_node();
    if conditions.as_list().is_some_and(|list| !list.is_empty()) {
        status.set(&["conditions"], conditions);
    }
    status
}

/// How long a pod has to be ready until it counts as available.
pub(crate) fn min_ready(object: &Object) -> Duration {
    Duration::from_seconds(int(object, &["spec", "minReadySeconds"], 0))
}

/// Whether a pod has been ready for long enough.
pub(crate) fn is_available(pod: &Object, delay: Duration, now: Timestamp) -> bool {
    ready_since(pod).is_some_and(|since| since.plus(delay) <= now)
}

/// When the next ready pod becomes available.
fn available_later(set: &Object, pods: &[&Object], now: Timestamp) -> Option<Timestamp> {
    let delay = min_ready(set);
    let times = pods
        .iter()
        .filter_map(|pod| Some(ready_since(pod)?.plus(delay)));
    times.filter(|at| *at > now).min()
}
