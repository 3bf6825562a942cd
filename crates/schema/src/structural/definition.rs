//! Whether a schema is one the server can work with.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/apiserver/schema/{validation,complete,convert}.go`,
//! `pkg/apiserver/schema/defaulting/validation.go` and `pkg/apis/apiextensions/validation/validation.go`.

use object::Node;

use super::node::{Level, SCHEMA_DEPTH_MAX};
use super::{lists, metadata, openapi, prune, rules, values};
use crate::field_error::{FieldError, FieldValue, Place};

/// Where the schema of one version stands and what surrounds it.
pub(super) struct Definition<'a> {
    pub raw: &'a Node,
    /// Its place: `spec.versions[0].schema.openAPIV3Schema`.
    pub path: &'a str,
    pub status_subresource: bool,
    /// Whether single rules may be refused for their cost; not when the schema was accepted before.
    pub costs_limited: bool,
}

/// Everything wrong with the schema.
pub(super) fn errors(definition: &Definition<'_>) -> Vec<FieldError> {
    let path = definition.path;
    let Some(level) = Level::read(definition.raw) else {
        let detail = format!("nested deeper than {SCHEMA_DEPTH_MAX} levels");
        return vec![FieldError::invalid(path, "", detail)];
    };
    let mut errors = Vec::new();
    if definition.status_subresource {
        errors.extend(root_beside_status(definition.raw, path));
    }
    if level.nullable {
        let path = format!("{path}.nullable");
        errors.push(FieldError::forbidden(
            path,
            "nullable cannot be true at the root",
        ));
    }
    let unsupported = unsupported(definition.raw);
    let mut structural = Vec::new();
    if unsupported.is_none() {
        invariants(&level, Role::Root, path, definition.raw, &mut structural);
        complete(&level, &level, path, path, &mut structural);
        structural.sort_by_key(ToString::to_string);
        if structural.is_empty() {
            defaults(&level, true, path, &mut structural);
        }
    }
    let sound = unsupported.is_none() && structural.is_empty();
    errors.append(&mut structural);
    let limits = openapi::Wanted {
        rules: sound,
        costs_limited: definition.costs_limited,
    };
    errors.extend(openapi::errors(&level, definition.raw, path, limits));
    if let (true, Some(detail)) = (errors.is_empty(), unsupported) {
        errors.push(FieldError::invalid(path, "", detail));
    }
    errors
}

/// Names of formats the server will ignore, in the order of the schema.
pub(super) fn unrecognised_formats(level: &Level, found: &mut Vec<String>) {
    if super::formats::is_unrecognised(&level.format_name, &level.kind) {
        found.push(level.format_name.to_string());
    }
    for_each_child(level, &mut |inner| unrecognised_formats(inner, found));
}

fn for_each_child(level: &Level, visit: &mut dyn FnMut(&Level)) {
    level.items.iter().for_each(|inner| visit(inner));
    level.properties.values().for_each(|inner| visit(inner));
    level
        .additional_level()
        .into_iter()
        .for_each(|inner| visit(inner));
    let combined = [&level.all_of, &level.any_of, &level.one_of];
    combined.into_iter().flatten().for_each(&mut *visit);
    level.not.iter().for_each(|inner| visit(inner));
}

/// What the schema of the root may say when status has an endpoint of its own.
fn root_beside_status(raw: &Node, path: &str) -> Option<FieldError> {
    const ALLOWED: [(&str, &str); 22] = [
        ("description", "Description"),
        ("type", "Type"),
        ("format", "Format"),
        ("title", "Title"),
        ("maximum", "Maximum"),
        ("exclusiveMaximum", "ExclusiveMaximum"),
        ("minimum", "Minimum"),
        ("exclusiveMinimum", "ExclusiveMinimum"),
        ("maxLength", "MaxLength"),
        ("minLength", "MinLength"),
        ("pattern", "Pattern"),
        ("maxItems", "MaxItems"),
        ("minItems", "MinItems"),
        ("uniqueItems", "UniqueItems"),
        ("multipleOf", "MultipleOf"),
        ("required", "Required"),
        ("items", "Items"),
        ("properties", "Properties"),
        ("externalDocs", "ExternalDocs"),
        ("example", "Example"),
        (
            "x-kubernetes-preserve-unknown-fields",
            "XPreserveUnknownFields",
        ),
        ("x-kubernetes-validations", "XValidations"),
    ];
    let kind = raw.str_at(&["type"]).unwrap_or_default();
    if !kind.is_empty() && kind != "object" {
        return Some(FieldError::invalid(
            format!("{path}.type"),
            kind,
            "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled",
        ));
    }
    let strange = raw.as_map()?.iter().any(|(key, value)| {
        is_set(value)
            && super::internal::is_field(key)
            && !ALLOWED.iter().any(|(own, _)| own == key)
    });
    strange.then(|| {
        let names: Vec<&str> = ALLOWED.iter().map(|(_, name)| *name).collect();
        FieldError::invalid(
            path,
            FieldValue::Bare(super::internal::schema(raw)),
            format!(
                "only [{}] fields are allowed at the root of the schema if the status subresource is enabled",
                names.join(" ")
            ),
        )
    })
}

/// Whether a value is another than its type's zero.
pub(super) fn is_set(node: &Node) -> bool {
    match node {
        Node::Null => false,
        Node::Bool(value) => *value,
        Node::String(text) => !text.is_empty(),
        Node::List(items) => !items.is_empty(),
        _ => true,
    }
}

/// The first field of a schema or one below that makes it unreadable as a structural one.
fn unsupported(raw: &Node) -> Option<String> {
    const FIELDS: [(&str, &str); 7] = [
        ("id", "id"),
        ("$schema", "schema"),
        ("$ref", "$ref"),
        ("patternProperties", "patternProperties"),
        ("dependencies", "dependencies"),
        ("additionalItems", "additionalItems"),
        ("definitions", "definitions"),
    ];
    let map = raw.as_map()?;
    for (key, name) in FIELDS {
        if map.get(key).is_some_and(is_set) {
            return Some(format!("OpenAPIV3Schema '{name}' is not supported"));
        }
    }
    if map.get("x-kubernetes-preserve-unknown-fields") == Some(&Node::Bool(false)) {
        return Some(
            "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
                .into(),
        );
    }
    if matches!(map.get("items"), Some(Node::List(_))) {
        return Some("OpenAPIV3Schema 'items' must be a schema, but is an array".into());
    }
    let maps = ["properties"]
        .into_iter()
        .filter_map(|key| map.get(key)?.as_map());
    let lists = ["allOf", "anyOf", "oneOf"]
        .into_iter()
        .filter_map(|key| map.get(key)?.as_list());
    let single = ["items", "additionalProperties", "not"]
        .into_iter()
        .filter_map(|key| map.get(key));
    maps.flat_map(|map| map.values())
        .chain(lists.flatten())
        .chain(single)
        .find_map(unsupported)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Root,
    Item,
    Field,
}

fn invariants(level: &Level, role: Role, path: &str, raw: &Node, errors: &mut Vec<FieldError>) {
    if level.kind == "array" && level.items.is_none() {
        errors.push(FieldError::required(
            format!("{path}.items"),
            "must be specified",
        ));
    }
    let none = Node::Null;
    let below = |keys: &[&str]| raw.at(keys).unwrap_or(&none).clone();
    if let Some(items) = &level.items {
        invariants(
            items,
            Role::Item,
            &format!("{path}.items"),
            &below(&["items"]),
            errors,
        );
    }
    for (key, property) in &level.properties {
        let path = format!("{path}.properties[{key}]");
        invariants(
            property,
            Role::Field,
            &path,
            &below(&["properties", key]),
            errors,
        );
    }
    if level.additional.is_some() {
        let path = format!("{path}.additionalProperties");
        if role == Role::Root {
            errors.push(FieldError::forbidden(&path, "must not be used at the root"));
        }
        if let Some(inner) = level.additional_level() {
            let raw = below(&["additionalProperties"]);
            invariants(inner, Role::Field, &path, &raw, errors);
        }
    }
    if level.int_or_string && level.preserve_unknown {
        errors.push(FieldError::invalid(
            format!("{path}.x-kubernetes-preserve-unknown-fields"),
            true,
            "must be false if x-kubernetes-int-or-string is true",
        ));
    }
    if level.int_or_string && level.embedded {
        errors.push(FieldError::invalid(
            format!("{path}.x-kubernetes-embedded-resource"),
            true,
            "must be false if x-kubernetes-int-or-string is true",
        ));
    }
    let skip_any = is_int_or_string(&level.any_of);
    let skip_all = level
        .all_of
        .first()
        .is_some_and(|first| is_int_or_string(&first.any_of));
    value_validation(level, raw, skip_any, skip_all, path, errors);
    kinds(level, role, path, errors);
    let checked = role == Role::Root || level.embedded;
    for key in ["kind", "apiVersion"] {
        let declared = level.properties.get(key).filter(|_| checked);
        if let Some(property) = declared.filter(|property| property.kind != "string") {
            let path = format!("{path}.properties[{key}].type");
            errors.push(FieldError::invalid(
                path,
                property.kind.as_str(),
                "must be string",
            ));
        }
    }
    if let Some(meta) = level.properties.get("metadata") {
        let path = format!("{path}.properties[metadata]");
        if checked && meta.kind != "object" {
            let kind = meta.kind.as_str();
            errors.push(FieldError::invalid(
                format!("{path}.type"),
                kind,
                "must be object",
            ));
        }
        if role == Role::Root && !plain_metadata(&below(&["properties", "metadata"])) {
            errors.push(FieldError::forbidden(
                path,
                "must not specify anything other than name and generateName, but metadata is implicitly specified",
            ));
        }
    }
    if level.embedded && !level.preserve_unknown && level.properties.is_empty() {
        errors.push(FieldError::required(
            format!("{path}.properties"),
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
        ));
    }
}

fn kinds(level: &Level, role: Role, path: &str, errors: &mut Vec<FieldError>) {
    let path_type = format!("{path}.type");
    if level.embedded && level.kind != "object" {
        let detail = "must be object if x-kubernetes-embedded-resource is true";
        errors.push(match level.kind.as_str() {
            "" => FieldError::required(&path_type, detail),
            kind => FieldError::invalid(&path_type, kind, detail),
        });
    } else if level.kind.is_empty() && !level.int_or_string && !level.preserve_unknown {
        let detail = match role {
            Role::Root => "must not be empty at the root",
            Role::Item => "must not be empty for specified array items",
            Role::Field => "must not be empty for specified object fields",
        };
        errors.push(FieldError::required(&path_type, detail));
    }
    if level.embedded && level.additional.is_some() {
        errors.push(FieldError::forbidden(
            format!("{path}.additionalProperties"),
            "must not be used if x-kubernetes-embedded-resource is set",
        ));
    }
    if role == Role::Root && !level.kind.is_empty() && level.kind != "object" {
        let kind = level.kind.as_str();
        errors.push(FieldError::invalid(
            path_type,
            kind,
            "must be object at the root",
        ));
    }
}

/// Whether the schema of metadata restricts nothing but the name.
fn plain_metadata(raw: &Node) -> bool {
    raw.as_map().is_none_or(|map| {
        map.iter().all(|(key, value)| match key.as_str() {
            "type" | "default" => true,
            "properties" => value.as_map().is_none_or(|properties| {
                properties
                    .keys()
                    .all(|key| matches!(key.as_str(), "name" | "generateName"))
            }),
            _ => !is_set(value),
        })
    })
}

fn is_int_or_string(any_of: &[Level]) -> bool {
    matches!(any_of, [a, b] if a.kind == "integer" && b.kind == "string")
}

fn value_validation(
    level: &Level,
    raw: &Node,
    skip_any: bool,
    skip_all: bool,
    path: &str,
    errors: &mut Vec<FieldError>,
) {
    let none = Node::Null;
    let item = |key: &str, index: usize| -> Node {
        let list = raw.get(key).and_then(Node::as_list);
        list.and_then(|list| list.get(index))
            .unwrap_or(&none)
            .clone()
    };
    if !skip_any {
        for (index, inner) in level.any_of.iter().enumerate() {
            nested(
                inner,
                &item("anyOf", index),
                false,
                &format!("{path}.anyOf[{index}]"),
                errors,
            );
        }
    }
    for (index, inner) in level.all_of.iter().enumerate() {
        let skip = skip_all && index == 0;
        nested(
            inner,
            &item("allOf", index),
            skip,
            &format!("{path}.allOf[{index}]"),
            errors,
        );
    }
    for (index, inner) in level.one_of.iter().enumerate() {
        nested(
            inner,
            &item("oneOf", index),
            false,
            &format!("{path}.oneOf[{index}]"),
            errors,
        );
    }
    if let Some(inner) = &level.not {
        nested(
            inner,
            raw.get("not").unwrap_or(&none),
            false,
            &format!("{path}.not"),
            errors,
        );
    }
    if let Some(pattern) = &level.pattern
        && let Err(error) = golang::Regexp::new(&pattern.text)
    {
        errors.push(FieldError::invalid(
            format!("{path}.pattern"),
            pattern.text.as_str(),
            format!("must be a valid regular expression, but isn't: {error}"),
        ));
    }
}

/// A schema below `allOf` and the like restricts values and declares nothing.
fn nested(level: &Level, raw: &Node, skip_any: bool, path: &str, errors: &mut Vec<FieldError>) {
    value_validation(level, raw, skip_any, false, path, errors);
    let none = Node::Null;
    if let Some(items) = &level.items {
        let raw = raw.get("items").unwrap_or(&none);
        nested(items, raw, false, &format!("{path}.items"), errors);
    }
    for (key, property) in &level.properties {
        let raw = raw.at(&["properties", key]).unwrap_or(&none);
        nested(
            property,
            raw,
            false,
            &format!("{path}.properties[{key}]"),
            errors,
        );
    }
    let mut forbid = |wrong: bool, key: &str, detail: &str| {
        if wrong {
            errors.push(FieldError::forbidden(format!("{path}.{key}"), detail));
        }
    };
    let written = |key: &str| raw.get(key).is_some_and(is_set);
    let additional = level.additional.as_ref();
    let additional = additional.is_some_and(|inner| inner.level.is_some() || inner.allowed);
    forbid(
        !level.kind.is_empty(),
        "type",
        "must be empty to be structural",
    );
    forbid(
        additional,
        "additionalProperties",
        "must be undefined to be structural",
    );
    forbid(
        level.default.is_some(),
        "default",
        "must be undefined to be structural",
    );
    forbid(written("title"), "title", "must be empty to be structural");
    forbid(
        written("description"),
        "description",
        "must be empty to be structural",
    );
    forbid(level.nullable, "nullable", "must be false to be structural");
    forbid(
        level.preserve_unknown,
        "x-kubernetes-preserve-unknown-fields",
        "must be false to be structural",
    );
    forbid(
        level.embedded,
        "x-kubernetes-embedded-resource",
        "must be false to be structural",
    );
    forbid(
        level.int_or_string,
        "x-kubernetes-int-or-string",
        "must be false to be structural",
    );
    forbid(
        !level.list_map_keys.is_empty(),
        "x-kubernetes-list-map-keys",
        "must be empty to be structural",
    );
    forbid(
        level.list_type.is_some(),
        "x-kubernetes-list-type",
        "must be undefined to be structural",
    );
    forbid(
        level.map_type.is_some(),
        "x-kubernetes-map-type",
        "must be undefined to be structural",
    );
    forbid(
        !level.rules.is_empty(),
        "x-kubernetes-validations",
        "must be empty to be structural",
    );
    forbid(
        level.properties.contains_key("metadata"),
        "properties[metadata]",
        "must not be specified in a nested context",
    );
}

/// Fields named below `allOf` and the like must be declared outside of them.
fn complete(
    value: &Level,
    structure: &Level,
    path: &str,
    value_path: &str,
    errors: &mut Vec<FieldError>,
) {
    if let Some(inner) = &value.not {
        complete_nested(inner, structure, path, &format!("{value_path}.not"), errors);
    }
    for (name, list) in [
        ("allOf", &value.all_of),
        ("anyOf", &value.any_of),
        ("oneOf", &value.one_of),
    ] {
        for (index, inner) in list.iter().enumerate() {
            let value_path = format!("{value_path}.{name}[{index}]");
            complete_nested(inner, structure, path, &value_path, errors);
        }
    }
    // The structural part is walked by itself; only the root is asked for upstream as well.
}

fn complete_nested(
    value: &Level,
    structure: &Level,
    path: &str,
    value_path: &str,
    errors: &mut Vec<FieldError>,
) {
    complete(value, structure, path, value_path, errors);
    let missing = |path: &str, value_path: &str| {
        FieldError::required(path, format!("because it is defined in {value_path}"))
    };
    if let Some(items) = &value.items {
        let (path, value_path) = (format!("{path}.items"), format!("{value_path}.items"));
        match &structure.items {
            Some(own) => complete_nested(items, own, &path, &value_path, errors),
            None => errors.push(missing(&path, &value_path)),
        }
    }
    for (key, property) in &value.properties {
        let path = format!("{path}.properties[{key}]");
        let value_path = format!("{value_path}.properties[{key}]");
        match structure.properties.get(key) {
            Some(own) => complete_nested(property, own, &path, &value_path, errors),
            None => errors.push(missing(&path, &value_path)),
        }
    }
}

/// Defaults must be what their own schema accepts, and hold nothing it would drop.
fn defaults(level: &Level, root: bool, path: &str, errors: &mut Vec<FieldError>) {
    if let Some(default) = &level.default {
        let path = format!("{path}.default");
        let mut pruned = default.clone();
        prune::prune(level, &mut pruned, level.embedded || root);
        if pruned != *default {
            errors.push(FieldError::invalid(
                &path,
                default,
                "must not have unknown fields",
            ));
        }
        let place = Place::ROOT.child(&path);
        let mut found = metadata::malformed(level, default, place, false);
        if found.is_empty() {
            found = metadata::validate(level, default, place, false);
        }
        if found.is_empty() {
            found = values::validate_at(level, default, &path);
        }
        if found.is_empty() {
            found = lists::duplicates(level, default, place);
        }
        if found.is_empty() && level.has_rules {
            found = default_rules(level, default, root, &path);
        }
        errors.append(&mut found);
    }
    // Defaults below additionalProperties are refused elsewhere.
    if let Some(items) = &level.items {
        defaults(items, false, &format!("{path}.items"), errors);
    }
    for (key, property) in &level.properties {
        let meta = matches!(key.as_str(), "metadata" | "apiVersion" | "kind");
        if meta && (root || level.embedded) {
            continue;
        }
        defaults(
            property,
            false,
            &format!("{path}.properties[{key}]"),
            errors,
        );
    }
}

/// A default must meet its rules both as a new value and as an unchanged one.
fn default_rules(level: &Level, default: &Node, root: bool, path: &str) -> Vec<FieldError> {
    // Rules are compiled only in a tree that nothing shares; a small one is read again here.
    let Some(compiled) = level.compiled_again(root) else {
        return Vec::new();
    };
    let found = rules::evaluate_at(&compiled, default, Some(default), Some(path));
    let mut errors = found.errors;
    errors.extend(found.warnings);
    if errors.is_empty() {
        errors = rules::evaluate_at(&compiled, default, None, Some(path)).errors;
    }
    errors
}
