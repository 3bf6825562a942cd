//! Whole processes of two programs, in pairs.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use wait4::Wait4;

use super::figures::{Cell, Table, mebibytes, median, milliseconds};

/// What one run took; of several processes, the sum of their times and the largest memory.
#[derive(Clone, Copy, Default)]
pub struct Usage {
    pub wall: Duration,
    pub cpu: Duration,
    pub peak_bytes: u64,
}

/// Runs a command to its end.
///
/// Linux counts the memory of whoever starts a process towards that process's peak; this program
/// keeps no texts for that reason, and has less than any program it measures.
pub fn measured(command: &mut Command) -> Result<Usage> {
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let child = command
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let ended = child.wait4()?;
    let wall = started.elapsed();
    if !ended.status.success() {
        bail!("{command:?} ended with {}", ended.status);
    }
    Ok(Usage {
        wall,
        cpu: ended.rusage.utime + ended.rusage.stime,
        peak_bytes: ended.rusage.maxrss,
    })
}

/// Whether two files hold the same bytes.
pub fn same(left: &Path, right: &Path) -> Result<bool> {
    let mut files = [
        BufReader::new(File::open(left)?),
        BufReader::new(File::open(right)?),
    ];
    loop {
        let [left, right] = &mut files;
        let (ours, theirs) = (left.fill_buf()?, right.fill_buf()?);
        let length = ours.len().min(theirs.len());
        if ours[..length] != theirs[..length] || ours.is_empty() != theirs.is_empty() {
            return Ok(false);
        }
        if length == 0 {
            return Ok(true);
        }
        left.consume(length);
        right.consume(length);
    }
}

/// Objects and bytes of what a build printed.
pub fn contents(file: &Path) -> Result<(usize, u64)> {
    let bytes = fs::metadata(file)?.len();
    let mut objects = 0;
    let mut reader = BufReader::new(File::open(file)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.by_ref().read_until(b'\n', &mut line)? == 0 {
            return Ok((objects, bytes));
        }
        objects += usize::from(line.starts_with(b"kind: "));
    }
}

/// Runs of both programs, in pairs.
#[derive(Default)]
pub struct Pairs {
    pub theirs: Vec<Usage>,
    pub ours: Vec<Usage>,
    pub equal: bool,
}

impl Pairs {
    /// Adds a row of [`table`].
    pub fn row(&self, table: &mut Table, name: &str, paired: bool, objects: usize, bytes: u64) {
        let mut cells = vec![
            name.into(),
            (objects as f64).into(),
            (bytes as f64 / 1000.0).into(),
            (self.ours.len() as f64).into(),
        ];
        let figures: [fn(&Usage) -> f64; 3] = [
            |usage| milliseconds(usage.wall),
            |usage| milliseconds(usage.cpu),
            |usage| mebibytes(usage.peak_bytes),
        ];
        for figure in figures {
            let theirs: Vec<f64> = self.theirs.iter().map(figure).collect();
            let ours: Vec<f64> = self.ours.iter().map(figure).collect();
            let ratios: Vec<f64> = theirs.iter().zip(&ours).map(|(a, b)| a / b).collect();
            cells.push(Cell::spread(&theirs));
            cells.push(Cell::spread(&ours));
            cells.push(match ratios.is_empty() {
                true => Cell::Empty,
                false => median(&ratios).into(),
            });
        }
        cells.push(match (paired, self.equal) {
            (false, _) => Cell::Empty,
            (true, true) => "equal".into(),
            (true, false) => "DIFFERENT".into(),
        });
        table.row(cells);
    }
}

/// A table of rows of pairs; what is built is a `what`.
pub fn table(title: &'static str, what: &'static str) -> Table {
    let columns = [
        what,
        "objects",
        "output kB",
        "runs",
        "reference ms",
        "fleetwright ms",
        "ratio",
        "reference CPU ms",
        "fleetwright CPU ms",
        "CPU ratio",
        "reference MiB",
        "fleetwright MiB",
        "MiB ratio",
        "output",
    ];
    Table::new(title, &columns)
}

/// The load averages of one, five and fifteen minutes.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}
