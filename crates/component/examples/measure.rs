//! Renders and indexes in the process, for `cargo xtask bench component` and for profilers.
//!
//! ```text
//! measure FOLDER render N     milliseconds of one render of one binding by a renderer that has
//!                             rendered it before: least and median of N; before these the first
//! measure FOLDER bindings N   of all bindings, one after the other by one renderer, N rounds
//! measure FOLDER index N      of reading all manifests from files in memory: least and median of N
//! ```

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use component::catalog::Catalog;
use component::checkout::Checkout;
use component::render::Renderer;
use tree::{Tree, TreeBuilder, TreePath};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    use std::io::Write;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let written = match measure(&arguments) {
        Ok(line) => writeln!(std::io::stdout(), "{line}"),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            return ExitCode::FAILURE;
        }
    };
    written.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn measure(arguments: &[String]) -> Result<String, Box<dyn std::error::Error>> {
    let [folder, what, count] = arguments else {
        return Err("usage: measure FOLDER render|bindings|index N".into());
    };
    let count: usize = count.parse()?;
    let tree = load(Path::new(folder))?;
    let read = || match Checkout::read(&tree, "default") {
        Ok((checkout, _)) => Ok(checkout),
        Err(_) => Err("release-config.yaml cannot be followed"),
    };
    let mut taken = Vec::with_capacity(count);
    if what == "index" {
        let mut objects = 0;
        for _ in 0..count {
            let begun = Instant::now();
            objects = read()?.catalog().items().count();
            taken.push(begun.elapsed());
        }
        return Ok(format!("{objects} {}", least_and_median(taken)));
    }
    let checkout = read()?;
    let catalog = checkout.catalog();
    let renderer = Renderer::default();
    let begun = Instant::now();
    let objects = render(catalog, &renderer, 1)?;
    let first = begun.elapsed();
    let most = match what.as_str() {
        "render" => 1,
        "bindings" => usize::MAX,
        _ => return Err(format!("{what} is nothing to measure").into()),
    };
    for _ in 0..count {
        let begun = Instant::now();
        render(catalog, &renderer, most)?;
        taken.push(begun.elapsed());
    }
    let first = first.as_secs_f64() * 1000.0;
    Ok(format!("{objects} {first:.4} {}", least_and_median(taken)))
}

/// Renders the first bindings, at most so many; gives how many objects that were.
fn render(
    catalog: &Catalog,
    renderer: &Renderer,
    most: usize,
) -> Result<usize, Box<dyn std::error::Error>> {
    let mut objects = 0;
    for binding in catalog.bindings().take(most) {
        let inputs = catalog
            .resolve(binding)
            .map_err(|error| error.to_string())?;
        let rendering = renderer.render(&inputs);
        objects += rendering.map_err(|error| error.to_string())?.objects.len();
    }
    Ok(objects)
}

fn least_and_median(mut taken: Vec<Duration>) -> String {
    taken.sort_unstable();
    let milliseconds = |at: usize| taken.get(at).map_or(0.0, |own| own.as_secs_f64() * 1000.0);
    format!(
        "{:.4} {:.4}",
        milliseconds(0),
        milliseconds(taken.len() / 2)
    )
}

fn load(path: &Path) -> Result<Tree, Box<dyn std::error::Error>> {
    let mut builder = TreeBuilder::default();
    let mut open = vec![TreePath::root()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(path.join(folder.as_str()))? {
            let entry = entry?;
            let here = folder.join(&entry.file_name().to_string_lossy())?;
            match entry.file_type()?.is_dir() {
                true => open.push(here),
                false => drop(builder.file(here, std::fs::read(entry.path())?)),
            }
        }
    }
    Ok(builder.build())
}
