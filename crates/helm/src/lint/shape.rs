//! Which keys a JSON schema knows.
//!
//! A reading of schemas that is good for suggestions, not for checking: all alternatives count at once,
//! and only references inside the document are followed.

use std::collections::BTreeSet;

use serde_json::Value;

/// Most schemas that are looked at for one map. The largest of public charts take a few hundred.
const SCHEMAS_MAX: usize = 2_000;

/// Keywords that hold one schema for the same value.
const SAME_ONE: [&str; 4] = ["then", "else", "not", "if"];

/// Keywords that hold several schemas for the same value.
const SAME_MANY: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// All schemas that may apply to a value.
#[derive(Clone, Debug)]
pub(super) struct Shape<'s> {
    root: &'s Value,
    schemas: Vec<&'s Value>,
    /// One of them allows any key.
    pub is_free: bool,
}

impl<'s> Shape<'s> {
    /// What a document says of the values themselves.
    pub(super) fn of(root: &'s Value) -> Self {
        Self::new(root, vec![root])
    }

    /// All that is meant by `open`: what it refers to, its alternatives.
    fn new(root: &'s Value, mut open: Vec<&'s Value>) -> Self {
        let mut schemas: Vec<&Value> = Vec::new();
        let mut is_free = open.is_empty();
        while let Some(schema) = open.pop() {
            if schemas.iter().any(|known| std::ptr::eq(*known, schema)) {
                continue;
            }
            let Value::Object(keywords) = schema else {
                is_free |= *schema == Value::Bool(true);
                continue;
            };
            if schemas.len() == SCHEMAS_MAX {
                is_free = true;
                break;
            }
            schemas.push(schema);
            for (keyword, inner) in keywords {
                match (keyword.as_str(), inner) {
                    ("$ref", Value::String(reference)) => match target(root, reference) {
                        Some(schema) => open.push(schema),
                        None => is_free = true,
                    },
                    ("$dynamicRef" | "$recursiveRef", _) => is_free = true,
                    (keyword, Value::Array(inner)) if SAME_MANY.contains(&keyword) => {
                        open.extend(inner);
                    }
                    (keyword, Value::Object(_)) if SAME_ONE.contains(&keyword) => open.push(inner),
                    ("dependentSchemas" | "dependencies", Value::Object(inner)) => {
                        open.extend(inner.values().filter(|inner| inner.is_object()));
                    }
                    _ => {}
                }
            }
            is_free |= allows_any_key(schema);
        }
        Self {
            root,
            schemas,
            is_free,
        }
    }

    /// The keys that are named.
    pub(super) fn names(&self) -> BTreeSet<&'s str> {
        let maps = self.schemas.iter().filter_map(|schema| {
            let properties = schema.get("properties")?.as_object()?;
            Some(properties.keys().map(String::as_str))
        });
        maps.flatten().collect()
    }

    /// What is said of the value of a key; `None` when nothing is.
    pub(super) fn below(&self, key: &str) -> Option<Self> {
        let named = self.schemas.iter();
        let named: Vec<&Value> = named
            .filter_map(|schema| schema.get("properties")?.get(key))
            .collect();
        (!named.is_empty()).then(|| Self::new(self.root, named))
    }

    /// Whether it is said that nobody should give this value any more.
    pub(super) fn is_deprecated(&self) -> bool {
        let deprecated = |schema: &&Value| schema.get("deprecated") == Some(&Value::Bool(true));
        self.schemas.iter().any(deprecated)
    }
}

/// Whether a schema lets keys pass that it does not name.
fn allows_any_key(schema: &Value) -> bool {
    let is_open = |keyword| match schema.get(keyword) {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Object(inner)) => inner.get("not") != Some(&Value::Object(Default::default())),
        Some(_) => true,
    };
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    let is_map = match schema.get("type") {
        Some(Value::String(one)) => one == "object",
        Some(Value::Array(many)) => many.iter().any(|one| one == "object"),
        _ => false,
    };
    let says_more = |keyword: &&str| schema.get(keyword).is_some();
    is_open("additionalProperties")
        || is_open("unevaluatedProperties")
        || patterns.is_some_and(|patterns| !patterns.is_empty())
        || is_map
            && schema.get("properties").is_none()
            && schema.get("additionalProperties") != Some(&Value::Bool(false))
            && !["$ref"].iter().chain(&SAME_MANY).any(says_more)
}

/// The schema that a reference inside the document leads to.
fn target<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    let fragment = reference.strip_prefix('#')?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return None;
    }
    root.pointer(&unescaped(fragment)?)
}

/// A text with its `%41` replaced.
fn unescaped(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}
