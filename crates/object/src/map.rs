//! The ordered map inside a [`Node`].

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::{Node, Text};

/// Entries above which a map keeps a hash index beside its entries.
///
/// Objects have few keys per map and a scan of a dozen short strings is faster than hashing one;
/// a ConfigMap of 60,000 keys must still be built in linear time.
const INDEX_FROM: usize = 16;

/// Room for entries that a map begins with: most maps of objects have one or two.
const FIRST_ROOM: usize = 2;

/// An insertion-ordered map from text to [`Node`], shared until changed.
///
/// Equality ignores order. Cloning copies a pointer. A map that was never filled takes no memory:
/// field managers own thousands of leaves, each an empty map.
#[derive(Clone, Default)]
pub struct Map(Option<Arc<Inner>>);

#[derive(Clone, Default)]
struct Inner {
    entries: Vec<(Text, Node)>,
    /// Position by key; absent until the map has more than [`INDEX_FROM`] entries.
    #[expect(
        clippy::box_collection,
        reason = "most maps have none, and a pointer is smaller"
    )]
    index: Option<Box<HashMap<Text, u32>>>,
}

impl Map {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty map with room for `capacity` entries.
    pub fn with_capacity(capacity: usize) -> Self {
        let inner = || Inner {
            entries: Vec::with_capacity(capacity),
            index: None,
        };
        Self((capacity > 0).then(|| Arc::new(inner())))
    }

    /// Gives back room that was kept for more entries; does nothing to a map that is shared.
    pub fn shrink_to_fit(&mut self) {
        if let Some(inner) = self.0.as_mut().and_then(Arc::get_mut) {
            inner.entries.shrink_to_fit();
        }
    }

    fn entries(&self) -> &[(Text, Node)] {
        self.0.as_ref().map_or(&[], |inner| &inner.entries)
    }

    fn inner_mut(&mut self) -> &mut Inner {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Position of `key` in insertion order.
    pub fn position(&self, key: &str) -> Option<usize> {
        self.0.as_ref()?.position(key)
    }

    /// Whether `key` is present, with any value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.position(key).map(|at| &self.entries()[at].1)
    }

    /// The value of `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let at = self.position(key)?;
        Some(&mut self.inner_mut().entries[at].1)
    }

    /// The value of `key`, inserted as [`Node::Null`] at the end when it is absent.
    pub fn entry(&mut self, key: &str) -> &mut Node {
        let at = match self.position(key) {
            Some(at) => at,
            None => {
                self.insert(key, Node::Null);
                self.len() - 1
            }
        };
        &mut self.inner_mut().entries[at].1
    }

    /// Sets `key`, keeping its place if it has one, else at the end; returns what it replaced.
    pub fn insert(&mut self, key: impl Into<Text>, value: impl Into<Node>) -> Option<Node> {
        let (key, value) = (key.into(), value.into());
        let inner = self.inner_mut();
        match inner.position(&key) {
            Some(at) => Some(std::mem::replace(&mut inner.entries[at].1, value)),
            None => {
                inner.push(key, value);
                None
            }
        }
    }

    /// Removes `key` and keeps the order of the rest.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.position(key)?;
        let inner = self.inner_mut();
        let (_, value) = inner.entries.remove(at);
        inner.forget(key, at);
        Some(value)
    }

    /// Keeps only the entries that `keep` accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Node) -> bool) {
        if self.is_empty() {
            return;
        }
        let inner = self.inner_mut();
        inner.entries.retain_mut(|(key, value)| keep(key, value));
        inner.reindex();
    }

    /// Orders the entries of this map (not of nested ones) by key bytes.
    pub fn sort_keys(&mut self) {
        if self.entries().is_sorted_by(|a, b| a.0 <= b.0) {
            return;
        }
        let inner = self.inner_mut();
        inner.entries.sort_by(|a, b| a.0.cmp(&b.0));
        inner.reindex();
    }

    /// Entries in insertion order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Text, &Node)> + ExactSizeIterator {
        self.entries().iter().map(|(key, value)| (key, value))
    }

    /// Entries in insertion order, values to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Text, &mut Node)> {
        let entries = match self.is_empty() {
            true => &mut [],
            false => self.inner_mut().entries.as_mut_slice(),
        };
        entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Keys in insertion order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Text> + ExactSizeIterator {
        self.iter().map(|(key, _)| key)
    }

    /// Values in insertion order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Node> + ExactSizeIterator {
        self.iter().map(|(_, value)| value)
    }

    /// Whether another map has the same allocation.
    pub fn is_shared(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|inner| Arc::strong_count(inner) > 1)
    }

    /// Whether both are the same allocation, so equal without a look inside.
    pub fn same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        }
    }
}

impl Inner {
    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            None => self.entries.iter().position(|(name, _)| name == key),
            Some(index) => index.get(key).map(|&at| at as usize),
        }
    }

    fn push(&mut self, key: Text, value: Node) {
        let at = self.entries.len();
        if let Some(index) = &mut self.index {
            index.insert(key.clone(), at as u32);
        }
        if self.entries.capacity() == 0 {
            self.entries.reserve_exact(FIRST_ROOM);
        }
        self.entries.push((key, value));
        if self.index.is_none() && self.entries.len() > INDEX_FROM {
            self.reindex();
        }
    }

    /// Brings the index up to date after the entry `key` at `at` went.
    fn forget(&mut self, key: &str, at: usize) {
        if self.entries.len() <= INDEX_FROM {
            self.index = None;
        }
        let Some(index) = &mut self.index else {
            return;
        };
        index.remove(key);
        let later = index.values_mut().filter(|place| **place as usize > at);
        later.for_each(|place| *place -= 1);
    }

    fn reindex(&mut self) {
        self.index = (self.entries.len() > INDEX_FROM).then(|| {
            let positions = self.entries.iter().enumerate();
            let index = positions.map(|(at, (key, _))| (key.clone(), at as u32));
            Box::new(index.collect())
        });
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.same(other)
            || (self.len() == other.len()
                && self
                    .iter()
                    .all(|(key, value)| other.get(key) == Some(value)))
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<Text>, V: Into<Node>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Into<Text>, V: Into<Node>> Extend<(K, V)> for Map {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        let entries = entries.into_iter();
        let least = entries.size_hint().0;
        if self.is_empty() && least > 0 {
            // Most maps never grow afterwards.
            self.inner_mut().entries.reserve_exact(least);
        }
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl IntoIterator for Map {
    type Item = (Text, Node);
    type IntoIter = std::vec::IntoIter<(Text, Node)>;

    fn into_iter(self) -> Self::IntoIter {
        let inner = self.0.map(Arc::unwrap_or_clone).unwrap_or_default();
        inner.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_map_finds_every_key_after_inserts_and_removals() {
        let mut map: Map = (0..100)
            .map(|n| (n.to_string(), Node::from(n as i64)))
            .collect();
        for n in (0..100).step_by(3) {
            map.remove(&n.to_string());
        }
        for n in 0..100 {
            let expected = (n % 3 != 0).then_some(Node::from(n as i64));
            assert_eq!(map.get(&n.to_string()), expected.as_ref());
        }
    }

    #[test]
    fn equality_ignores_order_and_a_clone_is_independent() {
        let one: Map = [("a", 1i64), ("b", 2)].into_iter().collect();
        let other: Map = [("b", 2i64), ("a", 1)].into_iter().collect();
        assert_eq!(one, other);
        let mut changed = one.clone();
        changed.insert("a", 3i64);
        assert_eq!(one.get("a"), Some(&Node::Int(1)));
        assert_ne!(one, changed);
    }
}
