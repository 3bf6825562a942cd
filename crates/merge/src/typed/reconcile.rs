//! Fitting a set of fields to a schema that changed since it was written.

use crate::element::PathElement;
use crate::field_set::{Branch, FieldSet};
use crate::schema::{MapType, ObjectType, TypeRef};

impl ObjectType {
    /// `fields` with whatever lies inside a value that is atomic now replaced by that value.
    ///
    /// `None` when nothing has to change. The other direction needs nothing: an owner of a whole
    /// value stays owner of the place.
    pub fn reconcile(&self, fields: &FieldSet) -> Option<FieldSet> {
        self.reconcile_below(fields, self.root())
    }

    fn reconcile_below(&self, fields: &FieldSet, type_ref: TypeRef) -> Option<FieldSet> {
        let atom = self.schema().atom(type_ref);
        let mut out: Option<Vec<Branch>> = None;
        for (at, branch) in fields.branches().iter().enumerate() {
            if branch.below.is_empty() {
                continue;
            }
            let inner = match (&branch.element, &atom.map, &atom.list) {
                (_, Some(map), _) if self.is_deduced(map) => None,
                (PathElement::Field(name), Some(map), _) => map.value_type(name),
                (_, Some(map), _) => map.element,
                (_, None, Some(list)) if atom.scalar.is_none() => Some(list.element),
                _ => None,
            };
            let Some(inner) = inner else {
                continue;
            };
            let changed = if self.is_atomic_now(inner) {
                Some(Branch {
                    element: branch.element.clone(),
                    member: true,
                    below: FieldSet::EMPTY,
                })
            } else {
                let below = self.reconcile_below(&branch.below, inner);
                below.map(|below| Branch {
                    below,
                    ..branch.clone()
                })
            };
            if let Some(changed) = changed {
                out.get_or_insert_with(|| fields.branches().to_vec())[at] = changed;
            }
        }
        out.map(FieldSet::from_branches)
    }

    fn is_atomic_now(&self, type_ref: TypeRef) -> bool {
        let atom = self.schema().atom(type_ref);
        match (&atom.map, atom.scalar, &atom.list) {
            (Some(map), _, _) => map.is_atomic() && !self.is_deduced(map),
            (None, None, Some(list)) => list.is_atomic(),
            _ => false,
        }
    }

    /// Maps without a schema of their own keep what was recorded.
    fn is_deduced(&self, map: &MapType) -> bool {
        let Some(element) = map.element else {
            return false;
        };
        map.declared().is_empty()
            && (element == TypeRef::DEDUCED || {
                let atom = self.schema().atom(element);
                atom.scalar == Some(crate::schema::Scalar::Untyped)
                    && atom.map.is_none()
                    && atom.list.is_none()
            })
    }
}
