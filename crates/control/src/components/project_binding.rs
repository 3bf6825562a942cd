//! What a ProjectReleaseBinding needs now: the resources of a project in one environment.
//!
//! # Source
//! openchoreo/openchoreo `internal/controller/projectreleasebinding/` at v1.2.3.

use api::condition_type;
use component::catalog::BindingError;
use component::metadata;
use component::model::{Item, Owner, Plane};
use diag::Explain;
use object::{Node, Object};

use super::binding::silent_plane;
use super::project::{release, release_name, write};
use super::rendered;
use super::report::{FINALIZING, Report};
use super::subject::{Subject, delete, key};
use super::{Action, Decision, keys, readiness};

/// Whether the release of the data plane is what the binding asks for.
const SYNCED: &str = "Synced";
/// Whether the namespace of the project is there.
const NAMESPACE_READY: &str = "NamespaceReady";
/// Whether everything that was applied is ready.
const RESOURCES_READY: &str = "ResourcesReady";

pub(super) fn next(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return finalize(subject);
    }
    if !subject.has_finalizer(keys::PROJECT_BINDING_FINALIZER) {
        return Decision::finalizer(keys::PROJECT_BINDING_FINALIZER, true);
    }
    let mut report = Report::new(subject);
    let binding = match subject.readable() {
        Ok((Item::ProjectReleaseBinding(binding), findings)) => {
            report.warn(findings);
            binding
        }
        Ok(_) => return Decision::default(),
        Err(message) => return failed(report, "InvalidConfiguration", &message),
    };
    let catalog = subject.view.catalog;
    let project = &binding.project;
    if binding.release.is_none()
        && catalog
            .project(subject.namespace(), project)
            .is_some_and(|own| own.project_type.is_some())
    {
        let message = "no release is selected; the project gives one as soon as it has one";
        return failed(report, "ProjectReleaseNotFound", message);
    }
    let renderer = &subject.view.options.renderer;
    let inputs = catalog.resolve_project(subject.namespace(), project, &binding.environment);
    let rendered = inputs
        .map_err(BindingError::from)
        .and_then(|inputs| Ok(renderer.render_project(&inputs)?));
    let resources = match rendered {
        Ok(objects) => rendered::resources(&objects, Plane::Data),
        Err(error) => {
            let reason = match &error {
                BindingError::References(_) => error.reason().0,
                BindingError::Render(_) => "RenderingFailed",
            };
            return failed(report, reason, &error.to_string());
        }
    };
    let environment = catalog.environment(subject.namespace(), &binding.environment);
    let plane = environment.and_then(|own| own.data_plane.as_ref());
    let plane = plane.and_then(|own| catalog.data_plane(subject.namespace(), own));
    let Some(plane) = plane else {
        return Decision::default(); // Without one nothing renders.
    };
    let plane = format!("{}/{}", plane.head.kind, plane.head.name);
    let wanted = release(subject, project, &binding.environment, plane, resources);
    // OpenChoreo calls this release otherwise. Its own one says of no plane, so nothing that it
    // lists goes with it.
    let others = rendered::controlled_by(subject);
    let others: Vec<_> = others
        .iter()
        .filter(|own| own.name() != wanted.name())
        .collect();
    let mut actions: Vec<Action> = delete(others).collect();
    actions.extend(write(subject, wanted.clone()));
    if !actions.is_empty() {
        return Decision {
            actions,
            ..Decision::default()
        };
    }
    let known = subject.view.objects.get(&wanted.key());
    let Some(known) = known.filter(|own| rendered::is_applied(own, &wanted)) else {
        let message = format!(
            "release `{}` is deleted or of something else",
            wanted.name()
        );
        return failed(report, "ReleaseOwnershipConflict", &message);
    };
    let message = format!("release `{}` is what the binding asks for", wanted.name());
    report.set(SYNCED, true, "Synced", &message);
    if let Some(message) = silent_plane(subject, &known) {
        let reason = "DataPlaneUnreachable";
        report.unknown(RESOURCES_READY, reason, &message);
        report.unknown(condition_type::READY, reason, &message);
        return report.finish();
    }
    let verdict = readiness::of(&known, "");
    report.set(
        RESOURCES_READY,
        verdict.ready,
        verdict.reason,
        &verdict.message,
    );
    let tenant = subject.namespace();
    let namespace = metadata::namespace(tenant, project, &binding.environment);
    let holds = wanted
        .node
        .at(&["spec", "resources"])
        .and_then(Node::as_list);
    let holds = holds.unwrap_or_default().iter().any(|own| {
        own.str_at(&["object", "kind"]) == Some("Namespace")
            && own.str_at(&["object", "metadata", "name"]) == Some(&namespace)
    });
    match (holds, verdict.ready) {
        (true, true) => {
            let message = format!("Namespace `{namespace}` is there");
            report.set(NAMESPACE_READY, true, NAMESPACE_READY, &message);
        }
        (true, false) => {
            report.set(NAMESPACE_READY, false, verdict.reason, &verdict.message);
        }
        // It is created when something is put into it.
        (false, _) => report.conditions.remove(NAMESPACE_READY),
    }
    report.field("namespace", namespace);
    match verdict.ready {
        true => report.ready(true, "Ready", "everything of the project is there"),
        false => report.ready(false, verdict.reason, &verdict.message),
    }
    report.finish()
}

fn failed(mut report: Report, reason: &str, message: &str) -> Decision {
    report.set(SYNCED, false, reason, message);
    report.ready(false, reason, message);
    report.finish()
}

/// Lets a project binding go. The namespace is handed back to a project that still runs in it.
fn finalize(subject: &Subject<'_>) -> Decision {
    if !subject.has_finalizer(keys::PROJECT_BINDING_FINALIZER) {
        return Decision::default();
    }
    let off = Decision::finalizer(keys::PROJECT_BINDING_FINALIZER, false);
    let project = Owner::of(&subject.object).project;
    let environment = subject.object.node.str_at(&["spec", "environment"]);
    let environment = environment.unwrap_or_default();
    let lives = |kind: &str, name: &str| {
        let object = subject
            .view
            .objects
            .get(&key(kind, subject.namespace(), name));
        object.is_some_and(|object| !object.is_deleting())
    };
    let used = |object: &Object| {
        Owner::of(object).project == project
            && object.node.str_at(&["spec", "environment"]) == Some(environment)
    };
    if lives("Project", &project)
        && lives("Environment", environment)
        && subject.siblings("ReleaseBinding").any(|own| used(&own))
    {
        return off;
    }
    let name = release_name(&project, environment);
    let release = rendered::named(subject, &name);
    let releases: Vec<_> = release
        .into_iter()
        .filter(|own| {
            let owner = Owner::of(own);
            owner.project == project && owner.component.is_empty()
        })
        .collect();
    if releases.is_empty() {
        return off;
    }
    let mut report = Report::new(subject);
    let message = format!("waits until the objects of RenderedRelease `{name}` are deleted");
    report.set(FINALIZING, true, "Finalizing", &message);
    report.ready(false, "Finalizing", &message);
    let mut decision = report.finish();
    decision.actions.extend(delete(&releases));
    decision
}
