//! A schema as the server uses it: read once from JSON, patterns compiled.

use std::collections::BTreeMap;
use std::sync::Arc;

use golang::Regexp;
use object::{Map, Node, Text};

use super::formats::Format;
use super::rules::CompiledRules;

/// Deepest nesting of a schema. The deepest of the Prometheus operator's and of Argo's are at
/// about 30; validation recurses once per level of the schema.
pub const SCHEMA_DEPTH_MAX: usize = 100;

/// One level of a schema. `allOf` and the like hold levels too.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// `string`, `integer`, `number`, `boolean`, `object`, `array`; empty when not said.
    pub kind: Text,
    pub nullable: bool,
    pub int_or_string: bool,
    pub preserve_unknown: bool,
    pub embedded: bool,
    pub default: Option<Node>,
    /// As written; unknown formats are reported and otherwise ignored.
    pub format_name: Text,
    pub format: Option<Format>,
    pub values: Vec<Node>,
    pub maximum: Option<Node>,
    pub exclusive_maximum: bool,
    pub minimum: Option<Node>,
    pub exclusive_minimum: bool,
    pub multiple_of: Option<Node>,
    pub length_max: Option<i64>,
    pub length_min: Option<i64>,
    pub pattern: Option<Pattern>,
    pub items_max: Option<i64>,
    pub items_min: Option<i64>,
    pub properties_max: Option<i64>,
    pub properties_min: Option<i64>,
    pub required: Vec<Text>,
    pub items: Option<Arc<Level>>,
    pub properties: BTreeMap<Text, Arc<Level>>,
    pub additional: Option<Additional>,
    pub all_of: Vec<Level>,
    pub any_of: Vec<Level>,
    pub one_of: Vec<Level>,
    pub not: Option<Box<Level>>,
    pub list_type: Option<Text>,
    pub list_map_keys: Vec<Text>,
    pub map_type: Option<Text>,
    pub rules: Vec<Rule>,
    /// The rules, when the schema was compiled to be used.
    pub compiled: CompiledRules,
    /// Whether rules stand here or anywhere below.
    pub has_rules: bool,
    /// Whether a default stands here or anywhere below.
    pub has_defaults: bool,
    /// Whether embedded objects stand here or anywhere below.
    pub has_embedded: bool,
    /// What was read, of levels with a default and rules.
    pub raw: Option<Node>,
}

#[derive(Debug)]
pub(super) struct Pattern {
    pub text: Text,
    /// `None` when it is no regular expression; the definition checks report that.
    pub compiled: Option<Regexp>,
}

/// What `additionalProperties` says.
#[derive(Debug)]
pub(super) struct Additional {
    /// The schema of every value, if one is given.
    pub level: Option<Arc<Level>>,
    /// False only for the literal `false`.
    pub allowed: bool,
}

/// An entry of `x-kubernetes-validations`, as written.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    pub rule: Text,
    pub message: Text,
    pub message_expression: Text,
    pub reason: Option<Text>,
    pub field_path: Text,
    pub optional_old_self: Option<bool>,
}

impl Level {
    /// Reads a level; what has the wrong JSON type reads as absent.
    ///
    /// `None` when it is nested deeper than [`SCHEMA_DEPTH_MAX`].
    pub fn read(node: &Node) -> Option<Self> {
        Self::read_at(node, 0)
    }

    fn read_at(node: &Node, depth: usize) -> Option<Self> {
        if depth > SCHEMA_DEPTH_MAX {
            return None;
        }
        let empty = Map::new();
        let map = node.as_map().unwrap_or(&empty);
        let text = |key: &str| -> Text {
            map.get(key)
                .and_then(Node::as_str)
                .unwrap_or_default()
                .into()
        };
        let flag = |key: &str| map.get(key).and_then(Node::as_bool) == Some(true);
        let count = |key: &str| map.get(key).and_then(Node::as_i64);
        let number = |key: &str| map.get(key).filter(|node| node.as_f64().is_some()).cloned();
        let texts = |key: &str| -> Vec<Text> {
            let list = map.get(key).and_then(Node::as_list).unwrap_or_default();
            list.iter()
                .filter_map(|item| item.as_str().map(Text::from))
                .collect()
        };
        let levels = |key: &str| -> Option<Vec<Level>> {
            let list = map.get(key).and_then(Node::as_list).unwrap_or_default();
            list.iter()
                .map(|item| Self::read_at(item, depth + 1))
                .collect()
        };
        let child = |node: &Node| Self::read_at(node, depth + 1).map(Arc::new);

        let mut properties = BTreeMap::new();
        if let Some(declared) = map.get("properties").and_then(Node::as_map) {
            for (key, value) in declared.iter() {
                properties.insert(key.clone(), child(value)?);
            }
        }
        let additional = match map.get("additionalProperties") {
            Some(Node::Bool(allowed)) => Some(Additional {
                level: None,
                allowed: *allowed,
            }),
            Some(schema @ Node::Map(_)) => Some(Additional {
                level: Some(child(schema)?),
                allowed: true,
            }),
            _ => None,
        };
        let items = match map.get("items") {
            Some(schema @ Node::Map(_)) => Some(child(schema)?),
            _ => None,
        };
        let not = match map.get("not") {
            Some(schema @ Node::Map(_)) => Some(Box::new(Self::read_at(schema, depth + 1)?)),
            _ => None,
        };
        let pattern = text("pattern");
        let pattern = (!pattern.is_empty()).then(|| Pattern {
            compiled: Regexp::new(&pattern).ok(),
            text: pattern,
        });
        let kind = text("type");
        let format_name = text("format");
        let rules = map.get("x-kubernetes-validations").and_then(Node::as_list);
        let rules: Vec<Rule> = rules.unwrap_or_default().iter().map(Rule::of).collect();
        let mut level = Self {
            format: Format::named(&format_name, &kind),
            format_name,
            nullable: flag("nullable"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            preserve_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            default: map.get("default").filter(|node| !node.is_null()).cloned(),
            values: map
                .get("enum")
                .and_then(Node::as_list)
                .unwrap_or_default()
                .to_vec(),
            maximum: number("maximum"),
            exclusive_maximum: flag("exclusiveMaximum"),
            minimum: number("minimum"),
            exclusive_minimum: flag("exclusiveMinimum"),
            multiple_of: number("multipleOf"),
            length_max: count("maxLength"),
            length_min: count("minLength"),
            pattern,
            items_max: count("maxItems"),
            items_min: count("minItems"),
            properties_max: count("maxProperties"),
            properties_min: count("minProperties"),
            required: texts("required"),
            items,
            properties,
            additional,
            all_of: levels("allOf")?,
            any_of: levels("anyOf")?,
            one_of: levels("oneOf")?,
            not,
            list_type: map
                .get("x-kubernetes-list-type")
                .and_then(Node::as_str)
                .map(Text::from),
            list_map_keys: texts("x-kubernetes-list-map-keys"),
            map_type: map
                .get("x-kubernetes-map-type")
                .and_then(Node::as_str)
                .map(Text::from),
            kind,
            rules,
            compiled: CompiledRules::default(),
            has_rules: false,
            has_defaults: false,
            has_embedded: false,
            raw: None,
        };
        level.has_defaults = level.default.is_some() || level.any_below(|it| it.has_defaults);
        level.has_embedded = level.embedded || level.any_below(|it| it.has_embedded);
        level.has_rules = !level.rules.is_empty()
            || level.items.as_ref().is_some_and(|items| items.has_rules)
            || level.properties.values().any(|property| property.has_rules)
            || level.all_of.iter().any(|inner| inner.has_rules)
            || level
                .additional_level()
                .is_some_and(|inner| inner.has_rules);
        level.raw = (level.has_rules && level.default.is_some()).then(|| node.clone());
        Some(level)
    }

    /// Whether something is true of the schema of a child.
    fn any_below(&self, is: impl Fn(&Level) -> bool) -> bool {
        let items = self.items.iter().chain(self.properties.values());
        items.chain(self.additional_level()).any(|child| is(child))
    }

    /// The schema of values under undeclared keys, if one is given.
    pub fn additional_level(&self) -> Option<&Arc<Level>> {
        self.additional.as_ref()?.level.as_ref()
    }

    /// The schema of the value under `key`.
    pub fn of_key(&self, key: &str) -> Option<&Arc<Level>> {
        self.properties.get(key).or_else(|| self.additional_level())
    }

    /// A copy of this level with its rules compiled.
    ///
    /// Copies everything below, which only the checks of a definition's defaults need.
    pub fn compiled_again(&self, root: bool) -> Option<Self> {
        let mut copy = Self::read(self.raw.as_ref()?)?;
        super::rules::compile(&mut copy, root);
        Some(copy)
    }

    pub fn is_set(&self) -> bool {
        self.list_type.as_deref() == Some("set")
    }

    pub fn is_list_map(&self) -> bool {
        self.list_type.as_deref() == Some("map")
    }
}

impl Rule {
    pub fn of(node: &Node) -> Self {
        let text = |key: &str| -> Text {
            node.get(key)
                .and_then(Node::as_str)
                .unwrap_or_default()
                .into()
        };
        Self {
            rule: text("rule"),
            message: text("message"),
            message_expression: text("messageExpression"),
            reason: node.get("reason").and_then(Node::as_str).map(Text::from),
            field_path: text("fieldPath"),
            optional_old_self: node.get("optionalOldSelf").and_then(Node::as_bool),
        }
    }
}
