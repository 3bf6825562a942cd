//! How long after a push the cluster has what was pushed.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use tempfile::TempDir;

use super::Settings;
use super::figures::{Cell, Table, mebibytes, median, milliseconds, percentile};
use super::process::{eventually, hermetic, output};
use super::proxy::Proxy;
use super::serve::{HOST, Serve};

const PUSHES: usize = 20;
const REPOSITORY: &str = "bench/settings";

/// Time between two looks while things start.
const PAUSE: Duration = Duration::from_millis(20);

/// Longest wait for a push to arrive.
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(60);

/// Rest between two pushes, so that one has left nothing to do when the next comes.
const REST: Duration = Duration::from_millis(500);

/// Measures pushes to `serve` with a fresh data folder.
pub fn run(settings: &Settings) -> Result<Table> {
    let home = TempDir::new()?;
    let home = home.path();
    let units = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";
    let Serve {
        server,
        proxy,
        remote,
    } = Serve::start(settings, home, REPOSITORY, &[units])?;
    let copy = WorkingCopy::new(home, &remote)?;
    copy.commit("first")?;
    eventually("the first push", PAUSE, || Ok(copy.push().ok()))?;
    create_unit(&proxy, units)?;

    let arrivals = watch_setting(&proxy)?;
    arrivals.wait_for("first")?;
    let mut from_start = Vec::new();
    let mut from_return = Vec::new();
    let mut pushes = Vec::new();
    for number in 0..PUSHES {
        std::thread::sleep(REST);
        let value = format!("value-{number}");
        copy.commit(&value)?;
        let started = Instant::now();
        copy.push()?;
        let returned = Instant::now();
        let arrived = arrivals.wait_for(&value)?;
        pushes.push(milliseconds(returned - started));
        from_start.push(milliseconds(arrived - started));
        // The object may have changed before the push came back.
        from_return.push(milliseconds(arrived.saturating_duration_since(returned)));
    }
    let memory = mebibytes(server.peak_memory().unwrap_or_default());
    let mut table = Table::new(
        "push",
        &["what", "pushes", "median ms", "p95 ms", "peak MiB"],
    );
    for (what, times, memory) in [
        ("git push itself", &pushes, Cell::Empty),
        (
            "start of the push to the changed object",
            &from_start,
            memory.into(),
        ),
        (
            "return of the push to the changed object",
            &from_return,
            Cell::Empty,
        ),
    ] {
        table.row([
            what.into(),
            (PUSHES as f64).into(),
            median(times).into(),
            percentile(times, 0.95).into(),
            memory,
        ]);
    }
    Ok(table)
}

fn create_unit(proxy: &Proxy, units: &str) -> Result<()> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}});
    proxy.create("/api/v1/namespaces", &namespace)?;
    let sources = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories";
    let source = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": "settings"},
        "spec": {
            "url": format!("{HOST}{REPOSITORY}"),
            "interval": "10m",
            "ref": {"branch": "main"},
        },
    });
    proxy.create(sources, &source)?;
    let unit = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "settings"},
        "spec": {
            "interval": "10m",
            "prune": true,
            "path": "./",
            "sourceRef": {"kind": "GitRepository", "name": "settings"},
        },
    });
    proxy.create(units, &unit)
}

/// A working copy with one ConfigMap in it.
struct WorkingCopy<'a> {
    home: &'a Path,
}

impl<'a> WorkingCopy<'a> {
    fn new(home: &'a Path, remote: &str) -> Result<Self> {
        fs::create_dir(home.join("copy"))?;
        let copy = Self { home };
        copy.git(&["init", "--quiet", "--initial-branch", "main"])?;
        copy.git(&["remote", "add", "origin", remote])?;
        Ok(copy)
    }

    fn commit(&self, value: &str) -> Result<()> {
        let object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "bench"},
            "data": {"value": value},
        });
        // JSON is YAML.
        fs::write(self.home.join("copy/settings.yaml"), object.to_string())?;
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", value])
    }

    fn push(&self) -> Result<()> {
        self.git(&["push", "--quiet", "origin", "main"])
    }

    fn git(&self, arguments: &[&str]) -> Result<()> {
        let mut command = hermetic(Path::new("git"), self.home);
        command
            .current_dir(self.home.join("copy"))
            .args([
                "-c",
                "user.name=Bench",
                "-c",
                "user.email=bench@example.com",
            ])
            .args(arguments);
        output(&mut command)?;
        Ok(())
    }
}

/// Values of the ConfigMap with the time at which the watch told them.
struct Arrivals(mpsc::Receiver<(String, Instant)>);

impl Arrivals {
    fn wait_for(&self, value: &str) -> Result<Instant> {
        loop {
            let arrival = self.0.recv_timeout(ARRIVAL_TIME_MAX);
            let (found, at) = arrival.with_context(|| format!("{value} did not arrive"))?;
            if found == value {
                return Ok(at);
            }
        }
    }
}

fn watch_setting(proxy: &Proxy) -> Result<Arrivals> {
    let events = proxy.watch("/api/v1/namespaces/bench/configmaps")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for event in events.map_while(Result::ok) {
            let value = event["object"]["data"]["value"].as_str();
            let Some(value) = value.map(str::to_owned) else {
                continue;
            };
            if sender.send((value, Instant::now())).is_err() {
                return;
            }
        }
    });
    Ok(Arrivals(receiver))
}
