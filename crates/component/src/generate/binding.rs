//! Bindings: which release of a component runs in an environment.

use diag::{Code, Diagnostic, Span};
use object::{Node, Text};
use tree::TreePath;

use super::{
    GenerateError, Made, Output, Selection, check, check_name, check_owner, describe, file,
    inferred, object_of, of_each, release,
};
use crate::catalog::ComponentProblem;
use crate::checkout::{Checkout, Manifest};
use crate::model::{Component, DeploymentPipeline, Dialect, Owner};

/// What bindings are wanted.
#[derive(Clone, Debug, Default)]
pub struct BindingRequest {
    /// Of which components.
    pub selection: Selection,
    /// The environment; else the first of the pipeline.
    pub environment: Option<Text>,
    /// The pipeline; else that of the project.
    pub pipeline: Option<Text>,
    /// The release; else see [`bindings`].
    pub release: Option<Text>,
    /// Values for the environment: keys and what they are. Keys that begin with `spec` are of the
    /// binding, others of the values for the component type.
    pub values: Vec<(Vec<Text>, Node)>,
    /// Annotations of the binding.
    pub annotations: Vec<(Text, Text)>,
    /// The folder for new bindings.
    pub folder: Option<TreePath>,
}

/// Selects releases in files of bindings.
///
/// The first environment of a pipeline gets the newest release, or a later one's equal if the
/// component is as that says; every other environment gets what is bound in the one before it.
/// Everything else in a binding stays as it is.
///
/// # Errors
/// Components that are not there at all; everything else is told in the items.
pub fn bindings(checkout: &Checkout, request: &BindingRequest) -> Result<Output, GenerateError> {
    let mut output = of_each(checkout, &request.selection, |component, output| {
        binding(checkout, request, component, output)
    })?;
    let warnings = check::bindings(checkout, &output);
    output.warnings.extend(warnings);
    Ok(output)
}

fn binding(
    checkout: &Checkout,
    request: &BindingRequest,
    component: &Component,
    output: &mut Output,
) -> Result<Made, GenerateError> {
    let owner = component.as_owner();
    check_owner(&owner)?;
    let namespace = &component.head.namespace;
    let pipeline = pipeline(checkout, request, namespace, &owner)?;
    let environment = match &request.environment {
        Some(environment) => environment.clone(),
        None => pipeline
            .first_environment()
            .cloned()
            .ok_or_else(|| GenerateError::NoPipeline {
                component: owner.component.clone(),
                problem: ComponentProblem::NoFirstEnvironment(pipeline.head.name.clone()),
            })?,
    };
    let known = pipeline.environments();
    if !known.contains(&environment) {
        return Err(GenerateError::NotInPipeline {
            environment,
            pipeline: pipeline.head.name.clone(),
            known,
        });
    }
    check_name("environment", &environment)?;
    let there = checkout.bindings(namespace, &owner, &environment);
    if there.len() > 1 {
        return Err(GenerateError::SeveralBindings {
            component: owner.component,
            environment,
            names: there.iter().map(|own| own.object.name().into()).collect(),
        });
    }
    let release = match &request.release {
        Some(name) => named(checkout, namespace, &owner, name)?,
        None => chosen(checkout, component, pipeline, &environment, output)?,
    };
    let mut values = vec![(
        vec![Text::from("spec"), "releaseName".into()],
        Node::from(release.clone()),
    )];
    let place = values_key(checkout, namespace, &release, there.first().copied());
    for (keys, value) in &request.values {
        let absolute = keys.first().is_some_and(|key| key == "spec");
        let mut path: Vec<Text> = match absolute {
            true => Vec::new(),
            false => vec!["spec".into(), place.into()],
        };
        path.extend(keys.iter().cloned());
        values.push((path, value.clone()));
    }
    for (key, value) in &request.annotations {
        let path = vec!["metadata".into(), "annotations".into(), key.clone()];
        values.push((path, value.clone().into()));
    }
    if let Some(own) = there.first() {
        return output.update(checkout, own, &values);
    }
    let made = check::binding(&owner, &environment);
    let name = made.name().to_owned();
    if let Some(other) = checkout.manifest("ReleaseBinding", namespace, &name) {
        return Err(GenerateError::ObjectTaken {
            object: describe(&other.object),
            component: owner.component,
            at: Span::file(other.path.as_str()),
        });
    }
    let spec = made.node.get("spec").cloned().unwrap_or_default();
    let mut object = object_of(checkout, component, "ReleaseBinding", &name, spec);
    for (keys, value) in values {
        let keys: Vec<&str> = keys.iter().map(Text::as_str).collect();
        object.node.set(&keys, value);
    }
    let configured = checkout.config().bindings.of(&owner);
    let folder = match request.folder.as_ref().or(configured) {
        Some(folder) => folder.clone(),
        None => inferred(checkout, component, "ReleaseBinding", "release-bindings")?,
    };
    output.create(checkout, file(&folder, &name)?, object)
}

/// The pipeline that says which environment follows which.
fn pipeline<'a>(
    checkout: &'a Checkout,
    request: &BindingRequest,
    namespace: &str,
    owner: &Owner,
) -> Result<&'a DeploymentPipeline, GenerateError> {
    let catalog = checkout.catalog();
    let missing = |problem| GenerateError::NoPipeline {
        component: owner.component.clone(),
        problem,
    };
    let name = match &request.pipeline {
        Some(name) => name.clone(),
        None => {
            let project = catalog.project(namespace, &owner.project);
            let project = project
                .ok_or_else(|| missing(ComponentProblem::ProjectNotFound(owner.project.clone())))?;
            let reference = project.pipeline.as_ref();
            let reference = reference
                .ok_or_else(|| missing(ComponentProblem::NoPipeline(owner.project.clone())))?;
            reference.name.clone()
        }
    };
    let found = catalog.pipeline(namespace, &name);
    found.ok_or_else(|| missing(ComponentProblem::PipelineNotFound(name)))
}

/// A release that was asked for by its name.
fn named(
    checkout: &Checkout,
    namespace: &str,
    owner: &Owner,
    name: &Text,
) -> Result<Text, GenerateError> {
    let mut own = checkout.owned("ComponentRelease", namespace, owner);
    if own.any(|own| own.object.name() == name.as_str()) {
        return Ok(name.clone());
    }
    let all = checkout.owned("ComponentRelease", namespace, owner);
    Err(GenerateError::ReleaseUnknown {
        component: owner.component.clone(),
        name: name.clone(),
        known: all.map(|own| own.object.name().into()).collect(),
    })
}

/// The release that an environment gets when nobody says.
fn chosen(
    checkout: &Checkout,
    component: &Component,
    pipeline: &DeploymentPipeline,
    environment: &Text,
    output: &mut Output,
) -> Result<Text, GenerateError> {
    let namespace = component.head.namespace.as_str();
    let owner = component.as_owner();
    let leads_here = |path: &&crate::model::PromotionPath| {
        let mut targets = path.targets.iter();
        targets.any(|target| target.environment == *environment)
    };
    let mut sources: Vec<Text> = pipeline
        .paths
        .iter()
        .filter(leads_here)
        .map(|path| path.source.clone())
        .collect();
    sources.sort();
    sources.dedup();
    if sources.is_empty() {
        return current(checkout, component, output);
    }
    let mut bound: Vec<(Text, Text)> = Vec::new();
    for source in &sources {
        for own in checkout.bindings(namespace, &owner, source) {
            match own.spec("releaseName") {
                "" => {}
                name => bound.push((source.clone(), name.into())),
            }
        }
    }
    let Some((_, first)) = bound.first() else {
        return Err(GenerateError::NothingBefore {
            component: owner.component,
            environment: environment.clone(),
            sources,
        });
    };
    if bound.iter().any(|(_, name)| name != first) {
        return Err(GenerateError::Disagreement {
            component: owner.component,
            environment: environment.clone(),
            releases: bound
                .iter()
                .map(|(source, name)| format!("`{name}` in `{source}`"))
                .collect(),
        });
    }
    Ok(first.clone())
}

/// The newest release that is as the component is now, else the newest of all.
fn current(
    checkout: &Checkout,
    component: &Component,
    output: &mut Output,
) -> Result<Text, GenerateError> {
    let namespace = component.head.namespace.as_str();
    let owner = component.as_owner();
    let newest = release::newest(checkout, namespace, &owner);
    let newest = newest.ok_or_else(|| GenerateError::NoRelease {
        component: owner.component.clone(),
    })?;
    let frozen = checkout.catalog().freeze(component);
    let equal = frozen.as_ref().ok().and_then(|frozen| {
        let all = checkout.owned("ComponentRelease", namespace, &owner);
        all.filter(|own| release::digest(own) == frozen.digest)
            .max_by(|a, b| super::names::compare(a.object.name(), b.object.name()))
    });
    if let Some(own) = equal {
        return Ok(own.object.name().into());
    }
    if frozen.is_ok() {
        let message = format!(
            "component `{}` has changed since its newest release `{}`, which is what is bound",
            owner.component,
            newest.object.name()
        );
        let mut warning = Diagnostic::warning(Code("ReleaseOutdated"), message)
            .with_help("Write a release first with `fleetwright component release generate`.");
        warning.span = component.head.span();
        output.warnings.push(warning);
    }
    Ok(newest.object.name().into())
}

/// What the values for a component type are called: as in the binding, else as in the versions the
/// release is written for.
fn values_key(
    checkout: &Checkout,
    namespace: &str,
    release: &str,
    there: Option<&Manifest>,
) -> &'static str {
    const NEW: &str = "componentTypeEnvironmentConfigs";
    const OLD: &str = "componentTypeEnvOverrides";
    let written = |key: &str| {
        let spec = there.and_then(|own| own.object.node.get("spec"));
        spec.and_then(|spec| spec.get(key))
            .is_some_and(|value| !value.is_null())
    };
    let release = checkout.catalog().release(namespace, release);
    match release.map(|own| own.dialect) {
        _ if written(NEW) => NEW,
        _ if written(OLD) => OLD,
        None | Some(Dialect::V1) => NEW,
        Some(_) => OLD,
    }
}
