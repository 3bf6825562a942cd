//! Renders in the process, for `cargo xtask bench helm` and for profilers.
//!
//! ```text
//! measure CHART warm N        milliseconds of one render, templates parsed before: least and median of N
//! measure CHART templates N   the same of the templates alone: charts chosen and values made before
//! measure CHART releases N    milliseconds of one of N releases, each with a value of its own
//! measure CHART parse N       milliseconds of parsing all templates: least and median of N
//! measure CHART load N        milliseconds of reading the chart: least and median of N
//! ```

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use helm::engine::Program;
use helm::{Assembly, Chart, Engine, Options, Profile, Programs, Renders, UserValues};
use tree::{Isolated, TreeBuilder, TreePath};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match measure(&arguments) {
        Ok(line) => {
            use std::io::Write;
            let written = writeln!(std::io::stdout(), "{line}");
            written.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &[String]) -> Result<String, Box<dyn std::error::Error>> {
    let [chart, what, count, given @ ..] = arguments else {
        return Err("usage: measure CHART warm|templates|releases N".into());
    };
    let count: usize = count.parse()?;
    let place = Path::new(chart);
    let chart = load(place)?;
    let programs = Programs::default();
    let engine = Engine {
        programs: &programs,
        world: &Isolated,
    };
    let options = Options::default();
    let read = |name: &str| Err(format!("open {name}: no such file or directory"));
    let render = |user: &UserValues| {
        helm::render(&chart, user, &read, &options, &engine, &mut Vec::new())
            .map(|manifests| manifests.manifests.len())
            .map_err(|error| error.to_string())
    };
    let user = UserValues::default();
    render(&user)?;
    let mut taken = Vec::with_capacity(count);
    match what.as_str() {
        "warm" => {
            for _ in 0..count {
                let begun = Instant::now();
                render(&user)?;
                taken.push(begun.elapsed());
            }
        }
        "templates" => {
            let scope = helm::prepare(&chart, &user, &read, &options, &mut Vec::new())?;
            for _ in 0..count {
                let begun = Instant::now();
                engine.execute(&scope)?;
                taken.push(begun.elapsed());
            }
        }
        "again" => {
            let [path, values @ ..] = given else {
                return Err("again needs PATH VALUE...".into());
            };
            let mut renders = Renders::default();
            let mut executed = 0;
            for at in 0..count {
                let value = &values[at % values.len()];
                let user = UserValues {
                    set: vec![format!("{path}={value}")],
                    ..UserValues::default()
                };
                let warnings = &mut Vec::new();
                let begun = Instant::now();
                renders
                    .render(&chart, &user, &read, &options, &engine, warnings)
                    .map_err(|error| error.to_string())?;
                if at > 0 {
                    taken.push(begun.elapsed());
                    executed = executed.max(renders.executed());
                }
            }
            eprintln!("executed {executed}");
        }
        "parse" => {
            let charts = Assembly::whole(&chart);
            for _ in 0..count {
                let begun = Instant::now();
                Program::parse(&charts, Profile::Helm4)?;
                taken.push(begun.elapsed());
            }
        }
        "load" => {
            for _ in 0..count {
                let begun = Instant::now();
                load(place)?;
                taken.push(begun.elapsed());
            }
        }
        "values" => {
            for _ in 0..count {
                let begun = Instant::now();
                helm::prepare(&chart, &user, &read, &options, &mut Vec::new())?;
                taken.push(begun.elapsed());
            }
        }
        "manifests" => {
            let scope = helm::prepare(&chart, &user, &read, &options, &mut Vec::new())?;
            let files = engine.execute(&scope)?.files;
            for _ in 0..count {
                let files = files.clone();
                let begun = Instant::now();
                let name = &scope.charts.metadata.name;
                helm::manifest::sort(files, name, false, options.profile, &mut Vec::new())?;
                taken.push(begun.elapsed());
            }
        }
        "releases" => {
            for at in 0..count {
                let user = UserValues {
                    set: vec![
                        format!("replicaCount={at}"),
                        format!("ui.message=release-{at}"),
                    ],
                    ..UserValues::default()
                };
                let begun = Instant::now();
                render(&user)?;
                taken.push(begun.elapsed());
            }
        }
        _ => return Err(format!("unknown measurement {what}").into()),
    }
    taken.sort();
    let milliseconds = |at: usize| taken[at].as_secs_f64() * 1e3;
    Ok(format!(
        "{} {}",
        milliseconds(0),
        milliseconds(taken.len() / 2)
    ))
}

fn load(path: &Path) -> Result<Arc<Chart>, Box<dyn std::error::Error>> {
    if path.is_file() {
        return Ok(Chart::from_archive(std::fs::read(path)?, Profile::Helm4)?);
    }
    let mut builder = TreeBuilder::default();
    let mut open = vec![TreePath::root()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(path.join(folder.as_str()))? {
            let entry = entry?;
            let name = entry.file_name();
            let here = folder.join(&name.to_string_lossy())?;
            if entry.file_type()?.is_dir() {
                open.push(here);
            } else {
                builder.file(here, std::fs::read(entry.path())?);
            }
        }
    }
    Ok(Chart::from_tree(
        &builder.build(),
        &TreePath::root(),
        Profile::Helm4,
    )?)
}
