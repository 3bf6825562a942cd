//! PersistentVolumeClaims: bound at once.

use object::{Node, Object};

use crate::view::{View, Writes};

/// What a provisioner would do about one claim.
pub(crate) fn reconcile(_view: &dyn View, claim: &Object) -> Writes {
    let mut writes = Writes::default();
    if claim.is_deleting() {
        return writes;
    }
    let mut status = Node::map();
    status.set(&["phase"], "Bound");
    if let Some(modes) = claim.node.at(&["spec", "accessModes"]) {
        status.set(&["accessModes"], modes.clone());
    }
    if let Some(size) = claim.node.at(&["spec", "resources", "requests", "storage"]) {
        status.set(&["capacity", "storage"], size.clone());
    }
    writes.status("persistentvolumeclaims", claim, status);
    writes
}
