//! One API server without sockets.

mod answer;
mod keeping;
mod service;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use apimachine::watch::{Frame, Watcher};
use apimachine::{Env, Event, Features, Reducer, Refusal, State, Timestamp, User, Writer};
use aws_lc_rs::rand::SecureRandom as _;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio::sync::{mpsc, watch as latest};

use crate::Body;
use crate::authentication::{self, Tokens};
use crate::clock::{Clock, SystemClock, until};
use crate::metrics::Metrics;
use crate::storage::{Durable, Loaded, StorageError};
use crate::token::Signer;

use keeping::{Public, Store};
pub use service::ClusterService;

/// How long a read waits for a version that does not exist yet.
const FUTURE_VERSION_WAIT: Duration = Duration::from_secs(3);

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
    /// Counts watches.
    watches: AtomicU64,
    /// Counts steps.
    steps: AtomicU64,
    /// Changes whenever a reducer wants to be called at another time.
    wake: latest::Sender<Option<Timestamp>>,
}

struct Inner {
    state: State,
    reducers: Vec<Box<dyn Reducer>>,
    /// Whether the reducers were asked to look at everything.
    settled: bool,
    store: Option<Store>,
    /// Changes that some reducers have not seen yet.
    unseen: Vec<Event>,
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
                store.append(&keeping::everything(&state))?;
                state
            }
        };
        Ok(Self::assemble(options, state, Some(store)))
    }

    fn assemble(options: Options, state: State, store: Option<Box<dyn Durable>>) -> Arc<Self> {
        let public = Public::new(state.version());
        let store = store.map(|durable| Store::start(durable, &public));
        let has_reducers = !options.reducers.is_empty();
        let cluster = Arc::new(Self {
            inner: Mutex::new(Inner {
                state,
                reducers: options.reducers,
                settled: false,
                store,
                unseen: Vec::new(),
            }),
            public,
            clock: options.clock,
            seed: options.seed,
            tokens: options.tokens,
            signer: Signer::new(&options.token_secret),
            metrics: Metrics::default(),
            watches: AtomicU64::new(0),
            steps: AtomicU64::new(0),
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
                .or_else(|| answer::is_public(path).then(User::anonymous)),
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
        1800 + self.watches.fetch_add(1, Ordering::Relaxed) * 997 % 1800
    }

    pub(crate) fn metrics_text(&self) -> String {
        let (objects, version) = {
            let inner = self.lock();
            (inner.state.count() as u64, inner.state.version())
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

    /// Time and randomness of the next step.
    ///
    /// Each step has a seed of its own: a dry run leaves no trace in the state, and yet must not
    /// show the uid that the next object will get.
    fn env(&self) -> Env {
        let step = self.steps.fetch_add(1, Ordering::Relaxed);
        let mut seed = self.seed;
        for (byte, count) in seed.iter_mut().zip(step.to_be_bytes()) {
            *byte ^= count;
        }
        Env {
            now: self.clock.now(),
            seed,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
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
            unseen,
        } = inner;
        if !reducers.is_empty() && (due || !events.is_empty()) {
            let news: Vec<Event> = unseen.drain(..).chain(events.iter().cloned()).collect();
            let reaction = apimachine::react(reducers, state, env, &news);
            events.extend(reaction.events);
            *unseen = reaction.unseen;
            let wake = reaction.wake;
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
}

fn is_future_version(response: &apimachine::Response) -> bool {
    response.status == 504
        && response
            .node()
            .and_then(|node| node.str_at(&["message"]))
            .is_some_and(|message| message.contains("Too large resource version"))
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
