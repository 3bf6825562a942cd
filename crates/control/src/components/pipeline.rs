//! What a DeploymentPipeline needs now.

use component::model::Item;

use super::component::waits_for;
use super::report::{FINALIZING, Report};
use super::subject::Subject;
use super::{Decision, keys};

/// Whether the environments of a pipeline are there. Those that are not harm nobody until
/// something is bound to them.
const ENVIRONMENTS_FOUND: &str = "EnvironmentsFound";

/// Whether a pipeline can be used.
const AVAILABLE: &str = "Available";

pub(super) fn next(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return finalize(subject);
    }
    if !subject.has_finalizer(keys::PIPELINE_FINALIZER) {
        return Decision::finalizer(keys::PIPELINE_FINALIZER, true);
    }
    let mut report = Report::new(subject);
    let pipeline = match subject.readable() {
        Ok((Item::DeploymentPipeline(pipeline), findings)) => {
            report.warn(findings);
            pipeline
        }
        Ok(_) => return Decision::default(),
        Err(message) => {
            report.set(AVAILABLE, false, "InvalidConfiguration", &message);
            report.ready(false, "InvalidConfiguration", &message);
            return report.finish();
        }
    };
    let mut missing = pipeline.environments();
    missing.retain(|name| {
        let known = subject.view.catalog.environment(subject.namespace(), name);
        known.is_none()
    });
    match missing.is_empty() {
        true => {
            let message = "every environment is there";
            report.set(ENVIRONMENTS_FOUND, true, ENVIRONMENTS_FOUND, message);
        }
        false => {
            let message = format!(
                "no Environment in namespace `{}` is named {}",
                subject.namespace(),
                missing.join(", ")
            );
            report.set(ENVIRONMENTS_FOUND, false, "EnvironmentNotFound", &message);
        }
    }
    let message = "the pipeline can be used";
    report.set(AVAILABLE, true, "DeploymentPipelineAvailable", message);
    report.ready(true, "Reconciled", message);
    report.finish()
}

/// Lets a pipeline go when no project needs it any more.
fn finalize(subject: &Subject<'_>) -> Decision {
    if !subject.has_finalizer(keys::PIPELINE_FINALIZER) {
        return Decision::default();
    }
    let users: Vec<_> = subject
        .siblings("Project")
        .filter(|project| !project.is_deleting() && uses(project, subject.name()))
        .collect();
    if users.is_empty() || subject.namespace_goes() {
        return Decision::finalizer(keys::PIPELINE_FINALIZER, false);
    }
    let mut report = Report::new(subject);
    let message = format!(
        "projects use it; give them another pipeline, or delete them: {}",
        waits_for(&users)
    );
    report.set(FINALIZING, true, "DeletionBlocked", &message);
    report.set(AVAILABLE, false, "DeletionBlocked", &message);
    report.ready(false, "DeletionBlocked", &message);
    report.finish()
}

/// Whether a project names a pipeline, in either form.
fn uses(project: &object::Object, name: &str) -> bool {
    let keys = ["spec", "deploymentPipelineRef"];
    project.node.str_at(&keys) == Some(name)
        || project.node.str_at(&[keys[0], keys[1], "name"]) == Some(name)
}
