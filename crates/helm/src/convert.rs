//! Between values of objects and values of templates.

use gotemplate::{List, Map, MapType, Str, Value};
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

/// A value of an object; `None` for what contains itself or is nested deeper than
/// [`functions::DEPTH_MAX`](crate::functions::DEPTH_MAX).
///
/// Bytes become base64, values with methods what JSON has in their place, and text that is not
/// UTF-8 gets U+FFFD.
pub fn to_node(value: &Value) -> Option<Node> {
    node(value, 0)
}

fn node(value: &Value, depth: usize) -> Option<Node> {
    if depth > crate::functions::DEPTH_MAX {
        return None;
    }
    Some(match value {
        Value::Nil => Node::Null,
        Value::Bool(value) => Node::Bool(*value),
        Value::Int(number, _) => Node::Int(*number),
        Value::Uint(number, _) => match i64::try_from(*number) {
            Ok(number) => Node::Int(number),
            Err(_) => Node::Uint(*number),
        },
        Value::Float(number) => Node::Float(*number),
        Value::String(text) => Node::String(text.to_text().into()),
        Value::Bytes(bytes) => golang::base64::encode(bytes).into(),
        Value::List(list) if list.is_nil() => Node::Null,
        Value::List(list) => list_node(list, depth)?,
        Value::Map(map) => {
            let mut out = object::Map::new();
            for (key, value) in map.entries().iter() {
                out.insert(key.to_text().into_owned(), node(value, depth + 1)?);
            }
            Node::Map(out)
        }
        Value::Host(host) => match host.json().or_else(|| host.contents()) {
            Some(value) => node(&value, depth + 1)?,
            None => host.display().into(),
        },
    })
}

fn list_node(list: &List, depth: usize) -> Option<Node> {
    let items = list.items().iter().map(|item| node(item, depth + 1));
    Some(items.collect::<Option<Vec<_>>>()?.into())
}
