//! `index`, `slice` and `len`.

use super::super::Operand;
use crate::{CallError, Context, Kind, List, Str, UintType, Use, Value};

/// The list, map or number behind a host type, or the value itself.
fn contents(value: &Value) -> Value {
    match value {
        Value::Host(host) => host.contents().unwrap_or_else(|| value.clone()),
        _ => value.clone(),
    }
}

/// The type that errors name: of what a pointer points to.
fn type_behind(value: &Value) -> &'static str {
    let name = value.type_name();
    match value.kind() {
        Kind::Pointer => name.strip_prefix('*').unwrap_or(name),
        _ => name,
    }
}

/// Reads an index that may be as large as `max`.
fn position(index: &Value, max: usize) -> Result<usize, CallError> {
    let at = match contents(index) {
        Value::Int(at, _) => at,
        Value::Uint(at, _) => at as i64,
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        other => {
            let of = if let Value::Host(_) = index {
                index.type_name()
            } else {
                other.type_name()
            };
            return Err(format!("cannot index slice/array with type {of}").into());
        }
    };
    match usize::try_from(at) {
        Ok(at) if at <= max => Ok(at),
        _ => Err(format!("index out of range: {at}").into()),
    }
}

pub(super) fn index(context: &mut Context<'_>, args: &[Operand]) -> Result<Operand, CallError> {
    let mut item = args[0].clone();
    item.boxed = false;
    if item.is_none() {
        return Err("index of untyped nil".into());
    }
    for index in &args[1..] {
        let index = &index.value;
        if item.is_boxed_nil() {
            return Err("index of nil pointer".into());
        }
        let of = type_behind(&item.value);
        item = match contents(&item.value) {
            Value::String(text) => {
                let at = position(index, text.len())?;
                let byte = text.as_bytes().get(at);
                let byte = byte.ok_or("reflect: string index out of range")?;
                Operand::of(Value::Uint(u64::from(*byte), UintType::Uint8))
            }
            Value::Bytes(bytes) => {
                let at = position(index, bytes.len())?;
                let byte = bytes.get(at).ok_or("reflect: slice index out of range")?;
                Operand::of(Value::Uint(u64::from(*byte), UintType::Uint8))
            }
            Value::List(list) => {
                let at = position(index, list.items().len())?;
                context.read_whole(&item.value, Use::Elements);
                let element = list.items().get(at);
                Operand {
                    value: element.ok_or("reflect: slice index out of range")?.clone(),
                    boxed: list.has_boxed_elements(),
                }
            }
            Value::Map(map) => {
                let Value::String(key) = index else {
                    return Err(match index {
                        Value::Nil => "value is nil; should be of type string".into(),
                        other => {
                            format!("value has type {}; should be string", other.type_name()).into()
                        }
                    });
                };
                context.read_key(&map, key.as_bytes());
                match map.get(key.as_bytes()) {
                    Some(value) => Operand {
                        value,
                        boxed: map.has_boxed_elements(),
                    },
                    None => map.zero_element(),
                }
            }
            _ => return Err(format!("can't index item of type {of}").into()),
        };
    }
    Ok(item)
}

pub(super) fn slice(context: &mut Context<'_>, args: &[Operand]) -> Result<Value, CallError> {
    let (item, indexes) = (&args[0].value, &args[1..]);
    if let Value::Nil = item {
        return Err("slice of untyped nil".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()).into());
    }
    let of = type_behind(item);
    let item = contents(item);
    let length = match &item {
        Value::String(_) if indexes.len() == 3 => {
            return Err("cannot 3-index slice a string".into());
        }
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.items().len(),
        _ => return Err(format!("can't slice item of type {of}").into()),
    };
    let mut ends = [0, length, length];
    for (end, index) in ends.iter_mut().zip(indexes) {
        if index.boxed {
            // Go looks into interfaces for `index`, but not for `slice`.
            return Err("cannot index slice/array with type interface {}".into());
        }
        *end = position(&index.value, length)?;
    }
    let [start, end, capacity] = ends;
    if start > end {
        return Err(format!("invalid slice index: {start} > {end}").into());
    }
    if end > capacity {
        return Err(format!("invalid slice index: {end} > {capacity}").into());
    }
    context.charge_bytes((end - start) as u64)?;
    Ok(match &item {
        Value::String(text) => Value::String(Str::from(&text.as_bytes()[start..end])),
        Value::Bytes(bytes) => Value::Bytes(bytes[start..end].into()),
        Value::List(list) => {
            context.read_whole(&item, Use::Elements);
            Value::List(List::new(&list.items()[start..end], list.of()))
        }
        _ => item,
    })
}

pub(super) fn len(context: &mut Context<'_>, arg: &Operand) -> Result<i64, CallError> {
    if arg.is_boxed_nil() {
        return Err("len of nil pointer".into());
    }
    if arg.is_none() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    context.read_whole(&arg.value, Use::Length);
    let length = match contents(&arg.value) {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.items().len(),
        Value::Map(map) => map.len(),
        _ => return Err(format!("len of type {}", type_behind(&arg.value)).into()),
    };
    Ok(length as i64)
}
