//! JSON to values: numbers become `float64`, objects `map[string]interface {}`.

use std::collections::BTreeMap;

use golang::{strconv, utf8};
use gotemplate::format::DEPTH_MAX;
use gotemplate::{CallError, List, Map, MapType, Str, Value};

/// Reads one value, with nothing but blanks around it.
///
/// # Errors
/// Go's text for what is no JSON, and for a number that no float can be; [`CallError::Limit`] for
/// what is nested too deeply.
pub fn decode(text: &[u8]) -> Result<Value, CallError> {
    match decode_partly(text)? {
        (value, None) => Ok(value),
        (_, Some(error)) => Err(CallError::Failed(error)),
    }
}

/// Reads an object, as into a Go map; `null` is the nil map. Numbers that no float can be are nil, and
/// the first of them is told as Go's error.
///
/// # Errors
/// As [`decode`], and for another kind of value.
pub fn decode_map(text: &[u8]) -> Result<(Map, Option<String>), CallError> {
    let fits = |value: &Value| matches!(value, Value::Map(_));
    Ok(match decode_as(text, "map[string]interface {}", fits)? {
        (Value::Map(map), error) => (map, error),
        (_, error) => (Map::nil(MapType::Any), error),
    })
}

/// Reads an array, as into a Go slice; `null` is the nil slice.
///
/// # Errors
/// As [`decode`], and for another kind of value.
pub fn decode_list(text: &[u8]) -> Result<List, CallError> {
    let fits = |value: &Value| matches!(value, Value::List(_));
    match decode_as(text, "[]interface {}", fits)? {
        (_, Some(error)) => Err(CallError::Failed(error)),
        (Value::List(list), None) => Ok(list),
        _ => Ok(List::nil(gotemplate::ElementType::Any)),
    }
}

fn decode_as(
    text: &[u8],
    target: &str,
    fits: fn(&Value) -> bool,
) -> Result<(Value, Option<String>), CallError> {
    let (value, error) = decode_partly(text)?;
    let kind = match &value {
        value if fits(value) => None,
        // A number that is too large.
        Value::Nil if error.is_some() => Some("number"),
        Value::Nil => None,
        Value::Map(_) => Some("object"),
        Value::List(_) => Some("array"),
        Value::Bool(_) => Some("bool"),
        Value::Float(_) => Some("number"),
        _ => Some("string"),
    };
    match kind {
        Some(kind) => Err(CallError::Failed(format!(
            "json: cannot unmarshal {kind} into Go value of type {target}"
        ))),
        None => Ok((value, error)),
    }
}

/// The value, with nil for numbers that are too large, and Go's error for the first of these.
pub(super) fn decode_partly(text: &[u8]) -> Result<(Value, Option<String>), CallError> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        error: None,
    };
    let value = reader.value()?;
    reader.blanks();
    match reader.peek() {
        None => Ok((value, reader.error)),
        Some(_) => Err(reader.unexpected("after top-level value")),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    /// The first number that no float can be.
    error: Option<String>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// The error for what comes next: a character that does not fit, or the end.
    fn unexpected(&self, context: &str) -> CallError {
        // Go looks whether a blank could follow before it says that the text has ended.
        let between = context.starts_with("looking")
            || context.starts_with("after object")
            || matches!(context, "after array element" | "in string literal");
        let Some(byte) = self.peek().or((!between).then_some(b' ')) else {
            return "unexpected end of JSON input".into();
        };
        // Go takes the byte for a character.
        let character = match byte {
            b'"' => "'\"'".to_owned(),
            _ => strconv::quote_char(char::from(byte), false),
        };
        CallError::Failed(format!("invalid character {character} {context}"))
    }

    fn expect(&mut self, wanted: u8, context: &str) -> Result<(), CallError> {
        if self.peek() != Some(wanted) {
            return Err(self.unexpected(context));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<Value, CallError> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => Ok(Value::from(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Nil),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, CallError> {
        self.at += 1;
        for wanted in word.chars().skip(1) {
            let context = format!("in literal {word} (expecting '{wanted}')");
            self.expect(wanted as u8, &context)?;
        }
        Ok(value)
    }

    fn enter(&mut self) -> Result<(), CallError> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(CallError::Limit(format!(
                "the JSON is nested deeper than the limit of {DEPTH_MAX}"
            )));
        }
        Ok(())
    }

    fn object(&mut self) -> Result<Value, CallError> {
        self.enter()?;
        let mut entries: BTreeMap<Str, Value> = BTreeMap::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                self.blanks();
                if self.peek() != Some(b'"') {
                    return Err(self.unexpected("looking for beginning of object key string"));
                }
                let key = self.string()?;
                self.blanks();
                self.expect(b':', "after object key")?;
                let value = self.value()?;
                entries.insert(key, value);
                self.blanks();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break,
                    _ => return Err(self.unexpected("after object key:value pair")),
                }
            }
            self.at += 1;
        }
        self.depth -= 1;
        Ok(Value::Map(Map::new(entries, MapType::Any)))
    }

    fn array(&mut self) -> Result<Value, CallError> {
        self.enter()?;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                items.push(self.value()?);
                self.blanks();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    _ => return Err(self.unexpected("after array element")),
                }
            }
            self.at += 1;
        }
        self.depth -= 1;
        Ok(Value::list(items))
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self, context: &str) -> Result<(), CallError> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected(context));
        }
        self.digits();
        Ok(())
    }

    fn number(&mut self) -> Result<Value, CallError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        // Nothing follows a leading zero.
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.some_digits("in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        let text = String::from_utf8_lossy(&self.text[start..self.at]);
        Ok(match strconv::parse_float(&text) {
            Ok(number) => Value::Float(number),
            Err(_) => {
                self.error.get_or_insert_with(|| {
                    format!("json: cannot unmarshal number {text} into Go value of type float64")
                });
                Value::Nil
            }
        })
    }

    fn string(&mut self) -> Result<Str, CallError> {
        self.at += 1;
        let start = self.at;
        let mut out = Vec::new();
        let mut plain_from = start;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    out.extend_from_slice(&self.text[plain_from..self.at]);
                    self.at += 1;
                    self.escape(&mut out)?;
                    plain_from = self.at;
                }
                None | Some(0..=0x1f) => return Err(self.unexpected("in string literal")),
                Some(0x20..=0x7f) => self.at += 1,
                Some(_) => {
                    let (character, width) = utf8::decode(&self.text[self.at..]);
                    if character.is_none() {
                        out.extend_from_slice(&self.text[plain_from..self.at]);
                        out.extend_from_slice("\u{fffd}".as_bytes());
                        plain_from = self.at + width;
                    }
                    self.at += width;
                }
            }
        }
        let rest = &self.text[plain_from..self.at];
        self.at += 1;
        if plain_from == start {
            return Ok(rest.into());
        }
        out.extend_from_slice(rest);
        Ok(out.into())
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), CallError> {
        let byte = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.at += 1;
                let mut code = self.hex()?;
                // Two halves of a pair make one character; a lone half is none.
                if (0xd800..0xdc00).contains(&code) && self.text[self.at..].starts_with(b"\\u") {
                    let back = self.at;
                    self.at += 2;
                    let low = self.hex()?;
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    } else {
                        self.at = back;
                    }
                }
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.at += 1;
        out.push(byte);
        Ok(())
    }

    fn hex(&mut self) -> Result<u32, CallError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.unexpected("in \\u hexadecimal character escape"));
            };
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }
}
