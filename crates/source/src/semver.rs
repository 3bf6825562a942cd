//! Which tag is the highest version in a range.

use std::cmp::Ordering;

/// Longest range; a longer one is no wish of a person.
const RANGE_BYTES_MAX: usize = 1024;

/// Why a range cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("improper constraint: {0}")]
pub struct RangeError(String);

/// A semantic version, as a tag has it: three numbers, with or without a `v` before them.
///
/// Compared without build metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    numbers: [u64; 3],
    /// Identifiers of a prerelease; empty for a release.
    prerelease: Vec<String>,
}

/// One comparison of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparison {
    operator: Operator,
    version: Version,
    /// How many of the numbers are given; wildcards are not.
    given: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// The tag with the highest version in `range`; `None` when none is in it.
///
/// Tags that are no versions are passed over, and prereleases too unless the range names one. Of
/// versions that differ in build metadata only, the last in `tags` wins.
///
/// # Errors
/// [`RangeError`] when the range cannot be read.
///
/// # Source
/// The choice of fluxcd/pkg `git/gogit/clone.go`; ranges as Masterminds/semver `constraints.go`, v3.
pub(crate) fn highest<'a>(
    range: &str,
    tags: impl Iterator<Item = &'a str>,
) -> Result<Option<&'a str>, RangeError> {
    let groups = parse_range(range)?;
    let mut best: Option<(Version, &str)> = None;
    for tag in tags {
        let Some(version) = Version::parse(tag) else {
            continue;
        };
        let fits = groups.iter().any(|group| {
            let named = group.iter().any(|one| !one.version.prerelease.is_empty());
            (named || version.prerelease.is_empty()) && group.iter().all(|one| one.allows(&version))
        });
        let higher = best
            .as_ref()
            .is_none_or(|(highest, _)| version.compare(highest).is_ge());
        if fits && higher {
            best = Some((version, tag));
        }
    }
    Ok(best.map(|(_, tag)| tag))
}

impl Version {
    /// Reads a strict version, `v` allowed.
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (core, prerelease) = split_suffix(text)?;
        let parts: Vec<&str> = core.split('.').collect();
        let [major, minor, patch] = parts[..] else {
            return None;
        };
        let prerelease_fits = prerelease.iter().all(|part| {
            let number = part.bytes().all(|byte| byte.is_ascii_digit());
            !(number && part.len() > 1 && part.starts_with('0'))
        });
        prerelease_fits.then_some(())?;
        Some(Self {
            numbers: [number(major)?, number(minor)?, number(patch)?],
            prerelease,
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let numbers = self.numbers.cmp(&other.numbers);
        numbers.then_with(
            || match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
            },
        )
    }
}

/// Numbers before words, numbers by value, words by their bytes, the shorter list first.
fn compare_prereleases(left: &[String], right: &[String]) -> Ordering {
    for (left, right) in left.iter().zip(right) {
        let order = match (left.parse::<u64>(), right.parse::<u64>()) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => left.cmp(right),
        };
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

/// A number without zeros in front.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = text.len() == 1 || !text.starts_with('0');
    (digits && plain).then(|| text.parse().ok())?
}

/// The part before `-` and `+`, and the identifiers of the prerelease.
fn split_suffix(text: &str) -> Option<(&str, Vec<String>)> {
    let identifiers = |text: &str| -> Option<Vec<String>> {
        let part = |part: &str| {
            let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
            (!part.is_empty() && part.chars().all(good)).then(|| part.to_owned())
        };
        text.split('.').map(part).collect()
    };
    let (rest, metadata) = match text.split_once('+') {
        Some((rest, metadata)) => (rest, Some(metadata)),
        None => (text, None),
    };
    if let Some(metadata) = metadata {
        identifiers(metadata)?;
    }
    match rest.split_once('-') {
        Some((core, prerelease)) => Some((core, identifiers(prerelease)?)),
        None => Some((rest, Vec::new())),
    }
}

/// Alternatives, each of comparisons that must all hold.
fn parse_range(range: &str) -> Result<Vec<Vec<Comparison>>, RangeError> {
    let refuse = || RangeError(range.chars().take(200).collect());
    if range.len() > RANGE_BYTES_MAX {
        return Err(refuse());
    }
    let groups = range
        .split("||")
        .map(|group| parse_group(group).ok_or_else(refuse));
    groups.collect()
}

fn parse_group(group: &str) -> Option<Vec<Comparison>> {
    let mut comparisons = Vec::new();
    let mut words = group
        .split(|c: char| c == ',' || c.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .peekable();
    while let Some(word) = words.next() {
        let end = word.find(|c| !"=!<>~^".contains(c)).unwrap_or(word.len());
        let operator = Operator::parse(&word[..end])?;
        // An operator may stand apart from its version.
        let version = match &word[end..] {
            "" => words.next()?,
            version => version,
        };
        if end == 0 && words.next_if_eq(&"-").is_some() {
            comparisons.push(Comparison::parse(Operator::GreaterEqual, version)?);
            comparisons.push(Comparison::parse(Operator::LessEqual, words.next()?)?);
            continue;
        }
        comparisons.push(Comparison::parse(operator, version)?);
    }
    (!comparisons.is_empty()).then_some(comparisons)
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "" | "=" => Self::Equal,
            "!=" => Self::NotEqual,
            ">" => Self::Greater,
            "<" => Self::Less,
            ">=" | "=>" => Self::GreaterEqual,
            "<=" | "=<" => Self::LessEqual,
            "~" | "~>" => Self::Tilde,
            "^" => Self::Caret,
            _ => return None,
        })
    }
}

impl Comparison {
    fn parse(operator: Operator, text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (core, prerelease) = split_suffix(text)?;
        let mut numbers = [0; 3];
        let mut given = 0;
        let mut wild = false;
        let parts: Vec<&str> = core.split('.').collect();
        if parts.len() > 3 {
            return None;
        }
        for (at, part) in parts.into_iter().enumerate() {
            match part {
                "x" | "X" | "*" => wild = true,
                // What follows a wildcard means nothing.
                part if wild => {
                    number(part)?;
                }
                part => {
                    numbers[at] = number(part)?;
                    given = at + 1;
                }
            }
        }
        Some(Self {
            operator,
            version: Version {
                numbers,
                prerelease,
            },
            given,
        })
    }

    /// Whether a version satisfies this comparison, prereleases apart.
    fn allows(&self, version: &Version) -> bool {
        let order = version.compare(&self.version);
        let same = |count: usize| version.numbers[..count] == self.version.numbers[..count];
        // A wildcard alone means any version to `=` and `~`, and 0.0.0 to the others.
        let whole = self.given == 3 || self.given == 0;
        match self.operator {
            Operator::Equal if self.given == 3 => order.is_eq(),
            Operator::Equal => order.is_ge() && same(self.given),
            Operator::NotEqual if whole => order.is_ne(),
            Operator::NotEqual => {
                let prereleases = [&version.prerelease, &self.version.prerelease];
                let differ = self.given == 2 && prereleases[0] != prereleases[1];
                differ || !same(self.given)
            }
            Operator::Greater if whole => order.is_gt(),
            Operator::Greater => version.numbers[..self.given] > self.version.numbers[..self.given],
            Operator::Less => order.is_lt(),
            Operator::GreaterEqual => order.is_ge(),
            Operator::LessEqual if self.given == 3 => order.is_le(),
            Operator::LessEqual if self.given == 0 => version.numbers[..2] == [0, 0],
            Operator::LessEqual => {
                version.numbers[..self.given] <= self.version.numbers[..self.given]
            }
            // `~0.0.0` is the one that means anything at all.
            Operator::Tilde if self.given == 3 && self.version.numbers == [0; 3] => order.is_ge(),
            Operator::Tilde => order.is_ge() && same(self.given.min(2)),
            Operator::Caret => {
                // Everything up to the first number that is not zero stays.
                let first = self.version.numbers.iter().position(|number| *number > 0);
                let given = if self.given == 0 { 3 } else { self.given };
                let kept = first.map_or(3, |at| at + 1).min(given);
                order.is_ge() && same(kept)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_allow_what_masterminds_allows() {
        for (range, allowed, refused) in [
            ("1.2.3", "1.2.3 v1.2.3 1.2.3+b", "1.2.4 1.2.3-rc.1"),
            ("=1.2", "1.2.0 1.2.9", "1.3.0 1.1.9"),
            ("1.x", "1.0.0 1.9.9", "2.0.0 0.9.0"),
            ("*", "0.0.0 9.9.9", "1.0.0-a"),
            (">=1.2.0 <2.0.0", "1.2.0 1.99.0", "2.0.0 1.1.9"),
            (">= 1.2, < 1.4", "1.2.0 1.3.9", "1.4.0"),
            (">1", "2.0.0", "1.0.0 1.9.9"),
            (">1.2", "1.3.0", "1.2.9"),
            ("<=1.2", "1.2.9 0.1.0", "1.3.0"),
            ("!=1.x", "2.0.0", "1.0.0"),
            ("!=1.2.3", "1.2.4", "1.2.3"),
            ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
            ("~1", "1.9.0", "2.0.0"),
            ("~>1.2", "1.2.5", "1.3.0"),
            ("^1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2"),
            ("^0.2.3", "0.2.9", "0.3.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("^0.0", "0.0.9", "0.1.0"),
            ("^0", "0.9.9", "1.0.0"),
            ("1.2 - 1.4.5", "1.2.0 1.4.5", "1.4.6 1.1.0"),
            ("1.x || >=3.1", "1.5.0 3.1.0 4.0.0", "2.0.0 3.0.0"),
            ("> *", "0.0.1", "0.0.0"),
            ("^*", "0.0.0", "0.0.1"),
            ("~0.0.0", "3.0.0", "3.0.0-a"),
            ("!=2.0.x-0", "2.0.2 2.1.0", "2.0.1-0"),
            (">=1.0.0-0", "1.0.0-rc.1 1.0.0 2.0.0-a", "0.9.0"),
            (
                "~1.2.3-beta",
                "1.2.3-beta 1.2.3-rc 1.2.4",
                "1.2.3-alpha 1.3.0",
            ),
        ] {
            for version in allowed.split(' ') {
                let found = highest(range, [version].into_iter());
                assert_eq!(found, Ok(Some(version)), "{range} allows {version}");
            }
            for version in refused.split(' ') {
                let found = highest(range, [version].into_iter());
                assert_eq!(found, Ok(None), "{range} refuses {version}");
            }
        }
        for bad in [
            "",
            "latest",
            ">",
            "1.2.3.4",
            ">>1",
            "1 ||",
            "01.2.3",
            "1.0.0-",
            &"1".repeat(2000),
        ] {
            assert!(highest(bad, ["1.0.0"].into_iter()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_highest_version_wins_and_other_tags_are_passed_over() {
        let tags = [
            "v1.9.0",
            "v1.10.0",
            "1.10",
            "v2.0.0-rc.1",
            "latest",
            "v01.0.0",
            "v1.2.3.4",
        ];
        assert_eq!(highest(">=1.0.0", tags.into_iter()), Ok(Some("v1.10.0")));
        assert_eq!(
            highest(">=1.0.0-0", tags.into_iter()),
            Ok(Some("v2.0.0-rc.1"))
        );
        let ordered = [
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-a",
            "1.0.0-a.b",
            "1.0.0-b",
            "1.0.0",
        ];
        for pair in ordered.windows(2) {
            assert_eq!(
                highest(">=0.0.0-0", pair.iter().rev().copied()),
                Ok(Some(pair[1]))
            );
        }
    }
}
