//! References of a repository on disk.
//!
//! All of them live in one file, `packed-refs`, so that changing several is one rename: it happens
//! or it does not, also when the power fails. Loose references that other programs wrote are read
//! and, when changed here, moved into that file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::{Oid, RefName};

/// Most references of one repository: the most a client may be made to read.
pub const REFS_MAX: usize = 100_000;

/// Deepest folder below `refs`, far deeper than anybody names branches.
const DEPTH_MAX: usize = 32;

/// How long to wait for another program's lock.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The references of a repository at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    /// What `HEAD` names, which need not exist yet.
    pub head: Option<RefName>,
    /// `HEAD` when it names a commit directly.
    pub detached: Option<Oid>,
    /// Every reference below `refs/`.
    pub named: BTreeMap<RefName, Oid>,
    /// What annotated tags name in the end, as far as it is known.
    pub peeled: BTreeMap<RefName, Oid>,
}

/// What a reference must be for a change to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Any,
    /// Not there.
    Absent,
    /// Exactly this.
    Is(Oid),
}

/// A wish to change one reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefEdit {
    /// Which one.
    pub name: RefName,
    /// What it must be now.
    pub expected: Expected,
    /// What it shall be; `None` deletes it.
    pub new: Option<Oid>,
}

/// Why references cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RefError {
    /// Somebody else moved it first.
    #[error("reference `{name}` is at {}, not at {}", shown(.actual), shown(.expected))]
    Moved {
        /// Which one.
        name: RefName,
        /// What was expected.
        expected: Option<Oid>,
        /// What it is.
        actual: Option<Oid>,
    },
    /// `a` and `a/b` cannot both be references.
    #[error("reference `{name}` cannot exist beside `{other}`")]
    Conflict {
        /// The new one.
        name: RefName,
        /// The one in its way.
        other: RefName,
    },
    /// Another program holds the lock.
    #[error("another program is changing the references and holds `{}`", .0.display())]
    Locked(PathBuf),
    /// Too many.
    #[error("the repository has more references than the limit of {REFS_MAX}")]
    TooMany,
    /// A line cannot be understood.
    #[error("`{}` is damaged", .0.display())]
    Damaged(PathBuf),
    /// The disk refuses.
    #[error("cannot {doing} `{}`", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

fn shown(id: &Option<Oid>) -> String {
    id.map_or("nothing".to_owned(), |id| id.to_string())
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RefError {
    move |source| RefError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

impl Refs {
    /// What `HEAD` is in the end.
    pub fn head_id(&self) -> Option<Oid> {
        match &self.head {
            Some(name) => self.named.get(name).copied(),
            None => self.detached,
        }
    }

    /// The value of a reference or `HEAD`.
    pub fn get(&self, name: &RefName) -> Option<Oid> {
        match name.as_str() {
            "HEAD" => self.head_id(),
            _ => self.named.get(name).copied(),
        }
    }

    /// Reads the references of the repository in `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self, RefError> {
        let mut refs = Self::default();
        let packed = folder.join("packed-refs");
        match fs::read_to_string(&packed) {
            Ok(text) => refs.read_packed(&packed, &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(io_error("read", &packed)(source)),
        }
        refs.read_loose(&folder.join("refs"), "refs", 0)?;
        let head = folder.join("HEAD");
        let text = fs::read_to_string(&head).map_err(io_error("read", &head))?;
        match text.trim_end().strip_prefix("ref:") {
            Some(name) => {
                let name = RefName::new(name.trim_start()).map_err(|_| RefError::Damaged(head))?;
                refs.head = Some(name);
            }
            None => refs.detached = Oid::from_hex(text.trim_end().as_bytes()),
        }
        Ok(refs)
    }

    fn read_packed(&mut self, path: &Path, text: &str) -> Result<(), RefError> {
        let damaged = || RefError::Damaged(path.to_owned());
        let mut last = None;
        for line in text.lines() {
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            if let Some(peeled) = line.strip_prefix('^') {
                let id = Oid::from_hex(peeled.as_bytes()).ok_or_else(damaged)?;
                self.peeled.insert(last.clone().ok_or_else(damaged)?, id);
                continue;
            }
            let (id, name) = line.split_once(' ').ok_or_else(damaged)?;
            let id = Oid::from_hex(id.as_bytes()).ok_or_else(damaged)?;
            // A name that other programs allowed and we do not is not shown to anybody.
            let Ok(name) = RefName::new(name) else {
                continue;
            };
            last = Some(name.clone());
            self.named.insert(name, id);
            if self.named.len() > REFS_MAX {
                return Err(RefError::TooMany);
            }
        }
        Ok(())
    }

    fn read_loose(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), RefError> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(io_error("list", folder)(source)),
        };
        for entry in entries {
            let entry = entry.map_err(io_error("list", folder))?;
            let Some(name) = entry
                .file_name()
                .to_str()
                .map(|name| format!("{prefix}/{name}"))
            else {
                continue;
            };
            let kind = entry.file_type().map_err(io_error("list", folder))?;
            if kind.is_dir() && depth < DEPTH_MAX {
                self.read_loose(&entry.path(), &name, depth + 1)?;
            } else if kind.is_file() {
                let Ok(name) = RefName::new(&name) else {
                    continue;
                };
                let text = match fs::read_to_string(entry.path()) {
                    Ok(text) => text,
                    // Deleted meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(source) => return Err(io_error("read", &entry.path())(source)),
                };
                if let Some(id) = Oid::from_hex(text.trim_end().as_bytes()) {
                    self.peeled.remove(&name);
                    self.named.insert(name, id);
                }
            }
            if self.named.len() > REFS_MAX {
                return Err(RefError::TooMany);
            }
        }
        Ok(())
    }

    /// The change that `edits` make, or why not: nothing of it happens then.
    fn apply(&mut self, edits: &[RefEdit]) -> Result<(), RefError> {
        for edit in edits {
            let actual = self.named.get(&edit.name).copied();
            let expected = match edit.expected {
                Expected::Any => actual,
                Expected::Absent => None,
                Expected::Is(id) => Some(id),
            };
            if actual != expected {
                return Err(RefError::Moved {
                    name: edit.name.clone(),
                    expected,
                    actual,
                });
            }
        }
        for edit in edits {
            self.peeled.remove(&edit.name);
            match edit.new {
                None => self.named.remove(&edit.name),
                Some(id) => self.named.insert(edit.name.clone(), id),
            };
        }
        for edit in edits.iter().filter(|edit| edit.new.is_some()) {
            if let Some(other) = self.in_the_way(&edit.name) {
                return Err(RefError::Conflict {
                    name: edit.name.clone(),
                    other,
                });
            }
        }
        match self.named.len() > REFS_MAX {
            true => Err(RefError::TooMany),
            false => Ok(()),
        }
    }

    /// A reference that would have to be a folder for `name`, or the other way round.
    fn in_the_way(&self, name: &RefName) -> Option<RefName> {
        let text = name.as_str();
        let mut above = text.match_indices('/').filter_map(|(at, _)| {
            let above = RefName::new(&text[..at]).ok()?;
            self.named.contains_key(&above).then_some(above)
        });
        let folder = format!("{text}/");
        let below = || {
            let after = self.named.range(name.clone()..).map(|(other, _)| other);
            let mut near = after.take_while(|other| other.as_str().starts_with(text));
            near.find(|other| other.as_str().starts_with(&folder))
                .cloned()
        };
        above.next_back().or_else(below)
    }

    fn write_packed(&self) -> Vec<u8> {
        let mut text = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        for (name, id) in &self.named {
            text.push_str(&format!("{id} {name}\n"));
            if let Some(peeled) = self.peeled.get(name) {
                text.push_str(&format!("^{peeled}\n"));
            }
        }
        text.into_bytes()
    }
}

/// A lock file, removed when dropped.
struct Lock {
    path: PathBuf,
    file: File,
    done: bool,
}

impl Lock {
    fn take(path: PathBuf) -> Result<Self, RefError> {
        let until = Instant::now() + LOCK_WAIT;
        loop {
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    return Ok(Self {
                        path,
                        file,
                        done: false,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if Instant::now() > until {
                        return Err(RefError::Locked(path));
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(source) => return Err(io_error("create", &path)(source)),
            }
        }
    }

    fn replace(mut self, target: &Path, content: &[u8]) -> Result<(), RefError> {
        let write = self.file.write_all(content);
        write
            .and_then(|()| self.file.sync_all())
            .map_err(io_error("write", &self.path))?;
        fs::rename(&self.path, target).map_err(io_error("rename", &self.path))?;
        self.done = true;
        sync_folder(target)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn sync_folder(file: &Path) -> Result<(), RefError> {
    let Some(folder) = file.parent() else {
        return Ok(());
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(io_error("sync", folder))
}

/// Changes references, all or none; `peel` tells what a tag names in the end.
///
/// # Errors
/// [`RefError::Moved`] when one is not what was expected.
pub(crate) fn update(
    folder: &Path,
    edits: &[RefEdit],
    peel: &mut dyn FnMut(Oid) -> Option<Oid>,
) -> Result<Refs, RefError> {
    let packed = folder.join("packed-refs");
    let lock = Lock::take(folder.join("packed-refs.lock"))?;
    let mut refs = Refs::read(folder)?;
    refs.apply(edits)?;
    let unknown = refs
        .named
        .iter()
        .filter(|(name, _)| !refs.peeled.contains_key(name));
    let tags: Vec<_> = unknown
        .filter(|(name, _)| !name.is_branch())
        .filter_map(|(name, id)| Some((name.clone(), peel(*id).filter(|to| to != id)?)))
        .collect();
    refs.peeled.extend(tags);
    lock.replace(&packed, &refs.write_packed())?;
    for edit in edits {
        let loose = folder.join(edit.name.as_str());
        match fs::remove_file(&loose) {
            Ok(()) => sync_folder(&loose)?,
            Err(error) if missing(&error) => {}
            Err(source) => return Err(io_error("remove", &loose)(source)),
        }
        prune_folders(folder, &loose);
    }
    Ok(refs)
}

/// Removes folders of loose references that have become empty: `a` may now be a reference itself.
fn prune_folders(repository: &Path, loose: &Path) {
    let keep = ["refs", "refs/heads", "refs/tags"].map(|name| repository.join(name));
    let mut above = loose.parent();
    while let Some(folder) = above {
        if keep.iter().any(|kept| kept == folder) || fs::remove_dir(folder).is_err() {
            return;
        }
        above = folder.parent();
    }
}

fn missing(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
    // Removing a folder as a file is "is a directory" on Linux and "not permitted" elsewhere.
    matches!(
        error.kind(),
        NotFound | NotADirectory | IsADirectory | PermissionDenied
    )
}

/// Lets `HEAD` name another branch.
pub(crate) fn set_head(folder: &Path, branch: &RefName) -> Result<(), RefError> {
    let lock = Lock::take(folder.join("HEAD.lock"))?;
    lock.replace(&folder.join("HEAD"), format!("ref: {branch}\n").as_bytes())
}

/// Removes locks that a process which was killed left behind.
///
/// Only for who owns the repository, before it is used.
pub(crate) fn remove_stale_locks(folder: &Path) {
    for name in ["packed-refs.lock", "HEAD.lock"] {
        let _ = fs::remove_file(folder.join(name));
    }
}
