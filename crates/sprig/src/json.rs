//! JSON as Go's `encoding/json` writes and reads it, and the functions `toJson`, `fromJson` …
//!
//! # Source
//! golang/go `src/encoding/json/{encode,decode,scanner,indent}.go`.

mod read;
mod write;

use gotemplate::{CallError, Functions, Type, Value};

use crate::args::{function, text};

pub use read::{decode, decode_list, decode_map};
pub use write::{Style, encode};

pub(crate) fn add(functions: &mut Functions) {
    functions.insert(
        "toJson",
        function(&[Type::Any], |_, args| {
            or_nothing(to_text(&args[0], Style::Compact), Value::from(""))
        }),
    );
    functions.insert(
        "mustToJson",
        function(&[Type::Any], |_, args| to_text(&args[0], Style::Compact)),
    );
    functions.insert(
        "toPrettyJson",
        function(&[Type::Any], |_, args| {
            or_nothing(to_text(&args[0], Style::Pretty), Value::from(""))
        }),
    );
    functions.insert(
        "mustToPrettyJson",
        function(&[Type::Any], |_, args| to_text(&args[0], Style::Pretty)),
    );
    for name in ["toRawJson", "mustToRawJson"] {
        functions.insert(
            name,
            function(&[Type::Any], |_, args| to_text(&args[0], Style::Raw)),
        );
    }
    functions.insert(
        "fromJson",
        function(&[Type::String], |_, args| {
            let value = read::decode_partly(text(&args[0])).map(|(value, _)| value);
            or_nothing(value, Value::Nil)
        }),
    );
    functions.insert(
        "mustFromJson",
        function(&[Type::String], |_, args| decode(text(&args[0]))),
    );
}

fn to_text(value: &Value, style: Style) -> Result<Value, CallError> {
    encode(value, style).map(Value::from)
}

/// Drops the error of a function that gives none. A limit is no such error.
fn or_nothing(result: Result<Value, CallError>, nothing: Value) -> Result<Value, CallError> {
    match result {
        Err(CallError::Failed(_)) => Ok(nothing),
        result => result,
    }
}
