//! The columns of custom resources: a name and what the definition asks for.

use golang::Timestamp;
use object::Node;

use super::columns::description;
use super::definition;
use super::text::{at, since};
use crate::types::CustomVersion;

/// The columns of one version of a custom resource.
pub(super) struct Columns<'a>(Vec<Column<'a>>);

struct Column<'a> {
    name: &'a str,
    kind: &'a str,
    format: &'a str,
    description: String,
    priority: i64,
    path: Path<'a>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(version: &'a CustomVersion) -> Self {
        if version.printer_columns.is_empty() {
            return Self(vec![Column {
                name: "Age",
                kind: "date",
                format: "",
                description: description("Age").to_owned(),
                priority: 0,
                path: Path::parse(".metadata.creationTimestamp"),
            }]);
        }
        let columns = version.printer_columns.iter().map(|column| {
            let path = at(column, &["jsonPath"]);
            let description = match at(column, &["description"]) {
                "" => format!("Custom resource definition column (in JSONPath format): {path}"),
                text => text.to_owned(),
            };
            Column {
                name: at(column, &["name"]),
                kind: at(column, &["type"]),
                format: at(column, &["format"]),
                description,
                priority: column.get("priority").and_then(Node::as_i64).unwrap_or(0),
                path: Path::parse(path),
            }
        });
        Self(columns.collect())
    }

    pub(super) fn definitions(&self) -> Vec<Node> {
        let name = definition("Name", "string", "name", description("Name"), 0);
        let columns = self.0.iter().map(|column| {
            definition(
                column.name,
                column.kind,
                column.format,
                &column.description,
                column.priority,
            )
        });
        std::iter::once(name).chain(columns).collect()
    }

    pub(super) fn cells(&self, object: &Node, now: Timestamp) -> Vec<Node> {
        let name = Node::from(at(object, &["metadata", "name"]));
        let columns = self
            .0
            .iter()
            .map(|column| cell(column.kind, &column.path.find(object), now));
        std::iter::once(name).chain(columns).collect()
    }
}

/// The cell for what a path found; null when there is nothing or it has another type.
fn cell(kind: &str, found: &[&Node], now: Timestamp) -> Node {
    let Some(&first) = found.first() else {
        return Node::Null;
    };
    match (kind, first) {
        ("string", _) => {
            let texts: Vec<String> = found.iter().map(|node| print(node)).collect();
            texts.join(" ").into()
        }
        (_, Node::Null) => Node::Null,
        ("integer", node) => node.as_i64().map_or(Node::Null, Node::from),
        ("number", Node::Int(_) | Node::Float(_)) | ("boolean", Node::Bool(_)) => first.clone(),
        ("date", Node::String(time)) => since(time, now).into(),
        _ => Node::Null,
    }
}

fn print(node: &Node) -> String {
    match node {
        Node::String(text) => text.to_string(),
        other => object::json::to_string(other),
    }
}

/// A JSONPath as printer columns use it: keys, indexes, `[*]` and filters by one comparison.
///
/// # Source
/// kubernetes/client-go `util/jsonpath`.
struct Path<'a>(Vec<PathStep<'a>>);

enum PathStep<'a> {
    Key(&'a str),
    Index(i64),
    All,
    /// `[?(@.key=="value")]`
    Where {
        path: Vec<&'a str>,
        equal: bool,
        value: &'a str,
    },
    /// Something else; finds nothing.
    Unknown,
}

impl<'a> Path<'a> {
    fn parse(text: &'a str) -> Self {
        let mut rest = text.trim();
        rest = rest
            .strip_prefix('{')
            .and_then(|inner| inner.strip_suffix('}'))
            .unwrap_or(rest);
        rest = rest.strip_prefix('$').unwrap_or(rest);
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                // A filter may hold brackets inside quotes only; its end is `)]`.
                let end = if inner.starts_with("?(") {
                    inner.find(")]").map(|at| at + 1)
                } else {
                    inner.find(']')
                };
                let Some(end) = end else {
                    steps.push(PathStep::Unknown);
                    break;
                };
                steps.push(bracket(&inner[..end]));
                rest = &inner[end + 1..];
                continue;
            }
            rest = rest.strip_prefix('.').unwrap_or(rest);
            // A backslash keeps a dot inside a key: `.metadata.labels.app\.kubernetes\.io/name`.
            let end = key_end(rest);
            match &rest[..end] {
                "" => {}
                "*" => steps.push(PathStep::All),
                key => steps.push(PathStep::Key(key)),
            }
            rest = &rest[end..];
            if rest.starts_with("..") {
                steps.push(PathStep::Unknown);
                break;
            }
        }
        Self(steps)
    }

    fn find<'n>(&self, object: &'n Node) -> Vec<&'n Node> {
        let mut found = vec![object];
        for step in &self.0 {
            let mut next = Vec::new();
            for node in found {
                match step {
                    PathStep::Key(key) if key.contains('\\') => {
                        next.extend(node.get(&key.replace('\\', "")))
                    }
                    PathStep::Key(key) => next.extend(node.get(key)),
                    PathStep::Index(index) => {
                        let list = node.as_list().unwrap_or_default();
                        let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
                        let index = if *index < 0 { index + length } else { *index };
                        next.extend(
                            usize::try_from(index)
                                .ok()
                                .and_then(|index| list.get(index)),
                        );
                    }
                    PathStep::All => match node {
                        Node::List(list) => next.extend(list.iter()),
                        Node::Map(map) => next.extend(map.values()),
                        _ => {}
                    },
                    PathStep::Where { path, equal, value } => {
                        let list = node.as_list().unwrap_or_default();
                        next.extend(list.iter().filter(|item| {
                            item.at(path)
                                .is_some_and(|found| (print(found) == *value) == *equal)
                        }));
                    }
                    PathStep::Unknown => {}
                }
            }
            found = next;
        }
        found
    }
}

fn key_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'.' | b'[' => return at,
            _ => {}
        }
    }
    text.len()
}

fn bracket(inner: &str) -> PathStep<'_> {
    let inner = inner.trim();
    if inner == "*" || inner == ":" {
        return PathStep::All;
    }
    if let Ok(index) = inner.parse() {
        return PathStep::Index(index);
    }
    if let Some(key) = unquote(inner) {
        return PathStep::Key(key);
    }
    let filter = inner
        .strip_prefix("?(")
        .and_then(|filter| filter.strip_suffix(')'));
    let comparison = filter.and_then(|filter| {
        let (left, right, equal) = match filter.split_once("==") {
            Some((left, right)) => (left, right, true),
            None => filter
                .split_once("!=")
                .map(|(left, right)| (left, right, false))?,
        };
        let path = left.trim().strip_prefix('@')?.trim_start_matches('.');
        let right = right.trim();
        Some(PathStep::Where {
            path: path.split('.').collect(),
            equal,
            value: unquote(right).unwrap_or(right),
        })
    });
    comparison.unwrap_or(PathStep::Unknown)
}

fn unquote(text: &str) -> Option<&str> {
    ['\'', '"']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
}
