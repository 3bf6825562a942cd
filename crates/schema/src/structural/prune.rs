//! Dropping what the schema does not know, and filling in what it defaults.
//!
//! Each function looks first and answers with a new value only where something changes, so that
//! an object shared with the store is not copied to find it clean.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/apiserver/schema/{pruning,defaulting}/`.

use std::fmt::Write as _;

use object::{Map, Node, Text};

use super::metadata;
use super::node::Level;

const META: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Drops unknown fields of a whole object (`root`) or a value; paths of what was dropped, sorted.
///
/// apiVersion, kind and metadata of the object and of embedded objects stay; unknown fields of
/// embedded metadata are dropped.
pub(super) fn prune(level: &Level, node: &mut Node, root: bool) -> Vec<String> {
    let mut pruner = Pruner::default();
    let pruned = match level.preserve_unknown {
        true => pruner.skip(level, node, root || level.embedded),
        false => pruner.prune(Some(level), node, root || level.embedded),
    };
    if let Some(pruned) = pruned {
        *node = pruned;
    }
    pruner.paths.sort();
    pruner.paths
}

#[derive(Default)]
struct Pruner {
    path: String,
    paths: Vec<String>,
}

enum Fate {
    Keep,
    Drop,
    Become(Node),
}

impl From<Option<Node>> for Fate {
    fn from(changed: Option<Node>) -> Self {
        changed.map_or(Self::Keep, Self::Become)
    }
}

impl Pruner {
    fn at_key<T>(&mut self, key: &str, walk: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        let result = walk(self);
        self.path.truncate(length);
        result
    }

    fn at_index<T>(&mut self, index: usize, walk: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        // Writing to a String cannot fail.
        let _ = write!(self.path, "[{index}]");
        let result = walk(self);
        self.path.truncate(length);
        result
    }

    /// Prunes a value of a level, or one about which nothing is known.
    fn value(&mut self, level: Option<&Level>, node: &Node) -> Option<Node> {
        match level {
            Some(level) if level.preserve_unknown => self.skip(level, node, level.embedded),
            Some(level) => self.prune(Some(level), node, level.embedded),
            None => self.prune(None, node, false),
        }
    }

    fn prune(&mut self, level: Option<&Level>, node: &Node, embedded: bool) -> Option<Node> {
        match node {
            Node::Map(map) => self.entries(map, |pruner, key, value| {
                if embedded && META.contains(&key) {
                    return pruner.embedded_metadata(key, value);
                }
                match level.and_then(|level| below(level, key)) {
                    Some(inner) => pruner
                        .at_key(key, |pruner| pruner.value(inner, value))
                        .into(),
                    None => {
                        pruner.at_key(key, |pruner| pruner.paths.push(pruner.path.clone()));
                        Fate::Drop
                    }
                }
            }),
            Node::List(_) => {
                let items = level.and_then(|level| level.items.as_deref());
                self.items(node, |pruner, item| pruner.value(items, item))
            }
            _ => None,
        }
    }

    /// Prunes declared fields of a value whose undeclared ones are kept.
    fn skip(&mut self, level: &Level, node: &Node, embedded: bool) -> Option<Node> {
        match node {
            Node::Map(map) => self.entries(map, |pruner, key, value| {
                if embedded && META.contains(&key) {
                    return pruner.embedded_metadata(key, value);
                }
                match below(level, key) {
                    Some(inner) => pruner
                        .at_key(key, |pruner| pruner.value(inner, value))
                        .into(),
                    None => Fate::Keep,
                }
            }),
            Node::List(_) => {
                let items = level.items.as_deref()?;
                self.items(node, |pruner, item| {
                    pruner.skip(items, item, items.embedded)
                })
            }
            _ => None,
        }
    }

    /// The server checks the metadata of the object itself; that of embedded ones is cleaned here.
    fn embedded_metadata(&mut self, key: &str, value: &Node) -> Fate {
        if key != "metadata" || self.path.is_empty() {
            return Fate::Keep;
        }
        let (changed, unknown) = metadata::without_unknown(value);
        for field in unknown {
            self.paths.push(format!("{}.metadata.{field}", self.path));
        }
        changed.into()
    }

    fn entries(
        &mut self,
        map: &Map,
        mut fate: impl FnMut(&mut Self, &str, &Node) -> Fate,
    ) -> Option<Node> {
        let mut changes: Vec<(Text, Fate)> = Vec::new();
        for (key, value) in map.iter() {
            match fate(self, key, value) {
                Fate::Keep => {}
                other => changes.push((key.clone(), other)),
            }
        }
        if changes.is_empty() {
            return None;
        }
        let mut map = map.clone();
        let mut dropped = Vec::new();
        for (key, change) in changes {
            match change {
                Fate::Become(value) => drop(map.insert(key, value)),
                _ => dropped.push(key),
            }
        }
        if !dropped.is_empty() {
            dropped.sort_unstable();
            map.retain(|key, _| {
                dropped
                    .binary_search_by(|other| other.as_str().cmp(key))
                    .is_err()
            });
        }
        Some(Node::Map(map))
    }

    fn items(
        &mut self,
        list: &Node,
        mut change: impl FnMut(&mut Self, &Node) -> Option<Node>,
    ) -> Option<Node> {
        let mut changed: Option<Node> = None;
        for (index, item) in list.as_list()?.iter().enumerate() {
            let Some(value) = self.at_index(index, |pruner| change(pruner, item)) else {
                continue;
            };
            let list = changed.get_or_insert_with(|| list.clone());
            if let Some(items) = list.as_list_mut() {
                items[index] = value;
            }
        }
        changed
    }
}

/// What is known of the value under a key: nothing about the key, nothing but that it is allowed
/// (`additionalProperties: true`), or its level.
#[expect(clippy::option_option, reason = "three cases, each named above")]
fn below<'a>(level: &'a Level, key: &str) -> Option<Option<&'a Level>> {
    if let Some(inner) = level.properties.get(key) {
        return Some(Some(inner));
    }
    let additional = level.additional.as_ref()?;
    Some(additional.level.as_deref())
}

/// Drops nulls of fields that neither allow them nor have a default to put there.
pub(super) fn drop_nulls(level: &Level, node: &mut Node) {
    if let Some(changed) = without_nulls(level, node) {
        *node = changed;
    }
}

fn without_nulls(level: &Level, node: &Node) -> Option<Node> {
    map_children(node, |key, value| match (key, value) {
        (Some(key), value) => match level.of_key(key) {
            Some(inner) if value.is_null() && !inner.nullable && inner.default.is_none() => {
                Fate::Drop
            }
            Some(inner) => without_nulls(inner, value).into(),
            None => Fate::Keep,
        },
        (None, item) => match &level.items {
            Some(inner) => without_nulls(inner, item).into(),
            None => Fate::Keep,
        },
    })
}

/// Puts defaults where fields are missing, or null without allowing it.
pub(super) fn default(level: &Level, node: &mut Node) {
    if let Some(changed) = defaulted(level, node) {
        *node = changed;
    }
}

fn defaulted(level: &Level, node: &Node) -> Option<Node> {
    if !level.has_defaults {
        return None;
    }
    let mut base: Option<Node> = None;
    if let Node::Map(map) = node {
        for (key, property) in &level.properties {
            if let (None, Some(value)) = (map.get(key), &property.default) {
                let base = base.get_or_insert_with(|| node.clone());
                if let Some(map) = base.as_map_mut() {
                    map.insert(key.clone(), value.clone());
                }
            }
        }
    }
    let changed = map_children(base.as_ref().unwrap_or(node), |key, value| {
        let inner = match key {
            Some(key) => level.of_key(key),
            None => level.items.as_ref(),
        };
        let Some(inner) = inner else {
            return Fate::Keep;
        };
        match &inner.default {
            Some(default) if value.is_null() && !inner.nullable => {
                Fate::Become(defaulted(inner, default).unwrap_or_else(|| default.clone()))
            }
            _ => defaulted(inner, value).into(),
        }
    });
    changed.or(base)
}

/// A copy with changed children; keys of a map, no key for items of a list.
fn map_children(node: &Node, mut fate: impl FnMut(Option<&str>, &Node) -> Fate) -> Option<Node> {
    match node {
        Node::Map(map) => Pruner::default().entries(map, |_, key, value| fate(Some(key), value)),
        Node::List(_) => Pruner::default().items(node, |_, item| match fate(None, item) {
            Fate::Become(value) => Some(value),
            _ => None,
        }),
        _ => None,
    }
}
