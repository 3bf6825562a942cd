//! The tasks that CI runs: `cargo xtask ci`, `tidy`, `reference`, `bench`; and `order`.

mod bench;
mod ci;
mod order;
mod reference;
mod tidy;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask TASK

  ci           everything CI runs: formatting, lints, structure, reference tools, tests
  tidy         the structure: arrows between crates, module docs, links
  reference    install the pinned tools that tests and benchmarks compare with (needs Go)
  bench NAME   measure against the reference tools; without NAME, list what there is
  order        note anew which functions builds call, for the linker (needs valgrind)";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["ci"] => ci::run(),
        ["tidy"] => tidy::run(),
        ["reference"] => reference::run(),
        ["bench", rest @ ..] => bench::run(rest),
        ["order"] => order::run(),
        _ => bail!("{USAGE}"),
    }
}

/// The root of the repository that cargo was called in. Not of the one this program was compiled in:
/// clones that share a target folder share the program too.
fn root() -> std::path::PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .expect("cargo names the package it runs, and this is called as `cargo xtask`");
    std::path::Path::new(&manifest)
        .parent()
        .expect("xtask lies in the root of the repository")
        .to_owned()
}

/// Runs a command to its end and fails when it does.
fn must(command: &mut std::process::Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command
        .status()
        .map_err(|error| anyhow::anyhow!("cannot start {shown}: {error}"))?;
    if !status.success() {
        bail!("{shown} ended with {status}");
    }
    Ok(())
}
