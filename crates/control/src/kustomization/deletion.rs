//! Cleaning up after a deleted unit.

use api::{DeletionPolicy, Kustomization};
use plan::{Entry, Inventory};

/// What to clean up after a deleted unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleanup {
    /// Objects to delete if they carry the unit's labels, in order; empty to leave everything.
    pub objects: Vec<Entry>,
    /// Whether the deletion waits until they are gone, up to the unit's timeout.
    pub wait: bool,
}

/// Decides what to clean up after a deleted unit.
///
/// A suspended unit leaves everything. The deletion was the wish, so no brake holds it.
pub fn cleanup(unit: &Kustomization) -> Cleanup {
    let delete = !unit.suspend
        && match unit.deletion_policy {
            DeletionPolicy::MirrorPrune => unit.prune,
            DeletionPolicy::Delete | DeletionPolicy::WaitForTermination => true,
            DeletionPolicy::Orphan => false,
        };
    let inventory = &unit.status.inventory;
    let inventory = Inventory::read(inventory.iter().map(|(id, v)| (id.as_str(), v.as_str())));
    let everything = plan::make(Vec::new(), &inventory, &plan::Options::default());
    let objects = match (delete, everything) {
        (true, Ok(plan)) => plan.stale,
        _ => Vec::new(),
    };
    Cleanup {
        objects,
        wait: unit.deletion_policy == DeletionPolicy::WaitForTermination,
    }
}
