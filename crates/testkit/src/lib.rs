//! Fixtures shared by tests: the public corpus, reference tools, golden files.
//!
//! Deliberately light, so that a vocabulary crate can use it without compiling the shell.

mod dice;
pub mod trees;

use std::path::{Path, PathBuf};

pub use dice::Dice;

/// The folder `name` of the corpus of public test data, or `None`, said loudly, when the variable
/// `FLEETWRIGHT_CORPUS` is unset.
///
/// # Panics
/// When the variable is set but the folder is missing: a silent skip would hide a broken setup.
pub fn corpus(name: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("FLEETWRIGHT_CORPUS") else {
        eprintln!(
            "SKIPPED: FLEETWRIGHT_CORPUS is not set, nothing was compared with corpus/{name}"
        );
        return None;
    };
    let folder = Path::new(&root).join(name);
    assert!(folder.is_dir(), "{} is no folder", folder.display());
    Some(folder)
}

/// The reference tool `name` as `cargo xtask reference` installed it, or `None`, said loudly.
///
/// Tools are looked for in `FLEETWRIGHT_REFERENCE`, else in `~/.cache/fleetwright/reference/bin`.
pub fn reference_tool(name: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("FLEETWRIGHT_REFERENCE") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".cache/fleetwright/reference/bin"),
    };
    let tool = folder.join(name);
    if tool.is_file() {
        return Some(tool);
    }
    eprintln!("SKIPPED: `{name}` is not installed, run `cargo xtask reference`");
    None
}
