//! Values inside text.

use expr::Value;
use object::Node;

use super::TemplateErrorKind;
use super::functions::is_omitted;

/// Appends what `value` is inside a text: itself, a number, a boolean, else JSON.
///
/// JSON has its keys in order and `<`, `>` and `&` escaped, as Go writes it.
pub(super) fn push(value: &Value, out: &mut String) -> Result<(), TemplateErrorKind> {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Double(number) if number.is_nan() => out.push_str("NaN"),
        Value::Double(number) if number.is_infinite() => {
            out.push_str(if *number > 0.0 { "+Inf" } else { "-Inf" });
        }
        Value::Type(name) => out.push_str(name),
        Value::Optional(Some(inner)) => return push(inner, out),
        value if is_omitted(value) => return Err(TemplateErrorKind::OmittedInText),
        value => {
            let data = value.to_data(&is_omitted);
            match data.map_err(TemplateErrorKind::NoData)? {
                Some(Node::Float(number)) => {
                    out.push_str(&golang::strconv::format_float_g(number));
                }
                Some(mut node) => {
                    node.sort_keys();
                    push_json(&node, out);
                }
                None => return Err(TemplateErrorKind::OmittedInText),
            }
        }
    }
    Ok(())
}

fn push_json(node: &Node, out: &mut String) {
    let json = object::json::to_string(node);
    // These characters occur in strings only.
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
}
