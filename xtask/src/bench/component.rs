//! A platform of many components, from a push to everything that runs, and single changes of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::trees::Tree;
use testkit::trees::platform::{self, ENVIRONMENTS, TENANT};

use super::control_plane::{Requests, counted};
use super::figures::{Cell, Table, mebibytes, median};
use super::pairs::load;
use super::process::{Process, eventually, hermetic, output};
use super::proxy::Proxy;
use super::serve::{HOST, Serve};
use super::{Settings, built};

const REPOSITORY: &str = "bench/platform";
const BINDINGS: &str = "/apis/openchoreo.dev/v1alpha1/releasebindings";

/// Objects of the tree that is indexed, at least.
const INDEXED: usize = 10_000;

/// Objects of the tree for one component: itself, its workload, its release, its bindings.
const PER_COMPONENT: usize = 3 + ENVIRONMENTS.len();

/// Time between two looks while things start.
const PAUSE: Duration = Duration::from_millis(20);

/// Longest wait for a push to have all its effects.
const EFFECT_TIME_MAX: Duration = Duration::from_secs(600);

/// How long nothing may happen until everything counts as done.
const QUIET: Duration = Duration::from_millis(1500);

/// Single changes that are pushed, of each sort.
const CHANGES: usize = 5;

const SOURCES: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories";
const UNITS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";

/// Measures renders in the process, then pushes to `serve` with a fresh data folder.
pub fn run(settings: &Settings) -> Result<Vec<Table>> {
    let wanted =
        |name: &str| settings.only.is_empty() || settings.only.iter().any(|own| own == name);
    let mut tables = Vec::new();
    eprintln!("load before: {}", load());
    if wanted("render") {
        tables.push(in_process()?);
    }
    if wanted("push") {
        tables.extend(pushes(settings)?);
    }
    eprintln!("load after: {}", load());
    Ok(tables)
}

/// Renders and the index, without any server.
fn in_process() -> Result<Table> {
    let measure = built(
        &["--package", "component", "--example", "measure"],
        "examples/measure",
    )?;
    let home = TempDir::new()?;
    let columns = [
        "what",
        "objects",
        "runs",
        "first ms",
        "least ms",
        "median ms",
    ];
    let mut table = Table::new("components in the process", &columns);
    for (label, components, what, runs) in [
        ("one binding rendered", 1, "render", 2001),
        (
            "300 bindings rendered, one after the other",
            100,
            "bindings",
            11,
        ),
        (
            "the tree of a commit indexed",
            INDEXED.div_ceil(PER_COMPONENT),
            "index",
            7,
        ),
    ] {
        let folder = home.path().join(what);
        Tree::Platform(components).write(&folder)?;
        let mut command = hermetic(&measure, home.path());
        let said = output(command.arg(&folder).args([what, &runs.to_string()]))?;
        let figures: Vec<f64> = said
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [objects, first @ .., least, median] = figures.as_slice() else {
            bail!("measure said {said}");
        };
        table.row([
            label.into(),
            (*objects).into(),
            f64::from(runs).into(),
            first.first().map_or(Cell::Empty, |first| (*first).into()),
            (*least).into(),
            (*median).into(),
        ]);
    }
    Ok(table)
}

/// The whole platform in one push, then single changes.
fn pushes(settings: &Settings) -> Result<Vec<Table>> {
    let home = TempDir::new()?;
    let bench = Bench::start(settings, home.path())?;
    let mut first = Table::new(
        "component",
        &[
            "components",
            "bindings",
            "all ready after s",
            "quiet after s",
            "CPU s",
            "peak MiB",
            "git push s",
        ],
    );
    let mut changes = Table::new(
        "component changes",
        &[
            "change",
            "pushes",
            "bindings ready again after s",
            "quiet after s",
            "CPU s",
            "writes to the control plane",
            "writes to data planes",
        ],
    );
    bench.install(&mut first)?;
    bench.changes("an override of one binding", &mut changes, |bench, at| {
        let path = platform::binding(at * 7 % bench.components, "staging");
        bench.edit(&path, "cpu: 150m", &format!("cpu: {}m", 200 + at))?;
        let name = platform::component_name(at * 7 % bench.components);
        Ok(Some(format!("{name}-staging")))
    })?;
    bench.changes("a workload, no release of it", &mut changes, |bench, at| {
        let name = platform::component_name(at * 7 % bench.components);
        let path = platform::workload(at * 7 % bench.components);
        let image = format!("image: registry.example.com/{name}:2.{at}.0 # was");
        bench.edit(&path, "image:", &image)?;
        Ok(None)
    })?;
    bench.changes(
        "a component type, no release of it",
        &mut changes,
        |bench, at| {
            let path = "platform/component-types/web-service.yaml";
            let (old, new) = (1000 + at, 1001 + at);
            bench.edit(path, &format!("default={old}m"), &format!("default={new}m"))?;
            Ok(None)
        },
    )?;
    Ok(vec![first, changes])
}

/// A running `serve` with the platform's repository.
struct Bench<'a> {
    components: usize,
    home: &'a Path,
    server: Process,
    proxy: Proxy,
    bindings: mpsc::Receiver<Binding>,
}

/// A binding that is ready as it is written now, as a watch told it.
struct Binding {
    name: String,
    generation: i64,
    at: Instant,
}

impl<'a> Bench<'a> {
    /// A server without components, and a repository that nothing was pushed to.
    fn start(settings: &Settings, home: &'a Path) -> Result<Self> {
        let Serve {
            server,
            proxy,
            remote,
        } = Serve::start(settings, home, REPOSITORY, &[BINDINGS, UNITS])?;
        let bindings = watch_bindings(&proxy)?;
        let bench = Self {
            components: settings.components,
            home,
            server,
            proxy,
            bindings,
        };
        let copy = home.join("copy");
        fs::create_dir(&copy)?;
        bench.git(&["init", "--quiet", "--initial-branch", "main"])?;
        bench.git(&["remote", "add", "origin", &remote])?;
        Ok(bench)
    }

    /// Pushes the platform, and waits for all of it.
    fn install(&self, table: &mut Table) -> Result<()> {
        Tree::Platform(self.components).write(&self.home.join("copy"))?;
        let source = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": {"name": "platform"},
            "spec": {
                "url": format!("{HOST}{REPOSITORY}"),
                "interval": "10m",
                "ref": {"branch": "main"},
            },
        });
        self.proxy.create(SOURCES, &source)?;
        for (name, after) in [
            ("organization", None),
            ("platform", Some("organization")),
            ("projects", Some("organization")),
        ] {
            let after: Vec<Value> = after.iter().map(|name| json!({"name": name})).collect();
            let unit = json!({
                "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
                "kind": "Kustomization",
                "metadata": {"name": name},
                "spec": {
                    "interval": "10m",
                    "prune": true,
                    "path": format!("./{name}"),
                    "sourceRef": {"kind": "GitRepository", "name": "platform"},
                    "dependsOn": after,
                },
            });
            self.proxy.create(UNITS, &unit)?;
        }
        self.commit("everything")?;
        let before = self.server.cpu()?;
        let started = Instant::now();
        self.push()?;
        let pushed = started.elapsed();
        let wanted = self.components * ENVIRONMENTS.len();
        let mut ready = BTreeSet::new();
        let mut last = started;
        while ready.len() < wanted {
            let binding = self.bindings.recv_timeout(EFFECT_TIME_MAX);
            let binding = binding
                .with_context(|| format!("{} of {wanted} bindings became ready", ready.len()))?;
            last = binding.at;
            ready.insert(binding.name);
        }
        let quiet = self.quiet()?;
        let cpu = self.server.cpu()? - before;
        tell("everything", &self.requests()?);
        table.row([
            (self.components as f64).into(),
            (wanted as f64).into(),
            (last - started).as_secs_f64().into(),
            (quiet - started).as_secs_f64().into(),
            cpu.as_secs_f64().into(),
            mebibytes(self.server.peak_memory().unwrap_or_default()).into(),
            pushed.as_secs_f64().into(),
        ]);
        Ok(())
    }

    /// Pushes some changes, each after the one before has had all its effects. `edit` changes files
    /// and gives the bindings that have to be ready anew.
    fn changes(
        &self,
        name: &'static str,
        table: &mut Table,
        edit: impl Fn(&Self, usize) -> Result<Option<String>>,
    ) -> Result<()> {
        let (mut readies, mut quiets, mut cpus) = (Vec::new(), Vec::new(), Vec::new());
        let mut requests = Requests::new();
        for at in 0..CHANGES {
            while self.bindings.try_recv().is_ok() {}
            let binding = edit(self, at)?;
            let commit = self.commit(&format!("{name} {at}"))?;
            let (counted, cpu) = (self.requests()?, self.server.cpu()?);
            let started = Instant::now();
            self.push()?;
            if let Some(binding) = binding {
                // The first generation is the one that was installed.
                let again = loop {
                    let own = self.bindings.recv_timeout(EFFECT_TIME_MAX);
                    let own = own.with_context(|| format!("{binding} is not ready again"))?;
                    if own.name == binding && own.generation > 1 {
                        break own;
                    }
                };
                readies.push((again.at - started).as_secs_f64());
            }
            self.applied(&commit)?;
            let quiet = self.quiet()?;
            quiets.push((quiet - started).as_secs_f64());
            cpus.push((self.server.cpu()? - cpu).as_secs_f64());
            for (key, count) in self.requests()? {
                let before = counted.get(&key).copied().unwrap_or_default();
                *requests.entry(key).or_default() += count - before;
            }
        }
        requests.retain(|_, count| *count > 0);
        tell(name, &requests);
        let writes = |of: &str| -> f64 {
            let own = requests
                .iter()
                .filter(|((verb, resource), _)| is_write(verb) && resource.starts_with(of));
            own.map(|(_, count)| *count).sum::<u64>() as f64 / CHANGES as f64
        };
        let all = writes("");
        table.row([
            name.into(),
            (CHANGES as f64).into(),
            match readies.is_empty() {
                true => Cell::Empty,
                false => median(&readies).into(),
            },
            median(&quiets).into(),
            median(&cpus).into(),
            (all - writes("plane-")).into(),
            writes("plane-").into(),
        ]);
        Ok(())
    }

    /// Replaces the first `old` in a file of the working copy by `new`.
    fn edit(&self, path: &str, old: &str, new: &str) -> Result<()> {
        let path = self.home.join("copy").join(path);
        let text = fs::read_to_string(&path)?;
        if !text.contains(old) {
            bail!("{} does not say {old}", path.display());
        }
        Ok(fs::write(&path, text.replacen(old, new, 1))?)
    }

    /// Commits everything; gives the commit.
    fn commit(&self, message: &str) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        Ok(self.git(&["rev-parse", "HEAD"])?.trim().to_owned())
    }

    fn push(&self) -> Result<()> {
        self.git(&["push", "--quiet", "origin", "main"]).map(drop)
    }

    fn git(&self, arguments: &[&str]) -> Result<String> {
        let mut command = hermetic(Path::new("git"), self.home);
        let author = [
            "-c",
            "user.name=Bench",
            "-c",
            "user.email=bench@example.com",
        ];
        let command = command.current_dir(self.home.join("copy")).args(author);
        output(command.args(arguments))
    }

    /// Waits until every Kustomization has applied a commit.
    fn applied(&self, commit: &str) -> Result<()> {
        eventually("the commit applied", PAUSE, || {
            let units: Value = serde_json::from_str(&self.proxy.text(UNITS)?)?;
            let units = units["items"].as_array().into_iter().flatten();
            let mut ours = units.filter(|own| own["spec"]["sourceRef"]["name"] == "platform");
            let all = ours.all(|own| {
                let revision = own["status"]["lastAppliedRevision"].as_str();
                revision.is_some_and(|own| own.ends_with(commit))
            });
            Ok(all.then_some(()))
        })
    }

    /// Waits until nothing was written for a while; gives the moment of the last write.
    fn quiet(&self) -> Result<Instant> {
        let writes = |requests: Requests| -> u64 {
            let writes = requests.into_iter().filter(|((verb, _), _)| is_write(verb));
            writes.map(|(_, count)| count).sum()
        };
        let (mut known, mut since) = (writes(self.requests()?), Instant::now());
        while since.elapsed() < QUIET {
            std::thread::sleep(PAUSE * 2);
            let now = writes(self.requests()?);
            if now != known {
                (known, since) = (now, Instant::now());
            }
        }
        Ok(since)
    }

    /// Requests so far by verb and resource; those to a data plane begin with its name.
    fn requests(&self) -> Result<Requests> {
        let mut all = counted(&self.proxy.text("/metrics")?)?;
        for plane in ["non-prod", "prod"] {
            let name = format!("plane-{TENANT}-{plane}");
            // It is there when something was first applied to it.
            let Ok(text) = self.proxy.text(&format!("/clusters/{name}/metrics")) else {
                continue;
            };
            let own = counted(&text)?.into_iter();
            all.extend(
                own.map(|((verb, resource), count)| ((verb, format!("{name} {resource}")), count)),
            );
        }
        Ok(all)
    }
}

fn is_write(verb: &str) -> bool {
    !matches!(verb, "get" | "list" | "watch" | "")
}

/// Says on standard error which writes were asked for.
fn tell(what: &str, requests: &Requests) {
    eprintln!("{what}: writes");
    for ((verb, resource), count) in requests.iter().filter(|((verb, _), _)| is_write(verb)) {
        eprintln!("  {verb:<8} {resource:<48} {count:>6}");
    }
}

fn watch_bindings(proxy: &Proxy) -> Result<mpsc::Receiver<Binding>> {
    let lines = proxy.lines(BINDINGS)?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let at = Instant::now();
            // Reading JSON takes a while in a debug build, and most events are of no interest.
            if !line.contains("\"reason\":\"Ready\"") {
                continue;
            }
            let Ok(event) = serde_json::from_str::<Value>(&line) else {
                return;
            };
            let Some(binding) = ready(&event["object"], at) else {
                continue;
            };
            if sender.send(binding).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

fn ready(binding: &Value, at: Instant) -> Option<Binding> {
    let generation = binding["metadata"]["generation"].as_i64()?;
    let mut conditions = binding["status"]["conditions"].as_array()?.iter();
    let ready = conditions.find(|own| own["type"] == "Ready")?;
    let current = ready["observedGeneration"].as_i64() == Some(generation);
    (current && ready["status"] == "True").then(|| Binding {
        name: binding["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        generation,
        at,
    })
}
