//! What a Project needs now: its release, and the namespaces its components run in.
//!
//! A namespace of a data plane is held by a RenderedRelease of the project, so that it is there
//! before anything is bound to a project binding, and goes only with the project or environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use component::metadata;
use component::model::{DataPlane, Environment, GROUP, Item, Owner, Plane, Project, Reference};
use component::snapshot as digest;
use object::{Map, Node, Object, Text};

use super::component::waits_for;
use super::rendered::{self, Wanted};
use super::report::{FINALIZING, Report};
use super::roll_up::roll_up;
use super::subject::{Subject, delete, key};
use super::{Action, Decision, keys};

/// Whether components of a project, or bindings of these or of itself, fail; present only while any
/// does.
const COMPONENTS_FAILING: &str = "ComponentsFailing";

pub(super) fn next(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return finalize(subject);
    }
    if !subject.has_finalizer(keys::PROJECT_FINALIZER) {
        return Decision::finalizer(keys::PROJECT_FINALIZER, true);
    }
    let mut report = Report::new(subject);
    let project = match subject.readable() {
        Ok((Item::Project(project), findings)) => {
            report.warn(findings);
            project
        }
        Ok(_) => return Decision::default(),
        Err(message) => {
            report.ready(false, "InvalidConfiguration", &message);
            return report.finish();
        }
    };
    let problem = match freeze(subject, project, &mut report) {
        Ok(actions) if !actions.is_empty() => {
            return Decision {
                actions,
                ..Decision::default()
            };
        }
        Ok(_) => pipeline(subject, project).err(),
        Err(problem) => Some(problem),
    };
    let (actions, namespaces) = namespaces(subject, project);
    if !actions.is_empty() {
        return Decision {
            actions,
            ..Decision::default()
        };
    }
    report.field("dataPlaneNamespaces", namespaces);
    let kinds = ["Component", "ReleaseBinding", "ProjectReleaseBinding"];
    let below = kinds.iter().flat_map(|kind| subject.siblings(kind));
    let below = below.filter(|own| Owner::of(own).project == subject.name());
    roll_up(&mut report, COMPONENTS_FAILING, below.collect());
    report.set("Created", true, "ProjectCreated", "the project is there");
    match problem {
        None => report.ready(true, "Reconciled", "the project can be used"),
        Some((reason, message)) => report.ready(false, reason, &message),
    }
    report.finish()
}

type Problem = (&'static str, String);

fn pipeline(subject: &Subject<'_>, project: &Project) -> Result<(), Problem> {
    let Some(reference) = &project.pipeline else {
        let message = "the project names no deployment pipeline; set `spec.deploymentPipelineRef`";
        return Err(("InvalidConfiguration", message.to_owned()));
    };
    let catalog = subject.view.catalog;
    match catalog.pipeline(subject.namespace(), &reference.name) {
        Some(_) => Ok(()),
        None => {
            let message = format!("DeploymentPipeline `{}` does not exist", reference.name);
            Err(("DeploymentPipelineNotFound", message))
        }
    }
}

/// Freezes a project that has a type, and gives the release to bindings that have none yet.
fn freeze(
    subject: &Subject<'_>,
    project: &Project,
    report: &mut Report,
) -> Result<Vec<Action>, Problem> {
    let Some(reference) = &project.project_type else {
        report.field("latestRelease", Node::Null);
        return Ok(Vec::new());
    };
    let namespace = match reference.kind.starts_with("Cluster") {
        true => "",
        false => subject.namespace(),
    };
    let own = key(&reference.kind, namespace, &reference.name);
    let Some(own) = subject.view.objects.get(&own) else {
        let message = format!("{} `{}` does not exist", reference.kind, reference.name);
        return Err(("ProjectTypeNotFound", message));
    };
    let spec = frozen(subject, reference, &own);
    let digest = digest::digest(&spec);
    let mut name = None;
    for candidate in super::component::names(subject.name(), &digest) {
        let key = key("ProjectRelease", subject.namespace(), &candidate);
        let Some(known) = subject.view.objects.get(&key) else {
            let mut node = Node::map();
            node.set(&["apiVersion"], format!("{GROUP}/v1alpha1"));
            node.set(&["kind"], "ProjectRelease");
            node.set(&["metadata", "name"], candidate);
            node.set(&["metadata", "namespace"], subject.namespace());
            let annotation = &["metadata", "annotations", digest::RELEASE_DIGEST];
            node.set(annotation, digest);
            node.set(&["spec"], spec);
            return Ok(vec![Action::Create(Object::new(node))]);
        };
        if known
            .node
            .get("spec")
            .is_some_and(|known| rendered::same(known, &spec))
        {
            name = Some(candidate);
            break;
        }
    }
    let Some(name) = name else {
        let message = "every name for the release is taken by another one; delete those";
        return Err(("ReleaseTampered", message.to_owned()));
    };
    let empty = subject.siblings("ProjectReleaseBinding").filter(|binding| {
        let release = binding.node.str_at(&["spec", "projectRelease"]);
        !binding.is_deleting()
            && Owner::of(binding).project == subject.name()
            && release.unwrap_or_default().is_empty()
    });
    let actions: Vec<Action> = empty
        .map(|binding| {
            let mut node = Node::map();
            node.set(&["spec", "projectRelease"], name.as_str());
            Action::Patch(binding.key(), node)
        })
        .collect();
    let latest = Map::from_iter([("name", name), ("hash", digest.into())]);
    report.field("latestRelease", latest);
    Ok(actions)
}

/// The spec of the release of a project.
fn frozen(subject: &Subject<'_>, reference: &Reference, own: &Object) -> Node {
    let mut spec = Node::map();
    spec.set(&["owner", "projectName"], subject.name());
    spec.set(&["projectType", "kind"], reference.kind.clone());
    spec.set(&["projectType", "name"], reference.name.clone());
    let inner = own.node.get("spec").cloned().unwrap_or_default();
    spec.set(&["projectType", "spec"], inner);
    let parameters = subject.object.node.at(&["spec", "parameters"]);
    if let Some(parameters) = parameters.filter(|own| !own.is_null()) {
        spec.set(&["parameters"], parameters.clone());
    }
    spec
}

/// The namespaces of a project in environments where something of it is bound: what to write for
/// them, and how the status lists them. Those with a project binding are its business.
fn namespaces(subject: &Subject<'_>, project: &Project) -> (Vec<Action>, Node) {
    let catalog = subject.view.catalog;
    let namespace = subject.namespace();
    let mut bound: BTreeMap<&Text, (&Environment, &DataPlane)> = BTreeMap::new();
    for binding in catalog.bindings_of_project(namespace, subject.name()) {
        if bound.contains_key(&binding.environment) {
            continue;
        }
        let found = catalog
            .environment(namespace, &binding.environment)
            .zip(catalog.data_plane_of(binding));
        let goes = |kind: &str, name: &str| {
            let object = subject.view.objects.get(&key(kind, namespace, name));
            object.is_none_or(|object| object.is_deleting())
        };
        if let Some(found) = found
            && !goes("Environment", &binding.environment)
            && !goes("ReleaseBinding", &binding.head.name)
        {
            bound.insert(&binding.environment, found);
        }
    }
    let explicit: Vec<Arc<Object>> = subject
        .siblings("ProjectReleaseBinding")
        .filter(|own| !own.is_deleting() && Owner::of(own).project == subject.name())
        .collect();
    let renderer = &subject.view.options.renderer;
    let mut actions = Vec::new();
    let mut listed = Vec::new();
    for (environment, (_, plane)) in bound {
        let name = metadata::namespace(namespace, subject.name(), environment);
        let plane = format!("{}/{}", plane.head.kind, plane.head.name);
        listed.push(Map::from_iter([
            ("environment", environment.to_string()),
            ("dataPlane", plane.clone()),
            ("namespace", name.clone()),
        ]));
        let is_explicit = explicit
            .iter()
            .any(|own| own.node.str_at(&["spec", "environment"]) == Some(environment));
        if is_explicit {
            continue;
        }
        let inputs = catalog.resolve_project(namespace, subject.name(), environment);
        let rendered = inputs.map(|inputs| renderer.render_project(&inputs));
        let Ok(Ok(objects)) = rendered else {
            continue; // The problem is the project type's, which says so.
        };
        let resources = rendered::resources(&objects, Plane::Data);
        let wanted = release(subject, &project.head.name, environment, plane, resources);
        actions.extend(write(subject, wanted));
    }
    (actions, Node::list(listed))
}

/// The release that holds what a project has in an environment.
pub(super) fn release(
    subject: &Subject<'_>,
    project: &Text,
    environment: &str,
    plane_reference: String,
    resources: Vec<Node>,
) -> Object {
    let owner = Owner {
        project: project.clone(),
        component: Text::default(),
    };
    let wanted = Wanted {
        kind: "RenderedRelease",
        name: release_name(project, environment),
        owner: &owner,
        environment,
        plane_reference,
        plane: Plane::Data,
        is_v1: true,
        resources,
    };
    wanted.object(subject)
}

/// The name of that release.
pub(super) fn release_name(project: &str, environment: &str) -> String {
    format!("project-{project}-{environment}")
}

/// How to get a release of a project written, if it is not yet.
pub(super) fn write(subject: &Subject<'_>, wanted: Object) -> Option<Action> {
    match subject.view.objects.get(&wanted.key()) {
        None => Some(Action::Create(wanted)),
        Some(own) if own.is_deleting() || rendered::is_applied(&own, &wanted) => None,
        // Of a component that happens to be called like this: the project gives way.
        Some(own) if !Owner::of(&own).component.is_empty() => None,
        Some(_) => Some(Action::Apply(wanted)),
    }
}

/// Deletes what a project consists of, its namespaces last, and lets it go.
fn finalize(subject: &Subject<'_>) -> Decision {
    if !subject.has_finalizer(keys::PROJECT_FINALIZER) {
        return Decision::default();
    }
    let of_project = |kind: &str| -> Vec<Arc<Object>> {
        let all = subject.siblings(kind);
        all.filter(|own| Owner::of(own).project == subject.name())
            .collect()
    };
    let mut left: Vec<Arc<Object>> = of_project("Component");
    left.extend(of_project("ReleaseBinding"));
    let releases: Vec<Arc<Object>> = rendered::KINDS
        .iter()
        .flat_map(|kind| of_project(kind))
        .collect();
    // Namespaces wait for what runs in them.
    let (own, others): (Vec<_>, Vec<_>) = releases
        .into_iter()
        .partition(|release| Owner::of(release).component.is_empty());
    if left.is_empty() {
        left = others;
    }
    if left.is_empty() {
        left.extend(of_project("ProjectReleaseBinding"));
        left.extend(of_project("ProjectRelease"));
        left.extend(own);
    }
    if left.is_empty() {
        return Decision::finalizer(keys::PROJECT_FINALIZER, false);
    }
    let message = waits_for(&left);
    let mut report = Report::new(subject);
    report.set(FINALIZING, true, "ProjectFinalizing", &message);
    report.ready(false, "ProjectFinalizing", &message);
    let mut decision = report.finish();
    decision.actions.extend(delete(&left));
    decision
}
