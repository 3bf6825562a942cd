//! What CI runs, in the order in which failures are cheapest.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

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
    test()
}

/// Runs every test and closes with one summary over all of them.
///
/// Each test binary has its own summary line; the last one alone would say little.
fn test() -> Result<()> {
    let mut child = cargo()
        .args(["test", "--workspace", "--no-fail-fast"])
        .stdout(Stdio::piped())
        .spawn()
        .context("starting the tests")?;
    let out = child.stdout.take().context("the tests have no output")?;
    let mut counts = [("passed", 0u64), ("failed", 0), ("ignored", 0)];
    for line in BufReader::new(out).lines() {
        let line = line?;
        println!("{line}");
        if !line.starts_with("test result:") {
            continue;
        }
        for part in line.split([';', '.']) {
            let mut words = part.split_whitespace();
            if let (Some(number), Some(word), None) = (words.next(), words.next(), words.next()) {
                for (name, count) in &mut counts {
                    if *name == word {
                        *count += number.parse::<u64>().unwrap_or(0);
                    }
                }
            }
        }
    }
    let ended = child.wait()?;
    let [(_, passed), (_, failed), (_, ignored)] = counts;
    let verdict = if ended.success() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored; over all test binaries"
    );
    if !ended.success() {
        bail!("tests failed");
    }
    Ok(())
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
