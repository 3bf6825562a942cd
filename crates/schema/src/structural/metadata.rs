//! Metadata of objects embedded in an object.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/apiserver/schema/objectmeta/`.

use object::{Node, names};

use super::node::Level;
use crate::field_error::{FieldError, Place};

/// JSON types of the fields of ObjectMeta.
const FIELDS: [(&str, Kind); 15] = [
    ("annotations", Kind::Texts),
    ("creationTimestamp", Kind::Time),
    ("deletionGracePeriodSeconds", Kind::Number),
    ("deletionTimestamp", Kind::Time),
    ("finalizers", Kind::List("string")),
    ("generateName", Kind::Text),
    ("generation", Kind::Number),
    ("labels", Kind::Texts),
    ("managedFields", Kind::List("ManagedFieldsEntry")),
    ("name", Kind::Text),
    ("namespace", Kind::Text),
    ("ownerReferences", Kind::List("OwnerReference")),
    ("resourceVersion", Kind::Text),
    ("selfLink", Kind::Text),
    ("uid", Kind::Text),
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Time,
    Number,
    Texts,
    List(&'static str),
}

/// Metadata without fields that ObjectMeta does not have, if it has such, and their names.
pub(super) fn without_unknown(node: &Node) -> (Option<Node>, Vec<String>) {
    let known = |key: &str| FIELDS.iter().any(|(name, _)| *name == key);
    let unknown: Vec<String> = node
        .as_map()
        .map(|map| {
            map.keys()
                .filter(|key| !known(key))
                .map(ToString::to_string)
                .collect()
        })
        .unwrap_or_default();
    if unknown.is_empty() {
        return (None, unknown);
    }
    let mut changed = node.clone();
    if let Some(map) = changed.as_map_mut() {
        map.retain(|key, _| known(key));
    }
    (Some(changed), unknown)
}

/// Embedded objects whose metadata cannot be read, which makes the request malformed (400).
pub(super) fn malformed(
    level: &Level,
    node: &Node,
    place: Place<'_>,
    root: bool,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(level, node, place, root, &mut |embedded, place| {
        if let Some(metadata) = embedded.get("metadata")
            && let Some(detail) = type_error(metadata)
        {
            errors.push(FieldError::invalid(
                place.child("metadata"),
                metadata,
                detail,
            ));
        }
    });
    errors
}

/// What Go's decoder would say, or `None`.
fn type_error(metadata: &Node) -> Option<String> {
    let message = |node: &Node, field: &str, wanted: &str| {
        let found = json_name(node);
        let target = match field {
            "" => "Go value".to_owned(),
            field => format!("Go struct field ObjectMeta.{field}"),
        };
        Some(format!(
            "json: cannot unmarshal {found} into {target} of type {wanted}"
        ))
    };
    if metadata.is_null() {
        return None;
    }
    let Some(map) = metadata.as_map() else {
        return message(metadata, "", "v1.ObjectMeta");
    };
    for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        let Some((name, kind)) = FIELDS.iter().find(|(name, _)| name == key) else {
            continue;
        };
        let wrong = match (kind, value) {
            (Kind::Text | Kind::Time, Node::String(_)) | (Kind::Number, Node::Int(_)) => None,
            (Kind::Text | Kind::Time, value) => message(value, name, "string"),
            (Kind::Number, value) => message(value, name, "int64"),
            (Kind::Texts, Node::Map(entries)) => entries
                .values()
                .find(|value| !matches!(value, Node::String(_) | Node::Null))
                .and_then(|value| message(value, name, "string")),
            (Kind::Texts, value) => message(value, name, "map[string]string"),
            (Kind::List("string"), Node::List(items)) => items
                .iter()
                .find(|item| !matches!(item, Node::String(_) | Node::Null))
                .and_then(|item| message(item, name, "string")),
            (Kind::List(_), Node::List(_)) => None,
            (Kind::List("string"), value) => message(value, name, "[]string"),
            (Kind::List(item), value) => message(value, name, &format!("[]v1.{item}")),
        };
        if wrong.is_some() {
            return wrong;
        }
    }
    None
}

fn json_name(node: &Node) -> &'static str {
    match node {
        Node::Null => "null",
        Node::Bool(_) => "bool",
        Node::Int(_) | Node::Uint(_) | Node::Float(_) => "number",
        Node::String(_) => "string",
        Node::List(_) => "array",
        Node::Map(_) => "object",
    }
}

/// Checks apiVersion, kind and metadata of embedded objects; with `root` of the object itself too.
pub(super) fn validate(
    level: &Level,
    node: &Node,
    place: Place<'_>,
    root: bool,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(level, node, place, root, &mut |embedded, place| {
        errors.extend(embedded_errors(embedded, place));
    });
    errors
}

fn embedded_errors(embedded: &Node, place: Place<'_>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut text = |key: &'static str, check: &dyn Fn(&str) -> Option<String>| {
        let place = place.child(key);
        match embedded.get(key) {
            None => errors.push(FieldError::required(place, "")),
            Some(Node::String(text)) if text.is_empty() => {
                errors.push(FieldError::invalid(place, "", "must not be empty"));
            }
            Some(Node::String(text)) => {
                if let Some(detail) = check(text) {
                    errors.push(FieldError::invalid(place, text.as_str(), detail));
                }
            }
            Some(other) => errors.push(FieldError::invalid(place, other, "must be a string")),
        }
    };
    text("apiVersion", &|text| {
        let slashes = text.matches('/').count();
        (slashes > 1).then(|| format!("unexpected GroupVersion string: {text}"))
    });
    text("kind", &|text| {
        let wrong = names::label_1035(&text.to_lowercase());
        (!wrong.is_empty()).then(|| {
            format!(
                "may have mixed case, but should otherwise match: {}",
                wrong.join(",")
            )
        })
    });
    let metadata = place.child("metadata");
    if let Some(name) = embedded.str_at(&["metadata", "name"]) {
        let wrong = match name {
            "." | ".." => Some(format!("may not be '{name}'")),
            name => ["/", "%"]
                .into_iter()
                .find(|illegal| name.contains(illegal))
                .map(|illegal| format!("may not contain '{illegal}'")),
        };
        if let Some(detail) = wrong {
            errors.push(FieldError::invalid(metadata.child("name"), name, detail));
        }
    }
    let labels = embedded.at(&["metadata", "labels"]).and_then(Node::as_map);
    for (_, value) in labels.into_iter().flat_map(|labels| labels.iter()) {
        let value = value.as_str().unwrap_or_default();
        for detail in names::label_value(value) {
            errors.push(FieldError::invalid(metadata.child("labels"), value, detail));
        }
    }
    errors
}

/// Calls `visit` for every embedded object.
fn walk(
    level: &Level,
    node: &Node,
    place: Place<'_>,
    root: bool,
    visit: &mut dyn FnMut(&Node, Place<'_>),
) {
    if !root && !level.has_embedded {
        return;
    }
    match node {
        Node::Map(map) => {
            if root || level.embedded {
                visit(node, place);
            }
            for (key, value) in map.iter() {
                if let Some(property) = level.properties.get(key) {
                    walk(property, value, place.child(key), false, visit);
                } else if let Some(inner) = level.additional_level() {
                    walk(inner, value, place.key(key), false, visit);
                }
            }
        }
        Node::List(items) => {
            if let Some(inner) = &level.items {
                for (index, item) in items.iter().enumerate() {
                    walk(inner, item, place.index(index), false, visit);
                }
            }
        }
        _ => {}
    }
}
