//! JSON to and from [`Node`], bounded.
//!
//! # Source
//! Numbers follow Kubernetes: an integer literal that fits 64 bits is an integer, every other
//! number a float (`sigs.k8s.io/json`). Floats print as Go's `encoding/json` prints them.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::{FieldPath, Map, Node, Step, Text};

/// What [`parse`] accepts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes of input.
    pub bytes_max: usize,
    /// Deepest nesting of lists and maps.
    pub depth_max: usize,
}

/// Limits for one object: Kubernetes takes request bodies up to 3 MiB, and no API type nests
/// deeper than a few dozen levels; 200 leaves room for schemas inside schemas.
pub const OBJECT_LIMITS: Limits = Limits {
    bytes_max: 3 << 20,
    depth_max: 200,
};

/// Limits for answers of an API server, which hold many objects.
pub const ANSWER_LIMITS: Limits = Limits {
    bytes_max: 1 << 30,
    depth_max: 220,
};

/// Why a text is not JSON we accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at line {line}, column {column}")]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// Byte offset of the first byte that could not be used.
    pub offset: usize,
    /// Line, from one.
    pub line: usize,
    /// Column in bytes, from one.
    pub column: usize,
}

/// What is wrong with a JSON text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonErrorKind {
    /// The text ends inside a value.
    #[error("unexpected end of JSON input")]
    End,
    /// A character that cannot stand here.
    #[error("invalid character {0:?}")]
    Character(char),
    /// Bytes that are not UTF-8.
    #[error("invalid UTF-8")]
    Utf8,
    /// An escape in a string that JSON does not have.
    #[error("invalid escape in string")]
    Escape,
    /// A number outside what a float can hold.
    #[error("number out of range")]
    Number,
    /// Deeper than [`Limits::depth_max`].
    #[error("nested deeper than {0} levels")]
    Depth(usize),
    /// Longer than [`Limits::bytes_max`].
    #[error("longer than {0} bytes")]
    Size(usize),
}

/// A parsed text together with the keys that occurred twice in one map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The value; of a repeated key the last occurrence.
    pub node: Node,
    /// Places of repeated keys, in text order, each once.
    pub duplicates: Vec<FieldPath>,
}

/// Parses one JSON value; of a repeated key the last occurrence wins.
///
/// # Errors
/// [`JsonError`] for anything that is not exactly one JSON value within `limits`.
pub fn parse(text: &[u8], limits: Limits) -> Result<Node, JsonError> {
    parse_reporting(text, limits).map(|parsed| parsed.node)
}

/// As [`parse`], but every number is a float, a zero with its sign: what Go's `encoding/json` makes of
/// a text where nobody says which types are wanted.
///
/// # Errors
/// As [`parse`].
pub fn parse_floats(text: &[u8], limits: Limits) -> Result<Node, JsonError> {
    run(text, limits, false).map(|parsed| parsed.node)
}

/// Parses one JSON value and reports repeated keys.
///
/// # Errors
/// As [`parse`].
pub fn parse_reporting(text: &[u8], limits: Limits) -> Result<Parsed, JsonError> {
    run(text, limits, true)
}

fn run(text: &[u8], limits: Limits, integers: bool) -> Result<Parsed, JsonError> {
    let mut parser = Parser {
        text,
        at: 0,
        integers,
        depth_max: limits.depth_max,
        path: FieldPath::root(),
        duplicates: Vec::new(),
    };
    let node = if text.len() > limits.bytes_max {
        Err(JsonErrorKind::Size(limits.bytes_max))
    } else {
        parser.document()
    };
    match node {
        Ok(node) => Ok(Parsed {
            node,
            duplicates: parser.duplicates,
        }),
        Err(kind) => Err(error_at(text, parser.at, kind)),
    }
}

/// Whether reading what [`write`] makes of `node` gives `node` again, within `limits`.
///
/// Says no about a large node that may just fit.
pub fn survives(node: &Node, limits: Limits) -> bool {
    /// Bytes that JSON makes of one byte of text at most: `\u0000`.
    const ESCAPED: usize = 6;
    /// Bytes of a number, or of what stands around a value, at most.
    const AROUND: usize = 24;
    fn look(node: &Node, depth: usize, bytes: &mut usize) -> bool {
        let text = |text: &Text| text.len() * ESCAPED;
        let size = AROUND
            + match node {
                Node::String(own) => text(own),
                Node::Map(map) => map.keys().map(|key| text(key) + AROUND).sum(),
                _ => 0,
            };
        let Some(left) = bytes.checked_sub(size) else {
            return false;
        };
        *bytes = left;
        match node {
            Node::Null | Node::Bool(_) | Node::Int(_) | Node::String(_) => true,
            Node::Uint(_) => false,
            Node::Float(own) => own.is_finite() && own.fract() != 0.0,
            Node::List(items) => depth > 0 && items.iter().all(|item| look(item, depth - 1, bytes)),
            Node::Map(map) => depth > 0 && map.values().all(|value| look(value, depth - 1, bytes)),
        }
    }
    let mut bytes = limits.bytes_max;
    look(node, limits.depth_max, &mut bytes)
}

/// What reading the text of `node` gives: nearly always `node`, which is shared then.
pub fn as_read(node: &Node) -> Node {
    match survives(node, ANSWER_LIMITS) {
        true => node.clone(),
        false => parse(to_string(node).as_bytes(), ANSWER_LIMITS).unwrap_or_else(|_| node.clone()),
    }
}

/// The text of `node` without spaces.
pub fn to_string(node: &Node) -> String {
    let mut out = String::new();
    write(node, &mut out);
    out
}

/// Appends the text of `node` without spaces to `out`.
pub fn write(node: &Node, out: &mut String) {
    match node {
        Node::Null => out.push_str("null"),
        Node::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Node::Int(value) => write!(out, "{value}").expect("a String takes every write"),
        Node::Uint(value) => write!(out, "{value}").expect("a String takes every write"),
        Node::Float(value) => write_float(*value, out),
        Node::String(value) => write_string(value, out),
        Node::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Node::Map(map) => {
            out.push('{');
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

/// The text of `node` over several lines, indented by `indent` spaces a level.
pub fn to_string_pretty(node: &Node, indent: usize) -> String {
    let mut out = String::new();
    write_pretty(node, indent, 0, &mut out);
    out
}

fn write_pretty(node: &Node, indent: usize, level: usize, out: &mut String) {
    let line = |level: usize, out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', level * indent));
    };
    match node {
        Node::List(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(level + 1, out);
                write_pretty(item, indent, level + 1, out);
            }
            line(level, out);
            out.push(']');
        }
        Node::Map(map) if !map.is_empty() => {
            out.push('{');
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(level + 1, out);
                write_string(key, out);
                out.push_str(": ");
                write_pretty(value, indent, level + 1, out);
            }
            line(level, out);
            out.push('}');
        }
        _ => write(node, out),
    }
}

/// Appends `text` as a JSON string literal to `out`.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        if escape.is_empty() {
            write!(out, "\\u{byte:04x}").expect("a String takes every write");
        } else {
            out.push_str(escape);
        }
        plain = at + 1;
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

/// Appends a float as Go's `encoding/json` writes it: shortest digits, an exponent below 1e-6 and
/// from 1e21. Infinities and NaN, which JSON does not have, become `null`.
fn write_float(value: f64, out: &mut String) {
    let written = if !value.is_finite() {
        out.push_str("null");
        Ok(())
    } else if value != 0.0 && !(1e-6..1e21).contains(&value.abs()) {
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                write!(out, "{digits}e+{exponent:0>2}")
            }
            Some((digits, exponent)) => write!(out, "{digits}e-{}", &exponent[1..]),
            None => write!(out, "{text}"),
        }
    } else {
        write!(out, "{value}")
    };
    written.expect("a String takes every write");
}

fn error_at(text: &[u8], offset: usize, kind: JsonErrorKind) -> JsonError {
    let before = &text[..offset.min(text.len())];
    let line_start = before.iter().rposition(|&byte| byte == b'\n');
    JsonError {
        kind,
        offset,
        line: 1 + before.iter().filter(|&&byte| byte == b'\n').count(),
        column: before.len() - line_start.map_or(0, |at| at + 1) + 1,
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether numbers can be integers.
    integers: bool,
    depth_max: usize,
    path: FieldPath,
    duplicates: Vec<FieldPath>,
}

type Outcome<T> = Result<T, JsonErrorKind>;

impl Parser<'_> {
    fn document(&mut self) -> Outcome<Node> {
        let node = self.value()?;
        self.space();
        match self.text.get(self.at) {
            None => Ok(node),
            Some(_) => Err(self.unexpected()),
        }
    }

    fn value(&mut self) -> Outcome<Node> {
        self.space();
        match self.text.get(self.at) {
            Some(b'{') => self.map(),
            Some(b'[') => self.list(),
            Some(b'"') => self.string().map(Node::String),
            Some(b't') => self.word("true", Node::Bool(true)),
            Some(b'f') => self.word("false", Node::Bool(false)),
            Some(b'n') => self.word("null", Node::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected()),
        }
    }

    fn map(&mut self) -> Outcome<Node> {
        self.at += 1;
        let mut map = Map::new();
        self.space();
        if self.eat(b'}') {
            return Ok(Node::Map(map));
        }
        loop {
            self.space();
            if self.text.get(self.at) != Some(&b'"') {
                return Err(self.unexpected());
            }
            let key = self.string()?;
            self.space();
            if !self.eat(b':') {
                return Err(self.unexpected());
            }
            self.enter(Step::Key(key.clone()))?;
            let value = self.value()?;
            if map.insert(key, value).is_some() && !self.duplicates.contains(&self.path) {
                self.duplicates.push(self.path.clone());
            }
            self.path.pop();
            self.space();
            if self.eat(b'}') {
                // What is parsed is mostly kept, and rarely grows.
                map.shrink_to_fit();
                return Ok(Node::Map(map));
            }
            if !self.eat(b',') {
                return Err(self.unexpected());
            }
        }
    }

    fn list(&mut self) -> Outcome<Node> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.eat(b']') {
            return Ok(Node::List(Arc::new(items)));
        }
        loop {
            self.enter(Step::Index(items.len()))?;
            items.push(self.value()?);
            self.path.pop();
            self.space();
            if self.eat(b']') {
                items.shrink_to_fit();
                return Ok(Node::List(Arc::new(items)));
            }
            if !self.eat(b',') {
                return Err(self.unexpected());
            }
        }
    }

    fn enter(&mut self, step: Step) -> Outcome<()> {
        if self.path.steps().len() >= self.depth_max {
            return Err(JsonErrorKind::Depth(self.depth_max));
        }
        self.path.push(step);
        Ok(())
    }

    fn string(&mut self) -> Outcome<Text> {
        self.at += 1;
        let start = self.at;
        loop {
            match self.text.get(self.at) {
                None => return Err(JsonErrorKind::End),
                Some(b'"') => {
                    let text = self.utf8(start, self.at)?;
                    let text = Text::new(text);
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => return self.escaped_string(start),
                Some(0..0x20) => return Err(self.unexpected()),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escaped_string(&mut self, start: usize) -> Outcome<Text> {
        let mut out = self.utf8(start, self.at)?.to_owned();
        loop {
            let plain = self.at;
            while self
                .text
                .get(self.at)
                .is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20))
            {
                self.at += 1;
            }
            out.push_str(self.utf8(plain, self.at)?);
            match self.text.get(self.at) {
                None => return Err(JsonErrorKind::End),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out.into());
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.unexpected()),
            }
        }
    }

    /// One escape; a lone surrogate becomes U+FFFD, as in Go.
    fn escape(&mut self) -> Outcome<char> {
        let escaped = *self.text.get(self.at + 1).ok_or(JsonErrorKind::End)?;
        self.at += 2;
        Ok(match escaped {
            b'"' | b'\\' | b'/' => char::from(escaped),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex4()?;
                if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with(b"\\u") {
                    let back = self.at;
                    self.at += 2;
                    let second = self.hex4()?;
                    if (0xdc00..0xe000).contains(&second) {
                        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = back;
                }
                char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => {
                self.at -= 1;
                return Err(JsonErrorKind::Escape);
            }
        })
    }

    fn hex4(&mut self) -> Outcome<u32> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.ok_or(JsonErrorKind::End)?;
        let mut code = 0;
        for &digit in digits {
            let value = char::from(digit).to_digit(16);
            code = code * 16 + value.ok_or(JsonErrorKind::Escape)?;
        }
        self.at += 4;
        Ok(code)
    }

    fn number(&mut self) -> Outcome<Node> {
        let start = self.at;
        self.eat(b'-');
        let digits = self.at;
        self.digits()?;
        if self.text[digits] == b'0' && self.at > digits + 1 {
            self.at = digits + 1;
            return Err(self.unexpected());
        }
        let mut integer = self.integers;
        if self.eat(b'.') {
            integer = false;
            self.digits()?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            integer = false;
            self.at += 1;
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        let text = self.utf8(start, self.at)?;
        if integer && let Ok(value) = text.parse() {
            return Ok(Node::Int(value));
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Node::Float(value)),
            _ => Err(JsonErrorKind::Number),
        }
    }

    fn digits(&mut self) -> Outcome<()> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.unexpected());
        }
        Ok(())
    }

    fn word(&mut self, word: &str, node: Node) -> Outcome<Node> {
        for &expected in word.as_bytes() {
            if !self.eat(expected) {
                return Err(self.unexpected());
            }
        }
        Ok(node)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let here = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(here);
        here
    }

    fn utf8(&self, start: usize, end: usize) -> Outcome<&str> {
        std::str::from_utf8(&self.text[start..end]).map_err(|_| JsonErrorKind::Utf8)
    }

    fn unexpected(&self) -> JsonErrorKind {
        let rest = &self.text[self.at.min(self.text.len())..];
        let shown = String::from_utf8_lossy(&rest[..rest.len().min(4)]);
        shown
            .chars()
            .next()
            .map_or(JsonErrorKind::End, JsonErrorKind::Character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match parse(text.as_bytes(), OBJECT_LIMITS) {
            Ok(node) => to_string(&node),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "for {text}");
    }

    #[test]
    fn values_survive_a_round_trip() {
        for text in [
            "null",
            "true",
            "-12",
            "9223372036854775807",
            "0.5",
            r#""a\"b\\\n""#,
            r#"{"b":[1,{"a":null}],"a":{}}"#,
            "1e+21",
            "1e-7",
            "123456789012345680000",
        ] {
            check(text, text);
        }
        check("18446744073709551615", "18446744073709552000");
        check(r#""\ud83d\ude00 \u00e9 \ud800""#, "\"😀 é \u{fffd}\"");
    }

    #[test]
    fn broken_text_is_refused_with_its_place() {
        check("", "unexpected end of JSON input at line 1, column 1");
        check(
            "{\n  \"a\": tru }",
            "invalid character ' ' at line 2, column 11",
        );
        check("[1,]", "invalid character ']' at line 1, column 4");
        check("01", "invalid character '1' at line 1, column 2");
        check("1e999", "number out of range at line 1, column 6");
        check("{} {}", "invalid character '{' at line 1, column 4");
        check(r#""\x""#, "invalid escape in string at line 1, column 3");
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = "[".repeat(100_000);
        let error = parse(deep.as_bytes(), OBJECT_LIMITS).unwrap_err();
        assert_eq!(error.kind, JsonErrorKind::Depth(200));
        let large = format!("\"{}\"", "x".repeat(4 << 20));
        let error = parse(large.as_bytes(), OBJECT_LIMITS).unwrap_err();
        assert_eq!(error.kind, JsonErrorKind::Size(3 << 20));
    }

    #[test]
    fn repeated_keys_are_reported_and_the_last_wins() {
        let parsed = parse_reporting(
            br#"{"spec":{"a":1,"a":2},"list":[{"k":1,"k":1}]}"#,
            OBJECT_LIMITS,
        )
        .unwrap();
        let shown: Vec<_> = parsed.duplicates.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["spec.a", "list[0].k"]);
        assert_eq!(parsed.node.at(&["spec", "a"]), Some(&Node::Int(2)));
    }

    #[test]
    fn what_survives_is_what_reading_gives_again() {
        let nested = |depth: usize| {
            let inner = Node::Null;
            (0..depth).fold(inner, |node, _| Node::list([node]))
        };
        let limits = Limits {
            bytes_max: 1000,
            depth_max: 4,
        };
        for (node, expected) in [
            (Node::from("\u{0}\"ü"), true),
            (Node::Int(i64::MIN), true),
            (Node::Uint(u64::MAX), false),
            (Node::Float(0.5), true),
            (Node::Float(3.0), false),
            (Node::Float(f64::NAN), false),
            (nested(4), true),
            (nested(5), false),
            (Node::from("x".repeat(100)), true),
            (Node::from("x".repeat(1001)), false),
        ] {
            assert_eq!(survives(&node, limits), expected, "{node:?}");
            let read = parse(to_string(&node).as_bytes(), limits);
            if expected {
                assert_eq!(read.as_ref(), Ok(&node));
            }
            if let Ok(read) = parse(to_string(&node).as_bytes(), ANSWER_LIMITS) {
                assert_eq!(as_read(&node), read);
            }
        }
    }
}
