//! Semantic versions and constraints as Helm and Flux understand them.
//!
//! # Source
//! Masterminds/semver v3.4 `version.go` and `constraints.go`.

mod constraints;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

pub use constraints::{ConstraintError, Constraints};

/// Longest version; longer ones name nothing real.
const VERSION_BYTES_MAX: usize = 256;

/// A version, read leniently: `v1`, `1.2` and `01.2.3` are versions, too.
///
/// Order and equality follow precedence: a prerelease comes before its release, metadata does not
/// count. `Display` is the strict form, `v1.2` prints as `1.2.0`.
#[derive(Clone, Debug)]
pub struct Version {
    /// First number.
    pub major: u64,
    /// Second number.
    pub minor: u64,
    /// Third number.
    pub patch: u64,
    /// Behind `-`; empty for a release.
    pub prerelease: String,
    /// Behind `+`; empty when there is none.
    pub metadata: String,
    /// As written.
    pub original: String,
}

/// Why a text is no version; the words of Masterminds' errors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Not of the form `1.2.3-pre+meta`.
    #[error("invalid semantic version")]
    Invalid,
    /// Empty, where the strict form is asked for.
    #[error("version string empty")]
    Empty,
    /// A number that is none, where the strict form is asked for.
    #[error("invalid characters in version")]
    Characters,
    /// `01`.
    #[error("version segment starts with 0")]
    LeadingZero,
    /// A prerelease with other characters than letters, digits, dots and `-`.
    #[error("invalid prerelease string")]
    Prerelease,
    /// Metadata with other characters than letters, digits, dots and `-`.
    #[error("invalid metadata string")]
    Metadata,
    /// A number above 64 bits.
    #[error(
        "error parsing version segment: strconv.ParseUint: parsing \"{0}\": value out of range"
    )]
    Range(String),
}

/// A version at the head of a text, cut apart; parts that are not there are empty.
///
/// By hand, as compiling a pattern takes longer than rendering a small chart.
struct Parts<'t> {
    /// All of it.
    whole: &'t str,
    /// The first number.
    major: &'t str,
    /// The second one, its dot included.
    minor: &'t str,
    /// The third one, its dot included.
    patch: &'t str,
    /// What begins with `-`.
    prerelease: &'t str,
    /// What begins with `+`.
    metadata: &'t str,
}

impl<'t> Parts<'t> {
    /// The longest version at the head of `text` and what is behind it. `digit` says what numbers are
    /// made of.
    fn split(text: &'t str, digit: fn(u8) -> bool) -> Option<(Self, &'t str)> {
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let major = take_run(&mut rest, digit)?;
        let minor = take_marked(&mut rest, '.', digit);
        // Without a second number there is no dot for a third one.
        let patch = take_marked(&mut rest, '.', digit);
        let prerelease = take_identifiers(&mut rest, '-');
        let metadata = take_identifiers(&mut rest, '+');
        let parts = Self {
            whole: &text[..text.len() - rest.len()],
            major,
            minor,
            patch,
            prerelease,
            metadata,
        };
        Some((parts, rest))
    }
}

fn behind_mark(part: &str) -> &str {
    part.get(1..).unwrap_or_default()
}

/// Takes the bytes that fit, at least one.
fn take_run<'t>(rest: &mut &'t str, fits: fn(u8) -> bool) -> Option<&'t str> {
    let length = rest.bytes().take_while(|byte| fits(*byte)).count();
    let (run, behind) = rest.split_at_checked(length).filter(|_| length > 0)?;
    *rest = behind;
    Some(run)
}

/// Takes a mark with the bytes behind it that fit; nothing where there are none.
fn take_marked<'t>(rest: &mut &'t str, mark: char, fits: fn(u8) -> bool) -> &'t str {
    let text = *rest;
    let Some(mut behind) = text.strip_prefix(mark) else {
        return "";
    };
    if take_run(&mut behind, fits).is_none() {
        return "";
    }
    *rest = behind;
    &text[..text.len() - behind.len()]
}

/// Takes a mark with the identifiers behind it, which are parted by dots.
fn take_identifiers<'t>(rest: &mut &'t str, mark: char) -> &'t str {
    let text = *rest;
    if !take_marked(rest, mark, is_allowed).is_empty() {
        while !take_marked(rest, '.', is_allowed).is_empty() {}
    }
    &text[..text.len() - rest.len()]
}

impl Version {
    /// Reads the strict form only: three numbers without leading zeros and without `v`.
    ///
    /// # Errors
    /// [`VersionError`].
    pub fn parse_strict(text: &str) -> Result<Self, VersionError> {
        if text.is_empty() {
            return Err(VersionError::Empty);
        }
        if text.len() > VERSION_BYTES_MAX {
            return Err(VersionError::Invalid);
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(VersionError::Invalid);
        };
        let (rest, metadata) = match rest.split_once('+') {
            Some((rest, metadata)) => (rest, check_metadata(metadata)?),
            None => (rest, ""),
        };
        let (patch, prerelease) = match rest.split_once('-') {
            Some((patch, prerelease)) => (patch, check_prerelease(prerelease)?),
            None => (rest, ""),
        };
        for number in [major, minor, patch] {
            if !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(VersionError::Characters);
            }
            if number.len() > 1 && number.starts_with('0') {
                return Err(VersionError::LeadingZero);
            }
        }
        Ok(Self {
            major: number(major)?,
            minor: number(minor)?,
            patch: number(patch)?,
            prerelease: prerelease.into(),
            metadata: metadata.into(),
            original: text.into(),
        })
    }

    /// Whether this is a prerelease.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }
}

fn number(text: &str) -> Result<u64, VersionError> {
    match text {
        "" => Err(VersionError::Invalid),
        _ => text.parse().map_err(|_| VersionError::Range(text.into())),
    }
}

fn allowed(text: &str) -> bool {
    text.bytes().all(is_allowed)
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn check_prerelease(text: &str) -> Result<&str, VersionError> {
    for part in text.split('.') {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            if part.len() > 1 && part.starts_with('0') {
                return Err(VersionError::LeadingZero);
            }
        } else if !allowed(part) {
            return Err(VersionError::Prerelease);
        }
    }
    Ok(text)
}

fn check_metadata(text: &str) -> Result<&str, VersionError> {
    if text.split('.').all(allowed) {
        Ok(text)
    } else {
        Err(VersionError::Metadata)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text.len() > VERSION_BYTES_MAX {
            return Err(VersionError::Invalid);
        }
        let digit = |byte: u8| byte.is_ascii_digit();
        let (parts, "") = Parts::split(text, digit).ok_or(VersionError::Invalid)? else {
            return Err(VersionError::Invalid);
        };
        let optional = |part: &str| match part {
            "" => Ok(0),
            _ => number(behind_mark(part)),
        };
        Ok(Self {
            major: number(parts.major)?,
            minor: optional(parts.minor)?,
            patch: optional(parts.patch)?,
            prerelease: check_prerelease(behind_mark(parts.prerelease))?.into(),
            metadata: check_metadata(behind_mark(parts.metadata))?.into(),
            original: text.into(),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| compare_prerelease(&self.prerelease, &other.prerelease))
    }
}

fn compare_prerelease(one: &str, other: &str) -> Ordering {
    match (one.is_empty(), other.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        let order = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(other)) => match (one.parse::<u64>(), other.parse::<u64>()) {
                (Ok(one), Ok(other)) => one.cmp(&other),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => one.cmp(other),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Regexp;

    #[test]
    fn versions_are_read_leniently_and_printed_strictly() {
        for (text, printed) in [
            ("1.2.3", "1.2.3"),
            ("v1.2.3", "1.2.3"),
            ("1", "1.0.0"),
            ("v1.2", "1.2.0"),
            ("01.02.03", "1.2.3"),
            ("1.2-beta.5", "1.2.0-beta.5"),
            ("1.2.3-rc1-x+build.5", "1.2.3-rc1-x+build.5"),
            ("1.2.3+0", "1.2.3+0"),
        ] {
            let version: Version = text.parse().expect(text);
            assert_eq!(
                (version.to_string().as_str(), version.original.as_str()),
                (printed, text)
            );
        }
        for (text, error) in [
            ("", VersionError::Invalid),
            ("a", VersionError::Invalid),
            ("1.2.3.4", VersionError::Invalid),
            ("V1", VersionError::Invalid),
            ("1.2.3-", VersionError::Invalid),
            ("1.2.3-01", VersionError::LeadingZero),
            ("1.2.3 ", VersionError::Invalid),
            (
                "99999999999999999999",
                VersionError::Range("99999999999999999999".into()),
            ),
        ] {
            assert_eq!(text.parse::<Version>().expect_err(text), error);
        }
        for (text, error) in [
            ("v1.2.3", VersionError::Characters),
            ("1.2", VersionError::Invalid),
            ("1.02.3", VersionError::LeadingZero),
            ("", VersionError::Empty),
            ("1.2.3-a_b", VersionError::Prerelease),
            ("1.2.3+a_b", VersionError::Metadata),
        ] {
            assert_eq!(Version::parse_strict(text).expect_err(text), error);
        }
    }

    /// What Masterminds accepts, by its own pattern.
    #[test]
    fn versions_are_taken_apart_as_the_pattern_does_it() {
        let pattern = Regexp::new(concat!(
            r"^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?",
            r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?",
            r"(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?$",
        ))
        .expect("the pattern is valid");
        let pieces = ["", "v", "1", "20", ".", "-", "+", "a", "_"];
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            let longer = texts
                .iter()
                .flat_map(|text| pieces.map(|piece| format!("{text}{piece}")));
            texts = longer.collect();
            texts.sort();
            texts.dedup();
        }
        for text in texts {
            let split = Parts::split(&text, |byte| byte.is_ascii_digit());
            let split = split.filter(|(_, rest)| rest.is_empty());
            let parts = split.map(|(parts, _)| {
                [
                    parts.major,
                    parts.minor,
                    parts.patch,
                    parts.prerelease,
                    parts.metadata,
                ]
            });
            let wanted = pattern.captures(&text).map(|groups| {
                [1, 2, 3, 4, 7].map(|index| groups.get(index).map_or("", |found| found.as_str()))
            });
            assert_eq!(parts, wanted, "{text:?}");
        }
    }

    #[test]
    fn precedence_is_that_of_semantic_versions() {
        let ordered = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.2.0",
            "1.10.0",
            "2.0.0",
        ];
        for pair in ordered.windows(2) {
            let (one, other): (Version, Version) = (
                pair[0].parse().expect("valid"),
                pair[1].parse().expect("valid"),
            );
            assert!(one < other, "{pair:?}");
        }
        assert_eq!("1.0.0+a".parse::<Version>(), "v1+b".parse::<Version>());
    }
}
