//! What may stand in the schema of a definition, extensions and rules included.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go`,
//! `ValidateCustomResourceDefinitionOpenAPISchema`.

use object::Node;

use super::definition::is_set;
use super::node::Level;
use super::{field_path, rules};
use crate::field_error::{FieldError, FieldErrorKind, FieldValue};

/// How far rules are looked at.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// Whether at all: only when the schema is structural.
    pub rules: bool,
    /// Whether single rules may be refused for their cost.
    pub costs_limited: bool,
}

/// Everything wrong with a schema: first its fields, then its rules, then their total cost.
pub(super) fn errors(level: &Level, raw: &Node, path: &str, wanted: Wanted) -> Vec<FieldError> {
    let mut checker = Checker {
        schema: Vec::new(),
        rules: Vec::new(),
        rules_wanted: wanted.rules,
        costs_limited: wanted.costs_limited,
        total: 0,
        expensive: Vec::new(),
    };
    checker.level(level, raw, path, &Context::root());
    let mut errors = std::mem::take(&mut checker.schema);
    errors.append(&mut checker.rules);
    errors.append(&mut checker.total_errors(path));
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
    /// Whether a level above has rules.
    below_rules: bool,
    /// Whether a level above, at or below one with rules, has no type: nothing below it may have rules.
    invisible: bool,
}

impl Context {
    fn root() -> Self {
        Self {
            root: true,
            defaults_forbidden: None,
            inside_metadata: false,
            uncorrelatable: None,
            occurrences: Some(1),
            below_rules: false,
            invisible: false,
        }
    }
}

struct Checker {
    schema: Vec<FieldError>,
    rules: Vec<FieldError>,
    /// Rules are looked at only when the schema is sound.
    rules_wanted: bool,
    costs_limited: bool,
    total: u64,
    /// Costs worth naming when the total is too much.
    expensive: Vec<(u64, String)>,
}

impl Checker {
    fn forbid(&mut self, path: String, detail: impl Into<String>) {
        self.schema.push(FieldError::forbidden(path, detail));
    }

    fn level(&mut self, level: &Level, raw: &Node, path: &str, context: &Context) {
        let before = self.schema.len();
        self.plain(level, raw, path, context);
        let below_rules = context.below_rules || !level.rules.is_empty();
        let context = &Context {
            below_rules,
            invisible: context.invisible || (below_rules && !rules::can_see(level, context.root)),
            ..context.clone()
        };
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
        if context.invisible {
            self.rules.push(FieldError {
                kind: FieldErrorKind::Internal,
                path: format!("{path}.x-kubernetes-validations"),
                value: FieldValue::Omitted,
                detail: "internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations".into(),
            });
            return;
        }
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
