//! The fields a value sets.

use object::{Map, Node};

use super::{Form, Items};
use crate::element::PathElement;
use crate::field_set::{Branch, FieldSet};
use crate::schema::{ListType, MapType, ObjectType, TypeRef};

/// Stands for list items that pruning has emptied: they have no name left, yet keep the list that
/// holds them from counting as empty. Never stored.
const UNNAMED: PathElement = PathElement::Index(i64::MIN);

impl ObjectType {
    /// Every leaf and list item that `node` mentions.
    ///
    /// Items that share a key count as one member with nothing inside it.
    pub fn fields(&self, node: &Node) -> FieldSet {
        self.fields_of(node, self.root()).below
    }

    /// What a value sets: itself, or fields inside it.
    fn fields_of(&self, node: &Node, type_ref: TypeRef) -> Fields {
        match self.schema().atom(type_ref).form_of(node) {
            Form::Scalar(_) => Fields::LEAF,
            Form::List(list) if list.is_atomic() => Fields::LEAF,
            Form::Map(map) if map.is_atomic() => Fields::LEAF,
            Form::List(list) => match node {
                Node::List(items) => self.fields_of_items(items, list),
                _ => Fields::NONE,
            },
            Form::Map(map) => match node {
                Node::Map(entries) => self.fields_of_entries(entries, map),
                _ => Fields::NONE,
            },
            Form::Nothing => Fields::NONE,
        }
    }

    fn fields_of_items(&self, nodes: &[Node], list: &ListType) -> Fields {
        let items = Items::of(self.schema(), list, nodes);
        let branches = items.in_order.iter().map(|(element, node)| {
            let unique = items.places(element).count == 1;
            Branch {
                element: element.clone(),
                member: true,
                below: if unique {
                    self.fields_of(node, list.element).below
                } else {
                    FieldSet::EMPTY
                },
            }
        });
        let mut branches: Vec<Branch> = branches.collect();
        if items.in_order.len() < nodes.len() {
            branches.push(Branch {
                element: UNNAMED,
                member: true,
                below: FieldSet::EMPTY,
            });
        }
        Fields::inside(branches)
    }

    fn fields_of_entries(&self, entries: &Map, map: &MapType) -> Fields {
        let branches = entries.iter().filter_map(|(key, value)| {
            let field = map.field(key);
            let inner = field.map(|field| field.type_ref).or(map.element)?;
            let set = self.fields_of(value, inner);
            let empty = match value {
                Node::Null => true,
                Node::Map(entries) => entries.is_empty(),
                _ => false,
            };
            Some(Branch {
                element: PathElement::Field(key.clone()),
                member: set.member || empty || field.is_none(),
                below: set.below,
            })
        });
        Fields::inside(branches.collect())
    }
}

/// The fields set by a value whose own path is not known here.
struct Fields {
    member: bool,
    below: FieldSet,
}

impl Fields {
    const LEAF: Self = Self {
        member: true,
        below: FieldSet::EMPTY,
    };
    const NONE: Self = Self {
        member: false,
        below: FieldSet::EMPTY,
    };

    fn inside(branches: Vec<Branch>) -> Self {
        Self {
            member: false,
            below: FieldSet::from_branches(branches),
        }
    }
}
