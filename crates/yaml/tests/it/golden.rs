//! Cases in files, with what the Go libraries make of them.
//!
//! A file begins with what it is about. Every case has a title behind `===`, its text, and the
//! answers behind `---`: the text written again, the value as JSON, the value as `Marshal` prints it
//! and as kustomize does, or the error instead. `␍` stands for a carriage return, `⇥` for a tab, `␣`
//! for a blank at the end of a line, and `∎` for a missing final line feed.
//!
//! `FLEETWRIGHT_GOLDEN=update` writes the answers of the reference program, never ours.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use yaml::{Duplicates, EmitOptions, Limits, ResolveOptions, Tags};

use crate::reference::{ask, has_large};

const ANSWERS: [(&str, &str, &str); 4] = [
    ("round trip", "roundTrip", "roundTripError"),
    ("value", "json", "jsonError"),
    ("printed", "yaml", "jsonError"),
    ("kustomize", "canonical", "canonicalError"),
];

struct Case {
    title: String,
    input: String,
    answers: Vec<(String, String)>,
}

fn folder() -> PathBuf {
    Path::new("tests/golden").to_owned()
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .expect("the folder exists")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

fn unescape(lines: &[&str]) -> String {
    let mut text = lines.join("\n");
    text.push('\n');
    if let Some(cut) = text.strip_suffix("∎\n") {
        text = cut.into();
    }
    text.replace('␍', "\r").replace('⇥', "\t").replace('␣', " ")
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, "∎\n"),
        };
        let line = line.replace('\r', "␍").replace('\t', "⇥");
        let trimmed = line.trim_end_matches(' ');
        let blanks = "␣".repeat(line.len() - trimmed.len());
        write!(out, "{trimmed}{blanks}{end}").expect("a String takes every write");
    }
    if text.is_empty() {
        out.push_str("∎\n");
    }
    out
}

fn answer_name(line: &str) -> Option<&str> {
    let name = line.strip_prefix("--- ")?;
    ANSWERS
        .iter()
        .any(|answer| answer.0 == name)
        .then_some(name)
}

fn read(path: &Path) -> (String, Vec<Case>) {
    let text = std::fs::read_to_string(path).expect("a golden file is readable");
    let mut parts = text.split("=== ");
    let intro = parts.next().unwrap_or_default().to_owned();
    let cases = parts
        .map(|part| {
            let lines: Vec<&str> = part.lines().collect();
            let mut case = Case {
                title: lines[0].into(),
                input: String::new(),
                answers: Vec::new(),
            };
            let mut from = 1;
            let mut name: Option<&str> = None;
            for at in 1..=lines.len() {
                let next = lines.get(at).map(|line| answer_name(line));
                if let Some(None) = next {
                    continue;
                }
                let text = unescape(&lines[from..at]);
                match name {
                    None => case.input = text,
                    Some(name) => case.answers.push((name.into(), text)),
                }
                name = next.flatten();
                from = at + 1;
            }
            case
        })
        .collect();
    (intro, cases)
}

/// Our answers in the order of [`ANSWERS`].
fn ours(input: &str) -> [Option<Result<String, String>>; 4] {
    let limits = Limits::default();
    let options = ResolveOptions {
        duplicates: Duplicates::LastWins,
        tags: Tags::Ignore,
        ..ResolveOptions::default()
    };
    let round_trip = yaml::parse_sources(input, &limits)
        .map(|sources| yaml::emit_sources(&sources, &EmitOptions::default()))
        .map_err(|error| error.go_message());
    let value = yaml::load_first(input, &options).map_err(|error| error.sigs_message());
    let json = value.clone().map(|mut node| {
        node.sort_keys();
        object::json::to_string(&node)
    });
    // A value has no integers above 63 bits; what kustomize prints does.
    let printed = match &value {
        Ok(node) if has_large(node) => None,
        Ok(node) => Some(Ok(yaml::to_string(node))),
        Err(error) => Some(Err(error.clone())),
    };
    let canonical = match yaml::parse_first(input, &limits) {
        Ok(Some(root)) => yaml::to_canonical_string(&root, &limits),
        Ok(None) => Ok(String::new()),
        Err(error) => Err(error),
    };
    let canonical = canonical.map_err(|error| error.go_message());
    [Some(round_trip), Some(json), printed, Some(canonical)]
}

#[test]
fn golden_cases_read_and_write_as_recorded() {
    if std::env::var("FLEETWRIGHT_GOLDEN").is_ok_and(|value| value == "update") {
        update();
    }
    let mut count = 0;
    for path in files() {
        let (_, cases) = read(&path);
        for case in cases {
            let answers = ours(&case.input);
            for ((name, ..), answer) in ANSWERS.iter().zip(answers) {
                let recorded = case.answers.iter().find(|(known, _)| known == name);
                let recorded = recorded.map(|(_, text)| text.as_str());
                let Some(answer) = answer else { continue };
                let text = match answer {
                    // The Go libraries print types and pointers into errors about keys.
                    Err(message) if message.contains("cannot be a key") => continue,
                    Err(message) => format!("error: {message}\n"),
                    Ok(text) if *name == "value" => format!("{text}\n"),
                    Ok(text) => text,
                };
                let file = path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned());
                let title = &case.title;
                if let Some(recorded) = recorded {
                    assert_eq!(text, recorded, "{file:?}: {title}: {name}");
                }
                count += 1;
            }
        }
    }
    assert!(count > 300, "only {count} answers were compared");
}

fn update() {
    let tool = testkit::reference_tool("yaml-reference").expect("updating needs the reference");
    for path in files() {
        let (intro, cases) = read(&path);
        let inputs: Vec<String> = cases.iter().map(|case| case.input.clone()).collect();
        let mut out = intro;
        for (case, answer) in cases.iter().zip(ask(&tool, &inputs)) {
            write!(out, "=== {}\n{}", case.title, escape(&case.input))
                .expect("a String takes every write");
            for (name, value, error) in ANSWERS {
                let text = match answer[error].as_str() {
                    Some(message) => format!("error: {message}\n"),
                    None if name == "value" => {
                        let json = answer[value].as_str().unwrap_or_default();
                        let node =
                            object::json::parse(json.as_bytes(), object::json::ANSWER_LIMITS);
                        let node = node.expect("Go writes JSON");
                        format!("{}\n", object::json::to_string(&node))
                    }
                    None => answer[value].as_str().unwrap_or_default().into(),
                };
                write!(out, "--- {name}\n{}", escape(&text)).expect("a String takes every write");
            }
        }
        std::fs::write(&path, out).expect("a golden file is writable");
    }
}
