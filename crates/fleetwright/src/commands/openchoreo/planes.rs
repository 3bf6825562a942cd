//! The clusters of data planes, as far as they can be reached from here, and what is on them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cluster::{ApiError, Cluster};
use control::components::keys;
use control::release::{DATA_PLANE, Entry, Release};
use object::{GroupVersionKind, Node, Object};
use runtime::Targets;

use super::World;
use super::world::key;
use crate::connect::connect_to;
use crate::platform::plane_kubeconfig;

/// Longest wait for one answer of a data plane.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Kinds that others make: what workloads run.
const MADE: &[(&str, &str)] = &[
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("v1", "Pod"),
];

/// Kinds of objects that make those.
const MAKERS: &[&str] = &[
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "CronJob",
    "Job",
];

/// Data planes, reached with the rights of whoever asks.
pub struct Planes {
    targets: Targets,
    /// The folder of the kubeconfig that leads to the control plane.
    folder: PathBuf,
    open: BTreeMap<String, Result<Cluster, String>>,
    made: BTreeMap<(u64, String), Vec<Object>>,
}

/// What is on a data plane of a release, or why that is not known.
pub struct OnPlane {
    /// The objects that the release lists, as they are there.
    pub objects: Result<Vec<(Entry, Option<Object>)>, String>,
    /// ReplicaSets, Jobs and Pods in their namespaces.
    pub made: Vec<Object>,
}

impl Planes {
    /// Data planes of a control plane and its kubeconfig.
    pub fn new(control_plane: Cluster, kubeconfig: &Path) -> Self {
        Self {
            // What a person asks for on their own machine may be on their own machine.
            targets: Targets::new(control_plane, true),
            folder: kubeconfig.parent().unwrap_or(Path::new(".")).to_owned(),
            open: BTreeMap::new(),
            made: BTreeMap::new(),
        }
    }

    /// Reads what a release has on its data plane.
    pub async fn look(&mut self, world: &World, rendered: &Object) -> OnPlane {
        match self.try_look(world, rendered).await {
            Ok(found) => found,
            Err(reason) => OnPlane {
                objects: Err(reason),
                made: Vec::new(),
            },
        }
    }

    async fn try_look(&mut self, world: &World, rendered: &Object) -> Result<OnPlane, String> {
        let release = Release::read(rendered);
        let named = rendered.annotation(DATA_PLANE).unwrap_or("DataPlane/");
        let cluster = self.cluster(world, rendered.namespace(), named).await?;
        let mut objects = Vec::new();
        for entry in release.inventory {
            let place = &entry.key;
            let live = answered(cluster.get(&entry.gvk(), &place.namespace, &place.name)).await?;
            // Another release, or another cluster of this name, may have one called the same.
            let live = live.filter(|live| is_of(live, &release.uid));
            objects.push((entry, live));
        }
        let nothing = objects.iter().all(|(_, live)| live.is_none());
        if nothing && !objects.is_empty() && cluster.id() == self.targets.control_plane().id() {
            return Err(format!(
                "{named} names no cluster, there is no kubeconfig of it in {}, and its objects are not on the control plane",
                self.folder.display()
            ));
        }
        let makers = objects
            .iter()
            .filter(|(entry, live)| live.is_some() && MAKERS.contains(&entry.key.kind.as_str()));
        let mut namespaces: Vec<String> = makers
            .map(|(entry, _)| entry.key.namespace.to_string())
            .collect();
        namespaces.sort();
        namespaces.dedup();
        let mut made = Vec::new();
        for namespace in namespaces {
            made.extend(self.made_in(&cluster, namespace).await?);
        }
        Ok(OnPlane {
            objects: Ok(objects),
            made,
        })
    }

    async fn made_in(
        &mut self,
        cluster: &Cluster,
        namespace: String,
    ) -> Result<Vec<Object>, String> {
        let place = (cluster.id(), namespace);
        if let Some(known) = self.made.get(&place) {
            return Ok(known.clone());
        }
        let mut found = Vec::new();
        for (version, kind) in MADE {
            let kind = GroupVersionKind::new(version, kind);
            found.extend(answered(cluster.list(&kind, &place.1, "")).await?);
        }
        self.made.insert(place, found.clone());
        Ok(found)
    }

    /// The cluster of a data plane.
    ///
    /// One that names no cluster is simulated by the server, which leaves its kubeconfig beside
    /// its own, or it is the control plane itself.
    async fn cluster(
        &mut self,
        world: &World,
        namespace: &str,
        named: &str,
    ) -> Result<Cluster, String> {
        let (kind, name) = named.split_once('/').unwrap_or(("DataPlane", named));
        let namespace = match kind.starts_with("Cluster") {
            true => "",
            false => namespace,
        };
        let place = format!("{kind}/{namespace}/{name}");
        if let Some(known) = self.open.get(&place) {
            return known.clone();
        }
        let plane = world.get(kind, namespace, name);
        let secret = plane.and_then(|plane| plane.annotation(keys::KUBECONFIG));
        let file = plane_kubeconfig(&self.folder, &key(kind, namespace, name));
        let opened = match secret {
            Some(secret) => {
                let (namespace, name) = secret.split_once('/').unwrap_or((namespace, secret));
                let cluster = self.targets.by_secret(namespace, name, "").await;
                cluster.map_err(|error| error.to_string())
            }
            None if file.is_file() => {
                let cluster = connect_to(&file, None).await;
                cluster.map_err(|_| format!("its kubeconfig {} cannot be used", file.display()))
            }
            None => Ok(self.targets.control_plane().clone()),
        };
        let opened = opened.map_err(|reason| format!("{named} cannot be reached: {reason}"));
        self.open.insert(place, opened.clone());
        opened
    }
}

async fn answered<T>(asked: impl Future<Output = Result<T, ApiError>>) -> Result<T, String> {
    match tokio::time::timeout(ANSWER_TIME_MAX, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(format!("the data plane does not say: {error}")),
        Err(_) => Err("the data plane does not answer".to_owned()),
    }
}

/// Whether an object says that it is of a release.
fn is_of(object: &Object, uid: &str) -> bool {
    let labels = [
        "openchoreo.dev/release-uid",
        "openchoreo.dev/rendered-release-uid",
    ];
    labels.iter().any(|label| object.label(label) == Some(uid))
}

/// What an object made, of others.
pub fn made_by<'a>(object: &'a Object, made: &'a [Object]) -> impl Iterator<Item = &'a Object> {
    made.iter().filter(move |candidate| {
        let owners = candidate.node.at(&["metadata", "ownerReferences"]);
        let mut owners = owners.and_then(Node::as_list).unwrap_or_default().iter();
        candidate.namespace() == object.namespace()
            && owners.any(|own| own.str_at(&["uid"]) == Some(object.uid()))
    })
}
