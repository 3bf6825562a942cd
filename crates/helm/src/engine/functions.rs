//! The functions that need the engine: `include`, `tpl`, `required`, `fail`, `lookup`, `getHostByName`.
//!
//! # Source
//! helm/helm `pkg/engine/engine.go`, `pkg/engine/funcs.go`, `pkg/engine/lookup_func.go`.

use std::collections::HashMap;

use golang::strconv::quote;
use gotemplate::{CallError, Context, Error, Function, Functions, Map, Str, Type, Value};
use object::{Node, ObjectKey};

use super::errors;
use crate::convert;

/// Name of the template that `tpl` makes, and of the set of all templates.
pub(super) const SET: &str = "gotpl";

/// Times a name may be included inside itself; the reference's own limit.
const INCLUDES_MAX: u32 = 1000;

/// What Go prints for a value that is not there, and Helm takes out again.
const NO_VALUE: &[u8] = b"<no value>";

/// What these functions keep while a chart is rendered.
#[derive(Debug)]
pub(super) struct State {
    /// How often each name is being included at this moment.
    included: HashMap<Str, u32>,
    /// What is known of the cluster.
    pub cluster: HashMap<ObjectKey, Node>,
    /// What was looked up in the cluster, found or not.
    pub looked_up: Vec<ObjectKey>,
}

impl State {
    pub fn new(cluster: HashMap<ObjectKey, Node>) -> Self {
        Self {
            included: HashMap::new(),
            cluster,
            looked_up: Vec::new(),
        }
    }

    /// What was looked up from the `from`th time on, with what there was.
    pub fn answers(&self, from: usize) -> Vec<(ObjectKey, Option<Node>)> {
        let keys = self.looked_up[from..].iter();
        keys.map(|key| (key.clone(), self.cluster.get(key).cloned()))
            .collect()
    }
}

pub(super) fn add(functions: &mut Functions) {
    let table: [(&'static str, Function); 6] = [
        (
            "include",
            Function {
                params: &[Type::String, Type::Any],
                variadic: None,
                body: include,
            },
        ),
        (
            "tpl",
            Function {
                params: &[Type::String, Type::Any],
                variadic: None,
                body: tpl,
            },
        ),
        (
            "required",
            Function {
                params: &[Type::String, Type::Any],
                variadic: None,
                body: required,
            },
        ),
        (
            "fail",
            Function {
                params: &[Type::String],
                variadic: None,
                body: fail,
            },
        ),
        (
            "lookup",
            Function {
                params: &[Type::String; 4],
                variadic: None,
                body: lookup,
            },
        ),
        (
            "getHostByName",
            Function {
                params: &[Type::String],
                variadic: None,
                body: |_, _| Ok(Value::from("")),
            },
        ),
    ];
    for (name, function) in table {
        functions.insert(name, function);
    }
    functions.looks(None, &["include", "tpl", "required"]);
    functions.impure(&["lookup", "getHostByName"]);
}

/// Takes the marks of missing values out.
pub(super) fn without_no_value(text: Vec<u8>) -> Vec<u8> {
    let Some(first) = find(&text, NO_VALUE) else {
        return text;
    };
    let mut out = text[..first].to_vec();
    let mut rest = &text[first..];
    while let Some(at) = find(rest, NO_VALUE) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + NO_VALUE.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

fn text(value: &Value) -> Str {
    match value {
        Value::String(text) => text.clone(),
        _ => Str::default(),
    }
}

pub(super) fn state<'c>(context: &'c mut Context<'_>) -> &'c mut State {
    context
        .host
        .downcast_mut()
        .expect("the engine gives its own state to every execution")
}

fn include(context: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let name = text(&args[0]);
    let count = state(context).included.entry(name.clone()).or_default();
    if *count > INCLUDES_MAX {
        return Err(CallError::Failed(format!(
            "rendering template has a nested reference name: {}: unable to execute template",
            name.to_text()
        )));
    }
    *count += 1;
    let mut out = Vec::new();
    let done = context.execute(name.as_bytes(), &args[1], &mut out);
    if let Some(count) = state(context).included.get_mut(&name) {
        *count -= 1;
    }
    done.map_err(|error| CallError::Template {
        before: String::new(),
        error: Box::new(error),
    })?;
    Ok(Value::from(out))
}

fn tpl(context: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let source = text(&args[0]);
    if find(source.as_bytes(), b"{{").is_none() {
        return Ok(match find(source.as_bytes(), NO_VALUE) {
            None => Value::String(source),
            Some(_) => Value::from(without_no_value(source.as_bytes().to_vec())),
        });
    }
    let mut out = Vec::new();
    let done = context.execute_text(&Str::from(SET), &source, &args[1], &mut out);
    done.map_err(|error| {
        let quoted = quote(&source.to_text());
        let before = match error {
            Error::Parse(_) => format!("cannot parse template {quoted}: "),
            _ => format!("error during tpl function execution for {quoted}: "),
        };
        CallError::Template {
            before,
            error: Box::new(error),
        }
    })?;
    Ok(Value::from(without_no_value(out)))
}

fn required(_: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let missing = match &args[1] {
        Value::Nil => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    match missing {
        true => Err(errors::warning(&text(&args[0]).to_text())),
        false => Ok(std::mem::take(&mut args[1])),
    }
}

fn fail(_: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    Err(errors::warning(&text(&args[0]).to_text()))
}

fn lookup(context: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let [api_version, kind, namespace, name] = args else {
        return Ok(Value::Map(Map::default()));
    };
    let (api_version, kind) = (text(api_version), text(kind));
    let api_version = api_version.to_text();
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let key = ObjectKey {
        group: group.into(),
        kind: kind.to_text().as_ref().into(),
        namespace: text(namespace).to_text().as_ref().into(),
        name: text(name).to_text().as_ref().into(),
    };
    let state = state(context);
    let found = state.cluster.get(&key).map(convert::to_value);
    state.looked_up.push(key);
    Ok(found.unwrap_or_else(|| Value::Map(Map::default())))
}
