//! Lists as sets.
//!
//! # Source
//! google/cel-go `ext/sets.go`.

use super::{Function, Outcome, global, list};
use crate::cost::Cost;
use crate::{List, Shape, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    global("sets.contains", (2, 2), Cost::Pairs, Shape::Bool, |a| {
        over(a, contains)
    }),
    global(
        "sets.equivalent",
        (2, 2),
        Cost::PairsTwice,
        Shape::Bool,
        |a| over(a, |a, b| contains(a, b) && contains(b, a)),
    ),
    global("sets.intersects", (2, 2), Cost::Pairs, Shape::Bool, |a| {
        over(a, |a, b| b.iter().any(|item| has(a, &item)))
    }),
];

fn over(a: &[Value], holds: fn(&List, &List) -> bool) -> Outcome {
    Ok(Value::Bool(holds(list(&a[0])?, list(&a[1])?)))
}

fn contains(a: &List, b: &List) -> bool {
    b.iter().all(|item| has(a, &item))
}

fn has(list: &List, item: &Value) -> bool {
    list.iter().any(|own| own.equals(item))
}
