//! Deployments: a ReplicaSet for each template, replaced step by step.
//!
//! # Source
//! Conditions and their texts: kubernetes/kubernetes `pkg/controller/deployment`.

use golang::{Duration, Timestamp};
use object::{Node, Object};

use crate::conditions::Conditions;
use crate::template;
use crate::view::{View, Write, Writes, int};

const DEPLOYMENTS: &str = "deployments.apps";
const REPLICA_SETS: &str = "replicasets.apps";
const REVISION: &str = "deployment.kubernetes.io/revision";

/// What the controller would do about one Deployment.
pub(crate) fn reconcile(view: &dyn View, deployment: &Object, now: Timestamp) -> Writes {
    let mut writes = Writes::default();
    if deployment.is_deleting() {
        return writes;
    }
    let hash = template::hash(
        deployment
            .node
            .at(&["spec", "template"])
            .unwrap_or(&Node::Null),
    );
    let sets = view.owned(REPLICA_SETS, deployment);
    let is_new = |set: &&Object| set.label("pod-template-hash") == Some(&hash);
    let new = sets.iter().find(is_new);
    let old: Vec<&Object> = sets.iter().filter(|set| !is_new(set)).collect();
    let paused = deployment
        .node
        .at(&["spec", "paused"])
        .and_then(Node::as_bool)
        == Some(true);
    let rollout = Rollout::of(deployment, new, &old);
    let mut revision = revision(deployment);
    match new {
        _ if paused => {}
        None if rollout.may_begin() => create(deployment, &hash, &sets, &rollout, &mut writes),
        None => rollout.scale_down(&mut writes),
        Some(new) => {
            rollout.scale_up(new, &mut writes);
            rollout.scale_down(&mut writes);
            revision = number(new, &old, &mut writes);
        }
    }
    if !paused {
        forget(deployment, &old, &mut writes);
    }
    let told = Told { revision, paused };
    report(view, deployment, new, &sets, told, now, &mut writes);
    writes
}

/// How many replicas which ReplicaSet should have now.
struct Rollout<'a> {
    wanted: i64,
    surge: i64,
    unavailable: i64,
    recreate: bool,
    old: Vec<&'a Object>,
    /// Replicas asked for over all ReplicaSets.
    total: i64,
    new_replicas: i64,
    new_available: i64,
}

impl<'a> Rollout<'a> {
    fn of(deployment: &Object, new: Option<&Object>, old: &[&'a Object]) -> Self {
        let wanted = int(deployment, &["spec", "replicas"], 1).max(0);
        let strategy = ["spec", "strategy", "rollingUpdate"];
        let share = |key: &str, up: bool| {
            let value = deployment
                .node
                .at(&[strategy[0], strategy[1], strategy[2], key]);
            resolve(value, wanted, up)
        };
        let (surge, unavailable) = (share("maxSurge", true), share("maxUnavailable", false));
        let replicas = |set: &Object| int(set, &["spec", "replicas"], 0);
        let old_total: i64 = old.iter().map(|set| replicas(set)).sum();
        let new_replicas = new.map_or(0, replicas);
        Self {
            wanted,
            surge,
            unavailable: if surge == 0 {
                unavailable.max(1)
            } else {
                unavailable
            },
            recreate: deployment.node.str_at(&["spec", "strategy", "type"]) == Some("Recreate"),
            old: old.to_vec(),
            total: old_total + new_replicas,
            new_replicas,
            new_available: new.map_or(0, |new| int(new, &["status", "availableReplicas"], 0)),
        }
    }

    /// Whether pods of the new template may exist.
    fn may_begin(&self) -> bool {
        let running = |set: &&Object| int(set, &["status", "replicas"], 0) > 0;
        !self.recreate || !self.old.iter().any(running)
    }

    fn new_size(&self) -> i64 {
        if self.recreate {
            return if self.may_begin() {
                self.wanted
            } else {
                self.new_replicas
            };
        }
        let room = (self.wanted + self.surge - self.total).max(0);
        let missing = (self.wanted - self.new_replicas).max(0);
        match self.new_replicas > self.wanted {
            true => self.wanted,
            false => self.new_replicas + room.min(missing),
        }
    }

    fn scale_up(&self, new: &Object, writes: &mut Writes) {
        let size = self.new_size();
        if size != self.new_replicas {
            scale(new, size, writes);
        }
    }

    fn scale_down(&self, writes: &mut Writes) {
        let unready = |set: &Object| {
            int(set, &["spec", "replicas"], 0) - int(set, &["status", "availableReplicas"], 0)
        };
        let mut may_go = match self.recreate {
            true => self.total,
            false => {
                let new_unavailable = self.new_replicas - self.new_available;
                self.total - (self.wanted - self.unavailable) - new_unavailable
            }
        };
        let mut sizes: Vec<i64> = self
            .old
            .iter()
            .map(|set| int(set, &["spec", "replicas"], 0))
            .collect();
        // What does not serve goes first and costs nothing.
        for (set, size) in self.old.iter().zip(&mut sizes) {
            let go = unready(set).clamp(0, *size).min(may_go.max(0));
            *size -= go;
            may_go -= go;
        }
        for size in &mut sizes {
            let go = (*size).min(may_go.max(0));
            *size -= go;
            may_go -= go;
        }
        for (set, size) in self.old.iter().zip(sizes) {
            if size != int(set, &["spec", "replicas"], 0) {
                scale(set, size, writes);
            }
        }
    }
}

/// A number, or a share of `whole`, rounded up or down.
fn resolve(value: Option<&Node>, whole: i64, up: bool) -> i64 {
    match value {
        Some(Node::String(text)) => {
            let percent = text.trim_end_matches('%').parse::<i64>().unwrap_or(0);
            let scaled = percent * whole;
            if up {
                (scaled + 99) / 100
            } else {
                scaled / 100
            }
        }
        Some(value) => value.as_i64().unwrap_or(0),
        None => 0,
    }
}

fn scale(set: &Object, replicas: i64, writes: &mut Writes) {
    let mut node = set.node.clone();
    node.set(&["spec", "replicas"], replicas);
    writes.writes.push(Write::Update {
        resource: REPLICA_SETS,
        object: node,
    });
}

fn revision(object: &Object) -> i64 {
    let text = object.annotation(REVISION).unwrap_or_default();
    text.parse().unwrap_or(0)
}

fn create(
    deployment: &Object,
    hash: &str,
    sets: &[Object],
    rollout: &Rollout<'_>,
    writes: &mut Writes,
) {
    let newest = sets.iter().map(revision).max().unwrap_or(0);
    let mut set = Node::map();
    set.set(&["apiVersion"], "apps/v1");
    set.set(&["kind"], "ReplicaSet");
    let name = format!("{}-{hash}", deployment.name());
    set.set(&["metadata", "name"], name);
    let template = deployment.node.at(&["spec", "template"]).cloned();
    let mut template = template.unwrap_or(Node::map());
    template.set(&["metadata", "labels", "pod-template-hash"], hash);
    if let Some(labels) = template.at(&["metadata", "labels"]) {
        set.set(&["metadata", "labels"], labels.clone());
    }
    let revision = (newest + 1).to_string();
    set.set(&["metadata", "annotations", REVISION], revision.as_str());
    let selector = deployment.node.at(&["spec", "selector"]).cloned();
    set.set(&["spec", "selector"], selector.unwrap_or(Node::map()));
    set.set(
        &["spec", "selector", "matchLabels", "pod-template-hash"],
        hash,
    );
    set.set(&["spec", "template"], template);
    set.set(&["spec", "replicas"], rollout.new_size());
    if let Some(seconds) = deployment.node.at(&["spec", "minReadySeconds"]) {
        set.set(&["spec", "minReadySeconds"], seconds.clone());
    }
    writes.create(REPLICA_SETS, set, deployment);
}

/// Keeps revisions: the ReplicaSet in use has the highest, which the Deployment shows.
fn number(new: &Object, old: &[&Object], writes: &mut Writes) -> i64 {
    let newest_old = old.iter().map(|set| revision(set)).max().unwrap_or(0);
    let mut wanted = revision(new);
    if wanted <= newest_old {
        wanted = newest_old + 1;
        let mut node = new.node.clone();
        node.set(&["metadata", "annotations", REVISION], wanted.to_string());
        writes.writes.push(Write::Update {
            resource: REPLICA_SETS,
            object: node,
        });
    }
    wanted
}

/// Deletes empty ReplicaSets beyond the history limit, oldest first.
fn forget(deployment: &Object, old: &[&Object], writes: &mut Writes) {
    let limit = int(deployment, &["spec", "revisionHistoryLimit"], 10).max(0) as usize;
    let empty = |set: &&&Object| {
        int(set, &["spec", "replicas"], 0) == 0 && int(set, &["status", "replicas"], 0) == 0
    };
    let mut unused: Vec<&&Object> = old.iter().filter(empty).collect();
    unused.sort_by_key(|set| revision(set));
    for set in unused.iter().take(unused.len().saturating_sub(limit)) {
        writes.delete(REPLICA_SETS, set);
    }
}

/// What a Deployment shows that its ReplicaSets do not say.
#[derive(Clone, Copy)]
struct Told {
    revision: i64,
    paused: bool,
}

fn report(
    view: &dyn View,
    deployment: &Object,
    new: Option<&Object>,
    sets: &[Object],
    Told {
        revision: number,
        paused,
    }: Told,
    now: Timestamp,
    writes: &mut Writes,
) {
    let sum = |key: &str| {
        sets.iter()
            .map(|set| int(set, &["status", key], 0))
            .sum::<i64>()
    };
    let wanted = int(deployment, &["spec", "replicas"], 1);
    let (replicas, ready) = (sum("replicas"), sum("readyReplicas"));
    let available = sum("availableReplicas");
    let updated = new.map_or(0, |new| int(new, &["status", "replicas"], 0));
    let asked: i64 = sets
        .iter()
        .map(|set| int(set, &["spec", "replicas"], 0))
        .sum();
    let mut status = Node::map();
    status.set(&["observedGeneration"], deployment.generation());
    for (key, count) in [
        ("replicas", replicas),
        ("updatedReplicas", updated),
        ("readyReplicas", ready),
        ("availableReplicas", available),
        ("unavailableReplicas", (asked - available).max(0)),
    ] {
        if count > 0 {
            status.set(&[key], count);
        }
    }
    let mut conditions = Conditions::of(deployment);
    let unavailable = ["spec", "strategy", "rollingUpdate", "maxUnavailable"];
    let tolerated = resolve(deployment.node.at(&unavailable), wanted, false);
    let enough = available >= wanted - tolerated;
    let words = match enough {
        true => (
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
        ),
        false => (
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        ),
    };
    if conditions
        .get("Available")
        .and_then(|c| c.str_at(&["reason"]))
        != Some(words.0)
    {
        let available = conditions.set("Available", enough, words, now);
        available.set(&["lastUpdateTime"], now.to_string());
    }
    let complete = updated == wanted && replicas == wanted && available >= wanted && new.is_some();
    progress(
        deployment,
        new,
        (complete, paused),
        &status,
        now,
        &mut conditions,
        writes,
    );
    match new.and_then(|new| view.refusal(new)) {
        Some(message) if asked > replicas => {
            let words = ("FailedCreate", message.as_str());
            conditions.set("ReplicaFailure", true, words, now);
        }
        _ => conditions.remove("ReplicaFailure"),
    }
    status.set(&["conditions"], conditions.into_node());
    // The revision travels with the status, as from Kubernetes' own controller.
    let mut shown = deployment.clone();
    if revision(deployment) != number {
        let place = ["metadata", "annotations", REVISION];
        shown.node.set(&place, number.to_string());
        shown.node.remove(&["status"]);
    }
    writes.status(DEPLOYMENTS, &shown, status);
}

fn progress(
    deployment: &Object,
    new: Option<&Object>,
    (complete, paused): (bool, bool),
    status: &Node,
    now: Timestamp,
    conditions: &mut Conditions,
    writes: &mut Writes,
) {
    let name = match new {
        Some(new) => format!("ReplicaSet \"{}\"", new.name()),
        None => format!("Deployment \"{}\"", deployment.name()),
    };
    let known = conditions.get("Progressing");
    let reason = known
        .and_then(|c| c.str_at(&["reason"]))
        .unwrap_or_default()
        .to_owned();
    let message = known.and_then(|c| c.str_at(&["message"]));
    let message = message.unwrap_or_default().to_owned();
    let said = |text: &str| message == text;
    let updated = known.and_then(|c| c.str_at(&["lastUpdateTime"])?.parse::<Timestamp>().ok());
    let mut set = |ok: bool, words: (&str, &str), touch: bool| {
        let condition = conditions.set("Progressing", ok, words, now);
        if touch {
            condition.set(&["lastUpdateTime"], now.to_string());
        }
    };
    if paused {
        let words = ("DeploymentPaused", "Deployment is paused");
        set(false, words, reason != "DeploymentPaused");
        return;
    }
    if complete {
        let message = format!("{name} has successfully progressed.");
        let words = ("NewReplicaSetAvailable", message.as_str());
        set(true, words, reason != words.0 || !said(&message));
        return;
    }
    let Some(new) = new else {
        let message = format!("Created new replica set for {name}");
        set(
            true,
            ("NewReplicaSetCreated", &message),
            reason != "NewReplicaSetCreated",
        );
        return;
    };
    let seconds = int(deployment, &["spec", "progressDeadlineSeconds"], 600);
    let counts = |key: &str| status.get(key).and_then(Node::as_i64).unwrap_or(0);
    let moved = [
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
    ]
    .iter()
    .any(|key| {
        let old = deployment.node.at(&["status", key]).and_then(Node::as_i64);
        counts(key) != old.unwrap_or(0)
    });
    // What was said of another ReplicaSet, such as that it timed out, says nothing of this one.
    let fresh = reason == "NewReplicaSetAvailable" || !message.starts_with(&name);
    if moved || fresh {
        let message = format!("{name} is progressing.");
        set(true, ("ReplicaSetUpdated", &message), true);
        writes.wake_at(now.plus(Duration::from_seconds(seconds)));
        return;
    }
    let deadline = updated.unwrap_or(now).plus(Duration::from_seconds(seconds));
    if now >= deadline {
        let message = format!("ReplicaSet \"{}\" has timed out progressing.", new.name());
        let words = ("ProgressDeadlineExceeded", message.as_str());
        set(false, words, reason != words.0);
    } else {
        writes.wake_at(deadline);
    }
}
