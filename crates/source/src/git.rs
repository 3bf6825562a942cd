//! From what a GitRepository asks for to the files of one commit.

use std::time::Duration;

use ::git::client::{Client, Credentials, Error, Proxy, Remote, RemoteRefs, RemoteUrl, Tls};
use ::git::{Oid, RefName};
use api::GitReference;
use diag::{Code, Explain, Reason, Retry};
use tree::{Tree, TreeBuilder, TreePath};

use crate::ignore::{IgnoreError, Rules};
use crate::include::{Include, IncludeError, include};
use crate::semver;
use crate::submodules::{self, SubmoduleError};

/// The branch of a source that names none.
const BRANCH_DEFAULT: &str = "master";

/// What a source asks for.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// Address of the repository, as it shall be reached.
    pub url: String,
    /// Which revision; the first that is set of commit, name, semver, tag, branch.
    pub reference: GitReference,
    /// How to name ourselves.
    pub credentials: Credentials,
    /// Whom to trust.
    pub tls: Tls,
    /// Through which proxy; `None` for the environment's.
    pub proxy: Option<Proxy>,
    /// Most time for one operation on the remote.
    pub timeout: Duration,
    /// Folders to keep, all others are left out; empty keeps everything.
    pub sparse: Vec<String>,
    /// Whether the files of submodules are laid in, at the commits recorded for them.
    pub submodules: bool,
    /// Files of other sources to lay into the tree.
    pub include: Vec<Include>,
    /// Files to leave out, in gitignore syntax; `None` for the built-in list.
    pub ignore: Option<String>,
    /// The revision that is stored and would come out the same way otherwise: same `ignore`,
    /// `sparse`, `submodules` and included artifacts, archive verified. `None` fetches in any case.
    pub previous: Option<String>,
}

/// What a fetch found.
#[derive(Clone, Debug)]
pub enum Fetched {
    /// The stored revision is still the right one; nothing was fetched.
    Unchanged {
        /// It.
        revision: String,
    },
    /// Another revision.
    New(Checkout),
}

/// The files of a revision.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// As in `status.artifact.revision`: `main@sha1:…`.
    pub revision: String,
    /// The commit.
    pub commit: Oid,
    /// First line of its message.
    pub subject: String,
    /// Its files, without those that are ignored. Symbolic links are links.
    pub tree: Tree,
}

/// Why there is no revision.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The remote, or the way to it.
    #[error("failed to checkout and determine revision: {doing} '{url}'")]
    Remote {
        /// What was tried, in Flux's words.
        doing: &'static str,
        /// The repository, without credentials.
        url: String,
        /// The cause.
        source: Box<Error>,
    },
    /// The remote has no such branch, tag or reference.
    #[error(
        "failed to checkout and determine revision: unable to clone '{url}': couldn't find remote ref \"{name}\""
    )]
    NoSuchRef {
        /// The repository.
        url: String,
        /// Its full name.
        name: String,
        /// References of the same kind that the remote has, up to five.
        others: Vec<String>,
    },
    /// No tag is in the range.
    #[error("failed to checkout and determine revision: no match found for semver: {range}")]
    NoMatch {
        /// The range.
        range: String,
    },
    /// The range cannot be read.
    #[error("failed to checkout and determine revision: semver parse error")]
    Range {
        /// What is wrong.
        source: golang::version::ConstraintError,
    },
    /// The commit is no full object id.
    #[error(
        "failed to checkout and determine revision: `{0}` is not a full commit id of 40 digits"
    )]
    Commit(String),
    /// The remote has no commit at all.
    #[error("git repository is empty")]
    Empty {
        /// The repository.
        url: String,
    },
    /// A folder of the sparse checkout is not in the revision.
    #[error("failed to sparse checkout: directory '{0}' does not exist")]
    Sparse(String),
    /// Submodules cannot be had.
    #[error("failed to checkout and determine revision: unable to clone submodules")]
    Submodules(#[from] SubmoduleError),
    /// Files of another source cannot be laid into the tree.
    #[error(transparent)]
    Include(#[from] IncludeError),
    /// The patterns to ignore files are too many.
    #[error(transparent)]
    Ignore(#[from] IgnoreError),
}

impl Explain for FetchError {
    fn code(&self) -> Code {
        match self {
            Self::Remote { source, .. } => source.code(),
            Self::NoSuchRef { .. } => Code("RefNotFound"),
            Self::NoMatch { .. } => Code("SemverNoMatch"),
            Self::Range { .. } => Code("SemverInvalid"),
            Self::Commit(_) => Code("CommitInvalid"),
            Self::Empty { .. } => Code("EmptyGitRepository"),
            Self::Sparse(_) => Code("SparseFolderMissing"),
            Self::Submodules(SubmoduleError::Fetch { source, .. }) => source.code(),
            Self::Submodules(SubmoduleError::Limit { .. }) => Code("GitLimit"),
            Self::Submodules(_) => Code("SubmoduleInvalid"),
            Self::Include(_) => Code("IncludeFailed"),
            Self::Ignore(_) => Code("IgnoreLimit"),
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Remote { source, .. } => source.reason(),
            Self::Empty { .. } => Reason("EmptyGitRepository"),
            Self::Include(_) => Reason("CopyFailure"),
            Self::Ignore(_) => Reason("ArchiveOperationFailed"),
            _ => Reason("GitOperationFailed"),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Remote { source, .. } => source.retry(),
            _ => Retry::Later,
        }
    }

    fn help(&self) -> Vec<String> {
        match self {
            Self::Remote { source, .. } => source.help(),
            Self::NoSuchRef { others, .. } if !others.is_empty() => {
                vec![format!("The repository has {}.", others.join(", "))]
            }
            Self::NoMatch { .. } => {
                vec!["Check that tags are versions, and that prereleases are part of the range if they are wanted.".into()]
            }
            Self::Empty { .. } => vec!["Push a commit.".into()],
            _ => Vec::new(),
        }
    }
}

impl FetchError {
    /// The message with its causes, in one line, for a condition.
    pub fn message(&self) -> String {
        diag::with_causes(self)
    }
}

/// What to fetch and what it will be called.
struct Target {
    /// Part of the revision before `@`; empty for a commit alone.
    name: String,
    /// The object to ask for: a commit, or the tag that leads to it.
    wanted: Oid,
    /// The commit.
    commit: Oid,
    /// Whether the remote may have moved it since.
    moves: bool,
}

impl Target {
    fn revision(&self) -> String {
        match self.name.is_empty() {
            true => format!("sha1:{}", self.commit),
            false => format!("{}@sha1:{}", self.name, self.commit),
        }
    }
}

/// Finds the revision that `request` asks for and fetches its files, unless it is the stored one.
///
/// # Errors
/// [`FetchError`]; what is stored is not touched.
pub async fn fetch(client: &Client, request: &FetchRequest) -> Result<Fetched, FetchError> {
    let remote = remote(request)?;
    let mut target = resolve(client, &remote, &request.reference).await?;
    let previous = request.previous.as_deref().map(canonical_revision);
    if previous.as_deref() == Some(target.revision().as_str()) {
        return Ok(Fetched::Unchanged {
            revision: target.revision(),
        });
    }
    let clone_error = |source| remote_error("unable to clone", &remote.url, source);
    let snapshot = match client.fetch(&remote, target.wanted).await {
        Ok(snapshot) => snapshot,
        // The reference has moved since it was listed, and what it was is gone.
        Err(Error::NoSuchCommit { .. } | Error::Refused { .. }) if target.moves => {
            target = resolve(client, &remote, &request.reference).await?;
            client
                .fetch(&remote, target.wanted)
                .await
                .map_err(clone_error)?
        }
        Err(error) => return Err(clone_error(error)),
    };
    if snapshot.commit.id != target.commit {
        return Err(clone_error(Error::NoSuchCommit { id: target.commit }));
    }
    let subject = snapshot.commit.subject().to_owned();
    let tree = match request.submodules {
        true => submodules::lay_in(client, &remote, snapshot).await?,
        false => snapshot.tree,
    };
    let tree = sparse(tree, &request.sparse)?;
    let tree = include(&tree, &request.include)?;
    let rules = Rules::of(&tree, request.ignore.as_deref())?;
    Ok(Fetched::New(Checkout {
        revision: target.revision(),
        commit: target.commit,
        subject,
        tree: rules.filter(&tree)?,
    }))
}

/// The files below the given folders, each of which must be there.
///
/// A leading `./` means nothing. Unlike Flux, `app` does not stand for `apps` too.
fn sparse(tree: Tree, folders: &[String]) -> Result<Tree, FetchError> {
    if folders.is_empty() {
        return Ok(tree);
    }
    let mut kept = TreeBuilder::default();
    for folder in folders {
        let missing = || FetchError::Sparse(folder.chars().take(200).collect());
        let path = TreePath::new(folder).map_err(|_| missing())?;
        let before = tree.entries().filter(|(file, _)| file.is_within(&path));
        let mut count = 0;
        for (file, entry) in before {
            kept.add(file.clone(), entry.clone());
            count += 1;
        }
        if count == 0 {
            return Err(missing());
        }
    }
    Ok(kept.build())
}

/// The present form of a revision: `main/HEX` of early versions is `main@sha1:HEX`.
///
/// # Source
/// fluxcd/source-controller `api/v1/artifact_types.go`, revisions before v1.
pub fn canonical_revision(revision: &str) -> String {
    if revision.contains(':') {
        return revision.to_owned();
    }
    let (name, id) = revision.rsplit_once('/').unwrap_or(("", revision));
    match (Oid::from_hex(id.as_bytes()), name) {
        (None, _) => revision.to_owned(),
        (Some(id), "" | "HEAD") => format!("sha1:{id}"),
        (Some(id), name) => format!("{name}@sha1:{id}"),
    }
}

fn remote(request: &FetchRequest) -> Result<Remote, FetchError> {
    let url = RemoteUrl::parse(&request.url).map_err(|source| FetchError::Remote {
        doing: "unable to use",
        url: match &source {
            Error::UrlInvalid { url, .. } | Error::Scheme { url } => url.clone(),
            _ => String::new(),
        },
        source: Box::new(source),
    })?;
    Ok(Remote {
        url,
        credentials: request.credentials.clone(),
        tls: request.tls.clone(),
        proxy: request.proxy.clone(),
        timeout: request.timeout,
    })
}

fn remote_error(doing: &'static str, url: &RemoteUrl, source: Error) -> FetchError {
    FetchError::Remote {
        doing,
        url: url.to_string(),
        source: Box::new(source),
    }
}

async fn list(client: &Client, remote: &Remote, prefix: &str) -> Result<RemoteRefs, FetchError> {
    let listed = client.list(remote, &[prefix]).await;
    listed.map_err(|source| remote_error("unable to list remote for", &remote.url, source))
}

async fn resolve(
    client: &Client,
    remote: &Remote,
    reference: &GitReference,
) -> Result<Target, FetchError> {
    if !reference.commit.is_empty() {
        let id = Oid::from_hex(reference.commit.as_bytes());
        let id =
            id.ok_or_else(|| FetchError::Commit(reference.commit.chars().take(200).collect()))?;
        return Ok(Target {
            name: reference.branch.clone(),
            wanted: id,
            commit: id,
            moves: false,
        });
    }
    if !reference.name.is_empty() {
        return named(client, remote, &reference.name, &reference.name).await;
    }
    if !reference.semver.is_empty() {
        return ranged(client, remote, &reference.semver).await;
    }
    if !reference.tag.is_empty() {
        let full = format!("refs/tags/{}", reference.tag);
        return named(client, remote, &full, &reference.tag).await;
    }
    let branch = match reference.branch.as_str() {
        "" => BRANCH_DEFAULT,
        branch => branch,
    };
    named(client, remote, &format!("refs/heads/{branch}"), branch).await
}

/// The target of one reference, called `short` in the revision.
async fn named(
    client: &Client,
    remote: &Remote,
    full: &str,
    short: &str,
) -> Result<Target, FetchError> {
    let name = RefName::new(full);
    let name = name.map_err(|error| remote_error("unable to clone", &remote.url, error.into()))?;
    let refs = list(client, remote, full).await?;
    if let Some(found) = refs.get(&name) {
        return Ok(Target {
            name: short.to_owned(),
            wanted: found.id,
            commit: found.target(),
            moves: true,
        });
    }
    let all = list(client, remote, "refs/").await?;
    if all.refs.is_empty() {
        return Err(FetchError::Empty {
            url: remote.url.to_string(),
        });
    }
    let kind = full
        .rsplit_once('/')
        .map_or(full, |_| match full.strip_prefix("refs/tags/") {
            Some(_) => "refs/tags/",
            None => "refs/heads/",
        });
    let others = all
        .refs
        .iter()
        .filter(|other| other.name.as_str().starts_with(kind));
    Err(FetchError::NoSuchRef {
        url: remote.url.to_string(),
        name: full.to_owned(),
        others: others
            .take(5)
            .map(|other| format!("`{}`", other.name.short()))
            .collect(),
    })
}

/// The highest tag in a range of versions.
async fn ranged(client: &Client, remote: &Remote, range: &str) -> Result<Target, FetchError> {
    let refs = list(client, remote, "refs/tags/").await?;
    let names = refs.refs.iter().map(|tag| tag.name.short());
    let best = semver::highest(range, names).map_err(|source| FetchError::Range { source })?;
    let found = best.and_then(|best| refs.refs.iter().find(|tag| tag.name.short() == best));
    let found = found.ok_or_else(|| FetchError::NoMatch {
        range: range.to_owned(),
    })?;
    Ok(Target {
        name: found.name.short().to_owned(),
        wanted: found.id,
        commit: found.target(),
        moves: true,
    })
}
