//! Benchmarks: whole processes, release builds, figures without judgement.
//!
//! Compare figures of one run on one machine with each other, and ratios with those of other
//! machines. What a run says goes to standard output: a table, or with `--json` a document, and
//! the table to standard error.

mod artifacts;
mod component;
mod control_plane;
mod demo;
mod figures;
pub mod helm;
mod kustomize;
mod pairs;
mod process;
mod proxy;
mod push;
mod serve;
mod start;
mod units;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{must, reference, root};
use control_plane::Kind;
use figures::Table;

/// A benchmark by its name.
struct Benchmark {
    name: &'static str,
    measures: &'static str,
    run: fn(&Settings) -> Result<Vec<Table>>,
}

const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "start",
        measures: "process start to the first 200 of /readyz, beside Kubernetes' own; `version`",
        run: |settings| Ok(vec![start::run(settings)?]),
    },
    Benchmark {
        name: "demo",
        measures: "`demo --settle`, from start to end",
        run: |settings| Ok(vec![demo::run(settings)?]),
    },
    Benchmark {
        name: "push",
        measures: "a push by stock git to the changed object, on `serve`",
        run: |settings| Ok(vec![push::run(settings)?]),
    },
    Benchmark {
        name: "units",
        measures: "N Kustomizations, installed, upgraded and looked at again",
        run: |settings| Ok(vec![units::run(settings)?]),
    },
    Benchmark {
        name: "kustomize",
        measures: "`build kustomize` beside `kustomize build`, its library, and their floor",
        run: kustomize::run,
    },
    Benchmark {
        name: "helm",
        measures: "`build helm` beside `helm template`, and its engine beside Helm's",
        run: helm::run,
    },
    Benchmark {
        name: "component",
        measures: "a platform of N components on `serve`, from a push to all ready; single changes",
        run: component::run,
    },
];

const OPTIONS: &str = "  --json           print JSON; the table goes to standard error
  --units N        units: how many Kustomizations (50)
  --components N   component: how many components, each in three environments (1000)
  --backend NAME   units: kubernetes (etcd, kube-apiserver and kube-controller-manager) or embedded
  --rate N         units: requests a second that kube-controller-manager may make (20, its own
                   default: every Deployment waits for about four of them)
  --only ROW       kustomize, helm: this row alone; component: render or push; may be given again
  --keep FOLDER    kustomize: leave the trees there, for a profiler

FLEETWRIGHT_BINARY names a binary to measure; without it, a release build is made.";

/// What can be varied.
pub struct Settings {
    /// The binary that is measured.
    binary: PathBuf,
    units: usize,
    components: usize,
    backend: Kind,
    /// Requests a second that kube-controller-manager may make.
    rate: u32,
    /// Names of the rows that are measured; all without any.
    only: Vec<String>,
    /// Where trees are left.
    keep: Option<PathBuf>,
}

impl Settings {
    /// A pinned tool that `cargo xtask reference` installs.
    fn tool(&self, name: &str) -> Result<PathBuf> {
        let path = reference::folder()?.join(name);
        if !path.is_file() {
            bail!("{name} is not installed; `cargo xtask reference` does that");
        }
        Ok(path)
    }
}

/// Runs the benchmark named first, or lists what there is.
pub fn run(arguments: &[&str]) -> Result<()> {
    let [name, options @ ..] = arguments else {
        println!("usage: cargo xtask bench NAME [OPTIONS]\n");
        for benchmark in BENCHMARKS {
            println!("  {:<16} {}", benchmark.name, benchmark.measures);
        }
        println!("\n{OPTIONS}");
        return Ok(());
    };
    let benchmark = BENCHMARKS.iter().find(|one| one.name == *name);
    let benchmark = benchmark.with_context(|| format!("no benchmark is called {name}"))?;
    let mut json = false;
    let mut units = 50;
    let mut components = 1000;
    let mut backend = Kind::Kubernetes;
    let mut rate = 20;
    let mut only = Vec::new();
    let mut keep = None;
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let mut value = || options.next().with_context(|| format!("{option} of what?"));
        match *option {
            "--json" => json = true,
            "--units" => units = value()?.parse().context("--units wants a number")?,
            "--components" => {
                components = value()?.parse().context("--components wants a number")?
            }
            "--backend" => backend = value()?.parse()?,
            "--rate" => rate = value()?.parse().context("--rate wants a number")?,
            "--only" => only.push((*value()?).to_owned()),
            "--keep" => keep = Some(std::path::absolute(value()?)?),
            _ => bail!("{option} is not an option:\n\n{OPTIONS}"),
        }
    }
    let settings = Settings {
        binary: binary()?,
        units,
        components,
        backend,
        rate,
        only,
        keep,
    };
    let tables = (benchmark.run)(&settings)?;
    let shown: Vec<String> = tables.iter().map(Table::to_string).collect();
    let shown = shown.join("\n");
    if json {
        eprint!("{shown}");
        println!("{:#}", figures::to_json(&tables));
    } else {
        print!("{shown}");
    }
    Ok(())
}

/// The binary to measure.
pub fn binary() -> Result<PathBuf> {
    if let Some(binary) = std::env::var_os("FLEETWRIGHT_BINARY") {
        return Ok(std::path::absolute(PathBuf::from(binary))?);
    }
    built(&["--package", "fleetwright"], "fleetwright")
}

/// Builds what `what` names, as releases are built, and gives the path of `file` among the results.
fn built(what: &[&str], file: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    must(
        Command::new(cargo)
            .current_dir(root())
            .args(["build", "--profile", "dist", "--quiet"])
            .args(what),
    )?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| root().join("target"));
    Ok(root().join(target).join("dist").join(file))
}
