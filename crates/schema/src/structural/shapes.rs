//! What expressions see of values of a schema.
//!
//! # Source
//! kubernetes/apiserver `pkg/cel/common/schemas.go`: values whose type the schema does not say are
//! invisible, except int-or-string, which may be either. Expressions reach invisible fields through
//! `dyn(self).field`.

use std::collections::BTreeMap;
use std::sync::Arc;

use expr::{ListIdentity, ListShape, ObjectShape, Shape, Sizes};
use object::Node;

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
                match shape_of(property, property.embedded) {
                    Some(shape) => object.declare(key, shape),
                    None => object.hide(key),
                }
            }
            if root && !declares_metadata(level) {
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

/// Whether the schema of an object declares what every object has.
fn declares_metadata(level: &Level) -> bool {
    let text = |level: &Level, key: &str| {
        let property = level.properties.get(key);
        property.is_some_and(|property| property.kind == "string")
    };
    text(level, "kind")
        && text(level, "apiVersion")
        && level.properties.get("metadata").is_some_and(|metadata| {
            metadata.kind == "object" && text(metadata, "name") && text(metadata, "generateName")
        })
}

/// Most bytes of a request, which bounds what the schema does not.
pub(super) const REQUEST_BYTES_MAX: u64 = 3 << 20;

/// How large values of a level can get, and how small one is as JSON.
pub(super) struct Bounds {
    pub sizes: Arc<Sizes>,
    /// Fewest bytes of one value, without what follows it in a list.
    pub bytes_min: u64,
}

/// The bounds of values of `level`; `None` when expressions cannot see them.
pub(super) fn bounds_of(level: &Level, root: bool) -> Option<Bounds> {
    let shape = shape_of(level, root)?;
    let leaf = |most: u64, bytes_min: u64| {
        let sizes = Arc::new(Sizes {
            most,
            shape: shape.clone(),
            ..Sizes::default()
        });
        Some(Bounds { sizes, bytes_min })
    };
    let declared = |bound: Option<i64>| bound.map(|bound| u64::try_from(bound).unwrap_or(0));
    // Lengths are declared in characters and counted in bytes.
    let length = declared(level.length_max).map(|most| most.saturating_mul(4));
    let request = REQUEST_BYTES_MAX - 2;
    if level.int_or_string {
        return leaf(length.unwrap_or(request), 1);
    }
    match level.kind.as_str() {
        "array" => {
            let item = level
                .items
                .as_ref()
                .and_then(|items| bounds_of(items, items.embedded))?;
            let most = declared(level.items_max);
            let most = most.unwrap_or_else(|| request / (item.bytes_min + 1));
            let sizes = Sizes {
                most,
                shape,
                item: Some(item.sizes),
                ..Sizes::default()
            };
            let sizes = Arc::new(sizes);
            Some(Bounds {
                sizes,
                bytes_min: 2,
            })
        }
        "object" => {
            if let Some(inner) = level.additional_level() {
                let value = bounds_of(inner, inner.embedded)?;
                let most = declared(level.properties_max);
                let most = most.unwrap_or_else(|| request / (value.bytes_min + 6));
                let sizes = Arc::new(Sizes {
                    most,
                    shape,
                    item: Some(value.sizes),
                    ..Sizes::default()
                });
                return Some(Bounds {
                    sizes,
                    bytes_min: 2,
                });
            }
            let mut fields = BTreeMap::new();
            let mut bytes_min = 2;
            for (key, property) in &level.properties {
                let Some(bounds) = bounds_of(property, property.embedded) else {
                    continue;
                };
                if level.required.contains(key) && property.default.is_none() {
                    bytes_min += key.len() as u64 + bounds.bytes_min + 4;
                }
                if let Some(name) = expr::escape(key) {
                    fields.insert(name, bounds.sizes);
                }
            }
            if root && !declares_metadata(level) {
                root_fields(&mut fields);
            }
            let sizes = Arc::new(Sizes {
                shape,
                fields,
                ..Sizes::default()
            });
            Some(Bounds { sizes, bytes_min })
        }
        "string" => match level.format_name.as_str() {
            "byte" => leaf(declared(level.length_max).unwrap_or(request), 2),
            "duration" => leaf(32, 3),
            "date" => leaf(12, 12),
            "date-time" => leaf(32, 21),
            _ => {
                let texts = level.values.iter().filter_map(Node::as_str);
                let listed = texts.map(|text| text.len() as u64).max().unwrap_or(0);
                let unlisted = level.values.is_empty();
                leaf(length.unwrap_or(if unlisted { request } else { listed }), 2)
            }
        },
        "boolean" => leaf(0, 4),
        _ => leaf(0, 1),
    }
}

fn root_fields(fields: &mut BTreeMap<object::Text, Arc<Sizes>>) {
    let text = Arc::new(Sizes {
        most: REQUEST_BYTES_MAX - 2,
        shape: Shape::String,
        ..Sizes::default()
    });
    let mut metadata = ObjectShape::default();
    metadata.declare("name", Shape::String);
    metadata.declare("generateName", Shape::String);
    let metadata = Sizes {
        shape: Shape::Object(Arc::new(metadata)),
        fields: [
            ("name".into(), text.clone()),
            ("generateName".into(), text.clone()),
        ]
        .into(),
        ..Sizes::default()
    };
    fields.insert("apiVersion".into(), text.clone());
    fields.insert("kind".into(), text);
    fields.insert("metadata".into(), Arc::new(metadata));
}
