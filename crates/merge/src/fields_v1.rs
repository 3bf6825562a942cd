//! `fieldsV1`: how a set of fields is stored in an object.

use object::{Map, Node};

use crate::element::{ElementError, PathElement};
use crate::field_set::{Branch, FieldSet};

/// Most fields one stored set may name.
///
/// An object of 1.5 MiB, the most a server stores, has fewer; without a bound a hostile object
/// would cost a multiple of its size in every later write.
pub const FIELDS_MAX: usize = 200_000;

/// Deepest stored set that is read; deeper than any object a server accepts.
pub const DEPTH_MAX: usize = 200;

/// A stored set that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    /// Something else than a map stands where fields should.
    #[error("a set of fields holds a {0} where it needs a map")]
    NotAMap(&'static str),
    /// A key is no path element.
    #[error(transparent)]
    Element(#[from] ElementError),
    /// More than [`FIELDS_MAX`] fields.
    #[error("a set of fields names more than {FIELDS_MAX} fields")]
    TooMany,
    /// Deeper than [`DEPTH_MAX`].
    #[error("a set of fields is deeper than {DEPTH_MAX} levels")]
    TooDeep,
}

impl FieldSet {
    /// Reads a stored set; path elements of types this version does not know are dropped.
    ///
    /// # Errors
    /// [`FieldsError`] when `node` is no stored set or too large.
    ///
    /// # Source
    /// kubernetes-sigs/structured-merge-diff `fieldpath/serialize.go`, at 15d07547.
    pub fn decode(node: &Node) -> Result<Self, FieldsError> {
        let mut left = FIELDS_MAX;
        let (set, _) = decode(node, 0, &mut left)?;
        Ok(set)
    }

    /// The set as it is stored.
    pub fn encode(&self) -> Node {
        Node::Map(encode(self, false))
    }
}

/// The members inside a stored field, and whether it is a member itself.
fn decode(node: &Node, depth: usize, left: &mut usize) -> Result<(FieldSet, bool), FieldsError> {
    let map = match node {
        Node::Map(map) => map,
        Node::Null => return Ok((FieldSet::EMPTY, true)),
        other => return Err(FieldsError::NotAMap(other.type_name())),
    };
    if depth > DEPTH_MAX {
        return Err(FieldsError::TooDeep);
    }
    *left = left.checked_sub(map.len()).ok_or(FieldsError::TooMany)?;
    let mut member = false;
    let mut branches = Vec::with_capacity(map.len());
    for (key, value) in map.iter() {
        if key == "." {
            member = true;
            continue;
        }
        let Some(element) = PathElement::decode(key)? else {
            continue;
        };
        let (below, member) = decode(value, depth + 1, left)?;
        branches.push(Branch {
            element,
            member,
            below,
        });
    }
    let set = FieldSet::from_branches(branches);
    let member = member || set.is_empty();
    Ok((set, member))
}

fn encode(set: &FieldSet, member: bool) -> Map {
    let branches = set.branches();
    let mut map = Map::with_capacity(branches.len() + usize::from(member));
    if member && !branches.is_empty() {
        map.insert(".", Node::map());
    }
    for branch in branches {
        map.insert(
            branch.element.encode(),
            encode(&branch.below, branch.member),
        );
    }
    map
}
