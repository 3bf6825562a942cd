//! Files that are read when somebody asks for them.

use std::collections::BTreeMap;
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

/// Files some of which have other content.
#[derive(Debug)]
pub(crate) struct Changed {
    pub files: Arc<dyn Files>,
    pub changes: BTreeMap<TreePath, Arc<[u8]>>,
}

impl Files for Changed {
    fn find(&self, path: &TreePath) -> Found {
        self.files.find(path)
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, String> {
        match self.changes.get(path) {
            Some(content) => Ok(content.clone()),
            None => self.files.read(path),
        }
    }

    fn list(&self, path: &TreePath) -> Vec<String> {
        self.files.list(path)
    }
}
