//! List functions; `sortBy` is a macro, so the parser has it.
//!
//! # Source
//! kubernetes/apiserver `pkg/cel/library/lists.go`; google/cel-go `ext/lists.go`.

use std::cmp::Ordering;

use super::core::{add, bounded};
use super::{Function, Outcome, global, int, list, member, no_overload};
use crate::cost::Cost;
use crate::{EvalErrorKind, Shape, Value};

const LIST: &[&str] = &["list"];

/// Lists as Kubernetes extends them.
pub(super) static KUBERNETES_FUNCTIONS: &[Function] = &[
    member(
        "isSorted",
        (1, 1),
        LIST,
        Cost::Elements,
        Shape::Bool,
        is_sorted,
    ),
    member("sum", (1, 1), LIST, Cost::Elements, Shape::Dyn, sum),
    member("min", (1, 1), LIST, Cost::Elements, Shape::Dyn, |a| {
        extreme(a, "min", Ordering::is_lt)
    }),
    member("max", (1, 1), LIST, Cost::Elements, Shape::Dyn, |a| {
        extreme(a, "max", Ordering::is_gt)
    }),
    member("includes", (2, 2), LIST, Cost::Elements, Shape::Bool, |a| {
        Ok(Value::Bool(
            list(&a[0])?.iter().any(|item| item.equals(&a[1])),
        ))
    }),
];

pub(super) static FUNCTIONS: &[Function] = &[
    member("slice", (3, 3), LIST, Cost::Elements, Shape::Dyn, slice),
    member("flatten", (1, 2), LIST, Cost::Elements, Shape::Dyn, flatten),
    member("distinct", (1, 1), LIST, Cost::Square, Shape::Dyn, |a| {
        let mut kept: Vec<Value> = Vec::new();
        for item in list(&a[0])?.iter() {
            if !kept.iter().any(|own| own.equals(&item)) {
                kept.push(item);
            }
        }
        Ok(Value::list(kept))
    }),
    member("sort", (1, 1), LIST, Cost::Elements, Shape::Dyn, |a| {
        let items: Vec<Value> = list(&a[0])?.iter().collect();
        sort_by_keys(items.clone(), &items)
    }),
    global("lists.range", (1, 1), Cost::Build, Shape::Dyn, range),
    member(
        "reverse",
        (1, 1),
        &["string", "list"],
        Cost::Traverse,
        Shape::Dyn,
        reverse,
    ),
];

/// What became stricter later.
pub(super) static LATER_FUNCTIONS: &[Function] = &[global(
    "lists.range",
    (1, 1),
    Cost::Build,
    Shape::Dyn,
    |a| match int(&a[0])? {
        count if count < 0 => {
            Err(format!("lists.range: size must be non-negative, got {count}").into())
        }
        _ => range(a),
    },
)];

fn range(a: &[Value]) -> Outcome {
    let count = int(&a[0])?.max(0);
    bounded(
        usize::try_from(count)
            .unwrap_or(usize::MAX)
            .saturating_mul(64),
    )?;
    Ok(Value::list((0..count).map(Value::Int).collect()))
}

fn reverse(a: &[Value]) -> Outcome {
    match &a[0] {
        Value::String(text) => Ok(Value::string(text.chars().rev().collect::<String>())),
        Value::List(list) => {
            let mut items: Vec<Value> = list.iter().collect();
            items.reverse();
            Ok(Value::list(items))
        }
        _ => no_overload(),
    }
}

fn is_sorted(a: &[Value]) -> Outcome {
    let items: Vec<Value> = list(&a[0])?.iter().collect();
    for pair in items.windows(2) {
        match pair[0].order(&pair[1]) {
            Some(Ordering::Greater) => return Ok(Value::Bool(false)),
            Some(_) => {}
            None => return no_overload(),
        }
    }
    Ok(Value::Bool(true))
}

fn sum(a: &[Value]) -> Outcome {
    let items = list(&a[0])?;
    let mut total: Option<Value> = None;
    for item in items.iter() {
        if !matches!(
            item,
            Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Duration(_)
        ) {
            return no_overload();
        }
        total = Some(match total {
            Some(total) => add(&[total, item])?,
            None => item,
        });
    }
    let empty = || match items.item_shape() {
        Some(Shape::Duration) => Value::Duration(0),
        Some(Shape::Double) => Value::Double(0.0),
        Some(Shape::Uint) => Value::Uint(0),
        _ => Value::Int(0),
    };
    Ok(total.unwrap_or_else(empty))
}

fn extreme(a: &[Value], name: &str, better: fn(Ordering) -> bool) -> Outcome {
    let mut best: Option<Value> = None;
    for item in list(&a[0])?.iter() {
        let replace = match &best {
            None => true,
            Some(best) => item
                .order(best)
                .map(better)
                .ok_or(EvalErrorKind::NoSuchOverload)?,
        };
        if replace {
            best = Some(item);
        }
    }
    best.ok_or_else(|| format!("{name} called on empty list").into())
}

fn slice(a: &[Value]) -> Outcome {
    let (items, start, end) = (list(&a[0])?, int(&a[1])?, int(&a[2])?);
    if start < 0 || end < 0 {
        return Err(format!("cannot slice({start}, {end}), negative indexes not supported").into());
    }
    if start > end {
        return Err(format!(
            "cannot slice({start}, {end}), start index must be less than or equal to end index"
        )
        .into());
    }
    if end as u64 > items.len() as u64 {
        return Err(format!(
            "cannot slice({start}, {end}), list is length {}",
            items.len()
        )
        .into());
    }
    let range = start as usize..end as usize;
    Ok(Value::list(range.filter_map(|at| items.get(at)).collect()))
}

fn flatten(a: &[Value]) -> Outcome {
    let depth = match a.get(1) {
        Some(depth) => int(depth)?,
        None => 1,
    };
    if depth < 0 {
        return Err("level must be non-negative".into());
    }
    let mut flat: Vec<Value> = list(&a[0])?.iter().collect();
    for _ in 0..depth {
        if !flat.iter().any(|item| matches!(item, Value::List(_))) {
            break;
        }
        let mut next = Vec::with_capacity(flat.len());
        for item in flat {
            match item {
                Value::List(inner) => next.extend(inner.iter()),
                other => next.push(other),
            }
            bounded(next.len().saturating_mul(64))?;
        }
        flat = next;
    }
    Ok(Value::list(flat))
}

/// Orders `items` by `keys`, which are all comparable with one another.
///
/// cel-go wants them of one type; numbers of different types are in one order here.
pub(crate) fn sort_by_keys(items: Vec<Value>, keys: &[Value]) -> Outcome {
    if let Some(first) = keys.first() {
        let comparable = keys.iter().all(|key| first.order(key).is_some());
        if !comparable {
            return Err("list elements must be comparable".into());
        }
    }
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|a, b| keys[*a].order(&keys[*b]).unwrap_or(Ordering::Equal));
    Ok(Value::list(
        order.into_iter().map(|at| items[at].clone()).collect(),
    ))
}
