//! Reading files of this machine as a tree.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use diag::{Code, Diagnostic, Span};
use tree::{Entry, Files, Found, Tree, TreeBuilder, TreePath};

use crate::exit::{Exit, Failure};

/// Most files of a folder, as of a repository.
const FILES_MAX: usize = 200_000;

/// Most bytes of all files.
const BYTES_MAX: u64 = 1 << 30;

/// Marks a folder as one that programs fill and that can be thrown away.
///
/// # Source
/// The Cache Directory Tagging Specification, <https://bford.info/cachedir/>.
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// Folders of package managers, which hold what others wrote.
const PACKAGES: &str = "node_modules";

/// Reads every file below `folder`; links stay links. Folders called `.git` or `node_modules`, and
/// those below that are tagged as caches, are left out.
pub fn read(folder: &Path) -> Result<Tree, Failure> {
    let mut builder = TreeBuilder::default();
    let mut open = vec![TreePath::root()];
    let (mut files, mut bytes) = (0, 0);
    while let Some(directory) = open.pop() {
        let here = folder.join(directory.as_str());
        let entries = std::fs::read_dir(&here).map_err(|error| unreadable(&here, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&here, &error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| *name != ".git") else {
                continue;
            };
            let Ok(path) = directory.join(name) else {
                continue;
            };
            let kind = entry
                .file_type()
                .map_err(|error| unreadable(&here, &error))?;
            let place = entry.path();
            if kind.is_dir() {
                if name != PACKAGES && !place.join(CACHE_TAG).is_file() {
                    open.push(path);
                }
                continue;
            }
            let failed = |error| unreadable(&place, &error);
            if kind.is_symlink() {
                let target = std::fs::read_link(&place).map_err(failed)?;
                builder.add(path, Entry::Link(target.to_string_lossy().into_owned()));
            } else if kind.is_file() {
                let content = std::fs::read(&place).map_err(failed)?;
                bytes += content.len() as u64;
                builder.file(path, content);
            }
            files += 1;
            if files > FILES_MAX || bytes > BYTES_MAX {
                let message = format!(
                    "`{}` holds more than {FILES_MAX} files or {BYTES_MAX} bytes",
                    folder.display()
                );
                let diagnostic = Diagnostic::error(Code("FolderTooLarge"), message)
                    .with_help("Name a folder further down.");
                return Err(Failure::explained(Exit::Unreadable, vec![diagnostic]));
            }
        }
    }
    Ok(builder.build())
}

/// The whole file system as a tree, for one command that expects nothing to change meanwhile.
pub fn disk() -> Tree {
    below(PathBuf::from("/"))
}

/// A folder and what is below it as a tree, as [`disk`] is one. `root` has no links in it.
pub fn below(root: PathBuf) -> Tree {
    Tree::on_demand(Arc::new(Disk {
        root,
        found: Mutex::default(),
    }))
}

/// Most bytes that are read from one file: more than any reader of it accepts.
const FILE_BYTES_MAX: u64 = 128 << 20;

/// All of a file, read where it stays.
pub fn read_shared(path: &Path) -> std::io::Result<Arc<[u8]>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    content(&mut file, size)
}

/// All of a file that has `size` bytes, read where it stays. What says that it is empty may be a
/// file of the system, which has content all the same.
fn content(file: &mut File, size: u64) -> std::io::Result<Arc<[u8]>> {
    let mut content: Arc<[u8]> = std::iter::repeat_n(0, size as usize).collect();
    let place = Arc::get_mut(&mut content).expect("nobody else has it yet");
    let read = match place.is_empty() {
        true => Err(ErrorKind::UnexpectedEof.into()),
        false => file.read_exact(place),
    };
    match read {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            let mut content = Vec::new();
            file.rewind()?;
            file.read_to_end(&mut content)?;
            Ok(content.into())
        }
        read => read.map(|()| content),
    }
}

#[derive(Debug)]
struct Disk {
    root: PathBuf,
    found: Mutex<HashMap<TreePath, Found>>,
}

impl Disk {
    fn place(&self, path: &TreePath) -> PathBuf {
        self.root.join(path.as_str())
    }
}

impl Files for Disk {
    fn find(&self, path: &TreePath) -> Found {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = found.get(path) {
            return found.clone();
        }
        let place = self.place(path);
        let here = match std::fs::symlink_metadata(&place).map(|data| data.file_type()) {
            Ok(kind) if kind.is_dir() => Found::Directory,
            Ok(kind) if kind.is_file() => Found::File,
            Ok(kind) if kind.is_symlink() => match std::fs::read_link(&place) {
                Ok(target) => Found::Link(target.to_string_lossy().into_owned()),
                Err(_) => Found::Absent,
            },
            // Devices and pipes never end, or have no end.
            _ => Found::Absent,
        };
        found.insert(path.clone(), here.clone());
        here
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, String> {
        let read = || -> std::io::Result<Result<Arc<[u8]>, String>> {
            let mut file = File::open(self.place(path))?;
            let size = file.metadata()?.len();
            if size > FILE_BYTES_MAX {
                let text = format!("it is larger than {FILE_BYTES_MAX} bytes");
                return Ok(Err(text));
            }
            content(&mut file, size).map(Ok)
        };
        read().unwrap_or_else(|error| Err(error.to_string()))
    }

    fn list(&self, path: &TreePath) -> Vec<String> {
        let entries = std::fs::read_dir(self.place(path));
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = Vec::new();
        for entry in entries.into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // The folder says what most of them are.
            let kind = entry.file_type().ok().and_then(|kind| match kind {
                _ if kind.is_dir() => Some(Found::Directory),
                _ if kind.is_file() => Some(Found::File),
                _ => None,
            });
            if let (Some(kind), Ok(path)) = (kind, path.join(&name)) {
                found.entry(path).or_insert(kind);
            }
            names.push(name);
        }
        names
    }
}

/// The checkout a folder is in, and the folder inside it: the nearest folder above with a `.git`, or
/// the folder itself.
pub fn checkout(folder: &Path) -> Result<(PathBuf, TreePath), Failure> {
    let folder = folder
        .canonicalize()
        .map_err(|error| unreadable(folder, &error))?;
    let root = folder.ancestors().find(|above| above.join(".git").exists());
    let root = root.unwrap_or(&folder).to_owned();
    let inside = folder.strip_prefix(&root).unwrap_or(Path::new(""));
    let inside = TreePath::new(&inside.to_string_lossy());
    let inside = inside.map_err(|error| Failure::plain(Exit::Unreadable, error.to_string()))?;
    Ok((root, inside))
}

/// Writes a file of the disk anew; whoever reads it meanwhile sees the old or the new text.
pub fn replace(path: &TreePath, text: &str) -> Result<(), Failure> {
    let place = Path::new("/").join(path.as_str());
    let write = || -> std::io::Result<()> {
        let folder = place.parent().unwrap_or(Path::new("/"));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        if let Ok(data) = std::fs::metadata(&place) {
            file.as_file().set_permissions(data.permissions())?;
        }
        file.as_file().sync_all()?;
        file.persist(&place)?;
        Ok(())
    };
    write().map_err(|error| unreadable(&place, &error))
}

/// The path of a folder of this machine in the tree that [`disk`] gives, links resolved.
pub fn on_disk(folder: &Path) -> std::io::Result<TreePath> {
    let folder = folder.canonicalize()?;
    let text = folder.to_str().ok_or(std::io::ErrorKind::InvalidFilename)?;
    TreePath::new(text.trim_start_matches('/'))
        .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidFilename, error))
}

/// Reads a text file.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let diagnostic = Diagnostic::error(Code("FileUnreadable"), error.to_string())
        .at(Span::file(path.display().to_string()));
    Failure::explained(Exit::Unreadable, vec![diagnostic])
}
