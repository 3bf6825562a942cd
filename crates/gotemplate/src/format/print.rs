//! Values of every kind, by verb.

use super::fields::{Field, Integer};
use super::{DEPTH_MAX, TEXT_BYTES_MAX, too_deep, too_long};
use crate::value::Complex;
use crate::{CallError, Host, Kind, List, Map, Str, UintType, Value};

/// What Go would print as the address of whatever is not nil.
const ADDRESS: u64 = 0xc0_0000_0000;

/// Prints values behind what a buffer already holds.
pub(super) struct Printer<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) field: Field,
    start: usize,
    /// Whether a value is shown because its verb is wrong: then no method is called.
    is_wrong: bool,
}

impl<'a> Printer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            start: out.len(),
            out,
            field: Field::default(),
            is_wrong: false,
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
            (Value::Nil, _) => self.write(&format!("%!{verb}(<nil>)")),
            (_, 'T') => self.text(value.type_name().as_bytes(), 's').map(drop),
            (_, 'p') => match address(value) {
                Some(address) => self.address(address),
                None => self.bad_verb(value, verb),
            },
            (Value::Bytes(bytes), 'v' | 'd') if self.field.syntax => {
                self.byte_syntax("[]byte", bytes)
            }
            // `%w` is for errors, and no value is one.
            (Value::List(_) | Value::Map(_), 'w') => self.bad_verb(value, verb),
            _ => self.element(value, verb, 0),
        }
    }

    /// Prints a value of a type of its own, as an argument or, if `depth` says so, inside others.
    pub(super) fn host(
        &mut self,
        host: &dyn Host,
        verb: char,
        depth: usize,
    ) -> Result<(), CallError> {
        if self.methods(host, verb)? {
            return Ok(());
        }
        if let Some(complex) = host.as_any().downcast_ref::<Complex>() {
            return self.complex(host, complex, verb);
        }
        match host.kind() {
            Kind::Struct => self.structure(host, verb, depth),
            // What a pointer inside another value points to might contain that value.
            Kind::Pointer if depth == 0 && host.fields().is_some() => {
                self.write("&")?;
                self.structure(host, verb, depth)
            }
            Kind::Pointer | Kind::Func => self.pointer(host, verb),
            _ => match host.contents() {
                Some(Value::List(list)) => self.list(&list, host.type_name(), verb, depth),
                Some(Value::Map(map)) => self.entries(&map, host.type_name(), verb, depth),
                Some(value) if self.single(&value, verb)? => Ok(()),
                _ => self.bad_host(host, verb),
            },
        }
    }

    /// Lets the value print itself, if it has a method for this verb.
    fn methods(&mut self, host: &dyn Host, verb: char) -> Result<bool, CallError> {
        if self.is_wrong {
            return Ok(false);
        }
        if verb == 'w' {
            return self.bad_host(host, verb).map(|()| true);
        }
        if self.field.syntax {
            return match host.syntax() {
                Some(text) => self.text(text.as_bytes(), 's'),
                None => Ok(false),
            };
        }
        match verb {
            'v' | 's' | 'x' | 'X' | 'q' => match host.text() {
                Some(text) => self.text(text.as_bytes(), verb),
                None => Ok(false),
            },
            _ => Ok(false),
        }
    }

    fn bad_verb(&mut self, value: &Value, verb: char) -> Result<(), CallError> {
        self.mistake(value.type_name(), verb, |printer| printer.print(value, 'v'))
    }

    fn bad_host(&mut self, host: &dyn Host, verb: char) -> Result<(), CallError> {
        self.mistake(host.type_name(), verb, |printer| printer.host(host, 'v', 0))
    }

    fn mistake(
        &mut self,
        type_name: &str,
        verb: char,
        show: impl FnOnce(&mut Self) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        self.write(&format!("%!{verb}({type_name}="))?;
        self.is_wrong = true;
        show(self)?;
        self.is_wrong = false;
        self.write(")")
    }

    /// Writes an address as `%p` and `%v` do: with `0x` unless `#` takes it away.
    fn address(&mut self, address: u64) -> Result<(), CallError> {
        let sharp = self.field.sharp;
        self.field.sharp = !sharp;
        let result = self.integer(Integer::unsigned(address), 'x');
        self.field.sharp = sharp;
        result.map(drop)
    }

    /// Prints a pointer as the number it is.
    fn pointer(&mut self, host: &dyn Host, verb: char) -> Result<(), CallError> {
        let address = host_address(host);
        match verb {
            'v' if self.field.syntax => {
                self.write(&format!("({})(", host.type_name()))?;
                match address {
                    0 => self.write("nil")?,
                    address => self.prefixed(address)?,
                }
                self.write(")")
            }
            'v' if address == 0 => self.pad(b"<nil>"),
            'v' => self.address(address),
            'b' | 'o' | 'd' | 'x' | 'X' => self.integer(Integer::unsigned(address), verb).map(drop),
            _ => self.bad_host(host, verb),
        }
    }

    /// A structure, or the one that a pointer points to.
    pub(super) fn structure(
        &mut self,
        host: &dyn Host,
        verb: char,
        depth: usize,
    ) -> Result<(), CallError> {
        let syntax = self.field.syntax;
        if syntax {
            self.write(host.type_name().trim_start_matches('*'))?;
        }
        self.write("{")?;
        for (at, field) in host.fields().unwrap_or_default().iter().enumerate() {
            if at > 0 {
                self.write(if syntax { ", " } else { " " })?;
            }
            if syntax || self.field.names {
                self.write(field.name)?;
                self.write(":")?;
            }
            self.element(&field.value, verb, depth + 1)?;
        }
        self.write("}")
    }

    fn complex(&mut self, host: &dyn Host, value: &Complex, verb: char) -> Result<(), CallError> {
        if !matches!(
            verb,
            'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E'
        ) {
            return self.bad_host(host, verb);
        }
        self.write("(")?;
        self.float(value.real, verb)?;
        // The sign between the two is always there.
        let plus = std::mem::replace(&mut self.field.plus, true);
        self.float(value.imaginary, verb)?;
        self.field.plus = plus;
        self.write("i)")
    }

    /// Prints a value inside others. Whatever needs much of the stack is in functions of its own, as this
    /// one calls itself.
    fn element(&mut self, value: &Value, verb: char, depth: usize) -> Result<(), CallError> {
        match value {
            Value::List(list) => self.list(list, value.type_name(), verb, depth),
            Value::Map(map) => self.entries(map, value.type_name(), verb, depth),
            Value::Host(host) => self.host(host.as_ref(), verb, depth),
            Value::Bytes(bytes) => self.bytes(bytes, verb),
            Value::Nil if self.field.syntax => self.write("interface {}(nil)"),
            Value::Nil => self.write("<nil>"),
            _ => self.whole(value, verb),
        }
    }

    fn list(
        &mut self,
        list: &List,
        type_name: &str,
        verb: char,
        depth: usize,
    ) -> Result<(), CallError> {
        let [between, close] = self.open("[", type_name, list.is_nil(), depth)?;
        for (at, element) in list.items().iter().enumerate() {
            if at > 0 {
                self.write(between)?;
            }
            self.element(element, verb, depth + 1)?;
        }
        self.write(close)
    }

    fn entries(
        &mut self,
        map: &Map,
        type_name: &str,
        verb: char,
        depth: usize,
    ) -> Result<(), CallError> {
        let [between, close] = self.open("map[", type_name, map.is_nil(), depth)?;
        for (at, (key, value)) in map.entries().iter().enumerate() {
            if at > 0 {
                self.write(between)?;
            }
            self.key(key, verb)?;
            self.element(value, verb, depth + 1)?;
        }
        self.write(close)
    }

    /// Writes what comes before the elements; gives what comes between and behind them.
    fn open(
        &mut self,
        bracket: &str,
        type_name: &str,
        is_nil: bool,
        depth: usize,
    ) -> Result<[&'static str; 2], CallError> {
        if depth >= DEPTH_MAX {
            return Err(too_deep());
        }
        if !self.field.syntax {
            self.write(bracket)?;
            return Ok([" ", "]"]);
        }
        self.write(type_name)?;
        if is_nil {
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

    /// Prints what has no elements.
    fn whole(&mut self, value: &Value, verb: char) -> Result<(), CallError> {
        match self.single(value, verb)? {
            true => Ok(()),
            false => self.bad_verb(value, verb),
        }
    }

    /// Prints a truth, a number or a text; `false` when it is none, or has no such verb.
    fn single(&mut self, value: &Value, verb: char) -> Result<bool, CallError> {
        match value {
            Value::Bool(value) => match verb {
                't' | 'v' => {
                    self.pad(if *value { b"true" } else { b"false" })?;
                    Ok(true)
                }
                _ => Ok(false),
            },
            Value::Int(value, _) => self.integer(Integer::signed(*value), verb),
            Value::Uint(value, _) => self.integer(Integer::unsigned(*value), verb),
            Value::Float(value) => self.float(*value, verb),
            Value::String(text) => self.text(text.as_bytes(), verb),
            _ => Ok(false),
        }
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
            self.whole(&Value::Uint(u64::from(byte), UintType::Uint8), verb)?;
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
}

/// The address of what is kept elsewhere: zero of nil.
fn address(value: &Value) -> Option<u64> {
    match value {
        Value::List(list) if list.is_nil() => Some(0),
        Value::Map(map) if map.is_nil() => Some(0),
        Value::Bytes(_) | Value::List(_) | Value::Map(_) => Some(ADDRESS),
        Value::Host(host) => match host.kind() {
            Kind::Slice | Kind::Map | Kind::Pointer | Kind::Func => {
                Some(host_address(host.as_ref()))
            }
            _ => None,
        },
        _ => None,
    }
}

fn host_address(host: &dyn Host) -> u64 {
    let is_nil = match host.kind() {
        Kind::Pointer => host.fields().is_none(),
        _ => matches!(host.contents(), Some(Value::List(list)) if list.is_nil()),
    };
    if is_nil { 0 } else { ADDRESS }
}
