//! The objects that belong to a unit.

use std::collections::BTreeMap;

use object::{GroupVersionKind, ObjectKey, Text};

/// The objects that belong to a unit, with the version each was applied with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory(BTreeMap<ObjectKey, Text>);

/// One object of an inventory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Which object.
    pub key: ObjectKey,
    /// API version without its group.
    pub version: Text,
}

impl Inventory {
    /// Reads the entries of a status; entries that are no inventory id are left out.
    pub fn read<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        entries
            .into_iter()
            .filter_map(|(id, version)| {
                Some(Entry {
                    key: parse_id(id)?,
                    version: version.into(),
                })
            })
            .collect()
    }

    /// `id` and `v` of every entry, ordered by id.
    ///
    /// # Source
    /// `namespace_name_group_kind`, and `:` in names as `__`: sigs.k8s.io/cli-utils
    /// `pkg/object/objmetadata.go`.
    pub fn to_status(&self) -> Vec<(String, String)> {
        let mut entries: Vec<_> = self
            .0
            .iter()
            .map(|(key, version)| (id(key), version.to_string()))
            .collect();
        entries.sort();
        entries
    }

    /// Whether nothing belongs to the unit.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of objects.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether an object belongs to the unit.
    pub fn contains(&self, key: &ObjectKey) -> bool {
        self.0.contains_key(key)
    }

    /// Adds an object, or changes the version it was applied with.
    pub fn insert(&mut self, entry: Entry) {
        self.0.insert(entry.key, entry.version);
    }

    /// Forgets an object.
    pub fn remove(&mut self, key: &ObjectKey) {
        self.0.remove(key);
    }

    /// Every object, in key order.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.0.iter().map(|(key, version)| Entry {
            key: key.clone(),
            version: version.clone(),
        })
    }

    /// The objects of both; of one in both the version of `newer`.
    pub fn union(&self, newer: &Self) -> Self {
        let mut all = self.clone();
        newer.entries().for_each(|entry| all.insert(entry));
        all
    }
}

impl Entry {
    /// Group, version and kind.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind {
            group: self.key.group.clone(),
            version: self.version.clone(),
            kind: self.key.kind.clone(),
        }
    }
}

impl FromIterator<Entry> for Inventory {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let entries = entries.into_iter();
        Self(entries.map(|entry| (entry.key, entry.version)).collect())
    }
}

fn id(key: &ObjectKey) -> String {
    let name = key.name.replace(':', "__");
    format!("{}_{name}_{}_{}", key.namespace, key.group, key.kind)
}

fn parse_id(id: &str) -> Option<ObjectKey> {
    let (namespace, rest) = id.split_once('_')?;
    let (rest, kind) = rest.rsplit_once('_')?;
    let (name, group) = rest.rsplit_once('_')?;
    if name.is_empty() || kind.is_empty() {
        return None;
    }
    Some(ObjectKey {
        group: group.into(),
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.replace("__", ":").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_a_round_trip() {
        for text in [
            "app_web_apps_Deployment",
            "_app__Namespace",
            "_system__node_rbac.authorization.k8s.io_ClusterRole",
            "app_settings__ConfigMap",
        ] {
            let inventory = Inventory::read([(text, "v1")]);
            assert_eq!(inventory.to_status(), [(text.to_owned(), "v1".to_owned())]);
        }
        let role = Inventory::read([("_system__node_rbac.authorization.k8s.io_ClusterRole", "v1")]);
        assert_eq!(role.entries().next().unwrap().key.name, "system:node");
        assert!(Inventory::read([("nonsense", "v1"), ("a_b", "v1")]).is_empty());
    }
}
