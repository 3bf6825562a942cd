//! How much work a schema makes, before any of it is done.
//!
//! Schemas refer to each other, so a few lines can ask for more checks than there is time for, or
//! for a chain longer than the stack. This walks the same pairs of schema and value as the checker,
//! each once, and adds up how often each would be visited. It knows references inside the document
//! only; nothing else is fetched.

use std::collections::HashMap;

use serde_json::Value;

/// Most visits of a schema to a value. Schemas of public charts make a few ten thousand.
const VISITS_MAX: u64 = 10_000_000;

/// Longest chain of schemas that lead to each other, each a few kilobytes on the stack.
const DEPTH_MAX: usize = 200;

/// Whether `schema` asks for too much when it is applied to `value`.
pub(super) fn is_excessive(schema: &Value, value: &Value) -> bool {
    let mut names = HashMap::new();
    collect_names(schema, &mut names);
    let mut walk = Walk {
        root: schema,
        names,
        visits: HashMap::new(),
        too_deep: false,
    };
    walk.visit(schema, value, 0) > VISITS_MAX || walk.too_deep
}

struct Walk<'a> {
    root: &'a Value,
    /// Schemas by `$id` and `$anchor`.
    names: HashMap<&'a str, &'a Value>,
    /// Visits by the addresses of schema and value; none while they are being counted, since the
    /// checker stops at circles itself.
    visits: HashMap<(usize, usize), u64>,
    too_deep: bool,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, schema: &'a Value, value: &'a Value, depth: usize) -> u64 {
        let Value::Object(keywords) = schema else {
            return 1;
        };
        let key = (address(schema), address(value));
        if let Some(&visits) = self.visits.get(&key) {
            return visits;
        }
        if depth > DEPTH_MAX || self.visits.len() as u64 > VISITS_MAX / 10 {
            self.too_deep = true;
        }
        if self.too_deep {
            return VISITS_MAX;
        }
        self.visits.insert(key, 0);
        let mut visits: u64 = 1;
        for (keyword, inner) in keywords {
            let added = match (&**keyword, value) {
                ("$ref" | "$dynamicRef" | "$recursiveRef", _) => {
                    let target = inner.as_str().and_then(|name| self.resolve(name));
                    target.map_or(0, |target| self.visit(target, value, depth + 1))
                }
                ("allOf" | "anyOf" | "oneOf", _) => self.each(inner, value, depth),
                ("not" | "if" | "then" | "else", _) => self.visit(inner, value, depth + 1),
                ("dependentSchemas" | "dependencies", _) => self.each(inner, value, depth),
                ("properties", Value::Object(map)) => {
                    let pairs = map
                        .iter()
                        .filter_map(|(name, value)| Some((inner.get(name)?, value)));
                    let pairs: Vec<_> = pairs.collect();
                    self.all(pairs, depth)
                }
                ("patternProperties", Value::Object(map)) => {
                    let below = map.values().map(|value| self.each(inner, value, depth));
                    below.fold(0, u64::saturating_add)
                }
                (
                    "additionalProperties" | "unevaluatedProperties" | "propertyNames",
                    Value::Object(map),
                ) => self.all(map.values().map(|value| (inner, value)).collect(), depth),
                ("items" | "prefixItems", Value::Array(items)) if inner.is_array() => {
                    let schemas = inner.as_array().into_iter().flatten();
                    self.all(schemas.zip(items).collect(), depth)
                }
                (
                    "items" | "additionalItems" | "contains" | "unevaluatedItems",
                    Value::Array(items),
                ) => self.all(items.iter().map(|value| (inner, value)).collect(), depth),
                _ => 0,
            };
            visits = visits.saturating_add(added);
        }
        self.visits.insert(key, visits);
        visits
    }

    fn all(&mut self, pairs: Vec<(&'a Value, &'a Value)>, depth: usize) -> u64 {
        let visits = pairs
            .into_iter()
            .map(|(schema, value)| self.visit(schema, value, depth + 1));
        visits.fold(0, u64::saturating_add)
    }

    /// Every schema of a list or map, applied to the same value.
    fn each(&mut self, schemas: &'a Value, value: &'a Value, depth: usize) -> u64 {
        let schemas: Vec<&Value> = match schemas {
            Value::Array(items) => items.iter().collect(),
            Value::Object(map) => map.values().collect(),
            _ => return 0,
        };
        self.all(
            schemas.into_iter().map(|schema| (schema, value)).collect(),
            depth,
        )
    }

    fn resolve(&self, name: &str) -> Option<&'a Value> {
        let (document, fragment) = name.split_once('#').unwrap_or((name, ""));
        let base = match document {
            "" => self.root,
            _ => self.named(document)?,
        };
        if fragment.is_empty() {
            return Some(base);
        }
        if !fragment.starts_with('/') {
            return self.named(fragment);
        }
        let fragment = fragment.replace("%25", "%").replace("%22", "\"");
        base.pointer(&fragment)
    }

    fn named(&self, name: &str) -> Option<&'a Value> {
        let last = name.rsplit('/').next().unwrap_or(name);
        self.names
            .get(name)
            .or_else(|| self.names.get(last))
            .copied()
    }
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value) as usize
}

fn collect_names<'a>(value: &'a Value, names: &mut HashMap<&'a str, &'a Value>) {
    match value {
        Value::Object(map) => {
            for keyword in ["$id", "id", "$anchor", "$dynamicAnchor"] {
                if let Some(name) = map.get(keyword).and_then(Value::as_str) {
                    let name = name.trim_end_matches('#').trim_start_matches('#');
                    names.insert(name, value);
                    names.insert(name.rsplit('/').next().unwrap_or(name), value);
                }
            }
            map.values().for_each(|value| collect_names(value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_names(value, names)),
        _ => {}
    }
}
