//! What a tree means once it is finished: the value that is printed.
//!
//! The reference writes the tree as YAML 1.2 text, reads that as a value, and prints the value. The
//! text in between decides what a node means when its tag, its style and its text disagree: a tag
//! that the text would have anyway is dropped, so a quoted integer is text; any other tag stays.
//!
//! # Source
//! yaml/go-yaml v3 `encode.go` (`node`), `resolve.go`; kubernetes-sigs/kustomize `kyaml/yaml/rnode.go`
//! (`MarshalJSON`).

use std::collections::{HashMap, HashSet};

use golang::strconv;
use object::{Map, Node as Value, Text};
use yaml::{EmitOptions, Kind, Limits, Node, Style, tag};

/// The value of a finished tree.
///
/// # Errors
/// A value that its tag does not allow, a key twice in one map, a key that is not text, or a number
/// JSON does not have; in the reference's words.
pub(crate) fn to_value(node: &Node) -> Result<Value, String> {
    match node.kind {
        Kind::Mapping => mapping(node, node.style.has(Style::FLOW), true),
        _ => value(node, false),
    }
}

/// The value of a node in a list or map that is written in brackets, or in none.
fn value(node: &Node, in_flow: bool) -> Result<Value, String> {
    let flow = in_flow || node.style.has(Style::FLOW);
    match node.kind {
        Kind::Mapping => mapping(node, flow, false),
        Kind::Sequence => node
            .content
            .iter()
            .map(|item| value(item, flow))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::from),
        Kind::Scalar if node.style.has(Style::FOLDED) && !in_flow => {
            let text = refolded(node);
            match text == node.value {
                true => scalar(node),
                false => scalar(&Node {
                    value: text,
                    ..node.clone()
                }),
            }
        }
        // Nor can it write a colon in brackets without quotes, which make a text of a time.
        Kind::Scalar
            if in_flow
                && node.style == Style::PLAIN
                && matches!(node.tag.as_str(), "" | "!" | tag::STR | tag::TIMESTAMP)
                && node.value.contains(':') =>
        {
            readable(&node.value).map(Value::String)
        }
        Kind::Scalar if !in_flow && is_unreadable_block(node) => {
            Err("yaml: found a tab character where an indentation space is expected".into())
        }
        // go-yaml writes a value that is not there as '' in brackets, and reads that as text.
        Kind::Scalar if in_flow && node.value.is_empty() && node.style == Style::PLAIN => {
            Ok(Value::String(Text::default()))
        }
        Kind::Scalar => scalar(node),
        Kind::Alias => Err(format!("yaml: unknown anchor '{}' referenced", node.value)),
    }
}

fn is_text_key(key: &Node) -> bool {
    let tag = match key.tag.as_str() {
        "" | "!" => implicit_tag(&key.value),
        tag => tag,
    };
    let other = matches!(
        tag,
        tag::NULL | tag::BOOL | tag::INT | tag::FLOAT | tag::TIMESTAMP
    );
    key.style.is_quoted() || !other
}

/// The text, if go-yaml can read it back from JSON.
fn readable(text: &Text) -> Result<Text, String> {
    let refused =
        |c: char| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}'..='\u{ffff}');
    let suspicious = text.bytes().any(|byte| byte >= 0x7f);
    match suspicious && text.chars().any(refused) {
        true => Err("yaml: control characters are not allowed".into()),
        false => Ok(text.clone()),
    }
}

/// A key that stands twice in one map.
pub(crate) struct RepeatedKey {
    pub key: Text,
    pub line: u32,
    pub column: u32,
    /// Where the map has it first.
    pub first_line: u32,
}

/// Begins go-yaml's message about keys that are repeated, before the line of the first.
const REPEATED: &str = "yaml: unmarshal errors:\n  ";

fn already_defined(key: &str, line: u32, first_line: u32) -> String {
    format!("line {line}: mapping key {key:?} already defined at line {first_line}")
}

/// Most repeated keys that are told of one object.
const REPEATED_MAX: usize = 20;

/// Every key of a tree that repeats another, in the order of the tree, with the reference's message.
pub(crate) fn repeated_keys(node: &Node) -> (Vec<RepeatedKey>, String) {
    let mut found = Vec::new();
    find_repeated(node, &mut found);
    let line = |found: &RepeatedKey| already_defined(&found.key, found.line, found.first_line);
    let lines: Vec<String> = found.iter().map(line).collect();
    let text = format!("{REPEATED}{}", lines.join("\n  "));
    (found, text)
}

fn find_repeated(node: &Node, found: &mut Vec<RepeatedKey>) {
    let mut first: HashMap<&str, u32> = HashMap::new();
    for (key, _) in node.pairs().filter(|(key, _)| key.kind == Kind::Scalar) {
        if let Some(first_line) = first.get(key.value.as_str()) {
            found.push(RepeatedKey {
                key: key.value.clone(),
                line: key.line,
                column: key.column,
                first_line: *first_line,
            });
        } else {
            first.insert(&key.value, key.line);
        }
        if found.len() >= REPEATED_MAX {
            return;
        }
    }
    for child in &node.content {
        find_repeated(child, found);
    }
}

/// Maps larger than this find repeated keys with a set instead of by scanning.
const SCAN_MAX: usize = 32;

/// The value of a map; at the top of an object keys keep their text, whatever it reads as.
fn mapping(node: &Node, flow: bool, top: bool) -> Result<Value, String> {
    let pairs = node.content.len() / 2;
    let mut map = Map::with_capacity(pairs);
    let mut seen: HashSet<&str> = HashSet::new();
    for (at, (key, value)) in node.pairs().enumerate() {
        // However it is written, go-yaml takes it for a merge key, and finds nothing to merge.
        if key.value == "<<" && value.kind == Kind::Scalar {
            continue;
        }
        if top && key.kind == Kind::Scalar && key.tag == tag::NULL {
            let text = already_defined(&key.value, key.line, key.line.saturating_sub(1));
            return Err(format!("{REPEATED}{text}"));
        }
        let name = match key.kind {
            Kind::Scalar if top || is_text_key(key) => readable(&key.value)?,
            _ => return Err("json: unsupported type: map[interface {}]interface {}".into()),
        };
        let repeated = match pairs > SCAN_MAX {
            true => !seen.insert(&key.value),
            false => node
                .pairs()
                .take(at)
                .any(|(before, _)| before.value == key.value),
        };
        if repeated {
            let first = node.pairs().find(|(before, _)| before.value == key.value);
            let first_line = first.map_or(0, |(before, _)| before.line);
            let text = already_defined(&key.value, key.line, first_line);
            return Err(format!("{REPEATED}{text}"));
        }
        map.insert(name, self::value(value, flow)?);
    }
    Ok(Value::Map(map))
}

/// Whether go-yaml writes a text as a block that it cannot read: the first line begins with a tab.
fn is_unreadable_block(node: &Node) -> bool {
    let quoted = node.style.has(Style::DOUBLE_QUOTED) || node.style.has(Style::SINGLE_QUOTED);
    !quoted && node.value.starts_with('\t') && node.value.contains('\n')
}

/// What is read back of a folded text after go-yaml wrote it, whose writer of folded texts is wrong
/// about which line breaks to double.
fn refolded(node: &Node) -> Text {
    let plain = Node {
        tag: Text::new_static(tag::STR),
        style: Style::FOLDED,
        ..Node::scalar(node.value.clone())
    };
    let written = yaml::emit(
        &[Node::mapping([(Node::scalar("k"), plain)])],
        &EmitOptions::default(),
    );
    let read = yaml::parse(&written, &Limits::default()).ok();
    let read = read.and_then(|documents| Some(documents.first()?.get("k")?.value.clone()));
    read.unwrap_or_else(|| node.value.clone())
}

fn scalar(node: &Node) -> Result<Value, String> {
    let value = typed(node)?;
    if let Value::String(text) = &value {
        readable(text)?;
    }
    Ok(value)
}

fn typed(node: &Node) -> Result<Value, String> {
    let text = &node.value;
    let tag = node.tag.as_str();
    if tag == tag::STR {
        return Ok(Value::String(text.clone()));
    }
    if tag.is_empty() || tag == "!" {
        if node.style.is_quoted() || text.contains('\n') || tag == "!" {
            return Ok(Value::String(text.clone()));
        }
        return resolved(text, implicit_tag(text));
    }
    let implicit = implicit_tag(text);
    if implicit == tag {
        return match node.style.is_quoted() {
            true if !node.style.has(Style::TAGGED) => Ok(Value::String(text.clone())),
            _ => resolved(text, implicit),
        };
    }
    match tag {
        tag::FLOAT if implicit == tag::INT => resolved(text, tag::INT),
        tag::BINARY => binary(text),
        tag::NULL | tag::BOOL | tag::INT | tag::FLOAT | tag::TIMESTAMP => Err(format!(
            "yaml: cannot decode {implicit} `{text}` as a {tag}"
        )),
        _ => Ok(Value::String(text.clone())),
    }
}

/// The tag a plain scalar has by YAML 1.2 rules.
fn implicit_tag(text: &str) -> &'static str {
    let probe = Node::scalar(text);
    match probe.resolved_tag() {
        tag::NULL => tag::NULL,
        tag::BOOL => tag::BOOL,
        tag::INT => tag::INT,
        tag::FLOAT => tag::FLOAT,
        tag::TIMESTAMP => tag::TIMESTAMP,
        tag::MERGE => tag::MERGE,
        _ => tag::STR,
    }
}

fn resolved(text: &Text, tag: &str) -> Result<Value, String> {
    Ok(match tag {
        tag::NULL => Value::Null,
        tag::BOOL => Value::Bool(text.eq_ignore_ascii_case("true")),
        tag::INT => integer(text),
        tag::FLOAT => return float(text),
        tag::TIMESTAMP => Value::String(timestamp(text).unwrap_or_else(|| text.clone())),
        _ => Value::String(text.clone()),
    })
}

fn integer(text: &str) -> Value {
    let plain = text.replace('_', "");
    if let Ok(value) = strconv::parse_int(&plain, 0) {
        return Value::Int(value);
    }
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain.as_str()),
    };
    for (prefix, base) in [("0b", 2), ("0o", 8)] {
        if let Some(digits) = digits.strip_prefix(prefix)
            && let Ok(value) = i64::from_str_radix(&format!("{sign}{digits}"), base)
        {
            return Value::Int(value);
        }
    }
    strconv::parse_uint(&plain, 0).map_or(Value::Float(f64::NAN), Value::Uint)
}

fn float(text: &str) -> Result<Value, String> {
    let plain = text.replace('_', "");
    let value = match plain.to_ascii_lowercase().as_str() {
        ".inf" | "+.inf" => return Err("json: unsupported value: +Inf".into()),
        "-.inf" => return Err("json: unsupported value: -Inf".into()),
        ".nan" => return Err("json: unsupported value: NaN".into()),
        _ => strconv::parse_float(&plain).unwrap_or(f64::NAN),
    };
    Ok(from_float(value))
}

/// The value that is read back after a float was written as JSON, where 1 and 1.0 are the same.
pub(crate) fn from_float(value: f64) -> Value {
    const EXPONENT_FROM: f64 = 1e21;
    if value.fract() != 0.0 || value.abs() >= EXPONENT_FROM {
        return Value::Float(value);
    }
    // The shortest digits that mean this float, filled up with zeros.
    let digits = format!("{value}");
    let signed = digits.parse().map(Value::Int);
    let unsigned = || digits.parse().map(Value::Uint);
    signed
        .or_else(|_| unsigned())
        .unwrap_or(Value::Float(value))
}

/// The text Go's JSON encoder writes for a YAML timestamp.
fn timestamp(text: &str) -> Option<Text> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = date.split('-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let Some(time) = time else {
        return Some(Text::from(format!(
            "{year:04}-{month:02}-{day:02}T00:00:00Z"
        )));
    };
    let zone_at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone_at);
    let zone = if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        "Z"
    } else {
        zone
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    Some(Text::from(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{dot}{fraction}{zone}"
    )))
}

fn binary(text: &str) -> Result<Value, String> {
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    match golang::base64::decode(&packed) {
        Some(bytes) => Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned())),
        None => Err("yaml: !!binary value contains invalid base64 data".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_style_and_text_decide_the_value_together() {
        let node = |tag: &'static str, style: Style, text: &str| Node {
            tag: Text::new_static(tag),
            style,
            ..Node::scalar(text)
        };
        let cases = [
            (node("", Style::PLAIN, "5"), Ok(Value::Int(5))),
            (node("", Style::DOUBLE_QUOTED, "5"), Ok(Value::from("5"))),
            (node("!!str", Style::PLAIN, "5"), Ok(Value::from("5"))),
            (
                node("!!int", Style::DOUBLE_QUOTED, "5"),
                Ok(Value::from("5")),
            ),
            (node("!!int", Style::PLAIN, "0x1F"), Ok(Value::Int(31))),
            (node("!!float", Style::PLAIN, "1.0"), Ok(Value::Int(1))),
            (node("", Style::PLAIN, "yes"), Ok(Value::from("yes"))),
            (node("", Style::PLAIN, ""), Ok(Value::Null)),
            (
                node("", Style::PLAIN, "2020-01-01"),
                Ok(Value::from("2020-01-01T00:00:00Z")),
            ),
            (
                node("!!int", Style::PLAIN, "true"),
                Err("yaml: cannot decode !!bool `true` as a !!int".to_owned()),
            ),
            (
                node("!!float", Style::PLAIN, ".inf"),
                Err("json: unsupported value: +Inf".to_owned()),
            ),
        ];
        for (node, expected) in cases {
            assert_eq!(to_value(&node), expected, "{node:?}");
        }
    }
}
