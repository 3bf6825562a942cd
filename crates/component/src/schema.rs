//! Schemas of parameters: pruning, defaults, validation.
//!
//! Types and traits say in one of two languages which values they take: the [`shorthand`] of the
//! versions up to v0.17, and OpenAPI with local references since v1. Both become one
//! [`Schema`], which treats values as the API server treats custom resources.
//!
//! # Source
//! openchoreo/openchoreo `internal/schema/` at v0.12.0 and v1.2.3, which use
//! kubernetes/apiextensions-apiserver for pruning, defaults and validation; here crate `schema`.

mod open_api;
pub mod shorthand;

use std::fmt;

use golang::Regexp;
use object::{FieldPath, Map, Node, Text};
use schema::{FieldError, Structural};

/// Most values in one schema after named types are put in place. The largest schema of the public
/// samples has about 300; named types that hold each other twice grow exponentially.
pub const SCHEMA_NODES_MAX: usize = 20_000;

/// Deepest nesting of a schema's fields. People write four or five levels; compiled schemas take
/// two levels of JSON for each and end at 100.
pub const SCHEMA_FIELDS_DEPTH_MAX: usize = 32;

/// What values a type or a trait takes.
#[derive(Clone, Debug)]
pub struct Schema {
    /// What the values are called: `parameters`.
    name: Text,
    json: Node,
    /// Of a map with the values under `name`, so that fields called `metadata` or `kind` mean
    /// nothing, and so that places start with the name.
    structural: Structural,
}

/// Values after their schema was applied.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// The values, a map.
    pub values: Node,
    /// Fields that were left out because the schema does not know them.
    pub pruned: Vec<String>,
    /// Why the values are refused.
    pub errors: Vec<FieldError>,
}

/// Why a schema means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", place(path))]
pub struct SchemaError {
    /// Which field, from the root of the schema; the root for the schema as a whole.
    pub path: FieldPath,
    /// What is wrong.
    pub problem: SchemaProblem,
}

fn place(path: &FieldPath) -> String {
    match path.is_root() {
        true => String::new(),
        false => format!("field \"{path}\": "),
    }
}

/// What is wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaProblem {
    /// A field without a type.
    EmptyExpression,
    /// Neither a text nor a map.
    NotAField(&'static str),
    /// A type nobody declared.
    UnknownType(Text),
    /// A type that holds itself.
    CyclicType(Text),
    /// `map` with something odd behind it.
    MapSyntax(Text),
    /// A map whose keys are not text.
    MapKey(Text),
    /// `object` as a type.
    ObjectType,
    /// A marker nobody knows.
    UnknownMarker(Text),
    /// A marker that needs a value.
    MissingValue(Text),
    /// The marker `required`.
    Required,
    /// A marker with a value that cannot be read.
    Marker {
        /// The marker.
        marker: Text,
        /// What is wrong with its value.
        detail: String,
    },
    /// A default that cannot be read.
    DefaultSyntax(String),
    /// A default that the schema itself refuses.
    DefaultValue(String),
    /// An entry of `enum` that cannot be read.
    EnumValue(String),
    /// A keyword with a value of another type than it takes.
    Keyword {
        /// The keyword.
        keyword: Text,
        /// What it takes.
        wanted: &'static str,
    },
    /// A keyword that schemas of objects do not have.
    UnsupportedKeyword(Text),
    /// A reference that leads out of the schema or nowhere.
    Reference(Text),
    /// A reference that leads to itself.
    CyclicReference(Text),
    /// More than [`SCHEMA_NODES_MAX`] values.
    Size,
    /// Deeper than [`SCHEMA_FIELDS_DEPTH_MAX`].
    Depth,
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyExpression => f.write_str("empty schema expression"),
            Self::NotAField(found) => {
                write!(f, "a field is a text with a type or a map, not a {found}")
            }
            Self::UnknownType(name) => write!(f, "unknown type \"{name}\""),
            Self::CyclicType(name) => write!(f, "cyclic type reference \"{name}\""),
            Self::MapSyntax(text) => write!(f, "invalid map type expression \"{text}\""),
            Self::MapKey(key) => write!(f, "map key type must be 'string', got \"{key}\""),
            Self::ObjectType => f.write_str(
                "'object' type is not allowed: write the fields, a named type or map<string>",
            ),
            Self::UnknownMarker(marker) => write!(f, "unknown constraint marker \"{marker}\""),
            Self::MissingValue(marker) => {
                write!(f, "constraint marker \"{marker}\" is missing a value")
            }
            Self::Required => f.write_str(
                "marker \"required\" is not allowed: a field is required unless it has a default",
            ),
            Self::Marker { marker, detail } => write!(f, "invalid {marker}: {detail}"),
            Self::DefaultSyntax(detail) => write!(f, "invalid default: {detail}"),
            Self::DefaultValue(detail) => write!(f, "invalid default value: {detail}"),
            Self::EnumValue(detail) => write!(f, "invalid enum value: {detail}"),
            Self::Keyword { keyword, wanted } => write!(f, "\"{keyword}\" has to be {wanted}"),
            Self::UnsupportedKeyword(keyword) => write!(f, "\"{keyword}\" is not supported"),
            Self::Reference(to) => {
                write!(f, "reference \"{to}\" leads to nothing in this schema")
            }
            Self::CyclicReference(to) => write!(f, "circular reference \"{to}\""),
            Self::Size => write!(f, "has more than {SCHEMA_NODES_MAX} fields and values"),
            Self::Depth => write!(f, "is nested deeper than {SCHEMA_FIELDS_DEPTH_MAX} levels"),
        }
    }
}

impl Schema {
    /// The schema of `fields` in the shorthand, with the named types `types`; what it describes is
    /// called `name`. Null fields make a schema without fields.
    ///
    /// # Errors
    /// Everything wrong with it, in the order of the fields.
    pub fn shorthand(name: &str, fields: &Node, types: &Node) -> Result<Self, Vec<SchemaError>> {
        Self::compile(name, shorthand::to_json_schema(fields, types)?)
    }

    /// The schema under `openAPIV3Schema`; what it describes is called `name`.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub fn open_api(name: &str, schema: &Node) -> Result<Self, Vec<SchemaError>> {
        Self::compile(name, open_api::resolve(schema)?)
    }

    fn compile(name: &str, json: Node) -> Result<Self, Vec<SchemaError>> {
        let mut errors = Vec::new();
        check(&json, &mut FieldPath::root(), &mut errors);
        let structural = structural(name, &json);
        match structural {
            Some(structural) if errors.is_empty() => Ok(Self {
                name: name.into(),
                json,
                structural,
            }),
            Some(_) => Err(errors),
            None => Err(vec![SchemaError {
                path: FieldPath::root(),
                problem: SchemaProblem::Depth,
            }]),
        }
    }

    /// The schema as JSON schema, references resolved.
    pub fn json(&self) -> &Node {
        &self.json
    }

    /// Fills in defaults and judges; `prune` leaves out fields the schema does not know. Null
    /// values are an empty map.
    pub fn apply(&self, values: &Node, prune: bool) -> Applied {
        let values = match values {
            Node::Null => Node::map(),
            values => values.clone(),
        };
        let mut wrapped = Node::Map(Map::from_iter([(self.name.clone(), values)]));
        let pruned = match prune {
            true => self.structural.prune(&mut wrapped),
            false => Vec::new(),
        };
        self.structural.default(&mut wrapped);
        let errors = self.structural.validate(&wrapped, None).errors;
        Applied {
            values: wrapped.remove(&[&self.name]).unwrap_or_default(),
            pruned,
            errors,
        }
    }
}

/// `json` as the schema of the only field `name` of a map.
fn structural(name: &str, json: &Node) -> Option<Structural> {
    let mut schema = Node::map();
    schema.set(&["type"], "object");
    schema.set(&["properties", name], json.clone());
    Structural::compile_stored(&schema)
}

/// Checks what makes a schema meaningless: unknown types, patterns that are none, defaults that
/// the schema refuses.
fn check(json: &Node, path: &mut FieldPath, errors: &mut Vec<SchemaError>) {
    const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "object", "array"];
    let Some(map) = json.as_map() else {
        return;
    };
    let mut report = |problem| {
        errors.push(SchemaError {
            path: path.clone(),
            problem,
        });
    };
    if let Some(kind) = map.get("type").and_then(Node::as_str)
        && !TYPES.contains(&kind)
    {
        report(SchemaProblem::UnknownType(kind.into()));
    }
    if let Some(pattern) = map.get("pattern").and_then(Node::as_str)
        && let Err(error) = Regexp::new(pattern)
    {
        report(SchemaProblem::Marker {
            marker: "pattern".into(),
            detail: error.to_string(),
        });
    }
    if let Some(default) = map.get("default").filter(|default| !default.is_null())
        && let Some(own) = structural("default", json)
    {
        let mut wrapped = Node::Map(Map::from_iter([("default", default.clone())]));
        own.default(&mut wrapped);
        let found = own.validate(&wrapped, None).errors;
        if !found.is_empty() {
            let texts: Vec<String> = found.iter().map(words).collect();
            report(SchemaProblem::DefaultValue(texts.join("; ")));
        }
    }
    for (key, value) in map.iter() {
        match (key.as_str(), value) {
            ("properties", Node::Map(properties)) => {
                for (name, inner) in properties.iter() {
                    path.push(object::Step::Key(name.clone()));
                    check(inner, path, errors);
                    path.pop();
                }
            }
            ("items" | "additionalProperties" | "not", Node::Map(_)) => check(value, path, errors),
            ("allOf" | "anyOf" | "oneOf", Node::List(items)) => {
                items.iter().for_each(|inner| check(inner, path, errors));
            }
            _ => {}
        }
    }
}

/// What a field error says, with the word that upstream uses for what is missing.
fn words(error: &FieldError) -> String {
    match error.kind {
        schema::FieldErrorKind::Required => format!("{} is required", error.path),
        _ => error.to_string(),
    }
}
