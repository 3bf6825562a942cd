//! What an Environment needs now.

use std::sync::Arc;

use component::model::Item;
use object::{Node, Object};

use super::component::waits_for;
use super::rendered;
use super::report::{FINALIZING, Report};
use super::subject::{Subject, delete};
use super::{Decision, keys};

pub(super) fn next(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return finalize(subject);
    }
    if !subject.has_finalizer(keys::ENVIRONMENT_FINALIZER) {
        return Decision::finalizer(keys::ENVIRONMENT_FINALIZER, true);
    }
    let mut report = Report::new(subject);
    let environment = match subject.readable() {
        Ok((Item::Environment(environment), findings)) => {
            report.warn(findings);
            environment
        }
        Ok(_) => return Decision::default(),
        Err(message) => {
            report.ready(false, "InvalidConfiguration", &message);
            return report.finish();
        }
    };
    let catalog = subject.view.catalog;
    match &environment.data_plane {
        None => {
            let message = "the environment names no data plane; set `spec.dataPlaneRef`";
            report.ready(false, "DataPlaneNotConfigured", message);
        }
        Some(reference) => match catalog.data_plane(subject.namespace(), reference) {
            None => {
                let message = format!("{} `{}` does not exist", reference.kind, reference.name);
                report.ready(false, "DataPlaneNotFound", &message);
            }
            Some(plane) => {
                let message = format!("runs on {} `{}`", plane.head.kind, plane.head.name);
                report.ready(true, "Reconciled", &message);
            }
        },
    }
    report.finish()
}

/// Deletes what is bound to an environment that goes, and lets it go when that is gone.
fn finalize(subject: &Subject<'_>) -> Decision {
    if !subject.has_finalizer(keys::ENVIRONMENT_FINALIZER) {
        return Decision::default();
    }
    let name = subject.name();
    let mut report = Report::new(subject);
    let pipelines: Vec<Arc<Object>> = subject
        .siblings("DeploymentPipeline")
        .filter(|own| !own.is_deleting() && leads_to(own, name))
        .collect();
    if !pipelines.is_empty() && !subject.namespace_goes() {
        let names: Vec<&str> = pipelines.iter().map(|own| own.name()).collect();
        let message = format!(
            "deployment pipelines lead through it; take it out of them first: {}",
            names.join(", ")
        );
        report.set(FINALIZING, true, "DeletionBlocked", &message);
        report.ready(false, "DeletionBlocked", &message);
        return report.finish();
    }
    let bound = |kind: &str, field: &'static str| {
        let all = subject.siblings(kind);
        all.filter(move |own| own.node.str_at(&["spec", field]) == Some(name))
    };
    let mut left: Vec<Arc<Object>> = bound("ReleaseBinding", "environment")
        .chain(bound("ProjectReleaseBinding", "environment"))
        .collect();
    // What belongs to a project only holds its namespace, which components need to the end.
    if left.is_empty() {
        for kind in rendered::KINDS {
            left.extend(bound(kind, "environmentName"));
        }
    }
    if left.is_empty() {
        return Decision::finalizer(keys::ENVIRONMENT_FINALIZER, false);
    }
    let message = waits_for(&left);
    report.set(FINALIZING, true, "ReleaseBindingsPending", &message);
    report.ready(false, "ReleaseBindingsPending", &message);
    let mut decision = report.finish();
    decision.actions.extend(delete(&left));
    decision
}

/// Whether a pipeline names an environment, in any form.
fn leads_to(pipeline: &Object, name: &str) -> bool {
    let names = |own: &Node| own.as_str() == Some(name) || own.str_at(&["name"]) == Some(name);
    let paths = pipeline.node.at(&["spec", "promotionPaths"]);
    let paths = paths.and_then(Node::as_list).unwrap_or_default();
    paths.iter().any(|path| {
        let targets = path.get("targetEnvironmentRefs").and_then(Node::as_list);
        path.get("sourceEnvironmentRef").is_some_and(names)
            || targets.unwrap_or_default().iter().any(names)
    })
}
