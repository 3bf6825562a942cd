//! Files that are read when somebody asks for them.

use std::fmt::Debug;
use std::sync::Arc;

use crate::TreePath;

/// Gives the files of a tree one by one; its root is that of a file system, so that absolute links
/// mean paths in it.
///
/// A tree never changes: who implements this answers for nothing changing while it is in use.
pub trait Files: Debug + Send + Sync {
    /// What is at `path`, links not followed. No directory on the way to it is a link.
    fn find(&self, path: &TreePath) -> Found;

    /// The bytes of the file at `path`, where [`Files::find`] gave [`Found::File`].
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, String>;

    /// The names in the directory at `path`, in any order.
    fn list(&self, path: &TreePath) -> Vec<String>;
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing that can be read.
    Absent,
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link and its target as written.
    Link(String),
}
