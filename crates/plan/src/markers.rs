//! Labels and annotations that say how an object is treated.

use object::Object;

const PREFIX: &str = "kustomize.toolkit.fluxcd.io";

/// Whose objects these are: name and namespace of the unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Name of the unit.
    pub name: String,
    /// Namespace of the unit.
    pub namespace: String,
}

impl Owner {
    /// Whether an object carries this owner's labels.
    pub fn owns(&self, object: &Object) -> bool {
        object.label(&format!("{PREFIX}/name")) == Some(&*self.name)
            && object.label(&format!("{PREFIX}/namespace")) == Some(&*self.namespace)
    }
}

/// Whether a marker is set to a value, as a label or an annotation, in any case.
fn marked(object: &Object, marker: &str, value: &str) -> bool {
    let key = format!("{PREFIX}/{marker}");
    let set = |found: Option<&str>| found.is_some_and(|found| found.eq_ignore_ascii_case(value));
    set(object.label(&key)) || set(object.annotation(&key))
}

/// Whether an object is left alone in every way.
pub(crate) fn is_ignored(object: &Object) -> bool {
    marked(object, "reconcile", "disabled") || marked(object, "ssa", "ignore")
}

/// Whether an object is only ever created.
pub(crate) fn only_if_absent(object: &Object) -> bool {
    marked(object, "ssa", "ifnotpresent")
}

/// Whether fields of other managers stay.
pub(crate) fn merges(object: &Object) -> bool {
    marked(object, "ssa", "merge")
}

/// Whether an object may be created again.
pub(crate) fn may_recreate(object: &Object) -> bool {
    marked(object, "force", "enabled")
}

/// Whether an object survives leaving the source.
pub(crate) fn survives_pruning(object: &Object) -> bool {
    marked(object, "prune", "disabled") || is_ignored(object)
}
