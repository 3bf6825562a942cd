//! Reads schemas written as data: `types:` with `map:`, `list:`, `scalar:`.

use std::sync::Arc;

use merge::schema::{Atom, Builder, Field, ListType, MapType, Scalar, Schema, TypeRef};
use object::{Node, json};

pub fn node(text: &str) -> Node {
    let parsed = json::parse(text.as_bytes(), json::ANSWER_LIMITS);
    parsed.unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub fn read(schema: &Node) -> Arc<Schema> {
    let mut builder = Builder::new();
    for (name, known) in [
        ("__untyped_atomic_", TypeRef::UNTYPED_ATOMIC),
        ("__untyped_deduced_", TypeRef::DEDUCED),
    ] {
        builder.alias(name, known);
    }
    for definition in schema.get("types").and_then(Node::as_list).unwrap() {
        let name = definition.str_at(&["name"]).unwrap();
        if name.starts_with("__untyped_") {
            continue;
        }
        let atom = atom(&mut builder, definition);
        let type_ref = builder.declare(name);
        builder.define(type_ref, atom);
    }
    builder.build().unwrap()
}

fn atom(builder: &mut Builder, definition: &Node) -> Atom {
    let scalar = definition.str_at(&["scalar"]).map(|scalar| match scalar {
        "numeric" => Scalar::Numeric,
        "string" => Scalar::String,
        "boolean" => Scalar::Boolean,
        "untyped" => Scalar::Untyped,
        other => panic!("scalar {other}"),
    });
    let list = definition.get("list").map(|list| {
        let element = type_ref(builder, list.get("elementType").unwrap());
        match list.str_at(&["elementRelationship"]) {
            Some("associative") => {
                let keys = list.get("keys").and_then(Node::as_list).unwrap_or_default();
                ListType::keyed(element, keys.iter().filter_map(Node::as_str))
            }
            _ => ListType::atomic(element),
        }
    });
    let map = definition.get("map").map(|map| {
        let fields = map
            .get("fields")
            .and_then(Node::as_list)
            .unwrap_or_default();
        let fields = fields.iter().map(|field| {
            let type_ref = type_ref(builder, field.get("type").unwrap());
            let made = Field::new(field.str_at(&["name"]).unwrap(), type_ref);
            match field.get("default") {
                Some(default) => made.with_default(default.clone()),
                None => made,
            }
        });
        let mut made = MapType::fields(fields.collect::<Vec<_>>());
        if let Some(element) = map.get("elementType") {
            made = made.with_element(type_ref(builder, element));
        }
        if map.str_at(&["elementRelationship"]) == Some("atomic") {
            made = made.into_atomic();
        }
        made
    });
    Atom { scalar, list, map }
}

fn type_ref(builder: &mut Builder, reference: &Node) -> TypeRef {
    let inner = match reference.str_at(&["namedType"]) {
        Some(name) => builder.declare(name),
        None => {
            let atom = atom(builder, reference);
            builder.add(atom)
        }
    };
    match reference.str_at(&["elementRelationship"]) {
        Some("atomic") => builder.atomic(inner),
        _ => inner,
    }
}
