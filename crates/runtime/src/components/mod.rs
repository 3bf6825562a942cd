//! The controllers of components: a copy of all their objects, decisions by `control`, and what is
//! done about them.
//!
//! Every object of the group is copied, so that a decision sees all at once and no order of arrival
//! matters: when one comes, changes or goes, those that look at it are looked at again.

mod heartbeat;
mod planes;
mod rollout;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use cluster::{ApiError, Apply, Change, Cluster, Delete, PatchType, Reflector, Scope};
use control::components::{Action, Decision, View};
use control::{Timing, release};
use object::{GroupVersionKind, Node, Object, ObjectKey};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant};

use crate::Engine;
use crate::engine::Shared as EngineShared;
use crate::queue::Queue;

use planes::Planes;
pub use planes::{DefaultPlane, NoDefaultPlane};
use state::State;

/// Who owns fields of the objects that decisions write.
const MANAGER: &str = release::MANAGER;

/// Objects that are looked at at the same time. Most of the time they wait for a store to keep what
/// they have written, and stores keep many writes as fast as one.
const CONCURRENT: usize = 32;

/// Lanes of the queue.
const LANES: usize = 3;

/// The lane of an object: first what is on its way to a data plane, then what is bound, then what
/// tells how others are, which a burst of changes would else have told again and again.
fn lane(key: &ObjectKey) -> usize {
    match key.kind.as_str() {
        "Release" | "RenderedRelease" => 0,
        "ReleaseBinding" => 1,
        _ => 2,
    }
}

/// Decisions about one object in a row; more would mean that two of them undo each other.
const DECISIONS_MAX: usize = 20;

/// Pause before an object is looked at again about which decisions would not end.
const RESTLESS_PAUSE: Duration = Duration::from_secs(10);

/// What to vary about the controllers of components.
pub struct ComponentOptions {
    /// What decisions depend on.
    pub control: control::components::Options,
    /// Where objects of a data plane go that names no cluster.
    pub default_plane: Arc<dyn DefaultPlane>,
}

/// The controllers of components on one control plane.
#[derive(Clone)]
pub struct Components {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Arc<EngineShared>,
    options: control::components::Options,
    state: State,
    planes: Planes,
    queue: Queue<ObjectKey>,
    permits: Arc<Semaphore>,
    reflectors: OnceLock<Vec<Reflector>>,
    releases: Mutex<BTreeMap<ObjectKey, release::Memory>>,
    failures: Mutex<BTreeMap<ObjectKey, u32>>,
}

impl Components {
    /// The controllers, and the task that runs them for ever; it ends only by accident, with the
    /// reason.
    pub fn new(
        engine: &Engine,
        options: ComponentOptions,
    ) -> (Self, impl Future<Output = String> + Send + 'static) {
        let shared = Arc::new(Shared {
            engine: engine.shared().clone(),
            options: options.control,
            state: State::default(),
            planes: Planes::new(options.default_plane),
            queue: Queue::with_lanes(LANES, lane),
            permits: Arc::new(Semaphore::new(CONCURRENT)),
            reflectors: OnceLock::new(),
            releases: Mutex::default(),
            failures: Mutex::default(),
        });
        let components = Self {
            shared: shared.clone(),
        };
        let run = async move {
            shared.start_watching();
            shared.synced().await;
            let mut tasks = JoinSet::new();
            tasks.spawn(shared.clone().heartbeats());
            // Whoever has no permit yet leaves the key in the queue, where more wakes are one.
            let next = async || {
                let permit = shared.permits.clone().acquire_owned().await;
                (permit, shared.queue.next().await)
            };
            loop {
                tokio::select! {
                    (permit, key) = next() => {
                        let shared = shared.clone();
                        tasks.spawn(async move {
                            shared.look_at(&key).await;
                            drop(permit);
                            shared.queue.done(&key);
                        });
                    }
                    Some(ended) = tasks.join_next() => {
                        if let Err(error) = ended {
                            return format!("a controller of components has failed: {error}");
                        }
                    }
                }
            }
        };
        (components, run)
    }

    /// Every object of the group that is there.
    pub fn objects(&self) -> Vec<Arc<Object>> {
        self.shared.state.all()
    }
}

impl Shared {
    fn start_watching(self: &Arc<Self>) {
        let namespaces = GroupVersionKind::new("v1", "Namespace");
        let kinds = api::openchoreo::Kind::ALL.iter();
        let kinds = kinds.map(|kind| kind.group_version_kind());
        let reflectors = kinds.chain([namespaces]).map(|kind| {
            let scope = Scope {
                kind,
                namespace: String::new(),
                labels: String::new(),
            };
            // Weak: the reflector belongs to what it calls.
            let shared = Arc::downgrade(self);
            let control_plane = self.control_plane().clone();
            Reflector::trimmed(
                control_plane,
                scope,
                |_| true,
                move |change| {
                    if let Some(shared) = shared.upgrade() {
                        shared.changed(&change);
                    }
                },
            )
        });
        let _ = self.reflectors.set(reflectors.collect());
    }

    async fn synced(&self) {
        for reflector in self.reflectors.get().into_iter().flatten() {
            reflector.synced().await;
        }
    }

    fn control_plane(&self) -> &Cluster {
        self.engine.control_plane()
    }

    fn changed(&self, change: &Change) {
        match &change.new {
            Some(object) => self.put(object, None),
            None => {
                let dependents = change.old.as_deref().map(|old| self.state.remove(old));
                self.wake(dependents.into_iter().flatten());
                self.queue.add(change.key.clone());
            }
        }
    }

    /// Takes an object over as the server shows it, and wakes whom it concerns: itself, too, but not
    /// whoever looks already, which is `own`.
    fn put(&self, object: &Arc<Object>, own: Option<&ObjectKey>) {
        if let Some(dependents) = self.state.put(object) {
            let key = Some(object.key()).filter(|key| Some(key) != own);
            self.wake(key.into_iter().chain(dependents));
        }
    }

    /// As [`Self::put`], of an answer to a request of whoever looks at `own`, who looks again.
    fn take(&self, own: &ObjectKey, mut object: Object) {
        self.control_plane().forget_owned_fields(&mut object);
        self.put(&Arc::new(object), Some(own));
    }

    fn wake(&self, keys: impl IntoIterator<Item = ObjectKey>) {
        keys.into_iter().for_each(|key| self.queue.add(key));
    }

    async fn look_at(self: &Arc<Self>, key: &ObjectKey) {
        let outcome = match key.kind.as_str() {
            "Release" | "RenderedRelease" if key.group == release::GROUP => {
                self.look_at_release(key).await
            }
            _ => self.look_at_object(key).await,
        };
        let mut failures = self
            .failures
            .lock()
            .unwrap_or_else(|lock| lock.into_inner());
        match outcome {
            Ok(wake) => {
                failures.remove(key);
                drop(failures);
                self.queue.schedule(key.clone(), wake);
            }
            Err(error) => {
                let times = failures.entry(key.clone()).or_default();
                *times = times.saturating_add(1);
                let pause = control::backoff(*times).to_std();
                drop(failures);
                tracing::warn!(%key, %error, "an object could not be written");
                self.queue
                    .schedule(key.clone(), Some(Instant::now() + pause));
            }
        }
    }

    /// Does what an object needs, until it needs nothing for now.
    async fn look_at_object(&self, key: &ObjectKey) -> Result<Option<Instant>, ApiError> {
        for _ in 0..DECISIONS_MAX {
            let Some(object) = self.state.get(key) else {
                self.options.remembered.forget(key);
                return Ok(None);
            };
            let timing = self.engine.options.clock.timing();
            let Decision {
                actions,
                events,
                wake,
            } = self.decide(timing, |view| control::components::next(view, key));
            for event in events {
                self.engine
                    .recorder
                    .tell(MANAGER, &object, event, timing.now);
            }
            if actions.is_empty() {
                return Ok(wake.map(|at| self.engine.instant(at)));
            }
            for action in actions {
                match self.act(&object, action).await {
                    // Somebody was faster: look at what is there now.
                    Err(error) if error.is_not_found() || is_conflict(&error) => {
                        self.refresh(key, key).await?;
                        break;
                    }
                    Err(error) => {
                        self.tell_refusal(key, &error.to_string()).await;
                        return Err(error);
                    }
                    Ok(()) => {}
                }
            }
        }
        tracing::warn!(%key, "decisions about this object do not end");
        Ok(Some(Instant::now() + RESTLESS_PAUSE))
    }

    /// Lets somebody decide about everything at one moment.
    fn decide(&self, timing: Timing, decide: impl FnOnce(&View<'_>) -> Decision) -> Decision {
        self.state.look(|catalog, objects| {
            decide(&View {
                catalog,
                objects,
                options: &self.options,
                timing,
            })
        })
    }

    /// Writes into the status of an object that the server refuses what it needs.
    async fn tell_refusal(&self, key: &ObjectKey, message: &str) {
        let Some(object) = self.state.get(key) else {
            return;
        };
        let timing = self.engine.options.clock.timing();
        let refused = |view: &View<'_>| control::components::refused(view, key, message);
        let decision = self.decide(timing, refused);
        for action in decision.actions {
            if let Err(error) = self.act(&object, action).await {
                tracing::warn!(%key, %error, "a refusal could not be told");
            }
        }
    }

    async fn act(&self, object: &Arc<Object>, action: Action) -> Result<(), ApiError> {
        let cluster = self.control_plane();
        let written = match action {
            Action::Create(new) => match cluster.create(&new, MANAGER).await {
                Err(error) if error.reason == "AlreadyExists" => {
                    return self.refresh(&object.key(), &new.key()).await;
                }
                created => created?,
            },
            Action::Apply(new) => cluster.apply(&new, how()).await?,
            Action::Status(status) => return self.write_status(object, status).await,
            Action::Finalizer { name, present } => {
                return self.write_finalizer(object, name, present).await;
            }
            Action::LetSecretGo {
                secret: (namespace, name),
                finalizer,
            } => {
                let secret = self.engine.targets.secret(&namespace, &name).await?;
                return match secret {
                    Some(secret) => put_finalizer(cluster, &secret, &finalizer, false).await,
                    None => Ok(()),
                };
            }
            Action::Patch(key, patch) => {
                let Some(target) = self.state.get(&key) else {
                    return Ok(());
                };
                let patch = (PatchType::Merge, &patch);
                cluster.patch(&target, "", patch, MANAGER).await?
            }
            Action::Delete(key) => {
                let Some(target) = self.state.get(&key) else {
                    return Ok(());
                };
                cluster.delete(&target, &Delete::exactly(&target)).await?;
                return self.refresh(&object.key(), &key).await;
            }
        };
        self.take(&object.key(), written);
        Ok(())
    }

    /// Reads an object again for whoever looks at `own`: what we know of it is not what the server
    /// has.
    async fn refresh(&self, own: &ObjectKey, key: &ObjectKey) -> Result<(), ApiError> {
        let version = match key.group.as_str() {
            "" => "v1",
            _ => api::openchoreo::API_VERSION,
        };
        let kind = GroupVersionKind::new(version, &key.kind);
        let found = self.control_plane().get(&kind, &key.namespace, &key.name);
        match found.await? {
            Some(object) => self.take(own, object),
            None => {
                if let Some(known) = self.state.get(key) {
                    let dependents = self.state.remove(&known);
                    self.wake(dependents);
                }
            }
        }
        Ok(())
    }

    /// Writes a status if it differs from the one there is.
    async fn write_status(&self, object: &Arc<Object>, status: Node) -> Result<(), ApiError> {
        let current = self.state.get(&object.key());
        let current = current.as_ref().unwrap_or(object);
        let written = self.engine.patch_status(current, status, MANAGER).await?;
        self.take(&object.key(), written);
        Ok(())
    }

    async fn write_finalizer(
        &self,
        object: &Arc<Object>,
        name: &str,
        present: bool,
    ) -> Result<(), ApiError> {
        let current = self.state.get(&object.key());
        let current = current.as_ref().unwrap_or(object);
        if current.has_finalizer(name) == present {
            return Ok(());
        }
        let patch = current.finalizer_patch(name, present);
        let patch = (PatchType::Merge, &patch);
        let written = self
            .control_plane()
            .patch(current, "", patch, MANAGER)
            .await?;
        match written.is_deleting() && !present {
            // It may be gone with its last finalizer.
            true => self.refresh(&object.key(), &object.key()).await,
            false => {
                self.take(&object.key(), written);
                Ok(())
            }
        }
    }
}

/// Puts a finalizer on an object, or takes it off.
async fn put_finalizer(
    cluster: &Cluster,
    object: &Object,
    name: &str,
    present: bool,
) -> Result<(), ApiError> {
    if object.has_finalizer(name) != present {
        let patch = object.finalizer_patch(name, present);
        let patch = (PatchType::Merge, &patch);
        cluster.patch(object, "", patch, MANAGER).await?;
    }
    Ok(())
}

fn how() -> Apply<'static> {
    Apply {
        manager: MANAGER,
        force: true,
        dry_run: false,
        subresource: "",
    }
}

fn is_conflict(error: &ApiError) -> bool {
    error.reason == "Conflict"
}
