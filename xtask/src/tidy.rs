//! The structure, checked: which crate may use which, that every module says what it is for, that
//! links in the documentation lead somewhere, and that the repository holds nothing that would
//! only make sense on one machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::root;

/// Layers from the top of the picture to the bottom. A crate uses crates of layers above its own,
/// and neighbors only along [`NEIGHBORS`].
const LAYERS: &[(&str, &[&str])] = &[
    (
        "vocabulary",
        &["diag", "golang", "object", "yaml", "tree", "api"],
    ),
    (
        "core",
        &[
            "expr",
            "merge",
            "schema",
            "gotemplate",
            "sprig",
            "kustomize",
            "helm",
            "component",
            "render",
            "health",
            "plan",
            "control",
            "apimachine",
            "workloads",
        ],
    ),
    (
        "shell",
        &[
            "git",
            "source",
            "handover",
            "cluster",
            "apiserver",
            "runtime",
            "server",
        ],
    ),
    ("binary", &["fleetwright"]),
];

/// Arrows inside a layer: from a crate to the neighbors it may use.
const NEIGHBORS: &[(&str, &[&str])] = &[
    ("yaml", &["diag", "golang", "object"]),
    ("golang", &[]),
    ("object", &[]),
    ("tree", &["diag", "golang", "object"]),
    ("api", &["diag", "golang", "object", "yaml"]),
    ("schema", &["expr", "merge"]),
    ("sprig", &["gotemplate"]),
    ("helm", &["gotemplate", "sprig"]),
    ("component", &["expr", "schema"]),
    ("render", &["helm", "kustomize"]),
    ("health", &["expr"]),
    ("plan", &["merge"]),
    (
        "control",
        &["component", "expr", "health", "plan", "render"],
    ),
    ("apimachine", &["expr", "merge", "schema"]),
    ("workloads", &["apimachine", "schema"]),
    ("source", &["git"]),
    ("handover", &[]),
    ("cluster", &["handover"]),
    ("apiserver", &["handover"]),
    ("runtime", &["cluster", "source", "git"]),
    ("server", &["runtime"]),
];

/// Libraries that the vocabulary and the core must not use: they would bring a clock, a network or
/// a Kubernetes client into functions from values to values.
const SHELL_ONLY: &[&str] = &["tokio", "kube", "reqwest", "hyper", "axum", "gix", "redb"];

/// Crates that only tests use.
const DEVELOPMENT: &[&str] = &["testkit", "xtask"];

/// Text that may not stand in any file: paths and names of one machine.
const FOREIGN: &[&str] = &["/work/", "/root/", "/home/"];

/// Runs every check and reports all that fails.
pub fn run() -> Result<()> {
    let mut problems = Vec::new();
    arrows(&mut problems)?;
    let files = tracked()?;
    modules(&files, &mut problems);
    links(&files, &mut problems);
    foreign(&files, &mut problems);
    if problems.is_empty() {
        return Ok(());
    }
    for problem in &problems {
        eprintln!("tidy: {problem}");
    }
    bail!("{} things are not tidy", problems.len())
}

fn arrows(problems: &mut Vec<String>) -> Result<()> {
    let output = Command::new("cargo")
        .current_dir(root())
        .args(["metadata", "--format-version=1", "--no-deps"])
        .output()
        .context("cargo metadata")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let layer_of: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(at, (_, crates))| crates.iter().map(move |name| (*name, at)))
        .collect();
    let neighbors: BTreeMap<&str, &[&str]> = NEIGHBORS.iter().copied().collect();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        if DEVELOPMENT.contains(&name) {
            continue;
        }
        let Some(&layer) = layer_of.get(name) else {
            problems.push(format!("crate {name} is in no layer of xtask/src/tidy.rs"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let uses = dependency["name"].as_str().unwrap_or_default();
            let normal = dependency["kind"].is_null();
            if layer < 2 && normal && SHELL_ONLY.contains(&uses) {
                problems.push(format!("crate {name} is pure and must not use {uses}"));
            }
            if DEVELOPMENT.contains(&uses) && normal {
                problems.push(format!("crate {name} uses {uses} outside its tests"));
            }
            let Some(&above) = layer_of.get(uses) else {
                continue;
            };
            let allowed = above < layer
                || neighbors.get(name).is_some_and(|list| list.contains(&uses))
                || (!normal && above <= layer);
            if !allowed {
                problems.push(format!(
                    "crate {name} must not use {uses}: the arrow points the wrong way"
                ));
            }
        }
    }
    Ok(())
}

/// Files that Git tracks, from the root.
fn tracked() -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "-z"])
        .output()
        .context("git ls-files")?;
    let names = String::from_utf8(output.stdout)?;
    Ok(names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        .filter(|name| root().join(name).is_file())
        .collect())
}

fn modules(files: &[PathBuf], problems: &mut Vec<String>) {
    for file in with_extension(files, "rs") {
        let text = read(file);
        if !text.starts_with("//!") {
            problems.push(format!("{} does not start with `//!`", file.display()));
        }
    }
}

fn links(files: &[PathBuf], problems: &mut Vec<String>) {
    for file in with_extension(files, "md") {
        let folder = file.parent().unwrap_or(Path::new(""));
        for target in read(file).split("](").skip(1) {
            let target = target.split(')').next().unwrap_or_default();
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            if !root().join(folder).join(path).exists() {
                problems.push(format!("{}: link to {path} leads nowhere", file.display()));
            }
        }
    }
}

fn foreign(files: &[PathBuf], problems: &mut Vec<String>) {
    for file in files {
        if file.ends_with("tidy.rs") || file.ends_with("Cargo.lock") {
            continue;
        }
        let text = read(file);
        for word in FOREIGN.iter().filter(|word| text.contains(**word)) {
            problems.push(format!(
                "{} names a path of one machine: {word}",
                file.display()
            ));
        }
    }
}

fn with_extension<'a>(
    files: &'a [PathBuf],
    extension: &'a str,
) -> impl Iterator<Item = &'a PathBuf> {
    files
        .iter()
        .filter(move |file| file.extension().is_some_and(|found| found == extension))
}

fn read(file: &Path) -> String {
    let bytes = fs::read(root().join(file)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
