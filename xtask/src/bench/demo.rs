//! How long the demo takes until everything in it rests.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tempfile::TempDir;

use super::Settings;
use super::figures::{Table, mebibytes, median, milliseconds, percentile};
use super::process::{Process, eventually, hermetic};

const RUNS: usize = 5;

/// Time between two looks at a process that ends by itself.
const PAUSE: Duration = Duration::from_millis(2);

/// Measures `demo --settle` as a whole process.
pub fn run(settings: &Settings) -> Result<Table> {
    let columns = ["what", "runs", "median ms", "p95 ms", "CPU ms", "peak MiB"];
    let mut table = Table::new("demo", &columns);
    let (mut times, mut processor, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..RUNS {
        // The sample has a Deployment that fails at a full second, so a run ends at one; the next
        // must not always begin there.
        std::thread::sleep(Duration::from_secs(1) / RUNS as u32 * number as u32);
        let home = TempDir::new()?;
        let mut command = hermetic(&settings.binary, home.path());
        command.args(["demo", "--settle"]);
        for address in ["--http-addr", "--api-addr", "--storage-addr"] {
            command.args([address, "127.0.0.1:0"]);
        }
        command.arg("--state-dir").arg(home.path().join("state"));
        let log = home.path().join("demo.log");
        let started = Instant::now();
        let mut process = Process::start(&mut command, &log)?;
        let (mut peak, mut cpu) = (0, Duration::ZERO);
        let status = eventually("the demo to settle", PAUSE, || {
            let ended = process.ended()?;
            peak = process.peak_memory().unwrap_or(peak);
            if ended.is_none() {
                cpu = process.cpu().unwrap_or(cpu).max(cpu);
            }
            Ok(ended)
        })?;
        if !status.success() {
            bail!(
                "the demo ended with {status}:\n{}",
                std::fs::read_to_string(&log)?
            );
        }
        times.push(milliseconds(started.elapsed()));
        processor.push(milliseconds(cpu));
        memory.push(mebibytes(peak));
    }
    table.row([
        "fleetwright demo --settle".into(),
        (RUNS as f64).into(),
        median(&times).into(),
        percentile(&times, 0.95).into(),
        median(&processor).into(),
        median(&memory).into(),
    ]);
    Ok(table)
}
