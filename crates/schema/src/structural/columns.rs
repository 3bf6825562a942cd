//! Printer columns: cells of a table for one object.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/registry/customresource/tableconvertor/tableconvertor.go`.

use golang::{Timestamp, human_duration};
use object::Node;

use super::jsonpath::JsonPath;

/// An entry of `additionalPrinterColumns`, compiled.
#[derive(Clone, Debug)]
pub struct Column {
    /// The heading.
    pub name: String,
    /// `integer`, `number`, `string`, `boolean`, `date`.
    pub kind: String,
    /// As written; may be empty.
    pub format: String,
    /// As written, or a sentence that names the path.
    pub description: String,
    /// Columns above 0 are shown in wide output only.
    pub priority: i64,
    path: Option<JsonPath>,
}

/// The columns of a version of a definition; without any, the one every resource has: its age.
pub fn columns(version: &Node) -> Vec<Column> {
    let written = version
        .get("additionalPrinterColumns")
        .and_then(Node::as_list);
    match written.unwrap_or_default() {
        [] => vec![Column {
            name: "Age".into(),
            kind: "date".into(),
            format: String::new(),
            description: AGE.into(),
            priority: 0,
            path: JsonPath::parse(".metadata.creationTimestamp").ok(),
        }],
        written => written.iter().map(Column::read).collect(),
    }
}

const AGE: &str = "When the server created the object (metadata.creationTimestamp).";

impl Column {
    fn read(node: &Node) -> Self {
        let text = |key: &str| node.str_at(&[key]).unwrap_or_default().to_owned();
        let path = text("jsonPath");
        let description = match text("description") {
            description if description.is_empty() => {
                format!("Custom resource definition column (in JSONPath format): {path}")
            }
            description => description,
        };
        Self {
            name: text("name"),
            kind: text("type"),
            format: text("format"),
            description,
            priority: node.get("priority").and_then(Node::as_i64).unwrap_or(0),
            path: JsonPath::parse(&path).ok(),
        }
    }

    /// The cell of `object`: the first value of the path, in the type of the column, else null.
    pub fn cell(&self, object: &Node, now: Timestamp) -> Node {
        let Some(value) = self.path.as_ref().and_then(|path| path.first(object)) else {
            return Node::Null;
        };
        match (self.kind.as_str(), value) {
            ("string", value) => printed(value).into(),
            ("integer", Node::Int(_)) => value.clone(),
            ("integer", Node::Float(number)) => Node::Int(*number as i64),
            ("number", value) => value.as_f64().map_or(Node::Null, Node::Float),
            ("boolean", Node::Bool(_)) => value.clone(),
            ("date", Node::String(text)) => age(text, now).into(),
            _ => Node::Null,
        }
    }
}

fn age(text: &str, now: Timestamp) -> String {
    match text.parse::<Timestamp>() {
        Ok(time) => human_duration(now.since(time)),
        Err(_) => "<invalid>".into(),
    }
}

/// A value as text: lists and maps as JSON.
fn printed(value: &Node) -> String {
    match value {
        Node::String(text) => text.to_string(),
        Node::Null => String::new(),
        Node::Float(number) => golang::strconv::format_float_g(*number),
        other => object::json::to_string(other),
    }
}
