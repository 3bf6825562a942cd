//! Values as Go's `fmt` prints them, for messages.

use object::Node;

/// `%v`.
pub(crate) fn shown(node: &Node) -> String {
    let mut out = String::new();
    write(node, &mut out);
    out
}

fn write(node: &Node, out: &mut String) {
    match node {
        Node::Null => out.push_str("<nil>"),
        Node::Bool(value) => out.push_str(&value.to_string()),
        Node::Int(value) => out.push_str(&value.to_string()),
        Node::Uint(value) => out.push_str(&value.to_string()),
        Node::Float(value) => out.push_str(&golang::strconv::format_float_g(*value)),
        Node::String(text) => out.push_str(text),
        Node::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                write(item, out);
            }
            out.push(']');
        }
        Node::Map(map) => {
            out.push_str("map[");
            for (at, (key, value)) in crate::decode::sorted(map).enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                out.push_str(key);
                out.push(':');
                write(value, out);
            }
            out.push(']');
        }
    }
}

/// `%T`.
pub(crate) fn type_shown(node: &Node) -> &'static str {
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

/// `%t`, which is meant for booleans and says so for everything else.
pub(crate) fn shown_as_bool(node: &Node) -> String {
    match node {
        Node::Null => "%!t(<nil>)".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::List(items) => {
            let items: Vec<String> = items.iter().map(shown_as_bool).collect();
            format!("[{}]", items.join(" "))
        }
        Node::Map(map) => {
            let entries = crate::decode::sorted(map);
            let entries =
                entries.map(|(key, value)| format!("%!t(string={key}):{}", shown_as_bool(value)));
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
        _ => format!("%!t({}={})", type_shown(node), shown(node)),
    }
}
