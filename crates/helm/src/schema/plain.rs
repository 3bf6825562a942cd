//! Schemas of the plainest words, such as generators make them of default values: which values they
//! accept, without compiling them.
//!
//! Compiling takes longer than rendering a large chart. What uses other words, is written wrongly or
//! does not accept the values is left to the checker, which knows all words and has the texts.

use serde_json::{Map, Value};

/// Drafts in which these words mean the same.
const DRAFTS: [&str; 4] = [
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
];

/// Whether `schema` is plain, well written and accepts `value`. A document is nested less than 128
/// deep, and so is what is looked at of the value.
pub(super) fn accepts(schema: &Value, value: &Value) -> bool {
    let Value::Object(words) = schema else {
        return false;
    };
    let draft = words.get("$schema").map(Value::as_str);
    let draft = draft.map(|draft| draft.unwrap_or_default().trim_end_matches('#'));
    draft.is_none_or(|draft| DRAFTS.contains(&draft))
        && words
            .iter()
            .all(|(word, said)| word == "$schema" || is_plain_word(word, said))
        && fits(schema, value)
}

fn is_plain(schema: &Value) -> bool {
    match schema {
        Value::Bool(_) => true,
        Value::Object(words) => words.iter().all(|(word, said)| is_plain_word(word, said)),
        _ => false,
    }
}

fn is_plain_word(word: &str, said: &Value) -> bool {
    match (word, said) {
        ("default", _) => true,
        ("title" | "description" | "$comment", Value::String(_)) => true,
        ("examples", Value::Array(_)) => true,
        ("type", Value::String(name)) => TYPES.contains(&name.as_str()),
        ("type", Value::Array(names)) => {
            is_set_of_texts(names)
                && !names.is_empty()
                && texts(names).all(|name| TYPES.contains(&name))
        }
        ("enum", Value::Array(values)) => is_set_of_texts(values) && !values.is_empty(),
        ("required", Value::Array(names)) => is_set_of_texts(names),
        ("properties", Value::Object(properties)) => properties.values().all(is_plain),
        ("items" | "additionalProperties", schema) => is_plain(schema),
        _ => false,
    }
}

const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];

/// Whether all are texts and no two are equal; long lists are left to the checker.
fn is_set_of_texts(items: &[Value]) -> bool {
    const FEW: usize = 100;
    let is_new = |(at, item): (usize, &Value)| item.is_string() && !items[..at].contains(item);
    items.len() <= FEW && items.iter().enumerate().all(is_new)
}

fn texts(items: &[Value]) -> impl Iterator<Item = &str> {
    items.iter().filter_map(Value::as_str)
}

/// Whether a plain schema accepts a value.
fn fits(schema: &Value, value: &Value) -> bool {
    let words = match schema {
        Value::Object(words) => words,
        _ => return *schema == Value::Bool(true),
    };
    let type_fits = match words.get("type") {
        Some(Value::String(name)) => is_of_type(value, name),
        Some(Value::Array(names)) => texts(names).any(|name| is_of_type(value, name)),
        _ => true,
    };
    let allowed = words.get("enum").and_then(Value::as_array);
    type_fits
        && allowed.is_none_or(|allowed| allowed.contains(value))
        && match value {
            Value::Object(entries) => entries_fit(words, entries),
            Value::Array(items) => {
                let of = words.get("items");
                of.is_none_or(|of| items.iter().all(|item| fits(of, item)))
            }
            _ => true,
        }
}

fn entries_fit(words: &Map<String, Value>, entries: &Map<String, Value>) -> bool {
    let required = words.get("required").and_then(Value::as_array);
    let properties = words.get("properties");
    required.is_none_or(|names| texts(names).all(|name| entries.contains_key(name)))
        && entries.iter().all(|(key, value)| {
            let of = properties.and_then(|properties| properties.get(key));
            let of = of.or_else(|| words.get("additionalProperties"));
            of.is_none_or(|of| fits(of, value))
        })
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64()
                || value.is_u64()
                || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Schemas and values, and whether they are left to the checker.
    #[test]
    fn only_plain_schemas_that_accept_are_decided_here() {
        let values = r#"{"a": {"b": [1, 2.0, 3]}, "c": "x", "d": null}"#;
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
        ] {
            let value = |text| serde_json::from_str(text).expect("JSON");
            assert_eq!(
                accepts(&value(schema), &value(values)),
                accepted,
                "{schema}"
            );
        }
    }
}
