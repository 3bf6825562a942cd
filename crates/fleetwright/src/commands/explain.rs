//! `explain`: cause, fix and example of an error code, offline.

use super::Outcome;
use crate::exit::{Exit, Failure};
use crate::output::print;

/// The pages, one per code; the same text the documentation has.
const PAGES: &str = include_str!("../../../../docs/errors.md");

/// Explains a code, or lists the codes.
pub fn run(code: Option<&str>) -> Outcome {
    let Some(code) = code else {
        let names: String = pages().map(|(name, _)| format!("{name}\n")).collect();
        print(&names);
        return Ok(Exit::Done);
    };
    let page = pages().find(|(name, _)| name.eq_ignore_ascii_case(code));
    match page {
        Some((name, text)) => {
            print(&format!("{name}\n\n{}\n", text.trim()));
            Ok(Exit::Done)
        }
        None => {
            let message =
                format!("there is no error code `{code}`; `fleetwright explain` lists them");
            Err(Failure::plain(Exit::Usage, message))
        }
    }
}

/// Name and text of each page.
fn pages() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGES
        .split("\n## ")
        .skip(1)
        .filter_map(|page| page.split_once('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_says_cause_and_fix() {
        for (name, text) in pages() {
            assert!(text.contains("**Cause.**"), "{name} says no cause");
            assert!(text.contains("**Fix.**"), "{name} says no fix");
        }
    }
}
