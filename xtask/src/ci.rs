//! What CI runs, in the order in which failures are cheapest.

use std::process::Command;

use anyhow::Result;

use crate::{must, reference, root, tidy};

/// Formatting, structure, lints, reference tools, tests.
///
/// The test runner's summary comes last.
pub fn run() -> Result<()> {
    must(cargo().args(["fmt", "--all", "--check"]))?;
    tidy::run()?;
    must(
        cargo()
            .args(["clippy", "--workspace", "--all-targets", "--quiet", "--"])
            .args(["-D", "warnings"]),
    )?;
    reference::run()?;
    // The tests of the command line start the binary they belong to.
    must(cargo().args(["build", "--package", "fleetwright", "--quiet"]))?;
    must(cargo().args(["test", "--workspace", "--quiet", "--no-fail-fast"]))
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
