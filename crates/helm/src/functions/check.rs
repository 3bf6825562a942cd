//! A look at a value before it is written: whether it can be, and whether it has an end.

use gotemplate::{CallError, Str, Value};

use super::{DEPTH_MAX, TEXT_BYTES_MAX};

/// Why a value is not written.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The reference's error.
    Go(String),
    /// It is too large, or contains itself.
    Limit(String),
}

impl From<Refusal> for CallError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Go(text) => Self::Failed(text),
            Refusal::Limit(text) => Self::Limit(text),
        }
    }
}

/// What else is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Lists with nil, which TOML does not have: they are met before what is in tables, where a value
    /// may have no end.
    Toml,
    /// What go-yaml v3 does not write.
    Pretty,
    /// What cannot go through JSON, or cannot be read by go-yaml v2 when it has.
    JsonToYaml,
}

/// Checks what `way` demands, and the size.
pub(super) fn check(value: &Value, way: Way) -> Result<(), Refusal> {
    let mut checker = Checker {
        way,
        bytes: 0,
        above: Vec::new(),
    };
    checker.value(value, 0)
}

struct Checker {
    way: Way,
    /// Bytes that writing will take, about.
    bytes: usize,
    /// The maps that we are in, by address.
    above: Vec<usize>,
}

/// What TOML's writer says of a list with nil.
pub(super) const NIL_IN_LIST: &str = "toml: cannot encode array with nil element";

/// Longest key of a mapping in one line that go-yaml finds.
const KEY_MAX: usize = 1024;

impl Checker {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Refusal> {
        if depth > DEPTH_MAX && self.way == Way::JsonToYaml && self.is_cycle() {
            let text = "error marshaling into JSON: json: unsupported value: encountered a cycle via map[string]interface {}";
            return Err(Refusal::Go(text.into()));
        }
        if depth > DEPTH_MAX {
            let text = format!("a value is nested deeper than {DEPTH_MAX} levels");
            return Err(Refusal::Limit(text));
        }
        self.count(2 + 2 * depth)?;
        match value {
            Value::Nil | Value::Bool(_) | Value::Int(..) | Value::Uint(..) => Ok(()),
            Value::Float(number) if self.way == Way::JsonToYaml && !number.is_finite() => {
                let number = golang::strconv::format_float_g(*number);
                let text = format!("error marshaling into JSON: json: unsupported value: {number}");
                Err(Refusal::Go(text))
            }
            Value::Float(_) => Ok(()),
            Value::String(text) => self.text(text.as_bytes()),
            Value::Bytes(bytes) => self.count(bytes.len() / 3 * 4 + 4),
            Value::List(list) => {
                let mut items = list.items().iter();
                items.try_for_each(|item| self.value(item, depth + 1))
            }
            Value::Map(map) if self.way == Way::Toml => {
                let entries = map.entries();
                let mut values = entries.values();
                values.try_for_each(|value| self.no_nil(value, depth + 1))?;
                let is_table = |value: &Value| matches!(value, Value::Map(_));
                for tables in [false, true] {
                    for (key, value) in entries.iter() {
                        if is_table(value) == tables {
                            self.text(key.as_bytes())?;
                            self.value(value, depth + 1)?;
                        }
                    }
                }
                Ok(())
            }
            Value::Map(map) => {
                self.above.push(map.address());
                map.entries().iter().try_for_each(|(key, value)| {
                    self.text(key.as_bytes())?;
                    if self.way == Way::JsonToYaml {
                        check_key(key)?;
                    }
                    self.value(value, depth + 1)
                })?;
                self.above.pop();
                Ok(())
            }
            Value::Host(host) => match host.json().or_else(|| host.contents()) {
                Some(value) => self.value(&value, depth + 1),
                None if self.way != Way::Toml && host.type_name() == "complex128" => {
                    let before = match self.way {
                        Way::JsonToYaml => "error marshaling into JSON: json: unsupported type",
                        Way::Toml | Way::Pretty => "cannot marshal type",
                    };
                    Err(Refusal::Go(format!("{before}: complex128")))
                }
                None => self.text(host.display().as_bytes()),
            },
        }
    }

    /// That there is no nil in a list, nor in lists in it.
    fn no_nil(&mut self, value: &Value, depth: usize) -> Result<(), Refusal> {
        let Value::List(list) = value else {
            return Ok(());
        };
        if depth > DEPTH_MAX {
            return self.value(value, depth);
        }
        list.items().iter().try_for_each(|item| {
            self.count(2)?;
            match item {
                Value::Nil => Err(Refusal::Go(NIL_IN_LIST.to_owned())),
                item => self.no_nil(item, depth + 1),
            }
        })
    }

    /// Whether a map that we are in contains itself.
    fn is_cycle(&self) -> bool {
        let mut above = self.above.clone();
        above.sort_unstable();
        above.windows(2).any(|pair| pair[0] == pair[1])
    }

    fn count(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > TEXT_BYTES_MAX {
            let text = format!("a value makes a text of more than {TEXT_BYTES_MAX} bytes");
            return Err(Refusal::Limit(text));
        }
        Ok(())
    }

    fn text(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.count(bytes.len())?;
        if self.way == Way::JsonToYaml && has_control(bytes) {
            return Err(Refusal::Go(
                "yaml: control characters are not allowed".into(),
            ));
        }
        Ok(())
    }
}

/// Whether a text has characters that JSON leaves as they are and go-yaml refuses: DEL, the controls
/// from U+0080 on but for the line break U+0085, U+FFFE and U+FFFF.
fn has_control(bytes: &[u8]) -> bool {
    if bytes.iter().all(|byte| matches!(byte, 0..=0x7e)) {
        return false;
    }
    golang::utf8::characters(bytes).any(|(_, character, _)| {
        matches!(
            character,
            Some('\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
        )
    })
}

/// A key that is longer in JSON, with its quotes, is not taken for one, nor is one with a line break,
/// which U+0085 is for YAML and not for JSON.
fn check_key(key: &Str) -> Result<(), Refusal> {
    let refusal = || Refusal::Go("yaml: did not find expected ',' or '}'".into());
    if key.as_bytes().windows(2).any(|pair| pair == b"\xc2\x85") {
        return Err(refusal());
    }
    if key.len() <= KEY_MAX / 6 - 2 {
        return Ok(());
    }
    let length = |character| match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => 6,
        _ => 1,
    };
    let total: usize = key.to_text().chars().map(length).sum();
    if total + 2 > KEY_MAX {
        return Err(refusal());
    }
    Ok(())
}
