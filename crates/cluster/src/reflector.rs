//! A local copy of some objects, kept up to date by a watch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use object::{GroupVersionKind, Node, Object, ObjectKey, Text};
use tokio::sync::watch as flag;
use tokio::task::AbortHandle;

use crate::error::{ApiError, ErrorClass};
use crate::request::{Cluster, items, query};
use crate::watch::{Watch, WatchEvent};

/// Objects per page of a list.
const PAGE: usize = 500;

/// Seconds after which the server ends a watch; it is opened again where it ended.
const WATCH_SECONDS: u64 = 290;

/// First and longest pause after a failure.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));

/// Which objects a reflector copies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Their kind.
    pub kind: GroupVersionKind,
    /// Their namespace; empty for all.
    pub namespace: String,
    /// Selector over labels; empty for all.
    pub labels: String,
}

/// An object appeared (`old` is `None`), changed, or is gone (`new` is `None`).
#[derive(Clone, Debug)]
pub struct Change {
    /// Which object.
    pub key: ObjectKey,
    /// What the copy held before.
    pub old: Option<Arc<Object>>,
    /// What it holds now.
    pub new: Option<Arc<Object>>,
}

/// A local copy of some objects; dropping it ends the watch.
///
/// The copy may lag behind the server and never goes backwards. After a gap it is compared with a
/// fresh list, so that every difference is reported as a change.
pub struct Reflector {
    store: Arc<Store>,
    synced: flag::Receiver<bool>,
    task: AbortHandle,
}

/// By namespace and name.
type Objects = BTreeMap<(Text, Text), Arc<Object>>;

fn place(key: &ObjectKey) -> (Text, Text) {
    (key.namespace.clone(), key.name.clone())
}

struct Store {
    objects: RwLock<Objects>,
    problem: RwLock<Option<ApiError>>,
    synced: flag::Sender<bool>,
    cluster: Cluster,
    trim: fn(&Object) -> bool,
    on_change: Box<dyn Fn(Change) + Send + Sync>,
}

impl Reflector {
    /// Starts copying; `on_change` is called for every change, in order, and must not block.
    pub fn start(
        cluster: Cluster,
        scope: Scope,
        on_change: impl Fn(Change) + Send + Sync + 'static,
    ) -> Self {
        Self::trimmed(cluster, scope, |_| false, on_change)
    }

    /// As [`Self::start`], without the fields that managers own where `trim` says so and the copy is
    /// one: objects of a server in this process are shared with it.
    pub fn trimmed(
        cluster: Cluster,
        scope: Scope,
        trim: fn(&Object) -> bool,
        on_change: impl Fn(Change) + Send + Sync + 'static,
    ) -> Self {
        let (sender, synced) = flag::channel(false);
        let store = Arc::new(Store {
            objects: RwLock::default(),
            problem: RwLock::default(),
            synced: sender,
            cluster: cluster.clone(),
            trim,
            on_change: Box::new(on_change),
        });
        let task = tokio::spawn(run(cluster, scope, store.clone())).abort_handle();
        Self {
            store,
            synced,
            task,
        }
    }

    /// Waits until the first list is in.
    pub async fn synced(&self) {
        let mut synced = self.synced.clone();
        // The sender lives as long as the task, which ends only with this value.
        let _ = synced.wait_for(|synced| *synced).await;
    }

    /// Whether the first list is in.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Why the copy is not up to date now, if it is not.
    pub fn problem(&self) -> Option<ApiError> {
        let problem = self.store.problem.read();
        problem.unwrap_or_else(|lock| lock.into_inner()).clone()
    }

    /// The copy of an object.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<Object>> {
        self.store.objects().get(&place(key)).cloned()
    }

    /// Every object, in key order.
    pub fn list(&self) -> Vec<Arc<Object>> {
        self.store.objects().values().cloned().collect()
    }
}

impl Drop for Reflector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Store {
    fn objects(&self) -> std::sync::RwLockReadGuard<'_, Objects> {
        self.objects.read().unwrap_or_else(|lock| lock.into_inner())
    }

    fn set(&self, mut object: Object) {
        if (self.trim)(&object) {
            self.cluster.forget_owned_fields(&mut object);
        }
        let new = Arc::new(object);
        let key = new.key();
        let old = {
            let mut objects = self
                .objects
                .write()
                .unwrap_or_else(|lock| lock.into_inner());
            objects.insert(place(&key), new.clone())
        };
        let unchanged = old.as_ref().is_some_and(|old| {
            old.uid() == new.uid() && old.resource_version() == new.resource_version()
        });
        if !unchanged {
            (self.on_change)(Change {
                key,
                old,
                new: Some(new),
            });
        }
    }

    fn gone(&self, key: &ObjectKey) {
        let old = {
            let mut objects = self
                .objects
                .write()
                .unwrap_or_else(|lock| lock.into_inner());
            objects.remove(&place(key))
        };
        if old.is_some() {
            (self.on_change)(Change {
                key: key.clone(),
                old,
                new: None,
            });
        }
    }

    fn replace(&self, listed: Vec<Object>) {
        let fresh: BTreeSet<ObjectKey> = listed.iter().map(Object::key).collect();
        let stale: Vec<ObjectKey> = {
            let objects = self.objects();
            let known = objects.values().map(|object| object.key());
            known.filter(|key| !fresh.contains(key)).collect()
        };
        for key in stale {
            self.gone(&key);
        }
        for object in listed {
            self.set(object);
        }
    }

    fn report(&self, problem: Option<ApiError>) {
        let mut place = self
            .problem
            .write()
            .unwrap_or_else(|lock| lock.into_inner());
        *place = problem;
    }
}

async fn run(cluster: Cluster, scope: Scope, store: Arc<Store>) {
    let mut version = String::new();
    let mut backoff = BACKOFF.0;
    loop {
        match follow(&cluster, &scope, &store, &mut version).await {
            Ok(()) => backoff = BACKOFF.0,
            Err(error) => {
                if error.class == ErrorClass::Gone || error.status != 0 {
                    version.clear();
                }
                tracing::debug!(kind = %scope.kind, %error, "watch interrupted");
                let gone = error.class == ErrorClass::Gone;
                store.report(Some(error));
                if !gone {
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(BACKOFF.1);
                }
            }
        }
    }
}

/// Lists if no version is known, then watches until the server ends the watch.
async fn follow(
    cluster: &Cluster,
    scope: &Scope,
    store: &Store,
    version: &mut String,
) -> Result<(), ApiError> {
    let mapping = cluster.mapping(&scope.kind).await?;
    let mut selector = String::new();
    if !scope.labels.is_empty() {
        selector = format!("&{}", query("labelSelector", &scope.labels));
    }
    let path = mapping.path(&scope.namespace, "");
    if version.is_empty() {
        let (listed, at) = list(cluster, &format!("{path}?limit={PAGE}{selector}")).await?;
        store.replace(listed);
        *version = at;
        store.synced.send_replace(true);
    }
    let path = format!(
        "{path}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}\
         &resourceVersion={version}{selector}"
    );
    let mut watch = Watch::open(cluster, &path).await?;
    store.report(None);
    while let Some(event) = watch.next().await? {
        match event {
            WatchEvent::Set(object) => {
                *version = object.resource_version().to_owned();
                store.set(object);
            }
            WatchEvent::Gone(object) => {
                *version = object.resource_version().to_owned();
                store.gone(&object.key());
            }
            WatchEvent::Bookmark(at) => *version = at,
        }
    }
    Ok(())
}

/// All pages of a list, and the version they show.
async fn list(cluster: &Cluster, path: &str) -> Result<(Vec<Object>, String), ApiError> {
    let mut objects = Vec::new();
    let mut page = cluster.read(path).await?;
    loop {
        objects.extend(items(&page));
        let metadata = |field: &str| page.str_at(&["metadata", field]).unwrap_or_default();
        let (version, more) = (metadata("resourceVersion"), metadata("continue"));
        if more.is_empty() {
            if !matches!(page.get("items"), Some(Node::List(_) | Node::Null)) {
                return Err(ApiError::unreachable("the answer is no list"));
            }
            return Ok((objects, version.to_owned()));
        }
        page = cluster
            .read(&format!("{path}&{}", query("continue", more)))
            .await?;
    }
}
