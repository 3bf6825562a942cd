//! What a ComponentRelease says of itself: its digest, and where it could run.

use std::collections::BTreeMap;

use component::catalog::{BindingError, Outcome, Readings};
use component::model::{ComponentRelease, DeploymentPipeline, Head, Item, ReleaseBinding};
use component::snapshot::release_digest;
use diag::Explain;
use object::{Map, Node, Text};

use super::Decision;
use super::component::tampered;
use super::rendering::render;
use super::report::Report;
use super::subject::{Subject, key};

/// Whether a release renders for every environment of its pipeline.
const RENDERABLE: &str = "Renderable";

/// Whether a release is not what its annotation says; present only while true.
const TAMPERED: &str = "ReleaseTampered";

/// Most environments that a release is tried for.
const ENVIRONMENTS_MAX: usize = 50;

pub(super) fn next(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return Decision::default();
    }
    let mut report = Report::new(subject);
    let release = match subject.readable() {
        Ok((Item::ComponentRelease(release), findings)) => {
            report.warn(findings);
            release
        }
        Ok(_) => return Decision::default(),
        Err(message) => {
            report.set(RENDERABLE, false, "InvalidConfiguration", &message);
            return report.finish();
        }
    };
    let bindings = bindings(subject, release);
    let from = bindings
        .iter()
        .map(|own| subject.view.catalog.readings(own));
    let from: Option<Vec<Readings>> = from.collect();
    // Without environments no reading is told apart.
    let from = from.filter(|from| !from.is_empty());
    let remembered = &subject.view.options.remembered;
    if let Some(from) = &from
        && remembered.is_tried(&subject.object, from)
    {
        return Decision::default();
    }
    let spec = subject.object.node.get("spec").cloned().unwrap_or_default();
    let digest = release_digest(&spec);
    match tampered(&subject.object, &digest) {
        None => report.conditions.remove(TAMPERED),
        Some(said) => {
            let message = format!(
                "the content has digest {digest}, and the annotation says {said}; make a new release of what you want"
            );
            report.set(TAMPERED, true, TAMPERED, &message);
        }
    }
    report.field("digest", digest);
    report.field("dialect", release.dialect.word());
    try_environments(subject, &bindings, &mut report);
    let decision = report.finish();
    if let (Some(from), true) = (from, decision.actions.is_empty()) {
        remembered.remember_tried(&subject.object, from);
    }
    decision
}

/// The bindings of a release for every environment of its pipeline, as they are or would be.
fn bindings(subject: &Subject<'_>, release: &ComponentRelease) -> Vec<ReleaseBinding> {
    let catalog = subject.view.catalog;
    let pipeline = catalog.pipeline_of(&release.head.namespace, &release.owner.project);
    let mut environments = pipeline.map_or(Vec::new(), DeploymentPipeline::environments);
    environments.truncate(ENVIRONMENTS_MAX);
    let known: BTreeMap<&str, &ReleaseBinding> = catalog
        .bindings_of_component(subject.namespace(), &release.owner.component)
        .filter(|own| own.owner == release.owner)
        .map(|own| (own.environment.as_str(), own))
        .collect();
    environments
        .iter()
        .map(|name| binding(release, name, known.get(name.as_str()).copied()))
        .collect()
}

/// Renders a release with these bindings.
fn try_environments(subject: &Subject<'_>, bindings: &[ReleaseBinding], report: &mut Report) {
    let catalog = subject.view.catalog;
    let renderer = &subject.view.options.renderer;
    let remembered = &subject.view.options.remembered;
    let (mut failed, mut unknown) = (Vec::new(), Vec::new());
    let mut results = Vec::new();
    for binding in bindings {
        let name = &binding.environment;
        let own = key(
            "ReleaseBinding",
            &binding.head.namespace,
            &binding.head.name,
        );
        let from = catalog.readings(binding);
        let outcome = match from.is_some_and(|from| remembered.renders(&own, from)) {
            true => None,
            false => Some(render(catalog, renderer, binding).outcome),
        };
        let (renderable, why) = match outcome {
            None | Some(Outcome::Rendered(_) | Outcome::Undeployed) => (true, None),
            Some(Outcome::Pending { missing, .. }) => {
                let message = format!("waits for {}", missing.join(", "));
                (true, Some(("ConnectionsPending", message)))
            }
            Some(Outcome::Failed(BindingError::References(error))) => {
                unknown.push(name.as_str());
                (false, Some((error.reason().0, error.to_string())))
            }
            Some(Outcome::Failed(BindingError::Render(error))) => {
                failed.push(name.as_str());
                (false, Some(("RenderingFailed", error.to_string())))
            }
        };
        let mut entry = Map::from_iter([
            ("environment", Node::from(name.clone())),
            ("renderable", renderable.into()),
        ]);
        if let Some((reason, message)) = why {
            entry.insert("reason", reason);
            entry.insert("message", message);
        }
        results.push(Node::from(entry));
    }
    report.field("renderable", results);
    if !failed.is_empty() {
        let message = format!(
            "does not render for {}; see `status.renderable`",
            failed.join(", ")
        );
        return report.set(RENDERABLE, false, "RenderingFailed", &message);
    }
    if bindings.is_empty() || !unknown.is_empty() {
        let message = match unknown.is_empty() {
            true => "its project has no pipeline with environments".to_owned(),
            false => format!("what {} needs is not there", unknown.join(", ")),
        };
        return report.unknown(RENDERABLE, "EnvironmentsIncomplete", &message);
    }
    let message = "renders for every environment of its pipeline";
    report.set(RENDERABLE, true, RENDERABLE, message);
}

/// A binding of a release, with the values that the environment has now.
fn binding(
    release: &ComponentRelease,
    environment: &Text,
    known: Option<&ReleaseBinding>,
) -> ReleaseBinding {
    let own = Head {
        kind: "ReleaseBinding".into(),
        namespace: release.head.namespace.clone(),
        name: format!("{}-{environment}", release.owner.component).into(),
        ..Head::default()
    };
    let known = known.cloned();
    let known = known.unwrap_or_else(|| ReleaseBinding {
        head: own,
        owner: release.owner.clone(),
        environment: environment.clone(),
        release: None,
        type_values: Node::Null,
        trait_values: BTreeMap::new(),
        workload_overrides: BTreeMap::new(),
        active: true,
    });
    ReleaseBinding {
        release: Some(release.head.name.clone()),
        active: true,
        ..known
    }
}
