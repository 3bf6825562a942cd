//! Amounts: `quantity("1Gi")`.
//!
//! # Source
//! kubernetes/apiserver `pkg/cel/library/quantity.go`.

use std::cmp::Ordering;
use std::sync::Arc;

use golang::quantity::{Format, Quantity};

use super::{Function, Outcome, global, member, no_overload, text};
use crate::cost::Cost;
use crate::{EvalErrorKind, Shape, Value};

const QUANTITY: &[&str] = &["kubernetes.Quantity"];
const NAME: &str = "kubernetes.Quantity";

pub(super) static FUNCTIONS: &[Function] = &[
    global(
        "quantity",
        (1, 1),
        Cost::Traverse,
        Shape::Named(NAME),
        |a| {
            parse(text(&a[0])?)
                .map(|quantity| Value::Quantity(Arc::new(quantity)))
                .map_err(|error| error.to_string().into())
        },
    ),
    global("isQuantity", (1, 1), Cost::Traverse, Shape::Bool, |a| {
        Ok(Value::Bool(parse(text(&a[0])?).is_ok()))
    }),
    member("sign", (1, 1), QUANTITY, Cost::One, Shape::Int, |a| {
        let quantity = quantity(&a[0])?;
        Ok(Value::Int(
            match (quantity.is_zero(), quantity.is_negative()) {
                (true, _) => 0,
                (_, true) => -1,
                _ => 1,
            },
        ))
    }),
    member("isInteger", (1, 1), QUANTITY, Cost::One, Shape::Bool, |a| {
        Ok(Value::Bool(integer(quantity(&a[0])?).is_some()))
    }),
    member("asInteger", (1, 1), QUANTITY, Cost::One, Shape::Int, |a| {
        integer(quantity(&a[0])?)
            .map(Value::Int)
            .ok_or_else(|| "cannot convert value to integer".into())
    }),
    member(
        "asApproximateFloat",
        (1, 1),
        QUANTITY,
        Cost::One,
        Shape::Double,
        |a| Ok(Value::Double(quantity(&a[0])?.as_f64())),
    ),
    member(
        "add",
        (2, 2),
        QUANTITY,
        Cost::One,
        Shape::Named(NAME),
        |a| combine(a, Quantity::plus),
    ),
    member(
        "sub",
        (2, 2),
        QUANTITY,
        Cost::One,
        Shape::Named(NAME),
        |a| combine(a, Quantity::minus),
    ),
    member(
        "isLessThan",
        (2, 2),
        &["kubernetes.Quantity", "kubernetes.Semver"],
        Cost::One,
        Shape::Bool,
        |a| ordered(a).map(|order| Value::Bool(order.is_lt())),
    ),
    member(
        "isGreaterThan",
        (2, 2),
        &["kubernetes.Quantity", "kubernetes.Semver"],
        Cost::One,
        Shape::Bool,
        |a| ordered(a).map(|order| Value::Bool(order.is_gt())),
    ),
    member(
        "compareTo",
        (2, 2),
        &["kubernetes.Quantity", "kubernetes.Semver"],
        Cost::One,
        Shape::Int,
        |a| ordered(a).map(|order| Value::Int(order as i64)),
    ),
];

fn parse(text: &str) -> Result<Quantity, golang::QuantityError> {
    text.parse()
}

fn quantity(value: &Value) -> Result<&Quantity, EvalErrorKind> {
    match value {
        Value::Quantity(quantity) => Ok(quantity),
        _ => Err(EvalErrorKind::NoSuchOverload),
    }
}

/// The amount if it is whole and fits 64 bits.
fn integer(quantity: &Quantity) -> Option<i64> {
    let value = quantity.value();
    (quantity.is_whole() && Quantity::new(value, Format::DecimalSi) == *quantity).then_some(value)
}

fn combine(a: &[Value], with: fn(&Quantity, &Quantity) -> Option<Quantity>) -> Outcome {
    let other = match &a[1] {
        Value::Int(value) => Quantity::new(*value, Format::DecimalSi),
        value => quantity(value)?.clone(),
    };
    with(quantity(&a[0])?, &other)
        .map(|result| Value::Quantity(Arc::new(result)))
        .ok_or_else(|| "quantity overflow".into())
}

fn ordered(a: &[Value]) -> Result<Ordering, EvalErrorKind> {
    match (&a[0], &a[1]) {
        (Value::Quantity(a), Value::Quantity(b)) => Ok(a.cmp(b)),
        (Value::Semver(a), Value::Semver(b)) => Ok(a.cmp_precedence(b)),
        _ => no_overload().map(|_| Ordering::Equal),
    }
}
