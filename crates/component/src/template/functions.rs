//! The `oc_` functions.

use std::any::Any;
use std::sync::Arc;

use expr::{Extension, Opaque, Shape, Value};
use object::{Node, Text};

use crate::names::{LABEL_BYTES_MAX, NAME_BYTES_MAX, generate_name, short_hash};

/// What `oc_omit()` gives.
#[derive(Debug)]
struct Omitted;

impl Opaque for Omitted {
    fn type_name(&self) -> &'static str {
        "omit"
    }

    fn call(&self, _name: &str, _arguments: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Whether a value is what `oc_omit()` gives.
pub(super) fn is_omitted(value: &Value) -> bool {
    matches!(value, Value::Opaque(opaque) if opaque.as_any().is::<Omitted>())
}

#[derive(Debug)]
pub(super) struct Functions {
    /// Methods that values of the context have.
    methods: Vec<Text>,
    omitted: Value,
}

impl Functions {
    pub(super) fn new(methods: Vec<Text>) -> Self {
        Self {
            methods,
            omitted: Value::Opaque(Arc::new(Omitted)),
        }
    }
}

impl Extension for Functions {
    fn knows(&self, name: &str, member: bool) -> bool {
        match member {
            true => self.methods.iter().any(|own| own == name),
            false => matches!(
                name,
                "oc_omit" | "oc_merge" | "oc_generate_name" | "oc_dns_label" | "oc_hash"
            ),
        }
    }

    fn gives(&self, name: &str) -> Shape {
        match name {
            "oc_generate_name" | "oc_dns_label" | "oc_hash" => Shape::String,
            "oc_merge" => Shape::map(Shape::Dyn),
            _ => Shape::Dyn,
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        match name {
            "oc_omit" => match arguments {
                [] => Ok(self.omitted.clone()),
                _ => Err("oc_omit takes no arguments".into()),
            },
            "oc_merge" => merge(arguments),
            "oc_generate_name" => generated(name, NAME_BYTES_MAX, arguments),
            "oc_dns_label" => generated(name, LABEL_BYTES_MAX, arguments),
            "oc_hash" => match arguments {
                [Value::String(text)] => Ok(Value::string(short_hash(text))),
                _ => Err("oc_hash takes one text".into()),
            },
            // Values that have the method were asked before.
            _ => Err(match arguments {
                [receiver, ..] => format!(
                    "{name} is no method of a value of type {}, or not for these arguments",
                    receiver.type_name()
                ),
                [] => format!("{name} is no function"),
            }),
        }
    }
}

/// The entries of all maps; of equal keys the last counts, at the place of the first. What is
/// omitted is an empty map here.
fn merge(maps: &[Value]) -> Result<Value, String> {
    if maps.len() < 2 {
        return Err("oc_merge requires at least 2 arguments".into());
    }
    let mut keys: std::collections::HashMap<Text, usize> = std::collections::HashMap::new();
    let mut entries: Vec<(Text, Value)> = Vec::new();
    for value in maps {
        let Value::Map(map) = value else {
            let found = value.type_name();
            return Err(format!("oc_merge takes maps, not a value of type {found}"));
        };
        for (key, value) in map.iter() {
            let Value::String(key) = key else {
                return Err("oc_merge takes maps with text keys".into());
            };
            let value = match is_omitted(&value) {
                true => Value::from(&Node::map()),
                false => value,
            };
            match keys.get(&key) {
                Some(at) => entries[*at].1 = value,
                None => {
                    keys.insert(key.clone(), entries.len());
                    entries.push((key, value));
                }
            }
        }
    }
    Ok(Value::map(entries))
}

/// One text, one list, or several values, of which the first is a text; others that are no text
/// are skipped.
fn generated(name: &str, limit: usize, arguments: &[Value]) -> Result<Value, String> {
    let items: Vec<Value> = match arguments {
        [Value::List(list)] => list.iter().collect(),
        [other] if other.as_str().is_none() => {
            let found = other.type_name();
            return Err(format!(
                "{name} takes texts or a list of them, not a value of type {found}"
            ));
        }
        several => several.to_vec(),
    };
    match items.first() {
        None => return Err(format!("{name} takes at least one text")),
        Some(first) if first.as_str().is_none() => {
            let found = first.type_name();
            return Err(format!(
                "{name} takes texts, and the first is a value of type {found}"
            ));
        }
        Some(_) => {}
    }
    let parts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
    Ok(Value::string(generate_name(limit, &parts)))
}
