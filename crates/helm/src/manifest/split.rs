//! Documents of a rendered file.
//!
//! # Source
//! helm/helm `pkg/release/v1/util/manifest.go` of 4.3 and `pkg/releaseutil/manifest.go` of 3.22.

use std::sync::LazyLock;

use golang::Regexp;

use crate::options::Profile;

static SEPARATOR: LazyLock<Regexp> =
    LazyLock::new(|| Regexp::new(r"(?:^|\s*\n)---\s*").expect("the pattern is valid"));

/// The documents of `text` that are not blank. Helm 4 keeps white space at their ends.
pub(super) fn documents(text: &str, profile: Profile) -> Vec<&str> {
    let (parts, trim): (Vec<&str>, fn(&str) -> &str) = match profile {
        Profile::Helm4 => (at_lines(text.trim_start()), str::trim_start),
        Profile::Helm3 => {
            let text = text.trim();
            (SEPARATOR.regex().split(text).collect(), str::trim)
        }
    };
    let parts = parts.into_iter().map(trim);
    parts.filter(|part| !part.is_empty()).collect()
}

/// The parts between lines that begin with `---`; what follows the mark in its line belongs to the
/// part after it.
fn at_lines(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix("---") {
            parts.push(&text[start..at]);
            let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            start = at + 3 + blank;
        }
        at += line.len();
    }
    parts.push(&text[start..]);
    parts
}
