//! Which objects that left the source are deleted.

use object::{Object, ObjectKey};

use crate::inventory::Entry;
use crate::{Options, markers};

/// What a server knows of an object that left the source.
#[derive(Clone, Debug)]
pub struct LiveStale {
    /// The entry of the inventory.
    pub entry: Entry,
    /// The object as it is; `None` when a read said that it is not there.
    pub live: Option<Object>,
    /// Whether something that people would miss is in it: objects in a namespace or of a
    /// definition, data in a volume.
    pub has_content: bool,
}

/// One object to delete.
#[derive(Clone, Debug, PartialEq)]
pub struct Deletion {
    /// The live object; its UID and version are preconditions.
    pub live: Object,
    /// Whether something that people would miss goes with it.
    pub has_content: bool,
}

/// What to do about the objects that left the source.
#[derive(Clone, Debug, Default)]
pub struct Pruning {
    /// To delete, in order.
    pub deletions: Vec<Deletion>,
    /// Left alone, and forgotten: not ours, or marked to survive.
    pub released: Vec<(ObjectKey, &'static str)>,
    /// Gone already.
    pub gone: Vec<ObjectKey>,
}

/// Decides about every stale object of a plan.
///
/// Without [`Options::prune`] everything is released.
pub fn prune(stale: Vec<LiveStale>, options: &Options) -> Pruning {
    let mut pruning = Pruning::default();
    for LiveStale {
        entry,
        live,
        has_content,
    } in stale
    {
        let Some(live) = live else {
            pruning.gone.push(entry.key);
            continue;
        };
        let kept = if !options.prune {
            Some("pruning is off")
        } else if !options.owner.owns(&live) {
            Some("it does not carry the labels of this unit")
        } else if markers::survives_pruning(&live) {
            Some("it is marked to survive")
        } else {
            None
        };
        match kept {
            Some(why) => pruning.released.push((entry.key, why)),
            None => pruning.deletions.push(Deletion { live, has_content }),
        }
    }
    pruning
}
