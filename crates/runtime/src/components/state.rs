//! All objects of the group, as the watches show them or as our own writes left them.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard};

use component::catalog::{Catalog, RESOURCE_BINDING};
use control::components::{Objects, dependents, dependents_of_status};
use control::release;
use object::{Object, ObjectKey};

use crate::health_hub::version;

/// The objects, read and unread.
#[derive(Default)]
pub(super) struct State(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    objects: BTreeMap<ObjectKey, Arc<Object>>,
    catalog: Catalog,
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
            return None;
        }
        if let Some(old) = &old
            && only_status_differs(old, object)
        {
            let concerned = dependents_of_status(old, object, &inner.catalog);
            inner.objects.insert(key, object.clone());
            return Some(concerned);
        }
        let mut concerned = match &old {
            Some(old) => dependents(old, &inner.catalog, &*inner),
            None => Vec::new(),
        };
        if key.group == release::GROUP {
            inner.catalog.remove(&key.kind, &key.namespace, &key.name);
            // What is odd about an object is told by who decides about it.
            drop(inner.catalog.add(object, ""));
        }
        inner.objects.insert(key, object.clone());
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
            inner.objects.remove(&key);
            inner.catalog.remove(&key.kind, &key.namespace, &key.name);
        }
        dependents(gone, &inner.catalog, &*inner)
    }
}

/// Whether an object is the same but for its status.
fn only_status_differs(old: &Object, new: &Object) -> bool {
    if new.kind() == RESOURCE_BINDING {
        return false; // Its status is what others read of it.
    }
    const STEERING: [&str; 4] = ["labels", "annotations", "finalizers", "deletionTimestamp"];
    let same = |keys: &[&str]| old.node.at(keys) == new.node.at(keys);
    old.uid() == new.uid() && same(&["spec"]) && STEERING.iter().all(|key| same(&["metadata", key]))
}
