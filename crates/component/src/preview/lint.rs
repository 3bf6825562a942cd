//! Everything that is wrong or odd about the components of a tree.

use std::collections::{BTreeMap, BTreeSet};

use diag::{Code, Severity};
use object::{FieldPath, Node, Object, Text};

use super::problem::{bound_twice, of_failure, of_warning, place};
use super::{Problem, Written, assume_planes};
use crate::catalog::{BindingError, Catalog, Outcome, Session};
use crate::model::{ComponentRelease, DeploymentPipeline, Head, Item, Owner, ReleaseBinding};
use crate::render::{Part, RenderError, RenderProblem, Rendered, Renderer};

/// Looks at every release, binding and pipeline.
///
/// A release is rendered in each environment of its project's pipeline: with its binding, or, where
/// it has none yet, without values for the environment. What it needs besides and the tree does not
/// have counts as there with nothing set; then nothing is told that it could have to do with.
pub fn lint(mut catalog: Catalog, written: &Written<'_>) -> Vec<Problem> {
    let mut out = pipelines(&catalog);
    let planes = assume_planes(&mut catalog, |_| true);
    out.extend(bindings(&catalog, written));
    let mut guessed: Guessed = planes
        .into_iter()
        .map(|own| (own.head.namespace, own.head.name))
        .collect();
    complete(&mut catalog, &mut guessed);
    out.extend(releases(&catalog, &guessed, written));
    out
}

/// Namespaces and names of environments that are not, or not completely, what they will be.
type Guessed = BTreeSet<(Text, Text)>;

/// Variables that tell of an environment.
const OF_ENVIRONMENT: &[&str] = &["dataplane", "environment", "gateway"];

/// Name of what stands for something that is not in the tree.
const STAND_IN: &str = "stand-in";

/// Adds what releases and their bindings need and the tree does not have.
fn complete(catalog: &mut Catalog, guessed: &mut Guessed) {
    let mut missing: BTreeMap<(&str, Text, Text), Node> = BTreeMap::new();
    for release in catalog.releases() {
        let namespace = &release.head.namespace;
        let Owner { project, component } = &release.owner;
        let bound = catalog.bindings().filter(|binding| {
            binding.head.namespace == *namespace
                && binding.release.as_ref() == Some(&release.head.name)
        });
        let bound = bound.map(|binding| binding.environment.clone());
        for environment in bound.chain(environments(catalog, release)) {
            if catalog.environment(namespace, &environment).is_none() {
                let mut spec = Node::map();
                spec.set(&["dataPlaneRef", "kind"], "ClusterDataPlane");
                spec.set(&["dataPlaneRef", "name"], STAND_IN);
                missing.insert(("Environment", namespace.clone(), environment), spec);
            }
        }
        if catalog.project(namespace, project).is_none() {
            let mut spec = Node::map();
            spec.set(&["deploymentPipelineRef"], STAND_IN);
            missing.insert(("Project", namespace.clone(), project.clone()), spec);
        }
        if catalog.component(namespace, component).is_none() {
            let mut spec = Node::map();
            spec.set(&["owner", "projectName"], project.clone());
            spec.set(&["componentType"], format!("deployment/{STAND_IN}"));
            missing.insert(("Component", namespace.clone(), component.clone()), spec);
        }
    }
    for ((kind, namespace, name), spec) in missing {
        let mut node = Node::map();
        node.set(&["apiVersion"], "openchoreo.dev/v1alpha1");
        node.set(&["kind"], kind);
        node.set(&["metadata", "namespace"], namespace.clone());
        node.set(&["metadata", "name"], name.clone());
        node.set(&["spec"], spec);
        drop(catalog.add(&Object::new(node), &namespace));
        if kind == "Environment" {
            guessed.insert((namespace, name));
        }
    }
    drop(assume_planes(catalog, |_| true));
}

/// Whether an error may come of what an environment or its plane say.
fn depends_on_environment(error: &RenderError) -> bool {
    let rule = match &error.problem {
        RenderProblem::Rule { rule, .. } => Some(rule),
        _ => None,
    };
    let mut texts = error.expression.iter().chain(rule);
    texts.any(|text| OF_ENVIRONMENT.iter().any(|word| text.contains(word)))
}

/// Environments of pipelines that do not exist.
fn pipelines(catalog: &Catalog) -> Vec<Problem> {
    let mut out = Vec::new();
    for item in catalog.items() {
        let Item::DeploymentPipeline(pipeline) = item else {
            continue;
        };
        let head = &pipeline.head;
        let paths = FieldPath::keys(["spec", "promotionPaths"]);
        for (at, path) in pipeline.paths.iter().enumerate() {
            let own = paths.index(at);
            let source = (&path.source, own.key("sourceEnvironmentRef"));
            let targets = path.targets.iter().enumerate().map(|(at, target)| {
                let place = own.key("targetEnvironmentRefs").index(at);
                (&target.environment, place)
            });
            for (name, place) in std::iter::once(source).chain(targets) {
                if catalog.environment(&head.namespace, name).is_some() {
                    continue;
                }
                let message = format!("{head}: Environment `{name}` does not exist");
                let code = Code("ComponentReferenceMissing");
                out.push(Problem::new(Severity::Warning, code, message, head, place));
            }
        }
    }
    out
}

/// References of bindings that lead nowhere, two bindings of one component in one environment, and
/// what is odd about those that render.
fn bindings(catalog: &Catalog, written: &Written<'_>) -> Vec<Problem> {
    let mut out = Vec::new();
    let mut session = Session::new(catalog);
    let mut first: BTreeMap<_, &Head> = BTreeMap::new();
    for binding in catalog.bindings() {
        let head = &binding.head;
        let key = (&head.namespace, &binding.owner, &binding.environment);
        match first.get(&key) {
            None => drop(first.insert(key, head)),
            Some(other) => out.push(bound_twice(binding, other)),
        }
        let release = binding.release.as_ref();
        let release = release.and_then(|name| catalog.release(&head.namespace, name));
        match session.render(binding) {
            Outcome::Failed(error @ BindingError::References(_)) => {
                out.extend(of_failure(catalog, &error, binding, release, written));
            }
            Outcome::Rendered(rendering) => {
                let warnings = rendering.warnings.iter();
                out.extend(warnings.filter_map(|own| of_warning(own, binding, release, written)));
            }
            // Every reason is told of the release.
            Outcome::Failed(_) | Outcome::Pending { .. } | Outcome::Undeployed => {}
        }
    }
    out
}

/// What to render a release with: a binding of its own, or one made up.
struct Trial {
    binding: ReleaseBinding,
    real: bool,
}

/// Releases that do not render somewhere, and routes that answer almost nothing.
fn releases(catalog: &Catalog, guessed: &Guessed, written: &Written<'_>) -> Vec<Problem> {
    let all: Vec<(&ComponentRelease, Vec<Trial>)> = catalog
        .releases()
        .map(|release| (release, trials(catalog, release)))
        .collect();
    let renderer = Renderer::default();
    let mut session = Session::new(catalog);
    let mut out = Vec::new();
    for (release, trials) in &all {
        let mut found = Found::default();
        for error in renderer.problems(release) {
            let path = error.place_in(written.node(&release.head), &Node::Null).1;
            found.add(&error, &release.head, path, None);
        }
        for trial in trials {
            let environment = &trial.binding.environment;
            let place_of = (release.head.namespace.clone(), environment.clone());
            let is_guessed = guessed.contains(&place_of);
            let errors = match session.render(&trial.binding) {
                Outcome::Rendered(rendering) => {
                    found.routes(&rendering.objects, environment);
                    continue;
                }
                Outcome::Failed(BindingError::Render(errors)) => errors.0,
                _ => continue,
            };
            let wants_values = |error: &RenderError| {
                error.part == Part::EnvironmentValues
                    && matches!(error.problem, RenderProblem::Value(_))
            };
            if !trial.real && errors.iter().any(wants_values) {
                // The binding that is yet to be written will have them.
                continue;
            }
            for error in &errors {
                if is_guessed && depends_on_environment(error) {
                    continue;
                }
                let (head, path) = place(error, &trial.binding, Some(release), written);
                found.add(error, head, path, Some(environment));
            }
        }
        out.extend(found.problems(release, written));
    }
    out
}

/// Bindings to render a release with: its own ones, and one without values in each environment of
/// its pipeline that has none.
fn trials(catalog: &Catalog, release: &ComponentRelease) -> Vec<Trial> {
    let namespace = release.head.namespace.as_str();
    let own = catalog.bindings().filter(|binding| {
        binding.head.namespace == namespace && binding.release.as_ref() == Some(&release.head.name)
    });
    let mut trials: Vec<Trial> = own
        .map(|binding| Trial {
            binding: ReleaseBinding {
                active: true,
                ..binding.clone()
            },
            real: true,
        })
        .collect();
    let bound: BTreeSet<Text> = trials
        .iter()
        .map(|own| own.binding.environment.clone())
        .collect();
    let pipeline = environments(catalog, release);
    for environment in pipeline.iter().cloned() {
        if bound.contains(&environment) || catalog.environment(namespace, &environment).is_none() {
            continue;
        }
        let name = format!("{}-{environment}", release.owner.component);
        let binding = ReleaseBinding {
            head: Head {
                kind: "ReleaseBinding".into(),
                namespace: namespace.into(),
                name: name.into(),
                ..Head::default()
            },
            owner: release.owner.clone(),
            environment,
            release: Some(release.head.name.clone()),
            type_values: Node::Null,
            trait_values: BTreeMap::new(),
            workload_overrides: BTreeMap::new(),
            active: true,
        };
        trials.push(Trial {
            binding,
            real: false,
        });
    }
    let place = |own: &Trial| {
        let environment = &own.binding.environment;
        pipeline.iter().position(|name| name == environment)
    };
    trials.sort_by_key(|own| place(own).unwrap_or(usize::MAX));
    trials
}

/// Environments of the pipeline of a release's project, in the order of the pipeline.
fn environments(catalog: &Catalog, release: &ComponentRelease) -> Vec<Text> {
    let pipeline = catalog.pipeline_of(&release.head.namespace, &release.owner.project);
    pipeline.map_or(Vec::new(), DeploymentPipeline::environments)
}

/// What was found about one release, equal things once.
#[derive(Default)]
struct Found {
    /// With the environments.
    errors: Vec<(Problem, Vec<Text>)>,
    /// Routes that answer almost nothing, by the part that makes them, with the environment.
    routes: BTreeMap<Part, (Rendered, Text)>,
}

impl Found {
    fn add(
        &mut self,
        error: &RenderError,
        head: &Head,
        path: FieldPath,
        environment: Option<&Text>,
    ) {
        let text = error.to_string();
        let problem = Problem::new(Severity::Error, error.code(), text, head, path);
        let environment = environment.cloned();
        match self.errors.iter_mut().find(|(own, _)| *own == problem) {
            Some((_, environments)) => environments.extend(environment),
            None => self
                .errors
                .push((problem, environment.into_iter().collect())),
        }
    }

    fn routes(&mut self, objects: &[Rendered], environment: &Text) {
        for own in objects.iter().filter(|own| answers_only_get(&own.object)) {
            let found = || (own.clone(), environment.clone());
            self.routes.entry(own.part.clone()).or_insert_with(found);
        }
    }

    fn problems(self, release: &ComponentRelease, written: &Written<'_>) -> Vec<Problem> {
        let head = &release.head;
        let mut out = Vec::new();
        for (mut problem, environments) in self.errors {
            let places = match environments.is_empty() {
                true => String::new(),
                false => format!(" in {}", environments.join(", ")),
            };
            problem.message = format!("{head} cannot be rendered{places}: {}", problem.message);
            out.push(problem);
        }
        for (route, environment) in self.routes.into_values() {
            let name = route.object.str_at(&["metadata", "name"]);
            let message = format!(
                "{head}: HTTPRoute `{}` in {environment} answers only GET, and below its own generated name",
                name.unwrap_or_default()
            );
            let path = route.place_in(written.node(head));
            let code = Code("ComponentRouteNarrow");
            out.push(
                Problem::new(Severity::Warning, code, message, head, path).with_help(
                    "Leave `method` out, and make the path of what callers know, as the component's name.",
                ),
            );
        }
        out
    }
}

/// Digits of the hash at the end of generated names.
const HASH_DIGITS: usize = 8;

/// Whether every match of a route asks for GET below the route's own name, which ends in a hash.
fn answers_only_get(object: &Node) -> bool {
    fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
        node.get(key).and_then(Node::as_list).unwrap_or_default()
    }
    if object.str_at(&["kind"]) != Some("HTTPRoute") {
        return false;
    }
    let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
    let hashed = name.rsplit_once('-').is_some_and(|(_, hash)| {
        hash.len() == HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    let Some(spec) = object.get("spec").filter(|_| hashed) else {
        return false;
    };
    let narrow = |own: &Node| {
        let path = own.str_at(&["path", "value"]).unwrap_or_default();
        own.str_at(&["method"]) == Some("GET")
            && path.trim_start_matches('/').split('/').next() == Some(name)
    };
    let mut matches = items(spec, "rules")
        .iter()
        .flat_map(|rule| items(rule, "matches"))
        .peekable();
    matches.peek().is_some() && matches.all(narrow)
}
