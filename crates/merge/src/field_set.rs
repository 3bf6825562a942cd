//! Sets of fields, as a trie of path elements.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::element::{Path, PathElement};
use crate::schema::{Schema, TypeRef};

/// A set of fields of an object.
///
/// A field may be a member together with fields inside it, or without. Subtrees are shared, so a
/// clone is a pointer and set operations copy only what differs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FieldSet(Option<Arc<Vec<Branch>>>);

/// One field of a [`FieldSet`]: a member, or a step towards members, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The step from the parent.
    pub element: PathElement,
    /// Whether the field itself belongs to the set.
    pub member: bool,
    /// The members inside the field.
    pub below: FieldSet,
}

/// Which fields a filter lets through.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Everything from here on.
    All,
    /// Only the children named by one of these; `None` names every child.
    Only(Vec<(Option<PathElement>, Pattern)>),
}

impl FieldSet {
    /// The set without members.
    pub const EMPTY: Self = Self(None);

    /// A set of the branches, which may come in any order; the last of equal ones counts for
    /// what is below, and a field is a member when any of them says so.
    pub(crate) fn from_branches(mut branches: Vec<Branch>) -> Self {
        branches.retain(|branch| branch.member || !branch.below.is_empty());
        if branches.is_empty() {
            return Self::EMPTY;
        }
        if !branches.is_sorted_by(|a, b| a.element < b.element) {
            branches.sort_by(|a, b| a.element.cmp(&b.element));
            branches.dedup_by(|later, first| {
                let equal = later.element == first.element;
                if equal {
                    first.member |= later.member;
                    first.below = first.below.union(&later.below);
                }
                equal
            });
        }
        Self(Some(Arc::new(branches)))
    }

    /// The set of fields named by their keys from the object down.
    pub fn of_fields(paths: &[&[&str]]) -> Self {
        let mut set = Self::EMPTY;
        for path in paths {
            set.insert(&Path::fields(path.iter().copied()).0);
        }
        set
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        let branches = self.branches().iter();
        branches
            .map(|branch| usize::from(branch.member) + branch.below.len())
            .sum()
    }

    /// The fields of this level, in order.
    pub fn branches(&self) -> &[Branch] {
        self.0.as_ref().map_or(&[], |branches| branches)
    }

    /// The branch of `element`.
    pub fn get(&self, element: &PathElement) -> Option<&Branch> {
        let branches = self.branches();
        let found = branches.binary_search_by(|branch| branch.element.cmp(element));
        found.ok().map(|at| &branches[at])
    }

    /// The branch of the field `name`.
    pub fn get_field(&self, name: &str) -> Option<&Branch> {
        let branches = self.branches();
        let found = branches.binary_search_by(|branch| match &branch.element {
            PathElement::Field(field) => field.as_str().cmp(name),
            _ => Ordering::Greater,
        });
        found.ok().map(|at| &branches[at])
    }

    /// Whether the field at `path` is a member; the object itself never is.
    pub fn contains(&self, path: &[PathElement]) -> bool {
        match path {
            [] => false,
            [last] => self.get(last).is_some_and(|branch| branch.member),
            [first, rest @ ..] => self
                .get(first)
                .is_some_and(|branch| branch.below.contains(rest)),
        }
    }

    /// Adds the field at `path`, not its parents; the object itself cannot be added.
    pub fn insert(&mut self, path: &[PathElement]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let branches = Arc::make_mut(self.0.get_or_insert_default());
        let at = match branches.binary_search_by(|branch| branch.element.cmp(first)) {
            Ok(at) => at,
            Err(at) => {
                let branch = Branch {
                    element: first.clone(),
                    member: false,
                    below: Self::EMPTY,
                };
                branches.insert(at, branch);
                at
            }
        };
        if rest.is_empty() {
            branches[at].member = true;
        } else {
            branches[at].below.insert(rest);
        }
    }

    /// Members of either set.
    pub fn union(&self, other: &Self) -> Self {
        let (Some(a), Some(b)) = (&self.0, &other.0) else {
            return if self.is_empty() { other } else { self }.clone();
        };
        if Arc::ptr_eq(a, b) {
            return self.clone();
        }
        let mut out = Vec::with_capacity(a.len().max(b.len()));
        walk(a, b, |a, b| match (a, b) {
            (Some(a), Some(b)) => out.push(Branch {
                element: a.element.clone(),
                member: a.member || b.member,
                below: a.below.union(&b.below),
            }),
            (Some(only), None) | (None, Some(only)) => out.push(only.clone()),
            (None, None) => {}
        });
        Self::from_sorted(out)
    }

    /// Members of both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        let (Some(a), Some(b)) = (&self.0, &other.0) else {
            return Self::EMPTY;
        };
        if Arc::ptr_eq(a, b) {
            return self.clone();
        }
        let mut out = Vec::new();
        walk(a, b, |a, b| {
            if let (Some(a), Some(b)) = (a, b) {
                push(
                    &mut out,
                    &a.element,
                    a.member && b.member,
                    a.below.intersection(&b.below),
                );
            }
        });
        Self::from_sorted(out)
    }

    /// Members of this set that are not members of `other`; a member inside one that goes stays.
    pub fn difference(&self, other: &Self) -> Self {
        self.subtract(other, false)
    }

    /// Members of this set that neither are members of `other` nor lie inside one.
    pub fn recursive_difference(&self, other: &Self) -> Self {
        self.subtract(other, true)
    }

    fn subtract(&self, other: &Self, recursive: bool) -> Self {
        let (Some(a), Some(b)) = (&self.0, &other.0) else {
            return self.clone();
        };
        if Arc::ptr_eq(a, b) {
            return Self::EMPTY;
        }
        let mut out = Vec::new();
        walk(a, b, |a, b| match (a, b) {
            (Some(a), Some(b)) if recursive && b.member => {
                let _ = a;
            }
            (Some(a), Some(b)) => {
                let below = a.below.subtract(&b.below, recursive);
                push(&mut out, &a.element, a.member && !b.member, below);
            }
            (Some(a), None) => out.push(a.clone()),
            (None, _) => {}
        });
        Self::from_sorted(out)
    }

    /// Whether every member is a member of `other` too.
    pub fn is_subset(&self, other: &Self) -> bool {
        let (a, b) = match (&self.0, &other.0) {
            (None, _) => return true,
            (Some(_), None) => return false,
            (Some(a), Some(b)) => (a, b),
        };
        Arc::ptr_eq(a, b) || {
            let mut subset = true;
            walk(a, b, |a, b| match (a, b) {
                (Some(a), Some(b)) => {
                    subset = subset && (!a.member || b.member) && a.below.is_subset(&b.below);
                }
                (Some(_), None) => subset = false,
                (None, _) => {}
            });
            subset
        }
    }

    /// Members without members inside them.
    pub fn leaves(&self) -> Self {
        let branches = self.branches().iter();
        let leaves = branches.map(|branch| Branch {
            element: branch.element.clone(),
            member: branch.member && branch.below.is_empty(),
            below: branch.below.leaves(),
        });
        Self::from_sorted(leaves.collect())
    }

    /// The set with every declared field added that lies on the way to a member.
    pub fn with_named_fields(&self, schema: &Schema, type_ref: TypeRef) -> Self {
        self.with_named_fields_of(schema, Some(type_ref))
    }

    fn with_named_fields_of(&self, schema: &Schema, type_ref: Option<TypeRef>) -> Self {
        let Some(type_ref) = type_ref else {
            return self.clone();
        };
        let atom = schema.atom(type_ref);
        let branches = self.branches().iter().map(|branch| {
            if branch.below.is_empty() {
                return branch.clone();
            }
            let (declared, inner) = match (&branch.element, &atom.map, &atom.list) {
                (PathElement::Field(name), Some(map), _) => match map.field(name) {
                    Some(field) => (true, Some(field.type_ref)),
                    None => (false, map.element),
                },
                (PathElement::Key(_), _, Some(list)) => (false, Some(list.element)),
                _ => (false, None),
            };
            Branch {
                element: branch.element.clone(),
                member: branch.member || declared,
                below: branch.below.with_named_fields_of(schema, inner),
            }
        });
        Self::from_sorted(branches.collect())
    }

    /// Members that `pattern` lets through.
    pub fn filter(&self, pattern: &Pattern) -> Self {
        let Pattern::Only(children) = pattern else {
            return self.clone();
        };
        let mut out = Vec::new();
        for branch in self.branches() {
            let mut matching = children.iter().filter(|(element, _)| {
                element
                    .as_ref()
                    .is_none_or(|element| *element == branch.element)
            });
            if let Some((_, inner)) = matching.next() {
                push(
                    &mut out,
                    &branch.element,
                    branch.member,
                    branch.below.filter(inner),
                );
            }
        }
        Self::from_sorted(out)
    }

    /// All members: those of a level before those inside it.
    pub fn paths(&self) -> Vec<Path> {
        let mut out = Vec::new();
        self.collect_paths(&mut Path::default(), &mut out);
        out
    }

    fn collect_paths(&self, at: &mut Path, out: &mut Vec<Path>) {
        for branch in self.branches().iter().filter(|branch| branch.member) {
            let mut path = at.clone();
            path.0.push(branch.element.clone());
            out.push(path);
        }
        for branch in self.branches() {
            at.0.push(branch.element.clone());
            branch.below.collect_paths(at, out);
            at.0.pop();
        }
    }

    fn from_sorted(branches: Vec<Branch>) -> Self {
        let branches = (!branches.is_empty()).then(|| Arc::new(branches));
        let set = Self(branches);
        debug_assert!(
            set.branches()
                .iter()
                .all(|branch| branch.member || !branch.below.is_empty())
                || set.branches().is_empty()
        );
        set
    }
}

/// Adds a branch unless nothing is left of it.
fn push(out: &mut Vec<Branch>, element: &PathElement, member: bool, below: FieldSet) {
    if member || !below.is_empty() {
        out.push(Branch {
            element: element.clone(),
            member,
            below,
        });
    }
}

/// Calls `visit` with the branches of both lists, paired by element, in order.
fn walk<'a>(
    a: &'a [Branch],
    b: &'a [Branch],
    mut visit: impl FnMut(Option<&'a Branch>, Option<&'a Branch>),
) {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some(a), Some(b)) => a.element.cmp(&b.element),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return,
        };
        let left = order.is_le().then(|| a.next()).flatten();
        let right = order.is_ge().then(|| b.next()).flatten();
        visit(left, right);
    }
}

impl FromIterator<Path> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Path>>(paths: I) -> Self {
        let mut set = Self::EMPTY;
        for path in paths {
            set.insert(&path.0);
        }
        set
    }
}

impl fmt::Display for FieldSet {
    /// One member a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, path) in self.paths().iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            path.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self.paths();
        f.debug_set()
            .entries(paths.iter().map(|path| path.to_string()))
            .finish()
    }
}
