//! What a render may learn from outside its tree.

use object::{Object, ObjectKey};

use crate::Tree;

/// A tree in some other place: a remote base or a chart dependency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceRef {
    /// Address as written.
    pub url: String,
    /// Branch, tag or commit; empty for the default.
    pub reference: String,
}

/// A tree that is not at hand; who renders may fetch it and render again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the files of `{}` are not at hand", .0.url)]
pub struct Missing(pub SourceRef);

/// All that a render may learn from outside its tree. Equal answers give equal bytes.
pub trait World: Sync {
    /// The files of another source.
    ///
    /// # Errors
    /// [`Missing`] when they are not at hand.
    fn tree(&self, at: &SourceRef) -> Result<Tree, Missing>;

    /// An object of the target cluster, for Helm's `lookup`.
    fn lookup(&self, key: &ObjectKey) -> Option<Object>;
}

/// The world that answers nothing: no other source, no cluster.
#[derive(Clone, Copy, Debug, Default)]
pub struct Isolated;

impl World for Isolated {
    fn tree(&self, at: &SourceRef) -> Result<Tree, Missing> {
        Err(Missing(at.clone()))
    }

    fn lookup(&self, _key: &ObjectKey) -> Option<Object> {
        None
    }
}
