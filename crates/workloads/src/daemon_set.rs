//! DaemonSets: one pod on every node that fits.

use golang::Timestamp;
use object::{Node, Object};

use crate::node;
use crate::pod::{is_active, ready_since};
use crate::replica_set::{is_available, min_ready};
use crate::template;
use crate::view::{View, Writes, int};

const HASH: &str = "controller-revision-hash";

/// What the controller would do about one DaemonSet.
pub(crate) fn reconcile(view: &dyn View, set: &Object, now: Timestamp) -> Writes {
    let mut writes = Writes::default();
    if set.is_deleting() {
        return writes;
    }
    let hash = template::hash(set.node.at(&["spec", "template"]).unwrap_or(&Node::Null));
    let pods = view.owned("pods", set);
    let model = template::pod(view, set, &[(HASH, &hash)], 0);
    let nodes = node::fitting(view, &model);
    let on = |pod: &Object| {
        pod.node
            .str_at(&["spec", "nodeName"])
            .unwrap_or_default()
            .to_owned()
    };
    for node in &nodes {
        if pods.iter().any(|pod| on(pod) == *node && is_active(pod)) {
            continue;
        }
        let mut pod = model.clone();
        pod.set(&["metadata", "generateName"], format!("{}-", set.name()));
        pod.set(&["spec", "nodeName"], node.as_str());
        writes.create("pods", pod, set);
    }
    let active: Vec<&Object> = pods.iter().filter(|pod| is_active(pod)).collect();
    for pod in active.iter().filter(|pod| !nodes.contains(&on(pod))) {
        writes.delete("pods", pod);
    }
    let by_hand = set.node.str_at(&["spec", "updateStrategy", "type"]) == Some("OnDelete");
    let all_ready =
        active.len() == nodes.len() && active.iter().all(|pod| ready_since(pod).is_some());
    let outdated = active.iter().find(|pod| pod.label(HASH) != Some(&hash));
    if let (false, true, Some(pod)) = (by_hand, all_ready, outdated) {
        writes.delete("pods", pod);
    }
    let delay = min_ready(set);
    let placed: Vec<&&Object> = active
        .iter()
        .filter(|pod| nodes.contains(&on(pod)))
        .collect();
    let count =
        |keep: &dyn Fn(&Object) -> bool| placed.iter().filter(|pod| keep(pod)).count() as i64;
    let available = count(&|pod| is_available(pod, delay, now));
    let mut status = Node::map();
    status.set(&["currentNumberScheduled"], placed.len() as i64);
    status.set(&["desiredNumberScheduled"], nodes.len() as i64);
    status.set(&["numberMisscheduled"], 0i64);
    status.set(&["numberReady"], count(&|pod| ready_since(pod).is_some()));
    for (key, number) in [
        (
            "updatedNumberScheduled",
            count(&|pod| pod.label(HASH) == Some(&hash)),
        ),
        ("numberAvailable", available),
        ("numberUnavailable", nodes.len() as i64 - available),
    ] {
        if number > 0 {
            status.set(&[key], number);
        }
    }
    status.set(
        &["observedGeneration"],
        int(set, &["metadata", "generation"], 0),
    );
    writes.status("daemonsets.apps", set, status);
    writes
}
