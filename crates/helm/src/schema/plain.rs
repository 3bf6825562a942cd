//! Schemas of the plainest words, such as generators make them of default values: which values they
//! accept, without compiling them.
//!
//! Compiling takes longer than rendering a large chart. What uses other words, is written wrongly or
//! does not accept the values is left to the checker, which knows all words and has the texts.

use object::json::Limits;
use object::{Map, Node};

/// Drafts in which these words mean the same.
const DRAFTS: [&str; 4] = [
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
];

/// Deepest nesting of a schema; what is looked at of values is no deeper. The checker reads none that
/// is deeper.
const DEPTH_MAX: usize = 127;

/// A schema that is plain and well written.
pub(super) struct Plain(Map);

impl Plain {
    pub fn read(text: &[u8]) -> Option<Self> {
        let limits = Limits {
            bytes_max: text.len(),
            depth_max: DEPTH_MAX,
        };
        let Ok(Node::Map(words)) = object::json::parse(text, limits) else {
            return None;
        };
        let draft = words.get("$schema").map(Node::as_str);
        let draft = draft.map(|draft| draft.unwrap_or_default().trim_end_matches('#'));
        let is_plain = draft.is_none_or(|draft| DRAFTS.contains(&draft))
            && words
                .iter()
                .all(|(word, said)| word == "$schema" || is_plain_word(word, said));
        is_plain.then_some(Self(words))
    }

    pub fn accepts(&self, values: &Map) -> bool {
        map_fits(&self.0, values)
    }
}

fn is_plain(schema: &Node) -> bool {
    match schema {
        Node::Bool(_) => true,
        Node::Map(words) => words.iter().all(|(word, said)| is_plain_word(word, said)),
        _ => false,
    }
}

fn is_plain_word(word: &str, said: &Node) -> bool {
    match (word, said) {
        ("default", _) => true,
        ("title" | "description" | "$comment", Node::String(_)) => true,
        ("examples", Node::List(_)) => true,
        ("type", Node::String(name)) => TYPES.contains(&name.as_str()),
        ("type", Node::List(names)) => {
            is_set_of_texts(names)
                && !names.is_empty()
                && texts(names).all(|name| TYPES.contains(&name))
        }
        ("enum", Node::List(values)) => is_set_of_texts(values) && !values.is_empty(),
        ("required", Node::List(names)) => is_set_of_texts(names),
        ("properties", Node::Map(properties)) => properties.values().all(is_plain),
        ("items" | "additionalProperties", schema) => is_plain(schema),
        _ => false,
    }
}

const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];

/// Whether all are texts and no two are equal; long lists are left to the checker.
fn is_set_of_texts(items: &[Node]) -> bool {
    const FEW: usize = 100;
    let is_new =
        |(at, item): (usize, &Node)| item.as_str().is_some() && !items[..at].contains(item);
    items.len() <= FEW && items.iter().enumerate().all(is_new)
}

fn texts(items: &[Node]) -> impl Iterator<Item = &str> {
    items.iter().filter_map(Node::as_str)
}

/// Whether a plain schema accepts a value.
fn fits(schema: &Node, value: &Node) -> bool {
    match (schema, value) {
        (Node::Map(words), Node::Map(entries)) => map_fits(words, entries),
        (Node::Map(words), value) => {
            let of_items = words.get("items");
            is_allowed(words, value)
                && value.as_list().is_none_or(|items| {
                    of_items.is_none_or(|of| items.iter().all(|item| fits(of, item)))
                })
        }
        (schema, _) => *schema == Node::Bool(true),
    }
}

fn map_fits(words: &Map, entries: &Map) -> bool {
    let required = words.get("required").and_then(Node::as_list);
    let properties = words.get("properties");
    is_allowed(words, &Node::Map(entries.clone()))
        && required.is_none_or(|names| texts(names).all(|name| entries.contains_key(name)))
        && entries.iter().all(|(key, value)| {
            let of = properties.and_then(|properties| properties.get(key));
            let of = of.or_else(|| words.get("additionalProperties"));
            of.is_none_or(|of| fits(of, value))
        })
}

/// Whether a value is of a type, and one of those, that the words name.
fn is_allowed(words: &Map, value: &Node) -> bool {
    let allowed = words.get("enum").and_then(Node::as_list);
    let type_fits = match words.get("type") {
        Some(Node::String(name)) => is_of_type(value, name),
        Some(Node::List(names)) => texts(names).any(|name| is_of_type(value, name)),
        _ => true,
    };
    type_fits && allowed.is_none_or(|allowed| allowed.contains(value))
}

fn is_of_type(value: &Node, name: &str) -> bool {
    match (name, value) {
        ("null", Node::Null)
        | ("boolean", Node::Bool(_))
        | ("string", Node::String(_))
        | ("array", Node::List(_))
        | ("object", Node::Map(_))
        | ("number" | "integer", Node::Int(_) | Node::Uint(_)) => true,
        ("number", Node::Float(number)) => number.is_finite(),
        ("integer", Node::Float(number)) => number.fract() == 0.0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Schemas and values, and whether they are left to the checker.
    #[test]
    fn only_plain_schemas_that_accept_are_decided_here() {
        let values = br#"{"a": {"b": [1, 2.0, 3]}, "c": "x", "d": null}"#;
        let values = object::json::parse(values, object::json::OBJECT_LIMITS);
        let Ok(Node::Map(values)) = values else {
            panic!("they are a map");
        };
        for (schema, accepted) in [
            (r#"{}"#, true),
            (
                r#"{"type": "object", "description": "all", "default": 1}"#,
                true,
            ),
            (r#"{"type": "array"}"#, false),
            (r#"{"type": ["array", "object"]}"#, true),
            (r#"{"required": ["a", "c"]}"#, true),
            (r#"{"required": ["a", "e"]}"#, false),
            (r#"{"properties": {"c": {"enum": ["x", "y"]}}}"#, true),
            (r#"{"properties": {"c": {"enum": ["y"]}}}"#, false),
            (
                r#"{"properties": {"a": {"properties": {"b": {"items": {"type": "integer"}}}}}}"#,
                true,
            ),
            (
                r#"{"properties": {"a": {"properties": {"b": {"items": {"type": "string"}}}}}}"#,
                false,
            ),
            (
                r#"{"properties": {"a": true, "c": true}, "additionalProperties": {"type": "null"}}"#,
                true,
            ),
            (
                r#"{"properties": {"a": true}, "additionalProperties": false}"#,
                false,
            ),
            (
                r#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#,
                true,
            ),
            // Words that are not known here, and words that are written wrongly.
            (
                r#"{"$schema": "http://json-schema.org/draft-04/schema#"}"#,
                false,
            ),
            (r#"{"$schema": 7}"#, false),
            (r#"{"minProperties": 1}"#, false),
            (r#"{"properties": {"z": {"$ref": "x"}}}"#, false),
            (r#"{"properties": {"z": {"type": "text"}}}"#, false),
            (r#"{"properties": {"z": {"title": 1}}}"#, false),
            (
                r#"{"properties": {"z": {"$schema": "https://json-schema.org/draft/2020-12/schema"}}}"#,
                false,
            ),
            (r#"{"properties": {"z": {"type": []}}}"#, false),
            (r#"{"properties": {"z": {"required": ["a", "a"]}}}"#, false),
            (r#"{"properties": {"z": {"items": [true]}}}"#, false),
            (r#"true"#, false),
            // No JSON.
            (r#"{"type": "object"} 1"#, false),
            (r#"{"type": "object",}"#, false),
            (r#"{"examples": [1e999]}"#, false),
        ] {
            let plain = Plain::read(schema.as_bytes());
            let accepts = plain.is_some_and(|schema| schema.accepts(&values));
            assert_eq!(accepts, accepted, "{schema}");
        }
    }
}
