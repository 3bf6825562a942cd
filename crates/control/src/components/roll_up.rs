//! What fails below a project or component, told on it.

use std::sync::Arc;

use api::{ConditionStatus, Conditions, condition_type};
use object::Object;

use super::report::Report;

/// Reasons of what is not ready and needs nobody: it is on its way, or was asked to be like this.
pub(super) const HARMLESS: &[&str] = &[
    "ResourcesProgressing",
    "ResourcesUndeployed",
    "ReleaseDeleting",
    "JobRunning",
    "Finalizing",
    "ComponentFinalizing",
];

/// Most objects that a message names.
const SHOWN: usize = 10;

/// Why an object fails, if it does: the reason of its condition `Ready`.
pub(super) fn failure(object: &Object) -> Option<String> {
    let conditions = Conditions::read(object.node.at(&["status", "conditions"]));
    let ready = conditions.get(condition_type::READY)?;
    let fails = ready.status != ConditionStatus::True && !HARMLESS.contains(&ready.reason.as_str());
    fails.then(|| ready.reason.clone())
}

/// Sets the condition `kind` while any of these objects fails.
pub(super) fn roll_up(report: &mut Report, kind: &str, objects: Vec<Arc<Object>>) {
    let mut failing: Vec<String> = objects
        .iter()
        .filter(|own| !own.is_deleting())
        .filter_map(|own| {
            Some(format!(
                "{} `{}`: {}",
                own.kind(),
                own.name(),
                failure(own)?
            ))
        })
        .collect();
    if failing.is_empty() {
        return report.conditions.remove(kind);
    }
    failing.sort();
    if failing.len() > SHOWN {
        let more = failing.len() - SHOWN;
        failing.truncate(SHOWN);
        failing.push(format!("{more} more"));
    }
    report.set(kind, true, kind, &failing.join("; "));
}
