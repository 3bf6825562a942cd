//! The schemas inside an OpenAPI document, and everything they refer to.

use std::collections::BTreeMap;

use object::{Map, Node, Text};
use schema::builtin::types::{Field, ListType, Type};
use schema::builtin::{StructId, types};

use super::map;
use super::openapi::reference;
use crate::ResourceType;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/// Collects schemas by name.
#[derive(Default)]
pub(super) struct Schemas(BTreeMap<String, Node>);

impl Schemas {
    /// The name of the schema of a resource's objects; the schema is added.
    pub(super) fn object(&mut self, resource: &ResourceType) -> String {
        match &resource.custom {
            None => self.kind(&resource.group, &resource.version, &resource.kind),
            Some(version) => {
                let name = custom_name(resource, &resource.kind);
                let mut schema = match &version.schema {
                    Node::Map(_) => version.schema.clone(),
                    _ => map([
                        ("type", "object".into()),
                        ("x-kubernetes-preserve-unknown-fields", true.into()),
                    ]),
                };
                self.wrap(&mut schema);
                schema.set(
                    &["x-kubernetes-group-version-kind"],
                    kinds(resource, &resource.kind),
                );
                self.0.insert(name.clone(), schema);
                name
            }
        }
    }

    /// The name of the schema of a resource's lists.
    pub(super) fn list(&mut self, resource: &ResourceType) -> String {
        if resource.custom.is_none() {
            return self.kind(&resource.group, &resource.version, &resource.list_kind);
        }
        let item = self.object(resource);
        let metadata = self.meta("ListMeta");
        let text = || map([("type", "string".into())]);
        let items = map([("type", "array".into()), ("items", reference(&item))]);
        let properties = map([
            ("apiVersion", text()),
            ("items", items),
            ("kind", text()),
            ("metadata", reference(&metadata)),
        ]);
        let schema = map([
            ("type", "object".into()),
            ("required", Node::list(["items"])),
            ("properties", properties),
            (
                "x-kubernetes-group-version-kind",
                kinds(resource, &resource.list_kind),
            ),
        ]);
        let name = custom_name(resource, &resource.list_kind);
        self.0.insert(name.clone(), schema);
        name
    }

    /// The name of the schema of a built-in kind; kinds without a type may be anything.
    pub(super) fn kind(&mut self, group: &str, version: &str, kind: &str) -> String {
        let api_version = crate::types::api_version(group, version);
        match types().of_kind(&api_version, kind) {
            Some(id) => self.add(id),
            None => self.meta("Status"),
        }
    }

    /// The name of a schema of `meta/v1`.
    pub(super) fn meta(&mut self, name: &str) -> String {
        if name == "Patch" {
            return self.plain("Patch", map([("type", "object".into())]));
        }
        match types().by_name(&format!("meta.v1.{name}")) {
            Some(id) => self.add(id),
            None => self.plain(name, map([("type", "object".into())])),
        }
    }

    /// All collected schemas, by name.
    pub(super) fn finish(self) -> Node {
        self.0.into_iter().collect::<Map>().into()
    }

    fn plain(&mut self, name: &str, schema: Node) -> String {
        let name = format!("{META}{name}");
        self.0.insert(name.clone(), schema);
        name
    }

    /// Adds a struct and what it refers to.
    fn add(&mut self, id: StructId) -> String {
        let ty = types().get(id);
        let name = ty.openapi_name();
        if self.0.contains_key(&name) {
            return name;
        }
        // Known before its members are looked at: schemas refer to themselves.
        self.0.insert(name.clone(), Node::Null);
        let mut properties = Map::new();
        let mut required: Vec<&str> = Vec::new();
        let mut fields: Vec<&Field> = ty.fields.iter().collect();
        fields.sort_by_key(|field| field.json);
        for field in fields {
            properties.insert(field.json, self.property(field));
            let may_be_absent = field.omit_empty || field.omit_zero || field.ty.is_pointer();
            if !may_be_absent
                && matches!(
                    field.ty,
                    Type::String | Type::Int32 | Type::Int64 | Type::Bool | Type::List(_)
                )
            {
                required.push(field.json);
            }
        }
        let mut schema = Map::new();
        schema.insert("type", "object");
        if !required.is_empty() {
            schema.insert("required", Node::list(required));
        }
        if !properties.is_empty() {
            schema.insert("properties", properties);
        }
        if ty.atomic {
            schema.insert("x-kubernetes-map-type", "atomic");
        }
        let mut kinds: Vec<(&str, &str)> = types()
            .kinds()
            .filter(|(_, _, kind)| *kind == id)
            .map(|(version, kind, _)| (version, kind))
            .collect();
        kinds.sort_unstable();
        if !kinds.is_empty() {
            let entries = kinds.into_iter().map(|(version, kind)| {
                let (group, version) = version.split_once('/').unwrap_or(("", version));
                map([
                    ("group", group.into()),
                    ("version", version.into()),
                    ("kind", kind.into()),
                ])
            });
            schema.insert("x-kubernetes-group-version-kind", Node::list(entries));
        }
        self.0.insert(name.clone(), schema.into());
        name
    }

    fn property(&mut self, field: &Field) -> Node {
        let mut schema = self.of(&field.ty);
        if field.ty.element_struct().is_some() && schema.get("$ref").is_some() {
            // Nothing may stand beside a reference.
            schema = map([("allOf", Node::list([schema]))]);
            if !field.ty.is_pointer() {
                schema.set(&["default"], Node::map());
            }
        }
        if let Some(Ok(default)) = field
            .default
            .map(|text| object::json::parse(text.as_bytes(), object::json::OBJECT_LIMITS))
        {
            schema.set(&["default"], default);
        }
        match field.list {
            ListType::Unset => {}
            ListType::Atomic => schema.set(&["x-kubernetes-list-type"], "atomic"),
            ListType::Set => schema.set(&["x-kubernetes-list-type"], "set"),
            ListType::Map => {
                schema.set(&["x-kubernetes-list-type"], "map");
                schema.set(
                    &["x-kubernetes-list-map-keys"],
                    Node::list(field.list_keys.iter().copied()),
                );
            }
        }
        if field.atomic {
            schema.set(&["x-kubernetes-map-type"], "atomic");
        }
        if !field.patch_strategy.is_empty() {
            schema.set(&["x-kubernetes-patch-strategy"], field.patch_strategy);
        }
        if !field.patch_key.is_empty() {
            schema.set(&["x-kubernetes-patch-merge-key"], field.patch_key);
        }
        schema
    }

    fn of(&mut self, ty: &Type) -> Node {
        let simple = |kind: &str| map([("type", kind.into())]);
        let formatted =
            |kind: &str, format: &str| map([("type", kind.into()), ("format", format.into())]);
        match ty {
            Type::String | Type::Duration => simple("string"),
            Type::Bool => simple("boolean"),
            Type::Int32 => formatted("integer", "int32"),
            Type::Int64 => formatted("integer", "int64"),
            Type::Float64 => formatted("number", "double"),
            Type::Bytes => formatted("string", "byte"),
            Type::Time | Type::MicroTime => formatted("string", "date-time"),
            Type::Quantity => map([("oneOf", Node::list([simple("string"), simple("number")]))]),
            Type::IntOrString => {
                let either = Node::list([simple("integer"), simple("string")]);
                map([("oneOf", either), ("format", "int-or-string".into())])
            }
            Type::Raw | Type::Fields => simple("object"),
            Type::Json | Type::SchemaOrBool | Type::SchemaOrArray | Type::SchemaOrStrings => {
                Node::map()
            }
            Type::Struct(id) => reference(&self.add(*id)),
            Type::Pointer(inner) => self.of(inner),
            Type::List(inner) | Type::Items(inner) => {
                let items = self.member(inner);
                map([("type", "array".into()), ("items", items)])
            }
            Type::Map(inner) => {
                let values = self.member(inner);
                map([("type", "object".into()), ("additionalProperties", values)])
            }
        }
    }

    /// The schema of items and values; structs start empty.
    fn member(&mut self, ty: &Type) -> Node {
        let schema = self.of(ty);
        match schema.get("$ref") {
            Some(_) if !ty.is_pointer() => {
                map([("allOf", Node::list([schema])), ("default", Node::map())])
            }
            _ => schema,
        }
    }

    /// Gives the schema of a custom resource the members that every object has.
    fn wrap(&mut self, schema: &mut Node) {
        let metadata = self.meta("ObjectMeta");
        let text = |description: &str| {
            map([
                ("type", "string".into()),
                ("description", description.into()),
            ])
        };
        schema.set(&["type"], "object");
        schema.set(
            &["properties", "apiVersion"],
            text("Group and version of this object."),
        );
        schema.set(&["properties", "kind"], text("Kind of this object."));
        let reference = map([
            ("allOf", Node::list([reference(&metadata)])),
            (
                "description",
                "Name, namespace, labels and the like.".into(),
            ),
        ]);
        schema.set(&["properties", "metadata"], reference);
    }
}

fn kinds(resource: &ResourceType, kind: &Text) -> Node {
    let entry = map([
        ("group", resource.group.clone().into()),
        ("version", resource.version.clone().into()),
        ("kind", kind.clone().into()),
    ]);
    Node::list([entry])
}

/// `com.example.v1.Widget` for `example.com/v1`.
fn custom_name(resource: &ResourceType, kind: &str) -> String {
    let mut parts: Vec<&str> = resource.group.split('.').collect();
    parts.reverse();
    format!("{}.{}.{kind}", parts.join("."), resource.version)
}
