//! All objects of the group, as the watches show them or as our own writes left them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, RwLock, RwLockReadGuard};

use component::catalog::{Catalog, RESOURCE_BINDING};
use control::components::{Link, Objects, dependents, dependents_of_status};
use control::release;
use object::{Object, ObjectKey};

use crate::health_hub::version;

/// The objects, read and unread.
#[derive(Default)]
pub(super) struct State(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    objects: BTreeMap<ObjectKey, Arc<Object>>,
    /// The objects that each link leads to.
    links: BTreeSet<(Link, ObjectKey)>,
    catalog: Catalog,
}

impl Inner {
    /// Puts an object in place of what was there under its key.
    fn insert(&mut self, key: ObjectKey, object: &Arc<Object>) {
        let links = Link::of(object);
        if let Some(old) = self.objects.insert(key.clone(), object.clone()) {
            self.unlink(&key, &old);
        }
        let links = links.into_iter().map(|link| (link, key.clone()));
        self.links.extend(links);
    }

    fn unlink(&mut self, key: &ObjectKey, old: &Object) {
        for link in Link::of(old) {
            self.links.remove(&(link, key.clone()));
        }
    }
}

impl Objects for Inner {
    fn get(&self, key: &ObjectKey) -> Option<Arc<Object>> {
        self.objects.get(key).cloned()
    }

    fn list(&self, kind: &str) -> Vec<Arc<Object>> {
        let group = match kind {
            "Namespace" => "",
            _ => release::GROUP,
        };
        let from = ObjectKey {
            group: group.into(),
            kind: kind.into(),
            ..ObjectKey::default()
        };
        let objects = self.objects.range(from..);
        objects
            .take_while(|(key, _)| key.group == group && key.kind == kind)
            .map(|(_, object)| object.clone())
            .collect()
    }

    fn linked(&self, kind: &str, link: &Link) -> Vec<Arc<Object>> {
        let from = ObjectKey {
            group: release::GROUP.into(),
            kind: kind.into(),
            ..ObjectKey::default()
        };
        let found = self.links.range((link.clone(), from)..);
        found
            .take_while(|(own, key)| own == link && key.kind == kind)
            .filter_map(|(_, key)| self.objects.get(key).cloned())
            .collect()
    }
}

impl State {
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.0.read().unwrap_or_else(|lock| lock.into_inner())
    }

    pub fn get(&self, key: &ObjectKey) -> Option<Arc<Object>> {
        self.read().objects.get(key).cloned()
    }

    pub fn all(&self) -> Vec<Arc<Object>> {
        self.read().objects.values().cloned().collect()
    }

    /// Looks at everything at one moment; nothing changes meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&Catalog, &dyn Objects) -> T) -> T {
        let inner = self.read();
        look(&inner.catalog, &*inner)
    }

    /// Takes an object over unless a newer one is known; gives those that look at it.
    ///
    /// Versions of one object compare as numbers (KEP 5504).
    pub fn put(&self, object: &Arc<Object>) -> Option<Vec<ObjectKey>> {
        let mut inner = self.0.write().unwrap_or_else(|lock| lock.into_inner());
        let key = object.key();
        let old = inner.objects.get(&key).cloned();
        if let Some(old) = &old
            && old.uid() == object.uid()
            && version(old) >= version(object)
        {
            if version(old) == version(object) {
                // The same object, told again by a watch that keeps it as well: one copy is enough.
                inner.objects.insert(key, object.clone());
            }
            return None;
        }
        if let Some(old) = &old
            && only_status_differs(old, object)
        {
            let concerned = dependents_of_status(old, object, &inner.catalog);
            inner.insert(key, object);
            return Some(concerned);
        }
        let mut concerned = match &old {
            Some(old) => dependents(old, &inner.catalog, &*inner),
            None => Vec::new(),
        };
        if key.group == release::GROUP && !release::KINDS.contains(&key.kind.as_str()) {
            inner.catalog.remove(&key.kind, &key.namespace, &key.name);
            // What is odd about an object is told by who decides about it.
            drop(inner.catalog.add(object, ""));
        }
        inner.insert(key, object);
        concerned.extend(dependents(object, &inner.catalog, &*inner));
        Some(concerned)
    }

    /// Forgets an object that is gone; gives those that looked at it.
    pub fn remove(&self, gone: &Object) -> Vec<ObjectKey> {
        let mut inner = self.0.write().unwrap_or_else(|lock| lock.into_inner());
        let key = gone.key();
        // Another one of this name is not gone.
        if inner
            .objects
            .get(&key)
            .is_some_and(|known| known.uid() == gone.uid())
        {
            if let Some(known) = inner.objects.remove(&key) {
                inner.unlink(&key, &known);
            }
            inner.catalog.remove(&key.kind, &key.namespace, &key.name);
        }
        dependents(gone, &inner.catalog, &*inner)
    }
}

/// Whether an object is the same but for its status. Finalizers count only for what is being deleted.
fn only_status_differs(old: &Object, new: &Object) -> bool {
    if new.kind() == RESOURCE_BINDING {
        return false; // Its status is what others read of it.
    }
    let same = |keys: &[&str]| old.node.at(keys) == new.node.at(keys);
    let is_held = old.is_deleting() || new.is_deleting();
    old.uid() == new.uid()
        && same(&["spec"])
        && same(&["metadata", "labels"])
        && same(&["metadata", "annotations"])
        && same(&["metadata", "deletionTimestamp"])
        && (!is_held || same(&["metadata", "finalizers"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: &str, name: &str, version: u32, owner: &str, controller: &str) -> Arc<Object> {
        let text = format!(
            r#"{{"apiVersion":"openchoreo.dev/v1alpha1","kind":"{kind}","metadata":{{"name":"{name}","namespace":"acme","uid":"{kind}-{name}","resourceVersion":"{version}","ownerReferences":[{{"controller":true,"kind":"ReleaseBinding","name":"{controller}"}}]}},"spec":{{"owner":{{"projectName":"shop","componentName":"{owner}"}}}}}}"#
        );
        let node = object::json::parse(text.as_bytes(), object::json::OBJECT_LIMITS);
        Arc::new(Object::new(node.expect("JSON")))
    }

    /// What the same objects say without an index.
    struct Scanned<'a>(&'a Inner);

    impl Objects for Scanned<'_> {
        fn get(&self, key: &ObjectKey) -> Option<Arc<Object>> {
            self.0.get(key)
        }

        fn list(&self, kind: &str) -> Vec<Arc<Object>> {
            self.0.list(kind)
        }
    }

    #[test]
    fn links_lead_to_what_looking_at_everything_finds_whatever_comes_changes_and_goes() {
        let mut dice = testkit::Dice::new(7);
        let state = State::default();
        for version in 1..400 {
            let mut any = |of: &[&'static str]| dice.pick(of);
            let kind = any(&[
                "Release",
                "RenderedRelease",
                "ReleaseBinding",
                "ComponentRelease",
            ]);
            let name = any(&["a", "b", "c"]);
            let (owner, controller) = (any(&["", "x", "y"]), any(&["", "x", "y"]));
            let next = object(kind, name, version, owner, controller);
            match any(&["put", "put", "put", "remove"]) {
                "put" => drop(state.put(&next)),
                _ => drop(state.remove(&next)),
            }
            let inner = state.read();
            for kind in [
                "Release",
                "RenderedRelease",
                "ReleaseBinding",
                "ComponentRelease",
            ] {
                for name in ["x", "y"] {
                    let (acme, name) = (object::Text::from("acme"), object::Text::from(name));
                    let controller = ("ReleaseBinding".into(), name.clone());
                    for link in [
                        Link::Component(acme.clone(), name),
                        Link::Controller(acme, controller.0, controller.1),
                    ] {
                        let scanned = Scanned(&inner).linked(kind, &link);
                        assert_eq!(inner.linked(kind, &link), scanned, "{kind} {link:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_object_told_again_takes_the_place_of_its_copy() {
        let state = State::default();
        let (ours, watched) = (
            object("Release", "a", 3, "x", "y"),
            object("Release", "a", 3, "x", "y"),
        );
        assert!(state.put(&ours).is_some());
        assert!(state.put(&watched).is_none(), "nobody has to look");
        let kept = state.get(&ours.key()).expect("it is there");
        assert!(Arc::ptr_eq(&kept, &watched));
    }
}
