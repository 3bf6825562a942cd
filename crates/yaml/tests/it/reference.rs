//! Talks to the Go program in `tests/reference` and compares its answers with ours.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use yaml::{Duplicates, EmitOptions, Limits, ResolveOptions, Tags, YamlError};

/// One thing that came out differently.
pub struct Difference {
    /// What was done.
    pub what: &'static str,
    /// The text that it was done to.
    pub input: String,
    pub go: String,
    pub ours: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            what,
            input,
            go,
            ours,
        } = self;
        write!(
            f,
            "=== {what}\n--- input {input:?}\n{input}\n--- go {go:?}\n{go}\n--- ours {ours:?}\n{ours}\n"
        )
    }
}

/// Whether the order of printed keys counts.
///
/// go-yaml's order has circles (`0x` before `1e` before `08` before `0x`), and then Go prints keys
/// as luck has it; with generated keys that happens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Counts,
    Ignored,
}

fn sorted_lines(text: &str) -> Vec<&str> {
    // The first entry of an item or key stands behind `- ` or `? `.
    let mut lines: Vec<&str> = text
        .lines()
        .map(|line| line.trim_start_matches([' ', '-', '?', ':']))
        .collect();
    lines.sort_unstable();
    lines
}

/// Gives all texts to the program and returns its answers.
pub fn ask(tool: &Path, texts: &[String]) -> Vec<Value> {
    let mut child = Command::new(tool)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the reference program starts");
    let mut stdin = child.stdin.take().expect("it was piped");
    let mut frames = Vec::new();
    for text in texts {
        frames.extend_from_slice(format!("{}\n{text}", text.len()).as_bytes());
    }
    let writer = std::thread::spawn(move || stdin.write_all(&frames));
    let mut answers = String::new();
    child
        .stdout
        .take()
        .expect("it was piped")
        .read_to_string(&mut answers)
        .expect("answers are UTF-8");
    writer
        .join()
        .expect("the writer does not panic")
        .expect("the program reads everything");
    assert!(child.wait().expect("it ends").success());
    let answers: Vec<Value> = answers
        .lines()
        .map(|line| serde_json::from_str(line).expect("an answer is JSON"))
        .collect();
    assert_eq!(answers.len(), texts.len());
    answers
}

/// Gives all texts to the program and returns every difference.
pub fn compare(tool: &Path, texts: &[String], order: Order) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (text, answer) in texts.iter().zip(ask(tool, texts)) {
        compare_one(text, &answer, order, &mut differences);
    }
    differences
}

/// What came out: a text or an error's message.
type Outcome = Result<String, String>;

fn compare_one(text: &str, answer: &Value, order: Order, differences: &mut Vec<Difference>) {
    let limits = Limits {
        documents_max: 100_000,
        ..Limits::default()
    };
    let go = |value: &str, error: &str| -> Outcome {
        match answer[error].as_str() {
            Some(message) => Err(message.into()),
            None => Ok(answer[value].as_str().unwrap_or_default().into()),
        }
    };
    let mut check = |what, go: Outcome, ours: Outcome| {
        if let (Ok(go), Ok(ours)) = (&go, &ours)
            && order == Order::Ignored
            && matches!(what, "marshal" | "canonical")
            && sorted_lines(go) == sorted_lines(ours)
        {
            return;
        }
        if go != ours {
            let show = |outcome: Outcome| outcome.unwrap_or_else(|error| format!("ERROR {error}"));
            differences.push(Difference {
                what,
                input: text.into(),
                go: show(go),
                ours: show(ours),
            });
        }
    };

    let parsed = yaml::parse_sources(text, &limits);
    if matches!(&parsed, Err(error) if is_limit(error)) {
        return;
    }
    // Characters are checked before anything else is, so another error may come first in Go.
    if matches!(&parsed, Err(YamlError::Encoding { .. })) {
        assert!(answer["roundTripError"].is_string(), "{text:?}");
        return;
    }
    let round_trip = |options: &EmitOptions| match &parsed {
        Ok(sources) => Ok(yaml::emit_sources(sources, options)),
        Err(error) => Err(error.go_message()),
    };
    let go_round_trip = go("roundTrip", "roundTripError");
    check(
        "round trip",
        go_round_trip.clone(),
        round_trip(&EmitOptions::default()),
    );
    if go_round_trip.is_ok() {
        let wide = EmitOptions {
            indent: 4,
            compact_sequences: false,
        };
        check("wide", go("wide", "no error"), round_trip(&wide));
    }

    let go_json = go("json", "jsonError").map(|json| {
        object::json::parse(json.as_bytes(), object::json::ANSWER_LIMITS).expect("Go writes JSON")
    });
    let lenient = ResolveOptions {
        duplicates: Duplicates::LastWins,
        tags: Tags::Ignore,
        ..ResolveOptions::default()
    };
    // Go's Unmarshal functions read one document.
    let first = yaml::parse_first(text, &limits);
    let root = match &first {
        Ok(root) => Ok(root.as_ref()),
        Err(error) => Err(error),
    };
    let value = yaml::load_first(text, &lenient);
    if matches!(&value, Err(error) if is_limit(error)) {
        return;
    }
    match (go_json, value) {
        (Ok(go_value), Ok(ours)) => {
            check(
                "value",
                Ok(object::json::to_string(&sorted(&go_value))),
                Ok(object::json::to_string(&sorted(&ours))),
            );
            // A value has no integers above 63 bits; the canonical text below does.
            if !has_large(&go_value) {
                check(
                    "marshal",
                    go("yaml", "no error"),
                    Ok(yaml::to_string(&ours)),
                );
            }
        }
        (go, ours) => {
            let show = |outcome: Result<object::Node, String>| {
                outcome.map(|node| object::json::to_string(&node))
            };
            let go = show(go.map_err(|message| key_error(&message)));
            let ours = show(ours.map_err(|error| key_error(&error.sigs_message())));
            if !different_first_errors(&go, &ours) {
                check("value", go, ours);
            }
        }
    }

    let canonical = match root {
        Err(error) => Err(error.go_message()),
        Ok(None) => Ok(String::new()),
        Ok(Some(root)) => {
            yaml::to_canonical_string(root, &limits).map_err(|error| error.go_message())
        }
    };
    let go_canonical = go("canonical", "canonicalError").map_err(|message| key_error(&message));
    let canonical = canonical.map_err(|message| key_error(&message));
    if !different_first_errors(&go_canonical, &canonical) {
        check("canonical", go_canonical, canonical);
    }
}

/// Whether both sides fail, and one of them because of a key: of several errors Go gives the one
/// its map, which has no order, happens to meet first.
fn different_first_errors(go: &Outcome, ours: &Outcome) -> bool {
    let about_keys = |outcome: &Outcome| *outcome == Err("bad key".into());
    go.is_err() && ours.is_err() && (about_keys(go) || about_keys(ours))
}

/// Errors about keys print Go values; that there is one is enough.
fn key_error(message: &str) -> String {
    let about_keys = message.contains("map key")
        || message.contains("unsupported type: map[")
        || message.contains("!!map into string")
        || message.contains("!!seq into string")
        || message.contains("unhashable type")
        || message.contains("unsupported value:")
        || message.contains("cannot be a key");
    if about_keys { "bad key" } else { message }.into()
}

/// Whether there is a whole number beyond 63 bits, which a value holds as a float.
pub fn has_large(node: &object::Node) -> bool {
    match node {
        object::Node::Float(value) => value.fract() == 0.0 && value.abs() >= 9e18,
        object::Node::List(items) => items.iter().any(has_large),
        object::Node::Map(map) => map.values().any(has_large),
        _ => false,
    }
}

fn sorted(node: &object::Node) -> object::Node {
    let mut node = node.clone();
    node.sort_keys();
    node
}

fn is_limit(error: &YamlError) -> bool {
    matches!(
        error,
        YamlError::Depth { .. }
            | YamlError::AliasLimit { .. }
            | YamlError::FileSize { .. }
            | YamlError::ScalarSize { .. }
            | YamlError::Documents { .. }
    )
}

/// Fails with the first differences.
pub fn assert_none(differences: &[Difference], texts: usize) {
    let mut report = String::new();
    for difference in differences.iter().take(8) {
        report.push_str(&difference.to_string());
    }
    let mut kinds = std::collections::BTreeMap::new();
    for difference in differences {
        *kinds.entry(difference.what).or_insert(0) += 1;
    }
    if let Some(path) = std::env::var_os("FLEETWRIGHT_REPORT") {
        let all: String = differences.iter().map(ToString::to_string).collect();
        std::fs::write(path, all).expect("the report can be written");
    }
    assert!(
        differences.is_empty(),
        "{} differences in {texts} texts {kinds:?}\n{report}",
        differences.len()
    );
}
