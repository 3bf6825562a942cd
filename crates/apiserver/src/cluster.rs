//! One API server without sockets.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use apimachine::rbac::{self, Impersonation, ImpersonationError};
use apimachine::watch::{Frame, Watcher};
use apimachine::{Change, Env, Event, Features, Reducer, Refusal, State, Timestamp, User, Writer};
use aws_lc_rs::rand::SecureRandom as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{mpsc, watch as latest};

use crate::Body;
use crate::authentication::{self, Tokens};
use crate::clock::{Clock, SystemClock, until};
use crate::http::{RequestInfo, query_pairs};
use crate::metrics::Metrics;
use crate::storage::{Committer, Durable, Loaded, Outcome, StorageError};
use crate::token::Signer;
use crate::watch::{self, Hub};

/// Largest request body; Kubernetes' own limit.
const BODY_BYTES_MAX: usize = 3 << 20;

/// A request that is no watch ends after this time; clients give up at about the same.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(34);

/// How long a read waits for a version that does not exist yet.
const FUTURE_VERSION_WAIT: Duration = Duration::from_secs(3);

/// Answers longer than this are compressed when the client takes it; Kubernetes' own limit.
const COMPRESS_FROM_BYTES: usize = 128 << 10;

/// After a store failed, writes are refused without trying again for this long: reading the store
/// back costs seconds when it is large.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a cluster is made of.
pub struct Options {
    /// What varies between clusters.
    pub features: Features,
    /// The time; the wall clock unless a test says otherwise.
    pub clock: Arc<dyn Clock>,
    /// Where uids and generated names come from. Two runs with the same seed and the same requests
    /// give the same answers; a cluster that is loaded from a store needs a new seed each time.
    pub seed: [u8; 32],
    /// Secret that service account tokens are signed with.
    pub token_secret: [u8; 32],
    /// Bearer tokens and their users.
    pub tokens: Tokens,
    /// Controllers that react to changes inside the cluster.
    pub reducers: Vec<Box<dyn Reducer>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            features: Features::default(),
            clock: Arc::new(SystemClock),
            seed: random_bytes(),
            token_secret: random_bytes(),
            tokens: Tokens::default(),
            reducers: Vec::new(),
        }
    }
}

/// 32 bytes nobody can guess.
pub(crate) fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system has a source of randomness");
    bytes
}

/// One Kubernetes-compatible API server.
pub struct Cluster {
    inner: Mutex<Inner>,
    public: Arc<Public>,
    clock: Arc<dyn Clock>,
    seed: [u8; 32],
    pub(crate) tokens: Tokens,
    pub(crate) signer: Signer,
    metrics: Metrics,
    counter: AtomicU64,
    /// Changes whenever a reducer wants to be called at another time.
    wake: latest::Sender<Option<Timestamp>>,
}

struct Inner {
    state: State,
    reducers: Vec<Box<dyn Reducer>>,
    /// Whether the reducers were asked to look at everything.
    settled: bool,
    store: Option<Store>,
}

struct Store {
    durable: Arc<Mutex<Box<dyn Durable>>>,
    committer: Committer,
    /// Which committer this is; a new one starts after every failure.
    epoch: u64,
    /// The last version that was found when the store was read back.
    kept: u64,
    retry_at: Option<Instant>,
}

/// What the outside may see: changes that are stored.
struct Public {
    hub: Hub,
    progress: latest::Sender<Progress>,
}

#[derive(Clone, Debug, Default)]
struct Progress {
    /// Every change up to this version is stored.
    version: u64,
    /// Committers up to this epoch have failed.
    failed_epoch: u64,
    /// The last version that the failed one had stored.
    failed_at: u64,
    /// Why.
    error: Arc<str>,
}

/// What one committer reports to.
struct Epoch {
    public: Arc<Public>,
    epoch: u64,
}

impl Outcome for Epoch {
    fn stored(&self, events: &[Event]) {
        self.public.publish(events);
    }

    fn failed(&self, error: StorageError) {
        tracing::error!(
            error = error.in_full(),
            "changes could not be stored and are undone"
        );
        self.public.progress.send_modify(|progress| {
            progress.failed_epoch = self.epoch;
            progress.failed_at = progress.version;
            progress.error = error.in_full().into();
        });
    }
}

impl Public {
    fn publish(&self, events: &[Event]) {
        self.hub.publish(events);
        if let Some(last) = events.last() {
            self.progress
                .send_modify(|progress| progress.version = progress.version.max(last.version));
        }
    }
}

/// What a step left behind.
struct Stepped {
    response: apimachine::Response,
    version: u64,
    epoch: u64,
    wrote: bool,
    watch: Option<(Watcher, Vec<Frame>, mpsc::Receiver<Event>)>,
}

impl Cluster {
    /// A fresh cluster in memory.
    pub fn new(options: Options) -> Arc<Self> {
        let env = Env {
            now: options.clock.now(),
            seed: options.seed,
        };
        let state = State::new(options.features.clone(), &env);
        Self::assemble(options, state, None)
    }

    /// A cluster that continues from an existing state, in memory. Nothing is copied until one of
    /// the two changes; give each of them a seed of its own.
    pub fn from_state(options: Options, state: State) -> Arc<Self> {
        Self::assemble(options, state, None)
    }

    /// A cluster that keeps its changes in `store`, and continues from what is there.
    ///
    /// # Errors
    /// [`StorageError`] when the store cannot be read, or the objects of a fresh cluster cannot be stored.
    pub fn open(options: Options, mut store: Box<dyn Durable>) -> Result<Arc<Self>, StorageError> {
        let state = match store.load(options.features.clone())? {
            Loaded::State(mut state) => {
                // Served types follow from the definitions in it; so does what was left to do.
                let env = Env {
                    now: options.clock.now(),
                    seed: options.seed,
                };
                let events = apimachine::settle(&mut state, &env);
                if !events.is_empty() {
                    store.append(&events)?;
                }
                *state
            }
            Loaded::Empty => {
                let env = Env {
                    now: options.clock.now(),
                    seed: options.seed,
                };
                let state = State::new(options.features.clone(), &env);
                store.append(&everything(&state))?;
                state
            }
        };
        Ok(Self::assemble(options, state, Some(store)))
    }

    fn assemble(options: Options, state: State, store: Option<Box<dyn Durable>>) -> Arc<Self> {
        let progress = Progress {
            version: state.version(),
            ..Progress::default()
        };
        let public = Arc::new(Public {
            hub: Hub::default(),
            progress: latest::Sender::new(progress),
        });
        let store = store.map(|durable| {
            let durable = Arc::new(Mutex::new(durable));
            let outcome = Arc::new(Epoch {
                public: public.clone(),
                epoch: 1,
            });
            Store {
                committer: Committer::start(durable.clone(), outcome),
                durable,
                epoch: 1,
                kept: 0,
                retry_at: None,
            }
        });
        let has_reducers = !options.reducers.is_empty();
        let cluster = Arc::new(Self {
            inner: Mutex::new(Inner {
                state,
                reducers: options.reducers,
                settled: false,
                store,
            }),
            public,
            clock: options.clock,
            seed: options.seed,
            tokens: options.tokens,
            signer: Signer::new(&options.token_secret),
            metrics: Metrics::default(),
            counter: AtomicU64::new(0),
            wake: latest::Sender::new(None),
        });
        if has_reducers {
            cluster.tick();
            // Without a runtime nobody waits; the owner calls `tick`.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(wake_reducers(
                    Arc::downgrade(&cluster),
                    cluster.wake.subscribe(),
                ));
            }
        }
        cluster
    }

    /// Now, by the cluster's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A copy of the whole state; shares everything with the cluster until one of them changes.
    ///
    /// With a store it may hold changes that are about to be stored.
    pub fn snapshot(&self) -> State {
        self.lock().state.clone()
    }

    /// Writes without requests, as [`Reducer`]s do; events and reactions follow as for any write.
    pub fn write<T>(&self, manager: &str, change: impl FnOnce(&mut Writer<'_>) -> T) -> T {
        let mut inner = self.lock();
        let env = self.env();
        let mut writer = Writer::new(&mut inner.state, &env, manager);
        let value = change(&mut writer);
        let events = writer.finish();
        self.finish(&mut inner, &env, events);
        value
    }

    /// Lets reducers react to the time; needed only where no runtime drives them.
    pub fn tick(&self) {
        let mut inner = self.lock();
        let env = self.env();
        self.react(&mut inner, &env, Vec::new(), true);
    }

    /// Answers a request of a user who is known already.
    ///
    /// `Impersonate-*` headers are heeded, credentials are not looked at.
    pub async fn call<B>(self: &Arc<Self>, request: Request<B>, user: &User) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.answer(request, |_, _| Some(user.clone())).await
    }

    /// Answers a request after looking at its credentials: a bearer token, else `certificate`, the
    /// user of the connection's client certificate.
    ///
    /// Nobody in particular may see health and version, and nothing else.
    pub async fn serve<B>(
        self: &Arc<Self>,
        request: Request<B>,
        certificate: Option<&User>,
    ) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let authenticate = |headers: &HeaderMap, path: &str| match authentication::bearer(headers) {
            Some(token) => self.authenticate_token(token, &[]).map(|(user, _)| user),
            None => certificate
                .cloned()
                .or_else(|| is_public(path).then(User::anonymous)),
        };
        self.answer(request, authenticate).await
    }

    /// A `tower::Service` whose requests come from `user`; `kube::Client::new` takes it.
    pub fn service(self: &Arc<Self>, user: User) -> ClusterService {
        ClusterService {
            cluster: self.clone(),
            user,
        }
    }

    pub(crate) fn published_version(&self) -> u64 {
        self.public.progress.borrow().version
    }

    /// Between half an hour and an hour, different from watch to watch so that they do not all end at once.
    pub(crate) fn default_watch_seconds(&self) -> u64 {
        1800 + self.counter.fetch_add(1, Ordering::Relaxed) * 997 % 1800
    }

    pub(crate) fn metrics_text(&self) -> String {
        let (objects, version) = {
            let inner = self.lock();
            let resources: Vec<_> = inner.state.stored_resources().cloned().collect();
            let objects: usize = resources
                .iter()
                .map(|resource| inner.state.list(resource, None).count())
                .sum();
            (objects as u64, inner.state.version())
        };
        self.metrics.text(&[
            (
                "apiserver_storage_objects",
                "Objects in the store.",
                objects,
            ),
            (
                "apiserver_resource_version",
                "Version of the last change.",
                version,
            ),
            (
                "apiserver_longrunning_watches",
                "Open watches.",
                self.public.hub.count() as u64,
            ),
        ])
    }

    fn env(&self) -> Env {
        Env {
            now: self.clock.now(),
            seed: self.seed,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer<B>(
        self: &Arc<Self>,
        request: Request<B>,
        authenticate: impl Fn(&HeaderMap, &str) -> Option<User>,
    ) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let started = Instant::now();
        let (head, body) = request.into_parts();
        let query = query_pairs(head.uri.query().unwrap_or_default());
        let info = RequestInfo::new(head.method.as_str(), head.uri.path(), &query);
        let user = authenticate(&head.headers, head.uri.path());
        let audit_id = audit_id(&head.headers);
        let accepts_gzip = accepts_gzip(&head.headers);
        let outcome = match user {
            None => Ok(Err(Refusal::new(401, "Unauthorized", "Unauthorized"))),
            Some(user) => {
                tokio::time::timeout(
                    REQUEST_TIME_MAX,
                    self.respond(head, body, query, &info, user),
                )
                .await
            }
        };
        let timed_out = || {
            let message = "Timeout: request did not complete within the allotted timeout";
            Err(Refusal::new(504, "Timeout", message))
        };
        let (response, watch) = match outcome.unwrap_or_else(|_| timed_out()) {
            Ok(Stepped {
                response, watch, ..
            }) => (response, watch),
            Err(refusal) => (refusal.into_response(), None),
        };
        let code = response.status;
        let response = match watch {
            None => complete(&response, accepts_gzip),
            Some((watcher, frames, queue)) => {
                let stream = watch::stream(self.clone(), watcher, frames, queue);
                head_of(&response, Body::stream(stream))
            }
        };
        let response = with_common_headers(response, audit_id);
        self.metrics
            .observe(&info.verb, &info.resource, code, started.elapsed());
        response
    }

    async fn respond<B>(
        self: &Arc<Self>,
        head: http::request::Parts,
        body: B,
        query: Vec<(String, String)>,
        info: &RequestInfo,
        caller: User,
    ) -> Result<Stepped, Refusal>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let user =
            self.impersonated(caller, &authentication::impersonation(&head.headers), info)?;
        if let Some(response) = self.own_path(&head, &query, info, &user)? {
            return Ok(Stepped {
                response,
                version: 0,
                epoch: 0,
                wrote: false,
                watch: None,
            });
        }
        let text = |name: header::HeaderName| {
            let values: Vec<&str> = head
                .headers
                .get_all(name)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .collect();
            (!values.is_empty()).then(|| values.join(","))
        };
        let body = read_body(body).await?;
        let request = apimachine::Request {
            method: head.method.as_str().into(),
            path: head.uri.path().to_owned(),
            query,
            content_type: text(header::CONTENT_TYPE),
            accept: text(header::ACCEPT),
            if_none_match: text(header::IF_NONE_MATCH),
            body: body.to_vec(),
            user,
            user_agent: text(header::USER_AGENT).unwrap_or_default(),
        };
        self.run(&request).await
    }

    /// Runs the rules; the answer is given when everything it tells is stored.
    async fn run(self: &Arc<Self>, request: &apimachine::Request) -> Result<Stepped, Refusal> {
        let started = tokio::time::Instant::now();
        let mut progress = self.public.progress.subscribe();
        loop {
            let mut stepped = self.step(request)?;
            if self.stored(&mut progress, &stepped).await? {
                if is_future_version(&stepped.response) && started.elapsed() < FUTURE_VERSION_WAIT {
                    // The version may come; look again whenever something changes.
                    let left = FUTURE_VERSION_WAIT.saturating_sub(started.elapsed());
                    progress.mark_unchanged();
                    if let Ok(Ok(())) = tokio::time::timeout(left, progress.changed()).await {
                        continue;
                    }
                    stepped = self.step(request)?;
                }
                self.complete_identity(request, &mut stepped.response);
                return Ok(stepped);
            }
            // What was read has been undone by a failed store: read again.
        }
    }

    /// Waits until everything up to `stepped` is stored. False: it never will, and was only read.
    async fn stored(
        &self,
        progress: &mut latest::Receiver<Progress>,
        stepped: &Stepped,
    ) -> Result<bool, Refusal> {
        loop {
            let now = progress.borrow_and_update().clone();
            if stepped.epoch > 0 && now.failed_epoch >= stepped.epoch {
                if now.failed_epoch == stepped.epoch && stepped.version <= now.failed_at {
                    return Ok(true);
                }
                // A flush that failed may have kept everything all the same: ask the store.
                let mut inner = self.lock();
                self.reload_if_failed(&mut inner)?;
                let kept = inner.store.as_ref().map_or(0, |store| store.kept);
                return match stepped.wrote {
                    _ if stepped.version <= kept => Ok(true),
                    true => Err(not_stored(&now.error)),
                    false => Ok(false),
                };
            }
            if now.version >= stepped.version {
                return Ok(true);
            }
            if progress.changed().await.is_err() {
                return Err(not_stored("the server is stopping"));
            }
        }
    }

    /// The critical section.
    fn step(self: &Arc<Self>, request: &apimachine::Request) -> Result<Stepped, Refusal> {
        let mut inner = self.lock();
        self.recover(&mut inner, request)?;
        let env = self.env();
        let (response, events) = apimachine::step(&mut inner.state, request, &env);
        let wrote = !events.is_empty();
        let version = match events.last() {
            // Reactions of reducers are stored with the write, but nobody has to wait for them.
            Some(last) => last.version,
            None => inner.state.version(),
        };
        self.finish(&mut inner, &env, events);
        let watch = match &response.body {
            apimachine::Body::Watch(plan) => {
                let queue = self.public.hub.subscribe(plan);
                let queue = queue.ok_or_else(|| Refusal {
                    retry_after: 1,
                    ..Refusal::new(
                        429,
                        "TooManyRequests",
                        "Too many requests: this server has as many watches open as it allows",
                    )
                })?;
                let (watcher, frames) = Watcher::start((**plan).clone(), &inner.state, env.now);
                Some((watcher, frames, queue))
            }
            _ => None,
        };
        let epoch = inner.store.as_ref().map_or(0, |store| store.epoch);
        let version = if watch.is_some() {
            inner.state.version()
        } else {
            version
        };
        Ok(Stepped {
            response,
            version,
            epoch,
            wrote,
            watch,
        })
    }

    /// Reactions, then storing and telling.
    fn finish(&self, inner: &mut Inner, env: &Env, events: Vec<Event>) {
        if events.is_empty() && inner.settled {
            return;
        }
        self.react(inner, env, events, false);
    }

    fn react(&self, inner: &mut Inner, env: &Env, mut events: Vec<Event>, due: bool) {
        let Inner {
            state,
            reducers,
            settled,
            store,
        } = inner;
        if !reducers.is_empty() && (due || !events.is_empty()) {
            let (more, wake) = apimachine::react(reducers, state, env, &events);
            events.extend(more);
            self.wake
                .send_if_modified(|current| std::mem::replace(current, wake) != wake);
        }
        *settled = true;
        if events.is_empty() {
            return;
        }
        match store {
            // When the thread has given up, `recover` undoes these changes.
            Some(store) => {
                store.committer.submit(events);
            }
            None => self.public.publish(&events),
        }
    }

    /// Refuses writes for a moment after a failed store, which is read back first.
    fn recover(&self, inner: &mut Inner, request: &apimachine::Request) -> Result<(), Refusal> {
        self.reload_if_failed(inner)?;
        let reads = matches!(request.method.as_str(), "GET" | "HEAD");
        match inner.store.as_ref().and_then(|store| store.retry_at) {
            Some(at) if at > Instant::now() && !reads => {
                Err(not_stored(&self.public.progress.borrow().error))
            }
            _ => Ok(()),
        }
    }

    /// After a failed store: goes back to what is stored.
    fn reload_if_failed(&self, inner: &mut Inner) -> Result<(), Refusal> {
        let Inner {
            state,
            store,
            settled,
            ..
        } = inner;
        let Some(store) = store else { return Ok(()) };
        let progress = self.public.progress.borrow().clone();
        if progress.failed_epoch < store.epoch {
            return Ok(());
        }
        store.committer.stop();
        let loaded = {
            let mut durable = store.durable.lock().unwrap_or_else(PoisonError::into_inner);
            durable.load(state.features().clone())
        };
        let mut loaded = match loaded {
            Ok(Loaded::State(loaded)) => *loaded,
            Ok(Loaded::Empty) => return Err(not_known("the store is empty")),
            Err(error) => return Err(not_known(&error.in_full())),
        };
        store.kept = loaded.version();
        // Versions that were handed out are never used again, stored or not.
        loaded.skip_to(state.version());
        let version = loaded.version();
        let events = apimachine::settle(&mut loaded, &self.env());
        *state = loaded;
        *settled = false;
        store.epoch = progress.failed_epoch + 1;
        store.retry_at = Some(Instant::now() + STORE_RETRY_AFTER);
        let outcome = Arc::new(Epoch {
            public: self.public.clone(),
            epoch: store.epoch,
        });
        store.committer = Committer::start(store.durable.clone(), outcome);
        if !events.is_empty() {
            store.committer.submit(events);
        }
        self.public.hub.close_all();
        self.public
            .progress
            .send_modify(|progress| progress.version = version);
        Ok(())
    }

    /// The identity a request runs under.
    fn impersonated(
        &self,
        caller: User,
        wish: &Impersonation,
        info: &RequestInfo,
    ) -> Result<User, Refusal> {
        if !wish.is_wanted() {
            return Ok(caller);
        }
        let inner = self.lock();
        rbac::impersonate(&inner.state, &caller, wish, &info.attributes()).map_err(|error| {
            match error {
                ImpersonationError::NoUser(message) => Refusal::new(400, "BadRequest", message),
                ImpersonationError::Forbidden {
                    verb,
                    group,
                    resource,
                    namespace,
                    name,
                } => forbidden(&caller, &verb, &group, &resource, &namespace, &name),
            }
        })
    }

    /// Paths that the rules know nothing of: health and metrics.
    fn own_path(
        &self,
        head: &http::request::Parts,
        query: &[(String, String)],
        info: &RequestInfo,
        user: &User,
    ) -> Result<Option<apimachine::Response>, Refusal> {
        let path = head.uri.path();
        let health = ["/healthz", "/livez", "/readyz"].into_iter().find(|one| {
            path.strip_prefix(one)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if health.is_none() && path != "/metrics" {
            return Ok(None);
        }
        if !rbac::authorize(&self.lock().state, user, &info.attributes()).is_allowed() {
            let message = format!(
                "forbidden: User {:?} cannot {} path {:?}",
                user.name.as_str(),
                info.verb,
                path
            );
            return Err(Refusal {
                bare_details: true,
                ..Refusal::new(403, "Forbidden", message)
            });
        }
        let Some(health) = health else {
            let text = apimachine::Response::text(200, self.metrics_text());
            return Ok(Some(with_content_type(
                text,
                "text/plain; version=0.0.4; charset=utf-8",
            )));
        };
        let check = path[health.len()..].trim_matches('/');
        let text = match check {
            "" if query.iter().any(|(key, _)| key == "verbose") => {
                format!("[+]ping ok\n[+]store ok\n{} check passed\n", &health[1..])
            }
            "" | "ping" | "store" => "ok".to_owned(),
            _ => return Err(Refusal::unknown_path()),
        };
        Ok(Some(apimachine::Response::text(200, text)))
    }
}

/// Every object of a fresh cluster as if it had just appeared, in the order of the versions.
fn everything(state: &State) -> Vec<Event> {
    let resources = state.stored_resources().flat_map(|resource| {
        state.list(resource, None).map(move |(key, object)| Event {
            version: object.version,
            resource: resource.clone(),
            change: Change::Added,
            key: key.clone(),
            object: object.clone(),
            old: None,
        })
    });
    let mut events: Vec<Event> = resources.collect();
    events.sort_by_key(|event| event.version);
    events
}

/// Paths that callers without credentials may read.
fn is_public(path: &str) -> bool {
    matches!(path, "/healthz" | "/livez" | "/readyz" | "/version")
}

/// Forbidden, in the words of Kubernetes' authorisation filter.
fn forbidden(
    user: &User,
    verb: &str,
    group: &str,
    resource: &str,
    namespace: &str,
    name: &str,
) -> Refusal {
    let plural = resource.split('/').next().unwrap_or_default();
    let qualified = if group.is_empty() {
        plural.to_owned()
    } else {
        format!("{plural}.{group}")
    };
    let subject = if name.is_empty() {
        qualified
    } else {
        format!("{qualified} {name:?}")
    };
    let place = if namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace {namespace:?}")
    };
    let message = format!(
        "{subject} is forbidden: User {:?} cannot {verb} resource {resource:?} in API group {group:?} {place}",
        user.name.as_str()
    );
    Refusal {
        name: name.into(),
        group: group.into(),
        kind: plural.into(),
        ..Refusal::new(403, "Forbidden", message)
    }
}

fn not_stored(why: &str) -> Refusal {
    Refusal::new(
        500,
        "InternalError",
        format!("Internal error occurred: nothing was changed: {why}"),
    )
}

/// The store failed, and cannot be read to see what it kept.
fn not_known(why: &str) -> Refusal {
    let message = format!("Internal error occurred: it is not known what was kept: {why}");
    Refusal::new(500, "InternalError", message)
}

fn is_future_version(response: &apimachine::Response) -> bool {
    response.status == 504
        && response
            .node()
            .and_then(|node| node.str_at(&["message"]))
            .is_some_and(|message| message.contains("Too large resource version"))
}

async fn read_body<B>(body: B) -> Result<Bytes, Refusal>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("Request entity too large: limit is {BODY_BYTES_MAX}");
            Err(Refusal::new(413, "RequestEntityTooLarge", message))
        }
        Err(error) => Err(Refusal::new(
            400,
            "BadRequest",
            format!("cannot read the body: {error}"),
        )),
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| {
        one.split(';')
            .next()
            .is_some_and(|name| name.trim() == "gzip")
    })
}

/// The caller's id of this request, or a new one.
fn audit_id(headers: &HeaderMap) -> HeaderValue {
    match headers.get("audit-id") {
        Some(id) if !id.is_empty() && id.len() <= 64 => id.clone(),
        _ => {
            let uuid = apimachine::Random::new(random_bytes(), 0).uuid();
            HeaderValue::from_str(&uuid).expect("a UUID is a header value")
        }
    }
}

fn with_content_type(mut response: apimachine::Response, value: &str) -> apimachine::Response {
    response
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    response.with_header("Content-Type", value)
}

fn head_of(response: &apimachine::Response, body: Body) -> Response<Body> {
    let mut out = Response::new(body);
    *out.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &response.headers {
        let name = header::HeaderName::from_bytes(name.as_bytes());
        // Warnings quote what users wrote; what no header may hold is left out.
        let value: String = value
            .chars()
            .filter(|character| !character.is_control())
            .collect();
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            out.headers_mut().append(name, value);
        }
    }
    out
}

fn complete(response: &apimachine::Response, accepts_gzip: bool) -> Response<Body> {
    let bytes = response.encode();
    if accepts_gzip && bytes.len() > COMPRESS_FROM_BYTES {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let packed =
            std::io::Write::write_all(&mut encoder, &bytes).and_then(|()| encoder.finish());
        if let Ok(packed) = packed {
            let mut out = head_of(response, Body::complete(packed));
            out.headers_mut()
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            out.headers_mut()
                .append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
            return out;
        }
    }
    head_of(response, Body::complete(bytes))
}

fn with_common_headers(mut response: Response<Body>, audit_id: HeaderValue) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert("audit-id", audit_id);
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache, private"),
        );
    }
    response
}

/// Calls the reducers whenever the time they asked for has come; ends with the cluster.
async fn wake_reducers(cluster: Weak<Cluster>, mut wake: latest::Receiver<Option<Timestamp>>) {
    loop {
        let at = *wake.borrow_and_update();
        let now = match cluster.upgrade() {
            Some(cluster) => cluster.now(),
            None => return,
        };
        let left = at.map(|at| until(at, now));
        tokio::select! {
            changed = wake.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = async { match left {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            } } => {
                let Some(cluster) = cluster.upgrade() else { return };
                cluster.wake.send_replace(None);
                cluster.tick();
            }
        }
    }
}

/// A cluster as seen by one user: a `tower::Service` over HTTP requests.
#[derive(Clone)]
pub struct ClusterService {
    cluster: Arc<Cluster>,
    user: User,
}

impl<B> tower::Service<Request<B>> for ClusterService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { cluster, user } = self.clone();
        Box::pin(async move { Ok(cluster.call(request, &user).await) })
    }
}
