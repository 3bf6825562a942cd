//! `tree` of OpenChoreo's objects: from a component, project, environment or binding down to pods.

use component::model::Owner;
use golang::Timestamp;
use object::{Node, Object};
use runtime::{BindingSummary, Clock, Readiness, SystemClock};

use super::get::{bound_in, components, short};
use super::planes::{OnPlane, Planes, made_by};
use super::world::as_owner;
use super::{Wanted, World, find};
use crate::cli::UnitArgs;
use crate::commands::Outcome;
use crate::commands::tree::print_tree;
use crate::connect::{connect, kubeconfig};
use crate::exit::{Exit, Failure};

/// Prints an object and what belongs to it.
pub async fn run(args: &UnitArgs, wanted: Wanted, name: &str) -> Outcome {
    let cluster = connect(&args.server).await?;
    let namespace = args.server.namespace.as_deref();
    let world = World::read(&cluster, namespace).await?;
    let object = find(&world, wanted, namespace, name)?;
    let mut tree = Tree {
        planes: Planes::new(cluster, &kubeconfig(&args.server)?),
        world: &world,
        now: SystemClock.now(),
    };
    let root = match object.kind() {
        "Component" => tree.component(object).await,
        "ComponentRelease" => tree.release(object).await,
        "ReleaseBinding" => tree.binding(object).await,
        "Release" | "RenderedRelease" => tree.rendered(object).await,
        "Project" => {
            let mut children = Vec::new();
            for component in components(&world, object) {
                children.push(tree.component(component).await);
            }
            branch(object, children)
        }
        "Environment" => {
            let mut children = Vec::new();
            for binding in world.of("ReleaseBinding") {
                let own = BindingSummary::of(binding);
                if own.environment == name && own.key.namespace == object.namespace() {
                    children.push(tree.binding(binding).await);
                }
            }
            branch(object, children)
        }
        _ => {
            let message = format!(
                "a {} has no tree; component, project, environment, release and binding have one",
                wanted.word
            );
            return Err(Failure::plain(Exit::Usage, message));
        }
    };
    Ok(print_tree(args.output, root))
}

struct Tree<'a> {
    world: &'a World,
    planes: Planes,
    now: Timestamp,
}

/// An object and what belongs to it.
fn branch(object: &Object, children: Vec<Node>) -> Node {
    let mut node = leaf(&format!("{}", object.key()), Readiness::of(object).word());
    if !children.is_empty() {
        node.set(&["objects"], Node::from(children));
    }
    node
}

fn leaf(name: &str, status: &str) -> Node {
    let mut node = Node::map();
    node.set(&["name"], name);
    node.set(&["status"], status);
    node
}

impl Tree<'_> {
    /// A component: its releases with what binds them, those that nothing binds without more.
    async fn component(&mut self, component: &Object) -> Node {
        let owner = as_owner(component);
        let namespace = component.namespace();
        let world = self.world;
        let mut children = Vec::new();
        for release in world.owned("ComponentRelease", namespace, &owner) {
            children.push(self.release(release).await);
        }
        for binding in world.owned("ReleaseBinding", namespace, &owner) {
            let name = BindingSummary::of(binding).release;
            let release = world.get("ComponentRelease", namespace, &name);
            // A release of another component is not below this one either.
            if release.is_none_or(|release| Owner::of(release) != owner) {
                children.push(self.binding(binding).await);
            }
        }
        branch(component, children)
    }

    async fn release(&mut self, release: &Object) -> Node {
        let owner = Owner::of(release);
        let mut children = Vec::new();
        for binding in self
            .world
            .owned("ReleaseBinding", release.namespace(), &owner)
        {
            if BindingSummary::of(binding).release == release.name() {
                children.push(self.binding(binding).await);
            }
        }
        let mut node = branch(release, children);
        let readiness = Readiness::of(release);
        if readiness.is_ready() {
            node.set(&["status"], "Renders");
        }
        if bound_in(self.world, release).is_empty() {
            node.set(&["detail"], "bound nowhere");
        }
        node
    }

    async fn binding(&mut self, binding: &Object) -> Node {
        let own = BindingSummary::of(binding);
        let rendered: Vec<&Object> = self.world.rendered(binding).collect();
        let mut children = Vec::new();
        for rendered in rendered {
            children.push(self.rendered(rendered).await);
        }
        let mut node = branch(binding, children);
        node.set(&["environment"], own.environment.as_str());
        node.set(&["release"], own.release.as_str());
        let detail = match own.is_behind() {
            true => format!("in {}, where {} runs", own.environment, own.running),
            false => format!("in {}", own.environment),
        };
        node.set(&["detail"], detail);
        if !own.ready.is_ready() && !own.ready.message.is_empty() {
            node.set(&["problem"], short(&own.ready.message));
        }
        node
    }

    /// A rendered release and its objects: as they are on the data plane, else as its status says.
    async fn rendered(&mut self, rendered: &Object) -> Node {
        let OnPlane { objects, made } = self.planes.look(self.world, rendered).await;
        let plane = rendered.annotation(control::release::DATA_PLANE);
        let place = plane.map(|plane| format!("on {plane}"));
        let mut children = Vec::new();
        let mut problem = None;
        match objects {
            Ok(objects) => {
                for (entry, live) in objects {
                    children.push(match live {
                        Some(live) => self.live(&live, &made),
                        None => leaf(&format!("{}", entry.key), "NotFound"),
                    });
                }
            }
            Err(reason) => {
                problem = Some(format!("{reason}; below is what the status says"));
                children = recorded(rendered);
            }
        }
        let mut node = branch(rendered, children);
        if Readiness::of(rendered).is_ready() {
            node.set(&["status"], "Applied");
        }
        node.set(&["live"], problem.is_none());
        if let Some(place) = place {
            node.set(&["detail"], place);
        }
        if let Some(problem) = problem {
            node.set(&["problem"], problem);
        }
        node
    }

    /// An object of a data plane, and what it made.
    fn live(&self, object: &Object, made: &[Object]) -> Node {
        let status = health::assess(object, self.now).status.to_string();
        let mut node = leaf(&format!("{}", object.key()), &status);
        let children: Vec<Node> = made_by(object, made)
            .map(|own| self.live(own, made))
            .collect();
        if object.kind() == "Pod" && status != health::Status::Current.to_string() {
            let cause = health::explain(object, &[], self.now);
            if let Some(cause) = cause {
                node.set(&["problem"], cause);
            }
        }
        if !children.is_empty() {
            node.set(&["objects"], Node::from(children));
        }
        node
    }
}

/// The objects of a release as its status says.
fn recorded(rendered: &Object) -> Vec<Node> {
    let listed = rendered.node.at(&["status", "resources"]);
    let listed = listed.and_then(Node::as_list).unwrap_or_default().iter();
    let text = |own: &Node, key: &str| own.str_at(&[key]).unwrap_or_default().to_owned();
    listed
        .map(|own| {
            let place = match text(own, "namespace").as_str() {
                "" => String::new(),
                namespace => format!("{namespace}/"),
            };
            let name = format!("{}/{place}{}", text(own, "kind"), text(own, "name"));
            leaf(&name, &text(own, "healthStatus"))
        })
        .collect()
}
