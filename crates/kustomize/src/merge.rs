//! Strategic merge as the reference does it, which is not as the API server does it.
//!
//! Destination and patch are walked together over the union of their keys. The walk happens in
//! place, and where the patch brings something new the patch's own part is walked as both sides, so
//! that directives and nulls inside it take effect. The treatment of lists with keys is deliberately
//! literal: elements without their key, several keys, and elements that a patch replaces come out as
//! the reference leaves them.
//!
//! # Source
//! kubernetes-sigs/kustomize `kyaml/yaml/merge2`, `kyaml/yaml/walk`, `kyaml/yaml/fns.go`.

use object::Text;
use yaml::{Kind, Node};

use crate::ops;
use crate::schema::{Place, Schema};

/// What became of a place that was walked.
enum Merged {
    /// The destination, changed in place.
    Destination,
    /// The patch's part, changed in place.
    Patch,
    /// Nothing is left.
    Nothing,
    /// A null that the destination holds on purpose.
    KeptNull,
}

/// Merges `patch` into `destination`; `false` when that deletes it.
///
/// # Errors
/// Kinds that do not fit, or an unknown directive; in the reference's words.
pub(crate) fn merge(
    destination: &mut Node,
    mut patch: Node,
    schema: &Schema,
) -> Result<bool, String> {
    let walk = Walk {
        schema,
        new_elements: NewElements::First,
    };
    // At the top a patch that replaces has no effect: the reference drops what the walk gives back.
    let merged = walk.both(destination, Some(&mut patch), None)?;
    Ok(!matches!(merged, Merged::Nothing))
}

/// Merges maps that are no objects: values of charts. New elements of lists with keys go to the end,
/// and a directive at the top has its effect; `None` when that deletes everything.
///
/// # Errors
/// As [`merge`].
pub(crate) fn merge_values(
    mut destination: Node,
    mut patch: Node,
    schema: &Schema,
) -> Result<Option<Node>, String> {
    let walk = Walk {
        schema,
        new_elements: NewElements::Last,
    };
    Ok(match walk.both(&mut destination, Some(&mut patch), None)? {
        Merged::Destination | Merged::KeptNull => Some(destination),
        Merged::Patch => Some(patch),
        Merged::Nothing => None,
    })
}

struct Walk<'a> {
    schema: &'a Schema,
    new_elements: NewElements,
}

/// Where elements that only the patch has go in lists whose elements have keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NewElements {
    First,
    Last,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

impl<'a> Walk<'a> {
    /// Walks a destination that is there, null or not, with the patch's part if it has one.
    fn both(
        &self,
        destination: &mut Node,
        patch: Option<&mut Node>,
        place: Option<Place<'a>>,
    ) -> Result<Merged, String> {
        let place = place
            .or_else(|| self.own_place(destination))
            .or_else(|| self.own_place(patch.as_deref()?));
        let kind = match (&destination, &patch) {
            (destination, _) if !ops::is_null(destination) => Some(destination.kind),
            (_, Some(patch)) if !ops::is_null(patch) => Some(patch.kind),
            _ => None,
        };
        if let Some(kind) = kind {
            ops::expect_kind(destination, kind)?;
            if let Some(patch) = &patch {
                ops::expect_kind(patch, kind)?;
            }
        }
        match kind {
            Some(Kind::Scalar) => Ok(match patch {
                Some(_) => Merged::Patch,
                None => Merged::Destination,
            }),
            Some(Kind::Sequence) => match place.and_then(Place::merge_keys) {
                Some(keys) => {
                    self.keyed_list(destination, patch, &keys, place.and_then(Place::elements))
                }
                None => Ok(match patch {
                    Some(_) => Merged::Patch,
                    None => Merged::Destination,
                }),
            },
            Some(Kind::Alias) => Ok(Merged::Nothing),
            Some(Kind::Mapping) | None => self.map(destination, patch, place),
        }
    }

    /// Walks a part that only the patch has; `fresh` when the destination lacks it, as opposed to
    /// parts below one that the destination lacks.
    fn alone(
        &self,
        part: &mut Node,
        place: Option<Place<'a>>,
        fresh: bool,
    ) -> Result<Merged, String> {
        if ops::is_null(part) {
            return Ok(Merged::Patch);
        }
        let place = place.or_else(|| self.own_place(part));
        match part.kind {
            Kind::Scalar => Ok(Merged::Patch),
            Kind::Sequence => match place.and_then(Place::merge_keys) {
                Some(keys) if fresh => {
                    self.joined_alone(part, &keys, place.and_then(Place::elements))
                }
                Some(keys) => self.lonely_list(part, &keys, place.and_then(Place::elements)),
                None => Ok(Merged::Patch),
            },
            Kind::Mapping => {
                let found = match directive(part) {
                    Err(_) if fresh => Directive::Merge,
                    found => found?,
                };
                if found == Directive::Delete {
                    return Ok(Merged::Nothing);
                }
                self.lonely_fields(part, place)?;
                Ok(Merged::Patch)
            }
            Kind::Alias => Ok(Merged::Nothing),
        }
    }

    /// The schema of an object that says its own kind.
    fn own_place(&self, node: &Node) -> Option<Place<'a>> {
        if ops::is_null(node) {
            return None;
        }
        let kind = node.get("kind").filter(|value| !ops::is_empty(value))?;
        let api_version = node
            .get("apiVersion")
            .filter(|value| !ops::is_empty(value))?;
        self.schema.kind(&api_version.value, &kind.value)
    }

    fn map(
        &self,
        destination: &mut Node,
        patch: Option<&mut Node>,
        place: Option<Place<'a>>,
    ) -> Result<Merged, String> {
        if ops::is_null(destination) {
            let Some(patch) = patch else {
                return Ok(match destination.value.is_empty() {
                    true => Merged::Nothing,
                    false => Merged::KeptNull,
                });
            };
            if !ops::is_null(patch) && directive(patch) == Ok(Directive::Delete) {
                return Ok(Merged::Nothing);
            }
            self.lonely_fields(patch, place)?;
            return Ok(Merged::Patch);
        }
        let mut patch = patch;
        if let Some(patch) = &mut patch {
            if ops::is_null(patch) {
                return Ok(Merged::Nothing);
            }
            match directive(patch)? {
                Directive::Delete => return Ok(Merged::Nothing),
                Directive::Replace => {
                    self.lonely_fields(patch, place)?;
                    return Ok(Merged::Patch);
                }
                Directive::Merge => {}
            }
        }
        for key in field_names(destination, patch.as_deref()) {
            let field_place = place.and_then(|place| place.field(&key));
            let patched = patch.as_deref_mut().and_then(|patch| patch.get_mut(&key));
            match destination.get_mut(&key) {
                Some(field) => match (
                    self.both(field, patched, field_place)?,
                    patch.as_deref_mut(),
                ) {
                    (Merged::Destination | Merged::KeptNull, _) => {}
                    (Merged::Patch, Some(patch)) => {
                        // The patch keeps it: elements of its lists are looked at again.
                        let value = patch.get(&key).cloned().unwrap_or_default();
                        ops::set_field(destination, &key, value)?;
                    }
                    (Merged::Nothing | Merged::Patch, _) => drop(destination.remove(&key)),
                },
                None => {
                    let Some(part) = patched else { continue };
                    if let Merged::Patch = self.alone(part, field_place, true)? {
                        let value = part.clone();
                        let key_style = patch
                            .as_deref()
                            .and_then(|patch| patch.get_pair(&key))
                            .map(|(written, _)| written.style);
                        ops::set_field(destination, &key, value)?;
                        // A new key is written as in the patch.
                        if let (Some(at), Some(style)) = (destination.position(&key), key_style) {
                            destination.content[at].style = style;
                        }
                    }
                }
            }
        }
        Ok(Merged::Destination)
    }

    fn lonely_fields(&self, map: &mut Node, place: Option<Place<'a>>) -> Result<(), String> {
        if map.kind != Kind::Mapping {
            return Ok(());
        }
        let mut gone = Vec::new();
        for (key, value) in map.pairs_mut() {
            let field_place = place.and_then(|place| place.field(&key.value));
            if ops::is_null(value)
                || matches!(self.alone(value, field_place, false)?, Merged::Nothing)
            {
                gone.push(key.value.clone());
            }
        }
        gone.iter().for_each(|key| drop(map.remove(key)));
        Ok(())
    }

    fn keyed_list(
        &self,
        destination: &mut Node,
        patch: Option<&mut Node>,
        keys: &[Text],
        elements: Option<Place<'a>>,
    ) -> Result<Merged, String> {
        if ops::is_null(destination) {
            let Some(patch) = patch else {
                return Ok(Merged::Nothing);
            };
            return self.joined_alone(patch, keys, elements);
        }
        let mut nothing = Vec::new();
        let patched = match patch {
            None => &mut nothing,
            Some(patch) if ops::is_null(patch) => return Ok(Merged::Nothing),
            Some(patch) => match list_directive(patch)? {
                Directive::Delete => return Ok(Merged::Nothing),
                Directive::Replace => return self.joined_alone(patch, keys, elements),
                Directive::Merge => &mut patch.content,
            },
        };
        let mut lists = Lists::new(
            std::mem::take(&mut destination.content),
            Some(std::mem::take(patched)),
        );
        destination.content = self.join(&mut lists, keys, elements)?;
        Ok(Merged::Destination)
    }

    fn lonely_list(
        &self,
        list: &mut Node,
        keys: &[Text],
        elements: Option<Place<'a>>,
    ) -> Result<Merged, String> {
        if list_directive(list)? == Directive::Delete {
            return Ok(Merged::Nothing);
        }
        self.joined_alone(list, keys, elements)
    }

    /// Joins a list with itself, which is what happens to one that only the patch has.
    fn joined_alone(
        &self,
        list: &mut Node,
        keys: &[Text],
        elements: Option<Place<'a>>,
    ) -> Result<Merged, String> {
        let mut lists = Lists::new(std::mem::take(&mut list.content), None);
        list.content = self.join(&mut lists, keys, elements)?;
        Ok(Merged::Patch)
    }

    /// Joins two lists by key: the patch's elements first, merged with their partners, then the rest.
    fn join(
        &self,
        lists: &mut Lists,
        keys: &[Text],
        elements: Option<Place<'a>>,
    ) -> Result<Vec<Node>, String> {
        const PLAIN: &[Text] = &[Text::new_static("")];
        let plain = keys.is_empty();
        let keys = if plain { PLAIN } else { keys };
        let mut tuples = lists.tuples(keys, plain, self.new_elements);
        if keys.len() > 1 {
            unite(&mut tuples);
        }
        let used: Vec<bool> = keys
            .iter()
            .enumerate()
            .map(|(at, _)| tuples.iter().any(|tuple| !tuple[at].is_empty()))
            .collect();
        let any_used = used.contains(&true);
        let valid_keys: Vec<Text> = match any_used {
            true => keys
                .iter()
                .zip(&used)
                .filter(|(_, used)| **used)
                .map(|(key, _)| key.clone())
                .collect(),
            false => keys.to_vec(),
        };
        let mut added: Vec<Slot> = Vec::new();
        for tuple in &tuples {
            let values: Vec<Text> = match any_used {
                true => tuple
                    .iter()
                    .zip(&used)
                    .filter(|(_, used)| **used)
                    .map(|(value, _)| value.clone())
                    .collect(),
                false => tuple.clone(),
            };
            let Some(slot) = self.join_element(lists, &valid_keys, &values, elements)? else {
                lists.delete_own(&valid_keys, &values);
                continue;
            };
            let element = lists.get_mut(&slot);
            if element.kind == Kind::Mapping {
                for (key, value) in valid_keys.iter().zip(&values) {
                    if !value.is_empty() && element.get(key).is_none() {
                        ops::set_field(element, key, Node::scalar(value.clone()))?;
                    }
                }
            }
            lists.put(&mut added, Some(slot), &valid_keys, &values);
        }
        if tuples.is_empty() {
            return Ok(std::mem::take(&mut lists.own));
        }
        let own = lists.own_order().into_iter().map(Slot::Own).collect();
        let (mut added, rest) = match self.new_elements {
            NewElements::First => (added, own),
            NewElements::Last => (own, added),
        };
        for slot in rest {
            self.append(lists, &mut added, slot, &valid_keys)?;
        }
        Ok(added.iter().map(|slot| lists.get(slot).clone()).collect())
    }

    /// Adds an element of the destination, in the place of one with the same keys.
    ///
    /// # Errors
    /// An element that is no map in a list whose elements have keys.
    fn append(
        &self,
        lists: &Lists,
        added: &mut Vec<Slot>,
        slot: Slot,
        keys: &[Text],
    ) -> Result<(), String> {
        let element = lists.get(&slot);
        if keys[0].is_empty() {
            let value = vec![element.value.clone()];
            lists.put(added, Some(slot), &[Text::new_static("")], &value);
            return Ok(());
        }
        ops::expect_kind(element, Kind::Mapping)?;
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            match element.get(key) {
                Some(value) => values.push(value.value.clone()),
                None => added.push(slot),
            }
        }
        if keys.len() > 1 {
            lists.put(added, None, keys, &values);
        }
        lists.put(added, Some(slot), keys, &values);
        Ok(())
    }

    /// Merges the elements with these keys; `None` when nothing is left of them.
    fn join_element(
        &self,
        lists: &mut Lists,
        keys: &[Text],
        values: &[Text],
        elements: Option<Place<'a>>,
    ) -> Result<Option<Slot>, String> {
        let (keys, values) = narrowed(keys, values);
        let own = lists
            .own_live()
            .find(|at| matches_all(&lists.own[*at], &keys, &values));
        if lists.same {
            let Some(at) = own else { return Ok(None) };
            let merged = self.alone(&mut lists.own[at], elements, false)?;
            let left = !matches!(merged, Merged::Nothing) && !is_nothing(&lists.own[at]);
            return Ok(left.then_some(Slot::Own(at)));
        }
        let patch =
            (0..lists.patch.len()).find(|at| matches_all(&lists.patch[*at], &keys, &values));
        let slot = match (own, patch) {
            (None, None) => return Ok(None),
            (Some(own), patch) => {
                let Lists {
                    own: all,
                    patch: patches,
                    ..
                } = lists;
                match self.both(&mut all[own], patch.map(|at| &mut patches[at]), elements)? {
                    Merged::Destination | Merged::KeptNull => Slot::Own(own),
                    Merged::Patch => {
                        Slot::Patch(patch.expect("only a patch that is there is taken"))
                    }
                    Merged::Nothing => return Ok(None),
                }
            }
            (None, Some(patch)) => match self.alone(&mut lists.patch[patch], elements, true)? {
                Merged::Nothing => return Ok(None),
                _ => Slot::Patch(patch),
            },
        };
        Ok((!is_nothing(lists.get(&slot))).then_some(slot))
    }
}

fn is_nothing(node: &Node) -> bool {
    ops::is_null(node) || (node.kind == Kind::Mapping && node.content.is_empty())
}

/// The lists that are joined; elements are known by their places, so that one that is changed in
/// one role is changed in all.
struct Lists {
    own: Vec<Node>,
    /// Which of the destination's elements are no longer in it; what was merged from one lives on.
    deleted: Vec<bool>,
    patch: Vec<Node>,
    /// Both are the same list.
    same: bool,
}

/// An element by its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    Own(usize),
    Patch(usize),
}

impl Lists {
    /// The destination's elements and the patch's; `None` joins a list with itself.
    fn new(own: Vec<Node>, patch: Option<Vec<Node>>) -> Self {
        Self {
            deleted: vec![false; own.len()],
            own,
            same: patch.is_none(),
            patch: patch.unwrap_or_default(),
        }
    }

    fn get(&self, slot: &Slot) -> &Node {
        match slot {
            Slot::Own(at) => &self.own[*at],
            Slot::Patch(at) => &self.patch[*at],
        }
    }

    fn get_mut(&mut self, slot: &Slot) -> &mut Node {
        match slot {
            Slot::Own(at) => &mut self.own[*at],
            Slot::Patch(at) => &mut self.patch[*at],
        }
    }

    /// Places of the destination's elements that were not deleted.
    fn own_live(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.own.len()).filter(|at| !self.deleted[*at])
    }

    fn own_order(&self) -> Vec<usize> {
        self.own_live().collect()
    }

    /// The keys' values of every element, those of new elements where these go, without repetition.
    fn tuples(&self, keys: &[Text], plain: bool, new: NewElements) -> Vec<Vec<Text>> {
        let mut tuples: Vec<Vec<Text>> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let (first, rest) = match new {
            NewElements::First => (&self.patch, &self.own),
            NewElements::Last => (&self.own, &self.patch),
        };
        for element in first.iter().chain(rest) {
            let tuple: Vec<Text> = match plain {
                true => vec![element.value.clone()],
                false => keys
                    .iter()
                    .map(|key| {
                        let field = element.get(key).filter(|value| !ops::is_empty(value));
                        field.map_or_else(Text::default, |value| value.value.clone())
                    })
                    .collect(),
            };
            if seen.insert(tuple.clone()) {
                tuples.push(tuple);
            }
        }
        tuples
    }

    /// Removes elements with these keys from the destination, as [`Lists::put`] would.
    fn delete_own(&mut self, keys: &[Text], values: &[Text]) {
        let all: Vec<Slot> = self.own_order().into_iter().map(Slot::Own).collect();
        for _ in keys {
            let mut kept = all.clone();
            self.put(&mut kept, None, keys, values);
            for slot in &all {
                if !kept.contains(slot)
                    && let Slot::Own(at) = slot
                {
                    self.deleted[*at] = true;
                }
            }
        }
    }

    /// Puts `element` in the place of what has these keys, or at the end; without one, removes that.
    fn put(&self, list: &mut Vec<Slot>, element: Option<Slot>, keys: &[Text], values: &[Text]) {
        let for_maps = keys.first().is_some_and(|key| !key.is_empty())
            && values.first().is_some_and(|value| !value.is_empty());
        let mut found_any = false;
        let mut kept = Vec::with_capacity(list.len() + 1);
        for slot in list.drain(..) {
            let node = self.get(&slot);
            if is_nothing(node) {
                continue;
            }
            if node.kind != Kind::Mapping && for_maps {
                kept.push(slot);
                continue;
            }
            let found = !values.is_empty() && has_all(node, keys, values);
            if !found {
                if !values.is_empty() {
                    kept.push(slot);
                }
                continue;
            }
            found_any = true;
            kept.extend(element);
        }
        *list = kept;
        if let Some(element) = element
            && !found_any
        {
            list.push(element);
        }
    }
}

/// Whether the node has every key, with its value where one is given; an empty value matches any.
fn has_all(node: &Node, keys: &[Text], values: &[Text]) -> bool {
    let mut last = false;
    for (at, key) in keys.iter().enumerate() {
        if let Some(value) = values.get(at) {
            last = match key.is_empty() {
                true => node.kind == Kind::Scalar && node.value == *value,
                false => node
                    .get(key)
                    .is_some_and(|field| value.is_empty() || field.value == *value),
            };
        }
        if !last {
            return false;
        }
    }
    true
}

/// Whether the node has every key with exactly its value.
fn matches_all(node: &Node, keys: &[Text], values: &[Text]) -> bool {
    if keys[0].is_empty() {
        return values.first().is_some_and(|value| node.value == *value);
    }
    node.kind == Kind::Mapping
        && keys
            .iter()
            .zip(values)
            .all(|(key, value)| node.get(key).is_some_and(|field| field.value == *value))
}

/// Keys without value are not looked at, unless all are.
fn narrowed(keys: &[Text], values: &[Text]) -> (Vec<Text>, Vec<Text>) {
    if values.iter().all(|value| value.is_empty()) {
        return (keys.to_vec(), values.to_vec());
    }
    let pairs = keys
        .iter()
        .zip(values)
        .filter(|(_, value)| !value.is_empty());
    pairs
        .map(|(key, value)| (key.clone(), value.clone()))
        .unzip()
}

/// Makes tuples that agree in one key and do not contradict each other in the others the same.
fn unite(tuples: &mut [Vec<Text>]) {
    for i in 0..tuples.len() {
        let first = tuples[i].clone();
        for j in 0..tuples.len() {
            if let Some(united) = united(&first, &tuples[j]) {
                tuples[i] = united.clone();
                tuples[j] = united;
            }
        }
    }
}

fn united(a: &[Text], b: &[Text]) -> Option<Vec<Text>> {
    let mut common = false;
    let mut united = Vec::with_capacity(a.len());
    for (a, b) in a.iter().zip(b) {
        if a == b {
            common = true;
        } else if !a.is_empty() && !b.is_empty() {
            return None;
        }
        united.push(if a.is_empty() { b.clone() } else { a.clone() });
    }
    common.then_some(united)
}

fn field_names(a: &Node, b: Option<&Node>) -> Vec<Text> {
    let of = |node: &Node| {
        node.pairs()
            .map(|(key, _)| key.value.clone())
            .collect::<Vec<_>>()
    };
    let mut names = of(a);
    names.extend(b.map(of).unwrap_or_default());
    names.sort_unstable();
    names.dedup();
    names
}

/// Takes a map's directive out.
fn directive(map: &mut Node) -> Result<Directive, String> {
    if map.kind == Kind::Sequence {
        return list_directive(map);
    }
    let Some(value) = map.get("$patch") else {
        return Ok(Directive::Merge);
    };
    let found = read_directive(&value.value)?;
    map.remove("$patch");
    Ok(found)
}

/// Takes a list's directive out: an element that holds nothing else.
fn list_directive(list: &mut Node) -> Result<Directive, String> {
    let at = list
        .content
        .iter()
        .position(|item| item.get("$patch").is_some());
    let Some(at) = at.filter(|at| list.content[*at].content.len() <= 2) else {
        return Ok(Directive::Merge);
    };
    let word = list.content[at]
        .get("$patch")
        .expect("found just above")
        .value
        .clone();
    let found = read_directive(&word)?;
    list.content.retain(|item| {
        !is_nothing(item) && item.get("$patch").is_none_or(|value| value.value != word)
    });
    Ok(found)
}

fn read_directive(word: &str) -> Result<Directive, String> {
    match word {
        "merge" => Ok(Directive::Merge),
        "replace" => Ok(Directive::Replace),
        "delete" => Ok(Directive::Delete),
        other => Err(format!("unknown patch strategy '{other}'")),
    }
}
