//! Calls and what they give, row by row.
//!
//! `calls.tsv` was recorded with sprig v3.3.0, built with Go 1.26.8: a call, and the text that a template
//! prints for it, or `!` and the error behind `error calling NAME: `.

use golang::strconv;
use gotemplate::{CallError, Value, format};

use super::language::Session;

#[test]
fn every_call_gives_what_it_gives_in_go() {
    let mut wrong = Vec::new();
    for row in include_str!("calls.tsv").lines() {
        let Some((call, expected)) = row.split_once('\t') else {
            continue;
        };
        let found = match Session::new().run(call) {
            Ok(Value::Nil) => strconv::quote("<no value>"),
            Ok(value) => {
                let mut text = Vec::new();
                format::display(&value, &mut text).expect("short");
                strconv::quote_ascii(&text)
            }
            Err(CallError::Failed(text)) => {
                format!("! {}", strconv::quote_ascii(text.as_bytes()))
            }
            Err(error) => error.to_string(),
        };
        if found != expected {
            wrong.push(format!("{call}\n    {found}\n    {expected} in Go"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} rows\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
