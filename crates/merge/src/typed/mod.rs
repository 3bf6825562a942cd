//! Values seen through their type: checked, turned into sets of fields, compared, merged, pruned.
//!
//! # Source
//! kubernetes-sigs/structured-merge-diff `typed`, v6.4.2 at 15d07547.

mod compare;
mod fields;
mod merge;
mod reconcile;
mod remove;
mod validate;

pub use compare::Comparison;
pub use validate::{Duplicates, TypeError, TypeErrors};

use std::collections::HashMap;

use object::{Node, Text};

use crate::element::PathElement;
use crate::schema::{Atom, ListRelationship, ListType, MapType, Scalar, Schema};
use crate::value::go_quote;

/// The form that a value takes, or should take, among those its type allows.
#[derive(Clone, Copy)]
enum Form<'s> {
    Scalar(Scalar),
    List(&'s ListType),
    Map(&'s MapType),
    /// The type allows nothing at all.
    Nothing,
}

/// Which forms of a type fit a value: one when the value decides, else all that the type has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Scalar,
    List,
    Map,
    Undecided,
}

impl Fit {
    fn of(atom: &Atom, node: Option<&Node>) -> Self {
        match node {
            Some(Node::List(_)) if atom.list.is_some() => Self::List,
            Some(Node::Map(_)) if atom.map.is_some() => Self::Map,
            Some(Node::Bool(_) | Node::Int(_) | Node::Float(_) | Node::String(_))
                if atom.scalar.is_some() =>
            {
                Self::Scalar
            }
            _ => Self::Undecided,
        }
    }
}

impl Atom {
    /// The form for a fit; the undecided take the first of map, scalar, list.
    fn form(&self, fit: Fit) -> Form<'_> {
        let map = self.map.as_ref().map(Form::Map);
        let scalar = self.scalar.map(Form::Scalar);
        let list = self.list.as_ref().map(Form::List);
        let form = match fit {
            Fit::Scalar => scalar,
            Fit::List => list,
            Fit::Map => map,
            Fit::Undecided => map.or(scalar).or(list),
        };
        form.unwrap_or(Form::Nothing)
    }

    fn form_of(&self, node: &Node) -> Form<'_> {
        self.form(Fit::of(self, Some(node)))
    }
}

/// Names an item of a keyed list or set; `None` when it has no name, see [`item_complaint`].
fn item_element(schema: &Schema, list: &ListType, item: &Node) -> Option<PathElement> {
    let keys = match &list.relationship {
        ListRelationship::Atomic => return None,
        ListRelationship::Set => {
            let single = !matches!(item, Node::Map(_) | Node::List(_) | Node::Null);
            return single.then(|| PathElement::Value(item.clone()));
        }
        ListRelationship::Associative(keys) => keys,
    };
    let values = |key| {
        Some((
            Text::clone(key),
            key_value(schema, list, item, key)?.clone(),
        ))
    };
    let element = PathElement::key(keys.iter().filter_map(values));
    let named = !matches!(&element, PathElement::Key(fields) if fields.is_empty());
    named.then_some(element)
}

/// The value of a key field of an item, or the field's default.
fn key_value<'n>(
    schema: &'n Schema,
    list: &ListType,
    item: &'n Node,
    key: &str,
) -> Option<&'n Node> {
    let map = item.as_map()?;
    map.get(key).or_else(|| {
        let element = schema.atom(list.element).map.as_ref()?;
        let default = element.field(key)?.default.as_ref();
        default.filter(|default| !default.is_null())
    })
}

/// Why an item of a keyed list or set has no name; `None` when it has one.
fn item_complaint(schema: &Schema, list: &ListType, item: &Node) -> Option<String> {
    let complaint = match (&list.relationship, item) {
        (ListRelationship::Atomic, _) => "invalid indexing of non-associative list",
        (ListRelationship::Set, Node::Map(_)) => {
            "associative list without keys has an element that's a map type"
        }
        (ListRelationship::Set, Node::List(_)) => {
            "not supported: associative list with lists as elements"
        }
        (ListRelationship::Set, Node::Null) => {
            "associative list without keys has an element that's an explicit null"
        }
        (ListRelationship::Set, _) => return None,
        (ListRelationship::Associative(_), Node::Null) => {
            "associative list with keys may not have a null element"
        }
        (ListRelationship::Associative(keys), Node::Map(_)) => {
            if keys
                .iter()
                .any(|key| key_value(schema, list, item, key).is_some())
            {
                return None;
            }
            let keys: Vec<_> = keys.iter().map(|key| go_quote(key)).collect();
            return Some(format!(
                "associative list with keys has an element that omits all key fields [{}] \
                 (and doesn't have default values for any key fields)",
                keys.join(" ")
            ));
        }
        (ListRelationship::Associative(_), _) => {
            "associative list with keys may not have non-map elements"
        }
    };
    Some(complaint.to_owned())
}

/// The items of a keyed list or set, found by their element.
///
/// Items without an element are left out: a checked value has none.
struct Items<'n> {
    in_order: Vec<(PathElement, &'n Node)>,
    index: Option<HashMap<ElementKey, Vec<usize>>>,
}

/// An element's text, to look it up by.
type ElementKey = Text;

impl<'n> Items<'n> {
    /// Items up to which a scan beats an index; lists of containers, ports and variables are
    /// shorter, and a hostile list of 100,000 must not cost its square.
    const SCAN_MAX: usize = 16;

    fn of(schema: &Schema, list: &ListType, nodes: &'n [Node]) -> Self {
        let in_order: Vec<_> = nodes
            .iter()
            .filter_map(|node| Some((item_element(schema, list, node)?, node)))
            .collect();
        let index = (in_order.len() > Self::SCAN_MAX).then(|| {
            let mut index: HashMap<ElementKey, Vec<usize>> = HashMap::new();
            for (at, (element, _)) in in_order.iter().enumerate() {
                index.entry(lookup_key(element)).or_default().push(at);
            }
            index
        });
        Self { in_order, index }
    }

    /// Places of the items with this element, in order.
    fn places(&self, element: &PathElement) -> Places {
        match &self.index {
            Some(index) => {
                let found = index
                    .get(&lookup_key(element))
                    .map_or(&[][..], Vec::as_slice);
                Places {
                    first: found.first().copied(),
                    count: found.len(),
                }
            }
            None => {
                let mut found =
                    (0..self.in_order.len()).filter(|&at| self.in_order[at].0 == *element);
                let first = found.next();
                Places {
                    first,
                    count: usize::from(first.is_some()) + found.count(),
                }
            }
        }
    }

    fn contains(&self, element: &PathElement) -> bool {
        self.places(element).first.is_some()
    }

    /// All items with this element.
    fn all(&self, element: &PathElement) -> Vec<&'n Node> {
        match &self.index {
            Some(index) => {
                let found = index
                    .get(&lookup_key(element))
                    .map_or(&[][..], Vec::as_slice);
                found.iter().map(|&at| self.in_order[at].1).collect()
            }
            None => {
                let items = self.in_order.iter();
                let equal = items.filter(|(other, _)| other == element);
                equal.map(|(_, node)| *node).collect()
            }
        }
    }
}

/// Where items with one element are.
struct Places {
    first: Option<usize>,
    count: usize,
}

/// Equal elements have equal texts, also when one writes a number as a float.
fn lookup_key(element: &PathElement) -> ElementKey {
    let whole = |node: &Node| match node {
        Node::Float(_) => node.as_i64().map_or_else(|| node.clone(), Node::Int),
        other => other.clone(),
    };
    match element {
        PathElement::Key(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), whole(value)));
            PathElement::key(fields).encode()
        }
        PathElement::Value(value) => PathElement::Value(whole(value)).encode(),
        other => other.encode(),
    }
}
