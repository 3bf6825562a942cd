//! Who has to be looked at when an object came, changed or went.

use component::catalog::Catalog;
use object::{Object, ObjectKey};

use super::Objects;

/// Who has to be looked at when an object came, changed or went, without the object itself.
///
/// Each key once, in no particular order. An answer too many costs a look; one too few would leave
/// an object waiting for ever.
pub fn dependents(changed: &Object, catalog: &Catalog, objects: &dyn Objects) -> Vec<ObjectKey> {
    let _ = (changed, catalog, objects);
    Vec::new()
}
