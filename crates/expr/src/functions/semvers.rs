//! Versions: `semver("1.2.3")`.
//!
//! # Source
//! kubernetes/apiserver `pkg/cel/library/semverlib.go`.

use std::sync::Arc;

use semver::Version;

use super::{Function, Outcome, global, member, text};
use crate::cost::Cost;
use crate::{EvalErrorKind, Shape, Value};

const SEMVER: &[&str] = &["kubernetes.Semver"];

pub(super) static FUNCTIONS: &[Function] = &[
    global(
        "semver",
        (1, 2),
        Cost::Traverse,
        Shape::Named("kubernetes.Semver"),
        |a| {
            parse(a)?
                .map(|version| Value::Semver(Arc::new(version)))
                .map_err(|message| message.into())
        },
    ),
    global("isSemver", (1, 2), Cost::Traverse, Shape::Bool, |a| {
        Ok(Value::Bool(parse(a)?.is_ok()))
    }),
    member("major", (1, 1), SEMVER, Cost::One, Shape::Int, |a| {
        part(a, |v| v.major)
    }),
    member("minor", (1, 1), SEMVER, Cost::One, Shape::Int, |a| {
        part(a, |v| v.minor)
    }),
    member("patch", (1, 1), SEMVER, Cost::One, Shape::Int, |a| {
        part(a, |v| v.patch)
    }),
];

fn part(a: &[Value], of: fn(&Version) -> u64) -> Outcome {
    match &a[0] {
        Value::Semver(version) => Ok(Value::Int(i64::try_from(of(version)).unwrap_or(i64::MAX))),
        _ => super::no_overload(),
    }
}

/// The outer error is a wrong argument, the inner one a text that is no version.
fn parse(a: &[Value]) -> Result<Result<Version, String>, EvalErrorKind> {
    let written = text(&a[0])?;
    let lenient = match a.get(1) {
        None => false,
        Some(Value::Bool(lenient)) => *lenient,
        Some(_) => return Err(EvalErrorKind::NoSuchOverload),
    };
    let normal = if lenient {
        normalise(written)
    } else {
        written.to_owned()
    };
    Ok(Version::parse(&normal).map_err(|_| message(&normal)))
}

fn message(text: &str) -> String {
    match text {
        "" => "Version string empty".into(),
        text if text
            .split(['-', '+'])
            .next()
            .unwrap_or("")
            .split('.')
            .count()
            < 3 =>
        {
            "No Major.Minor.Patch elements found".into()
        }
        text => format!("Invalid character(s) found in version {text:?}"),
    }
}

/// Drops `v` and leading zeros and adds missing minor and patch.
fn normalise(text: &str) -> String {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let mut parts: Vec<&str> = core
        .split('.')
        .map(|part| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0",
            trimmed => trimmed,
        })
        .collect();
    while parts.len() < 3 {
        parts.push("0");
    }
    format!("{}{rest}", parts.join("."))
}
