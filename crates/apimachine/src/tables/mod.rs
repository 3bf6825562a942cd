//! Tables: what `kubectl get` prints.
//!
//! # Source
//! Columns and cells: kubernetes/kubernetes `pkg/printers/internalversion/printers.go`; custom
//! resources: kubernetes/apiextensions-apiserver `pkg/registry/customresource/tableconvertor`.

mod cells;
mod columns;
mod custom;
mod pods;
mod text;

use golang::Timestamp;
use object::{Map, Node, Text};

use crate::{Refusal, ResourceType};

/// What a row carries beside its cells; the `includeObject` parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IncludeObject {
    /// Nothing.
    None,
    /// The metadata.
    #[default]
    Metadata,
    /// The whole object.
    Object,
}

/// A Table of `objects`, in the version `resource` serves.
///
/// `table_version` is `v1` or `v1beta1` of `meta.k8s.io`; `columns` is false for all but the first
/// table of a watch.
///
/// # Errors
/// None today; a kind whose rows cannot be made would be refused.
pub fn table(
    resource: &ResourceType,
    objects: &[Node],
    list_metadata: Map,
    include: IncludeObject,
    columns: bool,
    table_version: &Text,
    now: Timestamp,
) -> Result<Node, Refusal> {
    let api_version = format!("meta.k8s.io/{table_version}");
    let layout = Layout::of(resource);
    let rows = objects.iter().map(|object| {
        let mut row = Map::new();
        row.insert("cells", layout.cells(object, now));
        let conditions = pods::row_conditions(resource, object);
        if !conditions.is_empty() {
            row.insert("conditions", conditions);
        }
        match include {
            IncludeObject::None => {
                row.insert("object", Node::Null);
            }
            IncludeObject::Metadata => {
                let mut partial = Map::new();
                partial.insert("kind", "PartialObjectMetadata");
                partial.insert("apiVersion", api_version.as_str());
                partial.insert(
                    "metadata",
                    object.get("metadata").cloned().unwrap_or_else(Node::map),
                );
                row.insert("object", partial);
            }
            IncludeObject::Object => {
                let mut whole = object.clone();
                whole.set(&["apiVersion"], resource.api_version());
                whole.set(&["kind"], resource.kind.clone());
                row.insert("object", whole);
            }
        }
        Node::Map(row)
    });
    let rows: Vec<Node> = rows.collect();
    let mut table = Map::new();
    table.insert("kind", "Table");
    table.insert("apiVersion", api_version.as_str());
    table.insert("metadata", list_metadata);
    table.insert(
        "columnDefinitions",
        if columns {
            layout.definitions()
        } else {
            Node::Null
        },
    );
    table.insert("rows", rows);
    Ok(Node::Map(table))
}

/// How the rows of one resource are made.
enum Layout<'a> {
    BuiltIn(&'static columns::Kind),
    Custom(custom::Columns<'a>),
}

impl<'a> Layout<'a> {
    fn of(resource: &'a ResourceType) -> Self {
        match &resource.custom {
            Some(version) => Self::Custom(custom::Columns::new(version)),
            None => Self::BuiltIn(columns::of_kind(&resource.kind)),
        }
    }

    fn definitions(&self) -> Node {
        match self {
            Self::BuiltIn(kind) => Node::from(kind.definitions()),
            Self::Custom(columns) => Node::from(columns.definitions()),
        }
    }

    fn cells(&self, object: &Node, now: Timestamp) -> Vec<Node> {
        match self {
            Self::BuiltIn(kind) => (kind.cells)(object, now),
            Self::Custom(columns) => columns.cells(object, now),
        }
    }
}

/// One entry of `columnDefinitions`.
fn definition(name: &str, kind: &str, format: &str, description: &str, priority: i64) -> Node {
    let mut column = Map::new();
    column.insert("name", name);
    column.insert("type", kind);
    column.insert("format", format);
    column.insert("description", description);
    column.insert("priority", priority);
    Node::Map(column)
}

#[cfg(test)]
mod tests;
