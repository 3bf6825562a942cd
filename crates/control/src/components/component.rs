//! What a Component needs now.

use std::sync::Arc;

use component::model::{Component, ComponentType, GROUP, Item, Named, Owner, Project, Reference};
use component::snapshot::{RELEASE_DIGEST, release_digest};
use object::{Map, Node, Object, ObjectKey, Text};

use super::rendered::owner;
use super::report::{FINALIZING, Report};
use super::snapshot::{self, Snapshot};
use super::subject::{Subject, delete, key};
use super::{Action, Decision, keys};

/// Labels, annotations and field managers of tools that apply objects from Git.
const GITOPS_KEYS: &[&str] = &[
    "kustomize.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/name",
    "argocd.argoproj.io/instance",
    "argocd.argoproj.io/tracking-id",
];
const GITOPS_MANAGERS: &[&str] = &[
    api::field_manager::KUSTOMIZE,
    "helm-controller",
    "argocd-controller",
    "argocd-application-controller",
];

/// Why a component is not ready: reason and message.
type Problem = (&'static str, String);

pub(super) fn next(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return finalize(subject);
    }
    if !subject.has_finalizer(keys::COMPONENT_FINALIZER) {
        return Decision::finalizer(keys::COMPONENT_FINALIZER, true);
    }
    let mut report = Report::new(subject);
    let component = match subject.readable() {
        Ok((Item::Component(component), findings)) => {
            report.warn(&findings);
            component
        }
        Ok(_) => return Decision::default(),
        Err(message) => {
            report.ready(false, "InvalidConfiguration", &message);
            return report.finish();
        }
    };
    let parts = match check(subject, component) {
        Ok(parts) => parts,
        Err((reason, message)) => {
            report.ready(false, reason, &message);
            return report.finish();
        }
    };
    let type_name = parts.component_type.head.name.clone();
    report.field("componentTypeName", type_name);
    if !component.auto_deploy {
        let message = "component type, workload, traits and pipeline are there";
        report.ready(true, "Reconciled", message);
        return report.finish();
    }
    deploy(subject, component, &parts, report)
}

/// What a component that passed every check consists of.
struct Parts<'a> {
    component_type: &'a Named<ComponentType>,
    workload: Text,
    root: Text,
}

/// Looks at everything a component refers to, in upstream's order, up to the first problem.
fn check<'a>(subject: &Subject<'a>, component: &'a Component) -> Result<Parts<'a>, Problem> {
    let catalog = subject.view.catalog;
    let namespace = subject.namespace();
    let invalid = |message: String| ("InvalidConfiguration", message);

    let full = component.component_type.as_ref().ok_or_else(|| {
        invalid("legacy `spec.type` is not supported; set `spec.componentType`".to_owned())
    })?;
    let (workload_type, name) = full.split_once('/').ok_or_else(|| {
        invalid(format!(
            "`spec.componentType` is `{full}`, which is not a workload type, a slash and a name"
        ))
    })?;
    let reference = Reference {
        kind: component.type_kind.clone(),
        name: name.into(),
    };
    let component_type = catalog
        .component_type(namespace, &reference)
        .ok_or_else(|| {
            let message = format!("{} `{name}` does not exist", reference.kind);
            ("ComponentTypeNotFound", message)
        })?;
    let own = &component_type.spec.workload_type;
    if *own != workload_type {
        return Err(invalid(format!(
            "{} `{name}` is of workload type `{own}`, not `{workload_type}`; write `{own}/{name}`",
            reference.kind
        )));
    }
    let is_new = subject.object.node.at(&["spec", "componentType"]);
    let is_new = is_new.is_some_and(|own| own.as_map().is_some());
    if is_new {
        workflow(subject, component_type)?;
    }
    let workload = workload(subject, component)?;
    if is_new {
        traits(component, component_type).map_err(invalid)?;
    }
    for reference in snapshot::trait_references(component_type, &component.traits) {
        if catalog.trait_of(namespace, &reference).is_none() {
            let message = format!("{} `{}` does not exist", reference.kind, reference.name);
            return Err(("TraitNotFound", message));
        }
    }
    let project = &component.owner.project;
    let project = catalog.project(namespace, project).ok_or_else(|| {
        let message = format!("Project `{project}` does not exist");
        ("ProjectNotFound", message)
    })?;
    Ok(Parts {
        component_type,
        workload,
        root: root_environment(subject, project)?,
    })
}

/// Whether the workflow may be used and is there.
fn workflow(subject: &Subject<'_>, component_type: &Named<ComponentType>) -> Result<(), Problem> {
    let workflow = subject.object.node.at(&["spec", "workflow"]);
    let Some(name) = workflow.and_then(|own| own.str_at(&["name"])) else {
        return Ok(());
    };
    let kind = workflow.and_then(|own| own.str_at(&["kind"]));
    let kind = kind.unwrap_or("ClusterWorkflow");
    let allowed = &component_type.spec.allowed_workflows;
    if !allowed
        .iter()
        .any(|own| own.name == name && own.kind == kind)
    {
        let message = format!(
            "{kind} `{name}` is not in `allowedWorkflows` of {} `{}`",
            component_type.head.kind, component_type.head.name
        );
        return Err(("WorkflowNotAllowed", message));
    }
    let namespace = match kind.starts_with("Cluster") {
        true => "",
        false => subject.namespace(),
    };
    match subject.view.objects.get(&key(kind, namespace, name)) {
        Some(_) => Ok(()),
        None => Err((
            "WorkflowNotFound",
            format!("{kind} `{name}` does not exist"),
        )),
    }
}

/// The only workload of a component.
fn workload(subject: &Subject<'_>, component: &Component) -> Result<Text, Problem> {
    let owner = own_name(component);
    let found = subject.view.catalog.workloads(subject.namespace(), &owner);
    let found: Vec<&Text> = found.map(|own| &own.head.name).collect();
    match found.as_slice() {
        [] => Err((
            "WorkloadNotFound",
            format!("no Workload has owner `{owner}`"),
        )),
        [only] => Ok((*only).clone()),
        several => {
            let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            let message = format!(
                "{} Workloads have owner `{owner}`: {}; keep one of them",
                names.len(),
                names.join(", ")
            );
            Err(("InvalidConfiguration", message))
        }
    }
}

/// Whether a component may use its traits, and calls no two of them the same.
fn traits(component: &Component, component_type: &Named<ComponentType>) -> Result<(), String> {
    let allowed = &component_type.spec.allowed_traits;
    let mut instances: Vec<&Text> = Vec::new();
    instances.extend(component_type.spec.traits.iter().map(|own| &own.instance));
    for own in &component.traits {
        let may = allowed.is_empty()
            || allowed
                .iter()
                .any(|other| other.name == own.name && other.kind == own.kind);
        if !may {
            return Err(format!(
                "{} `{}` is not in `allowedTraits` of {} `{}`",
                own.kind, own.name, component_type.head.kind, component_type.head.name
            ));
        }
        if instances.contains(&&own.instance) {
            return Err(format!(
                "two traits have the instance name `{}`; rename one of them",
                own.instance
            ));
        }
        instances.push(&own.instance);
    }
    Ok(())
}

/// The environment that a pipeline starts in: the first source that nothing leads to.
fn root_environment(subject: &Subject<'_>, project: &Project) -> Result<Text, Problem> {
    let name = &project.head.name;
    let reference = project.pipeline.as_ref().ok_or_else(|| {
        let message = format!("Project `{name}` names no deployment pipeline");
        ("InvalidConfiguration", message)
    })?;
    let catalog = subject.view.catalog;
    let pipeline = catalog
        .pipeline(subject.namespace(), &reference.name)
        .ok_or_else(|| {
            let message = format!("DeploymentPipeline `{}` does not exist", reference.name);
            ("DeploymentPipelineNotFound", message)
        })?;
    let mut targets = pipeline.paths.iter().flat_map(|path| &path.targets);
    let root = pipeline
        .paths
        .iter()
        .find(|path| !targets.clone().any(|own| own.environment == path.source));
    match root {
        Some(path) => Ok(path.source.clone()),
        None => {
            let why = match targets.next() {
                None => "has no promotion paths",
                Some(_) => "leads to every environment it starts from",
            };
            let message = format!(
                "DeploymentPipeline `{}` {why}, so that it has no first environment",
                reference.name
            );
            Err(("InvalidConfiguration", message))
        }
    }
}

fn own_name(component: &Component) -> Owner {
    Owner {
        project: component.owner.project.clone(),
        component: component.head.name.clone(),
    }
}

/// Freezes a component and binds the release in the first environment.
fn deploy(
    subject: &Subject<'_>,
    component: &Component,
    parts: &Parts<'_>,
    mut report: Report,
) -> Decision {
    let owner = own_name(component);
    let snapshot = Snapshot::of(subject, component, parts.component_type, &parts.workload);
    let Some(snapshot) = snapshot else {
        report.ready(false, "AutoDeployFailed", "a part of it went meanwhile");
        return report.finish();
    };
    let release = match release_of(subject, &owner, &snapshot) {
        Ok(name) => name,
        Err(Ok(create)) => return Decision::one(create),
        Err(Err(message)) => {
            report.ready(false, "ReleaseTampered", &message);
            return report.finish();
        }
    };
    let bindings = live_bindings(subject, &owner, &parts.root);
    let patch = match bindings.as_slice() {
        [] => {
            let binding = new_binding(subject, &owner, &parts.root, &release);
            if let Some(taken) = subject.view.objects.get(&binding.key()) {
                let message = match taken.is_deleting() {
                    true => format!("waits until ReleaseBinding `{}` is deleted", taken.name()),
                    false => format!(
                        "ReleaseBinding `{}` is for something else; rename it",
                        taken.name()
                    ),
                };
                report.ready(false, "AutoDeployFailed", &message);
                return report.finish();
            }
            return Decision::one(Action::Create(binding));
        }
        [only] => (only.node.str_at(&["spec", "releaseName"]) != Some(&release)).then_some(only),
        several => {
            let names: Vec<&str> = several.iter().map(|own| own.name()).collect();
            let message = format!(
                "{} bindings are for `{}`: {}; keep one of them",
                names.len(),
                parts.root,
                names.join(", ")
            );
            report.ready(false, "AutoDeployFailed", &message);
            return report.finish();
        }
    };
    let latest = Map::from_iter([
        ("name", release.as_str()),
        ("releaseHash", snapshot.digest.as_str()),
    ]);
    report.field("latestRelease", latest);
    match patch {
        None => {
            let message = format!("release `{release}` is bound in `{}`", parts.root);
            report.ready(true, "ComponentReleaseReady", &message);
        }
        Some(binding) if comes_from_git(binding) => {
            let message = format!(
                "release `{release}` is there; ReleaseBinding `{}` comes from Git, so set `releaseName` there",
                binding.name()
            );
            report.ready(true, "UpdateAvailable", &message);
        }
        Some(binding) => {
            let mut node = Node::map();
            node.set(&["spec", "releaseName"], release);
            return Decision::one(Action::Patch(binding.key(), node));
        }
    }
    report.finish()
}

/// The release with the content of a snapshot. If there is none: how to make it, or why it cannot
/// be made.
fn release_of(
    subject: &Subject<'_>,
    owner: &Owner,
    snapshot: &Snapshot,
) -> Result<Text, Result<Action, String>> {
    let digest = |release: &Object| {
        let spec = release.node.get("spec").cloned().unwrap_or_default();
        release_digest(&spec)
    };
    let names = snapshot::names(owner, &snapshot.digest);
    let mut taken = None;
    let mut free = None;
    for name in &names {
        let key = key("ComponentRelease", subject.namespace(), name);
        match subject.view.objects.get(&key) {
            None => free = free.or(Some(name)),
            Some(own) if own.is_deleting() => {}
            Some(own)
                if super::rendered::owner(&own) == *owner && digest(&own) == snapshot.digest =>
            {
                return Ok(name.clone());
            }
            Some(_) => taken = taken.or(Some(name)),
        }
    }
    let same = subject.siblings("ComponentRelease").filter(|own| {
        !own.is_deleting()
            && super::rendered::owner(own) == *owner
            && digest(own) == snapshot.digest
    });
    if let Some(known) = same.map(|own| own.key().name).min() {
        return Ok(known);
    }
    match (free, taken) {
        (Some(name), _) => {
            let release = snapshot.object(subject.namespace(), name);
            Err(Ok(Action::Create(release)))
        }
        (None, taken) => {
            let name = taken.map(Text::as_str).unwrap_or_default();
            let message = format!(
                "ComponentRelease `{name}` has other content than its name says, and no name is left; delete it"
            );
            Err(Err(message))
        }
    }
}

/// Bindings of a component in an environment that are not being deleted, by name.
fn live_bindings(subject: &Subject<'_>, of: &Owner, environment: &str) -> Vec<Arc<Object>> {
    let found = subject.siblings("ReleaseBinding").filter(|own| {
        !own.is_deleting()
            && owner(own) == *of
            && own.node.str_at(&["spec", "environment"]) == Some(environment)
    });
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|own| own.key());
    found
}

fn new_binding(subject: &Subject<'_>, owner: &Owner, environment: &str, release: &str) -> Object {
    let mut node = Node::map();
    node.set(&["apiVersion"], format!("{GROUP}/v1alpha1"));
    node.set(&["kind"], "ReleaseBinding");
    let name = format!("{}-{environment}", owner.component);
    node.set(&["metadata", "name"], name);
    node.set(&["metadata", "namespace"], subject.namespace());
    node.set(&["spec", "owner", "projectName"], owner.project.clone());
    node.set(&["spec", "owner", "componentName"], owner.component.clone());
    node.set(&["spec", "environment"], environment);
    node.set(&["spec", "releaseName"], release);
    Object::new(node)
}

/// Whether a tool applies an object from Git, and would undo what others write.
fn comes_from_git(object: &Object) -> bool {
    let marked = |key: &&str| object.label(key).is_some() || object.annotation(key).is_some();
    let managers = object.node.at(&["metadata", "managedFields"]);
    let managers = managers.and_then(Node::as_list).unwrap_or_default();
    let applied = |own: &Node| {
        let manager = own.str_at(&["manager"]).unwrap_or_default();
        GITOPS_MANAGERS.contains(&manager)
    };
    GITOPS_KEYS.iter().any(marked) || managers.iter().any(applied)
}

/// Deletes what belongs to a component that goes, and lets it go when all of it is gone.
fn finalize(subject: &Subject<'_>) -> Decision {
    if !subject.has_finalizer(keys::COMPONENT_FINALIZER) {
        return Decision::default();
    }
    let project = owner(&subject.object).project;
    let own = Owner {
        project,
        component: subject.name().into(),
    };
    let kinds = [
        "ReleaseBinding",
        "ComponentRelease",
        "Workload",
        "WorkflowRun",
    ];
    let mut left: Vec<Arc<Object>> = Vec::new();
    for kind in kinds {
        left.extend(subject.siblings(kind).filter(|object| owner(object) == own));
    }
    if left.is_empty() {
        return Decision::finalizer(keys::COMPONENT_FINALIZER, false);
    }
    let message = waits_for(&left);
    let mut report = Report::new(subject);
    report.set(FINALIZING, true, "ComponentFinalizing", &message);
    report.ready(false, "ComponentFinalizing", &message);
    let mut decision = report.finish();
    decision.actions.extend(delete(&left));
    decision
}

/// What a deletion waits for, in a sentence.
pub(super) fn waits_for(left: &[Arc<Object>]) -> String {
    /// Most objects named.
    const SHOWN: usize = 5;
    let mut keys: Vec<ObjectKey> = left.iter().map(|own| own.key()).collect();
    keys.sort();
    let shown = keys.iter().take(SHOWN);
    let mut names: Vec<String> = shown
        .map(|key| format!("{} `{}`", key.kind, key.name))
        .collect();
    if keys.len() > SHOWN {
        names.push(format!("{} more", keys.len() - SHOWN));
    }
    format!("waits until these are deleted: {}", names.join(", "))
}

/// The digest that a release says it has, if it says one that it has not.
pub(super) fn tampered<'o>(release: &'o Object, digest: &str) -> Option<&'o str> {
    release
        .annotation(RELEASE_DIGEST)
        .filter(|said| *said != digest)
}
