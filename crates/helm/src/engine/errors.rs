//! Errors of templates in Helm's words.
//!
//! # Source
//! helm/helm `pkg/engine/engine.go`, `cleanupParseError` and `reformatExecErrorMsg`.

use gotemplate::{CallError, Cause, Error};

use crate::options::Profile;

/// Stand around the messages of `required` and `fail`, so that Helm can find them again.
const WARN_START: &str = "HELM_ERR_START";
const WARN_END: &str = "HELM_ERR_END";

/// The error of `required` and `fail`.
pub(super) fn warning(message: &str) -> CallError {
    CallError::Failed(format!("{WARN_START}{message}{WARN_END}"))
}

/// What Helm prints about a file that cannot be executed or parsed.
pub(super) fn text(error: &Error, profile: Profile) -> String {
    let text = error.to_string();
    match error {
        Error::Parse(_) => parse_text(&text),
        Error::NotFound { .. } | Error::Limit(_) => text,
        Error::Exec(_) => {
            let mut tokens = text.splitn(3, ": ");
            let (_, location, rest) = (tokens.next(), tokens.next(), tokens.next());
            let (Some(location), Some(rest)) = (location, rest) else {
                return text;
            };
            if let Some(message) = between(rest, WARN_START, WARN_END) {
                return format!("execution error at ({location}): {message}");
            }
            match profile {
                Profile::Helm4 => stanzas(error).unwrap_or(text),
                Profile::Helm3 => text,
            }
        }
    }
}

/// Only the last part of the message survives, as in the reference.
fn parse_text(text: &str) -> String {
    let location = text.split(": ").nth(1).unwrap_or_default();
    let message = text.rsplit(": ").next().unwrap_or_default();
    format!("parse error at ({location}): {message}")
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let from = text.find(start)? + start.len();
    let to = from + text[from..].rfind(end)?;
    Some(&text[from..to])
}

/// One level of an error: where, executing what, and what happened.
#[derive(PartialEq)]
struct Level {
    location: String,
    executing: String,
    message: String,
}

/// The levels of an error one below the other; `None` when one of them is no error of a template.
fn stanzas(error: &Error) -> Option<String> {
    let mut levels: Vec<Level> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let level = level(&error.to_string())?;
        if levels.last() != Some(&level) {
            levels.push(level);
        }
        next = None;
        if let Error::Exec(exec) = error
            && let Cause::Call { error: inner, .. } = &exec.cause
        {
            match inner {
                CallError::Template { before, error } if before.is_empty() => next = Some(error),
                CallError::Template { .. } | CallError::Limit(_) => return None,
                CallError::Failed(text) => {
                    let level = self::level(text)?;
                    if levels.last() != Some(&level) {
                        levels.push(level);
                    }
                }
            }
        }
    }
    let mut out = String::new();
    for level in levels {
        for (part, end) in [
            (level.location, "\n  "),
            (level.executing, "\n    "),
            (level.message, "\n"),
        ] {
            if !part.is_empty() {
                out.push_str(&part);
                out.push_str(end);
            }
        }
    }
    Some(out.trim().to_owned())
}

/// Takes the line that Go prints apart.
fn level(line: &str) -> Option<Level> {
    let rest = line.strip_prefix("template: ")?;
    if rest.starts_with("no template ") {
        return Some(Level {
            location: String::new(),
            executing: String::new(),
            message: line.to_owned(),
        });
    }
    let first = |message: &str| {
        let end = message.find(" template:").unwrap_or(message.len());
        message[..end].to_owned()
    };
    if let Some(level) = executing(rest, &first) {
        return Some(level);
    }
    let (location, message) = rest.rsplit_once(": ")?;
    Some(Level {
        location: location.to_owned(),
        executing: String::new(),
        message: first(message),
    })
}

fn executing(rest: &str, first: &dyn Fn(&str) -> String) -> Option<Level> {
    let (location, after) = rest.split_once(": executing ")?;
    let (function, after) = after.strip_prefix('"')?.split_once('"')?;
    let (context, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
    Some(Level {
        location: location.to_owned(),
        executing: format!("executing \"{function}\" at <{context}>:"),
        message: first(message),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_a_parse_error_is_what_is_told() {
        let text = "template: c/templates/a.yaml:3: unrecognized character in action: U+2603 '☃'";
        assert_eq!(
            parse_text(text),
            "parse error at (c/templates/a.yaml:3): U+2603 '☃'"
        );
    }

    #[test]
    fn a_line_of_go_comes_apart() {
        let line = "template: c/a.yaml:1:3: executing \"c/a.yaml\" at <include \"b\" .>: error calling include: template: c/b:1:2: x";
        let level = level(line).unwrap();
        assert_eq!(level.location, "c/a.yaml:1:3");
        assert_eq!(
            level.executing,
            "executing \"c/a.yaml\" at <include \"b\" .>:"
        );
        assert_eq!(level.message, "error calling include:");
    }
}
