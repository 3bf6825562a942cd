//! Equality, order and Go's notation of values.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::sync::Arc;

use object::{Map, Node, json};

/// Whether both are the same value; integers and floats are equal when their numbers are.
pub fn same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::List(a), Node::List(b)) => {
            Arc::ptr_eq(a, b)
                || (a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)))
        }
        (Node::Map(a), Node::Map(b)) => same_maps(a, b),
        (Node::Int(a), Node::Float(b)) | (Node::Float(b), Node::Int(a)) => *a as f64 == *b,
        _ => a == b,
    }
}

fn same_maps(a: &Map, b: &Map) -> bool {
    if a.same(b) {
        return true;
    }
    a.len() == b.len()
        && zip(a, b).all(|(_, a, b)| matches!((a, b), (Some(a), Some(b)) if same(a, b)))
}

/// Whether both are one allocation, so equal without a look inside.
pub(crate) fn shared(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::List(a), Node::List(b)) => Arc::ptr_eq(a, b),
        (Node::Map(a), Node::Map(b)) => a.same(b),
        _ => false,
    }
}

/// The keys of both maps with their values, those of `left` first.
///
/// Maps that descend from one another keep their keys at the same places, so those are tried
/// before a search.
pub(crate) fn zip<'a>(
    left: &'a Map,
    right: &'a Map,
) -> impl Iterator<Item = (&'a str, Option<&'a Node>, Option<&'a Node>)> {
    let mut hint = right.iter();
    let both = left.iter().map(move |(key, value)| {
        let other = match hint.next() {
            Some((other_key, other)) if other_key == key => Some(other),
            _ => right.get(key),
        };
        (key.as_str(), Some(value), other)
    });
    let only_right = right
        .iter()
        .filter(|(key, _)| !left.contains_key(key))
        .map(|(key, value)| (key.as_str(), None, Some(value)));
    both.chain(only_right)
}

/// The order of path elements that hold values: numbers, text, booleans, lists, maps, null.
pub(crate) fn compare(a: &Node, b: &Node) -> Ordering {
    match (a, b) {
        (Node::Int(a), Node::Int(b)) => a.cmp(b),
        (Node::Int(_) | Node::Float(_), Node::Int(_) | Node::Float(_)) => {
            let numbers = (a.as_f64(), b.as_f64());
            let (Some(a), Some(b)) = numbers else {
                return Ordering::Equal;
            };
            a.partial_cmp(&b).unwrap_or(Ordering::Equal)
        }
        (Node::String(a), Node::String(b)) => a.cmp(b),
        (Node::Bool(a), Node::Bool(b)) => a.cmp(b),
        (Node::List(a), Node::List(b)) => {
            let items = a.iter().zip(b.iter()).map(|(a, b)| compare(a, b));
            first_difference(items).then(a.len().cmp(&b.len()))
        }
        (Node::Map(a), Node::Map(b)) => {
            let (mut a_keys, mut b_keys): (Vec<_>, Vec<_>) =
                (a.iter().collect(), b.iter().collect());
            a_keys.sort_by(|a, b| a.0.cmp(b.0));
            b_keys.sort_by(|a, b| a.0.cmp(b.0));
            let entries = a_keys.iter().zip(&b_keys);
            let entries = entries.map(|(a, b)| a.0.cmp(b.0).then_with(|| compare(a.1, b.1)));
            first_difference(entries).then(a.len().cmp(&b.len()))
        }
        _ => rank(a).cmp(&rank(b)),
    }
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn rank(node: &Node) -> u8 {
    match node {
        Node::Int(_) | Node::Uint(_) | Node::Float(_) => 0,
        Node::String(_) => 1,
        Node::Bool(_) => 2,
        Node::List(_) => 3,
        Node::Map(_) => 4,
        Node::Null => 5,
    }
}

/// The value as Go's `%v` prints it, with map keys in order: `map[a:1 b:[x y]]`.
pub(crate) fn go_plain(node: &Node, out: &mut String) {
    match node {
        Node::Null => out.push_str("<nil>"),
        Node::Bool(_) | Node::Int(_) | Node::Uint(_) => json::write(node, out),
        Node::Float(value) => go_float(*value, out),
        Node::String(text) => out.push_str(text),
        Node::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                go_plain(item, out);
            }
            out.push(']');
        }
        Node::Map(map) => {
            out.push_str("map[");
            for (at, (key, value)) in sorted(map).into_iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                out.push_str(key);
                out.push(':');
                go_plain(value, out);
            }
            out.push(']');
        }
    }
}

/// The value as Go's `%#v` prints it: `map[string]interface {}{"a":1}`.
pub(crate) fn go_syntax(node: &Node, out: &mut String) {
    match node {
        Node::Null => out.push_str("interface {}(nil)"),
        Node::Bool(_) | Node::Int(_) | Node::Uint(_) => json::write(node, out),
        Node::Float(value) => go_float(*value, out),
        Node::String(text) => out.push_str(&go_quote(text)),
        Node::List(items) => {
            out.push_str("[]interface {}{");
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                go_syntax(item, out);
            }
            out.push('}');
        }
        Node::Map(map) => {
            out.push_str("map[string]interface {}{");
            for (at, (key, value)) in sorted(map).into_iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                out.push_str(&go_quote(key));
                out.push(':');
                go_syntax(value, out);
            }
            out.push('}');
        }
    }
}

/// Name of the Go type that holds such a value after decoding JSON.
pub(crate) fn go_type(node: &Node) -> &'static str {
    match node {
        Node::Null => "<nil>",
        Node::Bool(_) => "bool",
        Node::Int(_) => "int64",
        Node::Uint(_) => "uint64",
        Node::Float(_) => "float64",
        Node::String(_) => "string",
        Node::List(_) => "[]interface {}",
        Node::Map(_) => "map[string]interface {}",
    }
}

/// A Go float as `%v` prints it: an exponent from 1e21 and below 1e-4.
fn go_float(value: f64, out: &mut String) {
    let plain = value == 0.0 || (1e-4..1e21).contains(&value.abs());
    let written = if plain {
        write!(out, "{value}")
    } else {
        let text = format!("{value:e}");
        match text.split_once("e-") {
            Some((digits, exponent)) => write!(out, "{digits}e-{exponent:0>2}"),
            None => write!(out, "{}", text.replacen('e', "e+", 1)),
        }
    };
    written.expect("a String takes every write");
}

/// `text` in double quotes as Go's `%q` prints it.
pub(crate) fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..' ' | '\u{7f}' => {
                write!(out, "\\x{:02x}", char as u32).expect("a String takes every write");
            }
            _ => out.push(char),
        }
    }
    out.push('"');
    out
}

fn sorted(map: &Map) -> Vec<(&str, &Node)> {
    let mut entries: Vec<_> = map
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    entries.sort_by_key(|(key, _)| *key);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> Node {
        json::parse(text.as_bytes(), json::OBJECT_LIMITS).unwrap()
    }

    #[test]
    fn numbers_are_equal_whatever_their_notation_and_text_never_is() {
        assert!(same(&node("[1, {\"a\": 2}]"), &node("[1.0, {\"a\": 2.0}]")));
        assert!(!same(&node("\"1\""), &node("1")));
        assert!(!same(&node("{\"a\": 1}"), &node("{\"b\": 1}")));
    }

    #[test]
    fn go_prints_values_its_own_way() {
        let value = node(r#"{"b": [1, "x", null], "a": {"c": 2.5}}"#);
        let (mut plain, mut syntax) = (String::new(), String::new());
        go_plain(&value, &mut plain);
        go_syntax(&value, &mut syntax);
        assert_eq!(plain, "map[a:map[c:2.5] b:[1 x <nil>]]");
        assert_eq!(
            syntax,
            r#"map[string]interface {}{"a":map[string]interface {}{"c":2.5}, "b":[]interface {}{1, "x", interface {}(nil)}}"#
        );
    }
}
