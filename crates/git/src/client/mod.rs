//! Reads remote repositories: what they have, and the files of one commit.
//!
//! [`Client::list`] asks for references, [`Client::fetch`] for one commit without its history.
//! Repositories of a [`Server`] in this process are read without a socket, see [`Client::with_local`].
//!
//! # Invariants
//!
//! - **Credentials stay home.** They go to the host of the address and nowhere else; redirects to
//!   another host, and from https to http, are refused.
//! - **Ids are computed**, never believed: what comes back is the commit that was asked for.
//! - **Bounded** by the limits in this crate and by one deadline for everything.
//!
//! Deliberately absent: SSH, retries, and deciding which commit is wanted.

mod address;
mod error;
mod http;
mod protocol;
mod url;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tree::{Tree, TreePath};

use crate::checkout::checkout;
use crate::odb::{Memory, ObjectError, Objects};
use crate::pack::{self, Limits};
use crate::server::Server;
use crate::{Commit, Kind, Oid, RefName, Tag};

pub use address::{Addresses, is_forbidden_address};
pub use error::Error;
pub use url::RemoteUrl;

/// How a client behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Addresses it may connect to.
    pub addresses: Addresses,
    /// Whether proxies named by the environment are used.
    pub environment_proxy: bool,
    /// What a fetched pack may hold.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addresses: Addresses::default(),
            environment_proxy: true,
            limits: Limits {
                // All of it is held in memory.
                inflated_bytes_max: crate::CHECKOUT_BYTES_MAX,
                ..Limits::DEFAULT
            },
        }
    }
}

/// How a client names itself to a host.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Not at all.
    #[default]
    None,
    /// With a name and a password or token.
    Basic {
        /// The name.
        username: String,
        /// The secret.
        password: String,
    },
    /// With a token.
    Bearer(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic(…)",
            Self::Bearer(_) => "Bearer(…)",
        })
    }
}

/// Certificates of one remote, as PEM.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tls {
    /// Authorities to trust beside the system's.
    pub authorities: Option<Vec<u8>>,
    /// Our certificate chain and its key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("authorities", &self.authorities.is_some())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

/// A proxy that requests go through.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proxy {
    /// Its address, `http://` or `https://`.
    pub address: String,
    /// Name and password, if it wants some.
    pub login: Option<(String, String)>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proxy(…)")
    }
}

/// A remote repository and how to reach it.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Its address.
    pub url: RemoteUrl,
    /// How to name ourselves.
    pub credentials: Credentials,
    /// Whom to trust.
    pub tls: Tls,
    /// Through which proxy; `None` for the one that the environment names, if that is allowed.
    pub proxy: Option<Proxy>,
    /// Most time for one operation.
    pub timeout: Duration,
}

impl Remote {
    /// What is given beside the address, else what is part of it.
    fn credentials(&self) -> &Credentials {
        match &self.credentials {
            Credentials::None => self.url.credentials(),
            given => given,
        }
    }
}

/// One reference of a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteRef {
    /// Its name.
    pub name: RefName,
    /// What it is.
    pub id: Oid,
    /// What it names in the end, for annotated tags.
    pub peeled: Option<Oid>,
}

impl RemoteRef {
    /// The commit, tags followed.
    pub fn target(&self) -> Oid {
        self.peeled.unwrap_or(self.id)
    }
}

/// The references of a remote, those that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteRefs {
    /// What `HEAD` names, as far as the remote tells.
    pub head: Option<RefName>,
    /// In the order of the remote.
    pub refs: Vec<RemoteRef>,
}

impl RemoteRefs {
    /// The reference with this full name.
    pub fn get(&self, name: &RefName) -> Option<&RemoteRef> {
        self.refs.iter().find(|found| found.name == *name)
    }
}

/// One commit with its files.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The commit.
    pub commit: Commit,
    /// The annotated tag that led to it, if one was asked for.
    pub tag: Option<Tag>,
    /// Its files; submodules are left out.
    pub tree: Tree,
    /// Where submodules belong, and their commits.
    pub submodules: BTreeMap<TreePath, Oid>,
}

/// Reads remote repositories.
#[derive(Clone, Debug)]
pub struct Client {
    http: Arc<http::Http>,
    limits: Limits,
    locals: Vec<(String, Arc<Server>)>,
}

impl Client {
    /// A client; connects to nothing yet.
    pub fn new(options: Options) -> Self {
        Self {
            limits: options.limits,
            http: Arc::new(http::Http::new(options)),
            locals: Vec::new(),
        }
    }

    /// Reads addresses that start with `base`, such as `http://127.0.0.1:7080`, from `server`
    /// without a socket; who may read is decided as over one.
    #[must_use]
    pub fn with_local(mut self, base: &str, server: Arc<Server>) -> Self {
        self.locals
            .push((base.trim_end_matches('/').to_owned(), server));
        self
    }

    /// The references whose names start with one of `prefixes`, or more: old servers send all.
    ///
    /// # Errors
    /// [`Error`]; every cause but a deadline is worth showing to a person.
    pub async fn list(&self, remote: &Remote, prefixes: &[&str]) -> Result<RemoteRefs, Error> {
        if let Some((server, name)) = self.local(remote)? {
            let prefixes: Vec<String> = prefixes.iter().map(|p| (*p).to_owned()).collect();
            return in_thread(move || local_refs(&server, &name, &prefixes)).await;
        }
        let work = protocol::list(&self.http, remote, prefixes);
        within(remote, work).await
    }

    /// The commit that `id` is or names, without history, with its files.
    ///
    /// # Errors
    /// As [`Client::list`]; [`Error::NoSuchCommit`] when the remote does not have it.
    pub async fn fetch(&self, remote: &Remote, id: Oid) -> Result<Snapshot, Error> {
        if let Some((server, name)) = self.local(remote)? {
            return in_thread(move || {
                let odb = server.repository(&name)?.odb()?;
                snapshot(&odb, id)
            })
            .await;
        }
        let limits = self.limits;
        let work = async {
            let bytes = protocol::fetch(&self.http, remote, id, &limits).await?;
            in_thread(move || {
                let mut memory = Memory::default();
                pack::index(
                    &bytes,
                    &limits,
                    &mut |_| Ok(None),
                    &mut |id, kind, content| {
                        memory.0.insert(id, (kind, content.clone()));
                    },
                )?;
                drop(bytes);
                snapshot(&memory, id)
            })
            .await
        };
        within(remote, work).await
    }

    /// The name, as in [`PushEvent::repository`](crate::server::PushEvent), of the repository at an
    /// address that is read in process; `None` for others.
    pub fn local_repository(&self, url: &RemoteUrl) -> Option<String> {
        self.find_local(url).map(|(_, name)| name)
    }

    fn find_local(&self, url: &RemoteUrl) -> Option<(Arc<Server>, String)> {
        self.locals.iter().find_map(|(base, server)| {
            let path = url.as_str().strip_prefix(base.as_str())?;
            Some((server.clone(), server.name_in_path(path)?))
        })
    }

    /// The server in this process that has the repository, once it lets us read.
    fn local(&self, remote: &Remote) -> Result<Option<(Arc<Server>, String)>, Error> {
        let Some((server, name)) = self.find_local(&remote.url) else {
            return Ok(None);
        };
        let secret = match remote.credentials() {
            Credentials::None => None,
            Credentials::Basic { password, .. } => Some(password.as_str()),
            Credentials::Bearer(token) => Some(token.as_str()),
        };
        // As over a socket, credentials that nobody asks for are not looked at.
        match server.may_read(None) || server.may_read(secret) {
            true => Ok(Some((server, name))),
            false => Err(Error::Unauthorized {
                url: remote.url.clone(),
                given: secret.is_some(),
            }),
        }
    }
}

async fn within<T>(
    remote: &Remote,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(remote.timeout, work).await {
        Ok(result) => result,
        Err(_) => Err(Error::Timeout {
            url: remote.url.clone(),
            after: remote.timeout,
        }),
    }
}

/// Runs what computes for long, or reads the disk, beside the runtime.
async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Stopping),
        },
    }
}

fn local_refs(server: &Server, name: &str, prefixes: &[String]) -> Result<RemoteRefs, Error> {
    let repository = server.repository(name)?;
    let refs = repository.refs()?;
    let odb = repository.odb()?;
    let wanted = |name: &RefName| {
        prefixes.is_empty()
            || prefixes
                .iter()
                .any(|prefix| name.as_str().starts_with(prefix))
    };
    let found = refs.named.iter().filter(|(name, _)| wanted(name));
    let list = found.map(|(name, id)| RemoteRef {
        name: name.clone(),
        id: *id,
        peeled: match refs.peeled.get(name) {
            Some(target) => Some(*target),
            None if name.is_branch() => None,
            None => odb
                .peel(*id)
                .ok()
                .map(|(_, target)| target)
                .filter(|target| target != id),
        },
    });
    Ok(RemoteRefs {
        refs: list.collect(),
        head: refs.head.clone(),
    })
}

fn snapshot(objects: &dyn Objects, id: Oid) -> Result<Snapshot, Error> {
    let tag = match objects.find(id)? {
        None => return Err(Error::NoSuchCommit { id }),
        Some((Kind::Tag, content)) => Some(Tag::parse(id, &content).map_err(ObjectError::from)?),
        Some(_) => None,
    };
    let (_, commit) = objects.peel(id)?;
    let commit = objects.commit(commit)?;
    let (tree, submodules) = checkout(objects, commit.tree)?;
    Ok(Snapshot {
        tree,
        submodules,
        commit,
        tag,
    })
}
