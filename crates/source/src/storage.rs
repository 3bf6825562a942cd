//! Where artifacts are kept: one folder for each source, one file for each revision.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use api::Artifact;
use diag::{Code, Explain, Reason, Retry};
use golang::Timestamp;
use sha2::{Digest as _, Sha256};
use tree::{Entry, Tree};

use crate::archive::{self, ArchiveError, Limits};
use crate::disk::Disk;

/// Longest name of a kind, namespace, object or file, as Kubernetes has it.
const NAME_BYTES_MAX: usize = 253;

/// Most bytes of trees kept in memory beside their archives.
///
/// A tree of manifests has some megabytes; what does not fit is unpacked again.
const CACHE_BYTES_MAX: u64 = 256 << 20;

/// How old a half-written file is before it is taken for a left-over.
const LEFT_OVER_SECONDS: i64 = 600;

/// How file names of half-written archives start.
const TEMPORARY: &str = ".writing-";

/// Which source an artifact is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactKey {
    /// Kind in lower case: `gitrepository`.
    pub kind: String,
    /// Namespace of the source.
    pub namespace: String,
    /// Name of the source.
    pub name: String,
}

/// How many old archives are kept, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Number of archives of one source, the advertised one included.
    pub records: usize,
    /// Age in seconds beyond which all but the advertised one go.
    pub seconds: i64,
}

impl Default for Retention {
    /// Flux's: two archives, one minute.
    fn default() -> Self {
        Self {
            records: 2,
            seconds: 60,
        }
    }
}

/// Why storage cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A name could lead elsewhere.
    #[error("`{0}` is no place in the artifact storage")]
    IllegalPath(String),
    /// A folder cannot be made.
    #[error("failed to create artifact directory")]
    CreateFolder(#[source] io::Error),
    /// An archive cannot be written.
    #[error("unable to archive artifact to storage")]
    Write(#[source] io::Error),
    /// An archive cannot be read.
    #[error("unable to read artifact from storage")]
    Read(#[source] io::Error),
    /// Old archives cannot be listed or removed.
    #[error("unable to remove old artifacts from storage")]
    Collect(#[source] io::Error),
    /// The archive is not the one that was stored.
    #[error("computed digest doesn't match '{expected}'")]
    Digest {
        /// What it should be.
        expected: String,
    },
    /// The archive makes no sense.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl Explain for StorageError {
    fn code(&self) -> Code {
        Code(match self {
            Self::IllegalPath(_) => "ArtifactPathIllegal",
            Self::CreateFolder(error) | Self::Write(error)
                if error.kind() == io::ErrorKind::StorageFull =>
            {
                "StorageFull"
            }
            Self::CreateFolder(_) | Self::Write(_) => "StorageUnwritable",
            Self::Read(_) | Self::Collect(_) => "StorageUnreadable",
            Self::Digest { .. } => "ArtifactDigestMismatch",
            Self::Archive(ArchiveError::TooLarge { .. }) => "ArchiveTooLarge",
            Self::Archive(ArchiveError::Entry { .. }) => "ArchiveEntryForbidden",
            Self::Archive(ArchiveError::Ambiguous) => "ArchiveAmbiguous",
            Self::Archive(ArchiveError::Read(_)) => "ArchiveDamaged",
        })
    }

    fn reason(&self) -> Reason {
        Reason(match self {
            Self::IllegalPath(_) => "IllegalPath",
            Self::CreateFolder(_) => "DirectoryCreationFailed",
            Self::Read(_) | Self::Collect(_) => "StatOperationFailed",
            Self::Write(_) | Self::Digest { .. } | Self::Archive(_) => "ArchiveOperationFailed",
        })
    }

    fn retry(&self) -> Retry {
        match self {
            Self::IllegalPath(_) => Retry::Never,
            _ => Retry::Later,
        }
    }

    fn help(&self) -> Vec<String> {
        match self.code().0 {
            "StorageFull" => {
                vec!["Free space where artifacts are stored, or move the storage.".into()]
            }
            _ => Vec::new(),
        }
    }
}

/// What is where an artifact says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// The archive.
    Good,
    /// Nothing.
    Missing,
    /// Something with another digest; it has been removed.
    Corrupt,
}

/// Keeps artifacts below one folder.
#[derive(Debug)]
pub struct Storage {
    root: PathBuf,
    host: String,
    retention: Retention,
    disk: Arc<dyn Disk>,
    cache: Mutex<Cache>,
    next: AtomicU64,
}

impl Storage {
    /// Storage below `root`, advertised at `http://{host}/`.
    pub fn new(root: PathBuf, host: &str, retention: Retention, disk: Arc<dyn Disk>) -> Self {
        Self {
            root,
            host: host.to_owned(),
            retention,
            disk,
            cache: Mutex::default(),
            next: AtomicU64::new(0),
        }
    }

    /// Archives a tree as `{kind}/{namespace}/{name}/{stem}.tar.gz`; blocks.
    ///
    /// The file appears whole or not at all, and survives a power failure once this returns.
    /// An archive of that name is replaced.
    ///
    /// # Errors
    /// [`StorageError`]; what was advertised before is still there.
    pub fn store(
        &self,
        key: &ArtifactKey,
        stem: &str,
        revision: &str,
        tree: &Tree,
        now: Timestamp,
    ) -> Result<Artifact, StorageError> {
        let bytes = archive::write(tree).map_err(StorageError::Write)?;
        let artifact = self.store_file(key, &format!("{stem}.tar.gz"), revision, &bytes, now)?;
        self.remember(&artifact.digest, &without_links(tree));
        Ok(artifact)
    }

    /// Stores a file as it is, such as a packaged chart, under its own name; blocks.
    ///
    /// # Errors
    /// As [`Storage::store`].
    pub fn store_file(
        &self,
        key: &ArtifactKey,
        name: &str,
        revision: &str,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Artifact, StorageError> {
        let path = format!("{}/{name}", key.path());
        let target = self.place(&path)?;
        let folder = self.place_of(key)?;
        let digest = sha256(bytes);
        let folders = self.disk.create_folder(&folder);
        folders.map_err(StorageError::CreateFolder)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let temporary = folder.join(format!("{TEMPORARY}{}-{number}", std::process::id()));
        let write = || -> io::Result<()> {
            self.disk.write(&temporary, bytes)?;
            self.disk.sync(&temporary)?;
            self.disk.rename(&temporary, &target)?;
            self.disk.sync(&folder)
        };
        if let Err(error) = write() {
            let _ = self.disk.remove(&temporary);
            return Err(StorageError::Write(error));
        }
        Ok(Artifact {
            url: self.url(&path),
            path,
            digest,
            revision: revision.to_owned(),
            last_update_time: now.to_string(),
            size: bytes.len() as i64,
            origin_revision: String::new(),
        })
    }

    /// Where an artifact of this storage is served.
    ///
    /// Differs from [`Artifact::url`] when the advertised host has changed since.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.host)
    }

    /// Whether an artifact's archive is there and unchanged; blocks.
    ///
    /// A changed one is removed, so that nobody reads it and it is made anew.
    ///
    /// # Errors
    /// [`StorageError::Read`] when the disk cannot tell.
    pub fn verify(&self, artifact: &Artifact) -> Result<Stored, StorageError> {
        let Ok(path) = self.place(&artifact.path) else {
            return Ok(Stored::Missing);
        };
        let bytes = match self.disk.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if absent(&error) => return Ok(Stored::Missing),
            Err(error) => return Err(StorageError::Read(error)),
        };
        if digest_matches(&artifact.digest, &bytes) {
            return Ok(Stored::Good);
        }
        self.forget(&artifact.digest);
        self.disk.remove(&path).map_err(StorageError::Collect)?;
        Ok(Stored::Corrupt)
    }

    /// The files of an artifact; blocks unless they are in memory.
    ///
    /// # Errors
    /// [`StorageError::Digest`] when the archive is another one than advertised.
    pub fn tree(&self, artifact: &Artifact) -> Result<Tree, StorageError> {
        if let Some(tree) = self.recall(&artifact.digest) {
            return Ok(tree);
        }
        let path = self.place(&artifact.path)?;
        let bytes = self.disk.read(&path).map_err(StorageError::Read)?;
        let tree = open(&artifact.digest, &bytes, &Limits::OWN)?;
        self.remember(&artifact.digest, &tree);
        Ok(tree)
    }

    /// The bytes of a stored file by its path below the root; `None` when there is none. Blocks.
    ///
    /// # Errors
    /// [`StorageError::Read`].
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let Ok(path) = self.place(path) else {
            return Ok(None);
        };
        match self.disk.read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if absent(&error) => Ok(None),
            Err(error) => Err(StorageError::Read(error)),
        }
    }

    /// Removes archives of a source beyond what is retained, never `advertised`; blocks.
    ///
    /// Returns how many.
    ///
    /// # Errors
    /// [`StorageError::Collect`].
    pub fn collect(
        &self,
        key: &ArtifactKey,
        advertised: Option<&Artifact>,
        now: Timestamp,
    ) -> Result<usize, StorageError> {
        let folder = self.place_of(key)?;
        let mut listed = match self.disk.list(&folder) {
            Ok(listed) => listed,
            Err(error) if absent(&error) => return Ok(0),
            Err(error) => return Err(StorageError::Collect(error)),
        };
        let kept = advertised.and_then(|artifact| artifact.path.rsplit('/').next());
        listed.retain(|file| !file.folder && Some(file.name.as_str()) != kept);
        listed.sort_by_key(|file| std::cmp::Reverse(file.modified));
        let mut records = usize::from(kept.is_some());
        let mut removed = 0;
        for file in listed {
            let age = now.unix() - file.modified;
            let remove = match file.name.starts_with(TEMPORARY) {
                true => age > LEFT_OVER_SECONDS,
                false => {
                    records += 1;
                    records > self.retention.records || age > self.retention.seconds
                }
            };
            if remove {
                match self.disk.remove(&folder.join(&file.name)) {
                    Ok(()) => removed += 1,
                    Err(error) if absent(&error) => {}
                    Err(error) => return Err(StorageError::Collect(error)),
                }
            }
        }
        Ok(removed)
    }

    /// Removes every archive of a source and its folder; blocks.
    ///
    /// # Errors
    /// [`StorageError::Collect`].
    pub fn remove_all(&self, key: &ArtifactKey) -> Result<(), StorageError> {
        let folder = self.place_of(key)?;
        let listed = match self.disk.list(&folder) {
            Ok(listed) => listed,
            Err(error) if absent(&error) => return Ok(()),
            Err(error) => return Err(StorageError::Collect(error)),
        };
        for file in listed {
            let removed = self.disk.remove(&folder.join(&file.name));
            removed.map_err(StorageError::Collect)?;
        }
        self.disk.remove(&folder).map_err(StorageError::Collect)
    }

    /// The tree of this digest, if it is in memory.
    pub fn recall(&self, digest: &str) -> Option<Tree> {
        self.cache().get(digest)
    }

    /// Keeps a tree in memory under its archive's digest.
    pub(crate) fn remember(&self, digest: &str, tree: &Tree) {
        self.cache().put(digest, tree);
    }

    fn forget(&self, digest: &str) {
        self.cache().trees.retain(|(known, _, _)| known != digest);
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file of `kind/namespace/name/file`.
    fn place(&self, path: &str) -> Result<PathBuf, StorageError> {
        let parts: Vec<&str> = path.split('/').collect();
        let good = |part: &&str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
            (1..=NAME_BYTES_MAX).contains(&part.len())
                && part.chars().all(allowed)
                && !part.starts_with('.')
        };
        match parts.len() == 4 && parts.iter().all(good) {
            true => Ok(parts
                .iter()
                .fold(self.root.clone(), |path, part| path.join(part))),
            false => Err(StorageError::IllegalPath(path.chars().take(200).collect())),
        }
    }

    fn place_of(&self, key: &ArtifactKey) -> Result<PathBuf, StorageError> {
        let file = self.place(&format!("{}/file", key.path()))?;
        Ok(file.parent().map(Path::to_owned).unwrap_or_default())
    }
}

impl ArtifactKey {
    /// The key of a GitRepository.
    pub fn git_repository(namespace: &str, name: &str) -> Self {
        Self {
            kind: "gitrepository".into(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    fn path(&self) -> String {
        format!("{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

/// Unpacks an archive that must have this digest.
///
/// # Errors
/// [`StorageError::Digest`], [`StorageError::Archive`].
pub fn open(digest: &str, bytes: &[u8], limits: &Limits) -> Result<Tree, StorageError> {
    if !digest_matches(digest, bytes) {
        return Err(StorageError::Digest {
            expected: digest.chars().take(200).collect(),
        });
    }
    Ok(archive::read(bytes, limits)?)
}

/// Whether bytes have a digest of the form `algorithm:hex`; unknown algorithms never match.
/// `sha256:` and 64 hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

fn digest_matches(digest: &str, bytes: &[u8]) -> bool {
    let Some((algorithm, expected)) = digest.split_once(':') else {
        return false;
    };
    let actual = match algorithm {
        "sha256" => hex(&Sha256::digest(bytes)),
        "sha384" => hex(&sha2::Sha384::digest(bytes)),
        "sha512" => hex(&sha2::Sha512::digest(bytes)),
        _ => return false,
    };
    actual.eq_ignore_ascii_case(expected)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// What unpacking the archive of a tree gives.
fn without_links(tree: &Tree) -> Tree {
    if !tree
        .entries()
        .any(|(_, entry)| matches!(entry, Entry::Link(_)))
    {
        return tree.clone();
    }
    let mut builder = tree::TreeBuilder::default();
    for (path, entry) in tree.entries() {
        if let Entry::File { .. } = entry {
            builder.add(path.clone(), entry.clone());
        }
    }
    builder.build()
}

/// Trees in memory, the one used last at the back.
#[derive(Debug, Default)]
struct Cache {
    trees: VecDeque<(String, Tree, u64)>,
}

impl Cache {
    fn get(&mut self, digest: &str) -> Option<Tree> {
        let at = self
            .trees
            .iter()
            .position(|(known, _, _)| known == digest)?;
        let found = self.trees.remove(at)?;
        let tree = found.1.clone();
        self.trees.push_back(found);
        Some(tree)
    }

    fn put(&mut self, digest: &str, tree: &Tree) {
        /// What an entry costs beside its content.
        const ENTRY_BYTES: u64 = 200;
        self.trees.retain(|(known, _, _)| known != digest);
        let sizes = tree.entries().map(|(path, entry)| match entry {
            Entry::File { content, .. } => content.len() + path.as_str().len(),
            Entry::Link(target) => target.len() + path.as_str().len(),
        });
        let bytes = sizes.map(|size| size as u64 + ENTRY_BYTES).sum();
        if bytes > CACHE_BYTES_MAX {
            return;
        }
        // Revisions of one source differ in little.
        let tree = match self.trees.back() {
            Some((_, last, _)) => tree.sharing(last),
            None => tree.clone(),
        };
        self.trees.push_back((digest.to_owned(), tree, bytes));
        let mut total: u64 = self.trees.iter().map(|(_, _, bytes)| bytes).sum();
        while total > CACHE_BYTES_MAX {
            let Some((_, _, bytes)) = self.trees.pop_front() else {
                return;
            };
            total -= bytes;
        }
    }
}
