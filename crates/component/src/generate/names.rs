//! Names of releases: `<component>-<YYYYMMDD>-<number>`, and which of them is the newest.

use std::cmp::Ordering;

use golang::Timestamp;

/// Compares names so that numbers in them count as numbers: `-10` is behind `-9`, and a later day
/// behind an earlier one.
///
/// ```
/// use std::cmp::Ordering;
/// use component::generate::names::compare;
///
/// assert_eq!(compare("web-20260201-10", "web-20260201-9"), Ordering::Greater);
/// assert_eq!(compare("web-20260131-10", "web-20260201-9"), Ordering::Less);
/// assert_eq!(compare("web-20260201-9", "web-20260201-9"), Ordering::Equal);
/// ```
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (own, other) = (take(&mut left), take(&mut right));
        if own.is_empty() || other.is_empty() {
            // Equal numbers can be written in two ways, names cannot be equal in two ways.
            return own.len().cmp(&other.len()).then_with(|| a.cmp(b));
        }
        let order = match (number(own), number(other)) {
            (Some(own), Some(other)) => own.len().cmp(&other.len()).then_with(|| own.cmp(other)),
            _ => own.cmp(other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The newest of several names.
pub fn newest<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names.into_iter().max_by(|a, b| compare(a, b))
}

/// The name of the next release of `component` on the day of `now` (UTC): one more than the highest
/// number of that day among `taken`.
pub fn next<'a>(
    component: &str,
    now: Timestamp,
    taken: impl IntoIterator<Item = &'a str>,
) -> String {
    let (year, month, day, ..) = now.civil();
    let stem = format!("{component}-{year:04}{month:02}{day:02}-");
    let numbers = taken.into_iter().filter_map(|name| {
        let rest = name.strip_prefix(&stem)?;
        let digits = rest.bytes().all(|byte| byte.is_ascii_digit());
        rest.parse::<u64>().ok().filter(|_| digits)
    });
    let number = numbers.max().unwrap_or(0).saturating_add(1);
    format!("{stem}{number}")
}

/// Takes the digits in front, or what is before the next ones.
fn take<'a>(text: &mut &'a str) -> &'a str {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits);
    let (own, rest) = text.split_at(end.unwrap_or(text.len()));
    *text = rest;
    own
}

/// The digits of a number without zeros in front.
fn number(text: &str) -> Option<&str> {
    text.starts_with(|c: char| c.is_ascii_digit())
        .then(|| text.trim_start_matches('0'))
}
