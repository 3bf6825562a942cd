//! Values, and the YAML they are written as.

use testkit::Dice;

use super::expression::{Kind, Known, quote};
use super::words;

/// A value as YAML has it.
#[derive(Clone, Debug)]
pub enum Value {
    Null(&'static str),
    /// Any spelling.
    Bool(&'static str),
    Number(&'static str),
    Text(String),
    /// As it stands in the file.
    Raw(&'static str),
    List(Vec<Value>),
    Map(Tree),
}

/// A map in the order of its file.
#[derive(Clone, Debug)]
pub struct Tree(pub Vec<(String, Value)>);

impl Tree {
    /// Adds a key, in place of one that is there.
    pub fn push(&mut self, key: &str, value: Value) {
        self.0.retain(|(known, _)| known != key);
        self.0.push((key.to_owned(), value));
    }
}

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "5",
    "42",
    "0644",
    "0x1F",
    "1_000",
    "1e3",
    "1.5",
    "-2.5",
    "12345678",
    "1000000",
    "100000",
    "1e21",
    ".5",
    "0.00001",
    "9007199254740993",
    "2147483648",
    "1.0",
    "-0.0",
    "3.14159",
    "0b11",
    "+7",
    "1E-7",
    "123456789012345678",
];

/// Scalars that YAML reads in its own way.
const RAW: &[&str] = &[
    "2020-01-01",
    "12:30:45",
    "0o17",
    "~",
    "Null",
    "yes",
    "Off",
    "on",
    "y",
    "n",
    "!!str 5",
    "!!int \"5\"",
    "\"\\u00e9\\t\\x41\"",
    "'it''s'",
    "plain text: no",
    "&x anchored",
    "1__0",
    "1e",
    "0x",
    "!!binary aGVsbG8=",
    "2020-01-01T00:00:00Z",
    "=",
    "<<",
    "text # comment",
    "-",
    "1.2.3",
    "0.1e1",
    "012",
    "08",
    "+.5",
];

pub fn tree(dice: &mut Dice, depth: usize) -> Tree {
    let mut tree = Tree(Vec::new());
    for _ in 0..dice.between(1, if depth == 0 { 7 } else { 3 }) {
        let key = match dice.one_in(10) {
            true => dice.pick(&[
                "with-dash",
                "with.dot",
                "with space",
                "1",
                "true",
                "on",
                "é",
                "",
            ]),
            false => dice.pick(words::WORDS),
        };
        tree.push(key, value(dice, depth + 1));
    }
    tree
}

pub fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth > 3 { 7 } else { 11 }) {
        0 => Value::Null(dice.pick(&["null", "~", ""])),
        1 => Value::Bool(dice.pick(&["true", "false", "yes", "Off", "True", "on", "no"])),
        2 | 3 => Value::Number(dice.pick(NUMBERS)),
        4..=6 => Value::Text(dice.pick(words::TEXTS).to_owned()),
        7 | 8 => Value::List((0..dice.below(4)).map(|_| value(dice, depth + 1)).collect()),
        _ => Value::Map(match dice.one_in(8) {
            true => Tree(Vec::new()),
            false => tree(dice, depth),
        }),
    }
}

/// A map of scalars whose kind nobody relies on.
pub fn wild(dice: &mut Dice) -> Value {
    let mut tree = Tree(Vec::new());
    for at in 0..dice.between(1, 4) {
        let raw = dice.pick(RAW);
        // Some are mistakes as a value.
        if !matches!(raw, "plain text: no" | "-") || dice.one_in(20) {
            tree.push(&format!("r{at}"), Value::Raw(raw));
        }
    }
    Value::Map(tree)
}

/// Notes the paths of a map's values.
pub fn paths(tree: &Tree, root: &str, into: &mut Vec<Known>) {
    for (key, value) in &tree.0 {
        let plain = key.chars().all(|letter| letter.is_ascii_alphanumeric())
            && key.starts_with(|letter: char| letter.is_ascii_alphabetic());
        let inside = root.starts_with('(');
        let key = match key.as_str() {
            "on" | "yes" => "true",
            key => key,
        };
        let text = match (plain && key != "true", inside) {
            (true, _) => format!("{root}.{key}"),
            (false, _) => format!("(index {root} {})", quote(key)),
        };
        let kind = match value {
            Value::Null(_) | Value::Raw(_) => Kind::Any,
            Value::Bool(_) => Kind::Bool,
            Value::Number(_) => Kind::Float,
            Value::Text(_) => Kind::Text,
            Value::List(_) => Kind::List,
            Value::Map(_) => Kind::Map,
        };
        into.push(Known {
            text: text.clone(),
            kind,
        });
        if let Value::Map(tree) = value {
            paths(tree, &text, into);
        }
    }
}

/// The text of a file.
pub fn write(tree: &Tree, dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.one_in(10) {
        text.push_str("# Values of the chart\n");
    }
    if dice.one_in(20) {
        text.push_str("---\n");
    }
    block(tree, 0, dice, &mut text);
    if tree.0.is_empty() {
        text.push_str("{}\n");
    }
    text
}

fn block(tree: &Tree, indent: usize, dice: &mut Dice, out: &mut String) {
    for (key, value) in &tree.0 {
        out.push_str(&" ".repeat(indent));
        out.push_str(&self::key(key));
        out.push(':');
        after(value, indent, dice, out);
    }
}

fn key(key: &str) -> String {
    match key {
        "" | "é" | "with space" => format!("\"{key}\""),
        _ => key.to_owned(),
    }
}

/// What stands behind a colon or a dash, with the end of the line.
fn after(value: &Value, indent: usize, dice: &mut Dice, out: &mut String) {
    match value {
        Value::Map(tree) if !tree.0.is_empty() && !dice.one_in(6) => {
            out.push('\n');
            block(tree, indent + 2, dice, out);
        }
        Value::List(items) if !items.is_empty() && !dice.one_in(5) => {
            out.push('\n');
            let indent = indent + if dice.one_in(2) { 2 } else { 0 };
            for item in items {
                out.push_str(&" ".repeat(indent));
                out.push('-');
                match item {
                    Value::Map(_) | Value::List(_) => {
                        out.push(' ');
                        flow(item, out);
                        out.push('\n');
                    }
                    _ => after(item, indent, dice, out),
                }
            }
        }
        Value::Text(text)
            if text.contains('\n')
                && !text.starts_with(' ')
                && !text.contains(['\r', '\0', '\u{7f}'])
                && dice.one_in(2) =>
        {
            let style = match (text.ends_with('\n'), dice.one_in(4)) {
                (_, true) => ">-",
                (true, _) => "|",
                (false, _) => "|-",
            };
            out.push_str(&format!(" {style}\n"));
            for line in text.lines() {
                out.push_str(&format!("{}{line}\n", " ".repeat(indent + 2)));
            }
        }
        Value::Text(text) if is_plain(text) && dice.one_in(2) => {
            out.push_str(&format!(" {text}\n"))
        }
        Value::Text(text)
            if !text.contains(['\n', '\r', '\0', '\u{7f}', '\t']) && dice.one_in(3) =>
        {
            out.push_str(&format!(" '{}'\n", text.replace('\'', "''")));
        }
        _ => {
            out.push(' ');
            flow(value, out);
            out.push('\n');
        }
    }
}

fn is_plain(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|letter| letter.is_alphabetic())
        && letters.all(|letter| letter.is_alphanumeric() || " _-/.".contains(letter))
        && !matches!(text, "yes" | "null" | "true")
        && !text.ends_with(' ')
}

fn flow(value: &Value, out: &mut String) {
    match value {
        Value::Null("") => out.push_str("null"),
        Value::Null(text) | Value::Bool(text) | Value::Number(text) | Value::Raw(text) => {
            out.push_str(text)
        }
        Value::Text(text) => out.push_str(&quote(text).replace("\\u2028", "\\L")),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                flow(item, out);
            }
            out.push(']');
        }
        Value::Map(tree) => {
            out.push('{');
            for (at, (key, value)) in tree.0.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                out.push_str(&self::key(key));
                out.push_str(": ");
                flow(value, out);
            }
            out.push('}');
        }
    }
}
