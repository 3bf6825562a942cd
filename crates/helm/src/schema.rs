//! Values checked against each chart's `values.schema.json`.
//!
//! # Source
//! helm/helm `pkg/chart/common/util/jsonschema.go`. Schemas are compiled and values checked by the
//! `boon` crate, whose author wrote the library that Helm uses; [`text`] prints its findings as that
//! library does, siblings in order. Other than there, nothing is fetched: a schema by address is an
//! error that names it.

mod cost;
mod plain;
mod refused;
mod text;

pub(crate) use refused::{Fault, Refusal, refusals};

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use boon::{CompileError, Compiler, SchemaIndex, Schemas, UrlLoader};
use object::{Map, Node};
use serde_json::Value;

use crate::Chart;
use crate::dependencies::Assembly;
use crate::error::{SchemaError, Warning};
use crate::values::type_shown;
use plain::Plain;

/// The address a chart's own schema has for the reference.
const ADDRESS: &str = "file:///values.schema.json";

/// Checks `values` and their sections against the schemas of `charts`.
///
/// # Errors
/// [`SchemaError`] with everything that is wrong, chart by chart.
pub(crate) fn check(
    charts: &Assembly,
    values: &Map,
    warnings: &mut Vec<Warning>,
) -> Result<(), SchemaError> {
    let mut found = SchemaError {
        text: String::new(),
        remote: Vec::new(),
    };
    check_chart(charts, values, &mut found, warnings);
    match found.text.is_empty() {
        true => Ok(()),
        false => Err(found),
    }
}

fn check_chart(
    chart: &Assembly,
    values: &Map,
    found: &mut SchemaError,
    warnings: &mut Vec<Warning>,
) {
    if let Some(schema) = &chart.chart.schema
        && let Err(text) = check_values(
            values,
            &chart.chart.compiled,
            schema,
            &mut found.remote,
            warnings,
        )
    {
        found.text.push_str(&chart.metadata.name);
        found.text.push_str(":\n");
        found.text.push_str(&text);
    }
    for inside in &chart.charts {
        let name = &inside.metadata.name;
        match values.get(name) {
            None | Some(Node::Null) => {}
            Some(Node::Map(section)) => check_chart(inside, section, found, warnings),
            Some(other) => {
                let got = type_shown(other);
                found.text.push_str(&format!(
                    "{name}:\ninvalid type for values: expected object (map), got {got}\n"
                ));
            }
        }
    }
}

fn check_values(
    values: &Map,
    schema: &Compiled,
    text: &[u8],
    remote: &mut Vec<String>,
    warnings: &mut Vec<Warning>,
) -> Result<(), String> {
    let accepts = |plain: &Option<Plain>| plain.as_ref().is_some_and(|plain| plain.accepts(values));
    // Of a chart that is rendered once nothing is kept, which is a megabyte for the largest schemas.
    let is_accepted = match schema.was_asked.swap(true, Ordering::Relaxed) {
        true => accepts(schema.plain.get_or_init(|| Plain::read(text))),
        false => accepts(&Plain::read(text)),
    };
    if is_accepted {
        return Ok(());
    }
    let document = schema.document.get_or_init(|| parse(text)).as_ref();
    let document = document.map_err(Clone::clone)?;
    let values = json(&Node::Map(values.clone()));
    if cost::is_excessive(document, &values) {
        return Err("the schema asks for more checks than there is time for\n".to_owned());
    }
    let checker = schema.checker.get_or_init(|| Checker::new(document));
    warnings.extend(checker.asked.names.iter().map(|name| {
        Warning::new(format!(
            "unresolved URN reference ignored; using permissive schema urn={name}"
        ))
    }));
    remote.extend_from_slice(&checker.asked.addresses);
    let index = checker.index.as_ref().map_err(Clone::clone)?;
    checker
        .schemas
        .validate(&values, *index)
        .map_err(|error| text::validation(&error, &values) + "\n")
}

/// A chart's schema, where it can be read.
pub(crate) fn document(chart: &Chart) -> Option<&Value> {
    let text = chart.schema.as_ref()?;
    let document = chart.compiled.document.get_or_init(|| parse(text));
    document.as_ref().ok()
}

fn parse(text: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(text).map_err(|error| match error.is_eof() {
        true if text.trim_ascii().is_empty() => "EOF".to_owned(),
        true => "unexpected EOF".to_owned(),
        false => error.to_string(),
    })
}

/// What was made of a schema so far; compiling one takes longer than most renders.
#[derive(Default)]
pub(crate) struct Compiled {
    /// Whether values were checked before.
    was_asked: AtomicBool,
    plain: OnceLock<Option<Plain>>,
    document: OnceLock<Result<Value, String>>,
    checker: OnceLock<Checker>,
}

struct Checker {
    schemas: Schemas,
    index: Result<SchemaIndex, String>,
    asked: Asked,
}

impl Checker {
    fn new(document: &Value) -> Self {
        let asked = Arc::new(Mutex::new(Asked::default()));
        let mut compiler = Compiler::new();
        compiler.use_loader(Box::new(Refusing(asked.clone())));
        let mut schemas = Schemas::new();
        let index = match compiler.add_resource(ADDRESS, document.clone()) {
            Ok(()) => compiler.compile(ADDRESS, &mut schemas),
            Err(error) => Err(error),
        };
        let asked = std::mem::take(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner));
        Self {
            schemas,
            index: index.map_err(|error| compile_text(&error)),
            asked,
        }
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compiled")
    }
}

impl Clone for Compiled {
    /// Nothing is compiled of a copy yet.
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What a schema refers to outside itself.
#[derive(Default)]
struct Asked {
    addresses: Vec<String>,
    /// `urn:` names, which stand for any schema at all.
    names: Vec<String>,
}

struct Refusing(Arc<Mutex<Asked>>);

impl UrlLoader for Refusing {
    fn load(&self, url: &str) -> Result<Value, Box<dyn Error>> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if url.starts_with("urn:") {
            asked.names.push(url.to_owned());
            return Ok(Value::Bool(true));
        }
        asked.addresses.push(url.to_owned());
        Err("schemas are not fetched while rendering".into())
    }
}

fn compile_text(error: &CompileError) -> String {
    let quote = golang::strconv::quote;
    match error {
        CompileError::ValidationError { url, src } => format!(
            "{} is not valid against metaschema: {}",
            quote(&format!("{}#", url.trim_end_matches('#'))),
            text::whole(src)
        ),
        CompileError::LoadUrlError { url, src } => {
            format!("failing loading {}: {src}", quote(url))
        }
        CompileError::JsonPointerNotFound(place) => {
            format!("json-pointer in {} not found", quote(place))
        }
        CompileError::AnchorNotFound { url, reference } => {
            format!(
                "anchor in {} not found in schema {}",
                quote(reference),
                quote(url)
            )
        }
        error => format!("{error:#}"),
    }
}

/// Values as JSON, whole numbers as integers.
fn json(node: &Node) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match node {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(*value),
        Node::Int(value) => Value::from(*value),
        Node::Uint(value) => Value::from(*value),
        Node::Float(value) if value.fract() == 0.0 && value.abs() <= EXACT => {
            Value::from(*value as i64)
        }
        Node::Float(value) => Value::from(*value),
        Node::String(text) => Value::from(&**text),
        Node::List(items) => Value::Array(items.iter().map(json).collect()),
        Node::Map(map) => {
            let entries = map.iter();
            Value::Object(
                entries
                    .map(|(key, node)| (key.to_string(), json(node)))
                    .collect(),
            )
        }
    }
}
