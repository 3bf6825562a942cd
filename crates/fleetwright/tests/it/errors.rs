//! The pages of `fleetwright explain`: one for each name a person can meet.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::{fleetwright, output, run};

const PAGES: &str = include_str!("../../../../docs/errors.md");

/// What stands before a code or a condition's reason in the sources; the names are the string
/// literals up to the parenthesis that closes it.
const OPENERS: &[&str] = &[
    "Code(",
    "Reason(",
    "Event::error(",
    "blocked(",
    "self.fail(",
    " failed(",
];

/// What stands right before a single name.
const FIELDS: &[&str] = &["reason: \""];

/// Sources in which reasons that Flux's users look up are made; other crates use the same words
/// for what Kubernetes itself says.
const REASONS_OF: &[&str] = &["control", "runtime"];

#[test]
fn every_code_and_reason_has_a_page() {
    let mut used: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        for name in names(&text, makes_reasons(&file)) {
            used.entry(name).or_insert_with(|| file.clone());
        }
    }
    assert!(used.len() > 100, "found only {} names", used.len());
    for known in ["PatchTargetNotFound", "StorageFull", "DeletionHeld"] {
        assert!(used.contains_key(known), "{known} was not found");
    }
    let pages: BTreeSet<String> = pages().map(|(name, _)| name.to_lowercase()).collect();
    let missing: Vec<String> = used
        .iter()
        .filter(|(name, _)| !pages.contains(&name.to_lowercase()))
        .map(|(name, file)| format!("{name}, from {}", file.display()))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/errors.md has no page for:\n{}",
        missing.join("\n")
    );
}

#[test]
fn every_page_is_about_a_name_that_exists() {
    let mut all = String::new();
    for file in sources() {
        all.push_str(&fs::read_to_string(&file).unwrap());
    }
    for (name, _) in pages() {
        assert!(
            all.contains(&format!("\"{name}\"")),
            "nothing uses {name} any more"
        );
    }
}

#[test]
fn pages_are_in_order_and_say_cause_and_fix() {
    let names: Vec<&str> = pages().map(|(name, _)| name).collect();
    assert!(names.is_sorted(), "pages stand in the order of their names");
    for (name, text) in pages() {
        let parts: Vec<&str> = ["**Cause.** ", "**Fix.** ", "**Example.**\n```"]
            .into_iter()
            .filter(|part| text.contains(part))
            .collect();
        assert!(parts.len() >= 2, "{name} has only {parts:?}");
        let fences = text.matches("\n```").count();
        assert_eq!(fences % 2, 0, "{name} has an open example");
        assert_eq!(text.contains("**Example.**"), fences > 0, "{name}");
    }
}

#[test]
fn explain_prints_a_page_whatever_the_case() {
    let home = TempDir::new().unwrap();
    let printed = run(fleetwright(home.path()).args(["explain", "deletionheld"]));
    let (_, page) = pages().find(|(name, _)| *name == "DeletionHeld").unwrap();
    assert_eq!(printed, format!("DeletionHeld\n\n{}\n", page.trim()));
    let listed = run(fleetwright(home.path()).args(["explain"]));
    assert_eq!(listed.lines().count(), pages().count());
}

#[test]
fn every_command_of_an_example_is_understood() {
    let home = TempDir::new().unwrap();
    let commands: BTreeSet<&str> = PAGES
        .lines()
        .filter_map(|line| line.strip_prefix("$ fleetwright "))
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .collect();
    assert!(commands.len() > 5);
    for command in commands {
        // Asking for help ends the command before it does anything, but not before its other
        // arguments were read.
        let words = command.split_whitespace().chain(["--help"]);
        let output = output(fleetwright(home.path()).args(words));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "fleetwright {command}: {told}");
    }
}

fn pages() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGES
        .split("\n## ")
        .skip(1)
        .map(|page| page.split_once('\n').expect("a page is more than a name"))
}

/// Every Rust file below `src` of every crate.
fn sources() -> Vec<PathBuf> {
    let crates = Path::new("..");
    let mut open: Vec<PathBuf> = entries(crates).map(|one| one.join("src")).collect();
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(entries(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
}

fn makes_reasons(file: &Path) -> bool {
    REASONS_OF.iter().any(|name| {
        file.components()
            .any(|part| part.as_os_str() == std::ffi::OsStr::new(name))
    })
}

/// The names a source makes codes and reasons of.
fn names(text: &str, with_events: bool) -> BTreeSet<String> {
    let openers = match with_events {
        true => OPENERS,
        false => &OPENERS[..2],
    };
    let fields = match with_events {
        true => FIELDS,
        false => &[],
    };
    let mut found = BTreeSet::new();
    for opener in openers {
        for (at, _) in text.match_indices(opener) {
            let literals = literals(&text[at + opener.len()..]);
            found.extend(literals.into_iter().filter(|word| is_name(word)));
        }
    }
    for field in fields {
        for (at, _) in text.match_indices(field) {
            let word = text[at + field.len()..].split('"').next();
            found.extend(word.filter(|word| is_name(word)).map(str::to_owned));
        }
    }
    found
}

/// The string literals up to the parenthesis that closes what is open before `text`.
fn literals(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 1;
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            '"' => {
                let mut word = String::new();
                while let Some(letter) = rest.next().filter(|letter| *letter != '"') {
                    if letter == '\\' {
                        rest.next();
                    }
                    word.push(letter);
                }
                found.push(word);
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// Whether a text is a name in camel case rather than a sentence.
fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_uppercase())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric())
        && text.chars().any(|letter| letter.is_ascii_lowercase())
}
