//! YAML to and from values.
//!
//! `toYaml` is what charts call most: values are shown to the writer where they lie, nothing is
//! copied on the way.

use std::borrow::Cow;

use gotemplate::{CallError, Context, Field, Functions, Host, Kind, Map, Type, Value};
use yaml::{Duplicates, ResolveOptions, Tags, View, Viewer};

use super::check::{Refusal, Way, check};
use super::{any, insert, text};
use crate::convert;

pub(super) fn add(functions: &mut Functions) {
    insert(functions, "toYaml", &[Type::Any], to_yaml);
    insert(functions, "mustToYaml", &[Type::Any], must_to_yaml);
    insert(functions, "toYamlPretty", &[Type::Any], to_yaml_pretty);
    insert(functions, "fromYaml", &[Type::String], from_yaml);
    insert(functions, "fromYamlArray", &[Type::String], from_yaml_array);
}

type Outcome = Result<Value, CallError>;

/// Without the line break at the end.
fn cut(mut text: String) -> Value {
    if text.ends_with('\n') {
        text.pop();
    }
    text.into()
}

fn to_yaml(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let value = any(args, 0);
    match check(value, Way::JsonToYaml) {
        Ok(()) => Ok(cut(yaml::write_value(&AsJson, value))),
        Err(Refusal::Go(_)) => Ok("".into()),
        Err(limit) => Err(limit.into()),
    }
}

/// A value as `toYaml` writes it; nothing for what cannot be written.
pub(crate) fn written(value: &Value) -> Value {
    match check(value, Way::JsonToYaml) {
        Ok(()) => cut(yaml::write_value(&AsJson, value)),
        Err(_) => "".into(),
    }
}

fn must_to_yaml(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let value = any(args, 0);
    check(value, Way::JsonToYaml)?;
    Ok(cut(yaml::write_value(&AsJson, value)))
}

fn to_yaml_pretty(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let value = any(args, 0);
    check(value, Way::Pretty)?;
    Ok(cut(yaml::write_value_v3(&AsGo, value)))
}

/// Shows values as they are after the way through JSON.
struct AsJson;

impl Viewer for AsJson {
    type Value = Value;

    fn view<R>(&self, value: &Value, see: impl FnOnce(View<'_, Value>) -> R) -> R {
        match value {
            Value::Nil => see(View::Null),
            Value::Bool(value) => see(View::Bool(*value)),
            Value::Int(value, _) => see(View::Int(*value)),
            Value::Uint(value, _) => see(View::Uint(*value)),
            Value::Float(value) => see(View::Float(*value)),
            Value::String(text) => see(View::Text(&text.to_text())),
            Value::Bytes(bytes) => see(View::Text(&golang::base64::encode(bytes))),
            Value::List(list) if list.is_nil() => see(View::Null),
            Value::List(list) => see(View::List(list.items())),
            Value::Map(map) if map.is_nil() => see(View::Null),
            Value::Map(map) => see_map(map, see),
            Value::Host(host) => match host.json().or_else(|| host.contents()) {
                // Behind this is no host again, but for a list or a map of them.
                Some(Value::Host(_)) => see(View::Text(&host.display())),
                Some(value) => self.view(&value, see),
                None => see(View::Text(&host.display())),
            },
        }
    }
}

fn see_map<R>(map: &Map, see: impl FnOnce(View<'_, Value>) -> R) -> R {
    let entries = map.entries();
    let pairs = entries.iter();
    let texts: Option<Vec<_>> = pairs
        .map(|(key, value)| Some((key.as_str()?, value)))
        .collect();
    if let Some(pairs) = texts {
        return see(View::Map(pairs));
    }
    let pairs: Vec<(Cow<'_, str>, &Value)> = entries
        .iter()
        .map(|(key, value)| (key.to_text(), value))
        .collect();
    let pairs = pairs.iter().map(|(key, value)| (key.as_ref(), *value));
    see(View::Map(pairs.collect()))
}

/// Shows values as Go's reflection does.
struct AsGo;

impl Viewer for AsGo {
    type Value = Value;

    fn view<R>(&self, value: &Value, see: impl FnOnce(View<'_, Value>) -> R) -> R {
        match value {
            Value::String(text) => match text.as_str() {
                Some(text) => see(View::Text(text)),
                None => see(View::Binary(text.as_bytes())),
            },
            Value::Bytes(bytes) => {
                let numbers = bytes.iter().map(|byte| Value::int((*byte).into()));
                see(View::List(&numbers.collect::<Vec<_>>()))
            }
            Value::List(list) => see(View::List(list.items())),
            Value::Map(map) => see_map(map, see),
            Value::Host(host) => self.view_host(host.as_ref(), see),
            _ => AsJson.view(value, see),
        }
    }
}

impl AsGo {
    fn view_host<R>(&self, host: &dyn Host, see: impl FnOnce(View<'_, Value>) -> R) -> R {
        if let "time.Duration" = host.type_name() {
            return see(View::Text(&host.display()));
        }
        match host.json().or_else(|| host.contents()) {
            Some(Value::String(text)) if host.type_name() == "time.Time" => {
                see(View::Word(&text.to_text()))
            }
            // Fields are written in small letters there, in the order of the structure.
            Some(Value::Map(_)) if matches!(host.kind(), Kind::Struct | Kind::Pointer) => {
                let fields = host.fields().unwrap_or_default().into_iter();
                let fields = fields.filter(Field::is_exported);
                let fields: Vec<(String, Value)> = fields
                    .map(|field| (field.name.to_lowercase(), field.value))
                    .collect();
                let pairs = fields.iter().map(|(name, value)| (name.as_str(), value));
                see(View::Fields(pairs.collect()))
            }
            Some(Value::Host(_)) | None => see(View::Text(&host.display())),
            Some(value) => self.view(&value, see),
        }
    }
}

/// The first document of a text, or the error as Go tells it.
fn read(text: &[u8]) -> Result<object::Node, String> {
    let options = ResolveOptions {
        duplicates: Duplicates::LastWins,
        tags: Tags::Ignore,
        minus_zero: true,
        ..ResolveOptions::default()
    };
    yaml::decode(text)
        .and_then(|text| yaml::load_first(text, &options))
        .map_err(|error| format!("error converting YAML to JSON: {}", error.sigs_message()))
}

/// Go's error for a value of another type than the one that is wanted.
fn mismatch(node: &object::Node, wanted: &str) -> String {
    let found = match node {
        object::Node::Null => "null",
        object::Node::Bool(_) => "bool",
        object::Node::Int(_) | object::Node::Uint(_) | object::Node::Float(_) => "number",
        object::Node::String(_) => "string",
        object::Node::List(_) => "array",
        object::Node::Map(_) => "object",
    };
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value \
         of type {wanted}"
    )
}

fn from_yaml(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let error = match read(text(args, 0).as_bytes()) {
        Ok(object::Node::Null) => return Ok(Value::Map(Map::default())),
        Ok(node @ object::Node::Map(_)) => return Ok(convert::decoded(&node)),
        Ok(node) => mismatch(&node, "map[string]interface {}"),
        Err(error) => error,
    };
    Ok(Value::Map(Map::from_iter([("Error", error.into())])))
}

fn from_yaml_array(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let error = match read(text(args, 0).as_bytes()) {
        Ok(object::Node::Null) => return Ok(Value::list(Vec::new())),
        Ok(node @ object::Node::List(_)) => return Ok(convert::decoded(&node)),
        Ok(node) => mismatch(&node, "[]interface {}"),
        Err(error) => error,
    };
    Ok(Value::list([error.into()]))
}
