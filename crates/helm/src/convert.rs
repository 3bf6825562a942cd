//! Values of objects as values of templates.

use gotemplate::{Map, MapType, Str, Value};
use object::Node;

/// A value for templates. Whole numbers are `int64`, as `--set` makes them; numbers of files are
/// floats already.
pub fn to_value(node: &Node) -> Value {
    value(node, &|number| Value::int64(number))
}

/// A value for templates of what JSON or YAML said: every number is a `float64`.
pub fn decoded(node: &Node) -> Value {
    value(node, &|number| Value::Float(number as f64))
}

fn value(node: &Node, whole: &impl Fn(i64) -> Value) -> Value {
    match node {
        Node::Null => Value::Nil,
        Node::Bool(value) => Value::Bool(*value),
        Node::Int(number) => whole(*number),
        Node::Uint(number) => Value::Float(*number as f64),
        Node::Float(number) => Value::Float(*number),
        Node::String(text) => text.as_str().into(),
        Node::List(items) => {
            let items = items.iter().map(|item| value(item, whole));
            Value::list(items.collect::<Vec<_>>())
        }
        Node::Map(map) => Value::Map(entries(map, whole)),
    }
}

/// A map for templates, of a type with methods or without.
pub fn to_map(map: &object::Map, of: MapType) -> Map {
    entries(map, &|number| Value::int64(number)).as_type(of)
}

fn entries(map: &object::Map, whole: &impl Fn(i64) -> Value) -> Map {
    map.iter()
        .map(|(key, item)| (Str::from(key.as_str()), value(item, whole)))
        .collect()
}
