//! Constants of templates: numbers with their ideal types, quoted texts, characters.
//!
//! # Source
//! golang/go `src/text/template/parse/node.go` (`newNumber`), `src/strconv/quote.go`.

use std::borrow::Cow;

use golang::strconv::{self, parse_float, parse_int, parse_uint};

use super::lex::Kind;

/// A number under all the types that can hold it, as Go's ideal constants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Number {
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
    /// Whether it is a float where nothing asks for a type.
    pub(crate) reads_as_float: bool,
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

impl Number {
    /// Reads a token.
    pub(super) fn read(text: &str, kind: Kind) -> Result<Self, String> {
        let mut number = match kind {
            Kind::Character => Self::character(text)?,
            Kind::Complex => {
                let complex = complex(text).ok_or("syntax error scanning complex number")?;
                Self::from_complex(complex)
            }
            _ => Self::real(text)?,
        };
        let hex_int =
            matches!(text.as_bytes(), [b'0', b'x' | b'X', _, ..]) && !text.contains(['p', 'P']);
        number.reads_as_float = kind != Kind::Character
            && number.float.is_some()
            && !hex_int
            && text.contains(['.', 'e', 'E', 'p', 'P']);
        Ok(number)
    }

    fn character(text: &str) -> Result<Self, String> {
        let inner = text.as_bytes().get(1..).unwrap_or_default();
        let (code, length) = match inner {
            [b'\\', ..] => {
                let (unit, length) = escape(inner, b'\'').ok_or("invalid syntax")?;
                let code = match unit {
                    Unit::Byte(byte) => u32::from(byte),
                    Unit::Character(character) => u32::from(character),
                };
                (code, length)
            }
            [b'\'', ..] | [] => return Err("invalid syntax".into()),
            _ => {
                let character = text[1..].chars().next().unwrap_or_default();
                (u32::from(character), character.len_utf8())
            }
        };
        if inner[length..] != *b"'" {
            return Err(format!("malformed character constant: {text}"));
        }
        Ok(Self {
            int: Some(i64::from(code)),
            uint: Some(u64::from(code)),
            float: Some(f64::from(code)),
            ..Self::default()
        })
    }

    fn from_complex((real, imaginary): (f64, f64)) -> Self {
        let mut number = Self {
            complex: Some((real, imaginary)),
            ..Self::default()
        };
        if imaginary == 0.0 {
            number.float = Some(real);
            number.integers_of(real);
        }
        number
    }

    /// Adds the integers that a float equals.
    fn integers_of(&mut self, float: f64) {
        if float.fract() == 0.0 {
            if (-TWO_TO_63..TWO_TO_63).contains(&float) {
                self.int = Some(float as i64);
            }
            if (0.0..2.0 * TWO_TO_63).contains(&float) {
                self.uint = Some(float as u64);
            }
        }
    }

    fn real(text: &str) -> Result<Self, String> {
        if let Some(imaginary) = text.strip_suffix('i')
            && let Ok(imaginary) = parse_float(imaginary)
        {
            return Ok(Self::from_complex((0.0, imaginary)));
        }
        let mut number = Self {
            uint: parse_uint(text, 0).ok(),
            int: parse_int(text, 0).ok(),
            ..Self::default()
        };
        if let Some(int) = number.int {
            if int == 0 {
                number.uint = Some(0);
            }
            number.float = Some(int as f64);
        } else if let Some(uint) = number.uint {
            number.float = Some(uint as f64);
        } else if let Ok(float) = parse_float(text) {
            if !text.contains(['.', 'e', 'E', 'p', 'P']) {
                return Err(format!("integer overflow: {}", strconv::quote(text)));
            }
            number.float = Some(float);
            number.integers_of(float);
        } else {
            return Err(format!("illegal number syntax: {}", strconv::quote(text)));
        }
        Ok(number)
    }
}

/// `1+2i`: the imaginary part begins at the last sign that is not an exponent's.
fn complex(text: &str) -> Option<(f64, f64)> {
    let body = text.strip_suffix('i')?;
    let bytes = body.as_bytes();
    let hex = body.contains(['x', 'X']);
    let split = (1..bytes.len()).rev().find(|&at| {
        let exponent = if hex { b"pP" } else { b"eE" };
        matches!(bytes[at], b'+' | b'-') && !exponent.contains(&bytes[at - 1])
    })?;
    let part = |text: &str| {
        parse_float(text)
            .ok()
            .or_else(|| Some(parse_int(text, 0).ok()? as f64))
    };
    Some((part(&body[..split])?, part(&body[split..])?))
}

enum Unit {
    Byte(u8),
    Character(char),
}

/// Reads an escape at the head of `text`, and says how long it is.
fn escape(text: &[u8], quote: u8) -> Option<(Unit, usize)> {
    let byte = *text.get(1)?;
    let simple = match byte {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'\'' | b'"' if byte == quote => byte,
        b'0'..=b'7' => {
            let digits = text.get(1..4)?;
            let value = digits.iter().try_fold(0, |value: u32, digit| {
                Some(value * 8 + char::from(*digit).to_digit(8)?)
            })?;
            return Some((Unit::Byte(u8::try_from(value).ok()?), 4));
        }
        b'x' | b'u' | b'U' => {
            let count = match byte {
                b'x' => 2,
                b'u' => 4,
                _ => 8,
            };
            let digits = text.get(2..2 + count)?;
            let value = digits.iter().try_fold(0, |value: u32, digit| {
                Some(value * 16 + char::from(*digit).to_digit(16)?)
            })?;
            let unit = match byte {
                b'x' => Unit::Byte(u8::try_from(value).ok()?),
                _ => Unit::Character(char::from_u32(value)?),
            };
            return Some((unit, 2 + count));
        }
        _ => return None,
    };
    Some((Unit::Byte(simple), 2))
}

/// `strconv.Unquote` of a token in double quotes or backquotes; `None` is its `invalid syntax`.
pub(super) fn unquote(token: &[u8]) -> Option<Cow<'_, [u8]>> {
    let inner = token.get(1..token.len().checked_sub(1)?)?;
    let is_raw = token[0] == b'`';
    let special = if is_raw { b'\r' } else { b'\\' };
    if memchr::memchr(special, inner).is_none() && (is_raw || std::str::from_utf8(inner).is_ok()) {
        return Some(Cow::Borrowed(inner));
    }
    let mut text = Vec::with_capacity(inner.len());
    if is_raw {
        text.extend(inner.iter().filter(|byte| **byte != b'\r'));
        return Some(Cow::Owned(text));
    }
    let mut rest = inner;
    while !rest.is_empty() {
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        for chunk in rest[..plain].utf8_chunks() {
            text.extend(chunk.valid().as_bytes());
            // Go reads characters, and a byte that is none is U+FFFD.
            for _ in chunk.invalid() {
                text.extend("\u{fffd}".as_bytes());
            }
        }
        rest = &rest[plain..];
        if rest.is_empty() {
            break;
        }
        let (unit, length) = escape(rest, b'"')?;
        match unit {
            Unit::Byte(byte) => text.push(byte),
            Unit::Character(character) => {
                text.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        rest = &rest[length..];
    }
    Some(Cow::Owned(text))
}

/// `%q` of a text of any bytes.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        let quoted = strconv::quote(chunk.valid());
        out.push_str(&quoted[1..quoted.len() - 1]);
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

/// `%#U` of a character.
pub(super) fn unicode_name(character: char) -> String {
    let code = u32::from(character);
    if strconv::is_print(character) {
        format!("U+{code:04X} '{character}'")
    } else {
        format!("U+{code:04X}")
    }
}
