//! Builds of kustomizations beside `kustomize build`: whole processes in pairs, and the library.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use tempfile::TempDir;
use testkit::trees::Tree;

use super::figures::{Cell, Table, median, milliseconds};
use super::pairs::{self, Pairs, Usage, contents, load, measured, same};
use super::process::{hermetic, output};
use super::{Settings, built};

/// A tree and how often it is built.
struct Row {
    name: &'static str,
    tree: Tree,
    /// What is built; `None` for every target, one process after the other.
    target: Option<&'static str>,
    /// Pairs of whole processes.
    runs: usize,
    /// Whether the reference takes part.
    paired: bool,
    /// Builds in the process.
    builds: usize,
}

const ROWS: &[Row] = &[
    Row::new("tiny", Tree::Tiny, "", 21, 1001),
    Row::new("small-10", Tree::Small(10), "", 15, 201),
    Row::new("small-20", Tree::Small(20), "", 15, 201),
    Row::new("small-35", Tree::Small(35), "", 15, 201),
    Row::new(
        "large-definitions",
        Tree::LargeDefinitions,
        "overlay",
        7,
        15,
    ),
    Row::new("huge-definitions", Tree::HugeDefinitions, "overlay", 5, 5),
    Row::new("deployments-100", Tree::Deployments(100), "overlay", 11, 51),
    Row::new(
        "deployments-1000",
        Tree::Deployments(1000),
        "overlay",
        5,
        11,
    ),
    // Half a minute each.
    Row::new("deployments-3000", Tree::Deployments(3000), "overlay", 2, 5),
    Row {
        paired: false,
        ..Row::new(
            "deployments-10000",
            Tree::Deployments(10_000),
            "overlay",
            5,
            3,
        )
    },
    Row::new(
        "fleet-cluster",
        Tree::Fleet,
        "clusters/production-eu-west",
        11,
        51,
    ),
    Row {
        target: None,
        ..Row::new("fleet", Tree::Fleet, "", 3, 0)
    },
];

/// The row for builds by several threads; its tree, builds and rounds.
const THREADS: &str = "threads";
const THREADS_TREE: Tree = Tree::Small(20);
const THREADS_BUILDS: usize = 500;
const THREADS_ROUNDS: usize = 15;

impl Row {
    const fn new(
        name: &'static str,
        tree: Tree,
        target: &'static str,
        runs: usize,
        builds: usize,
    ) -> Self {
        Self {
            name,
            tree,
            target: Some(target),
            runs,
            paired: true,
            builds,
        }
    }

    fn targets(&self) -> Vec<String> {
        match self.target {
            Some(target) => vec![target.to_owned()],
            None => self.tree.targets(),
        }
    }
}

/// Measures builds.
pub fn run(settings: &Settings) -> Result<Vec<Table>> {
    let wanted =
        |name: &str| settings.only.is_empty() || settings.only.iter().any(|only| only == name);
    for only in &settings.only {
        let known = only == THREADS || ROWS.iter().any(|row| row.name == only);
        let names: Vec<_> = ROWS.iter().map(|row| row.name).chain([THREADS]).collect();
        ensure!(
            known,
            "no row is called {only}; rows are {}",
            names.join(", ")
        );
    }
    let reference = settings.tool("kustomize")?;
    let library = built(
        &["--package", "kustomize", "--example", "measure"],
        "examples/measure",
    )?;
    let home = TempDir::new()?;
    let trees = settings.keep.as_deref().unwrap_or(home.path());
    // Both programs are in the page cache from here on.
    for program in [&reference, &settings.binary] {
        output(hermetic(program, home.path()).arg("version"))?;
    }
    eprintln!("load before: {}", load());
    let mut processes = pairs::table("kustomize", "tree");
    let mut in_process = library_table();
    for row in ROWS.iter().filter(|row| wanted(row.name)) {
        eprintln!("{} …", row.name);
        let tree = write(row.tree, &trees.join(row.name))?;
        let outputs = [
            home.path().join("theirs.yaml"),
            home.path().join("ours.yaml"),
        ];
        let mut pairs = Pairs::default();
        for run in 0..row.runs {
            if row.paired {
                pairs
                    .theirs
                    .push(build(&reference, &["build"], &tree, row, &outputs[0])?);
            }
            let ours = &["build", "kustomize"];
            pairs
                .ours
                .push(build(&settings.binary, ours, &tree, row, &outputs[1])?);
            if row.paired && run == 0 {
                pairs.equal = same(&outputs[0], &outputs[1])?;
            }
        }
        let (objects, bytes) = contents(&outputs[1])?;
        pairs.row(&mut processes, row.name, row.paired, objects, bytes);
        if row.builds > 0 {
            library_row(&mut in_process, &library, &tree, row, &pairs.ours)?;
        }
    }
    let mut tables = Vec::new();
    if settings.only.iter().any(|only| only != THREADS) || settings.only.is_empty() {
        tables.extend([processes, in_process]);
    }
    if wanted(THREADS) {
        tables.push(threads(&library, trees, home.path())?);
    }
    eprintln!("load after: {}", load());
    Ok(tables)
}

/// Writes a tree, as a checkout, so that bases beside the built folder belong to it.
fn write(tree: Tree, folder: &Path) -> Result<PathBuf> {
    tree.write(folder)?;
    fs::create_dir_all(folder.join(".git"))?;
    Ok(folder.to_owned())
}

/// Builds every target of a row by a process each; what they print goes to `out`.
fn build(program: &Path, words: &[&str], tree: &Path, row: &Row, out: &Path) -> Result<Usage> {
    let mut usage = Usage::default();
    let out = File::create(out)?;
    for target in row.targets() {
        let mut command = hermetic(program, tree);
        command
            .args(words)
            .arg(tree.join(target))
            .stdout(out.try_clone()?);
        let one = measured(&mut command)?;
        usage.wall += one.wall;
        usage.cpu += one.cpu;
        usage.peak_bytes = usage.peak_bytes.max(one.peak_bytes);
    }
    Ok(usage)
}

fn library_table() -> Table {
    let columns = [
        "tree",
        "objects",
        "build CPU ms",
        "read and parse",
        "write",
        "floor",
        "build / floor",
        "build µs an object",
        "process CPU µs an object",
    ];
    Table::new("kustomize in the process", &columns)
}

fn library_row(
    table: &mut Table,
    library: &Path,
    tree: &Path,
    row: &Row,
    processes: &[Usage],
) -> Result<()> {
    let mut command = hermetic(library, tree);
    command.arg(tree).arg(row.target.unwrap_or_default());
    let said = output(command.args(["floor", &row.builds.to_string()]))?;
    let figures: Vec<f64> = said
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [build, parse, write, objects] = figures[..] else {
        bail!("the runner said {said}");
    };
    let floor = parse + write;
    let cpu: Vec<f64> = processes
        .iter()
        .map(|usage| milliseconds(usage.cpu))
        .collect();
    table.row([
        row.name.into(),
        objects.into(),
        build.into(),
        parse.into(),
        write.into(),
        floor.into(),
        (build / floor).into(),
        (build * 1000.0 / objects).into(),
        (median(&cpu) * 1000.0 / objects).into(),
    ]);
    Ok(())
}

/// The same number of builds by one thread and by two, in turns.
fn threads(library: &Path, trees: &Path, home: &Path) -> Result<Table> {
    let columns = [
        "threads",
        "builds",
        "rounds",
        "wall ms",
        "CPU ms",
        "wall ratio",
        "CPU ratio",
    ];
    let mut table = Table::new("kustomize by threads", &columns);
    let tree = write(THREADS_TREE, &trees.join(THREADS))?;
    let said = home.join("said");
    let mut walls = [Vec::new(), Vec::new()];
    let mut cpus = [Vec::new(), Vec::new()];
    for _ in 0..THREADS_ROUNDS {
        for (at, threads) in ["1", "2"].iter().enumerate() {
            let mut command = hermetic(library, &tree);
            command
                .arg(&tree)
                .args(["", "builds", &THREADS_BUILDS.to_string(), threads]);
            let usage = measured(command.stdout(File::create(&said)?))?;
            walls[at].push(fs::read_to_string(&said)?.trim().parse::<f64>()?);
            cpus[at].push(milliseconds(usage.cpu));
        }
    }
    for (at, threads) in [1.0, 2.0].into_iter().enumerate() {
        // The least of many rounds is what the work costs when nothing else runs.
        let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        let ratio = |values: &[Vec<f64>; 2]| least(&values[0]) / least(&values[at]);
        table.row([
            threads.into(),
            (THREADS_BUILDS as f64).into(),
            (THREADS_ROUNDS as f64).into(),
            Cell::spread(&walls[at]),
            Cell::spread(&cpus[at]),
            ratio(&walls).into(),
            ratio(&cpus).into(),
        ]);
    }
    Ok(table)
}
