//! Signatures, and arguments as what they have been checked to be.

use gotemplate::{Body, CallError, Function, Map, Str, Type, Value, format};

/// A function with a fixed number of parameters.
pub(crate) const fn function(params: &'static [Type], body: Body) -> Function {
    Function {
        params,
        variadic: None,
        body,
    }
}

/// A function whose last parameter takes any number of arguments.
pub(crate) const fn variadic(params: &'static [Type], of: Type, body: Body) -> Function {
    Function {
        params,
        variadic: Some(of),
        body,
    }
}

/// A `string`.
pub(crate) fn text(value: &Value) -> &[u8] {
    match value {
        Value::String(text) => text.as_bytes(),
        _ => b"",
    }
}

/// An `int` or `int64`.
pub(crate) fn int(value: &Value) -> i64 {
    match value {
        Value::Int(value, _) => *value,
        _ => 0,
    }
}

/// A `bool`.
pub(crate) fn boolean(value: &Value) -> bool {
    matches!(value, Value::Bool(true))
}

/// A `map[string]interface {}`; `None` for the nil map, which has no entries.
pub(crate) fn map(value: &Value) -> Option<&Map> {
    match value {
        Value::Map(map) => Some(map),
        _ => None,
    }
}

/// A value as text: texts and bytes as they are, all else as it prints.
pub(crate) fn string_of(value: &Value) -> Result<Str, CallError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bytes(bytes) => Ok(bytes[..].into()),
        Value::Host(host) => Ok(host.display().into()),
        _ => {
            let mut out = Vec::new();
            format::display(value, &mut out)?;
            Ok(out.into())
        }
    }
}

/// What Go says when it needs the type of nil.
pub(crate) fn nil_dereference() -> CallError {
    CallError::from("runtime error: invalid memory address or nil pointer dereference")
}
