//! The order of functions in the program.
//!
//! What a build uses is a twentieth of the program and lies all over it, and the system maps sixteen
//! pages around each function that is called. `crates/fleetwright/functions.order` names these
//! functions, and the linker puts them side by side. Names that no longer exist are passed over, so
//! the list need not follow every change; it is worth renewing before a release and with a new
//! compiler, whose names differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use testkit::trees::Tree;

use crate::bench::{binary, helm};
use crate::{must, root};

const LIST: &str = "crates/fleetwright/functions.order";

/// Notes which functions builds call, and writes the list.
pub fn run() -> Result<()> {
    let binary = binary()?;
    let own = own_functions(&binary)?;
    let home = TempDir::new()?;
    let tree = home.path().join("tree");
    Tree::Small(20).write(&tree)?;
    let tree = tree.to_string_lossy().into_owned();
    let mut runs = vec![vec!["build".to_owned(), "kustomize".to_owned(), tree]];
    for row in helm::ROWS {
        let mut words: Vec<String> = ["build", "helm", "demo"].map(str::to_owned).into();
        words.push(row.place()?.to_string_lossy().into_owned());
        words.extend(row.arguments()?);
        runs.push(words);
    }
    let mut users: BTreeMap<String, usize> = BTreeMap::new();
    for words in &runs {
        eprintln!("{} …", words[..2].join(" "));
        for name in called(&binary, words, home.path())? {
            *users.entry(name).or_default() += 1;
        }
    }
    users.retain(|name, _| own.contains(name));
    let mut names: Vec<(String, usize)> = users.into_iter().collect();
    // What every build calls comes first.
    names.sort_by_key(|(_, users)| std::cmp::Reverse(*users));
    let list: String = names.iter().map(|(name, _)| format!("{name}\n")).collect();
    fs::write(root().join(LIST), list)?;
    eprintln!("{} functions in {LIST}", names.len());
    Ok(())
}

/// The functions that `binary` calls, by the names that linkers know.
fn called(binary: &Path, words: &[String], folder: &Path) -> Result<BTreeSet<String>> {
    let noted = folder.join("called");
    must(
        Command::new("valgrind")
            .args(["--quiet", "--tool=callgrind", "--demangle=no"])
            .arg(format!("--callgrind-out-file={}", noted.display()))
            .arg(binary)
            .args(words)
            .stdout(Stdio::null()),
    )?;
    // `fn=(7) name` and `cfn=(7) name`; a mark behind it tells depths of recursion apart.
    let text = fs::read_to_string(&noted)?;
    let lines = text.lines().filter_map(|line| line.split_once("fn=("));
    let names = lines.filter_map(|(_, rest)| Some(rest.split_once(") ")?.1));
    let names = names.map(|name| name.split('\'').next().unwrap_or(name).to_owned());
    Ok(names.collect())
}

fn own_functions(binary: &Path) -> Result<BTreeSet<String>> {
    let listed = Command::new("nm")
        .args(["--defined-only", "--format=posix"])
        .arg(binary)
        .output()
        .context("cannot start nm")?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let names = listed.lines().filter_map(|line| {
        let (name, rest) = line.split_once(' ')?;
        rest.starts_with(['t', 'T', 'w', 'W'])
            .then(|| name.to_owned())
    });
    let names: BTreeSet<String> = names.collect();
    ensure!(!names.is_empty(), "{} names no functions", binary.display());
    Ok(names)
}
