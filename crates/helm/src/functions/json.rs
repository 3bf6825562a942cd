//! JSON to maps and lists: an error becomes part of the result.
//!
//! `toJson` and its family are sprig's own; Helm only gives `mustToJson` no error to return, which
//! reads the same.

use gotemplate::{CallError, Context, Functions, Map, MapType, Type, Value};
use sprig::json::{decode_list, decode_map};

use super::{insert, text};

pub(super) fn add(functions: &mut Functions) {
    insert(functions, "fromJson", &[Type::String], from_json);
    insert(functions, "fromJsonArray", &[Type::String], from_json_array);
}

fn from_json(_: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let text = text(args, 0);
    match decode_map(text.as_bytes()) {
        // There, it takes the map away that was to be filled.
        Ok(_) if text.as_bytes().trim_ascii() == b"null" => Ok(Value::Map(Map::nil(MapType::Any))),
        Ok((map, error)) => {
            if let Some(error) = error {
                map.insert("Error", error.into());
            }
            Ok(Value::Map(map))
        }
        Err(CallError::Failed(error)) => Ok(Value::Map(Map::from_iter([("Error", error.into())]))),
        Err(limit) => Err(limit),
    }
}

fn from_json_array(_: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    match decode_list(text(args, 0).as_bytes()) {
        Ok(list) => Ok(Value::List(list)),
        Err(CallError::Failed(error)) => Ok(Value::list([error.into()])),
        Err(limit) => Err(limit),
    }
}
