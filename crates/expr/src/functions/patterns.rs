//! Regular expressions, in Go's syntax and linear time.
//!
//! # Source
//! `matches`: google/cel-go; `find`, `findAll`: kubernetes/apiserver `pkg/cel/library/regex.go`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use golang::Regexp;
use object::Text;

use super::{Function, Outcome, global, int, member, text};
use crate::cost::Cost;
use crate::{EvalErrorKind, Shape, Value};

const STRING: &[&str] = &["string"];

pub(super) static FUNCTIONS: &[Function] = &[
    member("matches", (2, 2), STRING, Cost::Regex, Shape::Bool, matches),
    global("matches", (2, 2), Cost::Regex, Shape::Bool, matches),
];

/// What Kubernetes adds.
pub(super) static KUBERNETES_FUNCTIONS: &[Function] = &[
    member("find", (2, 2), STRING, Cost::Regex, Shape::String, |a| {
        let found = compiled(&a[1])?;
        let found = found.find(text(&a[0])?);
        Ok(Value::from(found.unwrap_or("")))
    }),
    member("findAll", (2, 3), STRING, Cost::Regex, Shape::Dyn, |a| {
        let limit = match a.get(2) {
            Some(limit) => usize::try_from(int(limit)?).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        let pattern = compiled(&a[1])?;
        let found = pattern.regex().find_iter(text(&a[0])?).take(limit);
        Ok(Value::list(
            found.map(|found| found.as_str().into()).collect(),
        ))
    }),
];

/// Compiled patterns a thread keeps. Rules use a handful of constant patterns; when an expression
/// makes patterns from data, the store is emptied and starts again.
const KEPT_MAX: usize = 64;

thread_local! {
    static KEPT: RefCell<HashMap<Text, Arc<Regexp>>> = RefCell::default();
}

fn matches(a: &[Value]) -> Outcome {
    Ok(Value::Bool(compiled(&a[1])?.is_match(text(&a[0])?)))
}

fn compiled(pattern: &Value) -> Result<Arc<Regexp>, EvalErrorKind> {
    let Value::String(pattern) = pattern else {
        return Err(EvalErrorKind::NoSuchOverload);
    };
    KEPT.with_borrow_mut(|kept| {
        if let Some(regex) = kept.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = Regexp::new(pattern)
            .map(Arc::new)
            .map_err(|error| error.to_string())?;
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(pattern.clone(), regex.clone());
        Ok(regex)
    })
}
