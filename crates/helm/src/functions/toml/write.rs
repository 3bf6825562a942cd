//! Values as TOML.

use gotemplate::{Field, Host, Kind, Map, Str, Value};
use sprig::{Duration, Time};

use super::{LOCAL_DATE, LOCAL_DATE_TIME, LOCAL_TIME};
use crate::functions::check::NIL_IN_LIST;

/// The document for a value.
///
/// # Errors
/// The reference's: for a list with nil in it, a list of maps without a key, complex numbers, and no
/// value at all.
pub(super) fn document(value: &Value) -> Result<Vec<u8>, String> {
    if matches!(value, Value::Nil) {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    if is_complex(value) {
        return Err("unsupported type for key '': complex128".into());
    }
    let mut writer = Writer {
        out: Vec::new(),
        key: Vec::new(),
    };
    writer.encode(value)?;
    Ok(writer.out)
}

fn is_complex(value: &Value) -> bool {
    matches!(value, Value::Host(host) if host.type_name() == "complex128")
}

/// What a value is in TOML, as far as it decides where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Behind its key.
    Direct,
    Table,
    /// A list of tables.
    Tables,
}

/// `None` for what is not written at all.
fn form(value: &Value) -> Result<Option<Form>, String> {
    Ok(Some(match value {
        Value::Nil => return Ok(None),
        Value::List(list) if list.is_nil() => return Ok(None),
        Value::List(list) => {
            let mut tables = !list.items().is_empty();
            for item in list.items() {
                match form(item)? {
                    None => return Err(NIL_IN_LIST.into()),
                    Some(form) => tables &= form == Form::Table,
                }
            }
            if tables { Form::Tables } else { Form::Direct }
        }
        Value::Map(map) if map.is_nil() => return Ok(None),
        Value::Map(_) => Form::Table,
        Value::Host(_) if is_complex(value) => {
            return Err("unsupported type: complex128".into());
        }
        Value::Host(host) => match structure(host.as_ref()) {
            Some(Value::Map(_)) => Form::Table,
            Some(list) => return form(&list),
            None => Form::Direct,
        },
        _ => Form::Direct,
    }))
}

/// The contents of a value with methods that is written as them.
fn structure(host: &dyn Host) -> Option<Value> {
    match host.json().or_else(|| host.contents()) {
        Some(Value::Map(map)) => Some(Value::Map(map)),
        Some(value) if host.kind() == Kind::Slice => Some(value),
        _ => None,
    }
}

/// The fields of a structure that are written, by their names in Go.
fn exported(fields: Vec<Field>) -> Vec<(Str, Value)> {
    let mut entries = Vec::new();
    for field in fields.into_iter().filter(Field::is_exported) {
        match &field.value {
            Value::Host(host) if field.is_embedded => {
                entries.extend(exported(host.fields().unwrap_or_default()));
            }
            _ => entries.push((field.name.into(), field.value)),
        }
    }
    entries
}

struct Writer<'a> {
    out: Vec<u8>,
    /// The keys that we are in.
    key: Vec<&'a Str>,
}

impl Writer<'_> {
    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A line break, but not at the start.
    fn line_break(&mut self) {
        if !self.out.is_empty() {
            self.out.push(b'\n');
        }
    }

    fn indent(&mut self) {
        for _ in 1..self.key.len() {
            self.push("  ");
        }
    }

    fn encode(&mut self, value: &Value) -> Result<(), String> {
        match form(value)? {
            None => Ok(()),
            Some(Form::Direct) => self.pair(value, false),
            Some(Form::Table) => {
                if self.key.len() == 1 {
                    self.line_break();
                }
                if !self.key.is_empty() {
                    self.header("[", "]");
                }
                self.table(value, false)
            }
            Some(Form::Tables) => {
                if self.key.is_empty() {
                    return Err("toml: top-level values must be Go maps or structs".into());
                }
                let list = match value {
                    Value::Host(host) => structure(host.as_ref()).unwrap_or_default(),
                    value => value.clone(),
                };
                let Value::List(list) = list else {
                    return Ok(());
                };
                for item in list.items() {
                    self.line_break();
                    self.header("[[", "]]");
                    self.table(item, false)?;
                }
                Ok(())
            }
        }
    }

    /// The line that a table begins with.
    fn header(&mut self, open: &str, close: &str) {
        self.indent();
        self.push(open);
        for (at, key) in self.key.clone().into_iter().enumerate() {
            if at > 0 {
                self.push(".");
            }
            push_key(&mut self.out, key);
        }
        self.push(close);
        self.line_break();
    }

    /// The entries of a map, those that are no tables first.
    fn table(&mut self, value: &Value, inline: bool) -> Result<(), String> {
        let entries_of = |map: &Map| {
            let entries = map.entries();
            let entries = entries.iter();
            entries
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect::<Vec<_>>()
        };
        let entries: Vec<(Str, Value)> = match value {
            Value::Map(map) => entries_of(map),
            Value::Host(host) => match (host.fields(), structure(host.as_ref())) {
                (Some(fields), Some(Value::Map(_))) => exported(fields),
                (None, Some(Value::Map(map))) => entries_of(&map),
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        let mut direct = Vec::new();
        let mut tables = Vec::new();
        for (key, value) in &entries {
            match form(value)? {
                Some(Form::Table | Form::Tables) => tables.push((key, value)),
                _ => direct.push((key, value)),
            }
        }
        if inline {
            self.push("{");
        }
        let behind = !tables.is_empty();
        self.entries(&direct, behind, inline)?;
        self.entries(&tables, false, inline)?;
        if inline {
            self.push("}");
        }
        Ok(())
    }

    fn entries(
        &mut self,
        entries: &[(&Str, &Value)],
        behind: bool,
        inline: bool,
    ) -> Result<(), String> {
        for (at, (key, value)) in entries.iter().enumerate() {
            if form(value)?.is_none() {
                continue;
            }
            let above = if inline {
                std::mem::take(&mut self.key)
            } else {
                self.key.clone()
            };
            let mut inner = Writer {
                out: std::mem::take(&mut self.out),
                key: if inline {
                    vec![key]
                } else {
                    [&above[..], &[key]].concat()
                },
            };
            let result = if inline {
                inner.pair(value, true)
            } else {
                inner.encode(value)
            };
            self.out = inner.out;
            self.key = above;
            result?;
            // After an entry that is left out, the comma before it stays.
            if inline && (behind || at + 1 < entries.len()) {
                self.push(", ");
            }
        }
        Ok(())
    }

    /// `key = value`, or only the value where there is no key.
    fn pair(&mut self, value: &Value, inline: bool) -> Result<(), String> {
        let Some(key) = self.key.last().copied() else {
            return self.element(value);
        };
        self.indent();
        push_key(&mut self.out, key);
        self.push(" = ");
        self.element(value)?;
        if !inline {
            self.line_break();
        }
        Ok(())
    }

    fn element(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Nil => {}
            Value::Bool(value) => self.push(if *value { "true" } else { "false" }),
            Value::Int(value, _) => self.push(&value.to_string()),
            Value::Uint(value, _) => self.push(&value.to_string()),
            Value::Float(value) => self.push(&float(*value)),
            Value::String(text) => push_quoted(&mut self.out, text.as_bytes()),
            Value::Bytes(bytes) => {
                let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
                self.push(&format!("[{}]", numbers.join(", ")));
            }
            Value::List(list) => {
                self.push("[");
                for (at, item) in list.items().iter().enumerate() {
                    if at > 0 {
                        self.push(", ");
                    }
                    self.element(item)?;
                }
                self.push("]");
            }
            Value::Map(_) => self.table(value, true)?,
            Value::Host(host) => match (host.json(), host.contents()) {
                _ if host.as_any().is::<Time>() => {
                    let time = host.as_any().downcast_ref::<Time>();
                    self.out.extend(time.map(date_time).unwrap_or_default());
                }
                _ if host.as_any().is::<Duration>() => {
                    push_quoted(&mut self.out, host.display().as_bytes());
                }
                (Some(Value::Map(_)), _) | (None, Some(Value::Map(_))) => {
                    self.table(value, true)?
                }
                (Some(value), _) | (None, Some(value)) => self.element(&value)?,
                (None, None) => push_quoted(&mut self.out, host.display().as_bytes()),
            },
        }
        Ok(())
    }
}

/// A time, without what TOML did not say when it comes from there.
fn date_time(time: &Time) -> Vec<u8> {
    time.format(match time.zone() {
        zone if zone == LOCAL_DATE_TIME.as_bytes() => b"2006-01-02T15:04:05.999999999",
        zone if zone == LOCAL_DATE.as_bytes() => b"2006-01-02",
        zone if zone == LOCAL_TIME.as_bytes() => b"15:04:05.999999999",
        _ => b"2006-01-02T15:04:05.999999999Z07:00",
    })
}

/// A float always has a point or an exponent.
fn float(value: f64) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_nan() {
        return format!("{sign}nan");
    }
    if value.is_infinite() {
        return format!("{sign}inf");
    }
    let text = golang::strconv::format_float_g(value);
    if text.contains(['e', '.']) {
        text
    } else {
        format!("{text}.0")
    }
}

fn push_key(out: &mut Vec<u8>, key: &Str) {
    let bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.as_bytes().iter().all(bare) {
        out.extend_from_slice(key.as_bytes());
    } else {
        push_quoted(out, key.as_bytes());
    }
}

pub(super) fn push_quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            8 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..=0x1f | 0x7f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
