//! What a DataPlane or ClusterDataPlane needs now.
//!
//! Whether the cluster answers is not known here; whoever talks to it reports that in conditions
//! of its own, which stay untouched.

use std::sync::Arc;

use object::Object;

use super::component::waits_for;
use super::rendered;
use super::report::{FINALIZING, Report};
use super::subject::Subject;
use super::{Decision, keys};

pub(super) fn next(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return finalize(subject);
    }
    if !subject.has_finalizer(keys::DATA_PLANE_FINALIZER) {
        return Decision::finalizer(keys::DATA_PLANE_FINALIZER, true);
    }
    let mut report = Report::new(subject);
    match subject.readable() {
        Ok((_, findings)) => {
            report.warn(&findings);
            report.ready(true, "Reconciled", "the data plane can be used");
        }
        Err(message) => report.ready(false, "InvalidConfiguration", &message),
    }
    report.finish()
}

/// Lets a data plane go when nothing is left on it: cleaning up needs the way there.
fn finalize(subject: &Subject<'_>) -> Decision {
    if !subject.has_finalizer(keys::DATA_PLANE_FINALIZER) {
        return Decision::default();
    }
    let reference = format!("{}/{}", subject.key.kind, subject.name());
    let cluster_scoped = subject.namespace().is_empty();
    let on_it = |own: &Arc<Object>| {
        own.annotation(keys::DATA_PLANE) == Some(reference.as_str())
            && (cluster_scoped || own.namespace() == subject.namespace())
    };
    let releases: Vec<Arc<Object>> = rendered::KINDS
        .iter()
        .flat_map(|kind| subject.view.objects.list(kind))
        .filter(on_it)
        .collect();
    if releases.is_empty() {
        return Decision::finalizer(keys::DATA_PLANE_FINALIZER, false);
    }
    let mut report = Report::new(subject);
    let message = format!(
        "releases are on it; delete their bindings or environments: {}",
        waits_for(&releases)
    );
    report.set(FINALIZING, true, "DeletionBlocked", &message);
    report.ready(false, "DeletionBlocked", &message);
    report.finish()
}
