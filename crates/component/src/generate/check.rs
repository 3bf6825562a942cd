//! Whether what is written renders at all.
//!
//! A release never changes, so one that cannot be rendered stays broken. It is better told before
//! anybody commits it.

use std::collections::BTreeMap;

use diag::{Code, Diagnostic, Explain};
use object::{Node, Object, Text};

use super::{Item, Made, Output, Step, new_object};
use crate::catalog::{BindingError, Catalog, Outcome, Session};
use crate::checkout::Checkout;
use crate::model::{Owner, ReleaseBinding};

/// The code of all warnings of this kind.
const NOT_RENDERABLE: Code = Code("ReleaseNotRenderable");

/// One rendering to try.
struct Trial {
    namespace: Text,
    owner: Owner,
    environment: Text,
}

/// Warns of releases that render in no environment of their pipeline.
///
/// Bindings that are there lend their overrides. What the checkout does not hold (environments,
/// planes) proves nothing, so it is no reason to warn.
pub(super) fn releases(checkout: &Checkout, output: &Output) -> Vec<Diagnostic> {
    let mut catalog = checkout.catalog().clone();
    let mut trials: Vec<Vec<Trial>> = Vec::new();
    for (item, made) in output.made() {
        trials.push(Vec::new());
        let Some(pipeline) = checkout
            .catalog()
            .pipeline_of(&item.namespace, &item.owner.project)
        else {
            continue;
        };
        if made.step == Step::Create {
            catalog.add(&made.object, &item.namespace);
        }
        for environment in pipeline.environments() {
            bind(checkout, &mut catalog, item, made, &environment);
            if let Some(own) = trials.last_mut() {
                own.push(Trial {
                    namespace: item.namespace.clone(),
                    owner: item.owner.clone(),
                    environment,
                });
            }
        }
    }
    let mut rehearsal = Rehearsal::new(&catalog);
    let mut warnings = Vec::new();
    for ((_, made), own) in output.made().zip(&trials) {
        let results: Vec<(&Text, Result<(), BindingError>)> = own
            .iter()
            .filter_map(|trial| Some((&trial.environment, rehearsal.render(trial)?)))
            .collect();
        if results.iter().any(|(_, result)| result.is_ok()) {
            continue;
        }
        let failed = results
            .iter()
            .filter_map(|(environment, result)| Some((environment, result.as_ref().err()?)));
        let failed: Vec<String> = failed
            .map(|(environment, error)| format!("{environment}: {}", first_line(error)))
            .collect();
        if !failed.is_empty() {
            let name = made.object.name();
            let message = format!("release `{name}` renders in no environment of its pipeline");
            let mut warning = Diagnostic::warning(NOT_RENDERABLE, message)
                .at(diag::Span::file(made.path.as_str()));
            warning.notes = failed;
            warnings.push(warning);
        }
    }
    warnings
}

/// Warns of bindings that do not render.
pub(super) fn bindings(checkout: &Checkout, output: &Output) -> Vec<Diagnostic> {
    let mut catalog = checkout.catalog().clone();
    for (item, made) in output.made().filter(|(_, made)| made.step != Step::Keep) {
        catalog.remove("ReleaseBinding", &item.namespace, made.object.name());
        catalog.add(&made.object, &item.namespace);
    }
    let mut rehearsal = Rehearsal::new(&catalog);
    let mut warnings = Vec::new();
    for (item, made) in output.made() {
        let text = |key: &str| made.object.node.str_at(&["spec", key]).unwrap_or_default();
        let trial = Trial {
            namespace: item.namespace.clone(),
            owner: item.owner.clone(),
            environment: text("environment").into(),
        };
        if let Some(Err(error)) = rehearsal.render(&trial) {
            let message = format!(
                "release `{}` does not render in environment `{}`",
                text("releaseName"),
                trial.environment
            );
            let mut warning = Diagnostic::warning(NOT_RENDERABLE, message)
                .at(diag::Span::file(made.path.as_str()));
            warning.notes = vec![first_line(&error)];
            warnings.push(warning);
        }
    }
    warnings
}

/// Renders bindings of a catalog by what they are for.
struct Rehearsal<'a> {
    session: Session<'a>,
    /// By namespace, owner and environment; of several the first.
    bindings: BTreeMap<(&'a str, &'a Owner, &'a str), &'a ReleaseBinding>,
}

impl<'a> Rehearsal<'a> {
    fn new(catalog: &'a Catalog) -> Self {
        let mut bindings = BTreeMap::new();
        for own in catalog.bindings() {
            let key = (
                own.head.namespace.as_str(),
                &own.owner,
                own.environment.as_str(),
            );
            bindings.entry(key).or_insert(own);
        }
        Self {
            session: Session::new(catalog),
            bindings,
        }
    }

    /// Whether it renders; `None` when the checkout does not hold what is needed to know.
    fn render(&mut self, trial: &Trial) -> Option<Result<(), BindingError>> {
        let key = (
            trial.namespace.as_str(),
            &trial.owner,
            trial.environment.as_str(),
        );
        let binding = *self.bindings.get(&key)?;
        match self.session.render(binding) {
            Outcome::Rendered(_) => Some(Ok(())),
            Outcome::Failed(error @ BindingError::Render(_)) => Some(Err(error)),
            Outcome::Undeployed | Outcome::Pending { .. } | Outcome::Failed(_) => None,
        }
    }
}

/// Puts a release in the binding to an environment, or a binding there.
fn bind(checkout: &Checkout, catalog: &mut Catalog, item: &Item, made: &Made, environment: &str) {
    let there = checkout.bindings(&item.namespace, &item.owner, environment);
    let mut object = match there.first() {
        Some(own) => own.object.clone(),
        None => binding(&item.owner, environment),
    };
    object
        .node
        .set(&["spec", "releaseName"], made.object.name());
    object.node.set(&["spec", "state"], "Active");
    for own in there {
        catalog.remove("ReleaseBinding", &item.namespace, own.object.name());
    }
    catalog.add(&object, &item.namespace);
}

/// A binding of a component to an environment with the name it has when nobody says otherwise; it
/// selects no release yet.
pub fn binding(owner: &Owner, environment: &str) -> Object {
    let mut object = new_object("ReleaseBinding");
    let name = format!("{}-{environment}", owner.component);
    object.node.set(&["metadata", "name"], name);
    let mut spec = Node::map();
    spec.set(&["environment"], environment);
    spec.set(&["owner", "componentName"], owner.component.clone());
    spec.set(&["owner", "projectName"], owner.project.clone());
    object.node.set(&["spec"], spec);
    object
}

fn first_line(error: &BindingError) -> String {
    let text = error.to_diagnostic().one_line();
    text.lines().next().unwrap_or_default().to_owned()
}
