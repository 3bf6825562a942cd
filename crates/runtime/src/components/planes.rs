//! Data planes: which cluster each is, and what is on it of ours.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use cluster::{Change, Cluster, Reflector, Scope};
use control::release::{Entry, Live, MANAGED_BY};
use futures::future::BoxFuture;
use object::{GroupVersionKind, Object, ObjectKey};
use tokio::time::Duration;

use super::Shared;
use crate::health_hub::version;

/// Annotation of a data plane that names the Secret with its kubeconfig: `name`, or
/// `namespace/name` on a plane that is in no namespace.
pub const KUBECONFIG: &str = "fleetwright.dev/kubeconfig-secret";

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
}

/// Our objects of one kind on one cluster.
struct Watched {
    reflector: Reflector,
    /// Objects as our own writes left them, until the watch has caught up.
    written: Arc<Mutex<BTreeMap<ObjectKey, Arc<Object>>>>,
}

impl Planes {
    pub fn new(default: Arc<dyn DefaultPlane>) -> Self {
        Self {
            default,
            watched: Mutex::default(),
        }
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
            if !watched.reflector.is_synced() {
                waiting.push(watched);
            }
        }
        for watched in waiting {
            let synced = watched.reflector.synced();
            let _ = tokio::time::timeout(SYNC_TIME_MAX, synced).await;
        }
    }

    /// What is known of an object of a release, which is not there when another release has it.
    pub fn live(&self, cluster: &Cluster, entry: &Entry, uid: &str) -> Live {
        let known = self.watched().get(&(cluster.id(), entry.gvk())).cloned();
        let Some(watched) = known else {
            return Live::Unknown;
        };
        match watched.newest(&entry.key) {
            Some(object) if owner_uid(&object) == Some(uid) => Live::There(object),
            Some(_) => Live::Absent,
            None if watched.reflector.is_synced() => Live::Absent,
            None => Live::Unknown,
        }
    }

    /// Remembers what a write of ours left.
    pub fn wrote(&self, cluster: &Cluster, object: &Object) {
        let known = self.watched().get(&(cluster.id(), object.gvk())).cloned();
        if let Some(watched) = known {
            let mut written = watched.written();
            written.insert(object.key(), Arc::new(object.clone()));
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
        let own = written.clone();
        let reflector = Reflector::start(cluster.clone(), scope, move |change: Change| {
            if change.new.is_none() {
                let mut written = own.lock().unwrap_or_else(|lock| lock.into_inner());
                written.remove(&change.key);
            }
            let Some(shared) = shared.upgrade() else {
                return;
            };
            for object in [&change.old, &change.new].into_iter().flatten() {
                if let Some(release) = release_of(object) {
                    shared.queue.add(release);
                }
            }
        });
        Self { reflector, written }
    }

    fn written(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Arc<Object>>> {
        self.written.lock().unwrap_or_else(|lock| lock.into_inner())
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

/// The UID of the release that an object says it is of.
fn owner_uid(object: &Object) -> Option<&str> {
    let labels = [
        "openchoreo.dev/release-uid",
        "openchoreo.dev/rendered-release-uid",
    ];
    labels.iter().find_map(|label| object.label(label))
}

/// The release that an object says it is of.
fn release_of(object: &Object) -> Option<ObjectKey> {
    let (kind, prefix) = match object.label(MANAGED_BY)? {
        "release-controller" => ("Release", "openchoreo.dev/release"),
        _ => ("RenderedRelease", "openchoreo.dev/rendered-release"),
    };
    Some(ObjectKey {
        group: control::release::GROUP.into(),
        kind: kind.into(),
        namespace: object.label(&format!("{prefix}-namespace"))?.into(),
        name: object.label(&format!("{prefix}-name"))?.into(),
    })
}

impl Shared {
    /// The cluster of the data plane that a release names.
    pub(super) async fn plane(&self, namespace: &str, named: &str) -> Result<Cluster, String> {
        let (kind, name) = named.split_once('/').unwrap_or(("DataPlane", named));
        let key = ObjectKey {
            group: control::release::GROUP.into(),
            kind: kind.into(),
            namespace: match kind.starts_with("Cluster") {
                true => "".into(),
                false => namespace.into(),
            },
            name: name.into(),
        };
        let plane = self.state.get(&key);
        let secret = plane
            .as_ref()
            .and_then(|plane| plane.annotation(KUBECONFIG));
        match secret {
            Some(secret) => {
                let (namespace, name) = secret.split_once('/').unwrap_or((namespace, secret));
                let cluster = self.engine.targets.by_secret(namespace, name, "").await;
                cluster.map_err(|error| error.to_string())
            }
            // A plane that is gone may still hold objects: its cluster is known by its name.
            None => self.planes.default.cluster(&key).await,
        }
    }
}
