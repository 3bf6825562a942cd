//! Applying a strategic merge patch.

use std::collections::{HashMap, HashSet};

use object::{Map, Node, Text, json};

use super::{StrategicError, StrategicField, StrategicSchema, StrategicType};
use crate::value::{go_plain, go_type};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
const ELEMENT_ORDER: &str = "$setElementOrder";

/// `live` changed by `patch` according to the merge metadata of its kind.
///
/// Maps merge, null deletes, lists merge by their key where the schema says so and are replaced
/// elsewhere. Directives (`$patch`, `$retainKeys`, `$setElementOrder/…`,
/// `$deleteFromPrimitiveList/…`) are obeyed and never stored.
///
/// # Errors
/// [`StrategicError`]; nothing is applied then.
///
/// # Source
/// kubernetes/apimachinery `pkg/util/strategicpatch/patch.go`, at eed236ce.
pub fn apply(
    live: &Node,
    patch: &Node,
    schema: &dyn StrategicSchema,
) -> Result<Node, StrategicError> {
    let Node::Map(patch) = patch else {
        return Err(StrategicError::NotAnObject(match patch {
            Node::List(_) => "array",
            Node::String(_) => "string",
            Node::Bool(_) => "bool",
            Node::Null => return Ok(live.clone()),
            _ => "number",
        }));
    };
    let empty = Map::new();
    let live = live.as_map().unwrap_or(&empty);
    let merge = Merge { schema };
    Ok(merge.maps(live, patch, Some(schema.root()))?.into())
}

struct Merge<'s> {
    schema: &'s dyn StrategicSchema,
}

impl<'s> Merge<'s> {
    fn maps(
        &self,
        live: &Map,
        patch: &Map,
        of: Option<StrategicType>,
    ) -> Result<Map, StrategicError> {
        match patch.get(PATCH) {
            None => {}
            Some(Node::String(word)) if word == "replace" => {
                return Ok(stored_entries(patch));
            }
            Some(Node::String(word)) if word == "delete" => return Ok(Map::new()),
            Some(other) => return Err(unknown_directive(other, patch)),
        }
        let mut out = retain_keys(live, patch)?;
        let ordered = self.ordered_lists(&mut out, patch, of)?;
        let nulls = |key: &str| patch.get(key).is_some_and(Node::is_null);
        if patch.values().any(Node::is_null) {
            out.retain(|key, _| !nulls(key));
        }
        let mut gone = HashSet::new();
        for (key, value) in patch.iter() {
            if key == RETAIN_KEYS
                || key.starts_with(ELEMENT_ORDER)
                || value.is_null()
                || ordered.contains(key.as_str())
            {
                continue;
            }
            let delete = key.starts_with(DELETE_FROM);
            let name = if delete {
                after_slash(key, DELETE_FROM).ok_or(StrategicError::PrimitiveList)?
            } else {
                key
            };
            let merged = match (out.get(name), value) {
                (Some(Node::Map(live)), Node::Map(patch)) if !delete => {
                    let field = self.field(of, name)?;
                    if field.replace {
                        Some(Node::from(stored_entries(patch)))
                    } else {
                        Some(self.maps(live, patch, field.value)?.into())
                    }
                }
                (Some(Node::List(live)), Node::List(patch)) => {
                    let field = self.field(of, name)?;
                    Some(self.lists(live, patch, &field, delete)?)
                }
                _ if delete => continue,
                _ => stored(value),
            };
            match merged {
                Some(node) => {
                    out.insert(name, node);
                }
                None => {
                    gone.insert(name);
                }
            }
        }
        if !gone.is_empty() {
            out.retain(|key, _| !gone.contains(key));
        }
        Ok(out)
    }

    /// Merges the lists that come with an order; returns their names.
    fn ordered_lists<'p>(
        &self,
        out: &mut Map,
        patch: &'p Map,
        of: Option<StrategicType>,
    ) -> Result<HashSet<&'p str>, StrategicError> {
        let mut done = HashSet::new();
        for (key, order) in patch
            .iter()
            .filter(|(key, _)| key.starts_with(ELEMENT_ORDER))
        {
            let order = slice(order)?;
            let name = after_slash(key, ELEMENT_ORDER).ok_or(StrategicError::SetElementOrder)?;
            let patch_items = patch.get(name).filter(|value| !value.is_null());
            let patch_items = patch_items.map(slice).transpose()?;
            let live_items: Option<Vec<Node>> = match out.get(name) {
                Some(value) => Some(slice(value)?.to_vec()),
                None => None,
            };
            let field = self.field(of, name)?;
            check_order(patch_items.unwrap_or_default(), order, field.merge_key)?;
            let merged = match (&live_items, patch_items) {
                (None, None) => continue,
                (Some(live), None) => live.clone(),
                (None, Some(patch)) => patch.iter().filter_map(stored).collect(),
                (Some(live), Some(patch)) => match self.lists(live, patch, &field, false)? {
                    Node::List(items) => items.to_vec(),
                    _ => Vec::new(),
                },
            };
            let live_items = live_items.unwrap_or_default();
            let sorted = in_order(merged, order, &live_items, field.merge_key)?;
            out.insert(name, Node::from(sorted));
            done.insert(name);
        }
        Ok(done)
    }

    fn lists(
        &self,
        live: &[Node],
        patch: &[Node],
        field: &StrategicField<'_>,
        delete: bool,
    ) -> Result<Node, StrategicError> {
        if !field.merge && !delete {
            return Ok(Node::from(
                patch.iter().filter_map(stored).collect::<Vec<_>>(),
            ));
        }
        if live.is_empty() && patch.is_empty() {
            return Ok(Node::List(Default::default()));
        }
        let of_maps = same_types(live, patch)?;
        if !of_maps && delete {
            let gone = Positions::of(patch, None);
            let left = live.iter().filter(|item| gone.get(item).is_none());
            return Ok(Node::from(left.cloned().collect::<Vec<_>>()));
        }
        if !of_maps {
            let merged = distinct(live.iter().chain(patch));
            return Ok(Node::from(in_order(merged, patch, live, None)?));
        }
        let Some(key) = field.merge_key else {
            return Err(StrategicError::UndeclaredMergeKey("struct".to_owned()));
        };
        let (live, patch) = special_items(live, patch, key)?;
        let merged = self.items(&live, &patch, key, field.value)?;
        Ok(Node::from(in_order(merged, &patch, &live, Some(key))?))
    }

    /// Merges items found by their key; new ones come at the end.
    fn items(
        &self,
        live: &[Node],
        patch: &[Node],
        key: &str,
        of: Option<StrategicType>,
    ) -> Result<Vec<Node>, StrategicError> {
        let mut out = live.to_vec();
        let mut places = Positions::of(live, Some(key));
        for item in patch {
            let Node::Map(changes) = item else {
                continue;
            };
            if !changes.contains_key(key) {
                return Err(no_merge_key(changes, key));
            }
            match places.get(item) {
                Some(at) => {
                    let empty = Map::new();
                    let current = out[at].as_map().unwrap_or(&empty);
                    out[at] = self.maps(current, changes, of)?.into();
                }
                None => {
                    places.add(item, out.len());
                    out.extend(stored(item));
                }
            }
        }
        Ok(out)
    }

    fn field(
        &self,
        of: Option<StrategicType>,
        name: &str,
    ) -> Result<StrategicField<'s>, StrategicError> {
        let Some(of) = of else {
            return Err(StrategicError::NotAStruct("map"));
        };
        let field = self.schema.field(of, name);
        field.ok_or_else(|| StrategicError::UnknownField {
            name: self.schema.name(of).to_owned(),
            field: name.to_owned(),
        })
    }
}

/// The live entries that a `$retainKeys` in the patch lets live.
fn retain_keys(live: &Map, patch: &Map) -> Result<Map, StrategicError> {
    let mut out = live.clone();
    let Some(list) = patch.get(RETAIN_KEYS) else {
        return Ok(out);
    };
    let list = list.as_list().ok_or(StrategicError::RetainKeys)?;
    let keys: HashSet<&str> = list.iter().filter_map(Node::as_str).collect();
    let listed = |key: &str, value: &Node| {
        value.is_null()
            || key == RETAIN_KEYS
            || key.starts_with(DELETE_FROM)
            || key.starts_with(ELEMENT_ORDER)
            || keys.contains(key)
    };
    if !patch.iter().all(|(key, value)| listed(key, value)) {
        return Err(StrategicError::RetainKeys);
    }
    out.retain(|key, _| keys.contains(key));
    Ok(out)
}

/// Obeys the items of a patch that are directives; returns the live items left, and the others.
fn special_items(
    live: &[Node],
    patch: &[Node],
    key: &str,
) -> Result<(Vec<Node>, Vec<Node>), StrategicError> {
    let mut plain = Vec::with_capacity(patch.len());
    let mut deleted = Vec::new();
    let mut replace = false;
    for item in patch {
        let Node::Map(map) = item else {
            continue;
        };
        match map.get(PATCH) {
            None => plain.push(item.clone()),
            Some(Node::String(word)) if word == "delete" => {
                if !map.contains_key(key) {
                    return Err(no_merge_key(map, key));
                }
                deleted.push(item.clone());
            }
            Some(Node::String(word)) if word == "replace" => replace = true,
            Some(Node::String(word)) if word == "merge" => {
                return Err(StrategicError::MergeInList);
            }
            Some(other) => return Err(unknown_directive(other, map)),
        }
    }
    if replace {
        let items = plain.iter().filter_map(stored).collect();
        return Ok((items, Vec::new()));
    }
    let gone = Positions::of(&deleted, Some(key));
    let left = live.iter().filter(|item| {
        let has_key = item.get(key).is_some();
        !(has_key && gone.get(item).is_some())
    });
    Ok((left.cloned().collect(), plain))
}

/// The items of a merged list: those named by `order` in that order, the others in the order of
/// `live`, each before the first ordered item that followed it there.
fn in_order(
    merged: Vec<Node>,
    order: &[Node],
    live: &[Node],
    key: Option<&str>,
) -> Result<Vec<Node>, StrategicError> {
    if let Some(key) = key {
        for item in merged.iter().chain(order) {
            match item {
                Node::Map(map) if map.contains_key(key) => {}
                Node::Map(map) => return Err(no_merge_key(map, key)),
                other => return Err(wrong_type("map[string]interface {}", other)),
            }
        }
    }
    let wanted = Positions::of(order, key);
    let server = Positions::of(live, key);
    let (mut named, mut rest): (Vec<Node>, Vec<Node>) = merged
        .into_iter()
        .partition(|item| wanted.get(item).is_some());
    named.sort_by_key(|item| wanted.get(item));
    rest.sort_by_key(|item| server.get(item).unwrap_or(usize::MAX));
    let mut out = Vec::with_capacity(named.len() + rest.len());
    let (mut named, mut rest) = (named.into_iter().peekable(), rest.into_iter().peekable());
    loop {
        let live_first = match (rest.peek(), named.peek()) {
            (Some(rest), Some(named)) => match (server.get(rest), server.get(named)) {
                (Some(rest), Some(named)) => rest < named,
                _ => false,
            },
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return Ok(out),
        };
        out.extend(if live_first {
            rest.next()
        } else {
            named.next()
        });
    }
}

/// Checks that the items of a patch come in the order that the patch itself gives.
fn check_order(patch: &[Node], order: &[Node], key: Option<&str>) -> Result<(), StrategicError> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let identity = |item: &Node| match (key, item) {
        (None, item) => Ok(item.clone()),
        (Some(key), Node::Map(map)) => {
            let value = map.get(key).cloned();
            value.ok_or_else(|| no_merge_key(map, key))
        }
        (Some(_), other) => Err(wrong_type("map[string]interface {}", other)),
    };
    let mut order_items = order.iter();
    for item in patch {
        if key.is_some() && item.get(PATCH).is_some() {
            continue;
        }
        let wanted = identity(item)?;
        let mut found = false;
        for candidate in order_items.by_ref() {
            if identity(candidate)? == wanted {
                found = true;
                break;
            }
        }
        if !found {
            return Err(StrategicError::Order {
                patch: plain(&Node::from(patch.to_vec())),
                order: plain(&Node::from(order.to_vec())),
            });
        }
    }
    Ok(())
}

/// Where items are, by their key or by themselves.
struct Positions<'k> {
    key: Option<&'k str>,
    places: HashMap<Text, usize>,
}

impl<'k> Positions<'k> {
    fn of(items: &[Node], key: Option<&'k str>) -> Self {
        let mut positions = Self {
            key,
            places: HashMap::with_capacity(items.len()),
        };
        for (at, item) in items.iter().enumerate() {
            positions.add(item, at);
        }
        positions
    }

    fn add(&mut self, item: &Node, at: usize) {
        let text = self.text(item);
        self.places.entry(text).or_insert(at);
    }

    fn get(&self, item: &Node) -> Option<usize> {
        self.places.get(&self.text(item)).copied()
    }

    fn text(&self, item: &Node) -> Text {
        let identity = match self.key {
            Some(key) => item.get(key).unwrap_or(&Node::Null),
            None => item,
        };
        json::to_string(identity).into()
    }
}

fn distinct<'n>(items: impl Iterator<Item = &'n Node>) -> Vec<Node> {
    let mut seen = HashSet::new();
    let new = items.filter(|item| seen.insert(json::to_string(item)));
    new.cloned().collect()
}

/// The value as it is stored when it is new: without nulls and directives. `None` for a map that
/// is itself a directive.
fn stored(node: &Node) -> Option<Node> {
    match node {
        Node::Map(map) if map.contains_key(PATCH) => None,
        Node::Map(map) => Some(stored_entries(map).into()),
        Node::List(items) => Some(Node::from(
            items.iter().filter_map(stored).collect::<Vec<_>>(),
        )),
        other => Some(other.clone()),
    }
}

fn stored_entries(map: &Map) -> Map {
    let plain = map.iter().filter(|(key, value)| {
        !value.is_null()
            && *key != PATCH
            && *key != RETAIN_KEYS
            && !key.starts_with(DELETE_FROM)
            && !key.starts_with(ELEMENT_ORDER)
    });
    plain
        .filter_map(|(key, value)| Some((key.clone(), stored(value)?)))
        .collect()
}

/// Whether the items are maps; all have to be of one type.
fn same_types(live: &[Node], patch: &[Node]) -> Result<bool, StrategicError> {
    let mut types = live.iter().chain(patch).map(go_type);
    let first = types.next().unwrap_or("<nil>");
    if first == go_type(&Node::List(Default::default())) {
        return Err(StrategicError::ListOfLists);
    }
    if types.any(|other| other != first) {
        let both = Node::list([Node::from(live.to_vec()), Node::from(patch.to_vec())]);
        return Err(StrategicError::MixedList(plain(&both)));
    }
    Ok(first == go_type(&Node::map()))
}

fn slice(node: &Node) -> Result<&[Node], StrategicError> {
    node.as_list()
        .ok_or_else(|| wrong_type("[]interface {}", node))
}

fn after_slash<'k>(key: &'k str, prefix: &str) -> Option<&'k str> {
    key.strip_prefix(prefix)?.strip_prefix('/')
}

fn unknown_directive(directive: &Node, map: &Map) -> StrategicError {
    StrategicError::PatchType {
        directive: plain(directive),
        map: plain(&Node::Map(map.clone())),
    }
}

fn no_merge_key(map: &Map, key: &str) -> StrategicError {
    StrategicError::NoMergeKey {
        map: plain(&Node::Map(map.clone())),
        key: key.to_owned(),
    }
}

fn wrong_type(expected: &'static str, node: &Node) -> StrategicError {
    StrategicError::ArgumentType {
        expected,
        actual: go_type(node),
    }
}

/// The start of the value as Go prints it.
fn plain(node: &Node) -> String {
    /// Longest value shown in a message.
    const CHARS_MAX: usize = 4096;
    let mut out = String::new();
    go_plain(node, &mut out);
    if let Some((at, _)) = out.char_indices().nth(CHARS_MAX) {
        out.truncate(at);
    }
    out
}
