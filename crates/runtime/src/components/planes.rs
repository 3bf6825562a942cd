//! Data planes: which cluster each is, and what is on it of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use cluster::{Change, Cluster, Reflector, Scope};
use control::components::{keys::KUBECONFIG, kubeconfig_secret, secret_finalizer};
use control::release::{Entry, Live, MANAGED_BY, Release, UPSTREAM_MANAGERS, maker};
use futures::future::BoxFuture;
use object::{GroupVersionKind, Object, ObjectKey, Text};
use tokio::time::Duration;

use super::{Shared, put_finalizer};
use crate::health_hub::version;

/// Longest wait for the first list of a kind on a data plane. What is not known then is found out
/// when the list is in.
const SYNC_TIME_MAX: Duration = Duration::from_secs(10);

/// Where the objects of a data plane go that names no cluster.
pub trait DefaultPlane: Send + Sync {
    /// The cluster of a plane, by kind, namespace and name.
    fn cluster<'a>(&'a self, plane: &'a ObjectKey) -> BoxFuture<'a, Result<Cluster, String>>;
}

/// There is none: every data plane has to name its cluster.
#[derive(Debug, Default)]
pub struct NoDefaultPlane;

impl DefaultPlane for NoDefaultPlane {
    fn cluster<'a>(&'a self, plane: &'a ObjectKey) -> BoxFuture<'a, Result<Cluster, String>> {
        let message = format!(
            "{} `{}` names no cluster: annotate it with {KUBECONFIG}: NAME, the Secret with a kubeconfig",
            plane.kind, plane.name
        );
        Box::pin(async { Err(message) })
    }
}

/// The clusters of all planes, and copies of our objects on them.
pub(super) struct Planes {
    default: Arc<dyn DefaultPlane>,
    watched: Mutex<BTreeMap<(u64, GroupVersionKind), Arc<Watched>>>,
    /// Planes whose kubeconfig's Secret has our finalizer, by the client made from it.
    held: Mutex<BTreeSet<(ObjectKey, u64)>>,
}

/// Objects in their order by namespace and name of a release, which has few of one kind.
type MadeFor = BTreeMap<(Text, Text), Vec<ObjectKey>>;

/// Our objects of one kind on one cluster.
struct Watched {
    reflector: Reflector,
    /// Objects as our own writes left them, until the watch has caught up.
    written: Arc<Mutex<BTreeMap<ObjectKey, Arc<Object>>>>,
    /// The copied objects by namespace and name of the release they were made for.
    made_for: Arc<Mutex<MadeFor>>,
    /// Whether somebody has waited for the first list in vain: nobody else does, so that a cluster
    /// that does not answer costs the others no time.
    is_slow: AtomicBool,
}

impl Planes {
    pub fn new(default: Arc<dyn DefaultPlane>) -> Self {
        Self {
            default,
            watched: Mutex::default(),
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeSet<(ObjectKey, u64)>> {
        self.held.lock().unwrap_or_else(|lock| lock.into_inner())
    }

    fn watched(&self) -> MutexGuard<'_, BTreeMap<(u64, GroupVersionKind), Arc<Watched>>> {
        self.watched.lock().unwrap_or_else(|lock| lock.into_inner())
    }

    /// Has everything of these kinds on a cluster copied from now on, and waits for the first lists.
    pub async fn watch(
        &self,
        cluster: &Cluster,
        kinds: impl IntoIterator<Item = GroupVersionKind>,
        shared: &Arc<Shared>,
    ) {
        let mut waiting = Vec::new();
        for kind in kinds {
            let watched = {
                let mut known = self.watched();
                let entry = known.entry((cluster.id(), kind.clone()));
                entry
                    .or_insert_with(|| Arc::new(Watched::start(cluster, kind, shared)))
                    .clone()
            };
            if !watched.reflector.is_synced() && !watched.is_slow.load(Ordering::Relaxed) {
                waiting.push(watched);
            }
        }
        for watched in waiting {
            let synced = watched.reflector.synced();
            let synced = tokio::time::timeout(SYNC_TIME_MAX, synced).await;
            watched.is_slow.store(synced.is_err(), Ordering::Relaxed);
        }
    }

    /// What is known of an object of a release.
    pub fn live(&self, cluster: &Cluster, entry: &Entry, uid: &str) -> Live {
        let known = self.watched().get(&(cluster.id(), entry.gvk())).cloned();
        let Some(watched) = known else {
            return Live::Unknown;
        };
        match watched.newest(&entry.key) {
            Some(object) if owner_uid(&object) == Some(uid) => Live::There(object),
            Some(object) => Live::Other(object),
            None if watched.reflector.is_synced() => Live::Absent,
            None => Live::Unknown,
        }
    }

    /// Why nothing is known of an object, if the cluster does not tell.
    pub fn problem(&self, cluster: &Cluster, entry: &Entry) -> Option<String> {
        let known = self.watched().get(&(cluster.id(), entry.gvk())).cloned();
        let problem = known?.reflector.problem()?;
        Some(format!("{}: {problem}", entry.key))
    }

    /// Objects on a cluster that were made for an earlier release of a name, of kinds that are
    /// watched.
    pub fn inherited(&self, cluster: &Cluster, release: &Release) -> Vec<Arc<Object>> {
        let name = (release.key.namespace.clone(), release.key.name.clone());
        let own = self.of_cluster(cluster);
        let made = own.iter().flat_map(|watched| {
            let keys = watched.made_for().get(&name).cloned().unwrap_or_default();
            let objects = keys
                .into_iter()
                .filter_map(|key| watched.reflector.get(&key));
            objects.collect::<Vec<_>>()
        });
        made.filter(|object| owner_uid(object) != Some(&release.uid))
            .collect()
    }

    fn of_cluster(&self, cluster: &Cluster) -> Vec<Arc<Watched>> {
        let all = self.watched();
        let own = all.iter().filter(|((id, _), _)| *id == cluster.id());
        own.map(|(_, watched)| watched.clone()).collect()
    }

    /// Objects on a cluster that were made for any release, of kinds that are watched.
    pub fn all(&self, cluster: &Cluster) -> Vec<Arc<Object>> {
        let watched = self.of_cluster(cluster);
        watched
            .iter()
            .flat_map(|own| own.reflector.list())
            .collect()
    }

    /// Remembers what a write of ours left.
    pub fn wrote(&self, cluster: &Cluster, object: &Object) {
        let known = self.watched().get(&(cluster.id(), object.gvk())).cloned();
        if let Some(watched) = known {
            let mut written = watched.written();
            let mut object = object.clone();
            if is_trimmed(&object) {
                cluster.forget_owned_fields(&mut object);
            }
            written.insert(object.key(), Arc::new(object));
        }
    }
}

impl Watched {
    fn start(cluster: &Cluster, kind: GroupVersionKind, shared: &Arc<Shared>) -> Self {
        let scope = Scope {
            kind,
            namespace: String::new(),
            labels: format!("{MANAGED_BY} in (release-controller,renderedrelease-controller)"),
        };
        let written: Arc<Mutex<BTreeMap<ObjectKey, Arc<Object>>>> = Arc::default();
        let shared: Weak<Shared> = Arc::downgrade(shared);
        let made_for: Arc<Mutex<MadeFor>> = Arc::default();
        let (own, index) = (written.clone(), made_for.clone());
        let reflector =
            Reflector::trimmed(cluster.clone(), scope, is_trimmed, move |change: Change| {
                let known = is_known(&own, &change);
                note(&index, &change);
                if known {
                    return;
                }
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                for object in [&change.old, &change.new].into_iter().flatten() {
                    if let Some(release) = maker(object) {
                        shared.queue.add(release);
                    }
                }
            });
        Self {
            reflector,
            written,
            made_for,
            is_slow: AtomicBool::new(false),
        }
    }

    fn written(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Arc<Object>>> {
        self.written.lock().unwrap_or_else(|lock| lock.into_inner())
    }

    fn made_for(&self) -> MutexGuard<'_, MadeFor> {
        self.made_for
            .lock()
            .unwrap_or_else(|lock| lock.into_inner())
    }

    fn newest(&self, key: &ObjectKey) -> Option<Arc<Object>> {
        let watched = self.reflector.get(key);
        let mut written = self.written();
        match (&watched, written.get(key)) {
            (Some(watched), Some(ours)) if version(watched) >= version(ours) => {
                written.remove(key);
            }
            (_, Some(ours)) => return Some(ours.clone()),
            _ => {}
        }
        watched
    }
}

/// Whether nobody looks at the fields that managers own. What OpenChoreo owns of one is taken over.
fn is_trimmed(object: &Object) -> bool {
    let theirs = |name: &str| UPSTREAM_MANAGERS.contains(&name);
    !object.managers().any(theirs)
}

/// Whether a change is our own write, of which its answer has told. Forgets what is gone.
fn is_known(written: &Mutex<BTreeMap<ObjectKey, Arc<Object>>>, change: &Change) -> bool {
    let mut written = written.lock().unwrap_or_else(|lock| lock.into_inner());
    let Some(new) = &change.new else {
        written.remove(&change.key);
        return false;
    };
    let ours = written.get(&change.key);
    let same_maker = change
        .old
        .as_deref()
        .is_none_or(|old| maker(old) == maker(new));
    same_maker && ours.is_some_and(|ours| ours.uid() == new.uid() && version(ours) >= version(new))
}

/// Notes for which release an object was made.
fn note(made_for: &Mutex<MadeFor>, change: &Change) {
    let of = |object: &Option<Arc<Object>>| {
        let of = maker(object.as_ref()?)?;
        Some((of.namespace, of.name))
    };
    let (old, new) = (of(&change.old), of(&change.new));
    if old == new {
        return;
    }
    let mut made_for = made_for.lock().unwrap_or_else(|lock| lock.into_inner());
    if let Some(old) = old
        && let Some(keys) = made_for.get_mut(&old)
    {
        keys.retain(|key| *key != change.key);
        if keys.is_empty() {
            made_for.remove(&old);
        }
    }
    if let Some(new) = new {
        let keys = made_for.entry(new).or_default();
        if let Err(at) = keys.binary_search(&change.key) {
            keys.reserve_exact(1);
            keys.insert(at, change.key.clone());
        }
    }
}

/// The UID of the release that an object says it is of.
fn owner_uid(object: &Object) -> Option<&str> {
    let labels = [
        "openchoreo.dev/release-uid",
        "openchoreo.dev/rendered-release-uid",
    ];
    labels.iter().find_map(|label| object.label(label))
}

/// The key of the data plane that a release names.
pub(super) fn plane_key(namespace: &str, named: &str) -> ObjectKey {
    let (kind, name) = named.split_once('/').unwrap_or(("DataPlane", named));
    ObjectKey {
        group: control::release::GROUP.into(),
        kind: kind.into(),
        namespace: match kind.starts_with("Cluster") {
            true => "".into(),
            false => namespace.into(),
        },
        name: name.into(),
    }
}

impl Shared {
    /// The cluster of the data plane that a release names.
    pub(super) async fn plane(&self, namespace: &str, named: &str) -> Result<Cluster, String> {
        let key = plane_key(namespace, named);
        let plane = self.state.get(&key);
        let secret = plane.as_deref().map(kubeconfig_secret).transpose()?;
        match secret.flatten() {
            Some((own, name)) => {
                let namespace = match own.is_empty() {
                    true => namespace,
                    false => &own,
                };
                let targets = &self.engine.targets;
                let cluster = targets.by_secret(namespace, &name, "").await;
                let cluster = cluster.map_err(|error| error.to_string())?;
                // Another Secret gives another client.
                let held = (key.clone(), cluster.id());
                if !own.is_empty() && self.planes.held().insert(held) {
                    self.hold_secret(&key, (namespace, &name)).await;
                }
                Ok(cluster)
            }
            // A plane that is gone may still hold objects: its cluster is known by its name.
            None => self.planes.default.cluster(&key).await,
        }
    }
    /// Keeps the Secret that leads to a plane while the plane is there, even if its namespace goes.
    async fn hold_secret(&self, plane: &ObjectKey, (namespace, name): (&str, &str)) {
        let secret = match self.engine.targets.secret(namespace, name).await {
            Ok(Some(secret)) if !secret.is_deleting() => secret,
            _ => return,
        };
        let finalizer = secret_finalizer(plane);
        let put = put_finalizer(self.control_plane(), &secret, &finalizer, true);
        if let Err(error) = put.await {
            tracing::warn!(%plane, %error, "the Secret with its kubeconfig cannot be held");
        }
    }
}
