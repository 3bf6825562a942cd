//! Serves the bare repositories of a folder over HTTP, to any Git client.
//!
//! [`Server::handle`] is one function from request to response; whoever owns the socket calls it.
//! Addresses are `{prefix}/{owner}/{repository}.git/…`, or one name without owner; `.git` may be left out.
//! Protocol versions 0, 1 and 2 are spoken.
//!
//! # Invariants
//!
//! - **Authorised by what is done.** Which right is needed follows from the service that will run, not from a query.
//! - **Quarantine.** What a push brings is invisible until all of it is checked; a process that is
//!   killed in between leaves the repository as it was.
//!
//! Deliberately absent: sockets, TLS, rules about branches, and telling whether an address is loopback.

mod advertise;
mod auth;
mod body;
mod receive;
mod route;
mod upload;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body::Body as HttpBody;
use tokio::sync::Semaphore;

use crate::pack::Limits;
use crate::{NewCommit, Oid, RefName, Repository, RepositoryError};

pub use auth::Token;
use auth::Verdict;
pub use body::Body;
use body::{ChannelWriter, Inbox};
use route::{Route, Service};

/// Most clones and fetches at the same time; the others wait.
///
/// Each may hold a thread and some object's content; more than this gains nothing on one disk.
const READS_MAX: usize = 32;

/// Most pushes at the same time. They have room of their own: a push may be slow to arrive.
const PUSHES_MAX: usize = 16;

/// How long a fetch request, which is small, may take to arrive.
const UPLOAD_REQUEST_MAX: Duration = Duration::from_secs(30);

/// How long a push may take to arrive; the largest at half a megabyte per second.
const RECEIVE_REQUEST_MAX: Duration = Duration::from_secs(30 * 60);

/// Most bytes of a fetch request: a hundred thousand wants and haves.
const UPLOAD_REQUEST_BYTES_MAX: u64 = 16 << 20;

/// What a push calls for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushEvent {
    /// `owner/name` without `.git`.
    pub repository: String,
    /// What moved.
    pub name: RefName,
    /// Where it was; `None` when it is new.
    pub old: Option<Oid>,
    /// Where it is; `None` when it is gone.
    pub new: Option<Oid>,
    /// Name of the token that pushed; `None` for a commit made in process.
    pub pusher: Option<String>,
}

/// Called after a reference has moved; must not block.
pub type OnPush = Arc<dyn Fn(&PushEvent) + Send + Sync>;

/// How a server behaves.
#[derive(Clone)]
pub struct Options {
    /// Path in front of repository names: `/git`.
    pub prefix: String,
    /// Whether reading needs no token. Right only where nobody but this machine's users connects.
    pub anonymous_read: bool,
    /// Who may read, and who may push.
    pub tokens: Vec<Token>,
    /// What pushed packs may hold.
    pub limits: Limits,
    /// Called after each reference that moved.
    pub on_push: Option<OnPush>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix: "/git".into(),
            anonymous_read: false,
            tokens: Vec::new(),
            limits: Limits::DEFAULT,
            on_push: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("prefix", &self.prefix)
            .field("anonymous_read", &self.anonymous_read)
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}

/// Serves the bare repositories of one folder.
///
/// It owns the folder: locks found in a repository when it is first used are taken for left-overs.
#[derive(Debug)]
pub struct Server {
    root: PathBuf,
    options: Options,
    recovered: Mutex<BTreeSet<String>>,
    reads: Arc<Semaphore>,
    pushes: Arc<Semaphore>,
}

impl Server {
    /// A server of the repositories below `root`, which need not exist yet.
    pub fn new(root: PathBuf, options: Options) -> Self {
        Self {
            root,
            options,
            recovered: Mutex::default(),
            reads: Arc::new(Semaphore::new(READS_MAX)),
            pushes: Arc::new(Semaphore::new(PUSHES_MAX)),
        }
    }

    /// The path in front of repository names.
    pub fn prefix(&self) -> &str {
        &self.options.prefix
    }

    /// The repository `owner/name`; blocks.
    ///
    /// # Errors
    /// [`RepositoryError::Name`], [`RepositoryError::NotARepository`].
    pub fn repository(&self, name: &str) -> Result<Repository, RepositoryError> {
        let name = route::repository_name(name)
            .ok_or_else(|| RepositoryError::Name(name.chars().take(200).collect()))?;
        let repository = Repository::open(&self.folder(&name))?;
        let mut recovered = self
            .recovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !recovered.contains(&name) {
            repository.recover()?;
            recovered.insert(name);
        }
        Ok(repository)
    }

    /// Makes the empty repository `owner/name` whose default branch is `branch`; blocks.
    ///
    /// # Errors
    /// [`RepositoryError::Name`], [`RepositoryError::Exists`].
    pub fn create(&self, name: &str, branch: &str) -> Result<Repository, RepositoryError> {
        let clean = route::repository_name(name)
            .ok_or_else(|| RepositoryError::Name(name.chars().take(200).collect()))?;
        let mut recovered = self
            .recovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let repository = Repository::init_bare(&self.folder(&clean), branch)?;
        recovered.insert(clean);
        Ok(repository)
    }

    /// The names of all repositories; blocks.
    pub fn list(&self) -> Vec<String> {
        let folders = |path: &std::path::Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect()
        };
        let mut names = BTreeMap::new();
        let mut look = |owner: Option<&str>, folder: PathBuf| {
            let Some(name) = folder.file_name().and_then(|name| name.to_str()) else {
                return;
            };
            if let Some(name) = name.strip_suffix(".git") {
                let name = owner.map_or(name.to_owned(), |owner| format!("{owner}/{name}"));
                if route::repository_name(&name).is_some() && Repository::open(&folder).is_ok() {
                    names.insert(name, ());
                }
            }
        };
        for folder in folders(&self.root) {
            let owner = folder
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned);
            if let Some(owner) = owner.filter(|owner| !owner.ends_with(".git")) {
                for folder in folders(&folder) {
                    look(Some(&owner), folder);
                }
            }
            look(None, folder);
        }
        names.into_keys().collect()
    }

    /// Makes a commit in a repository, as a push would; blocks.
    ///
    /// # Errors
    /// As [`Repository::write_commit`].
    pub fn commit(&self, name: &str, new: &NewCommit<'_>) -> Result<Oid, RepositoryError> {
        let repository = self.repository(name)?;
        let id = repository.write_commit(new)?;
        self.announce(&PushEvent {
            repository: route::repository_name(name).unwrap_or_default(),
            name: RefName::branch(new.branch)?,
            old: new.onto,
            new: Some(id),
            pusher: None,
        });
        repository.consolidate()?;
        Ok(id)
    }

    /// The repository name in a URL whose part after scheme and authority is `path`.
    pub(crate) fn name_in_path(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(self.options.prefix.as_str())?;
        route::repository_name(rest.strip_prefix('/')?.trim_end_matches('/'))
    }

    /// Whether a secret, or none, may read: the same verdict as over a socket.
    pub(crate) fn may_read(&self, secret: Option<&str>) -> bool {
        let verdict = auth::judge(&self.options, secret, Service::Upload);
        matches!(verdict, Verdict::Anonymous | Verdict::Token(_))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.git"))
    }

    fn announce(&self, event: &PushEvent) {
        if let Some(on_push) = &self.options.on_push {
            on_push(event);
        }
    }

    /// Answers one HTTP request.
    ///
    /// Never fails: what goes wrong is a response. The body of the response is made while it is
    /// read, so it must be read or dropped.
    pub async fn handle<B>(self: &Arc<Self>, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes>,
        B::Error: fmt::Display,
    {
        match self.answer(request).await {
            Ok(response) => response,
            Err(refusal) => refusal.into_response(),
        }
    }

    async fn answer<B>(self: &Arc<Self>, request: Request<B>) -> Result<Response<Body>, Refusal>
    where
        B: HttpBody<Data = Bytes>,
        B::Error: fmt::Display,
    {
        let (parts, body) = request.into_parts();
        let route = Route::of(&self.options.prefix, &parts)?;
        let user = auth::authorise(&self.options, &parts.headers, route.service)?;
        let server = self.clone();
        let name = route.repository.clone();
        let repository = blocking(move || server.repository(&name)).await?;
        let repository = repository.map_err(|error| match error {
            RepositoryError::NotARepository(_) | RepositoryError::Name(_) => Refusal::absent(),
            error => Refusal::internal(&error),
        })?;
        let version = protocol_version(&parts.headers);
        let room = match (route.service, route.advertisement) {
            (Service::Receive, false) => &self.pushes,
            _ => &self.reads,
        };
        let permit = room.clone().acquire_owned().await;
        let permit = permit.map_err(|error| Refusal::internal(&error))?;
        if route.advertisement {
            let service = route.service;
            let text =
                blocking(move || advertise::advertise(&repository, service, version)).await?;
            let text = text.map_err(|error| Refusal::internal(&error))?;
            return Ok(reply(service, "advertisement", Body::full(text)));
        }
        let gzip = gzip_encoded(&parts.headers)?;
        let (limit, path) = match route.service {
            Service::Upload => (UPLOAD_REQUEST_BYTES_MAX, None),
            Service::Receive => (
                self.options.limits.pack_bytes_max + receive::COMMANDS_BYTES_MAX,
                Some(repository.clone()),
            ),
        };
        let deadline = match route.service {
            Service::Upload => UPLOAD_REQUEST_MAX,
            Service::Receive => RECEIVE_REQUEST_MAX,
        };
        let received = tokio::time::timeout(deadline, Inbox::receive(body, gzip, limit, path));
        let inbox = received.await.unwrap_or_else(|_| {
            Err(Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                "the request takes too long",
            ))
        })?;
        let (writer, body) = ChannelWriter::new();
        let server = self.clone();
        let service = route.service;
        tokio::task::spawn_blocking(move || {
            let mut writer = writer;
            let result = match service {
                Service::Upload => upload::serve(&repository, &inbox, version, &mut writer),
                Service::Receive => {
                    let context = receive::Context {
                        repository: &repository,
                        name: &route.repository,
                        limits: &server.options.limits,
                        pusher: user,
                        announce: &|event| server.announce(event),
                    };
                    receive::serve(&context, inbox, &mut writer)
                }
            };
            // The client went away: nobody is left to tell.
            if let Err(error) = result.and_then(|()| writer.finish()) {
                tracing::debug!(repository = route.repository, %error, "git client left early");
            }
            // After the answer: nobody waits for it.
            if service == Service::Receive
                && let Err(error) = repository.consolidate()
            {
                tracing::warn!(
                    repository = route.repository,
                    error = diag::with_causes(&error),
                    "packs stay apart"
                );
            }
            drop(permit);
        });
        Ok(reply(service, "result", body))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Refusal::internal(&error))
}

fn reply(service: Service, what: &str, body: Body) -> Response<Body> {
    let kind = format!("application/x-{}-{what}", service.as_str());
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    if let Ok(kind) = kind.parse() {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(
        header::CACHE_CONTROL,
        http::HeaderValue::from_static("no-cache, max-age=0, must-revalidate"),
    );
    response
}

/// The version that `Git-Protocol: version=N` asks for; unknown ones mean 0.
fn protocol_version(headers: &http::HeaderMap) -> u8 {
    let value = headers
        .get("git-protocol")
        .and_then(|value| value.to_str().ok());
    let mut versions = value.unwrap_or("").split(':').filter_map(|part| {
        match part.trim().strip_prefix("version=")? {
            "1" => Some(1),
            "2" => Some(2),
            _ => None,
        }
    });
    versions.next().unwrap_or(0)
}

fn gzip_encoded(headers: &http::HeaderMap) -> Result<bool, Refusal> {
    match headers
        .get(header::CONTENT_ENCODING)
        .map(|value| value.as_bytes())
    {
        None | Some(b"identity") => Ok(false),
        Some(b"gzip" | b"x-gzip") => Ok(true),
        Some(_) => Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request bodies may be compressed with gzip only",
        )),
    }
}

/// A request that gets an error status.
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    fn absent() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no such repository")
    }

    fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = diag::with_causes(error), "git request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the repository cannot be read",
        )
    }

    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::full(format!("{}\n", self.message).into_bytes()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let text = http::HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, text);
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = http::HeaderValue::from_static("Basic realm=\"Fleetwright Git\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
