//! What a render may learn from outside its tree.

use golang::Timestamp;
use object::{Object, ObjectKey};

use crate::Tree;

/// A tree in some other place: a remote base or a chart dependency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceRef {
    /// Address as written.
    pub url: String,
    /// Branch, tag or commit; empty for the default.
    pub reference: String,
    /// What is at the address.
    pub kind: SourceKind,
}

impl SourceRef {
    /// The path of a document in the tree that is made of it alone.
    pub const DOCUMENT: &'static str = "document";
}

/// What is at an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// A Git repository.
    #[default]
    Repository,
    /// One file, in its tree under [`SourceRef::DOCUMENT`].
    Document,
}

/// A tree that is not at hand; who renders may fetch it and render again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What was asked for.
    pub source: SourceRef,
    /// Why it cannot be had, once somebody has tried.
    pub why: Option<String>,
}

impl std::error::Error for Missing {}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.why {
            Some(why) => write!(f, "cannot fetch `{}`: {why}", self.source.url),
            None => write!(f, "the files of `{}` are not at hand", self.source.url),
        }
    }
}

/// All that a render may learn from outside its tree. Equal answers give equal bytes.
pub trait World: Sync {
    /// The files of another source.
    ///
    /// # Errors
    /// [`Missing`] when they are not at hand.
    fn tree(&self, at: &SourceRef) -> Result<Tree, Missing>;

    /// What tells the files that [`World::tree`] gives from those it gave at another time: a commit.
    fn revision(&self, _at: &SourceRef) -> Option<String> {
        None
    }

    /// An object of the target cluster, for Helm's `lookup`.
    fn lookup(&self, key: &ObjectKey) -> Option<Object>;

    /// The time, for Helm's `now` and the like.
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    /// Where randomness begins, for Helm's `randAlphaNum` and the like.
    fn seed(&self) -> [u8; 32] {
        [0; 32]
    }
}

/// The world that answers nothing: no other source, no cluster, no time, no chance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Isolated;

impl World for Isolated {
    fn tree(&self, at: &SourceRef) -> Result<Tree, Missing> {
        Err(Missing {
            source: at.clone(),
            why: None,
        })
    }

    fn lookup(&self, _key: &ObjectKey) -> Option<Object> {
        None
    }
}

/// One moment: the time and chance, but no other source and nothing of a cluster.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// Where randomness comes from.
    pub seed: [u8; 32],
}

impl World for Moment {
    fn tree(&self, at: &SourceRef) -> Result<Tree, Missing> {
        Isolated.tree(at)
    }

    fn lookup(&self, _key: &ObjectKey) -> Option<Object> {
        None
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn seed(&self) -> [u8; 32] {
        self.seed
    }
}
