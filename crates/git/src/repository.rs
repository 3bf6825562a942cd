//! A bare repository on disk.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tree::Tree;

use crate::checkout::{CheckoutError, checkout, objects_of};
use crate::odb::{ObjectError, Objects, Odb};
use crate::oid::Collision;
use crate::pack::{PackWriter, write_index};
use crate::refname::RefNameError;
use crate::refs::{self, Expected, RefEdit, RefError, Refs};
use crate::{Commit, Kind, Oid, RefName, Signature};

/// A bare repository on disk; cloning copies its path.
///
/// Every method reads the disk anew and blocks.
#[derive(Clone, Debug)]
pub struct Repository {
    folder: PathBuf,
}

/// A commit to be made.
#[derive(Clone, Debug)]
pub struct NewCommit<'a> {
    /// Branch to move, without `refs/heads/`.
    pub branch: &'a str,
    /// Where the branch must be, and the commit's parent; `None` for a branch that does not exist.
    pub onto: Option<Oid>,
    /// All files of the new commit.
    pub tree: &'a Tree,
    /// Who wrote the change and when.
    pub author: Signature,
    /// Who commits it and when.
    pub committer: Signature,
    /// The message.
    pub message: &'a str,
}

/// Why a repository cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// Nothing there looks like a bare repository.
    #[error("`{}` is no bare Git repository", .0.display())]
    NotARepository(PathBuf),
    /// Something is there already.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// No name for a repository.
    #[error("{0:?} is no repository name")]
    Name(String),
    /// A reference name breaks the rules.
    #[error(transparent)]
    RefName(#[from] RefNameError),
    /// References cannot be read or changed.
    #[error(transparent)]
    Refs(#[from] RefError),
    /// An object is missing or malformed.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The files of a commit cannot be had.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// An object carries the marks of an attack on SHA-1.
    #[error(transparent)]
    Collision(#[from] Collision),
    /// The disk refuses.
    #[error("cannot {doing} `{}`", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

pub(crate) fn io_error(
    doing: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> RepositoryError {
    move |source| RepositoryError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

/// What `config` of a new repository says.
const CONFIG: &str =
    "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n[gc]\n\tauto = 0\n";

impl Repository {
    /// Makes an empty bare repository whose `HEAD` names `branch`.
    ///
    /// # Errors
    /// [`RepositoryError::Exists`] when the folder is there already.
    pub fn init_bare(folder: &Path, branch: &str) -> Result<Self, RepositoryError> {
        let head = RefName::branch(branch)?;
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).map_err(io_error("create", parent))?;
        }
        match fs::create_dir(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(RepositoryError::Exists(folder.to_owned()));
            }
            Err(source) => return Err(io_error("create", folder)(source)),
        }
        for name in [
            "objects/pack",
            "objects/info",
            "refs/heads",
            "refs/tags",
            "info",
        ] {
            let path = folder.join(name);
            fs::create_dir_all(&path).map_err(io_error("create", &path))?;
        }
        for (name, text) in [("config", CONFIG), ("description", "\n")] {
            let path = folder.join(name);
            fs::write(&path, text).map_err(io_error("write", &path))?;
        }
        // A folder without `HEAD` is no repository, so it comes last.
        refs::set_head(folder, &head)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Opens the bare repository in `folder`.
    ///
    /// # Errors
    /// [`RepositoryError::NotARepository`].
    pub fn open(folder: &Path) -> Result<Self, RepositoryError> {
        match folder.join("HEAD").is_file() && folder.join("objects").is_dir() {
            true => Ok(Self {
                folder: folder.to_owned(),
            }),
            false => Err(RepositoryError::NotARepository(folder.to_owned())),
        }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes what a process that was killed left behind: locks and half-received packs.
    ///
    /// Only for who owns the repository, before anything else uses it.
    pub(crate) fn recover(&self) -> Result<(), RepositoryError> {
        refs::remove_stale_locks(&self.folder);
        let objects = self.folder.join("objects");
        for entry in fs::read_dir(&objects).map_err(io_error("list", &objects))? {
            let entry = entry.map_err(io_error("list", &objects))?;
            if entry
                .file_name()
                .to_string_lossy()
                .starts_with("tmp_objdir-")
            {
                let path = entry.path();
                fs::remove_dir_all(&path).map_err(io_error("remove", &path))?;
            }
        }
        Ok(())
    }

    pub(crate) fn odb(&self) -> Result<Odb, RepositoryError> {
        let objects = self.folder.join("objects");
        Odb::open(&objects).map_err(io_error("open", &objects))
    }

    /// All references.
    ///
    /// # Errors
    /// [`RepositoryError::Refs`].
    pub fn refs(&self) -> Result<Refs, RepositoryError> {
        Ok(Refs::read(&self.folder)?)
    }

    /// The commit that a full reference name or `HEAD` names, tags followed; `None` if there is none.
    ///
    /// # Errors
    /// [`RepositoryError`] when the repository cannot be read.
    pub fn resolve(&self, name: &str) -> Result<Option<Oid>, RepositoryError> {
        let Some(id) = self.refs()?.get(&RefName::new(name)?) else {
            return Ok(None);
        };
        match self.odb()?.peel(id)? {
            (Kind::Commit, id) => Ok(Some(id)),
            _ => Ok(None),
        }
    }

    /// The commit with this id.
    ///
    /// # Errors
    /// [`RepositoryError::Object`].
    pub fn commit(&self, id: Oid) -> Result<Commit, RepositoryError> {
        Ok(self.odb()?.commit(id)?)
    }

    /// The files of a commit; submodules are left out.
    ///
    /// # Errors
    /// [`RepositoryError::Checkout`].
    pub fn checkout(&self, commit: Oid) -> Result<Tree, RepositoryError> {
        let odb = self.odb()?;
        let commit = odb.commit(commit)?;
        Ok(checkout(&odb, commit.tree)?.0)
    }

    /// Up to `count_max` commits reachable from `from`, newest first by commit time.
    ///
    /// # Errors
    /// [`RepositoryError::Object`].
    pub fn log(&self, from: Oid, count_max: usize) -> Result<Vec<Commit>, RepositoryError> {
        let odb = self.odb()?;
        let mut commits: BTreeMap<Oid, Commit> = BTreeMap::new();
        let mut seen = BTreeSet::from([from]);
        let first = odb.commit(from)?;
        let mut next = BinaryHeap::from([(first.committer.seconds, from)]);
        commits.insert(from, first);
        let mut log = Vec::new();
        while let Some((_, id)) = next.pop() {
            if log.len() == count_max {
                break;
            }
            let Some(commit) = commits.remove(&id) else {
                continue;
            };
            for parent in &commit.parents {
                if seen.insert(*parent) {
                    let commit = odb.commit(*parent)?;
                    next.push((commit.committer.seconds, *parent));
                    commits.insert(*parent, commit);
                }
            }
            log.push(commit);
        }
        Ok(log)
    }

    /// Changes references, all or none.
    ///
    /// # Errors
    /// [`RefError::Moved`] when one is not what was expected, [`ObjectError::Missing`] when a new
    /// value is not in the repository.
    pub fn update_refs(&self, edits: &[RefEdit]) -> Result<Refs, RepositoryError> {
        let odb = self.odb()?;
        for id in edits.iter().filter_map(|edit| edit.new) {
            if !odb.contains(id) {
                return Err(ObjectError::Missing { kind: None, id }.into());
            }
        }
        let mut peel = |id| odb.peel(id).ok().map(|(_, id)| id);
        Ok(refs::update(&self.folder, edits, &mut peel)?)
    }

    /// Lets `HEAD` name another branch, which need not exist.
    ///
    /// # Errors
    /// [`RepositoryError::Refs`].
    pub fn set_head(&self, branch: &str) -> Result<(), RepositoryError> {
        Ok(refs::set_head(&self.folder, &RefName::branch(branch)?)?)
    }

    /// Makes a commit and moves its branch to it.
    ///
    /// Its objects are on disk before the branch moves.
    ///
    /// # Errors
    /// [`RefError::Moved`] when the branch is not where [`NewCommit::onto`] says.
    pub fn write_commit(&self, new: &NewCommit<'_>) -> Result<Oid, RepositoryError> {
        let branch = RefName::branch(new.branch)?;
        let odb = self.odb()?;
        let mut objects: BTreeMap<Oid, (Kind, Arc<[u8]>)> = BTreeMap::new();
        let tree = objects_of(new.tree, &mut |id, kind, content| {
            if !odb.contains(id) {
                objects.insert(id, (kind, content));
            }
        })?;
        let mut commit = Commit {
            id: Oid::ZERO,
            tree,
            parents: new.onto.into_iter().collect(),
            author: new.author.clone(),
            committer: new.committer.clone(),
            message: new.message.to_owned(),
        };
        let content = commit.encode();
        commit.id = Oid::of(Kind::Commit, &content)?;
        objects.insert(commit.id, (Kind::Commit, content.into()));
        self.write_objects(&objects)?;
        self.update_refs(&[RefEdit {
            name: branch,
            expected: new.onto.map_or(Expected::Absent, Expected::Is),
            new: Some(commit.id),
        }])?;
        Ok(commit.id)
    }

    fn write_objects(
        &self,
        objects: &BTreeMap<Oid, (Kind, Arc<[u8]>)>,
    ) -> Result<(), RepositoryError> {
        let quarantine = Quarantine::new(self)?;
        let path = quarantine.pack();
        let write = || -> io::Result<_> {
            let file = io::BufWriter::new(File::create(&path)?);
            let mut writer = PackWriter::new(file, objects.len() as u32)?;
            for (id, (kind, content)) in objects {
                writer.add(*id, *kind, content)?;
            }
            let (_, checksum, entries) = writer.finish()?;
            Ok((checksum, write_index(&entries, checksum)?))
        };
        let (checksum, index) = write().map_err(io_error("write", &path))?;
        quarantine.promote(checksum, &index)
    }
}

/// A folder for a pack that is not part of the repository yet; removed when dropped.
///
/// Its name is one that `git gc` clears away, too.
pub(crate) struct Quarantine {
    folder: PathBuf,
    packs: PathBuf,
}

impl Quarantine {
    pub(crate) fn new(repository: &Repository) -> Result<Self, RepositoryError> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let objects = repository.folder.join("objects");
        let name = format!("tmp_objdir-incoming-{}-{number}", std::process::id());
        let folder = objects.join(name);
        fs::create_dir(&folder).map_err(io_error("create", &folder))?;
        Ok(Self {
            folder,
            packs: objects.join("pack"),
        })
    }

    /// Where the pack has to be written.
    pub(crate) fn pack(&self) -> PathBuf {
        self.folder.join("incoming.pack")
    }

    /// Makes the pack with this checksum and index part of the repository.
    ///
    /// Both files are on disk, and stay there when the power fails, once this returns.
    pub(crate) fn promote(self, checksum: Oid, index: &[u8]) -> Result<(), RepositoryError> {
        let (pack, index_path) = (self.pack(), self.folder.join("incoming.idx"));
        let write = || -> io::Result<()> {
            fs::write(&index_path, index)?;
            File::open(&index_path)?.sync_all()?;
            File::open(&pack)?.sync_all()?;
            fs::create_dir_all(&self.packs)?;
            // A pack without index is invisible, so the index comes last.
            fs::rename(&pack, self.packs.join(format!("pack-{checksum}.pack")))?;
            fs::rename(&index_path, self.packs.join(format!("pack-{checksum}.idx")))?;
            File::open(&self.packs)?.sync_all()
        };
        write().map_err(io_error("store", &self.packs))
    }
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
