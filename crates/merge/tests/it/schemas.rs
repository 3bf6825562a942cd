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

/// A small workload type: replicas, labels, keyed containers with keyed ports and variables, a
/// set of finalizers, an atomic selector, atomic arguments.
pub fn workload() -> merge::ObjectType {
    let schema = read(&node(
        r#"{"types": [
            {"name": "strings", "map": {"elementType": {"scalar": "string"}}},
            {"name": "port", "map": {"fields": [
                {"name": "number", "type": {"scalar": "numeric"}},
                {"name": "protocol", "type": {"scalar": "string"}, "default": "TCP"},
                {"name": "name", "type": {"scalar": "string"}}]}},
            {"name": "variable", "map": {"fields": [
                {"name": "name", "type": {"scalar": "string"}},
                {"name": "value", "type": {"scalar": "string"}}]}},
            {"name": "container", "map": {"fields": [
                {"name": "name", "type": {"scalar": "string"}},
                {"name": "image", "type": {"scalar": "string"}},
                {"name": "args", "type": {"list": {"elementType": {"scalar": "string"}, "elementRelationship": "atomic"}}},
                {"name": "ports", "type": {"list": {"elementType": {"namedType": "port"}, "elementRelationship": "associative", "keys": ["number", "protocol"]}}},
                {"name": "env", "type": {"list": {"elementType": {"namedType": "variable"}, "elementRelationship": "associative", "keys": ["name"]}}}]}},
            {"name": "metadata", "map": {"fields": [
                {"name": "name", "type": {"scalar": "string"}},
                {"name": "namespace", "type": {"scalar": "string"}},
                {"name": "uid", "type": {"scalar": "string"}},
                {"name": "labels", "type": {"namedType": "strings"}},
                {"name": "finalizers", "type": {"list": {"elementType": {"scalar": "string"}, "elementRelationship": "associative"}}}]}},
            {"name": "spec", "map": {"fields": [
                {"name": "replicas", "type": {"scalar": "numeric"}},
                {"name": "paused", "type": {"scalar": "boolean"}},
                {"name": "selector", "type": {"namedType": "strings", "elementRelationship": "atomic"}},
                {"name": "containers", "type": {"list": {"elementType": {"namedType": "container"}, "elementRelationship": "associative", "keys": ["name"]}}}]}},
            {"name": "Workload", "map": {"fields": [
                {"name": "apiVersion", "type": {"scalar": "string"}},
                {"name": "kind", "type": {"scalar": "string"}},
                {"name": "metadata", "type": {"namedType": "metadata"}},
                {"name": "spec", "type": {"namedType": "spec"}},
                {"name": "status", "type": {"namedType": "__untyped_deduced_"}}]}}
        ]}"#,
    ));
    schema.object_type("Workload").expect("declared just above")
}
