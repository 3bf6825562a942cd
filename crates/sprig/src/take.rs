//! Arguments as the types that they have been checked against.

use gotemplate::{Str, Value};

/// The argument `index` of type `string`.
pub(crate) fn text(args: &[Value], index: usize) -> Str {
    match args.get(index) {
        Some(Value::String(text)) => text.clone(),
        _ => Str::default(),
    }
}

/// The argument `index` of an integer type.
pub(crate) fn int(args: &[Value], index: usize) -> i64 {
    match args.get(index) {
        Some(Value::Int(value, _)) => *value,
        Some(Value::Uint(value, _)) => i64::try_from(*value).unwrap_or(i64::MAX),
        Some(Value::Host(host)) => int(&[host.contents().unwrap_or_default()], 0),
        _ => 0,
    }
}

/// The elements of the argument `index` of a slice type.
pub(crate) fn items(args: &[Value], index: usize) -> &[Value] {
    match args.get(index) {
        Some(Value::List(list)) => list.items(),
        _ => &[],
    }
}

/// The argument `index`, nil when there is none.
pub(crate) fn any(args: &[Value], index: usize) -> &Value {
    args.get(index).unwrap_or(&Value::Nil)
}
