//! What differs between two values.

use object::{Map, Node};

use super::{Fit, Form, Items};
use crate::element::PathElement;
use crate::field_set::{Branch, FieldSet};
use crate::schema::{ListType, MapType, ObjectType, TypeRef};
use crate::value::{same, shared, zip};

/// The fields that differ between an old and a new value; no field is in two of the sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Only in the old value.
    pub removed: FieldSet,
    /// In both, and different.
    pub modified: FieldSet,
    /// Only in the new value.
    pub added: FieldSet,
}

impl Comparison {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.removed.is_empty() && self.modified.is_empty() && self.added.is_empty()
    }

    /// The same without what `change` takes out of each set.
    pub(crate) fn map(self, change: impl Fn(&FieldSet) -> FieldSet) -> Self {
        Self {
            removed: change(&self.removed),
            modified: change(&self.modified),
            added: change(&self.added),
        }
    }
}

impl ObjectType {
    /// What differs from `old` to `new`.
    pub fn compare(&self, old: &Node, new: &Node) -> Comparison {
        let difference = self.difference(Some(old), Some(new), self.root());
        Comparison {
            removed: difference.removed.below,
            modified: difference.modified.below,
            added: difference.added.below,
        }
    }

    fn difference(&self, old: Option<&Node>, new: Option<&Node>, type_ref: TypeRef) -> Difference {
        if let (Some(old), Some(new)) = (old, new)
            && shared(old, new)
        {
            return Difference::default();
        }
        let atom = self.schema().atom(type_ref);
        let (old_fit, new_fit) = (Fit::of(atom, old), Fit::of(atom, new));
        let (fit, other) = match (old, new) {
            (_, None) => (old_fit, None),
            (Some(_), Some(_)) if old_fit != new_fit => (new_fit, Some(old_fit)),
            _ => (new_fit, None),
        };
        let (mut difference, leaf) = self.difference_as(old, new, atom.form(fit));
        if !leaf && old.is_none() {
            difference.added.member = true;
        } else if !leaf && new.is_none() {
            difference.removed.member = true;
        }
        if let Some(other) = other {
            let (as_old, _) = self.difference_as(old, new, atom.form(other));
            difference = difference.union(as_old);
        }
        difference
    }

    /// The difference, and whether the values were compared as a whole.
    fn difference_as(
        &self,
        old: Option<&Node>,
        new: Option<&Node>,
        form: Form<'_>,
    ) -> (Difference, bool) {
        match form {
            Form::Scalar(_) => (Difference::of_leaf(old, new), true),
            Form::List(list) => {
                let items = |node: Option<&Node>| match node {
                    Some(Node::List(items)) => items.clone(),
                    _ => Default::default(),
                };
                let (old_items, new_items) = (items(old), items(new));
                if list.is_atomic() || (old_items.is_empty() && new_items.is_empty()) {
                    return (Difference::of_leaf(old, new), true);
                }
                (
                    self.difference_of_items(&old_items, &new_items, list),
                    false,
                )
            }
            Form::Map(map) => {
                let entries = |node: Option<&Node>| match node {
                    Some(Node::Map(entries)) => entries.clone(),
                    _ => Map::new(),
                };
                let (old_entries, new_entries) = (entries(old), entries(new));
                if map.is_atomic() || (old_entries.is_empty() && new_entries.is_empty()) {
                    return (Difference::of_leaf(old, new), true);
                }
                (
                    self.difference_of_entries(&old_entries, &new_entries, map),
                    false,
                )
            }
            Form::Nothing => (Difference::default(), false),
        }
    }

    fn difference_of_entries(&self, old: &Map, new: &Map, map: &MapType) -> Difference {
        let mut inside = Inside::default();
        for (key, old, new) in zip(old, new) {
            let Some(inner) = map.value_type(key) else {
                continue;
            };
            let difference = self.difference(old, new, inner);
            if !difference.is_empty() {
                inside.push(&PathElement::field(key), difference);
            }
        }
        inside.finish()
    }

    fn difference_of_items(&self, old: &[Node], new: &[Node], list: &ListType) -> Difference {
        let old = Items::of(self.schema(), list, old);
        let new = Items::of(self.schema(), list, new);
        let mut inside = Inside::default();
        for (at, (element, node)) in old.in_order.iter().enumerate() {
            let (before, after) = (old.places(element), new.places(element));
            if before.first != Some(at) {
                continue;
            }
            let counterpart = after.first.map(|at| new.in_order[at].1);
            let difference = match (before.count, after.count) {
                (1, 0 | 1) => self.difference(Some(node), counterpart, list.element),
                (1, _) => {
                    let mut gone = self.difference(Some(node), None, list.element);
                    gone.added.member = true;
                    gone
                }
                (_, 0 | 1) => {
                    let mut single = match counterpart {
                        Some(_) => self.difference(None, counterpart, list.element),
                        None => Difference::default(),
                    };
                    single.removed.member = true;
                    single
                }
                _ => {
                    let mut both = Difference::default();
                    let (before, after) = (old.all(element), new.all(element));
                    both.modified.member = before.len() != after.len()
                        || !before.iter().zip(&after).all(|(a, b)| same(a, b));
                    both
                }
            };
            inside.push(element, difference);
        }
        for (at, (element, node)) in new.in_order.iter().enumerate() {
            let places = new.places(element);
            if places.first != Some(at) || old.contains(element) {
                continue;
            }
            let difference = if places.count == 1 {
                self.difference(None, Some(node), list.element)
            } else {
                let mut added = Difference::default();
                added.added.member = true;
                added
            };
            inside.push(element, difference);
        }
        inside.finish()
    }
}

/// What differs at one place and below it.
#[derive(Default)]
struct Difference {
    removed: Marked,
    modified: Marked,
    added: Marked,
}

/// A place that may be a member, and the members below it.
#[derive(Default)]
struct Marked {
    member: bool,
    below: FieldSet,
}

/// Collects the differences of the children of one place.
#[derive(Default)]
struct Inside {
    removed: Vec<Branch>,
    modified: Vec<Branch>,
    added: Vec<Branch>,
}

impl Difference {
    fn of_leaf(old: Option<&Node>, new: Option<&Node>) -> Self {
        let mut difference = Self::default();
        match (old, new) {
            (None, _) => difference.added.member = true,
            (_, None) => difference.removed.member = true,
            (Some(old), Some(new)) => difference.modified.member = !same(old, new),
        }
        difference
    }

    fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.modified.is_empty() && self.added.is_empty()
    }

    fn union(self, other: Self) -> Self {
        Self {
            removed: self.removed.union(other.removed),
            modified: self.modified.union(other.modified),
            added: self.added.union(other.added),
        }
    }
}

impl Marked {
    fn is_empty(&self) -> bool {
        !self.member && self.below.is_empty()
    }

    fn union(self, other: Self) -> Self {
        Self {
            member: self.member || other.member,
            below: self.below.union(&other.below),
        }
    }
}

impl Inside {
    fn push(&mut self, element: &PathElement, difference: Difference) {
        let sides = [
            (&mut self.removed, difference.removed),
            (&mut self.modified, difference.modified),
            (&mut self.added, difference.added),
        ];
        for (branches, marked) in sides {
            if !marked.is_empty() {
                branches.push(Branch {
                    element: element.clone(),
                    member: marked.member,
                    below: marked.below,
                });
            }
        }
    }

    fn finish(self) -> Difference {
        let below = |branches| Marked {
            member: false,
            below: FieldSet::from_branches(branches),
        };
        Difference {
            removed: below(self.removed),
            modified: below(self.modified),
            added: below(self.added),
        }
    }
}
