//! Whether a schema is one the server can work with.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/apiserver/schema/{validation,complete,convert}.go`,
//! `pkg/apiserver/schema/defaulting/validation.go` and `pkg/apis/apiextensions/validation/validation.go`.

use object::Node;

use super::node::{Level, SCHEMA_DEPTH_MAX};
use super::{field_path, lists, metadata, prune, rules, values};
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
    let mut checker = OpenApi {
        schema: Vec::new(),
        rules: Vec::new(),
        rules_wanted: sound,
        costs_limited: definition.costs_limited,
        total: 0,
        expensive: Vec::new(),
    };
    checker.level(&level, definition.raw, path, &Context::root());
    errors.append(&mut checker.schema);
    errors.append(&mut checker.rules);
    errors.append(&mut checker.total_errors(path));
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
fn is_set(node: &Node) -> bool {
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

/// What holds for all levels below some level.
#[derive(Clone)]
struct Context {
    root: bool,
    /// Why defaults may not stand here.
    defaults_forbidden: Option<String>,
    inside_metadata: bool,
    /// The first level above whose values cannot be found again in an old object.
    uncorrelatable: Option<String>,
    /// How often a value can occur in an object; `None` when the levels above do not say.
    occurrences: Option<u64>,
}

impl Context {
    fn root() -> Self {
        Self {
            root: true,
            defaults_forbidden: None,
            inside_metadata: false,
            uncorrelatable: None,
            occurrences: Some(1),
        }
    }
}

struct OpenApi {
    schema: Vec<FieldError>,
    rules: Vec<FieldError>,
    /// Rules are looked at only when the schema is sound.
    rules_wanted: bool,
    costs_limited: bool,
    total: u64,
    /// Costs worth naming when the total is too much.
    expensive: Vec<(u64, String)>,
}

impl OpenApi {
    fn forbid(&mut self, path: String, detail: impl Into<String>) {
        self.schema.push(FieldError::forbidden(path, detail));
    }

    fn level(&mut self, level: &Level, raw: &Node, path: &str, context: &Context) {
        let before = self.schema.len();
        self.plain(level, raw, path, context);
        self.children(level, raw, path, context);
        self.extensions(level, raw, path);
        self.rule_texts(level, path);
        if self.schema.len() == before && self.rules_wanted && !level.rules.is_empty() {
            self.rule_reports(level, path, context);
        }
    }

    fn plain(&mut self, level: &Level, raw: &Node, path: &str, context: &Context) {
        const KINDS: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
        let kind = level.kind.as_str();
        if !kind.is_empty() && !KINDS.contains(&kind) {
            let error = FieldError::not_supported(format!("{path}.type"), kind, KINDS);
            self.schema.push(error);
        }
        if let (Some(_), Some(reason)) = (&level.default, &context.defaults_forbidden) {
            self.forbid(
                format!("{path}.default"),
                format!("must not be set {reason}"),
            );
        }
        for key in [
            "id",
            "additionalItems",
            "patternProperties",
            "definitions",
            "dependencies",
            "$ref",
        ] {
            if raw.get(key).is_some_and(is_set) {
                self.forbid(format!("{path}.{key}"), format!("{key} is not supported"));
            }
        }
        if kind == "null" {
            self.forbid(
                format!("{path}.type"),
                "type cannot be set to null, use nullable as an alternative",
            );
        }
        if matches!(raw.get("items"), Some(Node::List(_))) {
            self.forbid(
                format!("{path}.items"),
                "items must be a schema object and not an array",
            );
        }
        if context.inside_metadata && level.embedded {
            self.forbid(
                format!("{path}.x-kubernetes-embedded-resource"),
                "must not be used inside of resource meta",
            );
        }
        if raw.get("uniqueItems") == Some(&Node::Bool(true)) {
            self.forbid(
                format!("{path}.uniqueItems"),
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
            );
        }
    }

    fn children(&mut self, level: &Level, raw: &Node, path: &str, context: &Context) {
        let none = Node::Null;
        let root = context.root;
        let context = Context {
            root: false,
            occurrences: context
                .occurrences
                .zip(elements_max(level))
                .map(|(above, here)| above.saturating_mul(here)),
            ..context.clone()
        };
        if let Some(additional) = &level.additional {
            let exclusive = !additional.allowed || additional.level.is_some();
            if !level.properties.is_empty() && exclusive {
                self.forbid(
                    format!("{path}.additionalProperties"),
                    "additionalProperties and properties are mutual exclusive",
                );
            }
            if let Some(inner) = &additional.level {
                let mut context = context.clone();
                if context.inside_metadata {
                    context.defaults_forbidden =
                        Some("inside additionalProperties applying to object metadata".into());
                }
                let raw = raw.get("additionalProperties").unwrap_or(&none);
                self.level(
                    inner,
                    raw,
                    &format!("{path}.additionalProperties"),
                    &context,
                );
            }
        }
        for (key, property) in &level.properties {
            let mut context = context.clone();
            let meta = matches!(key.as_str(), "metadata" | "kind" | "apiVersion");
            if (root || level.embedded) && meta {
                context.inside_metadata = true;
                if root {
                    context.defaults_forbidden = Some(format!("in top-level {key}"));
                }
            }
            let raw = raw.at(&["properties", key]).unwrap_or(&none);
            self.level(
                property,
                raw,
                &format!("{path}.properties[{key}]"),
                &context,
            );
        }
        if let Some(inner) = &level.not {
            self.quietly(
                inner,
                raw.get("not").unwrap_or(&none),
                &format!("{path}.not"),
                &context,
            );
        }
        for (name, list) in [
            ("allOf", &level.all_of),
            ("oneOf", &level.one_of),
            ("anyOf", &level.any_of),
        ] {
            for (index, inner) in list.iter().enumerate() {
                let raw = raw.get(name).and_then(Node::as_list);
                let raw = raw.and_then(|list| list.get(index)).unwrap_or(&none);
                self.quietly(inner, raw, &format!("{path}.{name}[{index}]"), &context);
            }
        }
        if let Some(items) = &level.items {
            let mut context = context.clone();
            if !level.is_list_map() && context.uncorrelatable.is_none() {
                context.uncorrelatable = Some(path.to_owned());
            }
            let raw = raw.get("items").unwrap_or(&none);
            self.level(items, raw, &format!("{path}.items"), &context);
        }
    }

    /// Below `allOf` and the like no rule is compiled.
    fn quietly(&mut self, level: &Level, raw: &Node, path: &str, context: &Context) {
        let wanted = std::mem::replace(&mut self.rules_wanted, false);
        self.level(level, raw, path, context);
        self.rules_wanted = wanted;
    }

    fn extensions(&mut self, level: &Level, raw: &Node, path: &str) {
        if raw.get("x-kubernetes-preserve-unknown-fields") == Some(&Node::Bool(false)) {
            self.schema.push(FieldError::invalid(
                format!("{path}.x-kubernetes-preserve-unknown-fields"),
                false,
                "must be true or undefined",
            ));
        }
        let wrong_kind = |wanted: &str, key: &str| {
            let (path, detail) = (
                format!("{path}.type"),
                format!("must be {wanted} if {key} is specified"),
            );
            match level.kind.as_str() {
                "" => FieldError::required(path, detail),
                kind => FieldError::invalid(path, kind, detail),
            }
        };
        if let Some(map_type) = &level.map_type {
            if level.kind != "object" {
                self.schema
                    .push(wrong_kind("object", "x-kubernetes-map-type"));
            }
            if !matches!(map_type.as_str(), "atomic" | "granular") {
                self.schema.push(FieldError::not_supported(
                    format!("{path}.x-kubernetes-map-type"),
                    map_type.as_str(),
                    ["atomic", "granular"],
                ));
            }
        }
        if let Some(list_type) = &level.list_type {
            if level.kind != "array" {
                self.schema
                    .push(wrong_kind("array", "x-kubernetes-list-type"));
            } else if level.is_set()
                && let Some(items) = &level.items
            {
                self.set_items(items, path);
            }
            if !matches!(list_type.as_str(), "atomic" | "set" | "map") {
                self.schema.push(FieldError::not_supported(
                    format!("{path}.x-kubernetes-list-type"),
                    list_type.as_str(),
                    ["atomic", "set", "map"],
                ));
            }
        }
        if !level.list_map_keys.is_empty() && !level.is_list_map() {
            let path = format!("{path}.x-kubernetes-list-type");
            let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
            self.schema.push(match &level.list_type {
                None => FieldError::required(path, detail),
                Some(list_type) => FieldError::invalid(path, list_type.as_str(), detail),
            });
        }
        if level.is_list_map() {
            self.list_map(level, path);
        }
        self.keys(level, path);
    }

    fn set_items(&mut self, items: &Level, path: &str) {
        let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
        let list_type = items.list_type.as_deref();
        let shown = match list_type {
            Some(text) => FieldValue::from(text),
            None => FieldValue::Bare("null".into()),
        };
        match items.kind.as_str() {
            "array" if list_type.is_some_and(|list_type| list_type != "atomic") => {
                let path = format!("{path}.items.x-kubernetes-list-type");
                self.schema.push(FieldError::invalid(path, shown, detail));
            }
            "object" if items.map_type.as_deref() != Some("atomic") => {
                let path = format!("{path}.items.x-kubernetes-map-type");
                self.schema.push(FieldError::invalid(path, shown, detail));
            }
            _ => {}
        }
    }

    fn list_map(&mut self, level: &Level, path: &str) {
        let keys_path = format!("{path}.x-kubernetes-list-map-keys");
        if level.list_map_keys.is_empty() {
            self.schema.push(FieldError::required(
                &keys_path,
                "must not be empty if x-kubernetes-list-type is map",
            ));
        }
        let Some(items) = &level.items else {
            self.schema.push(FieldError::required(
                format!("{path}.items"),
                "must have a schema if x-kubernetes-list-type is map",
            ));
            return;
        };
        if items.kind != "object" {
            self.schema.push(FieldError::invalid(
                format!("{path}.items.type"),
                items.kind.as_str(),
                "must be object if parent array's x-kubernetes-list-type is map",
            ));
            return;
        }
        let shown = || FieldValue::from(&Node::list(level.list_map_keys.iter().cloned()));
        for (index, key) in level.list_map_keys.iter().enumerate() {
            match items.properties.get(key) {
                Some(property) if matches!(property.kind.as_str(), "array" | "object") => {
                    self.schema.push(FieldError::invalid(
                        format!("{path}.items.properties[{key}].type"),
                        items.kind.as_str(),
                        "must be a scalar type if parent array's x-kubernetes-list-type is map",
                    ));
                }
                Some(_) => {}
                None => self.schema.push(FieldError::invalid(
                    &keys_path,
                    shown(),
                    "entries must all be names of item properties",
                )),
            }
            if level.list_map_keys[..index].contains(key) {
                let detail = "must not contain duplicate entries";
                self.schema
                    .push(FieldError::invalid(&keys_path, shown(), detail));
            }
        }
    }

    fn keys(&mut self, level: &Level, path: &str) {
        let Some(items) = level
            .items
            .as_ref()
            .filter(|_| level.is_set() || level.is_list_map())
        else {
            return;
        };
        let list_type = level.list_type.as_deref().unwrap_or_default();
        if items.nullable {
            self.forbid(
                format!("{path}.items.nullable"),
                format!("cannot be nullable when x-kubernetes-list-type is {list_type}"),
            );
        }
        if !level.is_list_map() {
            return;
        }
        for key in &level.list_map_keys {
            let Some(property) = items.properties.get(key) else {
                continue;
            };
            let path = format!("{path}.items.properties[{key}]");
            if !items.required.contains(key) && property.default.is_none() {
                self.schema.push(FieldError::required(
                    format!("{path}.default"),
                    "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
                ));
            }
            if property.nullable {
                self.forbid(
                    format!("{path}.nullable"),
                    "this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
                );
            }
        }
    }

    fn rule_texts(&mut self, level: &Level, path: &str) {
        const REASONS: [&str; 4] = [
            "FieldValueDuplicate",
            "FieldValueForbidden",
            "FieldValueInvalid",
            "FieldValueRequired",
        ];
        let lines = |text: &str| text.contains(['\n', '\r']);
        for (index, rule) in level.rules.iter().enumerate() {
            let path = format!("{path}.x-kubernetes-validations[{index}]");
            let (text, message) = (rule.rule.trim(), rule.message.trim());
            if text.is_empty() {
                let error = FieldError::required(format!("{path}.rule"), "rule is not specified");
                self.schema.push(error);
            } else if !rule.message.is_empty() && message.is_empty() {
                let shown = rule.message.as_str();
                let detail = "must be non-empty if specified";
                self.schema.push(FieldError::invalid(
                    format!("{path}.message"),
                    shown,
                    detail,
                ));
            } else if lines(message) {
                let shown = rule.message.as_str();
                let detail = "must not contain line breaks";
                self.schema.push(FieldError::invalid(
                    format!("{path}.message"),
                    shown,
                    detail,
                ));
            } else if lines(text) && message.is_empty() {
                let detail = "message must be specified if rule contains line breaks";
                self.schema
                    .push(FieldError::required(format!("{path}.message"), detail));
            }
            if !rule.message_expression.is_empty() && rule.message_expression.trim().is_empty() {
                self.schema.push(FieldError::required(
                    format!("{path}.messageExpression"),
                    "messageExpression must be non-empty if specified",
                ));
            }
            if let Some(reason) = &rule.reason
                && !REASONS.contains(&reason.as_str())
            {
                let path = format!("{path}.reason");
                let error = FieldError::not_supported(path, reason.as_str(), REASONS);
                self.schema.push(error);
            }
            let field = rule.field_path.as_str();
            if field.is_empty() {
                continue;
            }
            let mut refuse = |detail: &str| {
                let path = format!("{path}.fieldPath");
                self.schema.push(FieldError::invalid(path, field, detail));
            };
            if field.trim().is_empty() {
                refuse("must be non-empty if specified");
            }
            if lines(field) {
                refuse("must not contain line breaks");
            }
            if field_path::resolve(field, level, true).is_err() {
                refuse("must be a valid path");
            }
        }
    }

    fn rule_reports(&mut self, level: &Level, path: &str, context: &Context) {
        let Some((reports, occurrences)) = rules::reports(level, context.root) else {
            return;
        };
        let occurrences = context.occurrences.unwrap_or(occurrences);
        for (index, (rule, report)) in level.rules.iter().zip(reports).enumerate() {
            let path = format!("{path}.x-kubernetes-validations[{index}]");
            let cost = report.cost.saturating_mul(occurrences);
            self.cost(format!("{path}.rule"), "estimated rule cost", cost);
            if let Some((field, detail)) = report.problem {
                let value = FieldValue::Bare(super::internal::rule(rule));
                let path = format!("{path}.{field}");
                self.rules.push(FieldError::invalid(path, value, detail));
            }
            let message = "estimated messageExpression cost";
            self.cost(
                format!("{path}.messageExpression"),
                message,
                report.message_cost,
            );
            if report.uses_old {
                if let Some(above) = &context.uncorrelatable {
                    self.rules.push(FieldError::invalid(
                        format!("{path}.rule"),
                        rule.rule.as_str(),
                        format!(
                            "oldSelf cannot be used on the uncorrelatable portion of the schema within {above}"
                        ),
                    ));
                }
            } else if let Some(optional) = rule.optional_old_self {
                self.rules.push(FieldError::invalid(
                    format!("{path}.optionalOldSelf"),
                    optional,
                    "may not be set if oldSelf is not used in rule",
                ));
            }
        }
    }

    /// Counts what an expression may cost and refuses it when that alone is too much.
    fn cost(&mut self, path: String, what: &str, cost: u64) {
        if self.costs_limited && cost > EXPRESSION_COST_MAX {
            let detail = over_budget(what, cost, EXPRESSION_COST_MAX);
            self.rules.push(FieldError::forbidden(&path, detail));
        }
        self.total = self.total.saturating_add(cost);
        if cost >= DEFINITION_COST_MAX / 100 {
            self.expensive.push((cost, path));
        }
    }

    /// What the rules of the whole schema may cost.
    fn total_errors(&mut self, path: &str) -> Vec<FieldError> {
        if self.total <= DEFINITION_COST_MAX {
            return Vec::new();
        }
        self.expensive
            .sort_by_key(|(cost, _)| std::cmp::Reverse(*cost));
        let detail = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
        let worst = self.expensive.iter().take(4);
        let mut errors: Vec<FieldError> = worst
            .map(|(_, path)| FieldError::forbidden(path, detail))
            .collect();
        let what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
        let detail = over_budget(what, self.total, DEFINITION_COST_MAX);
        errors.push(FieldError::forbidden(path, detail));
        errors
    }
}

/// Most that one expression may be estimated to cost, all its evaluations in one request together.
const EXPRESSION_COST_MAX: u64 = 10_000_000;

/// Most that all rules of a schema may be estimated to cost.
const DEFINITION_COST_MAX: u64 = 100_000_000;

fn over_budget(what: &str, cost: u64, limit: u64) -> String {
    let factor = cost as f64 / limit as f64;
    let factor = if factor > 100.0 {
        "more than 100x".to_owned()
    } else if factor < 1.5 {
        format!("{factor:.6}x")
    } else {
        format!("{factor:.1}x")
    };
    format!(
        "{what} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )
}

/// How many values of the level below one value of this can hold.
fn elements_max(level: &Level) -> Option<u64> {
    let declared = |bound: Option<i64>| bound.map(|bound| u64::try_from(bound).unwrap_or(0));
    match level.kind.as_str() {
        "object" if level.additional.is_some() => declared(level.properties_max),
        "array" => declared(level.items_max),
        _ => Some(1),
    }
}
