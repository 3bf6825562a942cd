//! JSON merge patches (RFC 7386).

use object::{Map, Node};

/// A merge patch that is no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergePatchError {
    /// `null`.
    #[error("Invalid JSON Patch")]
    Null,
    /// A list or a single value.
    #[error("json: cannot unmarshal {0} into Go value of type map[string]interface {{}}")]
    NotAnObject(&'static str),
}

/// `live` changed by `patch`: maps are merged, null deletes, everything else replaces.
///
/// Nulls in what is new to `live` are dropped, also inside lists; only a list that takes the place
/// of a map comes as it is.
///
/// # Errors
/// When `patch` is no object.
///
/// # Source
/// evanphx/json-patch v4 `merge.go`, as the API server uses it.
pub fn apply(live: &Node, patch: &Node) -> Result<Node, MergePatchError> {
    let kind = match patch {
        Node::Map(patch) => return Ok(merge(live, patch)),
        Node::Null => return Err(MergePatchError::Null),
        Node::List(_) => "array",
        Node::String(_) => "string",
        Node::Bool(_) => "bool",
        Node::Int(_) | Node::Uint(_) | Node::Float(_) => "number",
    };
    Err(MergePatchError::NotAnObject(kind))
}

fn merge(live: &Node, patch: &Map) -> Node {
    let Node::Map(live) = live else {
        return without_nulls(&Node::Map(patch.clone()));
    };
    let deleted = patch.values().any(Node::is_null);
    let mut out = live.clone();
    if deleted {
        out.retain(|key, _| !patch.get(key).is_some_and(Node::is_null));
    }
    for (key, value) in patch.iter() {
        let merged = match (live.get(key), value) {
            (_, Node::Null) => continue,
            (Some(live @ Node::Map(_)), Node::Map(patch)) => merge(live, patch),
            (Some(Node::Map(_)), other) => other.clone(),
            _ => without_nulls(value),
        };
        out.insert(key.clone(), merged);
    }
    out.into()
}

/// The value without map entries that are null, at any depth.
pub(crate) fn without_nulls(node: &Node) -> Node {
    match node {
        Node::Map(map) => {
            let entries = map.iter().filter(|(_, value)| !value.is_null());
            let entries = entries.map(|(key, value)| (key.clone(), without_nulls(value)));
            entries.collect::<Map>().into()
        }
        Node::List(items) => Node::from(items.iter().map(without_nulls).collect::<Vec<_>>()),
        other => other.clone(),
    }
}
