//! What a Component needs now.

use std::sync::Arc;

use component::catalog::Frozen;
use component::model::{Component, GROUP, Item, Owner};
use component::snapshot::{RELEASE_DIGEST, release_digest, release_name};
use object::{Map, Node, Object, ObjectKey, Text};

use super::collection::collect;
use super::report::{FINALIZING, Report};
use super::roll_up::roll_up;
use super::subject::{Subject, delete, key};
use super::{Action, Decision, keys};

/// Whether bindings of a component fail; present only while any does.
const BINDINGS_FAILING: &str = "BindingsFailing";

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
            report.warn(findings);
            component
        }
        Ok(_) => return Decision::default(),
        Err(message) => {
            report.ready(false, "InvalidConfiguration", &message);
            return report.finish();
        }
    };
    let full = component.component_type.as_deref().unwrap_or_default();
    let type_name = full.split_once('/').map_or(full, |(_, name)| name);
    report.field("componentTypeName", type_name);
    let own = component.as_owner();
    let bindings = subject.siblings_of("ReleaseBinding", &own);
    roll_up(&mut report, BINDINGS_FAILING, bindings.collect());
    let collected = collect(subject, component, &mut report);
    let mut decision = decide(subject, component, report);
    decision.actions.extend(collected);
    decision
}

fn decide(subject: &Subject<'_>, component: &Component, mut report: Report) -> Decision {
    let frozen = match subject.view.catalog.freeze(component) {
        Ok(frozen) => frozen,
        Err(problems) => {
            // Upstream tells the first; the others spare a round each.
            let reason = problems
                .first()
                .map_or("InvalidConfiguration", |own| own.reason().0);
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            report.ready(false, reason, &texts.join("; "));
            return report.finish();
        }
    };
    if !component.auto_deploy {
        let message = "component type, workload, traits and pipeline are there";
        report.ready(true, "Reconciled", message);
        return report.finish();
    }
    deploy(subject, component, &frozen, report)
}

/// Makes the release of a component and binds it in the first environment.
fn deploy(
    subject: &Subject<'_>,
    component: &Component,
    frozen: &Frozen,
    mut report: Report,
) -> Decision {
    let owner = component.as_owner();
    let release = match release_of(subject, &owner, frozen) {
        Ok(name) => name,
        Err(Ok(create)) => return Decision::one(create),
        Err(Err(message)) => {
            report.ready(false, "ReleaseTampered", &message);
            return report.finish();
        }
    };
    let root = frozen.first_environment.as_str();
    let bindings = live_bindings(subject, &owner, root);
    let patch = match bindings.as_slice() {
        [] => {
            let binding = new_binding(subject, &owner, root, &release);
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
                root,
                names.join(", ")
            );
            report.ready(false, "AutoDeployFailed", &message);
            return report.finish();
        }
    };
    let latest = Map::from_iter([
        ("name", release.as_str()),
        ("releaseHash", frozen.digest.as_str()),
    ]);
    report.field("latestRelease", latest);
    match patch {
        None => {
            let message = format!("release `{release}` is bound in `{}`", root);
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

/// The release with the frozen content. If there is none: how to make it, or why it cannot
/// be made.
fn release_of(
    subject: &Subject<'_>,
    owner: &Owner,
    frozen: &Frozen,
) -> Result<Text, Result<Action, String>> {
    let digest = |release: &Object| {
        let spec = release.node.get("spec").cloned().unwrap_or_default();
        release_digest(&spec)
    };
    let names = names(&owner.component, &frozen.digest);
    let mut taken = None;
    let mut free = None;
    for name in &names {
        let key = key("ComponentRelease", subject.namespace(), name);
        match subject.view.objects.get(&key) {
            None => free = free.or(Some(name)),
            Some(own) if own.is_deleting() => {}
            Some(own) if Owner::of(&own) == *owner && digest(&own) == frozen.digest => {
                return Ok(name.clone());
            }
            Some(_) => taken = taken.or(Some(name)),
        }
    }
    let same = subject
        .siblings_of("ComponentRelease", owner)
        .filter(|own| !own.is_deleting() && digest(own) == frozen.digest);
    if let Some(known) = same.map(|own| own.key().name).min() {
        return Ok(known);
    }
    match (free, taken) {
        (Some(name), _) => {
            let mut node = Node::map();
            node.set(&["apiVersion"], format!("{GROUP}/v1alpha1"));
            node.set(&["kind"], "ComponentRelease");
            node.set(&["metadata", "name"], name.clone());
            node.set(&["metadata", "namespace"], subject.namespace());
            let digest = frozen.digest.as_str();
            node.set(&["metadata", "annotations", RELEASE_DIGEST], digest);
            node.set(&["spec"], frozen.spec.clone());
            Err(Ok(Action::Create(Object::new(node))))
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

/// Names for a release of a digest, the usual one first, the others for when that is taken.
pub(super) fn names(owner: &str, digest: &str) -> Vec<Text> {
    /// Digits that each name takes of the digest.
    const DIGITS: usize = 10;
    let starts = (0..digest.len().saturating_sub(DIGITS)).step_by(DIGITS);
    starts
        .map(|start| release_name(owner, &digest[start..]).into())
        .collect()
}

/// Bindings of a component in an environment that are not being deleted, by name.
fn live_bindings(subject: &Subject<'_>, of: &Owner, environment: &str) -> Vec<Arc<Object>> {
    let found = subject.siblings_of("ReleaseBinding", of).filter(|own| {
        !own.is_deleting() && own.node.str_at(&["spec", "environment"]) == Some(environment)
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
pub fn comes_from_git(object: &Object) -> bool {
    let marked = |key: &&str| object.label(key).is_some() || object.annotation(key).is_some();
    let applied = |manager: &str| GITOPS_MANAGERS.contains(&manager);
    GITOPS_KEYS.iter().any(marked) || object.managers().any(applied)
}

/// Deletes what belongs to a component that goes, and lets it go when all of it is gone.
fn finalize(subject: &Subject<'_>) -> Decision {
    if !subject.has_finalizer(keys::COMPONENT_FINALIZER) {
        return Decision::default();
    }
    let project = Owner::of(&subject.object).project;
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
        left.extend(subject.siblings_of(kind, &own));
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
