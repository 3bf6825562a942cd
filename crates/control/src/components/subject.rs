//! The object that is looked at.

use std::sync::Arc;

use component::model::{Finding, GROUP, Item, Owner};
use object::{Object, ObjectKey, Text};

use super::{Action, Decision, Link, View};

/// An object and everything a decision about it may look at.
pub(super) struct Subject<'a> {
    pub view: &'a View<'a>,
    pub key: &'a ObjectKey,
    pub object: Arc<Object>,
}

impl<'a> Subject<'a> {
    pub fn new(view: &'a View<'a>, key: &'a ObjectKey, object: Arc<Object>) -> Self {
        Self { view, key, object }
    }

    pub fn namespace(&self) -> &'a str {
        &self.key.namespace
    }

    pub fn name(&self) -> &'a str {
        &self.key.name
    }

    /// What the catalog read of it.
    pub fn item(&self) -> Option<&'a Item> {
        let ObjectKey {
            kind,
            namespace,
            name,
            ..
        } = self.key;
        self.view.catalog.get(kind, namespace, name)
    }

    /// What the catalog read of it, and fields that no version knows; or why it cannot be read.
    pub fn readable(&self) -> Result<(&'a Item, &'a [Finding]), String> {
        let ObjectKey {
            kind,
            namespace,
            name,
            ..
        } = self.key;
        match self.item() {
            Some(item) => Ok((item, self.view.catalog.findings(kind, namespace, name))),
            None => Err(match component::model::read(&self.object) {
                Some(Err(error)) => error.to_string(),
                _ => "the object was not read yet".to_owned(),
            }),
        }
    }

    /// Whether the namespace of the object is being deleted, with everything in it.
    pub fn namespace_goes(&self) -> bool {
        let namespace = self.view.objects.get(&namespace_key(self.namespace()));
        namespace.is_some_and(|namespace| namespace.is_deleting())
    }

    pub fn has_finalizer(&self, name: &str) -> bool {
        self.object.has_finalizer(name)
    }

    /// Every object of a kind in the namespace of this one.
    pub fn siblings(&self, kind: &str) -> impl Iterator<Item = Arc<Object>> + use<'a> {
        let namespace = self.namespace();
        let all = self.view.objects.list(kind).into_iter();
        all.filter(move |object| object.namespace() == namespace)
    }

    /// Objects of a kind beside this one that say they belong to a component.
    pub fn siblings_of(&self, kind: &str, of: &Owner) -> impl Iterator<Item = Arc<Object>> {
        let link = Link::Component(self.namespace().into(), of.component.clone());
        let of = of.clone();
        let all = self.view.objects.linked(kind, &link).into_iter();
        all.filter(move |object| Owner::of(object) == of)
    }
}

/// The key of an object of OpenChoreo's group.
pub(super) fn key(kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        group: GROUP.into(),
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

/// The key of a Namespace.
pub(super) fn namespace_key(name: &str) -> ObjectKey {
    ObjectKey {
        group: Text::default(),
        kind: "Namespace".into(),
        namespace: Text::default(),
        name: name.into(),
    }
}

/// Deletion of what is not being deleted yet.
pub(super) fn delete<'b>(
    objects: impl IntoIterator<Item = &'b Arc<Object>>,
) -> impl Iterator<Item = Action> {
    let live = objects.into_iter().filter(|object| !object.is_deleting());
    let actions: Vec<Action> = live.map(|object| Action::Delete(object.key())).collect();
    actions.into_iter()
}

impl Decision {
    /// One action and nothing else.
    pub(super) fn one(action: Action) -> Self {
        Self {
            actions: vec![action],
            ..Self::default()
        }
    }

    /// A finalizer to put on or to take off.
    pub(super) fn finalizer(name: &'static str, present: bool) -> Self {
        Self::one(Action::Finalizer { name, present })
    }
}
