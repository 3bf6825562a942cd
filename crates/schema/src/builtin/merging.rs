//! What the merge crate needs of the type table: owners of fields, and strategic patches.

use std::sync::{Arc, LazyLock};

use merge::schema as owned;
use merge::schema::{Builder, ObjectType, TypeRef};
use merge::strategic::{StrategicField, StrategicSchema, StrategicType};
use object::{Node, json};

use super::types::{Field, ListType, Struct, StructId, Type, Types, types};

/// The type of a kind for server-side apply.
///
/// # Source
/// kubernetes/kube-openapi `pkg/schemaconv` over the OpenAPI documents of v1.36.3.
pub fn merge_schema(ty: StructId) -> ObjectType {
    static SCHEMA: LazyLock<Arc<owned::Schema>> = LazyLock::new(|| build(types()));
    let name = types().get(ty).name;
    let found = SCHEMA.object_type(name);
    found.expect("the schema is built from every struct of the table")
}

/// The merge metadata of a kind for strategic merge patches.
pub fn strategic_schema(ty: StructId) -> Strategic {
    Strategic { root: ty }
}

/// Merge metadata of a kind, see [`strategic_schema`].
#[derive(Clone, Copy, Debug)]
pub struct Strategic {
    root: StructId,
}

impl StrategicSchema for Strategic {
    fn root(&self) -> StrategicType {
        StrategicType(self.root.index() as u32)
    }

    fn name(&self, of: StrategicType) -> &str {
        types().at(of.0 as usize).map_or("", Struct::short_name)
    }

    fn field(&self, of: StrategicType, name: &str) -> Option<StrategicField<'_>> {
        let field = types().at(of.0 as usize)?.field(name)?;
        let says = |word| field.patch_strategy.split(',').any(|said| said == word);
        Some(StrategicField {
            value: element_of(&field.ty),
            merge: says("merge"),
            replace: says("replace"),
            retain_keys: says("retainKeys"),
            merge_key: (!field.patch_key.is_empty()).then_some(field.patch_key),
        })
    }
}

fn element_of(ty: &Type) -> Option<StrategicType> {
    ty.element_struct()
        .map(|id| StrategicType(id.index() as u32))
}

fn build(types: &Types) -> Arc<owned::Schema> {
    let mut builder = Builder::new();
    for (_, ty) in types.iter() {
        let map = map_type(types, &mut builder, ty);
        let declared = builder.declare(ty.name);
        builder.define(declared, if ty.atomic { map.into_atomic() } else { map });
    }
    let schema = builder.build();
    schema.expect("every struct that a field refers to stands in the table")
}

fn map_type(types: &Types, builder: &mut Builder, ty: &Struct) -> owned::MapType {
    let fields: Vec<owned::Field> = ty
        .fields
        .iter()
        .map(|field| owned::Field {
            name: field.json.into(),
            type_ref: field_type(types, builder, field),
            default: key_default(field),
        })
        .collect();
    owned::MapType::fields(fields)
}

fn field_type(types: &Types, builder: &mut Builder, field: &Field) -> TypeRef {
    let target = field.ty.target();
    match target {
        Type::List(item) | Type::Items(item) => {
            let element = value_type(types, builder, item);
            let by_patch = field.patch_strategy.split(',').any(|said| said == "merge");
            let list = match field.list {
                ListType::Atomic => owned::ListType::atomic(element),
                ListType::Set => owned::ListType::set(element),
                ListType::Map => owned::ListType::keyed(element, field.list_keys.iter().copied()),
                ListType::Unset if by_patch && field.patch_key.is_empty() => {
                    owned::ListType::set(element)
                }
                ListType::Unset if by_patch => owned::ListType::keyed(element, [field.patch_key]),
                ListType::Unset => owned::ListType::atomic(element),
            };
            builder.add(list)
        }
        Type::Struct(id) if field.granular => {
            let map = map_type(types, builder, types.get(*id));
            builder.add(map)
        }
        other => {
            let ty = value_type(types, builder, other);
            match field.atomic {
                true => builder.atomic(ty),
                false => ty,
            }
        }
    }
}

fn value_type(types: &Types, builder: &mut Builder, ty: &Type) -> TypeRef {
    match ty {
        Type::Pointer(inner) => value_type(types, builder, inner),
        Type::String | Type::Bytes => TypeRef::STRING,
        Type::Bool => TypeRef::BOOLEAN,
        Type::Int32 | Type::Int64 | Type::Float64 => TypeRef::NUMERIC,
        Type::Time | Type::MicroTime | Type::Quantity | Type::IntOrString => TypeRef::UNTYPED,
        Type::Duration => TypeRef::STRING,
        Type::Raw => TypeRef::UNTYPED_ATOMIC,
        Type::Fields => TypeRef::DEDUCED,
        Type::Json | Type::SchemaOrBool | Type::SchemaOrArray | Type::SchemaOrStrings => {
            TypeRef::DEDUCED
        }
        Type::Struct(id) => builder.declare(types.get(*id).name),
        Type::List(item) | Type::Items(item) => {
            let element = value_type(types, builder, item);
            builder.add(owned::ListType::atomic(element))
        }
        Type::Map(value) => {
            let element = value_type(types, builder, value);
            builder.add(owned::MapType::of(element))
        }
    }
}

/// The default that completes keys of list items: the schema's, else the zero of a field that Go
/// always writes.
fn key_default(field: &Field) -> Option<Node> {
    if let Some(default) = field.default {
        return json::parse(default.as_bytes(), json::OBJECT_LIMITS).ok();
    }
    if field.omit_empty {
        return None;
    }
    match field.ty {
        Type::String => Some("".into()),
        Type::Int32 | Type::Int64 => Some(Node::Int(0)),
        Type::Bool => Some(false.into()),
        _ => None,
    }
}
