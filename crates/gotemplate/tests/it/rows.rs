//! The table of `rows.txt`.

use gotemplate::{Limits, MissingKey};

use crate::fixture::run;

fn unescape(text: &str) -> String {
    text.replace('⏎', "\n")
        .replace('⇥', "\t")
        .replace('␍', "\r")
}

fn escape(text: &str) -> String {
    text.replace('\n', "⏎")
        .replace('\t', "⇥")
        .replace('\r', "␍")
}

#[test]
fn outputs_and_errors_are_those_of_go() {
    let mut missing_key = MissingKey::Default;
    let mut wrong = Vec::new();
    let mut lines = include_str!("rows.txt").lines();
    let mut count = 0;
    while let Some(line) = lines.next() {
        if let Some(option) = line.strip_prefix("missingkey=") {
            missing_key = match option {
                "zero" => MissingKey::Zero,
                "error" => MissingKey::Error,
                _ => MissingKey::Default,
            };
        }
        let Some(template) = line.strip_prefix("> ") else {
            continue;
        };
        count += 1;
        let expected = lines.next().unwrap_or_default();
        let got = match run(
            unescape(template).as_bytes(),
            missing_key,
            Limits::default(),
        ) {
            Ok(out) => format!("= {}", String::from_utf8_lossy(&out)),
            Err(error) => format!("! {error}"),
        };
        let got = escape(&got);
        if got != expected {
            wrong.push(format!("> {template}\n  {expected}\nnot {got}\n"));
        }
    }
    assert!(count > 400, "only {count} rows were found");
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
