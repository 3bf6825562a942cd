//! `eq`, `ne`, `lt`, `le`, `gt` and `ge`.

use std::rc::Rc;

use super::super::Operand;
use crate::value::Complex;
use crate::{CallError, Context, Host, Kind, Str, Use, Value, format};

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
        let copied = match value {
            Value::Host(host) => host.copied(),
            _ => None,
        };
        let shown = format::sprintf(verb, &[copied.unwrap_or_else(|| value.clone())])?;
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
        (Value::Host(one), Value::Host(host)) if is_comparable(other) => {
            let same_structure = one.kind() == Kind::Struct && equal_structures(&**one, &**host);
            Ok(Rc::ptr_eq(one, host) || same_structure)
        }
        _ => Err(format!(
            "non-comparable type {}: {}",
            show(b"%s", other)?,
            other.type_name()
        )
        .into()),
    }
}

/// Whether Go's `==` compares such values: not slices and maps, nor what holds some.
fn is_comparable(value: &Value) -> bool {
    match value {
        Value::Bytes(_) | Value::List(_) | Value::Map(_) => false,
        Value::Host(host) => match host.kind() {
            Kind::Slice | Kind::Map | Kind::Func => false,
            Kind::Struct => {
                let fields = host.fields().unwrap_or_default();
                fields.iter().all(|field| is_comparable(&field.value))
            }
            _ => true,
        },
        _ => true,
    }
}

/// Whether two structures are equal: those that know, or field by field.
fn equal_structures(one: &dyn Host, other: &dyn Host) -> bool {
    if one.type_name() != other.type_name() {
        return false;
    }
    if one.equals(other) {
        return true;
    }
    let (one, other) = (one.fields(), other.fields());
    let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
    let mut pairs = one.iter().zip(&other);
    pairs.all(|(one, other)| match (&one.value, &other.value) {
        (Value::Host(one), Value::Host(other)) if one.kind() == Kind::Struct => {
            equal_structures(&**one, &**other)
        }
        // Pointers, of which only nil ones are surely the same.
        (Value::Host(one), Value::Host(other)) => {
            Rc::ptr_eq(one, other) || one.fields().is_none() && other.fields().is_none()
        }
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Int(one, _), Value::Int(other, _)) => one == other,
        (Value::Uint(one, _), Value::Uint(other, _)) => one == other,
        (Value::Float(one), Value::Float(other)) => one == other,
        (Value::String(one), Value::String(other)) => one == other,
        _ => false,
    })
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
