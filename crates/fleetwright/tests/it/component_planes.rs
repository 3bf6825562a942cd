//! Clusters that components run on, and what is on them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use object::{Node, Object};

use crate::process::{Process, eventually, fleetwright, free_port, hermetic, output, run};

/// Longest wait for components to be what a push asks for.
const EFFECT_TIME_MAX: Duration = Duration::from_secs(90);

/// Kinds that anything of a component could be.
const KINDS: &str = "deployments,statefulsets,jobs,cronjobs,services,configmaps,secrets,\
    persistentvolumeclaims,networkpolicies,httproutes.gateway.networking.k8s.io,\
    externalsecrets.external-secrets.io";

/// Where expected objects are tried out, so that they get the defaults of the server.
const SCRATCH: &str = "scratch";

/// Namespace, kind and name.
pub type Key = [String; 3];

/// A cluster, as stock kubectl reaches it.
pub struct Plane {
    kubectl: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
}

impl Plane {
    /// The cluster of a kubeconfig. Waits until that is there.
    pub fn new(kubeconfig: &Path, home: &Path) -> Self {
        let kubectl = testkit::reference_tool("kubectl").expect("the backend has asked for it");
        eventually("a kubeconfig of the plane", EFFECT_TIME_MAX, || {
            kubeconfig.exists().then_some(())
        });
        Self {
            kubectl,
            kubeconfig: kubeconfig.to_owned(),
            home: home.to_owned(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        hermetic(&mut command, &self.home);
        command.arg("--kubeconfig").arg(&self.kubeconfig);
        command.args(arguments);
        command
    }

    pub fn kubectl(&self, arguments: &[&str]) -> String {
        run(&mut self.command(arguments))
    }

    /// Everything of these kinds.
    pub fn list(&self, kinds: &str) -> Vec<Object> {
        let listed = self.kubectl(&["get", kinds, "-A", "-o", "json"]);
        items(&listed)
    }

    /// Objects in namespaces of components that nobody else has made, by key.
    pub fn objects(&self) -> BTreeMap<Key, Object> {
        let own = self.list(KINDS).into_iter().filter(|object| {
            object.namespace().starts_with("dp-")
                && object.node.at(&["metadata", "ownerReferences"]).is_none()
                && object.name() != "kube-root-ca.crt"
        });
        own.map(|object| (key(&object.node), object)).collect()
    }

    /// Namespaces of components.
    pub fn namespaces(&self) -> Vec<String> {
        let all = self.list("namespaces").into_iter();
        let names = all.map(|object| object.name().to_owned());
        names.filter(|name| name.starts_with("dp-")).collect()
    }

    /// Defines kinds that operators bring, if nobody has.
    pub fn furnish(&self) {
        for (group, version, scope, kind) in [
            ("gateway.networking.k8s.io", "v1", "Namespaced", "HTTPRoute"),
            ("external-secrets.io", "v1", "Namespaced", "ExternalSecret"),
            (
                "argoproj.io",
                "v1alpha1",
                "Cluster",
                "ClusterWorkflowTemplate",
            ),
        ] {
            let plural = format!("{}s", kind.to_lowercase());
            let definition = format!(
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
                 metadata: {{name: {plural}.{group}, annotations: {{api-approved.kubernetes.io: \"unapproved, for tests\"}}}}\n\
                 spec:\n  group: {group}\n  scope: {scope}\n\
                 \x20 names: {{kind: {kind}, plural: {plural}}}\n  versions:\n  - name: {version}\n    served: true\n    storage: true\n\
                 \x20   schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n"
            );
            self.apply(&definition);
            self.kubectl(&[
                "wait",
                "--for=condition=Established",
                &format!("crd/{plural}.{group}"),
            ]);
        }
    }

    pub fn apply(&self, manifest: &str) {
        let file = self.home.join("applied.yaml");
        std::fs::write(&file, manifest).unwrap();
        self.kubectl(&["apply", "-f", &file.to_string_lossy()]);
    }

    /// The objects of files as this server would hold them, by key.
    fn defaulted(&self, files: &[PathBuf]) -> BTreeMap<Key, Node> {
        if !output(&mut self.command(&["get", "namespace", SCRATCH]))
            .status
            .success()
        {
            self.kubectl(&["create", "namespace", SCRATCH]);
        }
        let mut wanted = BTreeMap::new();
        for file in files {
            let text = std::fs::read_to_string(file).unwrap();
            let text = text.replace("<dp-resource-hash>", "any");
            for document in yaml::load(&text, &yaml::Limits::default()).unwrap() {
                wanted.insert(key(&document.node), named(document.node));
            }
        }
        // Several files may have objects of one name in different namespaces.
        let mut found = BTreeMap::new();
        let namespaces: Vec<String> = wanted.keys().map(|key| key[0].clone()).collect();
        for namespace in namespaces {
            if found.keys().any(|key: &Key| key[0] == namespace) {
                continue;
            }
            let own = wanted.iter().filter(|(key, _)| key[0] == namespace);
            let moved = own.map(|(_, node)| {
                let mut node = node.clone();
                node.set(&["metadata", "namespace"], SCRATCH);
                yaml::to_string(&node)
            });
            let file = self.home.join("wanted.yaml");
            std::fs::write(&file, moved.collect::<Vec<_>>().join("---\n")).unwrap();
            let file = file.to_string_lossy();
            let made = self.kubectl(&["create", "--dry-run=server", "-o", "json", "-f", &file]);
            for mut object in items(&made) {
                object
                    .node
                    .set(&["metadata", "namespace"], namespace.as_str());
                let node = comparable(&object);
                found.insert(key(&node), node);
            }
        }
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            wanted.keys().collect::<Vec<_>>()
        );
        found
    }

    /// Waits until components have exactly the objects of these files.
    pub fn has_exactly(&self, what: &str, files: &[PathBuf]) -> BTreeMap<Key, Object> {
        let wanted = self.defaulted(files);
        let mut difference = String::new();
        for _ in 0..(EFFECT_TIME_MAX.as_millis() / 500) {
            let live = self.objects();
            match differ(&wanted, &live) {
                None => return live,
                Some(why) => difference = why,
            }
            std::thread::sleep(Duration::from_millis(400));
        }
        panic!("{what}: {difference}");
    }
}

/// `fleetwright apiserver` as a cluster of its own, which can be switched off.
pub struct Remote {
    start: Command,
    log: PathBuf,
    process: Process,
    pub plane: Plane,
}

impl Remote {
    pub fn start(home: &Path) -> Self {
        let kubeconfig = home.join("remote-kubeconfig");
        let log = home.join("remote.log");
        let mut start = fleetwright(home);
        start
            .args([
                "apiserver",
                "--listen",
                &format!("127.0.0.1:{}", free_port()),
            ])
            .arg("--data-dir")
            .arg(home.join("remote"))
            .arg("--kubeconfig-out")
            .arg(&kubeconfig);
        let process = Process::start(&mut start, &log);
        let remote = Self {
            plane: Plane::new(&kubeconfig, home),
            start,
            log,
            process,
        };
        remote.await_server();
        remote.plane.furnish();
        remote
    }

    fn await_server(&self) {
        eventually("the remote cluster", EFFECT_TIME_MAX, || {
            let mut command = self.plane.command(&["get", "--raw", "/readyz"]);
            output(&mut command).status.success().then_some(())
        });
    }

    pub fn switch_off(&mut self) {
        self.process.kill();
    }

    pub fn switch_on(&mut self) {
        self.process = Process::start(&mut self.start, &self.log);
        self.await_server();
    }

    pub fn kubeconfig(&self) -> &Path {
        &self.plane.kubeconfig
    }
}

fn items(list: &str) -> Vec<Object> {
    let mut found = Vec::new();
    // What kubectl creates it prints one after the other.
    for document in yaml::load(
        &list.replace("\n}\n{", "\n}\n---\n{"),
        &yaml::Limits::default(),
    )
    .unwrap()
    {
        match document.node.get("items").and_then(Node::as_list) {
            Some(items) => found.extend(items.iter().cloned().map(Object::new)),
            None => found.push(Object::new(document.node)),
        }
    }
    found
}

fn key(node: &Node) -> Key {
    [
        &["metadata", "namespace"][..],
        &["kind"],
        &["metadata", "name"],
    ]
    .map(|keys| node.str_at(keys).unwrap_or_default().to_owned())
}

/// With texts in place of `<uid:Kind/name>` that a label can hold.
fn named(node: Node) -> Node {
    match node {
        Node::String(text) => match text
            .strip_prefix("<uid:")
            .and_then(|own| own.strip_suffix('>'))
        {
            Some(own) => format!("uid.{}", own.replace('/', ".")).into(),
            None => Node::String(text),
        },
        Node::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| (key.clone(), named(value.clone())));
            entries.collect::<object::Map>().into()
        }
        Node::List(items) => Node::list(items.iter().cloned().map(named)),
        other => other,
    }
}

/// An object without what the server, its controllers and the owner of the object say about it.
fn comparable(object: &Object) -> Node {
    let mut node = object.node.clone();
    for keys in [
        &["metadata", "uid"][..],
        &["metadata", "resourceVersion"],
        &["metadata", "creationTimestamp"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "finalizers"],
        &["spec", "clusterIP"],
        &["spec", "clusterIPs"],
        &["spec", "volumeName"],
        &["status"],
    ] {
        node.remove(keys);
    }
    for (field, foreign) in [
        (
            "labels",
            &[
                "openchoreo.dev/managed-by",
                "openchoreo.dev/release-",
                "openchoreo.dev/rendered-release-",
            ][..],
        ),
        (
            "annotations",
            &[
                "deployment.kubernetes.io/",
                "pv.kubernetes.io/",
                "volume.",
                "fleetwright.dev/retain",
                "deprecated.",
            ],
        ),
    ] {
        let own = node
            .at(&["metadata", field])
            .and_then(Node::as_map)
            .cloned()
            .unwrap_or_default();
        let own: object::Map = own
            .iter()
            .filter(|(key, _)| !foreign.iter().any(|start| key.starts_with(start)))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        match own.is_empty() {
            true => drop(node.remove(&["metadata", field])),
            false => node.set(&["metadata", field], own),
        }
    }
    node
}

/// How what is there differs from what is wanted, if it does.
fn differ(wanted: &BTreeMap<Key, Node>, live: &BTreeMap<Key, Object>) -> Option<String> {
    let missing: Vec<&Key> = wanted
        .keys()
        .filter(|key| !live.contains_key(*key))
        .collect();
    let surplus: Vec<&Key> = live
        .keys()
        .filter(|key| !wanted.contains_key(*key))
        .collect();
    if !missing.is_empty() || !surplus.is_empty() {
        return Some(format!("missing {missing:?}\nnot wanted {surplus:?}"));
    }
    let mut identities = BTreeMap::new();
    for (key, wanted) in wanted {
        let own = comparable(&live[key]);
        if !same(wanted, &own, &mut identities) {
            let (wanted, own) = (yaml::to_string(wanted), yaml::to_string(&own));
            return Some(format!("{key:?}\n{wanted}\n{own}"));
        }
    }
    let mut distinct: Vec<&String> = identities.values().collect();
    distinct.sort();
    distinct.dedup();
    (distinct.len() != identities.len()).then(|| format!("{identities:?}"))
}

/// Whether both are the same as data, where `uid.…` stands for one identity each.
fn same(wanted: &Node, own: &Node, identities: &mut BTreeMap<String, String>) -> bool {
    match (wanted, own) {
        (Node::List(a), Node::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b, identities))
        }
        (Node::Map(a), Node::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| match b.get(key) {
                    Some(other) if key.ends_with("/dp-resource-hash") => other.as_str().is_some(),
                    Some(other) => same(value, other, identities),
                    None => false,
                })
        }
        (Node::String(a), Node::String(b)) if a.starts_with("uid.") => {
            let known = identities.entry(a.to_string());
            *known.or_insert_with(|| b.to_string()) == b.as_str()
        }
        _ => wanted == own || (wanted.as_f64().is_some() && wanted.as_f64() == own.as_f64()),
    }
}
