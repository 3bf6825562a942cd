//! Benchmarks: ratios measured in one run, whole processes, release builds.

use anyhow::{Result, bail};

/// Runs the benchmark named first, or lists what there is.
pub fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        [] => bail!("no benchmark named"),
        [name, ..] => bail!("no benchmark is called {name}"),
    }
}
