//! Releases and RenderedReleases: what a binding hands to a data plane, and what comes back.

use std::sync::Arc;

use component::metadata::keys as labels;
use component::model::{GROUP, Owner, Plane};
use component::render::Rendered;
use object::{Map, Node, Object, ObjectKey, Text};

use super::subject::{Subject, key};
use super::{Link, keys};

pub(super) use crate::release::KINDS;

/// What makes a release.
pub(super) struct Wanted<'a> {
    pub kind: &'static str,
    pub name: String,
    pub owner: &'a Owner,
    pub environment: &'a str,
    /// Kind and name of the plane it goes to, as `DataPlane/local`.
    pub plane_reference: String,
    pub plane: Plane,
    pub is_v1: bool,
    pub resources: Vec<Node>,
}

impl Wanted<'_> {
    /// The object, for the one that is looked at.
    pub fn object(self, subject: &Subject<'_>) -> Object {
        let tenant = match self.is_v1 {
            true => labels::NAMESPACE,
            false => labels::ORGANIZATION,
        };
        let mut own = Map::from_iter([
            (tenant, subject.namespace()),
            (labels::PROJECT, &self.owner.project),
            (labels::ENVIRONMENT, self.environment),
        ]);
        let mut node = Node::map();
        node.set(&["apiVersion"], format!("{GROUP}/v1alpha1"));
        node.set(&["kind"], self.kind);
        node.set(&["metadata", "name"], self.name);
        node.set(&["metadata", "namespace"], subject.namespace());
        node.set(
            &["spec", "owner", "projectName"],
            self.owner.project.clone(),
        );
        if !self.owner.component.is_empty() {
            own.insert(labels::COMPONENT, self.owner.component.clone());
            let component = self.owner.component.clone();
            node.set(&["spec", "owner", "componentName"], component);
        }
        node.set(&["metadata", "labels"], own);
        node.set(
            &["metadata", "annotations", keys::DATA_PLANE],
            self.plane_reference,
        );
        // What belongs to a project is a namespace: losing its owner must not delete all in it.
        if !self.owner.component.is_empty() {
            let owners = Node::list([owner_reference(&subject.object)]);
            node.set(&["metadata", "ownerReferences"], owners);
        }
        node.set(&["spec", "environmentName"], self.environment);
        node.set(&["spec", "targetPlane"], self.plane.word());
        node.set(&["spec", "resources"], Node::list(self.resources));
        Object::new(node)
    }
}

/// A release that is not there yet, with the finalizer that it would get at its first look.
pub(super) fn fresh(wanted: &Object) -> Object {
    let mut fresh = wanted.clone();
    let finalizers = Node::list([keys::DATA_PLANE_FINALIZER]);
    fresh.node.set(&["metadata", "finalizers"], finalizers);
    fresh
}

/// An object of a release, with its id.
pub(super) fn resource(id: &str, object: &Node) -> Node {
    Map::from_iter([("id", Node::from(id)), ("object", object.clone())]).into()
}

/// The objects that go to one plane.
pub(super) fn resources(rendered: &[Rendered], plane: Plane) -> Vec<Node> {
    let own = rendered.iter().filter(|own| own.plane == plane);
    own.map(|own| resource(&own.id, &own.object)).collect()
}

/// A reference to the controller of an object.
pub(super) fn owner_reference(owner: &Object) -> Node {
    Map::from_iter([
        ("apiVersion", Node::from(owner.api_version())),
        ("kind", owner.kind().into()),
        ("name", owner.name().into()),
        ("uid", owner.uid().into()),
        ("controller", true.into()),
        ("blockOwnerDeletion", true.into()),
    ])
    .into()
}

/// Kind and name of the controller of an object.
pub(super) fn controller(object: &Object) -> Option<(&str, &str)> {
    let owners = object
        .node
        .at(&["metadata", "ownerReferences"])?
        .as_list()?;
    let own = owners
        .iter()
        .find(|own| own.get("controller").and_then(Node::as_bool) == Some(true))?;
    Some((own.str_at(&["kind"])?, own.str_at(&["name"])?))
}

/// The releases that an object controls.
///
/// An earlier object of the same kind and name counts as this one: after a control plane was built
/// again the identities are others.
pub(super) fn controlled_by(subject: &Subject<'_>) -> Vec<Arc<Object>> {
    let ObjectKey {
        namespace,
        kind,
        name,
        ..
    } = subject.key;
    let link = Link::Controller(namespace.clone(), kind.clone(), name.clone());
    let mut found: Vec<_> = KINDS
        .iter()
        .flat_map(|kind| subject.view.objects.linked(kind, &link))
        .collect();
    found.sort_by_key(|object| object.key());
    found
}

/// The release of this name, of either kind.
pub(super) fn named(subject: &Subject<'_>, name: &str) -> Option<Arc<Object>> {
    KINDS.iter().find_map(|kind| {
        let key = key(kind, subject.namespace(), name);
        subject.view.objects.get(&key)
    })
}

/// Whether an object already says what applying `wanted` would make it say.
pub(super) fn is_applied(object: &Object, wanted: &Object) -> bool {
    let part = |object: &Object, keys: &[&str]| object.node.at(keys).cloned().unwrap_or_default();
    let contains = |keys: &[&str]| {
        let (own, wanted) = (part(object, keys), part(wanted, keys));
        let wanted = wanted.as_map().cloned().unwrap_or_default();
        wanted
            .iter()
            .all(|(key, value)| own.get(key).is_some_and(|own| same(own, value)))
    };
    let owners = &["metadata", "ownerReferences"];
    let owner_uid = |object: &Object| -> Vec<Text> {
        let owners = part(object, owners);
        let owners = owners.as_list().unwrap_or_default().iter();
        let uids = owners.filter_map(|own| own.str_at(&["uid"]).map(Text::from));
        uids.collect()
    };
    let known = owner_uid(object);
    owner_uid(wanted).iter().all(|uid| known.contains(uid))
        && contains(&["metadata", "labels"])
        && contains(&["metadata", "annotations"])
        && contains(&["spec"])
}

/// Whether two values are the same to an API server: null fields are absent ones, and numbers have
/// no type.
pub(super) fn same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::Map(a), Node::Map(b)) => {
            if a.same(b) {
                return true;
            }
            let set = |map: &Map| map.values().filter(|value| !value.is_null()).count();
            let mut given = a.iter().filter(|(_, value)| !value.is_null());
            set(a) == set(b)
                && given.all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (Node::List(a), Node::List(b)) => {
            Arc::ptr_eq(a, b)
                || a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Node::Int(_) | Node::Uint(_) | Node::Float(_), _) if a != b => {
            a.as_f64().is_some() && a.as_f64() == b.as_f64()
        }
        _ => a == b,
    }
}
