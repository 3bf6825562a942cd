//! Values to JSON.

use std::io::Write as _;

use golang::{strconv, utf8};
use gotemplate::format::DEPTH_MAX;
use gotemplate::{CallError, List, Map, Value};

use crate::limits;

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `json.Marshal`: no blanks, and `<`, `>` and `&` escaped.
    Compact,
    /// The same, but with these three as they are.
    Raw,
    /// `json.MarshalIndent`: as [`Style::Compact`], in lines, two blanks to a level.
    Pretty,
}

/// Writes a value as JSON: keys sorted, U+2028 and U+2029 escaped, bytes that are no text replaced, a
/// `[]byte` in base64.
///
/// # Errors
/// Go's text for numbers that JSON has not, and for a map that contains itself;
/// [`CallError::Limit`] for what is too long or nested too deeply.
pub fn encode(value: &Value, style: Style) -> Result<Vec<u8>, CallError> {
    let mut writer = Writer {
        out: Vec::new(),
        style,
        above: Vec::new(),
        depth: 0,
    };
    writer.value(value)?;
    limits::text(writer.out.len())?;
    Ok(writer.out)
}

struct Writer {
    out: Vec<u8>,
    style: Style,
    /// The maps that we are in.
    above: Vec<Map>,
    depth: usize,
}

impl Writer {
    /// Writes any value. What needs much of the stack is elsewhere, as this calls itself.
    fn value(&mut self, value: &Value) -> Result<(), CallError> {
        match value {
            Value::List(list) => self.list(list),
            Value::Map(map) => self.map(map),
            _ => self.single(value),
        }
    }

    fn list(&mut self, list: &List) -> Result<(), CallError> {
        if list.is_nil() {
            self.out.extend_from_slice(b"null");
            return Ok(());
        }
        self.open(b'[')?;
        for (at, item) in list.items().iter().enumerate() {
            self.next(at)?;
            self.value(item)?;
        }
        self.close(b']', list.items().is_empty());
        Ok(())
    }

    fn map(&mut self, map: &Map) -> Result<(), CallError> {
        if map.is_nil() {
            self.out.extend_from_slice(b"null");
            return Ok(());
        }
        self.above.push(map.clone());
        self.open(b'{')?;
        for (at, (key, value)) in map.entries().iter().enumerate() {
            self.next(at)?;
            self.key(key.as_bytes())?;
            self.value(value)?;
        }
        self.close(b'}', map.is_empty());
        self.above.pop();
        Ok(())
    }

    fn key(&mut self, key: &[u8]) -> Result<(), CallError> {
        self.text(key)?;
        self.out.extend_from_slice(match self.style {
            Style::Pretty => b": ",
            Style::Compact | Style::Raw => b":",
        });
        Ok(())
    }

    fn fields(&mut self, fields: &[(&str, Value)]) -> Result<(), CallError> {
        self.open(b'{')?;
        for (at, (key, value)) in fields.iter().enumerate() {
            self.next(at)?;
            self.key(key.as_bytes())?;
            self.value(value)?;
        }
        self.close(b'}', fields.is_empty());
        Ok(())
    }

    /// Writes what has no elements.
    fn single(&mut self, value: &Value) -> Result<(), CallError> {
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Bool(true) => self.out.extend_from_slice(b"true"),
            Value::Bool(false) => self.out.extend_from_slice(b"false"),
            // Writes to a vector do not fail.
            Value::Int(value, _) => drop(write!(self.out, "{value}")),
            Value::Uint(value, _) => drop(write!(self.out, "{value}")),
            Value::Float(value) => self.float(*value)?,
            Value::String(text) => self.text(text.as_bytes())?,
            Value::Bytes(bytes) => {
                limits::text(self.out.len() + bytes.len() / 3 * 4)?;
                self.out.push(b'"');
                self.out
                    .extend_from_slice(golang::base64::encode(bytes).as_bytes());
                self.out.push(b'"');
            }
            Value::Host(host) => {
                if let Some(fields) = host.json_fields() {
                    return self.fields(&fields);
                }
                match host.json().or_else(|| host.contents()) {
                    Some(value) => return self.value(&value),
                    None if host.type_name() == "complex128" => {
                        return Err("json: unsupported type: complex128".into());
                    }
                    None => self.text(host.display().as_bytes())?,
                }
            }
            Value::List(_) | Value::Map(_) => return self.value(value),
        }
        Ok(())
    }

    fn open(&mut self, bracket: u8) -> Result<(), CallError> {
        self.out.push(bracket);
        self.depth += 1;
        if self.depth <= DEPTH_MAX {
            return Ok(());
        }
        let repeated = self
            .above
            .iter()
            .enumerate()
            .find(|(at, map)| self.above[..*at].iter().any(|other| other.is_same(map)));
        Err(match repeated {
            Some((_, map)) => CallError::Failed(format!(
                "json: unsupported value: encountered a cycle via {}",
                Value::Map(map.clone()).type_name()
            )),
            None => CallError::Limit(format!(
                "lists and maps are nested deeper than the limit of {DEPTH_MAX}"
            )),
        })
    }

    fn next(&mut self, at: usize) -> Result<(), CallError> {
        if at > 0 {
            self.out.push(b',');
        }
        self.line();
        limits::text(self.out.len())
    }

    fn close(&mut self, bracket: u8, empty: bool) {
        self.depth -= 1;
        if !empty {
            self.line();
        }
        self.out.push(bracket);
    }

    fn line(&mut self) {
        if self.style == Style::Pretty {
            self.out.push(b'\n');
            self.out.extend(std::iter::repeat_n(b' ', 2 * self.depth));
        }
    }

    fn float(&mut self, value: f64) -> Result<(), CallError> {
        if !value.is_finite() {
            return Err(CallError::Failed(format!(
                "json: unsupported value: {}",
                strconv::format_float_g(value)
            )));
        }
        let size = value.abs();
        // Whole numbers that a float has exactly.
        if value.trunc() == value && size < 1e15 && (value != 0.0 || value.is_sign_positive()) {
            drop(write!(self.out, "{}", value as i64));
            return Ok(());
        }
        let text = if value == 0.0 || (1e-6..1e21).contains(&size) {
            strconv::format_float_f(value)
        } else {
            // One digit of an exponent below zero is enough.
            strconv::format_float_e(value).replace("e-0", "e-")
        };
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn text(&mut self, text: &[u8]) -> Result<(), CallError> {
        limits::text(self.out.len() + text.len())?;
        self.out.push(b'"');
        let mut plain_from = 0;
        let escape_html = self.style != Style::Raw;
        let mut at = 0;
        while at < text.len() {
            let byte = text[at];
            let (width, escaped): (usize, Option<&[u8]>) = match byte {
                b'"' => (1, Some(b"\\\"")),
                b'\\' => (1, Some(b"\\\\")),
                8 => (1, Some(b"\\b")),
                12 => (1, Some(b"\\f")),
                b'\n' => (1, Some(b"\\n")),
                b'\r' => (1, Some(b"\\r")),
                b'\t' => (1, Some(b"\\t")),
                b'<' if escape_html => (1, Some(b"\\u003c")),
                b'>' if escape_html => (1, Some(b"\\u003e")),
                b'&' if escape_html => (1, Some(b"\\u0026")),
                0..=0x1f => (1, Some(b"")),
                0x20..=0x7f => (1, None),
                _ => match utf8::decode(&text[at..]) {
                    (Some('\u{2028}'), width) => (width, Some(b"\\u2028")),
                    (Some('\u{2029}'), width) => (width, Some(b"\\u2029")),
                    (Some(_), width) => (width, None),
                    (None, width) => (width, Some(b"\\ufffd")),
                },
            };
            if let Some(escaped) = escaped {
                self.out.extend_from_slice(&text[plain_from..at]);
                if escaped.is_empty() {
                    drop(write!(self.out, "\\u{byte:04x}"));
                } else {
                    self.out.extend_from_slice(escaped);
                }
                plain_from = at + width;
            }
            at += width;
        }
        self.out.extend_from_slice(&text[plain_from..]);
        self.out.push(b'"');
        Ok(())
    }
}
