//! How long a control plane takes from process start until it is ready.

use std::time::Instant;

use anyhow::Result;
use tempfile::TempDir;

use super::Settings;
use super::control_plane::{ControlPlane, Kind};
use super::figures::{Cell, Table, mebibytes, median, milliseconds, percentile};
use super::process::{hermetic, output};

/// Runs of what is quick, and of Kubernetes' own control plane, which takes seconds.
const RUNS: usize = 11;
const RUNS_OF_KUBERNETES: usize = 3;

/// Measures start-up.
pub fn run(settings: &Settings) -> Result<Table> {
    let columns = ["what", "runs", "median ms", "p95 ms", "peak MiB"];
    let mut table = Table::new("start", &columns);
    let home = TempDir::new()?;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let started = Instant::now();
        output(hermetic(&settings.binary, home.path()).arg("version"))?;
        times.push(milliseconds(started.elapsed()));
    }
    row(&mut table, "fleetwright version", &times, Cell::Empty);

    for (kind, runs, what) in [
        (Kind::Embedded, RUNS, "fleetwright apiserver --memory"),
        (
            Kind::Kubernetes,
            RUNS_OF_KUBERNETES,
            "etcd and kube-apiserver",
        ),
    ] {
        let (mut times, mut memory) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let home = TempDir::new()?;
            let control_plane = ControlPlane::start(kind, settings, home.path())?;
            times.push(milliseconds(control_plane.start_time));
            memory.push(mebibytes(control_plane.peak_memory()));
        }
        let what = format!("{what}, to the first 200 of /readyz");
        row(&mut table, &what, &times, median(&memory).into());
    }
    Ok(table)
}

fn row(table: &mut Table, what: &str, times: &[f64], memory: Cell) {
    table.row([
        what.into(),
        (times.len() as f64).into(),
        median(times).into(),
        percentile(times, 0.95).into(),
        memory,
    ]);
}
