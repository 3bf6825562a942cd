//! `eq`, `ne`, `lt`, `le`, `gt` and `ge`.

use std::rc::Rc;

use super::super::Operand;
use crate::value::Complex;
use crate::{CallError, Context, Str, Use, Value, format};

/// A value of a basic kind.
enum Basic {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Complex(f64, f64),
    String(Str),
}

impl Basic {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Int(value, _) => Some(Self::Int(*value)),
            Value::Uint(value, _) => Some(Self::Uint(*value)),
            Value::Float(value) => Some(Self::Float(*value)),
            Value::String(text) => Some(Self::String(text.clone())),
            Value::Host(host) => match host.as_any().downcast_ref::<Complex>() {
                Some(complex) => Some(Self::Complex(complex.real, complex.imaginary)),
                None => match host.contents()? {
                    Value::Host(_) => None,
                    basic => Self::of(&basic),
                },
            },
            Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) => None,
        }
    }
}

fn incompatible(one: &Value, other: &Value) -> CallError {
    format!(
        "incompatible types for comparison: {} and {}",
        one.type_name(),
        other.type_name()
    )
    .into()
}

pub(super) fn eq(context: &mut Context<'_>, args: &[Operand]) -> Result<bool, CallError> {
    let (first, others) = (&args[0].value, &args[1..]);
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    let basic = Basic::of(first);
    for other in others {
        let other = &other.value;
        let equal = match (&basic, Basic::of(other)) {
            (Some(Basic::Bool(one)), Some(Basic::Bool(two))) => *one == two,
            (Some(Basic::Int(one)), Some(Basic::Int(two))) => *one == two,
            (Some(Basic::Uint(one)), Some(Basic::Uint(two))) => *one == two,
            (Some(Basic::Float(one)), Some(Basic::Float(two))) => *one == two,
            (Some(Basic::String(one)), Some(Basic::String(two))) => *one == two,
            (Some(Basic::Complex(a, b)), Some(Basic::Complex(c, d))) => *a == c && *b == d,
            (Some(Basic::Int(one)), Some(Basic::Uint(two))) => u64::try_from(*one) == Ok(two),
            (Some(Basic::Uint(one)), Some(Basic::Int(two))) => Ok(*one) == u64::try_from(two),
            (None, None) => eq_composed(context, first, other)?,
            _ if matches!(first, Value::Nil) || matches!(other, Value::Nil) => false,
            _ => return Err(incompatible(first, other)),
        };
        if equal {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Values of no basic kind: equal if both are nil or both are the same.
fn eq_composed(context: &mut Context<'_>, one: &Value, other: &Value) -> Result<bool, CallError> {
    context.read_whole(one, Use::Length);
    context.read_whole(other, Use::Length);
    let mut show = |verb: &[u8], value: &Value| -> Result<String, CallError> {
        context.weigh(value)?;
        let shown = format::sprintf(verb, std::slice::from_ref(value))?;
        Ok(String::from_utf8_lossy(&shown).into_owned())
    };
    match (one, other) {
        (Value::Nil, other) | (other, Value::Nil) => Ok(is_nil(other)),
        (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_))
            if is_nil(one) || is_nil(other) =>
        {
            Ok(is_nil(one) && is_nil(other))
        }
        _ if one.kind() != other.kind() => Err(format!(
            "non-comparable types {}: {}, {}: {}",
            show(b"%s", one)?,
            one.type_name(),
            other.type_name(),
            show(b"%v", other)?
        )
        .into()),
        (Value::Host(one), Value::Host(other)) => {
            Ok(Rc::ptr_eq(one, other)
                || one.type_name() == other.type_name() && one.equals(&**other))
        }
        _ => Err(format!(
            "non-comparable type {}: {}",
            show(b"%s", other)?,
            other.type_name()
        )
        .into()),
    }
}

/// Whether it is nil, or a nil slice or map.
fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        _ => false,
    }
}

pub(super) fn lt(one: &Operand, other: &Operand) -> Result<bool, CallError> {
    const BAD: &str = "invalid type for comparison";
    let (one, other) = (&one.value, &other.value);
    let first = Basic::of(one).ok_or(BAD)?;
    let second = Basic::of(other).ok_or(BAD)?;
    Ok(match (first, second) {
        (Basic::Int(one), Basic::Int(two)) => one < two,
        (Basic::Uint(one), Basic::Uint(two)) => one < two,
        (Basic::Float(one), Basic::Float(two)) => one < two,
        (Basic::String(one), Basic::String(two)) => one < two,
        (Basic::Int(one), Basic::Uint(two)) => u64::try_from(one).map_or(true, |one| one < two),
        (Basic::Uint(one), Basic::Int(two)) => u64::try_from(two).is_ok_and(|two| one < two),
        (Basic::Bool(_), Basic::Bool(_)) | (Basic::Complex(..), Basic::Complex(..)) => {
            return Err(BAD.into());
        }
        _ => return Err(incompatible(one, other)),
    })
}

pub(super) fn le(context: &mut Context<'_>, args: &[Operand]) -> Result<bool, CallError> {
    Ok(lt(&args[0], &args[1])? || eq(context, args)?)
}
