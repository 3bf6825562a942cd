//! Kubelets for a control plane that has none: the simulated ones, by way of stock kubectl.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use object::{Node, Object};
use runtime::{Clock, SystemClock};
use workloads::{View, Write, reconcile_pod};

use crate::process::{hermetic, output};

/// Pause between two looks at the pods.
const PAUSE: Duration = Duration::from_millis(200);

/// A thread that reports what the pods of a cluster would do, until dropped.
pub struct Kubelets {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Kubelets {
    /// Starts the thread.
    pub fn start(kubectl: &Path, kubeconfig: &Path, home: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let server = Server {
            kubectl: kubectl.to_owned(),
            kubeconfig: kubeconfig.to_owned(),
            home: home.to_owned(),
        };
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                server.look();
                std::thread::sleep(PAUSE);
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Kubelets {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Err(_)) = ended
            && !std::thread::panicking()
        {
            panic!("the kubelets have failed");
        }
    }
}

/// A real API server, as kubectl reaches it.
struct Server {
    kubectl: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
}

impl Server {
    /// Brings the status of every pod up to date.
    ///
    /// A write that is refused is one about a pod that has changed meanwhile: the next look sees it.
    fn look(&self) {
        let listed = self.run(&["get", "pods,namespaces", "-A", "-o", "json"]);
        let Some(listed) = listed else { return };
        let list = object::json::parse(&listed, object::json::ANSWER_LIMITS).unwrap();
        let items = list.get("items").and_then(Node::as_list).unwrap_or(&[]);
        let objects: Vec<Object> = items.iter().cloned().map(Object::new).collect();
        let now = SystemClock.now();
        let view = Listed(objects);
        for pod in view.0.iter().filter(|object| object.kind() == "Pod") {
            for write in reconcile_pod(&view, pod, now).writes {
                self.write(&write);
            }
        }
    }

    fn write(&self, write: &Write) {
        match write {
            Write::Status { object, .. } => {
                let text = |field: &str| object.str_at(&["metadata", field]).unwrap_or_default();
                let (namespace, name) = (text("namespace"), text("name"));
                let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/status");
                self.send(&["replace", "--raw", &path, "-f"], object);
            }
            Write::Create { object, .. } => self.send(&["create", "-f"], object),
            Write::Delete {
                namespace, name, ..
            } => {
                let now = ["--grace-period=0", "--force", "--wait=false"];
                self.run(&[&["delete", "pod", name, "-n", namespace], &now[..]].concat());
            }
            Write::Update { .. } => unreachable!("a kubelet writes no spec"),
        }
    }

    /// Runs kubectl with a file that holds an object as the last argument.
    fn send(&self, arguments: &[&str], object: &Node) {
        let file = self.home.join("kubelet.json");
        std::fs::write(&file, object::json::to_string(object)).unwrap();
        self.run(&[arguments, &[&*file.to_string_lossy()]].concat());
    }

    /// What kubectl prints; `None` when it fails.
    fn run(&self, arguments: &[&str]) -> Option<Vec<u8>> {
        let mut command = Command::new(&self.kubectl);
        hermetic(&mut command, &self.home);
        command
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(arguments);
        let output = output(&mut command);
        output.status.success().then_some(output.stdout)
    }
}

/// Pods and namespaces as they were listed.
struct Listed(Vec<Object>);

impl Listed {
    fn of<'a>(&'a self, resource: &'a str) -> impl Iterator<Item = &'a Object> {
        let kind = match resource {
            "pods" => "Pod",
            "namespaces" => "Namespace",
            // What is not listed is not there: nodes, for one.
            _ => "",
        };
        self.0.iter().filter(move |object| object.kind() == kind)
    }
}

impl View for Listed {
    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Object> {
        let found = |object: &&Object| object.namespace() == namespace && object.name() == name;
        self.of(resource).find(found).cloned()
    }

    fn list(&self, resource: &str, namespace: &str) -> Vec<Object> {
        let inside = |object: &&Object| namespace.is_empty() || object.namespace() == namespace;
        self.of(resource).filter(inside).cloned().collect()
    }

    fn owned(&self, _: &str, _: &Object) -> Vec<Object> {
        Vec::new()
    }

    fn refusal(&self, _: &Object) -> Option<String> {
        None
    }
}
