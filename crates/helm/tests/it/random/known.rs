//! Charts that are known to differ, told by what the two make of them.

use super::check::{Difference, Verdict};

/// What the tool's output shows.
const MARKS: &[&str] = &[
    // A pointer inside a map or list prints as its address.
    "Capabilities:0x",
    "Version)(0x",
    // Verbs that mean nothing for a version show what it is made of.
    "*semver.Version=",
    // Verbs that mean nothing for a time show what it is made of.
    "*time.Location=",
    // Whether a time is local or in UTC is one to us.
    "time.Date(",
    // Fields of structures are in the order of their keys.
    "  version: v1.37.0\\n  major:",
    // Two fields have other names in TOML than in JSON.
    "KubeClientVersion = ",
];

/// Whether a difference is a known one.
pub fn is_known(difference: Difference, _: &Verdict, theirs: &Verdict) -> bool {
    match theirs {
        Verdict::Rendered(text) => {
            difference == Difference::Output && MARKS.iter().any(|mark| text.contains(mark))
        }
        _ => false,
    }
}
