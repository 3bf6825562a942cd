//! Constraints: `>= 1.2, < 3 || ~4.1`.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use super::{Version, compare_prerelease};
use crate::Regexp;

/// Longest constraint; people write a few dozen characters.
const CONSTRAINT_BYTES_MAX: usize = 4 << 10;

/// A version with wildcards.
const VERSION: &str = concat!(
    r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?",
    r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?",
    r"(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?",
);

const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";

fn pattern(text: &str) -> Regexp {
    let text = text.replace("OPS", OPERATORS).replace("VER", VERSION);
    Regexp::new(&text).expect("the pattern is valid")
}

static SINGLE: LazyLock<Regexp> = LazyLock::new(|| pattern(r"^\s*(OPS)\s*(VER)\s*$"));
static RANGE: LazyLock<Regexp> = LazyLock::new(|| pattern(r"\s*(VER)\s+-\s+(VER)\s*"));
static FIND: LazyLock<Regexp> = LazyLock::new(|| pattern(r"(OPS)\s*(VER)"));
static VALID: LazyLock<Regexp> =
    LazyLock::new(|| pattern(r"^(\s*(OPS)\s*(VER)\s*)((?:\s+|,\s*)(OPS)\s*(VER)\s*)*$"));

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
            .map(|part| {
                if !VALID.is_match(part) {
                    return Err(ConstraintError::Improper(part.into()));
                }
                let found = FIND.regex().find_iter(part).map(|found| found.as_str());
                let single: Vec<&str> = found.collect();
                if single.is_empty() {
                    return Ok(vec![Constraint::parse(part)?]);
                }
                single.into_iter().map(Constraint::parse).collect()
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            alternatives,
            include_prerelease: false,
        })
    }
}

/// `1.2 - 3` as `>= 1.2, <= 3`.
fn expand_ranges(text: &str) -> String {
    let mut out = text.to_owned();
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

impl Constraint {
    fn parse(text: &str) -> Result<Self, ConstraintError> {
        let improper = || ConstraintError::Improper(text.into());
        let groups = SINGLE.captures(text).ok_or_else(improper)?;
        let group = |index| groups.get(index).map_or("", |found| found.as_str());
        let operator = match group(1) {
            "" | "=" => Operator::Equal,
            "!=" => Operator::NotEqual,
            ">" => Operator::Greater,
            "<" => Operator::Less,
            ">=" | "=>" => Operator::GreaterOrEqual,
            "<=" | "=<" => Operator::LessOrEqual,
            "~" | "~>" => Operator::Tilde,
            _ => Operator::Caret,
        };
        let missing = |part: &str| matches!(part, "" | "x" | "X" | "*" | ".x" | ".X" | ".*");
        let (major, minor, patch, prerelease) = (group(3), group(4), group(5), group(6));
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
            group(2).to_owned()
        };
        Ok(Self {
            operator,
            version: version.parse().map_err(|_| ConstraintError::Version)?,
            text: format!("{}{}", group(1), group(2)),
            dirty,
            minor_dirty,
            patch_dirty,
        })
    }

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
