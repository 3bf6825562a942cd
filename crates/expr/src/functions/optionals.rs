//! Values that may be absent.
//!
//! `or` and `orValue` evaluate their argument only when needed, so the evaluator has them; they
//! are listed here to be known.
//!
//! # Source
//! google/cel-go `cel/library.go`, optional types.

use super::{Function, Outcome, global, list, member, no_overload};
use crate::cost::Cost;
use crate::{Shape, Value};

const LIST: &[&str] = &["list"];
const OPTIONAL: &[&str] = &["optional_type"];

pub(super) static FUNCTIONS: &[Function] = &[
    global("optional.of", (1, 1), Cost::One, Shape::Dyn, |a| {
        Ok(Value::some(a[0].clone()))
    }),
    global("optional.none", (0, 0), Cost::One, Shape::Dyn, |_| {
        Ok(Value::Optional(None))
    }),
    global(
        "optional.ofNonZeroValue",
        (1, 1),
        Cost::One,
        Shape::Dyn,
        |a| {
            Ok(if is_zero(&a[0]) {
                Value::Optional(None)
            } else {
                Value::some(a[0].clone())
            })
        },
    ),
    member(
        "hasValue",
        (1, 1),
        OPTIONAL,
        Cost::One,
        Shape::Bool,
        |a| match &a[0] {
            Value::Optional(inner) => Ok(Value::Bool(inner.is_some())),
            _ => no_overload(),
        },
    ),
    member(
        "value",
        (1, 1),
        OPTIONAL,
        Cost::One,
        Shape::Dyn,
        |a| match &a[0] {
            Value::Optional(Some(inner)) => Ok(inner.as_ref().clone()),
            Value::Optional(None) => Err("optional.none() dereference".into()),
            _ => no_overload(),
        },
    ),
    member("or", (2, 2), OPTIONAL, Cost::One, Shape::Dyn, |_| {
        no_overload()
    }),
    member("orValue", (2, 2), OPTIONAL, Cost::One, Shape::Dyn, |_| {
        no_overload()
    }),
];

/// What came later.
pub(super) static LATER_FUNCTIONS: &[Function] = &[
    global(
        "optional.unwrap",
        (1, 1),
        Cost::Elements,
        Shape::Dyn,
        unwrap,
    ),
    member(
        "unwrapOpt",
        (1, 1),
        LIST,
        Cost::Elements,
        Shape::Dyn,
        unwrap,
    ),
    member("first", (1, 1), LIST, Cost::One, Shape::Dyn, |a| {
        Ok(list(&a[0])?
            .get(0)
            .map_or(Value::Optional(None), Value::some))
    }),
    member("last", (1, 1), LIST, Cost::One, Shape::Dyn, |a| {
        let items = list(&a[0])?;
        let last = items.len().checked_sub(1).and_then(|at| items.get(at));
        Ok(last.map_or(Value::Optional(None), Value::some))
    }),
];

fn unwrap(a: &[Value]) -> Outcome {
    let present = list(&a[0])?.iter().filter_map(|item| match item {
        Value::Optional(inner) => inner.map(|value| value.as_ref().clone()),
        other => Some(other),
    });
    Ok(Value::list(present.collect()))
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(value) | Value::Duration(value) => *value == 0,
        Value::Uint(value) => *value == 0,
        Value::Double(value) => *value == 0.0,
        Value::String(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_) => value.size() == 0,
        Value::Optional(inner) => inner.is_none(),
        // Midnight of the first day of the year 1.
        Value::Timestamp(time) => time.unix() == -62_135_596_800 && time.subsecond() == 0,
        _ => false,
    }
}
