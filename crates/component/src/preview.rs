//! What bindings of a tree come to, with the place of everything that is wrong, for whoever looks
//! before anything is applied.
//!
//! [`preview`] renders one environment; [`lint`] looks at everything a tree holds. Both tell
//! [`Problem`]s that know their object and the field in it, so that a line of a file can be shown.
//!
//! Deliberately absent: what is in a cluster. A controller keeps the objects of a binding that
//! fails; here such a binding has none, and [`Bound::state`] says so.

mod lint;
mod problem;

use std::collections::BTreeMap;

use object::{Node, Object};

pub use lint::lint;
pub use problem::{Place, Problem, changed_releases, notices};

use crate::catalog::{Catalog, Outcome, Session};
use crate::model::{Environment, Head, Item, Owner, ReleaseBinding};
use crate::render::Rendered;
use problem::{bound_twice, of_failure, of_pending, of_warning};

/// Which bindings to look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// The environment.
    pub environment: &'a str,
    /// Only of this project.
    pub project: Option<&'a str>,
    /// Only of this component; then bindings of projects are left out.
    pub component: Option<&'a str>,
    /// Only bindings that stand in this folder; empty for any.
    pub folder: &'a str,
}

impl Selection<'_> {
    fn takes(&self, environment: &str, head: &Head, project: &str, component: &str) -> bool {
        let within = |path: &str| {
            let rest = path.strip_prefix(self.folder);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        environment == self.environment
            && self.project.is_none_or(|own| own == project)
            && self.component.is_none_or(|own| own == component)
            && (self.folder.is_empty() || head.origin.as_ref().is_some_and(|own| within(&own.path)))
    }
}

/// What a binding comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its objects.
    Rendered,
    /// Nothing, as it says.
    Undeployed,
    /// Nothing, until what it needs of others is there.
    Pending,
    /// Nothing, because of what the problems say.
    Failed,
}

/// A binding and its objects.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The binding, of a component or a project.
    pub head: Head,
    /// What became of it.
    pub state: State,
    /// The objects, in the order they are rendered in.
    pub objects: Vec<Rendered>,
}

/// What the bindings of an environment come to.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// By namespace and name, those of projects first.
    pub bindings: Vec<Bound>,
    /// What is wrong with them, in the same order; problems of bindings that fail are errors.
    pub problems: Vec<Problem>,
}

/// Objects as they are written, by kind, namespace and name; of several the first counts, as in a
/// [`Catalog`].
#[derive(Clone, Debug, Default)]
pub struct Written<'a>(BTreeMap<(&'a str, &'a str, &'a str), &'a Object>);

static NOTHING: Node = Node::Null;

impl<'a> Written<'a> {
    /// Of objects that have the namespace they are applied to.
    pub fn new(objects: &'a [Object]) -> Self {
        let mut out = Self::default();
        for object in objects {
            let key = (object.kind(), object.namespace(), object.name());
            out.0.entry(key).or_insert(object);
        }
        out
    }

    /// The objects by kind, namespace and name.
    fn objects(&self) -> impl Iterator<Item = &'a Object> {
        self.0.values().copied()
    }

    /// The object a head belongs to; null when it is not there.
    fn node(&self, head: &Head) -> &Node {
        let key = (
            head.kind.as_str(),
            head.namespace.as_str(),
            head.name.as_str(),
        );
        self.0.get(&key).map_or(&NOTHING, |object| &object.node)
    }
}

/// Renders the bindings of an environment. Of several that bind one component there, the first by
/// name counts.
pub fn preview(catalog: &Catalog, written: &Written<'_>, selection: Selection<'_>) -> Preview {
    let mut session = Session::new(catalog);
    let mut out = Preview::default();
    for binding in catalog.project_bindings() {
        let (environment, project) = (&binding.environment, &binding.project);
        if !selection.takes(environment, &binding.head, project, "") {
            continue;
        }
        let namespace = &binding.head.namespace;
        let rendered = session.render_project(namespace, project, environment);
        let (state, objects) = match rendered {
            Ok(objects) => (State::Rendered, objects),
            Err(error) => {
                out.problems
                    .extend(problem::of_project_failure(catalog, &error, &binding.head));
                (State::Failed, Vec::new())
            }
        };
        out.bindings.push(Bound {
            head: binding.head.clone(),
            state,
            objects,
        });
    }
    let mut first: BTreeMap<(&str, &Owner), &Head> = BTreeMap::new();
    for binding in catalog.bindings() {
        let (environment, owner) = (&binding.environment, &binding.owner);
        let head = &binding.head;
        if !selection.takes(environment, head, &owner.project, &owner.component) {
            continue;
        }
        let key = (head.namespace.as_str(), owner);
        if let Some(other) = first.get(&key).filter(|_| binding.active) {
            out.problems.push(bound_twice(binding, other));
            out.bindings.push(Bound {
                head: head.clone(),
                state: State::Failed,
                objects: Vec::new(),
            });
            continue;
        }
        if binding.active {
            first.insert(key, head);
        }
        let bound = render(&mut session, catalog, binding, written, &mut out.problems);
        out.bindings.push(bound);
    }
    out
}

fn render<'a>(
    session: &mut Session<'a>,
    catalog: &'a Catalog,
    binding: &'a ReleaseBinding,
    written: &Written<'_>,
    problems: &mut Vec<Problem>,
) -> Bound {
    let release = binding
        .release
        .as_ref()
        .and_then(|name| catalog.release(&binding.head.namespace, name));
    let (state, objects) = match session.render(binding) {
        Outcome::Rendered(rendering) => {
            for warning in &rendering.warnings {
                problems.extend(of_warning(warning, binding, release, written));
            }
            (State::Rendered, rendering.objects)
        }
        Outcome::Undeployed => (State::Undeployed, Vec::new()),
        Outcome::Pending { missing, .. } => {
            problems.push(of_pending(&missing, binding));
            (State::Pending, Vec::new())
        }
        Outcome::Failed(error) => {
            problems.extend(of_failure(catalog, &error, binding, release, written));
            (State::Failed, Vec::new())
        }
    };
    Bound {
        head: binding.head.clone(),
        state,
        objects,
    }
}

/// Adds a data plane with nothing set for every environment that `wanted` takes whose own is not in
/// the catalog: planes are often made by hand, beside any repository. Returns the environments.
pub fn assume_planes(
    catalog: &mut Catalog,
    wanted: impl Fn(&Environment) -> bool,
) -> Vec<Environment> {
    let missing: Vec<Environment> = catalog
        .items()
        .filter_map(|item| match item {
            Item::Environment(own) if wanted(own) => Some(own),
            _ => None,
        })
        .filter(|own| {
            let reference = own.data_plane.as_ref();
            reference.is_some_and(|plane| catalog.data_plane(&own.head.namespace, plane).is_none())
        })
        .cloned()
        .collect();
    for environment in &missing {
        let Some(plane) = &environment.data_plane else {
            continue;
        };
        let mut node = Node::map();
        node.set(&["apiVersion"], "openchoreo.dev/v1alpha1");
        node.set(&["kind"], plane.kind.clone());
        node.set(&["metadata", "name"], plane.name.clone());
        node.set(&["spec"], Node::map());
        // Two environments may share it; then it is there already.
        drop(catalog.add(&Object::new(node), &environment.head.namespace));
    }
    missing
}
