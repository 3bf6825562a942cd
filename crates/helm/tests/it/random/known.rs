//! Charts that are known to differ, told by what the two make of them.

use super::check::{Difference, Verdict};
use crate::addresses::equal_but_addresses;

/// Words of refusals, ours and the tool's.
const WORDS: &[(&str, &str)] = &[
    // The tool reads a text piece by piece, and finds a mistake before what is behind it.
    ("yaml: control characters are not allowed", "yaml: "),
];

/// Whether a difference is a known one.
pub fn is_known(difference: Difference, ours: &Verdict, theirs: &Verdict) -> bool {
    match (difference, ours, theirs) {
        (Difference::Output, Verdict::Rendered(ours), Verdict::Rendered(theirs)) => {
            equal_but_addresses(ours, theirs)
        }
        (Difference::Wording, Verdict::Refused(ours), Verdict::Refused(theirs)) => {
            let is_pair =
                |(one, other): &(&str, &str)| ours.contains(one) && theirs.contains(other);
            WORDS.iter().any(is_pair) || equal_but_addresses(ours, theirs)
        }
        _ => false,
    }
}

/// Whether the two differ only on lines on which the tool differs from itself when it renders again:
/// there is a digest of a text with an address in it.
pub fn is_unsteady(ours: &Verdict, theirs: &Verdict, again: &Verdict) -> bool {
    let (Verdict::Rendered(ours), Verdict::Rendered(theirs), Verdict::Rendered(again)) =
        (ours, theirs, again)
    else {
        return false;
    };
    let lines = |text: &str| text.lines().count();
    lines(theirs) == lines(again)
        && lines(theirs) == lines(ours)
        && theirs != again
        && ours
            .lines()
            .zip(theirs.lines().zip(again.lines()))
            .all(|(ours, (theirs, again))| theirs != again || equal_but_addresses(ours, theirs))
}
