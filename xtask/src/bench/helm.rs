//! Renders of charts beside `helm template`: whole processes in pairs, and the engines.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::figures::{Cell, Table};
use super::pairs::{self, Pairs, contents, load, measured, same};
use super::process::{hermetic, output};
use super::{Settings, built};

/// A chart of the public test data with the arguments of its recorded case of defaults, which make
/// its output the same every time, and how often it is rendered.
pub struct Row {
    name: &'static str,
    chart: &'static str,
    case: &'static str,
    /// Pairs of whole processes.
    runs: usize,
    /// Renders in the process.
    renders: usize,
}

pub const ROWS: &[Row] = &[
    Row {
        name: "podinfo",
        chart: "podinfo-6.14.1",
        case: "podinfo-6.14.1",
        runs: 21,
        renders: 501,
    },
    Row {
        name: "kube-prometheus-stack",
        chart: "kube-prometheus-stack-88.5.3",
        case: "kube-prometheus-stack-88.5.3",
        runs: 11,
        renders: 51,
    },
    Row {
        name: "milvus",
        chart: "milvus-16.0.2.tgz",
        case: "milvus-16.0.2",
        runs: 11,
        renders: 11,
    },
];

impl Row {
    /// Where its chart is.
    pub fn place(&self) -> Result<PathBuf> {
        Ok(corpus()?.join("charts").join(self.chart))
    }

    /// The arguments of its case.
    pub fn arguments(&self) -> Result<Vec<String>> {
        let file = corpus()?.join("cases").join(self.case);
        let file = file.join("defaults/args.txt");
        let arguments = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        Ok(arguments.lines().map(str::to_owned).collect())
    }
}

/// The public charts and their recorded cases.
fn corpus() -> Result<PathBuf> {
    let corpus = std::env::var_os("FLEETWRIGHT_CORPUS")
        .context("FLEETWRIGHT_CORPUS names no folder; its helm/charts are what is rendered")?;
    Ok(PathBuf::from(corpus).join("helm"))
}

/// The row of many releases of one chart, each with values of its own.
const RELEASES: &str = "releases";
const RELEASES_CHART: &str = "podinfo-6.14.1";
const RELEASES_COUNT: usize = 1000;

/// Measures renders.
pub fn run(settings: &Settings) -> Result<Vec<Table>> {
    let names: Vec<_> = ROWS.iter().map(|row| row.name).chain([RELEASES]).collect();
    for only in &settings.only {
        ensure!(
            names.contains(&only.as_str()),
            "no row is called {only}; rows are {}",
            names.join(", ")
        );
    }
    let wanted =
        |name: &str| settings.only.is_empty() || settings.only.iter().any(|only| only == name);
    let charts = corpus()?.join("charts");
    let reference = settings.tool("helm4")?;
    let engine = settings.tool("helm-engine")?;
    let library = built(
        &["--package", "helm", "--example", "measure"],
        "examples/measure",
    )?;
    let home = TempDir::new()?;
    for program in [&reference, &settings.binary] {
        output(hermetic(program, home.path()).arg("version"))?;
    }
    eprintln!("load before: {}", load());
    let mut processes = pairs::table("helm", "chart");
    let columns = [
        "chart",
        "renders",
        "helm ms, least and median",
        "",
        "its templates",
        "",
        "fleetwright ms, least and median",
        "",
        "its templates",
        "",
        "ratio of templates",
    ];
    let mut engines = Table::new(
        "helm in the process, templates parsed before by ours only",
        &columns,
    );
    for row in ROWS.iter().filter(|row| wanted(row.name)) {
        eprintln!("{} …", row.name);
        let (chart, arguments) = (row.place()?, row.arguments()?);
        let outputs = [
            home.path().join("theirs.yaml"),
            home.path().join("ours.yaml"),
        ];
        let mut pairs = Pairs::default();
        for _ in 0..row.runs {
            let one = |program: &Path, words: &[&str], out: &Path| {
                let mut command = hermetic(program, home.path());
                command.args(words).arg(&chart).args(&arguments);
                measured(command.stdout(File::create(out)?))
            };
            let theirs = one(&reference, &["template", "demo"], &outputs[0])?;
            pairs.theirs.push(theirs);
            let ours = one(&settings.binary, &["build", "helm", "demo"], &outputs[1])?;
            pairs.ours.push(ours);
        }
        pairs.equal = same(&outputs[0], &outputs[1])?;
        let (objects, bytes) = contents(&outputs[1])?;
        pairs.row(&mut processes, row.name, true, objects, bytes);
        let count = row.renders.to_string();
        let theirs = figures(hermetic(&engine, home.path()).arg(&chart).arg(&count))?;
        let ours = |what: &str| {
            let mut command = hermetic(&library, home.path());
            figures(command.arg(&chart).args([what, &count]))
        };
        let (whole, templates) = (ours("warm")?, ours("templates")?);
        let [their_least, their_median, least, median] = theirs[..] else {
            bail!("the engine of Helm said {theirs:?}");
        };
        let mut cells: Vec<Cell> = vec![row.name.into(), (row.renders as f64).into()];
        cells.extend([their_least, their_median, least, median].map(Cell::from));
        cells.extend(
            whole
                .iter()
                .chain(&templates)
                .map(|&figure| Cell::from(figure)),
        );
        cells.push((median / templates[1]).into());
        engines.row(cells);
    }
    let mut tables = vec![processes, engines];
    if wanted(RELEASES) {
        let mut table = Table::new("releases", &["chart", "releases", "least ms", "median ms"]);
        let mut command = hermetic(&library, home.path());
        command.arg(charts.join(RELEASES_CHART));
        let taken = figures(command.args([RELEASES, &RELEASES_COUNT.to_string()]))?;
        let mut cells: Vec<Cell> = vec![RELEASES_CHART.into(), (RELEASES_COUNT as f64).into()];
        cells.extend(taken.into_iter().map(Cell::from));
        table.row(cells);
        tables.push(table);
    }
    eprintln!("load after: {}", load());
    Ok(tables)
}

/// The numbers that a program prints.
fn figures(command: &mut std::process::Command) -> Result<Vec<f64>> {
    let said = output(command)?;
    let figures = said.split_whitespace().map(str::parse);
    figures
        .collect::<Result<_, _>>()
        .with_context(|| format!("the runner said {said}"))
}
