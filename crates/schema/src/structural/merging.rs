//! What server-side apply needs to know of a schema: who may own which parts of an object.
//!
//! # Source
//! kubernetes/kube-openapi `pkg/schemaconv`.

use std::sync::Arc;

use merge::schema::{Builder, Field, ListType, MapType, ObjectType, TypeRef};
use object::Text;

use super::node::Level;

/// The type of whole objects of a schema, metadata included.
pub(super) fn object_type(level: &Level) -> ObjectType {
    let mut builder = Builder::new();
    let root = builder.declare("object");
    let metadata = metadata(&mut builder);
    let mut fields = vec![
        Field::new("apiVersion", TypeRef::STRING),
        Field::new("kind", TypeRef::STRING),
        Field::new("metadata", metadata),
    ];
    for (key, property) in &level.properties {
        if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
            fields.push(field(&mut builder, key, property));
        }
    }
    let mut map = MapType::fields(fields);
    if level.preserve_unknown {
        map = map.with_element(TypeRef::DEDUCED);
    }
    builder.define(root, map);
    // Every type is defined where it is declared.
    match builder.build() {
        Ok(schema) => ObjectType::new(schema, root),
        Err(_) => ObjectType::deduced(),
    }
}

fn field(builder: &mut Builder, key: &Text, level: &Level) -> Field {
    let mut field = Field::new(key.clone(), type_of(builder, level));
    field.default = level.default.clone();
    field
}

fn type_of(builder: &mut Builder, level: &Level) -> TypeRef {
    if level.int_or_string {
        return TypeRef::UNTYPED;
    }
    if level.embedded {
        return TypeRef::DEDUCED;
    }
    match level.kind.as_str() {
        "object" => {
            let map = if !level.properties.is_empty() {
                let fields: Vec<Field> = level
                    .properties
                    .iter()
                    .map(|(key, property)| field(builder, key, property))
                    .collect();
                let map = MapType::fields(fields);
                match level.preserve_unknown {
                    true => map.with_element(TypeRef::DEDUCED),
                    false => map,
                }
            } else {
                let element = match level.additional_level() {
                    Some(inner) => type_of(builder, inner),
                    None => TypeRef::DEDUCED,
                };
                MapType::of(element)
            };
            let map = match level.map_type.as_deref() {
                Some("atomic") => map.into_atomic(),
                _ => map,
            };
            builder.add(map)
        }
        "array" => {
            let element = match &level.items {
                Some(items) => type_of(builder, items),
                None => TypeRef::DEDUCED,
            };
            let list = if level.is_list_map() && !level.list_map_keys.is_empty() {
                ListType::keyed(element, level.list_map_keys.iter().cloned())
            } else if level.is_set() {
                ListType::set(element)
            } else {
                ListType::atomic(element)
            };
            builder.add(list)
        }
        "integer" | "number" => TypeRef::NUMERIC,
        "boolean" => TypeRef::BOOLEAN,
        "string" if matches!(level.format_name.as_str(), "" | "byte") => TypeRef::STRING,
        "string" => TypeRef::UNTYPED,
        _ => TypeRef::DEDUCED,
    }
}

fn metadata(builder: &mut Builder) -> TypeRef {
    let texts = builder.add(MapType::of(TypeRef::STRING));
    let finalizers = builder.add(ListType::set(TypeRef::STRING));
    let owner = builder.add(
        MapType::fields([
            Field::new("apiVersion", TypeRef::STRING),
            Field::new("blockOwnerDeletion", TypeRef::BOOLEAN),
            Field::new("controller", TypeRef::BOOLEAN),
            Field::new("kind", TypeRef::STRING),
            Field::new("name", TypeRef::STRING),
            Field::new("uid", TypeRef::STRING),
        ])
        .into_atomic(),
    );
    let owners = builder.add(ListType::keyed(owner, ["uid"]));
    let managers = builder.add(ListType::atomic(TypeRef::DEDUCED));
    builder.add(MapType::fields([
        Field::new("annotations", texts),
        Field::new("creationTimestamp", TypeRef::UNTYPED),
        Field::new("deletionGracePeriodSeconds", TypeRef::NUMERIC),
        Field::new("deletionTimestamp", TypeRef::UNTYPED),
        Field::new("finalizers", finalizers),
        Field::new("generateName", TypeRef::STRING),
        Field::new("generation", TypeRef::NUMERIC),
        Field::new("labels", texts),
        Field::new("managedFields", managers),
        Field::new("name", TypeRef::STRING),
        Field::new("namespace", TypeRef::STRING),
        Field::new("ownerReferences", owners),
        Field::new("resourceVersion", TypeRef::STRING),
        Field::new("selfLink", TypeRef::STRING),
        Field::new("uid", TypeRef::STRING),
    ]))
}

/// Shares the type between requests.
pub(super) fn shared(level: &Level) -> Arc<ObjectType> {
    Arc::new(object_type(level))
}
