//! How the server prints a definition in messages: its in-memory form, every field named.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/apis/apiextensions/types{,_jsonschema}.go`: fields have
//! no JSON names, so that Go's are printed.

use object::{Node, json};

use super::node::Rule;

/// Zero value of a field, which is printed when nothing is set.
#[derive(Clone, Copy)]
enum Zero {
    Text,
    False,
    Null,
    /// A schema, a list of them or a map of them; null when absent.
    Schema,
    Schemas,
    SchemaMap,
    SchemaOrBool,
    SchemaOrList,
}

const FIELDS: [(&str, &str, Zero); 44] = [
    ("id", "ID", Zero::Text),
    ("$schema", "Schema", Zero::Text),
    ("$ref", "Ref", Zero::Null),
    ("description", "Description", Zero::Text),
    ("type", "Type", Zero::Text),
    ("nullable", "Nullable", Zero::False),
    ("format", "Format", Zero::Text),
    ("title", "Title", Zero::Text),
    ("default", "Default", Zero::Null),
    ("maximum", "Maximum", Zero::Null),
    ("exclusiveMaximum", "ExclusiveMaximum", Zero::False),
    ("minimum", "Minimum", Zero::Null),
    ("exclusiveMinimum", "ExclusiveMinimum", Zero::False),
    ("maxLength", "MaxLength", Zero::Null),
    ("minLength", "MinLength", Zero::Null),
    ("pattern", "Pattern", Zero::Text),
    ("maxItems", "MaxItems", Zero::Null),
    ("minItems", "MinItems", Zero::Null),
    ("uniqueItems", "UniqueItems", Zero::False),
    ("multipleOf", "MultipleOf", Zero::Null),
    ("enum", "Enum", Zero::Null),
    ("maxProperties", "MaxProperties", Zero::Null),
    ("minProperties", "MinProperties", Zero::Null),
    ("required", "Required", Zero::Null),
    ("items", "Items", Zero::SchemaOrList),
    ("allOf", "AllOf", Zero::Schemas),
    ("oneOf", "OneOf", Zero::Schemas),
    ("anyOf", "AnyOf", Zero::Schemas),
    ("not", "Not", Zero::Schema),
    ("properties", "Properties", Zero::SchemaMap),
    (
        "additionalProperties",
        "AdditionalProperties",
        Zero::SchemaOrBool,
    ),
    ("patternProperties", "PatternProperties", Zero::SchemaMap),
    ("dependencies", "Dependencies", Zero::Null),
    ("additionalItems", "AdditionalItems", Zero::SchemaOrBool),
    ("definitions", "Definitions", Zero::SchemaMap),
    ("externalDocs", "ExternalDocs", Zero::Null),
    ("example", "Example", Zero::Null),
    (
        "x-kubernetes-preserve-unknown-fields",
        "XPreserveUnknownFields",
        Zero::Null,
    ),
    (
        "x-kubernetes-embedded-resource",
        "XEmbeddedResource",
        Zero::False,
    ),
    ("x-kubernetes-int-or-string", "XIntOrString", Zero::False),
    ("x-kubernetes-list-map-keys", "XListMapKeys", Zero::Null),
    ("x-kubernetes-list-type", "XListType", Zero::Null),
    ("x-kubernetes-map-type", "XMapType", Zero::Null),
    ("x-kubernetes-validations", "XValidations", Zero::Null),
];

/// Whether a schema has a field of this name.
pub(super) fn is_field(key: &str) -> bool {
    FIELDS.iter().any(|(own, ..)| *own == key)
}

/// A schema as JSON of its in-memory form.
pub(super) fn schema(raw: &Node) -> String {
    let mut fields = Vec::with_capacity(FIELDS.len());
    for (key, name, zero) in &FIELDS {
        let value = raw.get(key).filter(|value| !value.is_null());
        let text = match (zero, value) {
            (Zero::Text, None) => "\"\"".to_owned(),
            (Zero::False, None) => "false".to_owned(),
            (_, None) => "null".to_owned(),
            (Zero::Schema, Some(value)) => schema(value),
            (Zero::Schemas, Some(value)) => {
                let list = value.as_list().unwrap_or_default();
                format!(
                    "[{}]",
                    list.iter().map(schema).collect::<Vec<_>>().join(",")
                )
            }
            (Zero::SchemaMap, Some(value)) => schema_map(value),
            (Zero::SchemaOrBool, Some(Node::Bool(allowed))) => {
                format!("{{\"Allows\":{allowed},\"Schema\":null}}")
            }
            (Zero::SchemaOrBool, Some(value)) => {
                format!("{{\"Allows\":true,\"Schema\":{}}}", schema(value))
            }
            (Zero::SchemaOrList, Some(value)) => {
                format!("{{\"Schema\":{},\"JSONSchemas\":null}}", schema(value))
            }
            (Zero::Null, Some(value)) if *key == "x-kubernetes-validations" => {
                let list = value.as_list().unwrap_or_default();
                let rules: Vec<String> = list.iter().map(|node| rule(&Rule::of(node))).collect();
                format!("[{}]", rules.join(","))
            }
            (_, Some(value)) => json::to_string(value),
        };
        fields.push(format!("\"{name}\":{text}"));
    }
    format!("{{{}}}", fields.join(","))
}

fn schema_map(raw: &Node) -> String {
    let Some(map) = raw.as_map() else {
        return "null".into();
    };
    let mut sorted = map.clone();
    sorted.sort_keys();
    let entries: Vec<String> = sorted
        .iter()
        .map(|(key, value)| format!("{}:{}", quoted(key), schema(value)))
        .collect();
    format!("{{{}}}", entries.join(","))
}

/// A rule as JSON of its in-memory form.
pub(super) fn rule(rule: &Rule) -> String {
    let reason = rule.reason.as_deref().map_or("null".into(), quoted);
    let optional = rule
        .optional_old_self
        .map_or("null".into(), |value| value.to_string());
    format!(
        "{{\"Rule\":{},\"Message\":{},\"MessageExpression\":{},\"Reason\":{reason},\"FieldPath\":{},\"OptionalOldSelf\":{optional}}}",
        quoted(&rule.rule),
        quoted(&rule.message),
        quoted(&rule.message_expression),
        quoted(&rule.field_path),
    )
}

/// `spec.versions` as JSON of its in-memory form. What all versions share has moved to the
/// definition itself: `shared` names these fields.
pub(super) fn versions(versions: &[Node], shared: &[&str]) -> String {
    let one = |version: &Node| {
        let own = |key: &str| version.get(key).filter(|_| !shared.contains(&key));
        let flag = |key: &str| version.get(key).and_then(Node::as_bool).unwrap_or(false);
        let name = quoted(version.str_at(&["name"]).unwrap_or_default());
        let raw = |value: Option<&Node>| value.map_or("null".into(), json::to_string);
        let schema = own("schema").and_then(|schema| schema.get("openAPIV3Schema"));
        let schema = schema.map_or("null".into(), |raw| {
            format!("{{\"OpenAPIV3Schema\":{}}}", self::schema(raw))
        });
        format!(
            "{{\"Name\":{name},\"Served\":{},\"Storage\":{},\"Deprecated\":{},\"DeprecationWarning\":{},\"Schema\":{schema},\"Subresources\":{},\"AdditionalPrinterColumns\":{},\"SelectableFields\":{}}}",
            flag("served"),
            flag("storage"),
            flag("deprecated"),
            raw(version.get("deprecationWarning")),
            raw(own("subresources")),
            raw(own("additionalPrinterColumns")),
            raw(own("selectableFields")),
        )
    };
    format!(
        "[{}]",
        versions.iter().map(one).collect::<Vec<_>>().join(",")
    )
}

fn quoted(text: &str) -> String {
    json::to_string(&Node::from(text))
}
