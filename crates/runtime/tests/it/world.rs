//! A cluster, a Git repository, and an engine between them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use apiserver::Clock as _;
use cluster::{Apply, Cluster, PatchType};
use git::Oid;
use git::server::Server;
use golang::Timestamp;
use object::{GroupVersionKind, Node, Object};
use runtime::{Engine, Options, Sources, Targets};
use tokio::task::JoinHandle;
use tree::Tree;

use crate::faults::{Faults, Faulty};

/// Where the Git server is as far as repositories know.
const GIT: &str = "http://127.0.0.1:7080";

/// Longest that anything is waited for, on the paused clock.
const PATIENCE: Duration = Duration::from_secs(3600);

/// The time at which every world begins.
fn origin() -> Timestamp {
    Timestamp::from_unix_nanos(1_800_000_000, 0)
}

/// A cluster, a Git repository, and at most one engine between them.
///
/// Only the engine goes through the faults; the test itself sees the cluster as it is.
pub struct World {
    pub faults: Faults,
    /// The cluster as the test sees it.
    pub client: Cluster,
    pub api: Arc<apiserver::Cluster>,
    /// Another cluster, which kubeconfigs name as `https://remote.test`.
    pub remote: Arc<apiserver::Cluster>,
    git: Arc<Server>,
    head: Option<Oid>,
    storage: Arc<source::Storage>,
    clock: apiserver::TokioClock,
    running: Option<(Engine, JoinHandle<String>)>,
    pub cross_namespace_refs: bool,
    _folder: tempfile::TempDir,
}

/// Tokio's clock, without chance.
struct Steady(apiserver::TokioClock);

impl runtime::Clock for Steady {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn draw(&self) -> f64 {
        0.0
    }
}

impl World {
    /// A cluster with the kinds served and one repository with these files; no engine yet.
    pub async fn new(files: &[(&str, &str)]) -> Self {
        let clock = apiserver::TokioClock::starting_at(origin());
        let api = fresh_cluster(clock).await;
        let remote = fresh_cluster(clock).await;
        let folder = tempfile::tempdir().expect("a folder");
        let options = git::server::Options {
            anonymous_read: true,
            ..git::server::Options::default()
        };
        let git = Arc::new(Server::new(folder.path().join("git"), options));
        git.create("team/fleet", "main").expect("a repository");
        let retention = source::Retention::default();
        let disk = Arc::new(source::disk::RealDisk);
        let storage = folder.path().join("artifacts");
        let storage = source::Storage::new(storage, "archives.test", retention, disk);
        let mut world = Self {
            faults: Faults::none(),
            client: in_process(&api),
            api,
            remote,
            git,
            head: None,
            storage: Arc::new(storage),
            clock,
            running: None,
            cross_namespace_refs: true,
            _folder: folder,
        };
        world.commit(files);
        world
    }

    /// Commits these files, and only these, on `main`; tells the engine. Returns the revision.
    pub fn commit(&mut self, files: &[(&str, &str)]) -> String {
        let tree: Tree = files.iter().copied().collect();
        let author = git::Signature {
            name: "Ann".into(),
            email: "ann@example.com".into(),
            seconds: 1_700_000_000,
            offset_minutes: 0,
        };
        let commit = git::NewCommit {
            branch: "main",
            onto: self.head,
            tree: &tree,
            author: author.clone(),
            committer: author,
            message: "change\n",
        };
        let id = self.git.commit("team/fleet", &commit).expect("a commit");
        self.head = Some(id);
        if let Some((engine, _)) = &self.running {
            engine.announce(|_| true);
        }
        format!("main@sha1:{id}")
    }

    /// Starts an engine that knows nothing.
    pub fn start(&mut self) {
        let service = Faulty {
            service: self.api.service(apimachine::User::admin()),
            faults: self.faults.clone(),
        };
        let targets = Targets::new(cluster::in_process(service), false);
        targets.register("https://remote.test", in_process(&self.remote));
        let client = git::client::Client::new(git::client::Options::default());
        let client = client.with_local(GIT, self.git.clone());
        let rewrites = git::Rewrites::parse([]).expect("no rules");
        let addresses = git::client::Addresses::default();
        let sources = Sources {
            bases: Some(Arc::new(source::Bases::new(
                client.clone(),
                rewrites.clone(),
                addresses,
            ))),
            client,
            rewrites,
            storage: self.storage.clone(),
            downloader: source::Downloader::new(
                self.storage.clone(),
                git::client::Addresses::default(),
            ),
        };
        let options = Options {
            clock: Arc::new(Steady(self.clock)),
            concurrent: 4,
            concurrent_sources: 1,
            concurrent_ssa: 4,
            brake: plan::Brake::Confirm,
            custom_kinds: Vec::new(),
            namespace: String::new(),
            labels: String::new(),
            override_managers: Vec::new(),
            cross_namespace_refs: self.cross_namespace_refs,
            default_service_account: String::new(),
            serve_sources: true,
            serve_units: true,
        };
        let (engine, run) = Engine::new(targets, sources, options);
        self.running = Some((engine, tokio::spawn(run)));
    }

    /// The engine that runs.
    pub fn engine(&self) -> &Engine {
        let running = self.running.as_ref();
        &running.expect("it was started").0
    }

    /// The other cluster.
    pub fn remote_client(&self) -> Cluster {
        in_process(&self.remote)
    }

    /// Applies one object.
    pub async fn apply_node(&self, node: Node) {
        apply_node(&self.client, node).await;
    }

    /// The engine's process dies: nothing of it is left.
    pub async fn kill(&mut self) {
        if let Some((engine, task)) = self.running.take() {
            drop(engine);
            task.abort();
            let ended = task.await;
            assert!(ended.is_err(), "the engine ended by itself: {ended:?}");
        }
    }

    /// Applies manifests as a person would.
    pub async fn apply(&self, manifests: &str) {
        apply(&self.client, manifests).await;
    }

    /// An object, if it is there.
    pub async fn find(&self, api_version: &str, kind: &str, name: &str) -> Option<Object> {
        let kind = GroupVersionKind::new(api_version, kind);
        let (namespace, name) = name.split_once('/').unwrap_or(("", name));
        let found = self.client.get(&kind, namespace, name).await;
        found.expect("the cluster answers")
    }

    pub async fn get(&self, api_version: &str, kind: &str, name: &str) -> Object {
        let found = self.find(api_version, kind, name).await;
        found.unwrap_or_else(|| panic!("{kind} {name} is not there"))
    }

    pub async fn config_map(&self, name: &str) -> Option<Object> {
        self.find("v1", "ConfigMap", name).await
    }

    /// A unit of the namespace `flux-system`.
    pub async fn unit(&self, name: &str) -> Object {
        let kind = api::kustomization_kind();
        let name = format!("flux-system/{name}");
        self.get(&kind.api_version(), &kind.kind, &name).await
    }

    /// A ConfigMap's key `value`, if it is there.
    pub async fn value(&self, name: &str) -> Option<String> {
        let object = self.config_map(name).await?;
        Some(object.node.str_at(&["data", "value"])?.to_owned())
    }

    /// Merges a patch into a unit of `flux-system`, as a person would.
    pub async fn patch_unit(&self, name: &str, patch: &str) {
        let unit = self.unit(name).await;
        self.patch(&unit, patch).await;
    }

    pub async fn patch(&self, target: &Object, patch: &str) {
        let patch = nodes(patch).remove(0);
        let patched = self
            .client
            .patch(target, "", (PatchType::Merge, &patch), "ann");
        patched.await.expect("a patch");
    }

    pub async fn delete(&self, target: &Object) {
        let how = cluster::Delete {
            propagation: cluster::Propagation::Background,
            uid: "",
            resource_version: "",
        };
        let deleted = self.client.delete(target, &how).await;
        deleted.expect("a deletion");
    }

    /// Waits on the paused clock until the status of a unit satisfies `is`.
    pub async fn until(&self, unit: &str, what: &str, is: impl Fn(&Object) -> bool) -> Object {
        let begin = tokio::time::Instant::now();
        loop {
            let object = self.unit(unit).await;
            if is(&object) {
                return object;
            }
            if begin.elapsed() > PATIENCE {
                panic!("{unit} never became {what}: {}", shown(&object));
            }
            // Looking costs real time; what takes long need not be seen at once.
            let waited = begin.elapsed();
            self.pass((waited / 20).max(Duration::from_millis(100)))
                .await;
        }
    }

    /// Waits until a unit is Ready with this revision and its last spec.
    pub async fn until_ready(&self, unit: &str, revision: &str) -> Object {
        self.until(unit, &format!("ready with {revision}"), |object| {
            is_ready(object, revision)
        })
        .await
    }

    /// Waits until a unit is not Ready, with a message that holds `text`.
    pub async fn until_says(&self, unit: &str, text: &str) -> Object {
        self.until(unit, &format!("one that says `{text}`"), |object| {
            let ready = condition(object, "Ready");
            ready.0 == "False" && ready.2.contains(text)
        })
        .await
    }

    /// Lets time pass.
    pub async fn pass(&self, time: Duration) {
        if let Some((_, task)) = &self.running {
            assert!(!task.is_finished(), "the engine ended by itself");
        }
        tokio::time::sleep(time).await;
    }

    /// Lets time pass and checks that nobody writes anything meanwhile.
    pub async fn quiet(&self, time: Duration, case: &str) {
        let before = self.api.snapshot().version();
        self.faults.take_log();
        self.pass(time).await;
        let log = self.faults.take_log();
        let writes = log.iter().filter(|asked| asked.write > 0);
        let writes: Vec<String> = writes.map(|asked| asked.shown()).collect();
        assert!(writes.is_empty(), "{case}: written in quiet: {writes:#?}");
        let after = self.api.snapshot().version();
        assert_eq!(before, after, "{case}: something changed in quiet");
    }

    /// Everything that matters in the cluster, by key; what differs from run to run is left out.
    pub fn picture(&self) -> BTreeMap<String, String> {
        let mut picture = BTreeMap::new();
        let state = self.api.snapshot();
        for resource in state.stored_resources() {
            for (key, stored) in state.list(resource, None) {
                let owned = stored.node.at(&["metadata", "ownerReferences"]).is_some();
                if owned || matches!(resource.as_str(), "events" | "leases.coordination.k8s.io") {
                    continue;
                }
                let shown = format!("{resource} {}/{}", key.namespace, key.name);
                picture.insert(shown, essence(&stored.node));
            }
        }
        picture
    }

    /// Objects that carry the labels of a unit but are not in its inventory.
    pub async fn orphans(&self) -> Vec<String> {
        let mut known = BTreeSet::new();
        let kind = api::kustomization_kind();
        for unit in self.client.list(&kind, "", "").await.expect("units") {
            for id in inventory(&unit) {
                known.insert(format!("{}/{} {id}", unit.namespace(), unit.name()));
            }
        }
        let mut orphans = Vec::new();
        let state = self.api.snapshot();
        for resource in state.stored_resources() {
            for (_, stored) in state.list(resource, None) {
                let object = Object::new(stored.node.clone());
                let label = |key: &str| {
                    let key = format!("kustomize.toolkit.fluxcd.io/{key}");
                    object.label(&key).map(str::to_owned)
                };
                let owned = object.node.at(&["metadata", "ownerReferences"]).is_some();
                let (Some(name), Some(namespace), false) =
                    (label("name"), label("namespace"), owned)
                else {
                    continue;
                };
                let kind = object.gvk();
                let id = format!(
                    "{namespace}/{name} {}_{}_{}_{}",
                    object.namespace(),
                    object.name(),
                    kind.group,
                    kind.kind
                );
                if !known.contains(&id) {
                    orphans.push(id);
                }
            }
        }
        orphans
    }
}

fn in_process(api: &Arc<apiserver::Cluster>) -> Cluster {
    cluster::in_process(api.service(apimachine::User::admin()))
}

/// A cluster with simulated workloads and the kinds served.
async fn fresh_cluster(clock: apiserver::TokioClock) -> Arc<apiserver::Cluster> {
    static PREPARED: OnceLock<apimachine::State> = OnceLock::new();
    let options = || apiserver::Options {
        clock: Arc::new(clock),
        seed: [7; 32],
        token_secret: [7; 32],
        reducers: workloads::reducers(),
        ..apiserver::Options::default()
    };
    if let Some(state) = PREPARED.get() {
        return apiserver::Cluster::from_state(options(), state.clone());
    }
    let api = apiserver::Cluster::new(options());
    let client = in_process(&api);
    for definition in api::custom_resource_definitions() {
        apply_node(&client, definition).await;
    }
    for kind in [api::git_repository_kind(), api::kustomization_kind()] {
        while client.mapping(&kind).await.is_err() {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
    apply(&client, SOURCE).await;
    PREPARED.get_or_init(|| api.snapshot());
    api
}

/// What every world begins with.
const SOURCE: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: flux-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: apps}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system}
spec:
  interval: 1m
  url: http://127.0.0.1:7080/git/team/fleet.git
  ref: {branch: main}
";

/// A unit of `flux-system` that reads `./NAME` every minute and prunes; `more` are further lines of
/// its spec, which come before these.
pub fn unit(name: &str, more: &str) -> String {
    let mut text = format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec:
  sourceRef: {{kind: GitRepository, name: fleet}}
"
    );
    let path = format!("./{name}");
    for (field, value) in [
        ("interval", "1m"),
        ("prune", "true"),
        ("path", path.as_str()),
    ] {
        if !more
            .lines()
            .any(|line| line.starts_with(&format!("{field}:")))
        {
            let _ = writeln!(text, "  {field}: {value}");
        }
    }
    for line in more.lines().filter(|line| !line.trim().is_empty()) {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// A ConfigMap of the namespace `apps`.
pub fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, namespace: apps}}
data: {{value: {value:?}}}
---
"
    )
}

/// A Deployment of the namespace `apps`.
pub fn deployment(name: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: apps}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: main, image: {image:?}}}]}}
---
"
    )
}

pub async fn apply(client: &Cluster, manifests: &str) {
    for node in nodes(manifests) {
        apply_node(client, node).await;
    }
}

async fn apply_node(client: &Cluster, node: Node) {
    let how = Apply {
        manager: "ann",
        force: true,
        dry_run: false,
        subresource: "",
    };
    let object = Object::new(node);
    let applied = client.apply(&object, how).await;
    applied.unwrap_or_else(|error| panic!("{} is refused: {error}", object.key()));
}

pub fn nodes(text: &str) -> Vec<Node> {
    let documents = yaml::load(text, &yaml::Limits::default()).expect("YAML");
    let documents = documents.into_iter().map(|document| document.node);
    documents.filter(|node| !node.is_null()).collect()
}

/// Status, reason and message of a condition.
pub fn condition(object: &Object, kind: &str) -> (String, String, String) {
    let conditions = object.node.at(&["status", "conditions"]);
    let conditions = conditions.and_then(Node::as_list).unwrap_or(&[]);
    let found = conditions
        .iter()
        .find(|condition| condition.str_at(&["type"]) == Some(kind));
    let text = |key: &str| {
        let text = found.and_then(|condition| condition.str_at(&[key]));
        text.unwrap_or_default().to_owned()
    };
    (text("status"), text("reason"), text("message"))
}

pub fn is_ready(object: &Object, revision: &str) -> bool {
    let number = |keys: &[&str]| object.node.at(keys).and_then(Node::as_i64);
    condition(object, "Ready").0 == "True"
        && number(&["status", "observedGeneration"]) == number(&["metadata", "generation"])
        && object.node.str_at(&["status", "lastAppliedRevision"]) == Some(revision)
}

/// Ids of the inventory of a unit.
pub fn inventory(unit: &Object) -> Vec<String> {
    let entries = unit.node.at(&["status", "inventory", "entries"]);
    let entries = entries.and_then(Node::as_list).unwrap_or(&[]).iter();
    entries
        .filter_map(|entry| Some(entry.str_at(&["id"])?.to_owned()))
        .collect()
}

fn shown(object: &Object) -> String {
    object::json::to_string(&object.node)
}

/// An object without what differs from run to run, and without what others say about it.
fn essence(node: &Node) -> String {
    let mut node = node.clone();
    let mut managers: Vec<String> = Vec::new();
    let managed = node.at(&["metadata", "managedFields"]);
    for entry in managed.and_then(Node::as_list).unwrap_or(&[]) {
        let text = |key: &str| entry.str_at(&[key]).unwrap_or_default();
        let (manager, operation) = (text("manager"), text("operation"));
        managers.push(format!("{manager} {operation} {}", text("subresource")));
    }
    managers.sort();
    for key in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
    ] {
        node.remove(&["metadata", key]);
    }
    let object = Object::new(node.clone());
    let mut text = String::new();
    if api::KUSTOMIZE_GROUP == object.gvk().group || api::SOURCE_GROUP == object.gvk().group {
        for kind in ["Ready", "Reconciling", "Stalled", "Healthy"] {
            let (status, reason, message) = condition(&object, kind);
            // How long it took is told in the message.
            let message = message.split(" in ").next().unwrap_or_default();
            let _ = writeln!(text, "{kind}: {status} {reason} {message}");
        }
        let _ = writeln!(text, "inventory: {:?}", inventory(&object));
        for field in ["lastAppliedRevision", "lastAttemptedRevision"] {
            let _ = writeln!(text, "{field}: {:?}", node.str_at(&["status", field]));
        }
        let artifact = node.str_at(&["status", "artifact", "digest"]);
        let _ = writeln!(text, "artifact: {artifact:?}");
        let observed = node.at(&["status", "observedGeneration"]);
        let _ = writeln!(text, "observed: {observed:?}");
    }
    node.remove(&["status"]);
    let _ = writeln!(text, "managers: {managers:?}");
    text + &object::json::to_string(&node)
}
