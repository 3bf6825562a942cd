//! Between the rules and the store: what is kept may be shown.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use apimachine::{Change, Event, Refusal, State};
use tokio::sync::watch as latest;

use super::{Cluster, Inner, Stepped};
use crate::storage::{Committer, Durable, Loaded, Outcome, StorageError};
use crate::watch::Hub;

/// After a store failed, writes are refused without trying again for this long: reading the store
/// back costs seconds when it is large.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(1);

pub(super) struct Store {
    durable: Arc<Mutex<Box<dyn Durable>>>,
    pub(super) committer: Committer,
    /// Which committer this is; a new one starts after every failure.
    pub(super) epoch: u64,
    /// The last version that was found when the store was read back.
    kept: u64,
    retry_at: Option<Instant>,
}

/// What the outside may see: changes that are stored.
pub(super) struct Public {
    pub(super) hub: Hub,
    pub(super) progress: latest::Sender<Progress>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// Every change up to this version is stored.
    pub(super) version: u64,
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

impl Store {
    /// Starts to keep changes in `durable`.
    pub(super) fn start(durable: Box<dyn Durable>, public: &Arc<Public>) -> Self {
        let durable = Arc::new(Mutex::new(durable));
        let outcome = Arc::new(Epoch {
            public: public.clone(),
            epoch: 1,
        });
        Self {
            committer: Committer::start(durable.clone(), outcome),
            durable,
            epoch: 1,
            kept: 0,
            retry_at: None,
        }
    }
}

impl Public {
    /// Everything up to `version` is there already.
    pub(super) fn new(version: u64) -> Arc<Self> {
        let progress = Progress {
            version,
            ..Progress::default()
        };
        Arc::new(Self {
            hub: Hub::default(),
            progress: latest::Sender::new(progress),
        })
    }

    /// Tells watchers and waiting requests what is stored now.
    pub(super) fn publish(&self, events: &[Event]) {
        self.hub.publish(events);
        if let Some(last) = events.last() {
            self.progress
                .send_modify(|progress| progress.version = progress.version.max(last.version));
        }
    }
}

impl Cluster {
    /// Waits until everything up to `stepped` is stored. False: it never will, and was only read.
    pub(super) async fn stored(
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

    /// Refuses writes for a moment after a failed store, which is read back first.
    pub(super) fn recover(
        &self,
        inner: &mut Inner,
        request: &apimachine::Request,
    ) -> Result<(), Refusal> {
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
}

/// Every object of a fresh cluster as if it had just appeared, in the order of the versions.
pub(super) fn everything(state: &State) -> Vec<Event> {
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

pub(super) fn not_stored(why: &str) -> Refusal {
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
