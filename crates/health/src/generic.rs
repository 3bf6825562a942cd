//! Rules that hold for every kind.

use golang::Timestamp;
use object::{Node, Object};

use crate::assessment::{Assessment, Status};
use crate::builtin;

/// Assesses one object.
///
/// Deletion, an unobserved generation and the conditions `Reconciling` and `Stalled` decide first,
/// then the rules of built-in kinds, then a `Ready` condition. An object that says nothing is
/// current. A Job is current only when it has completed or is suspended.
///
/// # Source
/// kubernetes-sigs/cli-utils `pkg/kstatus/status`; for Jobs fluxcd/pkg
/// `runtime/statusreaders/job.go`.
pub fn assess(object: &Object, now: Timestamp) -> Assessment {
    if let Some(decided) = common(object) {
        return decided;
    }
    if let Some(decided) = builtin::assess(object, now) {
        return decided;
    }
    ready(object).unwrap_or_else(|| Assessment::current("Resource is current"))
}

/// Assesses an object that does not exist, given what it should be.
///
/// A Job that is deleted some time after it finished has served its purpose.
pub fn missing(desired: &Object) -> Assessment {
    let key = desired.key();
    let ttl = desired.node.at(&["spec", "ttlSecondsAfterFinished"]);
    if key.group == "batch" && key.kind == "Job" && ttl.is_some_and(|ttl| !ttl.is_null()) {
        return Assessment::current("Job is finished and deleted");
    }
    Assessment::plain(Status::NotFound, "Resource not found")
}

fn common(object: &Object) -> Option<Assessment> {
    let deleted = object.node.str_at(&["metadata", "deletionTimestamp"]);
    if deleted.is_some_and(|time| !time.is_empty()) {
        let message = "Resource scheduled for deletion";
        return Some(Assessment::plain(Status::Terminating, message));
    }
    if let Some(decided) = generation(object) {
        return Some(decided);
    }
    for condition in conditions(object) {
        let decide = match (condition.kind, condition.status) {
            ("Reconciling", "True") => Assessment::in_progress,
            ("Stalled", "True") => Assessment::failed,
            _ => continue,
        };
        return Some(decide(condition.reason, condition.message));
    }
    None
}

fn generation(object: &Object) -> Option<Assessment> {
    let wanted = match integer(object, &["metadata", "generation"]) {
        Ok(wanted) => wanted?,
        Err(problem) => return Some(problem),
    };
    let seen = match integer(object, &["status", "observedGeneration"]) {
        Ok(seen) => seen?,
        Err(problem) => return Some(problem),
    };
    (seen != wanted).then(|| {
        let kind = object.kind();
        let message =
            format!("{kind} generation is {wanted}, but latest observed generation is {seen}");
        Assessment::in_progress("LatestGenerationNotObserved", message)
    })
}

/// An integer that has to be one if it is there at all.
fn integer(object: &Object, keys: &[&str]) -> Result<Option<i64>, Assessment> {
    match object.node.at(keys) {
        None => Ok(None),
        Some(Node::Int(value)) => Ok(Some(*value)),
        Some(other) => {
            let path = keys.join(".");
            let kind = other.type_name();
            let message = format!(
                "looking up {path} from resource: .{path} accessor error: \
                 the value is of the type {kind}, expected int64"
            );
            Err(Assessment::plain(Status::Unknown, message))
        }
    }
}

fn ready(object: &Object) -> Option<Assessment> {
    let mut decided = conditions(object).filter(|condition| condition.kind == "Ready");
    decided.find_map(|condition| match condition.status {
        "True" => Some(Assessment::current("Resource is Ready")),
        "False" | "Unknown" => Some(Assessment::in_progress(condition.reason, condition.message)),
        _ => None,
    })
}

/// One entry of `status.conditions`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'o> {
    pub kind: &'o str,
    pub status: &'o str,
    pub reason: &'o str,
    pub message: &'o str,
}

/// The conditions of an object; what is not text counts as empty.
pub(crate) fn conditions(object: &Object) -> impl Iterator<Item = Seen<'_>> {
    let list = object.node.at(&["status", "conditions"]);
    let list = list.and_then(Node::as_list).unwrap_or_default();
    list.iter().map(|condition| {
        let text = |key: &str| condition.str_at(&[key]).unwrap_or_default();
        Seen {
            kind: text("type"),
            status: text("status"),
            reason: text("reason"),
            message: text("message"),
        }
    })
}
