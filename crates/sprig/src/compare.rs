//! Whether values are deeply equal, as Go's `reflect.DeepEqual` has it: of one type throughout, so that
//! 1 is not 1.0, and nil is not an empty list.

use std::collections::HashSet;
use std::rc::Rc;

use gotemplate::{CallError, Host, List, Map, MapType, Str, Value};

use crate::limits::{COMPARISONS_MAX, Walk};

pub(crate) fn deep_equal(one: &Value, other: &Value) -> Result<bool, CallError> {
    equal(one, other, &mut Walk::default())
}

fn equal(one: &Value, other: &Value, walk: &mut Walk) -> Result<bool, CallError> {
    match (one, other) {
        (Value::List(one), Value::List(other)) => equal_lists(one, other, walk),
        (Value::Map(one), Value::Map(other)) => equal_maps(one, other, walk),
        (Value::Host(one), Value::Host(other)) => {
            if Rc::ptr_eq(one, other) {
                return Ok(true);
            }
            equal_hosts(one.as_ref(), other.as_ref(), walk)
        }
        _ => Ok(equal_singles(one, other)),
    }
}

fn equal_lists(one: &List, other: &List, walk: &mut Walk) -> Result<bool, CallError> {
    if one.of() != other.of()
        || one.is_nil() != other.is_nil()
        || one.items().len() != other.items().len()
    {
        return Ok(false);
    }
    if one.is_same(other) {
        return Ok(true);
    }
    walk.enter()?;
    for (one, other) in one.items().iter().zip(other.items()) {
        walk.step()?;
        if !equal(one, other, walk)? {
            walk.leave();
            return Ok(false);
        }
    }
    walk.leave();
    Ok(true)
}

fn equal_maps(one: &Map, other: &Map, walk: &mut Walk) -> Result<bool, CallError> {
    if !same_type(one.of(), other.of())
        || one.is_nil() != other.is_nil()
        || one.len() != other.len()
    {
        return Ok(false);
    }
    if one.is_same(other) {
        return Ok(true);
    }
    walk.enter()?;
    let (one, other) = (one.entries(), other.entries());
    for ((key, one), (other_key, other)) in one.iter().zip(other.iter()) {
        walk.step()?;
        if key != other_key || !equal(one, other, walk)? {
            walk.leave();
            return Ok(false);
        }
    }
    walk.leave();
    Ok(true)
}

/// Values of types of their own, by what they consist of.
fn equal_hosts(one: &dyn Host, other: &dyn Host, walk: &mut Walk) -> Result<bool, CallError> {
    if one.type_name() != other.type_name() {
        return Ok(false);
    }
    match (one.fields(), other.fields()) {
        (Some(one), Some(other)) => {
            for (one, other) in one.iter().zip(&other) {
                walk.step()?;
                if !equal(&one.value, &other.value, walk)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (None, None) => match (one.contents(), other.contents()) {
            (Some(one), Some(other)) => equal(&one, &other, walk),
            _ => Ok(one.display() == other.display()),
        },
        _ => Ok(false),
    }
}

fn same_type(one: MapType, other: MapType) -> bool {
    match (one, other) {
        (MapType::Any, MapType::Any)
        | (MapType::String, MapType::String)
        | (MapType::Bytes, MapType::Bytes) => true,
        (MapType::Named(one), MapType::Named(other)) => one.type_name() == other.type_name(),
        _ => false,
    }
}

fn equal_singles(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Int(one, of), Value::Int(other, as_of)) => one == other && of == as_of,
        (Value::Uint(one, of), Value::Uint(other, as_of)) => one == other && of == as_of,
        (Value::Float(one), Value::Float(other)) => one == other,
        (Value::String(one), Value::String(other)) => one == other,
        (Value::Bytes(one), Value::Bytes(other)) => one == other,
        _ => false,
    }
}

/// Values that have been seen. Those without parts are found at once, the others one by one.
pub(crate) struct Seen {
    simple: HashSet<Simple>,
    others: Vec<Value>,
    walk: Walk,
}

#[derive(PartialEq, Eq, Hash)]
enum Simple {
    Nil,
    Bool(bool),
    Int(i64, &'static str),
    Uint(u64, &'static str),
    Float(u64),
    Text(Str),
}

impl Simple {
    fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Nil => Self::Nil,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value, of) => Self::Int(*value, of.name()),
            Value::Uint(value, of) => Self::Uint(*value, of.name()),
            // Zero equals its negative; adding zero makes them one.
            Value::Float(value) => Self::Float((value + 0.0).to_bits()),
            Value::String(text) => Self::Text(text.clone()),
            _ => return None,
        })
    }
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            simple: HashSet::new(),
            others: Vec::new(),
            walk: Walk::new(COMPARISONS_MAX),
        }
    }
}

impl Seen {
    pub(crate) fn insert(&mut self, value: &Value) {
        match Simple::of(value) {
            // No number equals nothing, not even itself.
            Some(Simple::Float(bits)) if f64::from_bits(bits).is_nan() => {}
            Some(simple) => {
                self.simple.insert(simple);
            }
            None => self.others.push(value.clone()),
        }
    }

    pub(crate) fn contains(&mut self, value: &Value) -> Result<bool, CallError> {
        if let Some(simple) = Simple::of(value) {
            return Ok(self.simple.contains(&simple));
        }
        for other in &self.others {
            self.walk.step()?;
            if equal(value, other, &mut self.walk)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
