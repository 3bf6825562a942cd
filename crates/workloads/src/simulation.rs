//! All kinds together, as a reducer of an embedded API server.

use std::collections::{BTreeMap, BTreeSet};

use apimachine::{Deletion, Event, Reducer, State, Timestamp, Writer};
use object::{Node, Object};

use crate::view::{View, Write, Writes, is_controlled_by};
use crate::{
    claim, daemon_set, deployment, ingress, job, node, pod, replica_set, service, stateful_set,
    template,
};

/// Kinds that have a function here, by storage key.
const KINDS: &[&str] = &[
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "pods",
    "services",
    "persistentvolumeclaims",
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

/// Which object: storage key, namespace, name.
type Place = (&'static str, String, String);

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
        let mut places = self.touched(writer, events);
        if !std::mem::replace(&mut self.looked, true) {
            let view = StateView {
                state: writer.state(),
                refusals: &self.refusals,
            };
            let nodes = node::bootstrap(&view, now);
            self.carry_out(writer, nodes.writes);
            places.extend(everything(writer.state()));
        }
        let due = self.wakes.iter().filter(|(_, at)| **at <= now);
        places.extend(due.map(|(place, _)| place.clone()));
        for place in places {
            self.wakes.remove(&place);
            let (resource, namespace, name) = &place;
            let view = StateView {
                state: writer.state(),
                refusals: &self.refusals,
            };
            let Some(object) = view.get(resource, namespace, name) else {
                continue;
            };
            let Writes { writes, wake } = reconcile(&view, resource, &object, now);
            self.refusals.remove(object.uid());
            if let Some(wake) = wake {
                self.wakes.insert(place, wake);
            }
            self.carry_out(writer, writes);
        }
        self.wakes.values().min().copied()
    }
}

impl Simulation {
    /// Everything that may have to do something after these changes.
    fn touched(&self, writer: &Writer<'_>, events: &[Event]) -> BTreeSet<Place> {
        let mut places = BTreeSet::new();
        for event in events {
            let resource = KINDS.iter().find(|kind| **kind == event.resource);
            let namespace = event.key.namespace.to_string();
            if let Some(resource) = resource {
                places.insert((*resource, namespace.clone(), event.key.name.to_string()));
            }
            places.extend(owners(&event.object, &namespace));
            if event.resource == "pods" {
                let pods = [Some(&event.object), event.old.as_ref()];
                for pod in pods.into_iter().flatten() {
                    places.extend(services_of(writer.state(), pod, &namespace));
                }
            }
            if event.resource == "nodes" {
                places.extend(all(writer.state(), "daemonsets.apps", None));
            }
        }
        places
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

/// The controllers that own an object.
fn owners(object: &Node, namespace: &str) -> Vec<Place> {
    let references = object.at(&["metadata", "ownerReferences"]);
    let references = references.and_then(Node::as_list).unwrap_or(&[]);
    let place = |reference: &Node| {
        let kind = reference.str_at(&["kind"])?.to_lowercase();
        let resource = OWNERS.iter().find(|owner| {
            owner
                .split('.')
                .next()
                .and_then(|plural| plural.strip_suffix('s'))
                == Some(&kind)
        })?;
        let name = reference.str_at(&["name"])?.to_owned();
        Some((*resource, namespace.to_owned(), name))
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
fn services_of(state: &State, pod: &Node, namespace: &str) -> Vec<Place> {
    let labels = pod.at(&["metadata", "labels"]).and_then(Node::as_map);
    let leads = |service: &Node| {
        let selector = service.at(&["spec", "selector"]).and_then(Node::as_map);
        selector.is_some_and(|own| template::has_all(Some(own), labels))
    };
    let found = state.list("services", Some(namespace));
    found
        .filter(|(_, service)| leads(service))
        .map(|(key, _)| ("services", key.namespace.to_string(), key.name.to_string()))
        .collect()
}

fn all(state: &State, resource: &'static str, namespace: Option<&str>) -> Vec<Place> {
    let listed = state.list(resource, namespace);
    listed
        .map(|(key, _)| (resource, key.namespace.to_string(), key.name.to_string()))
        .collect()
}
