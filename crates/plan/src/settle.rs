//! From what a server's dry run answers to the exact writes of a stage.

use std::fmt;

use object::{Node, Object, ObjectKey};

use crate::changes::{Action, ChangeSet};
use crate::diff::{ObjectDifference, difference};
use crate::{Options, Stage, cleanup, ignore, markers};

/// What a server knows of one object of a stage.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The object as it is; `None` when it is not there.
    pub live: Option<Object>,
    /// What the object would become, or why it would be refused.
    pub dry_run: Result<Object, ProbeRefusal>,
}

/// Why a server would refuse an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRefusal {
    /// Reason word of the answer, as `Invalid`; empty when it had none.
    pub reason: String,
    /// The server's own words.
    pub message: String,
    /// Whether the answer says that something else is not there: the kind, or the namespace.
    pub not_found: bool,
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Makes us the owner of what others wrote: a JSON patch on a live object.
    TakeOver {
        /// The live object.
        live: Object,
        /// The patch.
        patch: Node,
    },
    /// Applies the object.
    Apply(Object),
    /// Deletes the live object, waits until it is gone, and creates it.
    Recreate {
        /// The live object.
        live: Object,
        /// The object to create.
        object: Object,
    },
}

/// An object that cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which object.
    pub key: ObjectKey,
    /// File and line it came from, when known.
    pub origin: Option<String>,
    /// Why, in Flux's words.
    pub message: String,
}

/// The exact writes of a stage.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// In order.
    pub writes: Vec<Write>,
    /// What the writes do to each object.
    pub changes: ChangeSet,
    /// What the writes change, field by field: objects that are created or differ, in order.
    /// Values of Secrets are masked.
    pub differences: Vec<ObjectDifference>,
    /// Every object that cannot be applied; with any, nothing of the stage is written.
    pub failures: Vec<Failure>,
}

/// Decides the writes of a stage from what a server answered to each of its objects.
///
/// `probes` has one entry an object, in order. An object that is as wanted is not written, so that
/// its version stays. All failures are reported, not only the first.
///
/// # Source
/// Order of tests and texts: fluxcd/pkg `ssa/manager_apply.go` and `ssa/errors`.
pub fn settle(stage: &Stage, probes: &[Probe], options: &Options) -> Settled {
    let mut settled = Settled::default();
    for (object, probe) in stage.objects.iter().zip(probes) {
        settle_object(object, probe, options, &mut settled);
    }
    if !settled.failures.is_empty() {
        settled.writes.clear();
        settled.differences.clear();
        settled.changes = ChangeSet::default();
    }
    settled
}

fn settle_object(object: &Object, probe: &Probe, options: &Options, settled: &mut Settled) {
    let key = object.key();
    let live = probe.live.as_ref();
    let skipped = markers::is_ignored(object)
        || live.is_some_and(|live| markers::is_ignored(live) || markers::only_if_absent(object));
    if skipped {
        settled.changes.push(key, Action::Skipped);
        return;
    }
    match (&probe.dry_run, live) {
        (Ok(_), None) => {
            settled.differences.extend(difference(None, Some(object)));
            settled.writes.push(Write::Apply(object.clone()));
            settled.changes.push(key, Action::Created);
        }
        (Ok(result), Some(live)) => {
            let result = ignore::as_live(result, live, &options.ignore);
            // A marker that goes with this very apply does not count, else the next plan would
            // find fields to take over that this one left.
            let merges = markers::merges(object) || markers::merges(&result);
            let patch = cleanup::patch(live, object, merges, options);
            let drifted = has_drifted(live, &result);
            if patch.is_none() && !drifted {
                settled.changes.push(key, Action::Unchanged);
                return;
            }
            let wanted = ignore::payload(object, live, probe, options);
            settled
                .differences
                .extend(difference(Some(live), Some(&result)));
            if let Some(patch) = patch {
                let live = live.clone();
                settled.writes.push(Write::TakeOver { live, patch });
            }
            settled.writes.push(Write::Apply(wanted));
            settled.changes.push(key, Action::Configured);
        }
        (Err(refusal), Some(live)) if may_recreate(object, live, refusal, options) => {
            settled
                .differences
                .extend(difference(Some(live), Some(object)));
            settled.writes.push(Write::Recreate {
                live: live.clone(),
                object: object.clone(),
            });
            settled.changes.push(key, Action::Created);
        }
        (Err(refusal), _) => settled.failures.push(Failure {
            message: refusal_message(&key, object, refusal),
            origin: object.origin.as_ref().map(ToString::to_string),
            key,
        }),
    }
}

/// Whether labels, annotations or anything outside metadata and status differ.
fn has_drifted(live: &Object, result: &Object) -> bool {
    let metadata = |object: &Object, field: &str| {
        let map = object.node.at(&["metadata", field]);
        map.filter(|map| map.as_map().is_some_and(|map| !map.is_empty()))
            .cloned()
    };
    let content = |object: &Object| {
        let mut node = object.node.clone();
        node.remove(&["metadata"]);
        node.remove(&["status"]);
        if object.kind() == "HorizontalPodAutoscaler" {
            distinct_metrics(&mut node);
        }
        node
    };
    metadata(live, "labels") != metadata(result, "labels")
        || metadata(live, "annotations") != metadata(result, "annotations")
        || !merge::same(&content(live), &content(result))
}

/// Drops repeated and empty metrics, which servers before 1.27 answer to a dry run.
///
/// # Source
/// kubernetes/kubernetes#118293; fluxcd/pkg `ssa/normalize/normalize.go`, `DryRunUnstructured`.
fn distinct_metrics(autoscaler: &mut Node) {
    let metrics = autoscaler.at_mut(&["spec", "metrics"]);
    let Some(metrics) = metrics.and_then(Node::as_list_mut) else {
        return;
    };
    let mut distinct: Vec<Node> = Vec::with_capacity(metrics.len());
    for metric in metrics.drain(..) {
        let named = metric
            .str_at(&["type"])
            .is_some_and(|kind| !kind.is_empty());
        if named && !distinct.iter().any(|known| merge::same(known, &metric)) {
            distinct.push(metric);
        }
    }
    *metrics = distinct;
}

fn may_recreate(object: &Object, live: &Object, refusal: &ProbeRefusal, options: &Options) -> bool {
    let allowed = options.force || markers::may_recreate(object) || markers::may_recreate(live);
    allowed && is_immutable(refusal)
}

fn is_immutable(refusal: &ProbeRefusal) -> bool {
    matches!(refusal.reason.as_str(), "Conflict" | "Invalid")
        || refusal.message.contains("is immutable")
        || refusal.message.contains("immutable field")
}

/// `<Kind>/<ns>/<name> dry-run failed (<Reason>): …`, as Flux says it.
fn refusal_message(key: &ObjectKey, object: &Object, refusal: &ProbeRefusal) -> String {
    if refusal.not_found && object.namespace().is_empty() {
        return format!("{key} namespace not specified: {}", refusal.message);
    }
    if refusal.not_found {
        return format!("{key} not found: {}", refusal.message);
    }
    match refusal.reason.as_str() {
        "" => format!("{key} dry-run failed: {}", refusal.message),
        reason => format!("{key} dry-run failed ({reason}): {}", refusal.message),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(origin) = &self.origin {
            write!(f, " (from {origin})")?;
        }
        Ok(())
    }
}
