//! Lists whose items are unique: sets, and lists with keys.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/apiserver/schema/listtype/validation.go`.

use std::collections::HashMap;

use object::{Map, Node};

use super::node::Level;
use crate::field_error::{FieldError, Place};

/// Repeated items, each reported at its second appearance.
pub(super) fn duplicates(level: &Level, node: &Node, place: Place<'_>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(level, node, place, &mut errors);
    errors
}

fn walk(level: &Level, node: &Node, place: Place<'_>, errors: &mut Vec<FieldError>) {
    match node {
        Node::Map(map) => {
            for (key, value) in map.iter() {
                if let Some(property) = level.properties.get(key) {
                    walk(property, value, place.child(key), errors);
                } else if let Some(inner) = level.additional_level() {
                    walk(inner, value, place.key(key), errors);
                }
            }
        }
        Node::List(items) => {
            if level.is_set() {
                for index in repeated(items.iter()) {
                    errors.push(FieldError::duplicate(place.index(index), &items[index]));
                }
            } else if level.is_list_map() {
                keyed(level, items, place, errors);
            }
            if let Some(inner) = &level.items {
                for (index, item) in items.iter().enumerate() {
                    walk(inner, item, place.index(index), errors);
                }
            }
        }
        _ => {}
    }
}

fn keyed(level: &Level, items: &[Node], place: Place<'_>, errors: &mut Vec<FieldError>) {
    let strange = |item: &Node| !matches!(item, Node::Map(_) | Node::Null);
    if let Some(index) = items.iter().position(strange) {
        errors.push(FieldError::invalid(
            place.index(index),
            &items[index],
            "must be an object for an array of list-type map",
        ));
        return;
    }
    let keys: Vec<Node> = items.iter().map(|item| key_of(level, item)).collect();
    for index in repeated(keys.iter()) {
        errors.push(FieldError::duplicate(place.index(index), &keys[index]));
    }
}

/// The keys of an item that are present, ordered by name.
pub(super) fn key_of(level: &Level, item: &Node) -> Node {
    let mut key = Map::new();
    for name in &level.list_map_keys {
        if let Some(value) = item.get(name) {
            key.insert(name.clone(), value.clone());
        }
    }
    key.sort_keys();
    Node::Map(key)
}

/// Positions of second appearances.
fn repeated<'a>(items: impl Iterator<Item = &'a Node>) -> Vec<usize> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut repeated = Vec::new();
    for (index, item) in items.enumerate() {
        let mut ordered = item.clone();
        ordered.sort_keys();
        let times = seen.entry(object::json::to_string(&ordered)).or_default();
        *times += 1;
        if *times == 2 {
            repeated.push(index);
        }
    }
    repeated
}
