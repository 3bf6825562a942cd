//! The controllers of one control plane, and what they share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use cluster::{Change, Cluster, Reflector, Scope};
use control::{git_repository, kustomization};
use object::{Object, ObjectKey};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::events::{RecentEvents, Recorder};
use crate::health_hub::{HealthHub, version};
use crate::queue::Queue;
use crate::sources::Sources;
use crate::unchanged::Unchanged;
use crate::{Clock, Targets};

/// Label by which a ConfigMap or Secret asks that its changes wake the units that read it.
const WATCHED_CONFIGS: &str = "reconcile.fluxcd.io/watch=Enabled";

/// What to vary about an engine.
pub struct Options {
    /// Time and chance.
    pub clock: Arc<dyn Clock>,
    /// Reconciles of units at the same time; waits for health do not count.
    pub concurrent: usize,
    /// Fetches of sources at the same time.
    pub concurrent_sources: usize,
    /// Dry runs of one unit at the same time.
    pub concurrent_ssa: usize,
    /// What is done about large deletions.
    pub brake: plan::Brake,
    /// Kinds that have a stage of their own before everything else.
    pub custom_kinds: Vec<object::GroupKind>,
    /// Field managers whose fields are taken over, beside kubectl's.
    pub override_managers: Vec<String>,
    /// Namespace whose objects are served; empty for all.
    pub namespace: String,
    /// Labels of the Flux objects that are served; empty for all.
    pub labels: String,
    /// Whether a unit may use a source of another namespace.
    pub cross_namespace_refs: bool,
    /// Service account of units that name none; empty for our own rights.
    pub default_service_account: String,
    /// Whether sources are fetched here.
    pub serve_sources: bool,
    /// Whether units are reconciled here.
    pub serve_units: bool,
}

/// The controllers of one control plane.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What all workers share.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) targets: Targets,
    pub(crate) sources: Sources,
    pub(crate) recorder: Recorder,
    pub(crate) health: HealthHub,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) repository_queue: Queue<ObjectKey>,
    pub(crate) unit_queue: Queue<ObjectKey>,
    repositories: OnceLock<Reflector>,
    units: OnceLock<Reflector>,
    /// Reflectors that only wake others.
    triggers: OnceLock<Vec<Reflector>>,
    /// Objects as our own last write left them, until the watch has caught up.
    written: Mutex<BTreeMap<ObjectKey, Arc<Object>>>,
    repository_memory: Mutex<BTreeMap<ObjectKey, git_repository::Memory>>,
    unit_memory: Mutex<BTreeMap<ObjectKey, kustomization::Memory>>,
    pub(crate) unchanged: Unchanged,
    /// Writes of ours to an object that failed in a row.
    failed_writes: Mutex<BTreeMap<ObjectKey, u32>>,
}

impl Engine {
    /// An engine, and the task that runs it for ever.
    ///
    /// The task ends only when one of its parts has ended by accident, with the reason; whoever
    /// started it should end the process then, as a part that is silently gone looks like peace.
    pub fn new(
        targets: Targets,
        sources: Sources,
        options: Options,
    ) -> (Self, impl Future<Output = String> + Send + 'static) {
        let (recorder, event_writer) = Recorder::new(targets.control_plane().clone());
        let shared = Arc::new(Shared {
            permits: Arc::new(Semaphore::new(options.concurrent.max(1))),
            options,
            targets,
            sources,
            recorder,
            health: HealthHub::default(),
            unchanged: Unchanged::default(),
            repository_queue: Queue::new(),
            unit_queue: Queue::new(),
            repositories: OnceLock::new(),
            units: OnceLock::new(),
            triggers: OnceLock::new(),
            written: Mutex::default(),
            repository_memory: Mutex::default(),
            unit_memory: Mutex::default(),
            failed_writes: Mutex::default(),
        });
        let engine = Self {
            shared: shared.clone(),
        };
        let run = async move {
            let mut tasks = JoinSet::new();
            tasks.spawn(async move {
                event_writer.await;
                "the writer of events"
            });
            shared.start_watching();
            if shared.options.serve_sources {
                for _ in 0..shared.options.concurrent_sources.max(1) {
                    let shared = shared.clone();
                    tasks.spawn(async move {
                        shared.work_on_repositories().await;
                        "a worker of sources"
                    });
                }
            }
            if shared.options.serve_units {
                tasks.spawn(async move {
                    shared.work_on_units().await;
                    "the workers of units"
                });
            }
            match tasks.join_next().await {
                Some(Ok(part)) => format!("{part} has ended"),
                Some(Err(error)) => format!("a part has failed: {error}"),
                None => "nothing was to do".to_owned(),
            }
        };
        (engine, run)
    }

    /// Looks at every repository whose address `matches` again, now: somebody pushed to it.
    pub fn announce(&self, matches: impl Fn(&str) -> bool) {
        let shared = &self.shared;
        let Some(repositories) = shared.repositories.get() else {
            return;
        };
        for object in repositories.list() {
            let url = object.node.str_at(&["spec", "url"]).unwrap_or_default();
            if matches(&shared.sources.rewrites.apply(url)) {
                shared
                    .repository_memory()
                    .entry(object.key())
                    .or_default()
                    .announced = true;
                shared.repository_queue.add(object.key());
            }
        }
    }

    /// Whether the first lists are in, so that absence means something.
    pub fn is_ready(&self) -> bool {
        let synced = |place: &OnceLock<Reflector>| place.get().is_some_and(Reflector::is_synced);
        synced(&self.shared.repositories) && synced(&self.shared.units)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The clusters that units can reach.
    pub fn targets(&self) -> &Targets {
        &self.shared.targets
    }

    /// The last events.
    pub fn recent_events(&self) -> RecentEvents {
        self.shared.recorder.recent()
    }

    /// How every unit and source is, with what is known now.
    pub fn summary(&self) -> crate::Summary {
        let list = |place: &OnceLock<Reflector>| place.get().map(Reflector::list);
        let newest = |objects: Option<Vec<Arc<Object>>>| -> Vec<Arc<Object>> {
            let objects = objects.unwrap_or_default().into_iter();
            objects.map(|object| self.shared.newest(object)).collect()
        };
        crate::Summary::of(
            &newest(list(&self.shared.repositories)),
            &newest(list(&self.shared.units)),
        )
    }
}

impl Shared {
    fn start_watching(self: &Arc<Self>) {
        let control_plane = self.targets.control_plane();
        let start = |kind: object::GroupVersionKind, labels: &str, on_change: OnChange| {
            let scope = Scope {
                kind,
                namespace: self.options.namespace.clone(),
                labels: labels.to_owned(),
            };
            // Weak: the reflector belongs to what it calls.
            let shared = Arc::downgrade(self);
            Reflector::start(control_plane.clone(), scope, move |change| {
                if let Some(shared) = shared.upgrade() {
                    on_change(&shared, &change);
                }
            })
        };
        let labels = self.options.labels.as_str();
        let repositories = start(api::git_repository_kind(), labels, Self::repository_changed);
        let _ = self.repositories.set(repositories);
        let units = start(api::kustomization_kind(), labels, Self::unit_changed);
        let _ = self.units.set(units);
        let triggers = ["ConfigMap", "Secret"].map(|kind| {
            let kind = object::GroupVersionKind::new("v1", kind);
            start(kind, WATCHED_CONFIGS, Self::config_changed)
        });
        let _ = self.triggers.set(triggers.into());
    }

    fn repository_changed(&self, change: &Change) {
        let asks = |object: &Object| {
            let meta = api::Meta::read(object);
            (
                meta.uid,
                meta.generation,
                meta.requested_at,
                meta.deleting,
                meta.has_finalizer,
            )
        };
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        if old.map(asks) != new.map(asks) {
            self.repository_queue.add(change.key.clone());
        }
        let revision = |object: &Object| {
            let revision = object.node.str_at(&["status", "artifact", "revision"]);
            revision.map(str::to_owned)
        };
        if old.and_then(revision) != new.and_then(revision) {
            self.wake_units(|unit| {
                let reference = |field: &str| unit.node.str_at(&["spec", "sourceRef", field]);
                let namespace = reference("namespace").unwrap_or(unit.namespace());
                reference("kind") == Some("GitRepository")
                    && reference("name") == Some(&*change.key.name)
                    && namespace == change.key.namespace
            });
        }
    }

    fn unit_changed(&self, change: &Change) {
        let asks = |object: &Object| {
            let meta = api::Meta::read(object);
            (
                meta.uid,
                meta.generation,
                (meta.requested_at, meta.confirmed_plan),
                meta.deleting,
                meta.has_finalizer,
            )
        };
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        if old.map(asks) != new.map(asks) {
            self.unit_queue.add(change.key.clone());
        }
        // Units that depend on this one look at its status and, by expressions, at all of it.
        let name = &change.key.name;
        let namespace = &change.key.namespace;
        self.wake_units(|unit| {
            let depends = unit.node.at(&["spec", "dependsOn"]);
            let depends = depends.and_then(object::Node::as_list).unwrap_or(&[]);
            depends.iter().any(|on| {
                on.str_at(&["name"]) == Some(name)
                    && on.str_at(&["namespace"]).unwrap_or(unit.namespace()) == namespace
            })
        });
    }

    fn config_changed(&self, change: &Change) {
        let reads = |unit: &Object| {
            let from = unit.node.at(&["spec", "postBuild", "substituteFrom"]);
            let from = from.and_then(object::Node::as_list).unwrap_or(&[]);
            unit.namespace() == change.key.namespace
                && from.iter().any(|from| {
                    from.str_at(&["kind"]) == Some(&change.key.kind)
                        && from.str_at(&["name"]) == Some(&change.key.name)
                })
        };
        for unit in self.units().into_iter().filter(|unit| reads(unit)) {
            let key = unit.key();
            self.unit_memory().entry(key).or_default().inputs_changed = true;
            self.unit_queue.add(unit.key());
        }
    }

    fn wake_units(&self, concerns: impl Fn(&Object) -> bool) {
        for unit in self.units().into_iter().filter(|unit| concerns(unit)) {
            self.unit_queue.add(unit.key());
        }
    }

    /// Every unit.
    pub(crate) fn units(&self) -> Vec<Arc<Object>> {
        let units = self.units.get().map(Reflector::list).unwrap_or_default();
        units.into_iter().map(|unit| self.newest(unit)).collect()
    }

    /// A unit, or `None` when it is not there.
    pub(crate) fn unit(&self, key: &ObjectKey) -> Option<Arc<Object>> {
        let unit = self.units.get()?.get(key)?;
        Some(self.newest(unit))
    }

    /// A repository, or `None` when it is not there.
    pub(crate) fn repository(&self, key: &ObjectKey) -> Option<Arc<Object>> {
        let repository = self.repositories.get()?.get(key)?;
        Some(self.newest(repository))
    }

    /// Waits until the first lists are in, so that absence means something.
    pub(crate) async fn synced(&self) {
        for reflector in [self.repositories.get(), self.units.get()]
            .into_iter()
            .flatten()
        {
            reflector.synced().await;
        }
    }

    /// The object as the watch shows it or as our own write left it, whichever is newer.
    ///
    /// Versions of one object compare as numbers (KEP 5504).
    fn newest(&self, watched: Arc<Object>) -> Arc<Object> {
        let key = watched.key();
        let mut written = self.written.lock().unwrap_or_else(|lock| lock.into_inner());
        match written.get(&key) {
            Some(ours) if ours.uid() == watched.uid() && version(ours) > version(&watched) => {
                ours.clone()
            }
            Some(_) => {
                written.remove(&key);
                watched
            }
            None => watched,
        }
    }

    /// Remembers what a write of ours left.
    pub(crate) fn remember_written(&self, object: &Object) {
        let mut written = self.written.lock().unwrap_or_else(|lock| lock.into_inner());
        written.insert(object.key(), Arc::new(object.clone()));
    }

    pub(crate) fn repository_memory(
        &self,
    ) -> MutexGuard<'_, BTreeMap<ObjectKey, git_repository::Memory>> {
        let memory = self.repository_memory.lock();
        memory.unwrap_or_else(|lock| lock.into_inner())
    }

    pub(crate) fn unit_memory(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, kustomization::Memory>> {
        let memory = self.unit_memory.lock();
        memory.unwrap_or_else(|lock| lock.into_inner())
    }

    /// Counts how a look at an object ended; the pause before the next one when a write failed.
    pub(crate) fn pause_after(
        &self,
        key: &ObjectKey,
        failure: Option<&cluster::ApiError>,
    ) -> tokio::time::Duration {
        let writes = self.failed_writes.lock();
        let mut writes = writes.unwrap_or_else(|lock| lock.into_inner());
        let Some(error) = failure else {
            writes.remove(key);
            return tokio::time::Duration::ZERO;
        };
        let failures = writes.entry(key.clone()).or_default();
        *failures = failures.saturating_add(1);
        let asked = tokio::time::Duration::from_secs(error.retry_after.unwrap_or(0));
        let longest = control::backoff(u32::MAX).to_std();
        control::backoff(*failures).to_std().max(asked.min(longest))
    }

    /// The time of a timer, on the clock that timers run by.
    pub(crate) fn instant(&self, at: golang::Timestamp) -> Instant {
        let left = at.since(self.options.clock.now());
        Instant::now() + left.max(golang::Duration::ZERO).to_std()
    }

    /// As [`Self::patch_status`], of an object that [`Self::newest`] is asked for.
    pub(crate) async fn write_status(
        &self,
        object: &Object,
        status: object::Node,
        manager: &str,
    ) -> Result<Object, cluster::ApiError> {
        let written = self.patch_status(object, status, manager).await?;
        if written.resource_version() != object.resource_version() {
            self.remember_written(&written);
        }
        Ok(written)
    }

    /// Writes a status if it differs from the one in `object`; returns the object as it is then.
    pub(crate) async fn patch_status(
        &self,
        object: &Object,
        status: object::Node,
        manager: &str,
    ) -> Result<Object, cluster::ApiError> {
        let empty = object::Node::map();
        let before = object.node.get("status").unwrap_or(&empty);
        if *before == status {
            return Ok(object.clone());
        }
        let mut patch = object::Node::map();
        patch.set(&["status"], status.clone());
        // A merge patch forgets a field only when told so.
        for key in before.as_map().into_iter().flat_map(|map| map.keys()) {
            if status.get(key).is_none() {
                patch.set(&["status", key], object::Node::Null);
            }
        }
        self.control_plane()
            .patch(
                object,
                "status",
                (cluster::PatchType::Merge, &patch),
                manager,
            )
            .await
    }

    /// Puts our finalizer on an object, or takes it off.
    pub(crate) async fn write_finalizer(
        &self,
        object: &Object,
        present: bool,
        manager: &str,
    ) -> Result<Object, cluster::ApiError> {
        let patch = object.finalizer_patch(api::FINALIZER, present);
        let written = self
            .control_plane()
            .patch(object, "", (cluster::PatchType::Merge, &patch), manager)
            .await?;
        self.remember_written(&written);
        Ok(written)
    }

    pub(crate) fn control_plane(&self) -> &Cluster {
        self.targets.control_plane()
    }
}

type OnChange = fn(&Shared, &Change);

/// The status of an object whose spec cannot be read.
pub(crate) fn unreadable_status(
    object: &Object,
    meta: &api::Meta,
    message: &str,
    now: golang::Timestamp,
) -> object::Node {
    let mut conditions = api::Conditions::read(object.node.at(&["status", "conditions"]));
    for (kind, state) in [
        (api::condition_type::READY, api::ConditionStatus::False),
        (api::condition_type::STALLED, api::ConditionStatus::True),
    ] {
        conditions.set((kind, state), "InvalidSpec", message, meta.generation, now);
    }
    let status = object.node.get("status").cloned();
    let mut status = status.unwrap_or(object::Node::map());
    status.set(&["conditions"], conditions.to_node());
    status.set(&["observedGeneration"], meta.generation);
    status
}
