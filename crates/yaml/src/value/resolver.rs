//! Trees to values: tags, aliases, merge keys, repeated keys.
//!
//! # Source
//! yaml/go-yaml `decode.go` of v2 and of v3, and kubernetes-sigs/yaml `yaml.go` for keys.

use std::collections::BTreeMap;

use object::Text;

use super::{Duplicates, ResolveOptions, Tags};
use crate::error::DuplicateKey;
use crate::node::{Kind, Node, Style, tag};
use crate::resolve::{Rules, Scalar, plain, timestamp_json};
use crate::{Position, YamlError};

/// What a tree can be resolved to.
pub(super) trait Value: Sized {
    type Entries: Default;

    fn scalar(scalar: Scalar, text: &Text) -> Self;
    /// The float `-0.0`, where that is another value than 0.
    fn minus_zero() -> Option<Self> {
        None
    }
    fn list(items: Vec<Self>) -> Self;
    fn map(map: Self::Entries) -> Self;
    /// Sets a key.
    fn insert(map: &mut Self::Entries, key: Text, value: Self);
    /// Whether it holds no infinities and no NaN.
    fn is_finite(&self) -> bool;
    /// Sets a key unless it is set.
    fn insert_missing(map: &mut Self::Entries, key: Text, value: Self);
}

/// Most repeated keys one error names.
const DUPLICATES_MAX: usize = 50;

type Outcome<T> = Result<T, YamlError>;

pub(super) struct Resolver<'a, V> {
    root: &'a Node,
    options: &'a ResolveOptions,
    /// What each alias stands for, by the address of its node; filled when the first one is met.
    targets: Option<BTreeMap<usize, &'a Node>>,
    /// Addresses of the aliases that are being expanded.
    expanding: Vec<usize>,
    /// Nodes written in the document; counted when the first alias is met.
    written: usize,
    nodes: usize,
    depth: usize,
    duplicates: Vec<DuplicateKey>,
    /// The first key and the first number that JSON cannot hold. Go finds them when everything
    /// else is done, so other errors come first.
    bad_key: Option<YamlError>,
    bad_number: Option<YamlError>,
    value: std::marker::PhantomData<V>,
}

impl<'a, V: Value> Resolver<'a, V> {
    pub(super) fn resolve(root: &'a Node, options: &'a ResolveOptions) -> Outcome<V> {
        let mut resolver = Self {
            root,
            options,
            targets: None,
            expanding: Vec::new(),
            written: 0,
            nodes: 0,
            depth: 0,
            duplicates: Vec::new(),
            bad_key: None,
            bad_number: None,
            value: std::marker::PhantomData,
        };
        let value = resolver.node(root)?;
        if !resolver.duplicates.is_empty() {
            return Err(YamlError::DuplicateKeys {
                keys: resolver.duplicates,
                rules: options.rules,
            });
        }
        if let Some(error) = resolver.bad_key {
            return Err(error);
        }
        match resolver.bad_number {
            // A value that another one replaced harms nobody.
            Some(error) if !value.is_finite() => Err(error),
            _ => Ok(value),
        }
    }

    fn node(&mut self, node: &'a Node) -> Outcome<V> {
        self.count()?;
        match node.kind {
            Kind::Scalar => self.scalar(node),
            Kind::Alias => self.expand(node, Self::node),
            Kind::Sequence => {
                self.check_collection_tag(node)?;
                self.nested(node, |resolver| {
                    let mut items = Vec::with_capacity(node.content.len());
                    for item in &node.content {
                        items.push(resolver.node(item)?);
                    }
                    Ok(V::list(items))
                })
            }
            Kind::Mapping => {
                self.check_collection_tag(node)?;
                let mut map = V::Entries::default();
                // The outermost map has text keys in any case.
                let text_keys = self.options.rules == Rules::V3
                    && (self.depth == 0 || self.has_text_keys(node)?);
                self.nested(node, |resolver| {
                    resolver.mapping(node, &mut map, text_keys, false)
                })?;
                Ok(V::map(map))
            }
        }
    }

    fn nested<T>(
        &mut self,
        node: &Node,
        inside: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        self.depth += 1;
        if self.depth > self.options.limits.depth_max {
            return Err(YamlError::Depth {
                at: position(node),
                depth_max: self.options.limits.depth_max,
            });
        }
        let result = inside(self);
        self.depth -= 1;
        result
    }

    /// Counts one node against the limits. Without aliases a document cannot outgrow its text.
    fn count(&mut self) -> Outcome<()> {
        self.nodes += 1;
        let limits = &self.options.limits;
        let by_growth = match self.written {
            0 => usize::MAX,
            written => written.saturating_mul(limits.expansion_max),
        };
        let nodes_max = limits.nodes_max.min(by_growth);
        if self.nodes > nodes_max {
            return Err(YamlError::AliasLimit {
                written: self.written,
                nodes_max,
            });
        }
        Ok(())
    }

    fn expand<T>(
        &mut self,
        alias: &'a Node,
        with: impl FnOnce(&mut Self, &'a Node) -> Outcome<T>,
    ) -> Outcome<T> {
        let address = std::ptr::from_ref(alias) as usize;
        if self.expanding.contains(&address) {
            return Err(YamlError::AliasCycle {
                at: position(alias),
                name: alias.value.clone(),
            });
        }
        let target = self.target(alias)?;
        self.expanding.push(address);
        let result = with(self, target);
        self.expanding.pop();
        result
    }

    /// The node an alias stands for.
    fn target(&mut self, alias: &'a Node) -> Outcome<&'a Node> {
        if self.targets.is_none() {
            let mut targets = BTreeMap::new();
            self.written = bind_aliases(self.root, &mut BTreeMap::new(), &mut targets);
            self.targets = Some(targets);
        }
        let address = std::ptr::from_ref(alias) as usize;
        let targets = self.targets.as_ref();
        match targets.and_then(|targets| targets.get(&address)) {
            Some(target) => Ok(target),
            None => Err(YamlError::UnknownAlias {
                at: position(alias),
                name: alias.value.clone(),
            }),
        }
    }

    fn check_collection_tag(&self, node: &Node) -> Outcome<()> {
        let known = !node.style.has(Style::TAGGED)
            || self.options.tags == Tags::Ignore
            || node.tag == tag::SEQ
            || node.tag == tag::MAP;
        if known {
            return Ok(());
        }
        Err(unknown_tag(node))
    }

    fn scalar(&mut self, node: &Node) -> Outcome<V> {
        let (scalar, text) = self.resolve_scalar(node)?;
        if let Scalar::Float(value) = scalar
            && !value.is_finite()
        {
            self.bad_number.get_or_insert(YamlError::Number {
                at: position(node),
                value: if value.is_nan() {
                    "NaN"
                } else if value > 0.0 {
                    "+Inf"
                } else {
                    "-Inf"
                },
            });
        }
        let minus_zero = match scalar {
            Scalar::Float(value) if self.options.minus_zero && value == 0.0 => {
                value.is_sign_negative().then(V::minus_zero).flatten()
            }
            _ => None,
        };
        Ok(minus_zero.unwrap_or_else(|| V::scalar(scalar, &text)))
    }

    /// What a scalar means, and its text where it is text.
    fn resolve_scalar(&self, node: &Node) -> Outcome<(Scalar, Text)> {
        let rules = self.options.rules;
        let explicit = node.style.has(Style::TAGGED);
        // A tree that was read says for plain text what v3 makes of it; v2 looks again.
        let settled = explicit || rules == Rules::V3 || node.line == 0;
        let tag = match &*node.tag {
            "" | "!" if node.style.is_quoted() => tag::STR,
            "" | "!" => "",
            tag if settled || node.style.is_quoted() => tag,
            _ => "",
        };
        let text = &node.value;
        match tag {
            tag::STR => return Ok((Scalar::Text, text.clone())),
            tag::BINARY => {
                return match decode_base64(text) {
                    Some(text) => Ok((Scalar::Text, text)),
                    None => Err(YamlError::Binary { at: position(node) }),
                };
            }
            "" | tag::NULL | tag::BOOL | tag::INT | tag::FLOAT | tag::TIMESTAMP => {}
            tag::MERGE => return Ok((Scalar::Text, text.clone())),
            _ if self.options.tags == Tags::Ignore => return Ok((Scalar::Text, text.clone())),
            _ => return Err(unknown_tag(node)),
        }
        let timestamps = tag.is_empty() || tag == tag::TIMESTAMP;
        let scalar = match plain(text, rules, timestamps) {
            Scalar::Int(value) if tag == tag::FLOAT => Scalar::Float(value as f64),
            scalar if tag.is_empty() || scalar.tag() == tag => scalar,
            other => {
                return Err(YamlError::Tag {
                    at: position(node),
                    tag: tag.into(),
                    value: text.clone(),
                    found: other.tag(),
                });
            }
        };
        let text = match scalar {
            Scalar::Timestamp if rules == Rules::V3 => {
                timestamp_json(text).map_or_else(|| text.clone(), Text::from)
            }
            _ => text.clone(),
        };
        Ok((scalar, text))
    }

    /// Adds the entries of `node` to `map`.
    ///
    /// `text_keys` says that `map` is one of v3's maps with text keys, whatever the keys of `node`;
    /// `missing_only` that what `map` has is kept, as for v3's merges.
    fn mapping(
        &mut self,
        node: &'a Node,
        map: &mut V::Entries,
        text_keys: bool,
        missing_only: bool,
    ) -> Outcome<()> {
        if self.options.duplicates == Duplicates::Refuse && self.find_duplicates(node) {
            return Ok(());
        }
        let mut merges = Vec::new();
        for (key, value) in node.pairs() {
            if is_merge(key) {
                match self.options.rules {
                    Rules::V2 => self.merge(value, map, text_keys)?,
                    Rules::V3 => merges.push(value),
                }
                continue;
            }
            self.count()?;
            let key = match self.options.rules {
                Rules::V2 => self.v2_key(key, value)?,
                Rules::V3 => match self.v3_key(key, text_keys)? {
                    Some(key) => Some(key),
                    // Nobody looks at the value, either.
                    None => continue,
                },
            };
            let value = self.node(value)?;
            match key {
                Some(key) if missing_only => V::insert_missing(map, key, value),
                Some(key) => V::insert(map, key, value),
                None => {}
            }
        }
        // v3 merges last, and nothing that is written is overwritten.
        for value in merges {
            self.merge(value, map, text_keys)?;
        }
        Ok(())
    }

    fn merge(&mut self, value: &'a Node, map: &mut V::Entries, text_keys: bool) -> Outcome<()> {
        if value.kind != Kind::Sequence {
            return self.merge_one(value, map, text_keys);
        }
        // The first one wins: v2 overwrites, so it goes backwards.
        match self.options.rules {
            Rules::V2 => value
                .content
                .iter()
                .rev()
                .try_for_each(|item| self.merge_one(item, map, text_keys)),
            Rules::V3 => value
                .content
                .iter()
                .try_for_each(|item| self.merge_one(item, map, text_keys)),
        }
    }

    fn merge_one(&mut self, node: &'a Node, map: &mut V::Entries, text_keys: bool) -> Outcome<()> {
        self.count()?;
        let missing_only = self.options.rules == Rules::V3;
        match node.kind {
            Kind::Alias if self.target(node)?.kind == Kind::Mapping => {
                self.expand(node, |resolver, target| {
                    resolver.nested(target, |resolver| {
                        resolver.mapping(target, map, text_keys, missing_only)
                    })
                })
            }
            Kind::Mapping => self.nested(node, |resolver| {
                resolver.mapping(node, map, text_keys, missing_only)
            }),
            _ => Err(YamlError::Merge { at: position(node) }),
        }
    }

    /// The text of a key; `None` when the entry cannot be kept. Numbers and booleans become text.
    fn v2_key(&mut self, node: &'a Node, value: &'a Node) -> Outcome<Option<Text>> {
        let (kind, go) = match node.kind {
            Kind::Alias => {
                return self.expand(node, |resolver, target| resolver.v2_key(target, value));
            }
            Kind::Sequence | Kind::Mapping => {
                let shown = self.shown(node)?;
                return Err(collection_key(
                    node,
                    format!("yaml: invalid map key: {shown}"),
                ));
            }
            Kind::Scalar => match self.resolve_scalar(node)? {
                (Scalar::Text | Scalar::Timestamp, text) => return Ok(Some(text)),
                (Scalar::Int(value), _) => return Ok(Some(value.to_string().into())),
                (Scalar::Bool(true), _) => return Ok(Some(Text::new_static("true"))),
                (Scalar::Bool(false), _) => return Ok(Some(Text::new_static("false"))),
                (Scalar::Float(value), _) => return Ok(Some(float_key(value).into())),
                (Scalar::Null, _) => ("null", "%!s(<nil>), key: <nil>".to_owned()),
                (Scalar::Uint(key), _) => ("number", format!("uint64, key: {key:#x}")),
            },
        };
        if self.bad_key.is_none() {
            let value = match self.shown(value)? {
                nil if nil == NIL => "<nil>".to_owned(),
                value => value,
            };
            self.bad_key = Some(YamlError::Key {
                at: position(node),
                kind,
                go: format!("unsupported map key of type: {go}, value: {value}").into(),
            });
        }
        Ok(None)
    }

    /// What go-yaml v2 decodes, in Go's syntax.
    ///
    /// # Errors
    /// What go-yaml finds inside before it says anything about the whole.
    fn shown(&mut self, node: &'a Node) -> Outcome<String> {
        self.count()?;
        match node.kind {
            Kind::Alias => self.expand(node, Self::shown),
            Kind::Scalar => Ok(match self.resolve_scalar(node)? {
                (Scalar::Null, _) => NIL.to_owned(),
                (Scalar::Bool(value), _) => value.to_string(),
                (Scalar::Int(value), _) => value.to_string(),
                (Scalar::Uint(value), _) => format!("{value:#x}"),
                (Scalar::Float(value), _) => golang::strconv::format_float_g(value),
                (Scalar::Text | Scalar::Timestamp, text) => golang::strconv::quote(&text),
            }),
            Kind::Sequence => self.nested(node, |resolver| {
                let mut shown = Shown::new("[]interface {}");
                for item in &node.content {
                    shown.push(&resolver.shown(item)?);
                }
                Ok(shown.finish())
            }),
            Kind::Mapping => self.nested(node, |resolver| {
                let mut entries = BTreeMap::new();
                resolver.shown_entries(node, &mut entries)?;
                let mut shown = Shown::new("map[interface {}]interface {}");
                for ((_, key), value) in &entries {
                    shown.push(&format!("{key}:{value}"));
                }
                Ok(shown.finish())
            }),
        }
    }

    fn shown_entries(&mut self, node: &'a Node, entries: &mut ShownEntries) -> Outcome<()> {
        for (key, value) in node.pairs() {
            if is_merge(key) {
                let merged = match value.kind {
                    Kind::Sequence => &value.content[..],
                    _ => std::slice::from_ref(value),
                };
                for one in merged.iter().rev() {
                    let target = match one.kind {
                        Kind::Alias => self.target(one)?,
                        _ => one,
                    };
                    if target.kind != Kind::Mapping {
                        return Err(YamlError::Merge { at: position(one) });
                    }
                    self.nested(target, |resolver| resolver.shown_entries(target, entries))?;
                }
                continue;
            }
            let target = match key.kind {
                Kind::Alias => self.target(key)?,
                _ => key,
            };
            let shown = self.shown(key)?;
            if target.kind != Kind::Scalar {
                let go = format!("yaml: invalid map key: {shown}");
                return Err(collection_key(target, go));
            }
            let place = match self.resolve_scalar(target)?.0 {
                Scalar::Int(value) => value,
                _ => 0,
            };
            let value = self.shown(value)?;
            entries.insert((place, shown), value);
        }
        Ok(())
    }

    /// The text of a key; `None` when the entry is left out.
    ///
    /// In a map with text keys every scalar is one, by what is written; in others none can be
    /// written as JSON.
    fn v3_key(&mut self, node: &'a Node, text_keys: bool) -> Outcome<Option<Text>> {
        match node.kind {
            Kind::Alias => self.expand(node, |resolver, target| resolver.v3_key(target, text_keys)),
            Kind::Sequence | Kind::Mapping if text_keys => {
                self.bad_key
                    .get_or_insert_with(|| collection_key(node, String::new()));
                Ok(None)
            }
            Kind::Sequence | Kind::Mapping => Err(collection_key(node, String::new())),
            Kind::Scalar => Ok(match self.resolve_scalar(node)? {
                (Scalar::Null, _) if text_keys => None,
                (Scalar::Text, text) => Some(text),
                _ => Some(node.value.clone()),
            }),
        }
    }

    /// Whether v3 decodes a mapping into a map with text keys.
    fn has_text_keys(&mut self, node: &'a Node) -> Outcome<bool> {
        for (key, _) in node.pairs() {
            let key = match key.kind {
                Kind::Alias => self.target(key)?,
                _ => key,
            };
            if !matches!(key.resolved_tag(), tag::STR | tag::MERGE) {
                self.bad_key.get_or_insert(YamlError::Key {
                    at: position(key),
                    kind: match key.resolved_tag() {
                        tag::NULL => "null",
                        tag::BOOL => "boolean",
                        tag::INT | tag::FLOAT => "number",
                        tag::TIMESTAMP => "time",
                        tag::SEQ => "list",
                        tag::MAP => "map",
                        _ => "tagged text",
                    },
                    go: Box::default(),
                });
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Notes the keys that occur twice in `node`; whether there are any.
    fn find_duplicates(&mut self, node: &'a Node) -> bool {
        /// Up to here comparing all pairs is faster than an ordered map.
        const PAIRWISE_MAX: usize = 12;
        let keys: Vec<(&Node, &Node)> = node.pairs().collect();
        if keys.len() <= PAIRWISE_MAX {
            let repeated = |at: usize| keys[..at].iter().any(|(key, _)| same_key(key, keys[at].0));
            if !(1..keys.len()).any(repeated) {
                return false;
            }
        }
        let mut places = BTreeMap::<_, Vec<usize>>::new();
        for (at, (key, _)) in keys.iter().enumerate() {
            places
                .entry((key.kind as u8, &*key.value))
                .or_default()
                .push(at);
        }
        if places.len() == keys.len() {
            return false;
        }
        for (at, (first, _)) in keys.iter().enumerate() {
            let all = &places[&(first.kind as u8, &*first.value)];
            for &later in all.iter().filter(|&&later| later > at) {
                if self.duplicates.len() >= DUPLICATES_MAX {
                    return true;
                }
                let (key, value) = keys[later];
                self.duplicates.push(DuplicateKey {
                    key: key.value.clone(),
                    at: position(key),
                    first: position(first),
                    value_line: value.line,
                });
            }
        }
        true
    }
}

/// Values in Go's syntax by their keys in the same, numbers in their order.
type ShownEntries = BTreeMap<(i64, String), String>;

/// Go's syntax for no value inside others.
const NIL: &str = "interface {}(nil)";

/// The elements of a list or map in Go's syntax.
struct Shown {
    text: String,
    first: bool,
}

/// Longest list or map that is shown; elements behind that are not.
const SHOWN_MAX: usize = 10_000;

impl Shown {
    fn new(type_name: &str) -> Self {
        let text = format!("{type_name}{{");
        Self { text, first: true }
    }

    fn push(&mut self, element: &str) {
        if self.text.len() + element.len() > SHOWN_MAX {
            return;
        }
        if !std::mem::take(&mut self.first) {
            self.text.push_str(", ");
        }
        self.text.push_str(element);
    }

    fn finish(self) -> String {
        self.text + "}"
    }
}

fn same_key(one: &Node, other: &Node) -> bool {
    one.kind == other.kind && one.value == other.value
}

/// Finds the anchor each alias stands for: the last one of its name before it. Returns the number
/// of nodes.
fn bind_aliases<'a>(
    node: &'a Node,
    anchors: &mut BTreeMap<&'a str, &'a Node>,
    targets: &mut BTreeMap<usize, &'a Node>,
) -> usize {
    if node.kind == Kind::Alias {
        if let Some(target) = anchors.get(&*node.value) {
            targets.insert(std::ptr::from_ref(node) as usize, target);
        }
        return 1;
    }
    if !node.anchor.is_empty() {
        anchors.insert(node.anchor.name(), node);
    }
    let mut count = 1;
    for child in &node.content {
        count += bind_aliases(child, anchors, targets);
    }
    count
}

fn is_merge(key: &Node) -> bool {
    key.kind == Kind::Scalar
        && key.value == "<<"
        && !key.style.is_quoted()
        && matches!(&*key.tag, "" | "!" | tag::MERGE)
}

fn collection_key(node: &Node, go: String) -> YamlError {
    YamlError::Key {
        at: position(node),
        go: go.into(),
        kind: if node.kind == Kind::Sequence {
            "list"
        } else {
            "map"
        },
    }
}

fn position(node: &Node) -> Position {
    Position {
        line: node.line,
        column: node.column,
    }
}

fn unknown_tag(node: &Node) -> YamlError {
    YamlError::Tag {
        at: position(node),
        tag: node.tag.clone(),
        value: node.value.clone(),
        found: "",
    }
}

/// A key that is a float, with the precision of 32 bits.
fn float_key(value: f64) -> String {
    if value.is_finite() {
        golang::strconv::format_float32_g(value as f32)
    } else {
        super::float_text(value)
    }
}

/// Standard base64 with padding; line breaks are ignored. Every byte that is not UTF-8 becomes
/// U+FFFD, as in Go's JSON.
fn decode_base64(text: &str) -> Option<Text> {
    let bytes = golang::base64::decode(text)?;
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Some(text.into())
}
