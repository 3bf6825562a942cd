//! What many Kustomizations cost: time, processor, memory and requests.
//!
//! Each is a ServiceAccount, a Service, a Deployment with 0 replicas and an Ingress, applied by an
//! impersonated service account, with three variables and `wait`, from a source of its own that
//! is ready beforehand. The controller serves Kustomizations only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Settings;
use super::artifacts::Artifacts;
use super::control_plane::{ControlPlane, Requests};
use super::figures::{Table, mebibytes, median, percentile};
use super::process::{Process, eventually, free_port, hermetic};
use super::proxy::Proxy;

const UNITS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/bench/kustomizations";
const SOURCES: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/bench/gitrepositories";

/// Reconciles at the same time.
const CONCURRENCY: usize = 20;

/// Connections that write what starts a phase.
const WRITERS: usize = 4;

/// Longest wait for one more Kustomization to be ready.
const READY_TIME_MAX: Duration = Duration::from_secs(120);

/// Rest after a phase, for what comes after readiness: events, status, garbage.
const REST: Duration = Duration::from_secs(2);

/// Measures the phases one after the other.
pub fn run(settings: &Settings) -> Result<Table> {
    let home = TempDir::new()?;
    let home = home.path();
    let names: Vec<String> = (0..settings.units)
        .map(|at| format!("app-{at:04}"))
        .collect();
    let artifacts = Artifacts::serve(&trees(&names), &home.join("artifacts"))?;
    let mut control_plane = ControlPlane::start(settings.backend, settings, home)?;
    control_plane.start_controllers(settings, home)?;
    let controller = start_controller(settings, home, &control_plane)?;
    set_up(&control_plane.proxy)?;
    let proxy = &control_plane.proxy;
    each(&names, |name| {
        proxy.create(SOURCES, &source(name))?;
        let status = artifacts.status(&archive(name, 1), &revision(1))?;
        proxy.merge(
            &format!("{SOURCES}/{name}/status"),
            &json!({"status": status}),
        )
    })?;
    std::thread::sleep(REST);
    let mut bench = Bench {
        states: watch_units(proxy)?,
        control_plane: &control_plane,
        controller,
        names: &names,
        table: Table::new("units", &COLUMNS),
    };
    bench.phase(
        "install",
        ("create", "kustomizations"),
        |name| proxy.create(UNITS, &unit(name)),
        |state| state.ready && state.revision == revision(1),
    )?;
    bench.phase(
        "upgrade",
        ("patch", "gitrepositories"),
        |name| {
            let status = artifacts.status(&archive(name, 2), &revision(2))?;
            proxy.merge(
                &format!("{SOURCES}/{name}/status"),
                &json!({"status": status}),
            )
        },
        |state| state.ready && state.revision == revision(2),
    )?;
    let wish = "2026-01-01T00:00:00Z";
    bench.phase(
        "unchanged",
        ("patch", "kustomizations"),
        |name| {
            let annotations = json!({"reconcile.fluxcd.io/requestedAt": wish});
            let patch = json!({"metadata": {"annotations": annotations}});
            proxy.merge(&format!("{UNITS}/{name}"), &patch)
        },
        |state| state.ready && state.handled == wish,
    )?;
    Ok(bench.table)
}

const COLUMNS: [&str; 13] = [
    "phase",
    "units",
    "wall s",
    "unit median s",
    "unit p95 s",
    "CPU ms a unit",
    "GET a unit",
    "PATCH a unit",
    "POST a unit",
    "other a unit",
    "watches",
    "peak MiB",
    "control plane CPU s",
];

/// A running measurement.
struct Bench<'a> {
    control_plane: &'a ControlPlane,
    controller: Process,
    states: mpsc::Receiver<State>,
    names: &'a [String],
    table: Table,
}

/// A Kustomization as a watch told it.
struct State {
    name: String,
    ready: bool,
    revision: String,
    handled: String,
    at: Instant,
}

impl Bench<'_> {
    /// Starts every unit, by one write of a verb to a resource, and waits until each is done.
    fn phase(
        &mut self,
        name: &'static str,
        write: (&str, &str),
        start: impl Fn(&str) -> Result<()> + Sync,
        done: impl Fn(&State) -> bool,
    ) -> Result<()> {
        let requests = self.control_plane.requests()?;
        let cpu = self.controller.cpu()?;
        let control_plane_cpu = self.control_plane.cpu()?;
        let started = Instant::now();
        each(self.names, start)?;
        let mut open: BTreeSet<&str> = self.names.iter().map(String::as_str).collect();
        let mut times = Vec::new();
        while !open.is_empty() {
            let state = self.states.recv_timeout(READY_TIME_MAX);
            let state = state.with_context(|| format!("{name}: {open:?} are not ready"))?;
            if done(&state) && open.remove(&*state.name) {
                times.push((state.at - started).as_secs_f64());
            }
        }
        std::thread::sleep(REST);
        let cpu = self.controller.cpu()? - cpu;
        let control_plane_cpu = self.control_plane.cpu()? - control_plane_cpu;
        let mut requests = since(self.control_plane.requests()?, &requests);
        let own = self.names.len() as u64;
        self.control_plane.without_own(&mut requests, write, own);
        let units = self.names.len() as f64;
        tell(name, &requests, units);
        let by_method = by_method(&requests);
        let of = |method: &str| by_method.get(method).copied().unwrap_or_default();
        let row = [
            units,
            percentile(&times, 1.0),
            median(&times),
            percentile(&times, 0.95),
            cpu.as_secs_f64() * 1000.0 / units,
            of("GET") as f64 / units,
            of("PATCH") as f64 / units,
            of("POST") as f64 / units,
            of("other") as f64 / units,
            of("watch") as f64,
            mebibytes(self.controller.peak_memory().unwrap_or_default()),
            control_plane_cpu.as_secs_f64(),
        ];
        let figures = row.into_iter().map(super::figures::Cell::from);
        self.table.row(std::iter::once(name.into()).chain(figures));
        Ok(())
    }
}

/// Says on standard error what was asked of the server.
fn tell(phase: &str, requests: &Requests, units: f64) {
    eprintln!("{phase}: requests of the controller");
    for ((verb, resource), count) in requests {
        let each = *count as f64 / units;
        eprintln!("  {verb:<8} {resource:<28} {count:>6}   {each:.2} a unit");
    }
}

fn since(mut now: Requests, before: &Requests) -> Requests {
    for (key, count) in &mut now {
        *count -= before.get(key).copied().unwrap_or_default();
    }
    now.retain(|_, count| *count > 0);
    now
}

/// Sums by HTTP method, watches apart.
fn by_method(requests: &Requests) -> BTreeMap<&'static str, u64> {
    let mut sums = BTreeMap::new();
    for ((verb, _), count) in requests {
        let method = match &**verb {
            "get" | "list" => "GET",
            "watch" => "watch",
            "patch" => "PATCH",
            "create" => "POST",
            _ => "other",
        };
        *sums.entry(method).or_default() += count;
    }
    sums
}

fn start_controller(
    settings: &Settings,
    home: &Path,
    control_plane: &ControlPlane,
) -> Result<Process> {
    let health = format!("127.0.0.1:{}", free_port()?);
    let mut command = hermetic(&settings.binary, home);
    command
        .args(["controller", "--roles", "kustomize", "--install-crds"])
        .arg("--kubeconfig")
        .arg(&control_plane.controller)
        .args(["--concurrent", &CONCURRENCY.to_string()])
        .args(["--storage-path", "storage", "--storage-addr", "127.0.0.1:0"])
        .args(["--health-addr", &health]);
    let controller = Process::start(&mut command, &home.join("controller.log"))?;
    let pause = Duration::from_millis(50);
    eventually("the kinds served", pause, || {
        let served = [UNITS, SOURCES]
            .iter()
            .all(|path| control_plane.proxy.is_ok(path));
        Ok(served.then_some(()))
    })?;
    Ok(controller)
}

/// The namespace, and a service account that may do everything.
fn set_up(proxy: &Proxy) -> Result<()> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}});
    proxy.create("/api/v1/namespaces", &namespace)?;
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "reconciler"},
    });
    proxy.create("/api/v1/namespaces/bench/serviceaccounts", &account)?;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "reconciler"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
        "subjects": [{"kind": "ServiceAccount", "name": "reconciler", "namespace": "bench"}],
    });
    let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    proxy.create(bindings, &binding)
}

/// Does something for every name, on a few connections at a time.
fn each(names: &[String], action: impl Fn(&str) -> Result<()> + Sync) -> Result<()> {
    let share = names.len().div_ceil(WRITERS).max(1);
    let action = &action;
    std::thread::scope(|scope| {
        let writers: Vec<_> = names
            .chunks(share)
            .map(|names| scope.spawn(move || names.iter().try_for_each(|name| action(name))))
            .collect();
        writers
            .into_iter()
            .try_for_each(|writer| writer.join().expect("a writer does not panic"))
    })
}

fn watch_units(proxy: &Proxy) -> Result<mpsc::Receiver<State>> {
    let events = proxy.watch(UNITS)?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for event in events.map_while(Result::ok) {
            if sender.send(state(&event["object"])).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

fn state(object: &Value) -> State {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let status = &object["status"];
    let mut conditions = status["conditions"].as_array().into_iter().flatten();
    State {
        name: text(&object["metadata"]["name"]),
        ready: conditions.any(|one| one["type"] == "Ready" && one["status"] == "True"),
        revision: text(&status["lastAppliedRevision"]),
        handled: text(&status["lastHandledReconcileAt"]),
        at: Instant::now(),
    }
}

fn revision(number: u32) -> String {
    format!("main@sha1:{number:040x}")
}

fn archive(name: &str, number: u32) -> String {
    format!("{name}-{number}")
}

fn source(name: &str) -> Value {
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": name},
        "spec": {"url": format!("https://example.com/{name}"), "interval": "1h"},
    })
}

fn unit(name: &str) -> Value {
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name},
        "spec": {
            "interval": "1h",
            "timeout": "1m",
            "prune": true,
            "wait": true,
            "path": "./",
            "serviceAccountName": "reconciler",
            "targetNamespace": "bench",
            "sourceRef": {"kind": "GitRepository", "name": name},
            "postBuild": {"substitute": {
                "name": name,
                "host": format!("{name}.example.com"),
                "port": "8080",
            }},
        },
    })
}

/// Two revisions of every unit, each different from all others.
fn trees(names: &[String]) -> BTreeMap<String, BTreeMap<&'static str, String>> {
    let mut trees = BTreeMap::new();
    for name in names {
        for (number, memory) in [(1, "64Mi"), (2, "96Mi")] {
            trees.insert(archive(name, number), files(name, memory));
        }
    }
    trees
}

fn files(unit: &str, memory: &str) -> BTreeMap<&'static str, String> {
    let kustomization = format!(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n\
         commonAnnotations:\n  example.com/unit: {unit}\n\
         resources:\n- account.yaml\n- service.yaml\n- deployment.yaml\n- ingress.yaml\n"
    );
    BTreeMap::from([
        ("kustomization.yaml", kustomization),
        ("account.yaml", ACCOUNT.to_owned()),
        ("service.yaml", SERVICE.to_owned()),
        ("deployment.yaml", DEPLOYMENT.replace("MEMORY", memory)),
        ("ingress.yaml", INGRESS.to_owned()),
    ])
}

const ACCOUNT: &str = "\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${name}
";

const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector:
    app: ${name}
  ports:
  - name: http
    port: 80
    targetPort: ${port}
";

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 0
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      serviceAccountName: ${name}
      containers:
      - name: server
        image: registry.example.com/server:1.0.0
        args: [\"--port=${port}\", \"--host=${host}\"]
        ports:
        - name: http
          containerPort: ${port}
        readinessProbe:
          httpGet:
            path: /ready
            port: http
        resources:
          requests:
            cpu: 10m
            memory: MEMORY
          limits:
            memory: MEMORY
";

const INGRESS: &str = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
spec:
  rules:
  - host: ${host}
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: ${name}
            port:
              name: http
";
