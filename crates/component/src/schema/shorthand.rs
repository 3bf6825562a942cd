//! The shorthand: `name: "type | marker=value …"`.
//!
//! A field is a text with a type and markers, or a map of fields. A field is required exactly when
//! it has no default; a map of fields has one under the key `$default`.
//!
//! ```text
//! replicas: "integer | default=1 minimum=0"
//! hosts: "[]string | minItems=1"
//! resources:
//!   $default: {}
//!   cpu: "string | default=100m"
//! ```
//!
//! # Source
//! openchoreo/openchoreo `internal/schema/extractor/` at v0.12.0.

use object::{FieldPath, Map, Node, Step, Text};
use yaml::Limits;

use super::{SCHEMA_FIELDS_DEPTH_MAX, SCHEMA_NODES_MAX, SchemaError, SchemaProblem};

/// The key that holds the default of a map of fields.
const DEFAULT: &str = "$default";

/// Turns `fields` into JSON schema, taking named types from `types`.
///
/// # Errors
/// Everything wrong with it, in the order of the fields.
pub fn to_json_schema(fields: &Node, types: &Node) -> Result<Node, Vec<SchemaError>> {
    let mut converter = Converter {
        types,
        inside: Vec::new(),
        path: FieldPath::root(),
        nodes: 0,
        errors: Vec::new(),
    };
    let empty = Map::new();
    let schema = match fields {
        Node::Null => converter.fields(&empty, 0),
        Node::Map(map) => converter.fields(map, 0),
        other => {
            converter.report(SchemaProblem::NotAField(other.type_name()));
            Node::Null
        }
    };
    match converter.errors.is_empty() {
        true => Ok(schema),
        false => Err(converter.errors),
    }
}

struct Converter<'a> {
    types: &'a Node,
    /// Named types on the way here.
    inside: Vec<Text>,
    path: FieldPath,
    nodes: usize,
    errors: Vec<SchemaError>,
}

impl Converter<'_> {
    fn report(&mut self, problem: SchemaProblem) -> Node {
        self.errors.push(SchemaError {
            path: self.path.clone(),
            problem,
        });
        Node::map()
    }

    fn field(&mut self, field: &Node, depth: usize) -> Node {
        self.nodes += 1;
        if self.nodes > SCHEMA_NODES_MAX || depth > SCHEMA_FIELDS_DEPTH_MAX {
            let told = |error: &SchemaError| {
                matches!(error.problem, SchemaProblem::Size | SchemaProblem::Depth)
            };
            if self.errors.iter().any(told) {
                return Node::map();
            }
            return self.report(match self.nodes > SCHEMA_NODES_MAX {
                true => SchemaProblem::Size,
                false => SchemaProblem::Depth,
            });
        }
        match field {
            Node::String(text) => self.expression(text, depth),
            Node::Map(map) => self.fields(map, depth),
            other => self.report(SchemaProblem::NotAField(other.type_name())),
        }
    }

    /// An object with fields.
    fn fields(&mut self, map: &Map, depth: usize) -> Node {
        let mut properties = Map::new();
        let mut required: Vec<Text> = Vec::new();
        let mut names: Vec<&Text> = map.keys().filter(|key| *key != DEFAULT).collect();
        names.sort();
        for name in names {
            let Some(field) = map.get(name) else { continue };
            self.path.push(Step::Key(name.clone()));
            let schema = self.field(field, depth + 1);
            self.path.pop();
            if schema.get("default").is_none() {
                required.push(name.clone());
            }
            properties.insert(name.clone(), schema);
        }
        let mut out = Map::from_iter([("type", "object")]);
        if let Some(default) = map.get(DEFAULT) {
            match object_default(default) {
                Ok(default) => drop(out.insert("default", default)),
                Err(detail) => drop(self.report(SchemaProblem::DefaultSyntax(detail.into()))),
            }
        }
        if !required.is_empty() {
            let required: Vec<Node> = required.into_iter().map(Node::from).collect();
            out.insert("required", required);
        }
        if !properties.is_empty() {
            out.insert("properties", properties);
        }
        out.into()
    }

    fn expression(&mut self, text: &str, depth: usize) -> Node {
        let text = text.trim();
        if text.is_empty() {
            return self.report(SchemaProblem::EmptyExpression);
        }
        let (kind, markers) = text.split_once('|').unwrap_or((text, ""));
        let mut schema = self.kind(kind.trim(), depth);
        let markers = split(markers, char::is_whitespace).into_iter();
        for marker in markers.filter(|marker| *marker != "|") {
            if let Err(problem) = mark(&mut schema, marker) {
                self.report(problem);
            }
        }
        schema
    }

    /// A type by its name or form.
    fn kind(&mut self, kind: &str, depth: usize) -> Node {
        match kind {
            "string" | "integer" | "number" | "boolean" => {
                return Map::from_iter([("type", kind)]).into();
            }
            "object" => return self.report(SchemaProblem::ObjectType),
            _ => {}
        }
        let array = |items: Node| -> Node {
            Map::from_iter([("type", "array".into()), ("items", items)]).into()
        };
        let map = |values: Node| -> Node {
            Map::from_iter([("type", "object".into()), ("additionalProperties", values)]).into()
        };
        if let Some(item) = kind.strip_prefix("[]") {
            return array(self.inner(item, depth));
        }
        if let Some(item) = bracketed(kind, "array<") {
            return array(self.inner(item, depth));
        }
        if let Some(value) = bracketed(kind, "map<") {
            return map(self.inner(value, depth));
        }
        if let Some(rest) = kind.strip_prefix("map[") {
            return match rest.split_once(']') {
                Some(("string", value)) => map(self.inner(value, depth)),
                Some((key, _)) => self.report(SchemaProblem::MapKey(key.into())),
                None => self.report(SchemaProblem::MapSyntax(kind.into())),
            };
        }
        self.named(kind, depth)
    }

    /// The type of items and values; a text without markers.
    fn inner(&mut self, kind: &str, depth: usize) -> Node {
        self.nodes += 1;
        if depth > SCHEMA_FIELDS_DEPTH_MAX {
            return self.report(SchemaProblem::Depth);
        }
        self.kind(kind.trim(), depth + 1)
    }

    fn named(&mut self, name: &str, depth: usize) -> Node {
        let Some(declared) = self.types.get(name) else {
            return self.report(SchemaProblem::UnknownType(name.into()));
        };
        if self.inside.iter().any(|own| own == name) {
            return self.report(SchemaProblem::CyclicType(name.into()));
        }
        let declared = declared.clone();
        self.inside.push(name.into());
        let schema = self.field(&declared, depth + 1);
        self.inside.pop();
        schema
    }
}

fn bracketed<'a>(kind: &'a str, opening: &str) -> Option<&'a str> {
    kind.strip_prefix(opening)?.strip_suffix('>')
}

fn object_default(default: &Node) -> Result<Node, &'static str> {
    match default {
        Node::Map(_) => Ok(default.clone()),
        Node::String(text) => match parse(text) {
            Some(value @ Node::Map(_)) => Ok(value),
            _ => Err("value is not a valid object"),
        },
        _ => Err("value must be an object"),
    }
}

/// A value written as JSON, or as YAML's flow style.
fn parse(text: &str) -> Option<Node> {
    let options = yaml::ResolveOptions {
        limits: Limits::default(),
        ..yaml::ResolveOptions::default()
    };
    yaml::load_first(text, &options).ok()
}

/// Parts of a text between separators; none inside quotes, nor inside braces or brackets that the
/// value of `default` or `example` starts with. Empty parts are left out.
fn split(text: &str, separates: impl Fn(char) -> bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let mut depth = 0_usize;
    let mut escaped = false;
    let is_value = |before: &str| {
        let marker = before.trim_start().strip_suffix('=');
        matches!(marker, Some("default" | "example"))
    };
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(open) => {
                if c == open {
                    quote = None;
                }
            }
            None => match c {
                '"' | '\'' => quote = Some(c),
                '{' | '[' if depth > 0 || is_value(&text[start..at]) => depth += 1,
                '}' | ']' if depth > 0 => depth -= 1,
                c if depth == 0 && separates(c) => {
                    parts.push(text[start..at].trim());
                    start = at + c.len_utf8();
                }
                _ => {}
            },
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Parts of a list of values: commas outside quotes separate.
fn split_values(text: &str) -> Vec<&str> {
    split(text, |c| c == ',')
}

/// The text of a value without its quotes.
fn unquoted(text: &str) -> String {
    let inner = |quote: char| {
        text.strip_prefix(quote)?
            .strip_suffix(quote)
            .filter(|_| text.len() > 1)
    };
    if let Some(inner) = inner('\'') {
        return inner.replace("''", "'");
    }
    if inner('"').is_some()
        && let Some(Node::String(value)) = parse(text)
    {
        return value.into();
    }
    text.to_owned()
}

/// Adds a marker to a schema.
fn mark(schema: &mut Node, marker: &str) -> Result<(), SchemaProblem> {
    const KNOWN: [&str; 19] = [
        "default",
        "enum",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "title",
        "description",
        "example",
        "nullable",
    ];
    let (key, value) = match marker.split_once('=') {
        Some((key, value)) => (key.trim(), Some(value.trim())),
        None => (marker, None),
    };
    if key.starts_with("oc:") {
        return Ok(());
    }
    let Some(value) = value else {
        return Err(SchemaProblem::MissingValue(key.into()));
    };
    if key == "required" {
        return Err(SchemaProblem::Required);
    }
    if !KNOWN.contains(&key) {
        return Err(SchemaProblem::UnknownMarker(key.into()));
    }
    let kind = schema.str_at(&["type"]).unwrap_or_default().to_owned();
    let invalid = |detail: String| SchemaProblem::Marker {
        marker: key.into(),
        detail,
    };
    let parsed = match key {
        "default" => typed(&kind, value).map_err(SchemaProblem::DefaultSyntax)?,
        "example" => typed(&kind, value).unwrap_or_else(|_| unquoted(value).into()),
        "enum" => {
            let values = split_values(value).into_iter();
            let values = values.map(|value| typed(&kind, value).map_err(SchemaProblem::EnumValue));
            values.collect::<Result<Vec<Node>, _>>()?.into()
        }
        "minimum" | "maximum" | "multipleOf" => {
            number(&unquoted(value)).ok_or_else(|| invalid(format!("`{value}` is no number")))?
        }
        "exclusiveMinimum" | "exclusiveMaximum" | "nullable" => match unquoted(value).as_str() {
            "true" => true.into(),
            "false" => false.into(),
            _ => return Err(invalid(format!("`{value}` is neither true nor false"))),
        },
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            let count: i64 = unquoted(value)
                .parse()
                .map_err(|_| invalid(format!("`{value}` is no whole number")))?;
            count.into()
        }
        _ => unquoted(value).into(),
    };
    schema.set(&[key], parsed);
    Ok(())
}

fn number(text: &str) -> Option<Node> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then(|| value.into())
}

/// A value of a type, as its text is written.
fn typed(kind: &str, text: &str) -> Result<Node, String> {
    let plain = unquoted(text);
    match kind {
        "string" => Ok(plain.into()),
        "integer" | "number" if plain.is_empty() => Err(format!("empty {kind} value")),
        "integer" => match number(&plain) {
            Some(Node::Int(value)) => Ok(value.into()),
            _ => Err(format!("`{text}` is no integer")),
        },
        "number" => number(&plain).ok_or_else(|| format!("`{text}` is no number")),
        "boolean" => match plain.as_str() {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            _ => Err(format!("`{text}` is neither true nor false")),
        },
        "object" => match parse(&plain) {
            Some(value @ Node::Map(_)) => Ok(value),
            _ => Err(format!("`{text}` is no map")),
        },
        "array" => match parse(&plain) {
            Some(value @ Node::List(_)) => Ok(value),
            _ => Err(format!("`{text}` is no list")),
        },
        _ => Ok(plain.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_at_commas_outside_quotes() {
        for (text, parts) in [
            ("a,b,c", &["a", "b", "c"][..]),
            (
                r#""last, first" , "a \"quoted, b\"""#,
                &[r#""last, first""#, r#""a \"quoted, b\"""#],
            ),
            ("'it''s, so',b", &["'it''s, so'", "b"]),
            ("a,,b,  ,c", &["a", "b", "c"]),
        ] {
            assert_eq!(split_values(text), parts, "{text}");
        }
    }
}
