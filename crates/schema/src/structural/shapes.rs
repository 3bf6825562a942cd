//! What expressions see of values of a schema.
//!
//! # Source
//! kubernetes/apiserver `pkg/cel/common/schemas.go`: values whose type the schema does not say are
//! invisible, except int-or-string, which may be either.

use std::sync::Arc;

use expr::{ListIdentity, ListShape, ObjectShape, Shape};

use super::node::Level;

/// The shape of values of `level`; of a whole object (`root`) with its metadata. `None` when
/// expressions cannot see them.
pub(super) fn shape_of(level: &Level, root: bool) -> Option<Shape> {
    if level.int_or_string {
        return Some(Shape::Dyn);
    }
    Some(match level.kind.as_str() {
        "array" => {
            let items = level.items.as_ref()?;
            let identity = match level.list_type.as_deref() {
                Some("map") => ListIdentity::Keys(level.list_map_keys.clone()),
                Some("set") => ListIdentity::Value,
                _ => ListIdentity::Position,
            };
            Shape::List(Arc::new(ListShape {
                item: shape_of(items, items.embedded)?,
                identity,
            }))
        }
        "object" => {
            if let Some(inner) = level.additional_level() {
                return Some(Shape::map(shape_of(inner, inner.embedded)?));
            }
            let mut object = ObjectShape::default();
            for (key, property) in &level.properties {
                if let Some(shape) = shape_of(property, property.embedded) {
                    object.declare(key, shape);
                }
            }
            if root {
                let mut metadata = ObjectShape::default();
                metadata.declare("name", Shape::String);
                metadata.declare("generateName", Shape::String);
                object.declare("apiVersion", Shape::String);
                object.declare("kind", Shape::String);
                object.declare("metadata", Shape::Object(Arc::new(metadata)));
            }
            Shape::Object(Arc::new(object))
        }
        "string" => match level.format_name.as_str() {
            "byte" => Shape::Bytes,
            "duration" => Shape::Duration,
            "date" => Shape::Date,
            "date-time" => Shape::Timestamp,
            _ => Shape::String,
        },
        "boolean" => Shape::Bool,
        "number" => Shape::Double,
        "integer" => Shape::Int,
        _ => return None,
    })
}
