//! The functions for data that Helm adds to sprig's.
//!
//! A value is written only when it is nested less deeply than [`DEPTH_MAX`] and takes fewer bytes than
//! [`TEXT_BYTES_MAX`], before quoting and folding; what contains itself has no end at all.
//!
//! Deliberately absent: `include`, `tpl`, `required`, `fail`, `lookup` and `getHostByName`, which
//! need what executes the templates.
//!
//! # Source
//! helm/helm v4.3 `pkg/engine/funcs.go`.

mod check;
mod durations;
mod json;
mod toml;
mod yaml;

pub(crate) use yaml::written as to_yaml;

pub use gotemplate::format::{DEPTH_MAX, TEXT_BYTES_MAX};
use gotemplate::{Body, Function, Functions, Str, Type, Value};

/// Those that Helm 3 does not have.
pub const SINCE_HELM_4: [&str; 13] = [
    "mustToYaml",
    "mustToToml",
    "mustToDuration",
    "durationSeconds",
    "durationMilliseconds",
    "durationMicroseconds",
    "durationNanoseconds",
    "durationMinutes",
    "durationHours",
    "durationDays",
    "durationWeeks",
    "durationRoundTo",
    "durationTruncateTo",
];

/// Adds them; those of sprig with the same names are replaced.
pub fn add(functions: &mut Functions) {
    durations::add(functions);
    json::add(functions);
    toml::add(functions);
    yaml::add(functions);
}

fn insert(functions: &mut Functions, name: &'static str, params: &'static [Type], body: Body) {
    let function = Function {
        params,
        variadic: None,
        body,
    };
    functions.insert(name, function);
}

/// The argument `index`, nil when there is none.
fn any(args: &[Value], index: usize) -> &Value {
    args.get(index).unwrap_or(&Value::Nil)
}

/// The argument `index` of type `string`.
fn text(args: &[Value], index: usize) -> Str {
    match args.get(index) {
        Some(Value::String(text)) => text.clone(),
        _ => Str::default(),
    }
}
