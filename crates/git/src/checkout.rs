//! From a commit's directory objects to files, and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use tree::{Entry, PathError, Tree, TreeBuilder, TreePath};

use crate::object::{Mode, TreeEntry, encode_tree};
use crate::odb::{ObjectError, Objects, each_entry};
use crate::oid::Collision;
use crate::{Kind, Oid};

/// Most files of one revision.
///
/// The largest public monorepos of manifests have some ten thousand; a bomb of nested directories
/// has billions.
pub const FILES_MAX: usize = 200_000;

/// Most bytes of all files of one revision together, as unpacked artifacts have it.
pub const CHECKOUT_BYTES_MAX: u64 = 1 << 30;

/// Why the files of a commit cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// An object is missing or malformed.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A path is longer or deeper than trees may be.
    #[error("a path of tree {id} is not usable")]
    Path {
        /// The directory object.
        id: Oid,
        /// The rule.
        source: PathError,
    },
    /// A name is not text.
    #[error("file name {name:?} below `{directory}` is not UTF-8")]
    NotUtf8 {
        /// The directory.
        directory: TreePath,
        /// The name with replacement characters.
        name: String,
    },
    /// More files or bytes than the limits allow.
    #[error("the revision has more {what} than the limit of {limit}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
}

/// The files below the directory object `id`, and the submodules, which are not among them.
pub(crate) fn checkout(
    objects: &dyn Objects,
    id: Oid,
) -> Result<(Tree, BTreeMap<TreePath, Oid>), CheckoutError> {
    let mut submodules = BTreeMap::new();
    let mut builder = TreeBuilder::default();
    let (mut files, mut bytes) = (0_usize, 0_u64);
    // Directories count too, so that a bomb of empty ones ends.
    let mut directories = vec![(TreePath::root(), id)];
    while let Some((directory, id)) = directories.pop() {
        each_entry(objects, id, |entry| {
            let name = std::str::from_utf8(entry.name).map_err(|_| CheckoutError::NotUtf8 {
                directory: directory.clone(),
                name: String::from_utf8_lossy(entry.name).into_owned(),
            })?;
            let path = directory
                .join(name)
                .map_err(|source| CheckoutError::Path { id, source })?;
            files += 1;
            if files > FILES_MAX {
                return Err(CheckoutError::Limit {
                    what: "files",
                    limit: FILES_MAX as u64,
                });
            }
            let content = match entry.mode {
                Mode::Directory => {
                    directories.push((path, entry.id));
                    return Ok(());
                }
                Mode::Submodule => {
                    submodules.insert(path, entry.id);
                    return Ok(());
                }
                _ => objects.content(entry.id, Kind::Blob)?,
            };
            bytes += content.len() as u64;
            if bytes > CHECKOUT_BYTES_MAX {
                return Err(CheckoutError::Limit {
                    what: "bytes",
                    limit: CHECKOUT_BYTES_MAX,
                });
            }
            let entry = match entry.mode {
                Mode::Link => Entry::Link(String::from_utf8_lossy(&content).into_owned()),
                mode => Entry::File {
                    content,
                    executable: mode == Mode::Executable,
                },
            };
            builder.add(path, entry);
            Ok::<(), CheckoutError>(())
        })?;
    }
    Ok((builder.build(), submodules))
}

/// The objects of `tree` and the id of its root.
///
/// Objects are handed out children first, the root last; equal ones possibly more than once.
pub(crate) fn objects_of(
    tree: &Tree,
    put: &mut dyn FnMut(Oid, Kind, Arc<[u8]>),
) -> Result<Oid, Collision> {
    #[derive(Default)]
    struct Directory(BTreeMap<String, (Mode, Oid)>);

    let mut directories: BTreeMap<TreePath, Directory> = BTreeMap::new();
    directories.insert(TreePath::root(), Directory::default());
    for (path, entry) in tree.entries() {
        let (mode, content): (Mode, Arc<[u8]>) = match entry {
            Entry::File {
                content,
                executable: true,
            } => (Mode::Executable, content.clone()),
            Entry::File { content, .. } => (Mode::File, content.clone()),
            Entry::Link(target) => (Mode::Link, target.as_bytes().into()),
        };
        let id = Oid::of(Kind::Blob, &content)?;
        put(id, Kind::Blob, content);
        let parent = path.parent().unwrap_or_default();
        let directory = directories.entry(parent.clone()).or_default();
        directory.0.insert(path.file_name().to_owned(), (mode, id));
        let mut above = parent;
        while let Some(next) = above.parent() {
            directories.entry(next.clone()).or_default();
            above = next;
        }
    }
    // The deepest directories sort after those that hold them.
    while let Some((path, directory)) = directories.pop_last() {
        let mut entries: Vec<TreeEntry<'_>> = directory
            .0
            .iter()
            .map(|(name, (mode, id))| TreeEntry {
                mode: *mode,
                name: name.as_bytes(),
                id: *id,
            })
            .collect();
        let content: Arc<[u8]> = encode_tree(&mut entries).into();
        let id = Oid::of(Kind::Tree, &content)?;
        put(id, Kind::Tree, content);
        match path.parent() {
            None => return Ok(id),
            Some(parent) => {
                let above = directories.entry(parent).or_default();
                above
                    .0
                    .insert(path.file_name().to_owned(), (Mode::Directory, id));
            }
        }
    }
    Oid::of(Kind::Tree, b"")
}
