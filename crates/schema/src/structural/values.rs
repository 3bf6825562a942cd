//! Values against a schema, with the errors the API server gives.
//!
//! # Source
//! kubernetes/kube-openapi `pkg/validation/validate/`, `pkg/validation/errors/schema.go`;
//! kubernetes/apiextensions-apiserver `pkg/apiserver/validation/{validation,ratcheting}.go`.

use std::collections::HashMap;

use golang::strconv::format_float_g;
use object::Node;

use super::formats::Format;
use super::lists::key_of;
use super::node::Level;
use crate::field_error::{FieldError, FieldErrorKind, FieldValue, Place};

/// Errors of `node`. Those of parts that are as they were in `old` are left out, where the parts
/// can be told to be the same: under keys of maps and in lists with keys.
pub(super) fn validate(level: &Level, node: &Node, old: Option<&Node>) -> Vec<FieldError> {
    Check { prefix: None }
        .value(level, node, Place::ROOT, old, true)
        .errors
}

/// Errors of a value that stands at `prefix` of something else; messages name its inside only.
pub(super) fn validate_at(level: &Level, node: &Node, prefix: &str) -> Vec<FieldError> {
    let prefix = Some(prefix);
    Check { prefix }
        .value(level, node, Place::ROOT, None, false)
        .errors
}

struct Check<'a> {
    prefix: Option<&'a str>,
}

/// What was found about one value.
#[derive(Default)]
struct Found {
    errors: Vec<FieldError>,
    /// How many checks were made; of several alternatives the one with most is reported.
    checks: u32,
}

impl Found {
    fn add(&mut self, error: FieldError) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    fn merge(&mut self, other: Self) {
        self.checks += other.checks;
        other.errors.into_iter().for_each(|error| self.add(error));
    }
}

const FLOAT_EXACT: f64 = 9_007_199_254_740_991.0;

fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() <= FLOAT_EXACT
}

impl Check<'_> {
    fn value(
        &self,
        level: &Level,
        node: &Node,
        place: Place<'_>,
        old: Option<&Node>,
        root: bool,
    ) -> Found {
        let mut found = self.anew(level, node, place, old, root);
        if !found.errors.is_empty() && old == Some(node) {
            found.errors.clear();
        }
        found
    }

    fn anew(
        &self,
        level: &Level,
        node: &Node,
        place: Place<'_>,
        old: Option<&Node>,
        root: bool,
    ) -> Found {
        let mut found = Found::default();
        if !level.kind.is_empty() || level.int_or_string || level.format.is_some() {
            if let Some(error) = self.kind(level, node, place) {
                found.add(error);
            } else {
                found.checks += 1;
            }
            found.checks += 1;
        }
        if node.is_null() {
            self.listed(level, node, place, &mut found);
            return found;
        }
        self.combined(level, node, place, &mut found);
        found.checks += 1;
        match node {
            Node::String(text) => {
                if let Some(error) = self.text(level, text, place) {
                    found.add(error);
                }
                found.checks += 1;
                if let Some(format) = level.format
                    && !format.accepts(text)
                {
                    let name = level.format_name.as_str();
                    let detail = self.must_be(place, name, text);
                    found.add(self.error(
                        place,
                        FieldErrorKind::TypeInvalid,
                        text.as_str(),
                        detail,
                    ));
                }
            }
            Node::Int(_) | Node::Uint(_) | Node::Float(_) => {
                self.number(level, node, place, &mut found);
                found.checks += 2;
            }
            Node::List(items) => {
                self.items(level, items, place, old, &mut found);
                found.checks += 2;
            }
            _ => {}
        }
        self.listed(level, node, place, &mut found);
        found.checks += 1;
        if let Node::Map(_) = node {
            self.fields(level, node, place, old, root, &mut found);
            found.checks += 1;
        }
        found.checks += 1;
        found
    }

    /// The place as messages write it, empty for the value itself.
    fn name(&self, place: Place<'_>) -> String {
        match place.to_string() {
            name if name == "<nil>" => String::new(),
            name => name,
        }
    }

    fn path(&self, place: Place<'_>) -> String {
        match (self.prefix, self.name(place).as_str()) {
            (None, "") => "<nil>".into(),
            (None, name) => name.into(),
            (Some(prefix), "") => prefix.into(),
            (Some(prefix), name) => format!("{prefix}.{name}"),
        }
    }

    fn error(
        &self,
        place: Place<'_>,
        kind: FieldErrorKind,
        value: impl Into<FieldValue>,
        detail: impl Into<String>,
    ) -> FieldError {
        FieldError::new(self.path(place), kind, value, detail)
    }

    /// An error of `place` that names it in its words: `spec.n in body should be …`.
    fn body(&self, place: Place<'_>, value: impl Into<FieldValue>, rest: &str) -> FieldError {
        let detail = format!("{} in body {rest}", self.name(place));
        self.error(place, FieldErrorKind::Invalid, value, detail)
    }

    /// An error the validator reports without a place.
    fn nowhere(&self, detail: String) -> FieldError {
        FieldError::new(
            self.prefix.unwrap_or("<nil>"),
            FieldErrorKind::Invalid,
            "",
            detail,
        )
    }

    fn must_be(&self, place: Place<'_>, wanted: &str, found: &str) -> String {
        let found = crate::field_error::quote(found);
        format!(
            "{} in body must be of type {wanted}: {found}",
            self.name(place)
        )
    }

    fn kind(&self, level: &Level, node: &Node, place: Place<'_>) -> Option<FieldError> {
        let wanted = match (level.int_or_string, level.kind.as_str()) {
            (true, _) => "integer,string",
            (false, kind) => kind,
        };
        let contains = |kind: &str| wanted.split(',').any(|own| own == kind);
        let (kind, format) = match node {
            Node::Null => ("null", ""),
            Node::Bool(_) => ("boolean", ""),
            Node::Int(_) => ("integer", "int64"),
            Node::Uint(_) => ("integer", "uint64"),
            Node::Float(_) => ("number", "float64"),
            Node::String(_) => ("string", ""),
            Node::List(_) => ("array", ""),
            Node::Map(_) => ("object", ""),
        };
        let wrong = |wanted: &str, found: &str| {
            let detail = self.must_be(place, wanted, found);
            Some(self.error(place, FieldErrorKind::TypeInvalid, found, detail))
        };
        if node.is_null() {
            return match wanted.is_empty() || level.nullable {
                true => None,
                false => wrong(wanted, "null"),
            };
        }
        let whole = matches!(node, Node::Float(number) if is_whole(*number));
        let fits = contains(kind)
            || (whole && contains("integer"))
            || (kind == "integer" && contains("number"));
        let texts = matches!(node, Node::String(_) | Node::List(_));
        if level.format.is_some() {
            if !texts && !fits && format != level.format_name {
                return wrong(&level.format_name, format);
            }
            if texts && !contains("number") && !contains("integer") {
                return None;
            }
        }
        if fits { None } else { wrong(wanted, kind) }
    }

    fn text(&self, level: &Level, text: &str, place: Place<'_>) -> Option<FieldError> {
        let length = text.chars().count() as i64;
        if let Some(most) = level.length_max.filter(|most| length > *most) {
            let most = usize::try_from(most).unwrap_or(0);
            return Some(FieldError::too_long(self.path(place), most));
        }
        if let Some(least) = level.length_min.filter(|least| length < *least) {
            let rest = format!("should be at least {least} chars long");
            return Some(self.body(place, text, &rest));
        }
        let pattern = level.pattern.as_ref()?;
        let compiled = pattern.compiled.as_ref()?;
        (!compiled.is_match(text))
            .then(|| self.body(place, text, &format!("should match '{}'", pattern.text)))
    }

    fn number(&self, level: &Level, node: &Node, place: Place<'_>, found: &mut Found) {
        let value = node.as_f64().unwrap_or_default();
        let single = !level.int_or_string;
        let (kind, format) = (level.kind.as_str(), level.format);
        let in_range = match (kind, format) {
            ("integer", Some(Format::Int32)) if single => match node {
                Node::Int(value) => i32::try_from(*value).is_ok(),
                _ => value.fract() == 0.0 && value.abs() <= 2_147_483_647.0,
            },
            ("integer", _) if single => {
                value.fract() == 0.0 && value.abs() < 9_223_372_036_854_775_808.0
                    || matches!(node, Node::Int(_))
            }
            ("number", Some(Format::Float)) if single => value.abs() <= f64::from(f32::MAX),
            _ => true,
        };
        if !in_range {
            let format = match format {
                Some(Format::Int32) => "with format int32",
                Some(Format::Int64) => "with format int64",
                Some(Format::Float) => "with format float",
                Some(Format::Double) => "with format double",
                _ => "(default format)",
            };
            let name = self.name(place);
            found.add(self.nowhere(format!(
                "Checked value must be of type {kind} {format} in {name}"
            )));
        }
        // Integers are compared as integers, so a bound loses its fraction.
        let bound = |bound: &Node| match (node, bound) {
            (Node::Int(_), Node::Float(bound)) => Node::Int(*bound as i64),
            (_, bound) => bound.clone(),
        };
        let less = |a: &Node, b: &Node| match (a, b) {
            (Node::Int(a), Node::Int(b)) => a < b,
            (a, b) => a.as_f64() < b.as_f64(),
        };
        if let Some(factor) = &level.multiple_of {
            let multiple = match (node, factor) {
                (Node::Int(value), Node::Int(factor)) if *factor != 0 => {
                    value.checked_rem(*factor).unwrap_or(0) == 0
                }
                _ => is_whole(value / factor.as_f64().unwrap_or(1.0)),
            };
            if !multiple {
                let rest = format!("should be a multiple of {}", number_text(factor));
                found.add(self.body(place, node, &rest));
            }
        }
        if let Some(least) = level.minimum.as_ref().map(bound) {
            let exclusive = level.exclusive_minimum;
            if less(node, &least) || (exclusive && !less(&least, node)) {
                let words = if exclusive {
                    "greater than"
                } else {
                    "greater than or equal to"
                };
                let rest = format!("should be {words} {}", number_text(&least));
                found.add(self.body(place, node, &rest));
            }
        }
        if let Some(most) = level.maximum.as_ref().map(bound) {
            let exclusive = level.exclusive_maximum;
            if less(&most, node) || (exclusive && !less(node, &most)) {
                let words = if exclusive {
                    "less than"
                } else {
                    "less than or equal to"
                };
                let rest = format!("should be {words} {}", number_text(&most));
                found.add(self.body(place, node, &rest));
            }
        }
    }

    fn items(
        &self,
        level: &Level,
        items: &[Node],
        place: Place<'_>,
        old: Option<&Node>,
        found: &mut Found,
    ) {
        if let Some(inner) = &level.items {
            let before = Before::of(level, old);
            for (index, item) in items.iter().enumerate() {
                let old = before.item(item);
                found.merge(self.value(inner, item, place.index(index), old, false));
            }
        }
        let count = items.len() as i64;
        if let Some(least) = level.items_min.filter(|least| count < *least) {
            let rest = format!("should have at least {least} items");
            found.add(self.body(place, count, &rest));
        }
        if let Some(most) = level.items_max.filter(|most| count > *most) {
            let most = usize::try_from(most).unwrap_or(0);
            found.add(FieldError::too_many(self.path(place), items.len(), most));
        }
    }

    fn fields(
        &self,
        level: &Level,
        node: &Node,
        place: Place<'_>,
        old: Option<&Node>,
        root: bool,
        found: &mut Found,
    ) {
        let Some(map) = node.as_map() else {
            return;
        };
        let count = map.len() as i64;
        if let Some(least) = level.properties_min.filter(|least| count < *least) {
            let rest = format!("should have at least {least} properties");
            found.add(self.body(place, count, &rest));
        }
        if let Some(most) = level.properties_max.filter(|most| count > *most) {
            let most = usize::try_from(most).unwrap_or(0);
            found.add(FieldError::too_many(self.path(place), map.len(), most));
        }
        for (key, value) in map.iter() {
            if level.properties.contains_key(key) {
                continue;
            }
            match &level.additional {
                Some(additional) if !additional.allowed => {
                    let name = self.name(place);
                    let detail = format!("{name}.{key} in body is a forbidden property");
                    found.add(self.error(place, FieldErrorKind::Invalid, "", detail));
                }
                Some(additional) => {
                    if let Some(inner) = &additional.level {
                        let old = old.and_then(|old| old.get(key));
                        found.merge(self.value(inner, value, place.child(key), old, false));
                    }
                }
                None => {}
            }
        }
        for (key, property) in &level.properties {
            if let Some(value) = map.get(key) {
                // Both versions of an object have been converted to one version.
                let hidden = root && matches!(key.as_str(), "apiVersion" | "kind");
                let old = old.filter(|_| !hidden).and_then(|old| old.get(key));
                found.merge(self.value(property, value, place.child(key), old, false));
            }
        }
        for key in level.required.iter().filter(|key| !map.contains_key(key)) {
            found.add(FieldError::required(self.path(place.child(key)), ""));
        }
    }

    fn listed(&self, level: &Level, node: &Node, place: Place<'_>, found: &mut Found) {
        let listed = level.values.is_empty()
            || level.values.iter().any(|value| {
                value == node || (value.as_f64().is_some() && value.as_f64() == node.as_f64())
            });
        if listed {
            return;
        }
        let texts: Vec<String> = level
            .values
            .iter()
            .map(|value| match value {
                Node::String(text) => text.to_string(),
                other => object::json::to_string(other),
            })
            .collect();
        let supported = texts.iter().map(String::as_str);
        found.add(FieldError::not_supported(self.path(place), node, supported));
    }

    /// `allOf`, `anyOf`, `oneOf`, `not`: nothing below them is compared with what was before.
    fn combined(&self, level: &Level, node: &Node, place: Place<'_>, found: &mut Found) {
        let check = |inner: &Level| self.value(inner, node, place, None, false);
        let quoted = || format!("\"{}\"", self.name(place));
        if !level.any_of.is_empty() {
            let mut best: Option<Found> = None;
            let mut valid = false;
            for inner in &level.any_of {
                let result = check(inner);
                if result.errors.is_empty() {
                    valid = true;
                    best = Some(result);
                    break;
                }
                if best.as_ref().is_none_or(|best| result.checks > best.checks) {
                    best = Some(result);
                }
            }
            if !valid {
                let name = quoted();
                found
                    .add(self.nowhere(format!("{name} must validate at least one schema (anyOf)")));
            }
            best.into_iter().for_each(|best| found.merge(best));
        }
        if !level.one_of.is_empty() {
            let mut best: Option<Found> = None;
            let mut first: Option<Found> = None;
            let mut valid = 0;
            for inner in &level.one_of {
                let result = check(inner);
                if result.errors.is_empty() {
                    valid += 1;
                    best = None;
                    first.get_or_insert(result);
                } else if valid == 0 && best.as_ref().is_none_or(|best| result.checks > best.checks)
                {
                    best = Some(result);
                }
            }
            if valid == 1 {
                first.into_iter().for_each(|first| found.merge(first));
            } else {
                let rest = match valid {
                    0 => "Found none valid".to_owned(),
                    count => format!("Found {count} valid alternatives"),
                };
                let name = quoted();
                found.add(self.nowhere(format!(
                    "{name} must validate one and only one schema (oneOf). {rest}"
                )));
                best.into_iter().for_each(|best| found.merge(best));
            }
        }
        if !level.all_of.is_empty() {
            let mut valid = 0;
            for inner in &level.all_of {
                let result = check(inner);
                valid += usize::from(result.errors.is_empty());
                found.merge(result);
            }
            if valid < level.all_of.len() {
                let rest = if valid == 0 { ". None validated" } else { "" };
                let name = quoted();
                found.add(self.nowhere(format!(
                    "{name} must validate all the schemas (allOf){rest}"
                )));
            }
        }
        if let Some(not) = &level.not
            && check(not).errors.is_empty()
        {
            found.add(self.nowhere(format!("{} must not validate the schema (not)", quoted())));
        }
        found.checks += 1;
    }
}

/// The items of a list before an update, found again by their keys; nothing else tells which item
/// of two lists is the same.
pub(super) struct Before<'l, 'a> {
    level: &'l Level,
    items: HashMap<String, &'a Node>,
}

impl<'l, 'a> Before<'l, 'a> {
    pub fn of(level: &'l Level, old: Option<&'a Node>) -> Self {
        let keyed = old.filter(|_| level.is_list_map());
        let items = keyed.and_then(Node::as_list).unwrap_or_default();
        // Of items with the same keys the first counts.
        let items = items.iter().rev();
        Self {
            level,
            items: items.map(|item| (key_text(level, item), item)).collect(),
        }
    }

    pub fn item(&self, item: &Node) -> Option<&'a Node> {
        if self.items.is_empty() {
            return None;
        }
        self.items.get(&key_text(self.level, item)).copied()
    }
}

fn key_text(level: &Level, item: &Node) -> String {
    object::json::to_string(&key_of(level, item))
}

fn number_text(node: &Node) -> String {
    match node {
        Node::Float(number) => format_float_g(*number),
        other => object::json::to_string(other),
    }
}
