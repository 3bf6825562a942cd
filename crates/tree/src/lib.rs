//! The files of one revision, paths that cannot leave them, and what a render may ask beyond them.
//!
//! # Invariants
//!
//! - **Immutable.** A [`Tree`] is the content of one revision and never changes; it is cheap to clone.
//! - **No path leaves.** A [`TreePath`] is relative, has no `.` or `..`, and cannot be made otherwise.
//!   Symbolic links are resolved inside the tree or refused.
//! - **Nothing from outside.** A render sees the tree, its options and a [`World`], and nothing else.
//!
//! Deliberately absent: the disk. `source` and the command line read files into a [`Tree`],
//! or stand behind one that is read on demand.

mod on_demand;
mod path;
mod tree;
mod world;

pub use on_demand::{Files, Found};
pub use path::{PathError, TreePath};
pub use tree::{Entry, ReadError, Tree, TreeBuilder};
pub use world::{Isolated, Missing, Moment, SourceKind, SourceRef, World};
