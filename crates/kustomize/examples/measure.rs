//! Builds in the process, for `cargo xtask bench kustomize` and for profilers.
//!
//! ```text
//! measure ROOT FOLDER builds N THREADS    N builds by so many threads: milliseconds of all
//! measure ROOT FOLDER floor N             milliseconds of processor time, the least of N:
//!                                         build, read and parse, write; and objects
//! ```
//!
//! The files below `ROOT` are in memory before the clock starts, and a build ends with its text. The
//! floor is what no build can do without: every file that this build reads is decoded and parsed
//! once, and the finished objects are written once.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use kustomize::{Build, Options};
use rustix::time::{ClockId, clock_gettime};
use tree::{Entry, Isolated, Tree, TreeBuilder, TreePath};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: measure ROOT FOLDER builds N THREADS | measure ROOT FOLDER floor N";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match arguments.as_slice() {
        [root, folder, "builds", count, threads] => builds(root, folder, count, threads),
        [root, folder, "floor", count] => floor(root, folder, count),
        _ => Err(USAGE.into()),
    };
    match answer {
        Ok(line) => {
            use std::io::Write;
            let written = writeln!(std::io::stdout(), "{line}");
            written.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

type Answer<T = String> = Result<T, Box<dyn std::error::Error>>;

fn builds(root: &str, folder: &str, count: &str, threads: &str) -> Answer {
    let (tree, folder) = (read(Path::new(root))?, TreePath::new(folder)?);
    let (count, threads): (usize, usize) = (count.parse()?, threads.parse()?);
    build(&tree, &folder)?;
    let started = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..threads {
            let share = (count + number) / threads;
            let (tree, folder) = (&tree, &folder);
            scope.spawn(move || {
                for _ in 0..share {
                    let built = build(tree, folder).map(|build| build.to_yaml());
                    std::hint::black_box(built).expect("it was built before");
                }
            });
        }
    });
    Ok(milliseconds(started.elapsed()).to_string())
}

fn floor(root: &str, folder: &str, count: &str) -> Answer {
    let (tree, folder) = (read(Path::new(root))?, TreePath::new(folder)?);
    let count: usize = count.parse()?;
    let done = build(&tree, &folder)?;
    let (mut build_times, mut parse_times, mut write_times) = (vec![], vec![], vec![]);
    for _ in 0..count.max(1) {
        let (time, _) = timed(|| build(&tree, &folder).map(|build| build.to_yaml()));
        build_times.push(time);
        let (time, parsed) = timed(|| parse(&tree, &done));
        parse_times.push(time);
        parsed?;
        let (time, _) = timed(|| done.to_yaml());
        write_times.push(time);
    }
    Ok(format!(
        "{} {} {} {}",
        least(&build_times),
        least(&parse_times),
        least(&write_times),
        done.objects.len()
    ))
}

fn build(tree: &Tree, folder: &TreePath) -> Result<Build, String> {
    let (result, _) = kustomize::build(tree, folder, &Options::default(), &Isolated);
    result.map_err(|errors| errors[0].to_string())
}

/// Every file that a build read, as documents.
fn parse(tree: &Tree, build: &Build) -> Answer<Vec<Vec<yaml::Node>>> {
    let limits = yaml::Limits::default();
    let files = build
        .files_read
        .iter()
        .filter(|path| path.as_str().ends_with(".yaml"));
    let parsed = files.map(|path| Ok(yaml::parse(&tree.read_text(path)?, &limits)?));
    parsed.collect()
}

/// What was made, and the processor time it took; ending its life does not count.
fn timed<T>(make: impl FnOnce() -> T) -> (Duration, T) {
    let started = processor_time();
    let made = std::hint::black_box(make());
    (processor_time() - started, made)
}

/// Processor time of this process so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The least one, in milliseconds.
fn least(times: &[Duration]) -> f64 {
    times.iter().min().copied().map_or(0.0, milliseconds)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The files below `root`.
fn read(root: &Path) -> Answer<Tree> {
    let mut builder = TreeBuilder::default();
    let mut open = vec![TreePath::root()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(root.join(directory.as_str()))? {
            let entry = entry?;
            let name = entry.file_name();
            let path = directory.join(name.to_str().ok_or("a name is not text")?)?;
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                let content = std::fs::read(entry.path())?;
                builder.add(
                    path,
                    Entry::File {
                        content: content.into(),
                        executable: false,
                    },
                );
            }
        }
    }
    Ok(builder.build())
}
