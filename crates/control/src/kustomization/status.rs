//! What a unit's status says after an attempt.

use api::{ConditionStatus, Kustomization, KustomizationStatus, condition_type};
use golang::{Duration, Timestamp};
use object::Node;

/// Most entries of the history, as Flux keeps.
const HISTORY_MAX: usize = 5;

/// How an attempt ended.
#[derive(Clone, Copy)]
pub(super) enum End<'a> {
    /// Everything is applied and, if asked, healthy.
    Succeeded,
    /// Something failed; another attempt may succeed.
    Failed { reason: &'a str, message: &'a str },
    /// Somebody has to act first.
    Stalled { reason: &'a str, message: &'a str },
}

/// One finished attempt.
pub(super) struct Ended<'a> {
    pub end: End<'a>,
    pub revision: &'a str,
    pub origin_revision: &'a str,
    /// Digest of the built objects; empty when nothing was built.
    pub digest: &'a str,
    pub took: Duration,
    pub now: Timestamp,
}

/// Writes the end of an attempt into a status.
///
/// The history is touched only when the rest changed: a quiet interval changes nothing.
pub(super) fn end(status: &mut KustomizationStatus, unit: &Kustomization, ended: &Ended<'_>) {
    let before = unit.status.clone();
    let generation = unit.meta.generation;
    let (now, revision) = (ended.now, ended.revision);
    let applied = format!("Applied revision: {revision}");
    let conditions = &mut status.conditions;
    let reason = match &ended.end {
        End::Succeeded => {
            conditions.remove(condition_type::RECONCILING);
            conditions.remove(condition_type::STALLED);
            let ready = (condition_type::READY, ConditionStatus::True);
            conditions.set(ready, "ReconciliationSucceeded", &applied, generation, now);
            status.last_applied_revision = revision.to_owned();
            status.last_applied_origin_revision = ended.origin_revision.to_owned();
            status.observed_generation = generation;
            "ReconciliationSucceeded"
        }
        End::Failed { reason, message } => {
            conditions.remove(condition_type::STALLED);
            let ready = (condition_type::READY, ConditionStatus::False);
            conditions.set(ready, reason, message, generation, now);
            let state = (condition_type::RECONCILING, ConditionStatus::True);
            conditions.set(state, "ProgressingWithRetry", message, generation, now);
            reason
        }
        End::Stalled { reason, message } => {
            conditions.remove(condition_type::RECONCILING);
            for kind in [condition_type::READY, condition_type::STALLED] {
                let state = match kind == condition_type::READY {
                    true => ConditionStatus::False,
                    false => ConditionStatus::True,
                };
                conditions.set((kind, state), reason, message, generation, now);
            }
            status.observed_generation = generation;
            reason
        }
    };
    status.last_attempted_revision = revision.to_owned();
    status.last_handled_reconcile_at = unit.meta.requested_at.clone();
    if *status != before && !ended.digest.is_empty() {
        record(&mut status.history, reason, ended);
    }
}

/// Counts an outcome in the history: equal ones in a row are one entry.
fn record(history: &mut Vec<Node>, reason: &str, ended: &Ended<'_>) {
    let same = history.iter().position(|entry| {
        entry.str_at(&["digest"]) == Some(ended.digest)
            && entry.str_at(&["lastReconciledStatus"]) == Some(reason)
    });
    let mut entry = match same {
        Some(at) => history.remove(at),
        None => {
            let mut entry = Node::map();
            entry.set(&["digest"], ended.digest);
            entry.set(&["firstReconciled"], ended.now.to_string());
            entry.set(&["lastReconciledStatus"], reason);
            entry
        }
    };
    let total = entry.get("totalReconciliations").and_then(Node::as_i64);
    entry.set(&["lastReconciled"], ended.now.to_string());
    entry.set(&["lastReconciledDuration"], ended.took.to_string());
    entry.set(&["metadata", "revision"], ended.revision);
    entry.set(&["totalReconciliations"], total.unwrap_or(0) + 1);
    history.insert(0, entry);
    history.truncate(HISTORY_MAX);
}
