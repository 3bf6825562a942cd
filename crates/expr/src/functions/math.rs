//! Numbers.
//!
//! # Source
//! google/cel-go `ext/math.go`.

use std::cmp::Ordering;

use super::{Function, Outcome, global, int, no_overload};
use crate::cost::Cost;
use crate::{EvalErrorKind, Shape, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    global("math.greatest", (1, 64), Cost::One, Shape::Dyn, |a| {
        extreme(a, Ordering::is_gt)
    }),
    global("math.least", (1, 64), Cost::One, Shape::Dyn, |a| {
        extreme(a, Ordering::is_lt)
    }),
    global("math.ceil", (1, 1), Cost::One, Shape::Double, |a| {
        float(a, f64::ceil)
    }),
    global("math.floor", (1, 1), Cost::One, Shape::Double, |a| {
        float(a, f64::floor)
    }),
    global("math.round", (1, 1), Cost::One, Shape::Double, |a| {
        float(a, f64::round)
    }),
    global("math.trunc", (1, 1), Cost::One, Shape::Double, |a| {
        float(a, f64::trunc)
    }),
    global("math.abs", (1, 1), Cost::One, Shape::Dyn, |a| match &a[0] {
        Value::Int(value) => value
            .checked_abs()
            .map(Value::Int)
            .ok_or_else(|| "integer overflow".into()),
        Value::Uint(value) => Ok(Value::Uint(*value)),
        _ => float(a, f64::abs),
    }),
    global("math.sign", (1, 1), Cost::One, Shape::Dyn, |a| {
        match &a[0] {
            Value::Int(value) => Ok(Value::Int(value.signum())),
            Value::Uint(value) => Ok(Value::Uint(u64::from(*value > 0))),
            _ => float(a, |value| {
                if value == 0.0 || value.is_nan() {
                    value
                } else {
                    value.signum()
                }
            }),
        }
    }),
    global("math.isNaN", (1, 1), Cost::One, Shape::Bool, |a| {
        test(a, f64::is_nan)
    }),
    global("math.isInf", (1, 1), Cost::One, Shape::Bool, |a| {
        test(a, f64::is_infinite)
    }),
    global("math.isFinite", (1, 1), Cost::One, Shape::Bool, |a| {
        test(a, f64::is_finite)
    }),
    global("math.bitAnd", (2, 2), Cost::One, Shape::Dyn, |a| {
        bits(a, |a, b| a & b)
    }),
    global("math.bitOr", (2, 2), Cost::One, Shape::Dyn, |a| {
        bits(a, |a, b| a | b)
    }),
    global("math.bitXor", (2, 2), Cost::One, Shape::Dyn, |a| {
        bits(a, |a, b| a ^ b)
    }),
    global("math.bitNot", (1, 1), Cost::One, Shape::Dyn, |a| {
        match &a[0] {
            Value::Int(value) => Ok(Value::Int(!value)),
            Value::Uint(value) => Ok(Value::Uint(!value)),
            _ => no_overload(),
        }
    }),
    global("math.bitShiftLeft", (2, 2), Cost::One, Shape::Dyn, |a| {
        shift(a, true)
    }),
    global("math.bitShiftRight", (2, 2), Cost::One, Shape::Dyn, |a| {
        shift(a, false)
    }),
];

/// What came later.
pub(super) static LATER_FUNCTIONS: &[Function] = &[global(
    "math.sqrt",
    (1, 1),
    Cost::One,
    Shape::Double,
    |a| match &a[0] {
        Value::Int(value) => Ok(Value::Double((*value as f64).sqrt())),
        Value::Uint(value) => Ok(Value::Double((*value as f64).sqrt())),
        _ => float(a, f64::sqrt),
    },
)];

fn extreme(a: &[Value], better: fn(Ordering) -> bool) -> Outcome {
    let items: Vec<Value> = match (a, &a[0]) {
        ([_], Value::List(list)) => list.iter().collect(),
        _ => a.to_vec(),
    };
    let mut best: Option<Value> = None;
    for item in items {
        if !matches!(item, Value::Int(_) | Value::Uint(_) | Value::Double(_)) {
            return no_overload();
        }
        if matches!(&item, Value::Double(number) if number.is_nan()) {
            return Err("NaN values cannot be ordered".into());
        }
        match &best {
            Some(own) if !item.order(own).is_some_and(better) => {}
            _ => best = Some(item),
        }
    }
    best.ok_or_else(|| "math.@min(list) argument must not be empty".into())
}

fn float(a: &[Value], function: fn(f64) -> f64) -> Outcome {
    match &a[0] {
        Value::Double(value) => Ok(Value::Double(function(*value))),
        _ => no_overload(),
    }
}

fn test(a: &[Value], function: fn(f64) -> bool) -> Outcome {
    match &a[0] {
        Value::Double(value) => Ok(Value::Bool(function(*value))),
        _ => no_overload(),
    }
}

fn bits(a: &[Value], function: fn(u64, u64) -> u64) -> Outcome {
    match (&a[0], &a[1]) {
        (Value::Int(a), Value::Int(b)) => Ok(Value::Int(function(*a as u64, *b as u64) as i64)),
        (Value::Uint(a), Value::Uint(b)) => Ok(Value::Uint(function(*a, *b))),
        _ => no_overload(),
    }
}

fn shift(a: &[Value], left: bool) -> Outcome {
    let by = int(&a[1])?;
    if by < 0 {
        return Err(EvalErrorKind::Function(format!(
            "math.bitShift{}() negative offset: {by}",
            if left { "Left" } else { "Right" }
        )));
    }
    let by = u32::try_from(by).unwrap_or(u32::MAX);
    let moved = |value: u64| {
        if left {
            value.checked_shl(by)
        } else {
            value.checked_shr(by)
        }
        .unwrap_or(0)
    };
    match &a[0] {
        Value::Int(value) => Ok(Value::Int(moved(*value as u64) as i64)),
        Value::Uint(value) => Ok(Value::Uint(moved(*value))),
        _ => no_overload(),
    }
}
