//! All kinds together, as a reducer of an embedded API server.

use std::collections::{BTreeMap, BTreeSet};

use apimachine::{Deletion, Event, Reducer, State, Timestamp, Writer};
use object::{Node, Object, Text};

use crate::view::{View, Write, Writes, is_controlled_by};
use crate::{
    claim, daemon_set, deployment, ingress, job, node, pod, replica_set, service, stateful_set,
    template,
};

/// Kinds that have a function here, by storage key, in the order in which they are looked at:
/// children before those whose status counts them, so that every status is written once.
const KINDS: &[&str] = &[
    "persistentvolumeclaims",
    "pods",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "deployments.apps",
    "services",
    "ingresses.networking.k8s.io",
];

/// Kinds that own pods or what owns pods.
const OWNERS: &[&str] = &[
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
];

/// How often one object is looked at in one reaction before the rest is left to the next.
///
/// A rollout in which every pod is ready at once takes two looks at its Deployment for each step,
/// and has hardly more steps than replicas; a server that answers is better than one whose
/// controllers argue with themselves.
const LOOKS_MAX: usize = 1_000;

/// Which object: place in [`KINDS`], namespace, name.
type Place = (usize, Text, Text);

/// The controllers and kubelets of a cluster.
///
/// It remembers only when to look at what again, and why children were refused; both come back
/// by looking at everything.
#[derive(Default)]
pub struct Simulation {
    wakes: BTreeMap<Place, Timestamp>,
    /// Why the last child of an owner could not be created, by the owner's uid.
    refusals: BTreeMap<String, String>,
    looked: bool,
    /// The last change of its own; what followed from it and from those before is done.
    seen: u64,
}

/// The state of a cluster, as reducers see it.
struct StateView<'a> {
    state: &'a State,
    refusals: &'a BTreeMap<String, String>,
}

impl View for StateView<'_> {
    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Object> {
        let stored = self.state.get(resource, namespace, name)?;
        Some(Object::new(stored.node.clone()))
    }

    fn list(&self, resource: &str, namespace: &str) -> Vec<Object> {
        let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
        let listed = self.state.list(resource, namespace);
        listed
            .map(|(_, stored)| Object::new(stored.node.clone()))
            .collect()
    }

    fn owned(&self, resource: &str, owner: &Object) -> Vec<Object> {
        let owned = self.state.owned_by(owner.uid());
        let owned = owned.filter(|(kind, _)| kind == resource);
        let objects = owned.filter_map(|(_, key)| self.get(resource, &key.namespace, &key.name));
        objects
            .filter(|object| is_controlled_by(object, owner))
            .collect()
    }

    fn refusal(&self, owner: &Object) -> Option<String> {
        self.refusals.get(owner.uid()).cloned()
    }
}

impl Reducer for Simulation {
    fn manager(&self) -> &str {
        "kube-controller-manager"
    }

    fn react(&mut self, writer: &mut Writer<'_>, events: &[Event]) -> Option<Timestamp> {
        let now = writer.env().now;
        let news = events.iter().filter(|event| event.version > self.seen);
        let mut agenda = touched(writer.state(), news);
        if !std::mem::replace(&mut self.looked, true) {
            let view = self.view(writer);
            let nodes = node::bootstrap(&view, now);
            self.carry_out(writer, nodes.writes);
            agenda.extend(everything(writer.state()));
        }
        let due = self.wakes.iter().filter(|(_, at)| **at <= now);
        agenda.extend(due.map(|(place, _)| place.clone()));
        let mut looks: BTreeMap<Place, usize> = BTreeMap::new();
        while let Some(place) = agenda.pop_first() {
            let count = looks.entry(place.clone()).or_default();
            *count += 1;
            if *count > LOOKS_MAX {
                self.wakes.insert(place, now);
                continue;
            }
            let before = writer.state().version();
            let again = self.look_at(writer, &place, now);
            let written = writer.events().iter().rev();
            let written = written.take_while(|event| event.version > before);
            agenda.extend(touched(writer.state(), written));
            // Its own status tells an object nothing.
            match again {
                true => agenda.insert(place),
                false => agenda.remove(&place),
            };
        }
        self.seen = writer.state().version();
        self.wakes.values().min().copied()
    }
}

impl Simulation {
    fn view<'a>(&'a self, writer: &'a Writer<'_>) -> StateView<'a> {
        StateView {
            state: writer.state(),
            refusals: &self.refusals,
        }
    }

    /// Does what one object needs. True: its children have changed, and what its status says about
    /// them is for a later look.
    fn look_at(&mut self, writer: &mut Writer<'_>, place: &Place, now: Timestamp) -> bool {
        self.wakes.remove(place);
        let (kind, namespace, name) = place;
        let resource = KINDS[*kind];
        let view = self.view(writer);
        let Some(object) = view.get(resource, namespace, name) else {
            return false;
        };
        let wanted = reconcile(&view, resource, &object, now);
        self.refusals.remove(object.uid());
        let (children, mut own) = split(wanted.writes);
        let mut wake = wanted.wake;
        if !children.is_empty() {
            let before = writer.state().version();
            self.carry_out(writer, children);
            if writer.state().version() > before {
                return true;
            }
            // All were refused, which the status tells.
            let again = reconcile(&self.view(writer), resource, &object, now);
            own = split(again.writes).1;
            wake = again.wake;
        }
        if let Some(wake) = wake {
            self.wakes.insert(place.clone(), wake);
        }
        self.carry_out(writer, own);
        false
    }

    fn carry_out(&mut self, writer: &mut Writer<'_>, writes: Vec<Write>) {
        for write in writes {
            let outcome = match write {
                Write::Create {
                    resource,
                    object,
                    owner,
                } => {
                    let created = writer.create(resource, object).map(|_| ());
                    if let (Err(refusal), false) = (&created, owner.is_empty()) {
                        self.refusals.insert(owner, refusal.message.to_string());
                    }
                    created
                }
                Write::Update { resource, object } => writer.update(resource, object).map(|_| ()),
                Write::Status { resource, object } => {
                    writer.update_status(resource, object).map(|_| ())
                }
                Write::Delete {
                    resource,
                    namespace,
                    name,
                } => {
                    let at_once = Deletion {
                        grace_period_seconds: Some(0),
                        propagation_policy: Some("Background".into()),
                        ..Deletion::default()
                    };
                    writer.delete(resource, &namespace, &name, &at_once)
                }
            };
            // A refusal means that the object changed or went away, or that a rule forbids it:
            // the change comes as an event, the rule shows in the owner's status.
            drop(outcome);
        }
    }
}

fn reconcile(view: &dyn View, resource: &str, object: &Object, now: Timestamp) -> Writes {
    match resource {
        "deployments.apps" => deployment::reconcile(view, object, now),
        "replicasets.apps" => replica_set::reconcile(view, object, now),
        "statefulsets.apps" => stateful_set::reconcile(view, object, now),
        "daemonsets.apps" => daemon_set::reconcile(view, object, now),
        "jobs.batch" => job::reconcile(view, object, now),
        "pods" => pod::reconcile(view, object, now),
        "services" => service::reconcile(view, object, now),
        "persistentvolumeclaims" => claim::reconcile(view, object),
        "ingresses.networking.k8s.io" => ingress::reconcile(view, object),
        _ => Writes::default(),
    }
}

/// Writes to children, and the others.
fn split(writes: Vec<Write>) -> (Vec<Write>, Vec<Write>) {
    writes.into_iter().partition(|write| match write {
        Write::Create { owner, .. } => !owner.is_empty(),
        Write::Update { .. } | Write::Delete { .. } => true,
        Write::Status { .. } => false,
    })
}

/// Everything that may have to do something after these changes.
fn touched<'e>(state: &State, events: impl Iterator<Item = &'e Event>) -> BTreeSet<Place> {
    let mut places = BTreeSet::new();
    for event in events {
        let namespace = &event.key.namespace;
        if let Some(kind) = kind(&event.resource) {
            places.insert((kind, namespace.clone(), event.key.name.clone()));
        }
        places.extend(owners(&event.object, namespace));
        if event.resource == "pods" {
            let pods = [Some(&event.object), event.old.as_ref()];
            for pod in pods.into_iter().flatten() {
                places.extend(services_of(state, pod, namespace));
            }
        }
        if event.resource == "nodes" {
            places.extend(all(state, "daemonsets.apps", None));
        }
    }
    places
}

fn kind(resource: &str) -> Option<usize> {
    KINDS.iter().position(|kind| *kind == resource)
}

/// The controllers that own an object.
fn owners(object: &Node, namespace: &Text) -> Vec<Place> {
    let references = object.at(&["metadata", "ownerReferences"]);
    let references = references.and_then(Node::as_list).unwrap_or(&[]);
    let place = |reference: &Node| {
        let named = reference.str_at(&["kind"])?.to_lowercase();
        let resource = OWNERS.iter().find(|owner| {
            owner
                .split('.')
                .next()
                .and_then(|plural| plural.strip_suffix('s'))
                == Some(&named)
        })?;
        let name = reference.str_at(&["name"])?;
        Some((kind(resource)?, namespace.clone(), name.into()))
    };
    references.iter().filter_map(place).collect()
}

fn everything(state: &State) -> Vec<Place> {
    KINDS
        .iter()
        .flat_map(|kind| all(state, kind, None))
        .collect()
}

/// Services that lead to a pod.
fn services_of(state: &State, pod: &Node, namespace: &Text) -> Vec<Place> {
    let labels = pod.at(&["metadata", "labels"]).and_then(Node::as_map);
    let leads = |service: &Node| {
        let selector = service.at(&["spec", "selector"]).and_then(Node::as_map);
        selector.is_some_and(|own| template::has_all(Some(own), labels))
    };
    let found = state.list("services", Some(namespace));
    found
        .filter(|(_, service)| leads(service))
        .filter_map(|(key, _)| Some((kind("services")?, namespace.clone(), key.name.clone())))
        .collect()
}

fn all(state: &State, resource: &str, namespace: Option<&str>) -> Vec<Place> {
    let kind = kind(resource);
    let listed = state.list(resource, namespace);
    listed
        .filter_map(|(key, _)| Some((kind?, key.namespace.clone(), key.name.clone())))
        .collect()
}
