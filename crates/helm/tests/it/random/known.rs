//! Charts that are known to differ, told by what the two make of them.

use super::chart::Case;
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

/// What our output shows.
const OUR_MARKS: &[&str] = &[
    // A number is what a time inside a map or list is made of, an address among it.
    "(time.Time=",
    // Verbs other than `%v` show a pointer inside a map or list as a number, its address.
    ":&{",
    "[&{",
    " &{",
];

/// Words of refusals, ours and the tool's.
const WORDS: &[(&str, &str)] = &[
    // The tool shows the whole key as Go writes it.
    ("cannot be a key", "invalid map key"),
    // The tool reads a text piece by piece, and finds a mistake before what is behind it.
    ("yaml: control characters are not allowed", "yaml: "),
];

/// Whether a difference is a known one.
pub fn is_known(difference: Difference, _: &Case, ours: &Verdict, theirs: &Verdict) -> bool {
    let (ours, theirs) = match (difference, ours, theirs) {
        (Difference::Output, Verdict::Rendered(ours), Verdict::Rendered(theirs)) => (ours, theirs),
        (Difference::Wording, Verdict::Refused(ours), Verdict::Refused(theirs)) => {
            return WORDS
                .iter()
                .any(|(one, other)| ours.contains(one) && theirs.contains(other));
        }
        _ => return false,
    };
    MARKS.iter().any(|mark| theirs.contains(mark))
        || OUR_MARKS.iter().any(|mark| ours.contains(mark))
        || ends_in_address(theirs)
}

/// Whether a structure is shown whose last field is a pointer, as that of a time is: its zone.
fn ends_in_address(text: &str) -> bool {
    /// Addresses have more digits than what charts write.
    const DIGITS_MIN: usize = 6;
    text.match_indices(" 0x").any(|(at, mark)| {
        let address = &text[at + mark.len()..];
        let digits = address.bytes().take_while(u8::is_ascii_hexdigit).count();
        digits >= DIGITS_MIN && address[digits..].starts_with('}')
    })
}
