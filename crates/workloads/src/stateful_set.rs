//! StatefulSets: numbered pods, one after the other.

use golang::Timestamp;
use object::{Node, Object};

use crate::pod::{is_active, ready_since};
use crate::replica_set::{is_available, min_ready};
use crate::template;
use crate::view::{View, Write, Writes, int};

const STATEFUL_SETS: &str = "statefulsets.apps";
const HASH: &str = "controller-revision-hash";

/// What the controller would do about one StatefulSet.
pub(crate) fn reconcile(view: &dyn View, set: &Object, now: Timestamp) -> Writes {
    let mut writes = Writes::default();
    if set.is_deleting() {
        return writes;
    }
    let template = set.node.at(&["spec", "template"]).unwrap_or(&Node::Null);
    let revision = format!("{}-{}", set.name(), template::hash(template));
    let pods = view.owned("pods", set);
    let wanted = int(set, &["spec", "replicas"], 1).max(0);
    let first = int(set, &["spec", "ordinals", "start"], 0);
    let parallel = set.node.str_at(&["spec", "podManagementPolicy"]) == Some("Parallel");
    let name = |ordinal: i64| format!("{}-{}", set.name(), first + ordinal);
    let find = |ordinal: i64| pods.iter().find(|pod| pod.name() == name(ordinal));
    let mut settled = true;
    for ordinal in 0..wanted {
        match find(ordinal) {
            Some(pod) if !is_active(pod) && !pod.is_deleting() => {
                // A numbered pod that has ended makes room for itself.
                writes.delete("pods", pod);
                settled = false;
            }
            Some(pod) => settled &= ready_since(pod).is_some(),
            None => {
                create(
                    view,
                    set,
                    &name(ordinal),
                    first + ordinal,
                    &revision,
                    &mut writes,
                );
                settled = false;
            }
        }
        if !settled && !parallel {
            break;
        }
    }
    let number = |pod: &Object| {
        let digits = pod.name().rsplit('-').next().unwrap_or_default();
        digits.parse::<i64>().unwrap_or(0) - first
    };
    let mut beyond: Vec<&Object> = pods.iter().filter(|pod| number(pod) >= wanted).collect();
    beyond.sort_by_key(|pod| std::cmp::Reverse(number(pod)));
    let at_once = if parallel { beyond.len() } else { 1 };
    if settled || parallel {
        for pod in beyond.iter().filter(|pod| !pod.is_deleting()).take(at_once) {
            writes.delete("pods", pod);
        }
    }
    if settled && beyond.is_empty() {
        replace_outdated(set, &pods, wanted, &revision, &number, &mut writes);
    }
    writes.status(
        STATEFUL_SETS,
        set,
        status(set, &pods, wanted, &revision, now),
    );
    writes
}

/// Deletes the highest pod of an older template, down to the partition.
fn replace_outdated(
    set: &Object,
    pods: &[Object],
    wanted: i64,
    revision: &str,
    number: &dyn Fn(&Object) -> i64,
    writes: &mut Writes,
) {
    if set.node.str_at(&["spec", "updateStrategy", "type"]) == Some("OnDelete") {
        return;
    }
    let partition = int(
        set,
        &["spec", "updateStrategy", "rollingUpdate", "partition"],
        0,
    );
    let outdated = pods.iter().filter(|pod| {
        pod.label(HASH) != Some(revision) && (partition..wanted).contains(&number(pod))
    });
    if let Some(pod) = outdated.max_by_key(|pod| number(pod)) {
        writes.delete("pods", pod);
    }
}

fn create(
    view: &dyn View,
    set: &Object,
    name: &str,
    ordinal: i64,
    revision: &str,
    writes: &mut Writes,
) {
    let index = ordinal.to_string();
    let labels = [
        (HASH, revision),
        ("statefulset.kubernetes.io/pod-name", name),
        ("apps.kubernetes.io/pod-index", index.as_str()),
    ];
    let mut pod = template::pod(view, set, &labels, ordinal as u64);
    pod.set(&["metadata", "name"], name);
    pod.set(&["spec", "hostname"], name);
    let claims = set.node.at(&["spec", "volumeClaimTemplates"]);
    let mut volumes = pod
        .at(&["spec", "volumes"])
        .and_then(Node::as_list)
        .unwrap_or(&[])
        .to_vec();
    for template in claims.and_then(Node::as_list).unwrap_or(&[]) {
        let volume = template.str_at(&["metadata", "name"]).unwrap_or_default();
        let claim = format!("{volume}-{name}");
        if view
            .get("persistentvolumeclaims", set.namespace(), &claim)
            .is_none()
        {
            writes.writes.push(claim_from(template, set, &claim));
        }
        let mut mounted = Node::map();
        mounted.set(&["name"], volume);
        mounted.set(&["persistentVolumeClaim", "claimName"], claim);
        volumes.retain(|known| known.str_at(&["name"]) != Some(volume));
        volumes.push(mounted);
    }
    if !volumes.is_empty() {
        pod.set(&["spec", "volumes"], Node::from(volumes));
    }
    writes.create("pods", pod, set);
}

fn claim_from(template: &Node, set: &Object, name: &str) -> Write {
    let mut claim = template.clone();
    claim.remove(&["status"]);
    claim.set(&["apiVersion"], "v1");
    claim.set(&["kind"], "PersistentVolumeClaim");
    claim.set(&["metadata", "name"], name);
    claim.set(&["metadata", "namespace"], set.namespace());
    if let Some(labels) = set.node.at(&["spec", "selector", "matchLabels"]) {
        claim.set(&["metadata", "labels"], labels.clone());
    }
    Write::Create {
        resource: "persistentvolumeclaims",
        object: claim,
        owner: set.uid().to_owned(),
    }
}

fn status(set: &Object, pods: &[Object], wanted: i64, revision: &str, now: Timestamp) -> Node {
    let delay = min_ready(set);
    let count = |keep: &dyn Fn(&&Object) -> bool| {
        pods.iter()
            .filter(|pod| is_active(pod))
            .filter(keep)
            .count() as i64
    };
    let updated = count(&|pod| pod.label(HASH) == Some(revision));
    let before = set.node.str_at(&["status", "currentRevision"]);
    let replicas = count(&|_| true);
    let done = updated == wanted && replicas == wanted;
    let current = match before {
        Some(before) if !done => before.to_owned(),
        _ => revision.to_owned(),
    };
    let mut status = Node::map();
    status.set(&["observedGeneration"], set.generation());
    status.set(&["replicas"], replicas);
    let in_current = count(&|pod| pod.label(HASH) == Some(&current));
    for (key, number) in [
        ("readyReplicas", count(&|pod| ready_since(pod).is_some())),
        ("currentReplicas", in_current),
        ("updatedReplicas", updated),
    ] {
        if number > 0 {
            status.set(&[key], number);
        }
    }
    status.set(
        &["availableReplicas"],
        count(&|pod| is_available(pod, delay, now)),
    );
    status.set(&["currentRevision"], current);
    status.set(&["updateRevision"], revision);
    status.set(&["collisionCount"], 0i64);
    status
}
