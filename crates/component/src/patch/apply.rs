//! Finds the places of an operation and changes them.

use object::{Map, Node, Text};

use super::path::{Segment, parse};
use super::{Dialect, Operation, PatchError, PatchErrorKind, Verb};

/// Applies one operation; on an error `object` stays as it was.
///
/// # Errors
/// [`PatchError`]
pub fn apply(object: &mut Node, operation: &Operation, dialect: Dialect) -> Result<(), PatchError> {
    let fail = |kind| PatchError {
        verb: operation.verb,
        path: operation.path.clone(),
        kind,
    };
    let segments = parse(&operation.path).map_err(|error| fail(PatchErrorKind::Path(error)))?;
    let value = operation.value.clone().unwrap_or_default();
    if operation.verb == Verb::MergeShallow && value.as_map().is_none() {
        let found = value.type_name();
        return Err(fail(PatchErrorKind::ValueNoMap { found }));
    }
    let places = match expanded(object, &segments, dialect) {
        Ok(places) => places,
        // Seed-era merges go on when there is nothing to merge into.
        Err(PatchErrorKind::NoMatch { .. }) if operation.verb == Verb::MergeShallow => {
            return Ok(());
        }
        Err(kind) => return Err(fail(kind)),
    };
    let mut changed = object.clone();
    for place in places.iter().rev() {
        change(&mut changed, place, operation.verb, &value).map_err(fail)?;
    }
    *object = changed;
    Ok(())
}

/// The paths without filters that a path means in `object`, as JSON pointers in the order of the
/// object; a path without filters means itself, whether it is there or not.
///
/// # Errors
/// For what is no path, and for filters that match nothing.
pub fn expand(object: &Node, path: &str, dialect: Dialect) -> Result<Vec<String>, PatchErrorKind> {
    let segments = parse(path).map_err(PatchErrorKind::Path)?;
    let places = expanded(object, &segments, dialect)?;
    Ok(places.iter().map(|place| pointer(place)).collect())
}

fn pointer(place: &[Segment]) -> String {
    place.iter().map(|segment| format!("/{segment}")).collect()
}

fn expanded(
    object: &Node,
    segments: &[Segment],
    dialect: Dialect,
) -> Result<Vec<Vec<Segment>>, PatchErrorKind> {
    // Each place so far with what is there.
    let mut places: Vec<(Vec<Segment>, Option<&Node>)> = vec![(Vec::new(), Some(object))];
    for segment in segments {
        if !matches!(segment, Segment::Filter { .. } | Segment::Every) {
            for (place, node) in &mut places {
                *node = node.and_then(|node| child(node, segment));
                place.push(segment.clone());
            }
            continue;
        }
        let mut next = Vec::new();
        for (place, node) in &places {
            let node = node.filter(|node| !node.is_null());
            let items = match (node.and_then(|node| node.as_list()), dialect) {
                (_, Dialect::Legacy) if *segment == Segment::Every => {
                    return Err(PatchErrorKind::Path(super::PathError::Brackets(
                        "[*]".into(),
                    )));
                }
                (Some(items), _) => items,
                (None, Dialect::Legacy) => continue,
                (None, Dialect::Current) => {
                    return Err(PatchErrorKind::NoList {
                        at: pointer(place),
                        found: node.map_or("absent", Node::type_name),
                        segment: segment.to_string(),
                    });
                }
            };
            for (at, item) in items.iter().enumerate() {
                if matches(item, segment) {
                    let mut place = place.clone();
                    place.push(Segment::Index(at));
                    next.push((place, Some(item)));
                }
            }
        }
        if next.is_empty() {
            return Err(no_match(&places, segment));
        }
        places = next;
    }
    Ok(places.into_iter().map(|(place, _)| place).collect())
}

fn child<'a>(node: &'a Node, segment: &Segment) -> Option<&'a Node> {
    match (node, segment) {
        (Node::List(items), Segment::Index(at)) => items.get(*at),
        (Node::Map(map), Segment::Key(key)) => map.get(key),
        _ => None,
    }
}

/// The text that a filter compares: numbers and booleans as they are printed, null as nothing.
fn field(item: &Node, keys: &[Text]) -> Option<Text> {
    match keys.iter().try_fold(item, |node, key| node.get(key))? {
        Node::String(text) => Some(text.clone()),
        Node::Null => Some(Text::default()),
        Node::List(_) | Node::Map(_) => None,
        scalar => Some(object::json::to_string(scalar).into()),
    }
}

fn matches(item: &Node, segment: &Segment) -> bool {
    match segment {
        Segment::Filter { field: keys, value } => field(item, keys).as_ref() == Some(value),
        _ => true,
    }
}

fn no_match(places: &[(Vec<Segment>, Option<&Node>)], segment: &Segment) -> PatchErrorKind {
    let lists = places
        .iter()
        .filter_map(|(_, node)| node.and_then(|node| node.as_list()));
    let items = || lists.clone().flatten();
    let mut found: Vec<Text> = match segment {
        Segment::Filter { field: keys, .. } => {
            items().filter_map(|item| field(item, keys)).collect()
        }
        _ => Vec::new(),
    };
    if found.is_empty() {
        let names = items().filter_map(|item| item.str_at(&["name"]));
        found = names.map(Text::from).collect();
    }
    found.dedup();
    PatchErrorKind::NoMatch {
        at: places
            .first()
            .map_or_else(String::new, |(place, _)| pointer(place)),
        filter: segment.to_string(),
        found,
    }
}

/// Changes one place, whose segments are keys, positions and ends.
fn change(
    object: &mut Node,
    place: &[Segment],
    verb: Verb,
    value: &Node,
) -> Result<(), PatchErrorKind> {
    let (last, parents) = place.split_last().expect("a path has a segment");
    let creates = matches!(verb, Verb::Add | Verb::MergeShallow);
    let mut node = object;
    for (at, segment) in parents.iter().enumerate() {
        let here = || pointer(&place[..at]);
        node = match (node, segment) {
            (Node::Map(map), Segment::Key(key)) => {
                let missing = map.get(key).is_none_or(Node::is_null);
                if missing && !creates {
                    return Err(no_such_key(map, key, here()));
                }
                let child = map.entry(key);
                if missing {
                    *child = container(&place[at + 1], || pointer(&place[..=at]))?;
                }
                child
            }
            (Node::List(items), segment) => {
                let items = std::sync::Arc::make_mut(items);
                let (index, length) = (position(segment, here)?, items.len());
                items
                    .get_mut(index)
                    .ok_or_else(|| PatchErrorKind::OutOfRange {
                        at: here(),
                        index,
                        length,
                    })?
            }
            (other, segment) => return Err(unfit(other, segment, here())),
        };
    }
    let here = || pointer(parents);
    match node {
        Node::Map(map) => {
            let Segment::Key(key) = last else {
                return Err(unfit(&Node::Map(map.clone()), last, here()));
            };
            match verb {
                Verb::Add => {
                    map.insert(key.clone(), value.clone());
                }
                Verb::Replace if !map.contains_key(key) => {
                    return Err(no_such_key(map, key, here()));
                }
                Verb::Replace => {
                    map.insert(key.clone(), value.clone());
                }
                Verb::Remove => {
                    map.remove(key);
                }
                Verb::MergeShallow => merge(map.entry(key), value),
            }
        }
        Node::List(items) => {
            let items = std::sync::Arc::make_mut(items);
            let length = items.len();
            if *last == Segment::End && verb == Verb::Add {
                items.push(value.clone());
                return Ok(());
            }
            let index = position(last, here)?;
            if index >= length {
                return Err(PatchErrorKind::OutOfRange {
                    at: here(),
                    index,
                    length,
                });
            }
            match verb {
                Verb::Add => items.insert(index, value.clone()),
                Verb::Replace => items[index] = value.clone(),
                Verb::Remove => {
                    items.remove(index);
                }
                Verb::MergeShallow => merge(&mut items[index], value),
            }
        }
        other => return Err(unfit(other, last, here())),
    }
    Ok(())
}

/// What has to be made so that `next` can be inside it.
fn container(next: &Segment, at: impl Fn() -> String) -> Result<Node, PatchErrorKind> {
    match next {
        Segment::End => Ok(Node::List(Default::default())),
        // Nobody knows what the items before it should be.
        Segment::Index(_) => Err(PatchErrorKind::NoList {
            at: at(),
            found: "absent",
            segment: next.to_string(),
        }),
        _ => Ok(Node::map()),
    }
}

fn merge(target: &mut Node, value: &Node) {
    match (target, value) {
        (Node::Map(target), Node::Map(value)) => {
            let entries = value
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()));
            target.extend(entries);
        }
        (target, value) => *target = value.clone(),
    }
}

fn position(segment: &Segment, at: impl Fn() -> String) -> Result<usize, PatchErrorKind> {
    match segment {
        Segment::Index(index) => Ok(*index),
        Segment::End => Err(PatchErrorKind::EndOfList { at: at() }),
        other => Err(PatchErrorKind::NoMap {
            at: at(),
            found: "list",
            key: other.to_string(),
        }),
    }
}

fn no_such_key(map: &Map, key: &Text, at: String) -> PatchErrorKind {
    PatchErrorKind::NoSuchKey {
        at,
        key: key.to_string(),
        found: map.keys().cloned().collect(),
    }
}

/// `segment` cannot be inside `node`, which is no list.
fn unfit(node: &Node, segment: &Segment, at: String) -> PatchErrorKind {
    let found = node.type_name();
    match segment {
        Segment::Key(key) => PatchErrorKind::NoMap {
            at,
            found,
            key: key.to_string(),
        },
        other => PatchErrorKind::NoList {
            at,
            found,
            segment: other.to_string(),
        },
    }
}
