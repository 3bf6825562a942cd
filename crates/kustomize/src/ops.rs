//! Reading and changing syntax trees with the habits of the reference's own library.
//!
//! The habits that show in output: a field that is set keeps the *style* it had and takes the new
//! *tag*; `null` means absent in most places; and values that one label or annotation transformer
//! created in several fields of an object stay *one* value: changing it in one field changes it in
//! all. The reference shares one node between those fields; we mark the copies with the same
//! [`Node::anchor`], which is free once aliases are expanded, and [`unify`] carries changes over.
//!
//! # Source
//! kubernetes-sigs/kustomize `kyaml/yaml/fns.go`, `kyaml/yaml/rnode.go`.

use std::collections::{BTreeMap, HashMap};

use object::Text;
use yaml::{Kind, Node, ResolveOptions, Style, tag};

/// Begins the anchor of values that are shared between fields; no parsed anchor can hold it.
const SHARE: char = '\u{1}';

/// Most parts of a field path, so that what a path creates stays as shallow as what is read.
pub(crate) const PATH_PARTS_MAX: usize = 128;

/// # Errors
/// A path of too many parts.
pub(crate) fn check_path(parts: usize) -> Result<(), String> {
    match parts > PATH_PARTS_MAX {
        true => Err(format!("field path has more than {PATH_PARTS_MAX} parts")),
        false => Ok(()),
    }
}

/// Number of nodes and of levels of a tree.
pub(crate) fn measure(node: &Node) -> (usize, usize) {
    let children = node.content.iter().map(measure);
    let (nodes, levels) = children.fold((0, 0), |(nodes, levels), child| {
        (nodes + child.0, levels.max(child.1))
    });
    (nodes + 1, levels + 1)
}

/// Whether the node is tagged as null, however it is written.
pub(crate) fn is_null(node: &Node) -> bool {
    node.tag == tag::NULL
}

/// Whether the node is a null, or a list or map without content.
pub(crate) fn is_empty(node: &Node) -> bool {
    is_null(node) || (node.kind != Kind::Scalar && node.content.is_empty())
}

/// The text of a node, empty for null.
pub(crate) fn text_of(node: &Node) -> &str {
    if is_null(node) { "" } else { &node.value }
}

/// Whether a scalar is text, or not yet known to be anything else.
pub(crate) fn is_text(node: &Node) -> bool {
    node.kind == Kind::Scalar && (node.tag == tag::STR || node.tag.is_empty())
}

/// Whether YAML 1.1 reads `text` as something other than text.
pub(crate) fn reads_as_other_type(text: &str) -> bool {
    let starts_like_one =
        text.starts_with(|c: char| c.is_ascii_digit() || "+-.~yYnNtTfFoO<=".contains(c));
    starts_like_one
        && !text.contains('\n')
        && yaml::to_value(&Node::scalar(text), &ResolveOptions::default())
            .is_ok_and(|value| !matches!(value, object::Node::String(_)))
}

/// Quotes a text that would be read as something else.
pub(crate) fn quote_if_misread(value: &mut Node) {
    if is_text(value) && value.style == Style::PLAIN && reads_as_other_type(&value.value) {
        value.style = Style::DOUBLE_QUOTED;
    }
}

/// A text, in quotes if it would be read as something else.
pub(crate) fn text_node(text: Text) -> Node {
    let mut node = Node::string(text);
    quote_if_misread(&mut node);
    node
}

/// Overwrites a scalar, which keeps its style; a null `value` changes nothing.
///
/// # Errors
/// When `node` is a list or a map.
pub(crate) fn set_scalar(node: &mut Node, mut value: Node) -> Result<(), String> {
    expect_kind(node, Kind::Scalar)?;
    if is_null(&value) {
        return Ok(());
    }
    value.style = node.style;
    overwrite(node, value);
    Ok(())
}

/// Sets a field of a map; an existing field keeps its style, a null `value` removes the field.
///
/// # Errors
/// When `map` is something else.
pub(crate) fn set_field(map: &mut Node, name: &str, mut value: Node) -> Result<(), String> {
    expect_kind(map, Kind::Mapping)?;
    if is_null(map) {
        return Ok(());
    }
    if is_null(&value) {
        map.remove(name);
        return Ok(());
    }
    quote_if_misread(&mut value);
    match map.get_mut(name) {
        Some(existing) => {
            value.style = existing.style;
            overwrite(existing, value);
        }
        None => append_field(map, name, value),
    }
    Ok(())
}

/// Puts `value` in the place of `node`, which stays shared with what it was shared with.
pub(crate) fn overwrite(node: &mut Node, mut value: Node) {
    value.anchor = std::mem::take(&mut node.anchor);
    *node = value;
}

/// Adds a field at the end of a map that does not have it. A null becomes a map.
pub(crate) fn append_field(map: &mut Node, name: &str, value: Node) {
    if map.kind != Kind::Mapping {
        *map = Node::mapping([]);
    }
    map.content.push(Node::scalar(name));
    map.content.push(value);
}

/// The map under `name`, created when it is missing.
///
/// # Errors
/// When `map` is something else.
pub(crate) fn map_entry<'a>(map: &'a mut Node, name: &str) -> Result<&'a mut Node, String> {
    expect_kind(map, Kind::Mapping)?;
    if map.position(name).is_none() {
        append_field(map, name, Node::mapping([]));
    }
    Ok(map.get_mut(name).expect("added just above"))
}

/// # Errors
/// When `node` is neither null nor of `kind`, in the reference's words.
pub(crate) fn expect_kind(node: &Node, kind: Kind) -> Result<(), String> {
    if is_null(node) || node.kind == kind {
        return Ok(());
    }
    let contents = emit(node);
    Err(format!(
        "wrong node kind: expected {} but got {}: node contents:\n{contents}",
        kind_name(kind),
        kind_name(node.kind)
    ))
}

/// A tree as the reference writes it in between, without our marks.
pub(crate) fn emit(node: &Node) -> String {
    let mut plain = node.clone();
    strip_marks(&mut plain);
    yaml::emit(&[plain], &yaml::EmitOptions::default())
}

fn strip_marks(node: &mut Node) {
    node.anchor = Default::default();
    node.content.iter_mut().for_each(strip_marks);
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Scalar => "ScalarNode",
        Kind::Sequence => "SequenceNode",
        Kind::Mapping => "MappingNode",
        Kind::Alias => "AliasNode",
    }
}

/// The entries of `metadata.labels` or `metadata.annotations` as text.
pub(crate) fn metadata_map(object: &Node, field: &str) -> BTreeMap<Text, Text> {
    let mut entries = BTreeMap::new();
    let Some(map) = object
        .get("metadata")
        .filter(|meta| !is_empty(meta))
        .and_then(|meta| meta.get(field))
    else {
        return entries;
    };
    for (key, value) in map.pairs() {
        entries.insert(key.value.clone(), value.value.clone());
    }
    entries
}

/// Writes `metadata.labels` or `metadata.annotations` anew, all as text; removes it when empty.
pub(crate) fn set_metadata_map(object: &mut Node, field: &str, entries: &BTreeMap<Text, Text>) {
    let Ok(meta) = map_entry(object, "metadata") else {
        return;
    };
    meta.remove(field);
    if entries.is_empty() {
        return;
    }
    let pairs = entries
        .iter()
        .map(|(key, value)| (Node::scalar(key.clone()), text_node(value.clone())));
    let map = Node::mapping(pairs);
    append_field(meta, field, map);
}

/// Values shared between fields of one object, by their mark.
pub(crate) type Shared = HashMap<Text, (Text, Text, Style)>;

/// The mark of the `number`th value that several fields of an object share.
pub(crate) fn share_mark(number: usize) -> Text {
    Text::from(format!("{SHARE}{number}"))
}

/// Carries changes of shared values over to all fields that share them; the last change wins.
pub(crate) fn unify(object: &mut Node, known: &mut Shared) {
    let mut changed = Shared::new();
    find_changed(object, known, &mut changed);
    if !changed.is_empty() {
        spread(object, &changed);
        known.extend(changed);
    }
}

fn find_changed(node: &Node, known: &mut Shared, changed: &mut Shared) {
    if node.anchor.name().starts_with(SHARE) {
        let now = (node.value.clone(), node.tag.clone(), node.style);
        match known.get(node.anchor.name()) {
            Some(before) if *before != now => drop(changed.insert(node.anchor.name().clone(), now)),
            Some(_) => {}
            None => drop(known.insert(node.anchor.name().clone(), now)),
        }
    }
    for child in &node.content {
        find_changed(child, known, changed);
    }
}

fn spread(node: &mut Node, changed: &Shared) {
    if node.anchor.name().starts_with(SHARE)
        && let Some((value, tag, style)) = changed.get(node.anchor.name())
    {
        node.value = value.clone();
        node.tag = tag.clone();
        node.style = *style;
    }
    for child in &mut node.content {
        spread(child, changed);
    }
}

/// Why aliases and merge keys were not replaced, in the reference's words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExpandError {
    /// Aliases make the document too large.
    #[error("yaml: document contains excessive aliasing")]
    ExcessiveAliasing,
    /// No such anchor came before.
    #[error("yaml: unknown anchor '{0}' referenced")]
    UnknownAnchor(Text),
    /// Two merge keys in one map.
    #[error("duplicate merge key")]
    DuplicateMergeKey,
    /// A merge key that has neither a map nor a list of maps.
    #[error("map merge requires map or sequence of maps as the value")]
    MergeOfNoMap,
}

/// Replaces aliases by copies of what they stand for and applies merge keys.
///
/// # Errors
/// A merge key that is repeated or has no map, or a document that grows beyond `nodes_max` nodes.
pub(crate) fn expand(document: &mut Node, nodes_max: usize) -> Result<(), ExpandError> {
    let mut budget = nodes_max;
    expand_node(document, &mut HashMap::new(), &mut budget)
}

/// The node an anchor names: the one that was begun last.
enum Anchored {
    /// It is being read; the number says by whom.
    Open(usize),
    Read(Node),
}

fn expand_node(
    node: &mut Node,
    anchors: &mut HashMap<Text, Anchored>,
    budget: &mut usize,
) -> Result<(), ExpandError> {
    if node.kind == Kind::Alias {
        let Some(Anchored::Read(target)) = anchors.get(&node.value) else {
            return Err(ExpandError::UnknownAnchor(node.value.clone()));
        };
        let size = count(target);
        *budget = budget
            .checked_sub(size)
            .ok_or(ExpandError::ExcessiveAliasing)?;
        *node = target.clone();
        return Ok(());
    }
    let anchor = std::mem::take(&mut node.anchor).name().clone();
    let opened = *budget;
    if !anchor.is_empty() {
        *budget = budget
            .checked_sub(1)
            .ok_or(ExpandError::ExcessiveAliasing)?;
        anchors.insert(anchor.clone(), Anchored::Open(opened));
    }
    for child in &mut node.content {
        expand_node(child, anchors, budget)?;
    }
    if node.kind == Kind::Mapping && node.pairs().any(|(key, _)| key.tag == tag::MERGE) {
        apply_merge_key(node)?;
    }
    // The same anchor may have begun again inside.
    if !anchor.is_empty()
        && matches!(anchors.get(&anchor), Some(Anchored::Open(by)) if *by == opened)
    {
        anchors.insert(anchor, Anchored::Read(node.clone()));
    }
    Ok(())
}

fn count(node: &Node) -> usize {
    1 + node.content.iter().map(count).sum::<usize>()
}

fn apply_merge_key(map: &mut Node) -> Result<(), ExpandError> {
    let mut own = Vec::with_capacity(map.content.len());
    let mut merged: Option<Node> = None;
    let mut content = std::mem::take(&mut map.content).into_iter();
    while let (Some(key), Some(value)) = (content.next(), content.next()) {
        if key.tag != tag::MERGE {
            own.push((key, value));
        } else if merged.replace(value).is_some() {
            return Err(ExpandError::DuplicateMergeKey);
        }
    }
    let sources = match merged {
        Some(source) if source.kind == Kind::Mapping => vec![source],
        Some(list) if list.kind == Kind::Sequence => list.content,
        _ => return Err(ExpandError::MergeOfNoMap),
    };
    // The first source that has a key wins, and the map's own keys win over all.
    for source in sources.into_iter().rev() {
        if source.kind != Kind::Mapping {
            return Err(ExpandError::MergeOfNoMap);
        }
        put_all(
            map,
            source
                .pairs()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
    }
    put_all(map, own.into_iter());
    Ok(())
}

fn put_all(map: &mut Node, pairs: impl Iterator<Item = (Node, Node)>) {
    for (key, value) in pairs {
        match map.position(&key.value) {
            Some(at) => {
                map.content[at] = key;
                map.content[at + 1] = value;
            }
            None => map.content.extend([key, value]),
        }
    }
}
