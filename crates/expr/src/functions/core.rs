//! Operators, conversions and the rest of the standard library.
//!
//! # Source
//! google/cel-go `common/stdlib/standard.go`, `common/types`.

use std::cmp::Ordering;
use std::sync::Arc;

use golang::Timestamp;

use super::{Function, Outcome, global, member, no_overload, text, times};
use crate::cost::Cost;
use crate::{EvalErrorKind, Shape, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    global("_+_", (2, 2), Cost::Concatenate, Shape::Dyn, add),
    global("_-_", (2, 2), Cost::One, Shape::Dyn, subtract),
    global("_*_", (2, 2), Cost::One, Shape::Dyn, multiply),
    global("_/_", (2, 2), Cost::One, Shape::Dyn, divide),
    global("_%_", (2, 2), Cost::One, Shape::Dyn, modulo),
    global("-_", (1, 1), Cost::One, Shape::Dyn, negate),
    global("_==_", (2, 2), Cost::Equal, Shape::Bool, |a| {
        Ok(Value::Bool(a[0].equals(&a[1])))
    }),
    global("_!=_", (2, 2), Cost::Equal, Shape::Bool, |a| {
        Ok(Value::Bool(!a[0].equals(&a[1])))
    }),
    global("_<_", (2, 2), Cost::Equal, Shape::Bool, |a| {
        compare(a, Ordering::is_lt)
    }),
    global("_<=_", (2, 2), Cost::Equal, Shape::Bool, |a| {
        compare(a, Ordering::is_le)
    }),
    global("_>_", (2, 2), Cost::Equal, Shape::Bool, |a| {
        compare(a, Ordering::is_gt)
    }),
    global("_>=_", (2, 2), Cost::Equal, Shape::Bool, |a| {
        compare(a, Ordering::is_ge)
    }),
    global("@in", (2, 2), Cost::In, Shape::Bool, contains),
    global("size", (1, 1), Cost::One, Shape::Int, size),
    member(
        "size",
        (1, 1),
        &["string", "bytes", "list", "map"],
        Cost::One,
        Shape::Int,
        size,
    ),
    global("type", (1, 1), Cost::One, Shape::Type, |a| {
        Ok(Value::Type(a[0].type_name().into()))
    }),
    global("dyn", (1, 1), Cost::One, Shape::Dyn, |a| Ok(a[0].clone())),
    global("bool", (1, 1), Cost::One, Shape::Bool, to_bool),
    global("int", (1, 1), Cost::One, Shape::Int, to_int),
    global("uint", (1, 1), Cost::One, Shape::Uint, to_uint),
    global("double", (1, 1), Cost::One, Shape::Double, to_double),
    global("string", (1, 1), Cost::One, Shape::String, to_string),
    global("bytes", (1, 1), Cost::Traverse, Shape::Bytes, to_bytes),
    global(
        "timestamp",
        (1, 1),
        Cost::One,
        Shape::Timestamp,
        to_timestamp,
    ),
    global("duration", (1, 1), Cost::One, Shape::Duration, to_duration),
];

fn overflow<T>(value: Option<T>, what: &str) -> Result<T, EvalErrorKind> {
    value.ok_or_else(|| format!("{what}overflow").into())
}

pub(super) fn add(a: &[Value]) -> Outcome {
    Ok(match (&a[0], &a[1]) {
        (Value::Int(a), Value::Int(b)) => Value::Int(overflow(a.checked_add(*b), "integer ")?),
        (Value::Uint(a), Value::Uint(b)) => {
            Value::Uint(overflow(a.checked_add(*b), "unsigned integer ")?)
        }
        (Value::Double(a), Value::Double(b)) => Value::Double(a + b),
        (Value::String(a), Value::String(b)) => {
            bounded(a.len() + b.len())?;
            Value::String(format!("{a}{b}").into())
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            bounded(a.len() + b.len())?;
            Value::Bytes(Arc::from([&**a, &**b].concat()))
        }
        (Value::List(a), Value::List(b)) => {
            bounded(a.len() + b.len())?;
            Value::List(crate::compare::concatenate(a, b))
        }
        (Value::Timestamp(time), Value::Duration(nanos))
        | (Value::Duration(nanos), Value::Timestamp(time)) => {
            Value::Timestamp(overflow(times::later(*time, *nanos), "timestamp ")?)
        }
        (Value::Duration(a), Value::Duration(b)) => {
            Value::Duration(overflow(a.checked_add(*b), "duration ")?)
        }
        _ => return no_overload(),
    })
}

/// Refuses to build more than [`crate::RESULT_MAX`] bytes or items.
pub(super) fn bounded(size: usize) -> Result<(), EvalErrorKind> {
    if size > crate::RESULT_MAX {
        return Err(EvalErrorKind::CostLimit);
    }
    Ok(())
}

fn subtract(a: &[Value]) -> Outcome {
    Ok(match (&a[0], &a[1]) {
        (Value::Int(a), Value::Int(b)) => Value::Int(overflow(a.checked_sub(*b), "integer ")?),
        (Value::Uint(a), Value::Uint(b)) => {
            Value::Uint(overflow(a.checked_sub(*b), "unsigned integer ")?)
        }
        (Value::Double(a), Value::Double(b)) => Value::Double(a - b),
        (Value::Timestamp(a), Value::Timestamp(b)) => {
            Value::Duration(overflow(times::between(*a, *b), "duration ")?)
        }
        (Value::Timestamp(a), Value::Duration(b)) => {
            let negated = overflow(b.checked_neg(), "timestamp ")?;
            Value::Timestamp(overflow(times::later(*a, negated), "timestamp ")?)
        }
        (Value::Duration(a), Value::Duration(b)) => {
            Value::Duration(overflow(a.checked_sub(*b), "duration ")?)
        }
        _ => return no_overload(),
    })
}

fn multiply(a: &[Value]) -> Outcome {
    Ok(match (&a[0], &a[1]) {
        (Value::Int(a), Value::Int(b)) => Value::Int(overflow(a.checked_mul(*b), "integer ")?),
        (Value::Uint(a), Value::Uint(b)) => {
            Value::Uint(overflow(a.checked_mul(*b), "unsigned integer ")?)
        }
        (Value::Double(a), Value::Double(b)) => Value::Double(a * b),
        _ => return no_overload(),
    })
}

fn divide(a: &[Value]) -> Outcome {
    Ok(match (&a[0], &a[1]) {
        (Value::Int(_), Value::Int(0)) | (Value::Uint(_), Value::Uint(0)) => {
            return Err("division by zero".into());
        }
        (Value::Int(a), Value::Int(b)) => Value::Int(overflow(a.checked_div(*b), "integer ")?),
        (Value::Uint(a), Value::Uint(b)) => Value::Uint(a / b),
        (Value::Double(a), Value::Double(b)) => Value::Double(a / b),
        _ => return no_overload(),
    })
}

fn modulo(a: &[Value]) -> Outcome {
    Ok(match (&a[0], &a[1]) {
        (Value::Int(_), Value::Int(0)) | (Value::Uint(_), Value::Uint(0)) => {
            return Err("modulus by zero".into());
        }
        (Value::Int(a), Value::Int(b)) => Value::Int(overflow(a.checked_rem(*b), "integer ")?),
        (Value::Uint(a), Value::Uint(b)) => Value::Uint(a % b),
        _ => return no_overload(),
    })
}

fn negate(a: &[Value]) -> Outcome {
    Ok(match &a[0] {
        Value::Int(value) => Value::Int(overflow(value.checked_neg(), "integer ")?),
        Value::Double(value) => Value::Double(-value),
        Value::Duration(value) => Value::Duration(overflow(value.checked_neg(), "duration ")?),
        _ => return no_overload(),
    })
}

fn compare(a: &[Value], wanted: fn(Ordering) -> bool) -> Outcome {
    if !a[0].orders_with(&a[1]) {
        return no_overload();
    }
    match a[0].order(&a[1]) {
        Some(order) => Ok(Value::Bool(wanted(order))),
        None => Err("NaN values cannot be ordered".into()),
    }
}

fn contains(a: &[Value]) -> Outcome {
    match &a[1] {
        Value::List(list) => Ok(Value::Bool(list.iter().any(|item| item.equals(&a[0])))),
        Value::Map(map) => Ok(Value::Bool(map.get(&a[0]).is_some())),
        _ => no_overload(),
    }
}

fn size(a: &[Value]) -> Outcome {
    match &a[0] {
        Value::String(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_) => {
            Ok(Value::Int(a[0].size() as i64))
        }
        _ => no_overload(),
    }
}

fn to_bool(a: &[Value]) -> Outcome {
    match &a[0] {
        Value::Bool(value) => Ok(Value::Bool(*value)),
        Value::String(text) => match text.as_str() {
            "true" | "True" | "TRUE" | "t" | "T" | "1" => Ok(Value::Bool(true)),
            "false" | "False" | "FALSE" | "f" | "F" | "0" => Ok(Value::Bool(false)),
            _ => Err(parse_error("bool")),
        },
        _ => no_overload(),
    }
}

fn parse_error(wanted: &str) -> EvalErrorKind {
    format!("type conversion error from 'string' to '{wanted}'").into()
}

fn to_int(a: &[Value]) -> Outcome {
    let range = || EvalErrorKind::from("integer overflow");
    Ok(Value::Int(match &a[0] {
        Value::Int(value) => *value,
        Value::Uint(value) => i64::try_from(*value).map_err(|_| range())?,
        // Both ends are excluded, as they are no exact 64-bit integers.
        Value::Double(value) if value.abs() < 9_223_372_036_854_775_807.0 => *value as i64,
        Value::Double(_) => return Err(range()),
        Value::String(text) => text.parse().map_err(|_| parse_error("int"))?,
        Value::Timestamp(time) => time.unix(),
        Value::Duration(nanos) => *nanos,
        Value::Quantity(_) => return no_overload(),
        _ => return no_overload(),
    }))
}

fn to_uint(a: &[Value]) -> Outcome {
    let range = || EvalErrorKind::from("unsigned integer overflow");
    Ok(Value::Uint(match &a[0] {
        Value::Uint(value) => *value,
        Value::Int(value) => u64::try_from(*value).map_err(|_| range())?,
        Value::Double(value) if *value >= 0.0 && *value < 18_446_744_073_709_551_615.0 => {
            *value as u64
        }
        Value::Double(_) => return Err(range()),
        Value::String(text) => text.parse().map_err(|_| parse_error("uint"))?,
        _ => return no_overload(),
    }))
}

fn to_double(a: &[Value]) -> Outcome {
    Ok(Value::Double(match &a[0] {
        Value::Double(value) => *value,
        Value::Int(value) => *value as f64,
        Value::Uint(value) => *value as f64,
        Value::String(text) => {
            golang::strconv::parse_float(text).map_err(|_| parse_error("double"))?
        }
        _ => return no_overload(),
    }))
}

fn to_string(a: &[Value]) -> Outcome {
    match &a[0] {
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Value::string(text)),
            Err(_) => Err("invalid UTF-8 in bytes, cannot convert to string".into()),
        },
        Value::String(_) => Ok(a[0].clone()),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Uint(_)
        | Value::Double(_)
        | Value::Timestamp(_)
        | Value::Duration(_)
        | Value::Ip(_)
        | Value::Cidr(_) => Ok(Value::string(a[0].display())),
        _ => no_overload(),
    }
}

fn to_bytes(a: &[Value]) -> Outcome {
    match &a[0] {
        Value::Bytes(_) => Ok(a[0].clone()),
        Value::String(text) => Ok(Value::Bytes(Arc::from(text.as_bytes()))),
        _ => no_overload(),
    }
}

fn to_timestamp(a: &[Value]) -> Outcome {
    match &a[0] {
        Value::Timestamp(_) => Ok(a[0].clone()),
        Value::Int(seconds) if times::valid(*seconds) => {
            Ok(Value::Timestamp(Timestamp::from_unix(*seconds)))
        }
        Value::Int(_) => Err("timestamp overflow".into()),
        value => {
            let text = text(value)?;
            times::parse_time(text).map(Value::Timestamp).ok_or_else(|| {
                format!(
                    "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \"2006\""
                )
                .into()
            })
        }
    }
}

fn to_duration(a: &[Value]) -> Outcome {
    match &a[0] {
        Value::Duration(_) => Ok(a[0].clone()),
        Value::Int(nanos) => Ok(Value::Duration(*nanos)),
        value => {
            let text = text(value)?;
            times::parse_duration(text)
                .map(Value::Duration)
                .ok_or_else(|| format!("time: invalid duration {text:?}").into())
        }
    }
}
