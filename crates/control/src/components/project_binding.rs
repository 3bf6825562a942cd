//! What a ProjectReleaseBinding needs now: the resources of a project in one environment.
//!
//! # Source
//! openchoreo/openchoreo `internal/controller/projectreleasebinding/` at v1.2.3.

use component::identity;
use component::metadata::{self, keys as labels};
use component::model::{DataPlane, Dialect, Environment, Item, Project, ProjectRelease};
use component::model::{ProjectReleaseBinding, Reference};
use component::names::{NAME_BYTES_MAX, generate_name};
use component::parameters;
use component::render::{Maker, Renderer};
use component::template::Context;
use object::{Map, Node, Object};

use super::project::{release, release_name, write};
use super::rendered;
use super::report::{FINALIZING, Report};
use super::subject::{Subject, delete, key};
use super::{Decision, keys, readiness};

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
            report.warn(&findings);
            binding
        }
        Ok(_) => return Decision::default(),
        Err(message) => return failed(report, "InvalidConfiguration", &message),
    };
    let parts = match Parts::of(subject, binding) {
        Ok(parts) => parts,
        Err((reason, message)) => return failed(report, reason, &message),
    };
    let resources = match parts.render(binding) {
        Ok(resources) => resources,
        Err(message) => return failed(report, "RenderingFailed", &message),
    };
    let plane = &parts.plane.head;
    let plane = format!("{}/{}", plane.kind, plane.name);
    let project = &binding.project;
    let wanted = release(subject, project, &binding.environment, plane, resources);
    if let Some(action) = write(subject, wanted.clone()) {
        return Decision::one(action);
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
    let verdict = readiness::of(&known, "");
    report.set(
        RESOURCES_READY,
        verdict.ready,
        verdict.reason,
        &verdict.message,
    );
    let namespace = parts.namespace(binding);
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

/// What a project binding is made from.
struct Parts<'a> {
    project: &'a Project,
    release: &'a ProjectRelease,
    environment: &'a Environment,
    plane: &'a DataPlane,
}

impl<'a> Parts<'a> {
    fn of(
        subject: &Subject<'a>,
        binding: &ProjectReleaseBinding,
    ) -> Result<Self, (&'static str, String)> {
        let catalog = subject.view.catalog;
        let namespace = subject.namespace();
        let missing = |kind: &str, name: &str| format!("{kind} `{name}` does not exist");
        let name = &binding.project;
        let project = catalog
            .project(namespace, name)
            .ok_or_else(|| ("ProjectNotFound", missing("Project", name)))?;
        let name = binding.release.as_ref().ok_or_else(|| {
            let message = "no release is selected; the project gives one when it is frozen";
            ("ProjectReleaseNotFound", message.to_owned())
        })?;
        let release = match catalog.get("ProjectRelease", namespace, name) {
            Some(Item::ProjectRelease(release)) => release,
            _ => return Err(("ProjectReleaseNotFound", missing("ProjectRelease", name))),
        };
        if release.project != binding.project {
            let message = format!(
                "ProjectRelease `{name}` is of project `{}`, not `{}`",
                release.project, binding.project
            );
            return Err(("InvalidReleaseConfiguration", message));
        }
        let name = &binding.environment;
        let environment = catalog
            .environment(namespace, name)
            .ok_or_else(|| ("EnvironmentNotFound", missing("Environment", name)))?;
        let reference = environment.data_plane.as_ref().ok_or_else(|| {
            let message = format!("Environment `{name}` names no data plane");
            ("DataPlaneNotConfigured", message)
        })?;
        let Reference { kind, name } = reference;
        let plane = catalog
            .data_plane(namespace, reference)
            .ok_or_else(|| ("DataPlaneNotFound", missing(kind, name)))?;
        Ok(Self {
            project,
            release,
            environment,
            plane,
        })
    }

    fn namespace(&self, binding: &ProjectReleaseBinding) -> String {
        let tenant = &binding.head.namespace;
        metadata::namespace(tenant, &binding.project, &binding.environment)
    }

    /// The resources of a release: ids and objects.
    fn render(&self, binding: &ProjectReleaseBinding) -> Result<Vec<Node>, String> {
        let own = &self.release.project_type;
        let compiled = parameters::compile(&own.schemas).map_err(|(own, environment)| {
            let errors = own.iter().chain(&environment).map(ToString::to_string);
            errors.collect::<Vec<_>>().join("; ")
        })?;
        let parameters = &self.release.parameters;
        let values = parameters::apply(&compiled, Dialect::V1, parameters, &binding.type_values);
        let errors = values.parameter_errors.iter();
        let errors: Vec<String> = errors
            .chain(&values.environment_errors)
            .map(ToString::to_string)
            .collect();
        if !errors.is_empty() {
            return Err(errors.join("; "));
        }
        let labels = Map::from_iter([
            (labels::NAMESPACE, binding.head.namespace.clone()),
            (labels::PROJECT, binding.project.clone()),
            (labels::ENVIRONMENT, binding.environment.clone()),
            (labels::PROJECT_UID, identity::of(&self.project.head)),
            (
                labels::ENVIRONMENT_UID,
                identity::of(&self.environment.head),
            ),
        ]);
        let name = generate_name(NAME_BYTES_MAX, &[&binding.project, &binding.environment]);
        let metadata = Map::from_iter([
            ("name", Node::from(name)),
            ("namespace", self.namespace(binding).into()),
            ("projectName", binding.project.clone().into()),
            ("projectNamespace", binding.head.namespace.clone().into()),
            ("environmentName", binding.environment.clone().into()),
            ("dataPlaneName", self.plane.head.name.clone().into()),
            ("labels", labels.clone().into()),
            ("annotations", Node::map()),
        ]);
        let gateway = self.gateway();
        let mut plane = Map::from_iter([("gateway", self.plane.gateway.clone())]);
        if let Some(store) = &self.plane.secret_store {
            plane.insert("secretStore", store.clone());
        }
        let context = Context::default()
            .with("metadata", &Node::from(metadata))
            .with("parameters", &values.parameters)
            .with("environmentConfigs", &values.environment)
            .with("gateway", &gateway)
            .with("dataplane", &Node::from(plane));
        let reference = &self.release.type_reference;
        let maker = Maker::Type {
            kind: reference.kind.clone(),
            name: reference.name.clone(),
        };
        let renderer = Renderer::default();
        let rendered = renderer
            .resources(maker, &own.resources, &context)
            .map_err(|errors| errors.to_string())?;
        let objects = rendered.into_iter().map(|own| {
            let mut object = own.object;
            for (key, value) in labels.iter() {
                object.set(&["metadata", "labels", key], value.clone());
            }
            rendered::resource(&metadata::resource_id(&object), &object)
        });
        Ok(objects.collect())
    }

    /// Gateways of the environment over those of the plane.
    fn gateway(&self) -> Node {
        let mut out = Node::map();
        for direction in ["ingress", "egress"] {
            for visibility in ["external", "internal"] {
                let at = [direction, visibility];
                let own = self.environment.gateway.at(&at);
                if let Some(entry) = own.or_else(|| self.plane.gateway.at(&at)) {
                    out.set(&at, entry.clone());
                }
            }
        }
        out
    }
}

/// Lets a project binding go. The namespace is handed back to a project that still runs in it.
fn finalize(subject: &Subject<'_>) -> Decision {
    if !subject.has_finalizer(keys::PROJECT_BINDING_FINALIZER) {
        return Decision::default();
    }
    let off = Decision::finalizer(keys::PROJECT_BINDING_FINALIZER, false);
    let project = rendered::owner(&subject.object).project;
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
        rendered::owner(object).project == project
            && object.node.str_at(&["spec", "environment"]) == Some(environment)
    };
    if lives("Project", &project)
        && lives("Environment", environment)
        && subject.siblings("ReleaseBinding").any(|own| used(&own))
    {
        return off;
    }
    let name = release_name(&project, environment);
    let releases: Vec<_> = rendered::controlled_by(subject)
        .into_iter()
        .filter(|own| own.name() == name)
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
