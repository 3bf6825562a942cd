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
    fn list(items: Vec<Self>) -> Self;
    fn map(map: Self::Entries) -> Self;
    /// Sets a key.
    fn insert(map: &mut Self::Entries, key: Text, value: Self);
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
            value: std::marker::PhantomData,
        };
        let value = resolver.node(root)?;
        if resolver.duplicates.is_empty() {
            return Ok(value);
        }
        Err(YamlError::DuplicateKeys {
            keys: resolver.duplicates,
            rules: options.rules,
        })
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
                self.nested(node, |resolver| resolver.mapping(node, &mut map))?;
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

    fn scalar(&self, node: &Node) -> Outcome<V> {
        let (scalar, text) = self.resolve_scalar(node)?;
        if let Scalar::Float(value) = scalar
            && !value.is_finite()
        {
            return Err(YamlError::Number {
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
        Ok(V::scalar(scalar, &text))
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

    fn mapping(&mut self, node: &'a Node, map: &mut V::Entries) -> Outcome<()> {
        if self.options.duplicates == Duplicates::Refuse && self.find_duplicates(node) {
            return Ok(());
        }
        let top = self.depth == 1;
        let mut merges = Vec::new();
        for (key, value) in node.pairs() {
            if is_merge(key) {
                match self.options.rules {
                    Rules::V2 => self.merge(value, map)?,
                    Rules::V3 => merges.push(value),
                }
                continue;
            }
            self.count()?;
            let key = self.key(key, top)?;
            let value = self.node(value)?;
            V::insert(map, key, value);
        }
        // v3 merges last, and nothing that is written is overwritten.
        for value in merges {
            self.merge(value, map)?;
        }
        Ok(())
    }

    fn merge(&mut self, value: &'a Node, map: &mut V::Entries) -> Outcome<()> {
        match value.kind {
            Kind::Sequence => {
                // The first one wins: v2 overwrites, so it goes backwards.
                let overwrites = self.options.rules == Rules::V2;
                for at in 0..value.content.len() {
                    let at = if overwrites {
                        value.content.len() - 1 - at
                    } else {
                        at
                    };
                    self.merge_one(&value.content[at], map)?;
                }
                Ok(())
            }
            _ => self.merge_one(value, map),
        }
    }

    fn merge_one(&mut self, node: &'a Node, map: &mut V::Entries) -> Outcome<()> {
        self.count()?;
        match node.kind {
            Kind::Alias if self.target(node)?.kind == Kind::Mapping => {
                self.expand(node, |resolver, target| resolver.merge_mapping(target, map))
            }
            Kind::Mapping => self.merge_mapping(node, map),
            _ => Err(YamlError::Merge { at: position(node) }),
        }
    }

    fn merge_mapping(&mut self, node: &'a Node, map: &mut V::Entries) -> Outcome<()> {
        match self.options.rules {
            Rules::V2 => self.nested(node, |resolver| resolver.mapping(node, map)),
            Rules::V3 => self.nested(node, |resolver| resolver.merge_missing(node, map)),
        }
    }

    /// v3: adds the keys of `node` that `map` does not have.
    fn merge_missing(&mut self, node: &'a Node, map: &mut V::Entries) -> Outcome<()> {
        if self.options.duplicates == Duplicates::Refuse && self.find_duplicates(node) {
            return Ok(());
        }
        let mut merges = Vec::new();
        for (key, value) in node.pairs() {
            if is_merge(key) {
                merges.push(value);
                continue;
            }
            self.count()?;
            let key = self.key(key, false)?;
            let value = self.node(value)?;
            V::insert_missing(map, key, value);
        }
        for value in merges {
            self.merge(value, map)?;
        }
        Ok(())
    }

    /// The text of a key.
    ///
    /// v2's numbers and booleans become text; v3 does so in the outermost mapping only, as that is
    /// the one decoded into a map of strings, and others cannot be written as JSON.
    fn key(&mut self, node: &'a Node, top: bool) -> Outcome<Text> {
        let kind = match node.kind {
            Kind::Alias => {
                return self.expand(node, |resolver, target| resolver.key(target, top));
            }
            Kind::Sequence => "list",
            Kind::Mapping => "map",
            Kind::Scalar => {
                if self.options.rules == Rules::V3 && top && !node.is_null() {
                    return Ok(node.value.clone());
                }
                let (scalar, text) = self.resolve_scalar(node)?;
                let strings_only = self.options.rules == Rules::V3;
                match scalar {
                    Scalar::Text | Scalar::Merge => return Ok(text),
                    Scalar::Timestamp if !strings_only => return Ok(text),
                    Scalar::Int(value) if !strings_only => return Ok(value.to_string().into()),
                    Scalar::Bool(value) if !strings_only => {
                        return Ok(Text::new_static(if value { "true" } else { "false" }));
                    }
                    Scalar::Float(value) if !strings_only => return Ok(float_key(value).into()),
                    Scalar::Null => "null",
                    Scalar::Bool(_) => "boolean",
                    Scalar::Timestamp => "time",
                    Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_) => "number",
                }
            }
        };
        Err(YamlError::Key {
            at: position(node),
            kind,
        })
    }

    /// Notes the keys that occur twice in `node`; whether there are any.
    fn find_duplicates(&mut self, node: &'a Node) -> bool {
        /// Up to here comparing all pairs is faster than an ordered map.
        const PAIRWISE_MAX: usize = 12;
        let keys = || node.pairs().map(|(key, _)| key);
        let repeated = if node.content.len() <= 2 * PAIRWISE_MAX {
            node.pairs()
                .enumerate()
                .any(|(at, (key, _))| keys().take(at).any(|earlier| same_key(earlier, key)))
        } else {
            let mut seen = std::collections::BTreeSet::new();
            !keys().all(|key| seen.insert((key.kind as u8, &*key.value)))
        };
        if !repeated {
            return false;
        }
        for (at, (first, _)) in node.pairs().enumerate() {
            for (key, value) in node.pairs().skip(at + 1) {
                if same_key(first, key) && self.duplicates.len() < DUPLICATES_MAX {
                    self.duplicates.push(DuplicateKey {
                        key: key.value.clone(),
                        at: position(key),
                        first: position(first),
                        value_line: value.line,
                    });
                }
            }
            if self.duplicates.len() >= DUPLICATES_MAX {
                break;
            }
        }
        true
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
        anchors.insert(&node.anchor, node);
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

/// Standard base64 with padding; line breaks are ignored. Bytes that are not UTF-8 become U+FFFD,
/// as they do in JSON.
fn decode_base64(text: &str) -> Option<Text> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut padding) = (0u32, 0, 0);
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if count % 4 >= 2 => {
                padding += 1;
                count += 1;
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count % 4 == 0 {
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
            bits = 0;
        }
    }
    if count % 4 != 0 || padding > 2 {
        return None;
    }
    match padding {
        1 => bytes.extend_from_slice(&(bits << 6).to_be_bytes()[1..3]),
        2 => bytes.extend_from_slice(&(bits << 12).to_be_bytes()[1..2]),
        _ => {}
    }
    Some(String::from_utf8_lossy(&bytes).into())
}
