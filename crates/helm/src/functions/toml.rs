//! TOML to and from values.
//!
//! # Source
//! BurntSushi/toml v1.6 `encode.go`, `lex.go`, `parse.go`.

mod lex;
mod read;
mod write;

use gotemplate::{CallError, Context, Functions, Map, Type, Value};

use super::check::{Way, check};
use super::{any, insert, text};

pub(super) fn add(functions: &mut Functions) {
    insert(functions, "toToml", &[Type::Any], to_toml);
    insert(functions, "mustToToml", &[Type::Any], must_to_toml);
    insert(functions, "fromToml", &[Type::String], from_toml);
}

/// What the zones of times are called that TOML gives without one.
const LOCAL_DATE_TIME: &str = "datetime-local";
const LOCAL_DATE: &str = "date-local";
const LOCAL_TIME: &str = "time-local";

type Outcome = Result<Value, CallError>;

fn must_to_toml(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let value = any(args, 0);
    check(value, Way::Toml)?;
    Ok(write::document(value)?.into())
}

/// The text, or the error as text.
fn to_toml(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    // Go's reflection panics, which is no error of the writer.
    if matches!(any(args, 0), Value::Nil) {
        return must_to_toml(context, args);
    }
    match must_to_toml(context, args) {
        Err(CallError::Failed(error)) => Ok(error.into()),
        result => result,
    }
}

/// The map, or one that holds the error.
fn from_toml(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    match read::document(text(args, 0).as_bytes()) {
        Ok(map) => Ok(Value::Map(map)),
        Err(CallError::Failed(error)) => Ok(Value::Map(Map::from_iter([("Error", error.into())]))),
        Err(limit) => Err(limit),
    }
}
