//! Values of every kind, by verb.

use super::fields::{Field, Integer};
use super::{DEPTH_MAX, TEXT_BYTES_MAX, too_deep, too_long};
use crate::{CallError, Host, Kind, List, Map, Method, Str, UintType, Value};

/// What Go would print as the address of whatever is not nil.
const ADDRESS: u64 = 0xc0_0000_0000;

/// Prints values behind what a buffer already holds.
pub(super) struct Printer<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) field: Field,
    start: usize,
}

impl<'a> Printer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            start: out.len(),
            out,
            field: Field::default(),
        }
    }

    /// Whether so many bytes more may be written.
    pub(super) fn room(&self, bytes: usize) -> Result<(), CallError> {
        if (self.out.len() - self.start).saturating_add(bytes) > TEXT_BYTES_MAX {
            return Err(too_long());
        }
        Ok(())
    }

    pub(super) fn write(&mut self, text: &str) -> Result<(), CallError> {
        self.room(text.len())?;
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// Prints an argument.
    pub(super) fn print(&mut self, value: &Value, verb: char) -> Result<(), CallError> {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(b"<nil>"),
            (Value::Nil, _) => self.bad_verb(value, verb),
            (_, 'T') => self.text(value.type_name().as_bytes(), 's').map(drop),
            (_, 'p') => match value.kind() {
                Kind::Slice | Kind::Map | Kind::Pointer | Kind::Func => {
                    let sharp = self.field.sharp;
                    self.field.sharp = !sharp;
                    let result = self.integer(Integer::unsigned(ADDRESS), 'x');
                    self.field.sharp = sharp;
                    result.map(drop)
                }
                _ => self.bad_verb(value, verb),
            },
            (Value::Bytes(bytes), 'v' | 'd') if self.field.syntax => {
                self.byte_syntax("[]byte", bytes)
            }
            // `%w` is for errors, and no value is one.
            (Value::List(_) | Value::Map(_), 'w') => self.bad_verb(value, verb),
            _ => self.element(value, verb, 0),
        }
    }

    fn bad_verb(&mut self, value: &Value, verb: char) -> Result<(), CallError> {
        self.write(&format!("%!{verb}("))?;
        if !matches!(value, Value::Nil) {
            self.write(value.type_name())?;
            self.write("=")?;
        }
        match value {
            Value::Nil => self.write("<nil>")?,
            _ => self.print(value, 'v')?,
        }
        self.write(")")
    }

    /// Prints a value inside others. Whatever needs much of the stack is in functions of its own, as this
    /// one calls itself.
    fn element(&mut self, value: &Value, verb: char, depth: usize) -> Result<(), CallError> {
        match value {
            Value::List(list) => self.list(list, verb, depth),
            Value::Map(map) => self.entries(map, verb, depth),
            _ => self.single(value, verb, depth),
        }
    }

    fn list(&mut self, list: &List, verb: char, depth: usize) -> Result<(), CallError> {
        let [between, close] = self.open_list(list, depth)?;
        for (at, element) in list.items().iter().enumerate() {
            if at > 0 {
                self.write(between)?;
            }
            self.element(element, verb, depth + 1)?;
        }
        self.write(close)
    }

    /// Writes what comes before the elements; gives what comes between and behind them.
    fn open_list(&mut self, list: &List, depth: usize) -> Result<[&'static str; 2], CallError> {
        if depth >= DEPTH_MAX {
            return Err(too_deep());
        }
        if !self.field.syntax {
            self.write("[")?;
            return Ok([" ", "]"]);
        }
        self.write(Value::List(list.clone()).type_name())?;
        if list.is_nil() {
            return Ok(["", "(nil)"]);
        }
        self.write("{")?;
        Ok([", ", "}"])
    }

    fn entries(&mut self, map: &Map, verb: char, depth: usize) -> Result<(), CallError> {
        let [between, close] = self.open_map(map, depth)?;
        for (at, (key, value)) in map.entries().iter().enumerate() {
            if at > 0 {
                self.write(between)?;
            }
            self.key(key, verb)?;
            self.element(value, verb, depth + 1)?;
        }
        self.write(close)
    }

    fn open_map(&mut self, map: &Map, depth: usize) -> Result<[&'static str; 2], CallError> {
        if depth >= DEPTH_MAX {
            return Err(too_deep());
        }
        if !self.field.syntax {
            self.write("map[")?;
            return Ok([" ", "]"]);
        }
        self.write(Value::Map(map.clone()).type_name())?;
        if map.is_nil() {
            return Ok(["", "(nil)"]);
        }
        self.write("{")?;
        Ok([", ", "}"])
    }

    fn key(&mut self, key: &Str, verb: char) -> Result<(), CallError> {
        if !self.text(key.as_bytes(), verb)? {
            self.bad_verb(&Value::String(key.clone()), verb)?;
        }
        self.write(":")
    }

    /// Prints what has no elements but bytes.
    fn single(&mut self, value: &Value, verb: char, depth: usize) -> Result<(), CallError> {
        let known = match value {
            Value::Nil if self.field.syntax => return self.write("interface {}(nil)"),
            Value::Nil => return self.write("<nil>"),
            Value::Bool(value) => match verb {
                't' | 'v' => {
                    self.pad(if *value { b"true" } else { b"false" })?;
                    true
                }
                _ => false,
            },
            Value::Int(value, _) => self.integer(Integer::signed(*value), verb)?,
            Value::Uint(value, _) => self.integer(Integer::unsigned(*value), verb)?,
            Value::Float(value) => self.float(*value, verb)?,
            Value::String(text) => self.text(text.as_bytes(), verb)?,
            Value::Bytes(bytes) => return self.bytes(bytes, verb),
            Value::Host(host) => self.host(host.as_ref(), verb, depth)?,
            Value::List(_) | Value::Map(_) => return self.element(value, verb, depth),
        };
        if !known {
            self.bad_verb(value, verb)?;
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8], verb: char) -> Result<(), CallError> {
        if matches!(verb, 's' | 'q' | 'x' | 'X') {
            return self.text(bytes, verb).map(drop);
        }
        if matches!(verb, 'v' | 'd') && self.field.syntax {
            return self.byte_syntax("[]uint8", bytes);
        }
        let [open, between, close] = if self.field.syntax {
            ["[]uint8{", ", ", "}"]
        } else {
            ["[", " ", "]"]
        };
        self.write(open)?;
        for (at, &byte) in bytes.iter().enumerate() {
            if at > 0 {
                self.write(between)?;
            }
            self.single(&Value::Uint(u64::from(byte), UintType::Uint8), verb, 0)?;
        }
        self.write(close)
    }

    fn byte_syntax(&mut self, type_name: &str, bytes: &[u8]) -> Result<(), CallError> {
        self.write(type_name)?;
        self.write("{")?;
        for (at, byte) in bytes.iter().enumerate() {
            if at > 0 {
                self.write(", ")?;
            }
            self.prefixed(u64::from(*byte))?;
        }
        self.write("}")
    }

    /// A map with a name of its own, as `%#v` shows it.
    fn host_entries(
        &mut self,
        host: &dyn Host,
        map: &Map,
        depth: usize,
    ) -> Result<bool, CallError> {
        self.write(host.type_name())?;
        self.write("{")?;
        for (at, (key, value)) in map.entries().iter().enumerate() {
            self.write(if at > 0 { ", " } else { "" })?;
            self.key(key, 'v')?;
            self.element(value, 'v', depth + 1)?;
        }
        self.write("}")?;
        Ok(true)
    }

    /// A structure, or what a pointer to one points to.
    fn host_fields(
        &mut self,
        host: &dyn Host,
        fields: &[Value],
        verb: char,
        depth: usize,
    ) -> Result<(), CallError> {
        if host.kind() == Kind::Pointer {
            self.write("&")?;
        }
        self.write("{")?;
        for (at, field) in fields.iter().enumerate() {
            self.write(if at > 0 { " " } else { "" })?;
            self.element(field, verb, depth + 1)?;
        }
        self.write("}")
    }

    /// A list with a name of its own, as `%#v` shows it.
    fn host_elements(
        &mut self,
        host: &dyn Host,
        list: &List,
        depth: usize,
    ) -> Result<bool, CallError> {
        self.write(host.type_name())?;
        self.write("{")?;
        for (at, element) in list.items().iter().enumerate() {
            self.write(if at > 0 { ", " } else { "" })?;
            self.element(element, 'v', depth + 1)?;
        }
        self.write("}")?;
        Ok(true)
    }

    fn host(&mut self, host: &dyn Host, verb: char, depth: usize) -> Result<bool, CallError> {
        if verb == 'v' {
            let syntax = match self.field.syntax {
                // Numbers with names are shown as the numbers they are.
                true if matches!(host.kind(), Kind::Int(_) | Kind::Uint(_)) => {
                    match host.contents() {
                        Some(Value::Int(value, _)) => {
                            return self.integer(Integer::signed(value), verb);
                        }
                        Some(Value::Uint(value, _)) => {
                            return self.integer(Integer::unsigned(value), verb);
                        }
                        _ => None,
                    }
                }
                true => match host.contents() {
                    Some(Value::Map(map)) if host.kind() == Kind::Map => {
                        return self.host_entries(host, &map, depth);
                    }
                    Some(Value::List(list)) if host.kind() == Kind::Slice => {
                        return self.host_elements(host, &list, depth);
                    }
                    _ => host.syntax(),
                },
                false => None,
            };
            match syntax {
                Some(text) => self.pad(text.as_bytes())?,
                None => {
                    let text = host.display();
                    self.pad(self.cut(text.as_bytes()))?;
                }
            }
            return Ok(true);
        }
        let has_text = || !matches!(host.method("String"), Method::Absent);
        if !(matches!(verb, 's' | 'x' | 'X' | 'q') && has_text())
            && let Some(fields) = host.printed_fields()
        {
            self.host_fields(host, &fields, verb, depth)?;
            return Ok(true);
        }
        let contents = match host.kind() {
            Kind::Map | Kind::Slice => host.contents(),
            // A number with a name: a month, a duration.
            Kind::Int(_) | Kind::Uint(_) | Kind::Float64 | Kind::Bool
                if !matches!(verb, 's' | 'x' | 'X' | 'q') =>
            {
                host.contents()
            }
            _ => None,
        };
        match contents {
            Some(contents @ (Value::Map(_) | Value::List(_) | Value::Bytes(_))) => {
                self.element(&contents, verb, depth)?;
                Ok(true)
            }
            Some(Value::Int(value, _)) => self.integer(Integer::signed(value), verb),
            Some(Value::Uint(value, _)) => self.integer(Integer::unsigned(value), verb),
            Some(Value::Float(value)) => self.float(value, verb),
            _ => self.text(host.display().as_bytes(), verb),
        }
    }
}
