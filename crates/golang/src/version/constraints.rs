//! Constraints: `>= 1.2, < 3 || ~4.1`.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use super::{Parts, Version, compare_prerelease};
use crate::Regexp;

/// Longest constraint; people write a few dozen characters.
const CONSTRAINT_BYTES_MAX: usize = 4 << 10;

/// Two versions with wildcards, and ` - ` between them.
static RANGE: LazyLock<Regexp> = LazyLock::new(|| {
    let version = concat!(
        r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?",
        r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?",
        r"(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?",
    );
    Regexp::new(&format!(r"\s*({version})\s+-\s+({version})\s*")).expect("the pattern is valid")
});

/// Longer ones before those they begin with.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// What numbers with wildcards are made of.
fn is_wild_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'|' | b'x' | b'X' | b'*')
}

/// Go's `\s`.
fn is_space(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

/// What versions are wanted.
///
/// Parts behind `||` are alternatives; inside one, all parts must hold. A prerelease matches only
/// an alternative that names a prerelease itself, unless [`Constraints::include_prerelease`].
#[derive(Clone, Debug)]
pub struct Constraints {
    alternatives: Vec<Vec<Constraint>>,
    /// Whether prereleases match like releases.
    pub include_prerelease: bool,
}

/// A text that is no constraint; prints as Masterminds' error does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// The part that is wrong.
    #[error("improper constraint: {0}")]
    Improper(String),
    /// A version inside it is wrong.
    #[error("constraint parser error")]
    Version,
}

#[derive(Clone, Debug)]
struct Constraint {
    operator: Operator,
    version: Version,
    text: String,
    /// Which parts are wildcards or left out.
    dirty: bool,
    minor_dirty: bool,
    patch_dirty: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

impl FromStr for Constraints {
    type Err = ConstraintError;

    fn from_str(text: &str) -> Result<Self, ConstraintError> {
        if text.len() > CONSTRAINT_BYTES_MAX {
            let beginning = text.chars().take(100).collect();
            return Err(ConstraintError::Improper(beginning));
        }
        let text = expand_ranges(text);
        let alternatives = text
            .split("||")
            .map(alternative)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            alternatives,
            include_prerelease: false,
        })
    }
}

/// Constraints of which all must hold: between two of them is a comma or white space.
fn alternative(text: &str) -> Result<Vec<Constraint>, ConstraintError> {
    let improper = || ConstraintError::Improper(text.into());
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    loop {
        let (constraint, behind) = Written::split(rest).ok_or_else(improper)?;
        found.push(constraint);
        let next = behind.trim_start_matches(is_space);
        rest = match next.strip_prefix(',') {
            Some(next) => next.trim_start_matches(is_space),
            None if next.is_empty() => break,
            None if next.len() < behind.len() => next,
            None => return Err(improper()),
        };
    }
    found.iter().map(Written::read).collect()
}

/// `1.2 - 3` as `>= 1.2, <= 3`.
fn expand_ranges(text: &str) -> String {
    let mut out = text.to_owned();
    let dash = |window: &[u8]| {
        let space = |byte: u8| is_space(char::from(byte));
        space(window[0]) && window[1] == b'-' && space(window[2])
    };
    if !text.as_bytes().windows(3).any(dash) {
        return out;
    }
    for groups in RANGE.regex().captures_iter(text) {
        let group = |index| groups.get(index).map_or("", |found| found.as_str());
        // A version has ten groups with itself.
        let range = format!(">= {}, <= {} ", group(1), group(11));
        out = out.replacen(group(0), &range, 1);
    }
    out
}

impl Constraints {
    /// Whether `version` is wanted.
    pub fn check(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|all| {
            let prerelease =
                self.include_prerelease || all.iter().any(|one| one.version.is_prerelease());
            all.iter().all(|one| one.check(version, prerelease))
        })
    }

    /// The highest of `versions` that is wanted.
    pub fn highest<'a>(
        &self,
        versions: impl IntoIterator<Item = &'a Version>,
    ) -> Option<&'a Version> {
        versions
            .into_iter()
            .filter(|version| self.check(version))
            .max()
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, all) in self.alternatives.iter().enumerate() {
            if at > 0 {
                f.write_str(" || ")?;
            }
            for (at, one) in all.iter().enumerate() {
                let space = if at > 0 { " " } else { "" };
                write!(f, "{space}{}", one.text)?;
            }
        }
        Ok(())
    }
}

/// A constraint as it is written.
struct Written<'t> {
    operator: &'t str,
    version: Parts<'t>,
}

impl<'t> Written<'t> {
    /// The constraint at the head of `text` and what is behind it.
    fn split(text: &'t str) -> Option<(Self, &'t str)> {
        let mut known = OPERATORS.iter().map(|(operator, _)| *operator);
        let operator = known.find(|operator| text.starts_with(operator));
        let (operator, rest) = text.split_at(operator.map_or(0, str::len));
        let (version, rest) = Parts::split(rest.trim_start_matches(is_space), is_wild_digit)?;
        Some((Self { operator, version }, rest))
    }

    fn read(&self) -> Result<Constraint, ConstraintError> {
        let operator = OPERATORS.iter().find(|(known, _)| *known == self.operator);
        let operator = operator.map_or(Operator::Equal, |(_, operator)| *operator);
        let missing = |part: &str| matches!(part, "" | "x" | "X" | "*" | ".x" | ".X" | ".*");
        let Parts {
            whole,
            major,
            minor,
            patch,
            prerelease,
            ..
        } = self.version;
        let minor_dirty = !missing(major) && missing(minor);
        let patch_dirty = !missing(major) && !minor_dirty && missing(patch);
        let dirty = missing(major) || minor_dirty || patch_dirty;
        let version = if missing(major) {
            format!("0.0.0{prerelease}")
        } else if minor_dirty {
            format!("{major}.0.0{prerelease}")
        } else if patch_dirty {
            format!("{major}{minor}.0{prerelease}")
        } else {
            whole.to_owned()
        };
        Ok(Constraint {
            operator,
            version: version.parse().map_err(|_| ConstraintError::Version)?,
            text: format!("{}{whole}", self.operator),
            dirty,
            minor_dirty,
            patch_dirty,
        })
    }
}

impl Constraint {
    fn check(&self, version: &Version, prerelease: bool) -> bool {
        if version.is_prerelease() && !prerelease {
            return false;
        }
        let wanted = &self.version;
        match self.operator {
            Operator::Equal if self.dirty => self.tilde(version),
            Operator::Equal => version == wanted,
            Operator::NotEqual => self.differs(version),
            Operator::Greater if !self.dirty => version > wanted,
            Operator::Greater if version.major != wanted.major => version.major > wanted.major,
            Operator::Greater if self.minor_dirty => false,
            Operator::Greater if self.patch_dirty => version.minor > wanted.minor,
            Operator::Greater => version > wanted,
            Operator::Less => version < wanted,
            Operator::GreaterOrEqual => version >= wanted,
            Operator::LessOrEqual if !self.dirty => version <= wanted,
            Operator::LessOrEqual => {
                version.major < wanted.major
                    || version.major == wanted.major
                        && (version.minor <= wanted.minor || self.minor_dirty)
            }
            Operator::Tilde => self.tilde(version),
            Operator::Caret => self.caret(version),
        }
    }

    fn differs(&self, version: &Version) -> bool {
        let wanted = &self.version;
        if !self.dirty {
            return version != wanted;
        }
        if version.major != wanted.major {
            return true;
        }
        if self.minor_dirty {
            return false;
        }
        if version.minor != wanted.minor {
            return true;
        }
        if self.patch_dirty {
            let any = version.is_prerelease() || wanted.is_prerelease();
            return any && compare_prerelease(&version.prerelease, &wanted.prerelease).is_ne();
        }
        version.patch != wanted.patch || version != wanted
    }

    /// Up to the next minor version, or major version if that is all that is named.
    fn tilde(&self, version: &Version) -> bool {
        let wanted = &self.version;
        if version < wanted {
            return false;
        }
        let zero = (wanted.major, wanted.minor, wanted.patch) == (0, 0, 0);
        if zero && !self.minor_dirty && !self.patch_dirty {
            return true;
        }
        version.major == wanted.major && (version.minor == wanted.minor || self.minor_dirty)
    }

    /// Up to the next version that may break: the first number that is not zero stays.
    fn caret(&self, version: &Version) -> bool {
        let wanted = &self.version;
        if version < wanted {
            return false;
        }
        if wanted.major > 0 || self.minor_dirty {
            return version.major == wanted.major;
        }
        if version.major > 0 {
            return false;
        }
        if wanted.minor > 0 || self.patch_dirty {
            return version.minor == wanted.minor;
        }
        version.minor == 0 && version.patch == wanted.patch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_choose_versions() {
        for (constraint, inside, outside) in [
            ("1.2.3", "1.2.3 v1.2.3+x", "1.2.4 1.2.3-a"),
            ("=1.2", "1.2.0 1.2.9", "1.3.0 1.2.1-a"),
            ("1", "1.0.0 1.9.9", "2.0.0 0.9.0"),
            ("*", "0.0.0 99.0.0", "1.0.0-a"),
            ("", "", ""),
            ("x.x", "1.0.0", ""),
            ("1.x", "1.5.0", "2.0.0"),
            ("!=1.2.3", "1.2.4", "1.2.3 1.2.4-a"),
            ("!=1.x", "2.0.0", "1.5.0"),
            ("!=1.2.x", "1.3.0", "1.2.9"),
            (">1.2", "1.3.0 2.0.0", "1.2.9"),
            (">1", "2.0.0", "1.9.0"),
            (">=1.2", "1.2.0 9.0.0", "1.1.9"),
            ("=> 1.2", "1.2.0", "1.1.9"),
            ("<2", "1.9.9", "2.0.0 2.0.0-a"),
            ("<=1.2", "1.2.9 0.1.0", "1.3.0"),
            ("<=1", "1.9.0", "2.0.0"),
            ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
            ("~1", "1.0.0 1.9.0", "2.0.0"),
            ("~>1.2", "1.2.5", "1.3.0"),
            ("~0.0.0", "5.0.0", ""),
            ("^1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2"),
            ("^0.2.3", "0.2.3 0.2.9", "0.3.0 1.0.0"),
            ("^0.0.3", "0.0.3", "0.0.4 0.1.0"),
            ("^0.0", "0.0.9", "0.1.0"),
            ("^0", "0.9.0", "1.0.0"),
            ("^1.2.0-0", "1.2.0-a 1.3.0-b 1.2.0", "2.0.0"),
            (">=1.2.3-0", "1.2.3-a 2.0.0-b", "1.2.2"),
            (">=1.2, <3", "2.9.9", "3.0.0 1.1.0"),
            (">=1.2 <3", "2.9.9", "3.0.0"),
            ("<1 || >=2, !=2.5.0", "0.9.0 2.4.0", "1.0.0 2.5.0"),
            ("1.2 - 1.4.5", "1.2.0 1.4.5", "1.4.6 1.1.0"),
            ("1.2 - 1.4 || 3", "1.4.9 3.1.0", "2.0.0"),
            (">= 1.0.0-rc || 0.5", "1.0.0-rc 0.5.1", "0.5.1-a"),
        ] {
            if constraint.is_empty() {
                continue;
            }
            let constraints: Constraints = constraint.parse().expect(constraint);
            for (versions, wanted) in [(inside, true), (outside, false)] {
                for version in versions.split_whitespace() {
                    let version: Version = version.parse().expect(version);
                    assert_eq!(
                        constraints.check(&version),
                        wanted,
                        "{constraint} {version}"
                    );
                }
            }
        }
    }

    /// What Masterminds accepts, by its own patterns.
    #[test]
    fn constraints_are_taken_apart_as_the_patterns_do_it() {
        let version = concat!(
            r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?",
            r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?",
            r"(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?",
        );
        let one = format!(r"(=||!=|>|<|>=|=>|<=|=<|~|~>|\^)\s*({version})");
        let valid = format!(r"^(\s*{one}\s*)((?:\s+|,\s*){one}\s*)*$");
        let valid = Regexp::new(&valid).expect("the pattern is valid");
        let find = Regexp::new(&one).expect("the pattern is valid");
        let pieces = [
            "", " ", ",", "=", ">", "!", "~", "1", "x", "v2", ".", "-", "a", "+",
        ];
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            let longer = texts
                .iter()
                .flat_map(|text| pieces.map(|piece| format!("{text}{piece}")));
            texts = longer.collect();
            texts.sort();
            texts.dedup();
        }
        for text in texts {
            let split = || {
                let mut found = Vec::new();
                let mut rest = text.trim_start_matches(is_space);
                while !rest.is_empty() {
                    let (one, behind) = Written::split(rest)?;
                    found.push(format!("{}{}", one.operator, one.version.whole));
                    rest = behind.trim_start_matches([' ', ',']);
                }
                Some(found)
            };
            match alternative(&text) {
                Err(ConstraintError::Improper(_)) => assert!(!valid.is_match(&text), "{text:?}"),
                _ => {
                    assert!(valid.is_match(&text), "{text:?}");
                    let found = find.regex().find_iter(&text);
                    let found: Vec<_> = found.map(|one| one.as_str().replace(' ', "")).collect();
                    assert_eq!(split(), Some(found), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_constraint_is_refused() {
        for text in [
            "", "foo", ">= ", "1.2.3.4", ">>1", "1 2 x?", "1 ||", "> 1,,<2",
        ] {
            let error = text.parse::<Constraints>().expect_err(text);
            assert!(
                error.to_string().starts_with("improper constraint: "),
                "{text}"
            );
        }
        assert!("1 ".repeat(10_000).parse::<Constraints>().is_err());
    }

    #[test]
    fn the_highest_wanted_version_is_found_and_constraints_print() {
        let versions: Vec<Version> = ["1.0.0", "v1.2.0", "1.3.0-rc.1", "2.0.0"]
            .iter()
            .map(|text| text.parse().expect("valid"))
            .collect();
        let highest = |text: &str| {
            let mut constraints: Constraints = text.parse().expect("valid");
            let stable = constraints
                .highest(&versions)
                .map(|version| version.original.clone());
            constraints.include_prerelease = true;
            let any = constraints
                .highest(&versions)
                .map(|version| version.original.clone());
            (stable, any)
        };
        assert_eq!(
            highest("1.x"),
            (Some("v1.2.0".into()), Some("1.3.0-rc.1".into()))
        );
        assert_eq!(highest("5"), (None, None));
        let constraints: Constraints = ">=1.2,<3||~ 4".parse().expect("valid");
        assert_eq!(constraints.to_string(), ">=1.2 <3 || ~4");
    }
}
