//! Patterns for names and paths.
//!
//! Two dialects: [`path_match`] is Go's `path.Match`; [`Glob`] is gobwas/glob's, which Helm and
//! others use, with `**` and alternatives.

use std::fmt::Write as _;

use regex::Regex;

/// A malformed pattern; prints as Go's `path.ErrBadPattern`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Longest pattern.
const PATTERN_BYTES_MAX: usize = 4 << 10;

/// Deepest nesting of alternatives in a [`Glob`].
const DEPTH_MAX: usize = 20;

/// Whether all of `name` matches a [`PathPattern`].
///
/// # Errors
/// [`BadPattern`], also for a mistake behind the place where matching fails.
pub fn path_match(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    Ok(PathPattern::new(pattern)?.matches(name))
}

/// A pattern for paths: `*` is any text without `/`, `?` one character but `/`, `[a-z]` and `[^a-z]`
/// one of or none of a set, `\` takes the next character as it is.
///
/// # Source
/// golang/go `src/path/match.go`.
#[derive(Clone, Debug)]
pub struct PathPattern(Vec<PathItem>);

#[derive(Clone, Debug)]
enum PathItem {
    Star,
    /// Any character but a slash.
    Any,
    Exactly(char),
    One(Set),
}

#[derive(Clone, Debug)]
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl PathItem {
    /// Whether it is the character; a star is none.
    fn is(&self, character: char) -> bool {
        match self {
            Self::Star => false,
            Self::Any => character != '/',
            Self::Exactly(wanted) => character == *wanted,
            Self::One(set) => {
                let mut ranges = set.ranges.iter();
                ranges.any(|&(low, high)| (low..=high).contains(&character)) != set.negated
            }
        }
    }
}

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`BadPattern`].
    pub fn new(pattern: &str) -> Result<Self, BadPattern> {
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(BadPattern);
        }
        let mut characters = pattern.chars().peekable();
        let mut items = Vec::with_capacity(pattern.len());
        while let Some(character) = characters.next() {
            items.push(match character {
                '*' => PathItem::Star,
                '?' => PathItem::Any,
                '[' => PathItem::One(Set::read(&mut characters)?),
                '\\' => PathItem::Exactly(characters.next().ok_or(BadPattern)?),
                _ => PathItem::Exactly(character),
            });
        }
        Ok(Self(items))
    }

    /// Whether all of `name` matches.
    pub fn matches(&self, name: &str) -> bool {
        let Self(items) = self;
        // Where the last `*` was, and what it has not taken so far.
        let mut star: Option<(usize, &str)> = None;
        let (mut rest, mut item) = (name, 0);
        loop {
            let mut characters = rest.chars();
            let next = characters.next();
            match (items.get(item), next) {
                (None, None) => return true,
                (Some(PathItem::Star), _) => {
                    star = Some((item, rest));
                    item += 1;
                    continue;
                }
                (Some(one), Some(character)) if one.is(character) => {
                    rest = characters.as_str();
                    item += 1;
                    continue;
                }
                _ => {}
            }
            // Let the last star take one more.
            let Some((star_item, left)) = star else {
                return false;
            };
            let mut left = left.chars();
            match left.next() {
                None | Some('/') => return false,
                Some(_) => rest = left.as_str(),
            }
            star = Some((star_item, rest));
            item = star_item + 1;
        }
    }
}

impl Set {
    /// Reads a set whose bracket has been taken.
    fn read(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Self, BadPattern> {
        let negated = characters.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        while ranges.is_empty() || characters.next_if_eq(&']').is_none() {
            let low = class_character(characters)?;
            let mut high = low;
            if characters.next_if_eq(&'-').is_some() {
                high = class_character(characters)?;
            }
            ranges.push((low, high));
        }
        Ok(Self { negated, ranges })
    }
}

fn class_character(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<char, BadPattern> {
    let character = match characters.next() {
        None | Some('-' | ']') => return Err(BadPattern),
        Some('\\') => characters.next().ok_or(BadPattern)?,
        Some(character) => character,
    };
    // A class has to end somewhere.
    match characters.peek() {
        None => Err(BadPattern),
        Some(_) => Ok(character),
    }
}

/// A pattern with `*` (anything but separators), `**` (anything), `?` (one character but a
/// separator), `[abc]`, `[!a-z]` and `{one,two}`; `\` takes the next character as it is.
///
/// # Source
/// gobwas/glob, `syntax/lexer` and `match`.
#[derive(Clone, Debug)]
pub struct Glob(Regex);

impl Glob {
    /// Compiles a pattern; without separators `*` matches anything.
    ///
    /// # Errors
    /// [`BadPattern`] for brackets and braces that do not close or are empty.
    pub fn new(pattern: &str, separators: &[char]) -> Result<Self, BadPattern> {
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(BadPattern);
        }
        let mut one = String::from(".");
        if !separators.is_empty() {
            one = String::from("[^");
            for separator in separators {
                write_code(*separator, &mut one);
            }
            one.push(']');
        }
        let mut out = String::from("^(?s:");
        let mut depth = 0;
        let mut characters = pattern.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '*' if characters.next_if_eq(&'*').is_some() => out.push_str(".*"),
                '*' => write!(out, "{one}*").map_err(|_| BadPattern)?,
                '?' => out.push_str(&one),
                '[' => glob_class(&mut characters, &mut out)?,
                '{' => {
                    depth += 1;
                    if depth > DEPTH_MAX {
                        return Err(BadPattern);
                    }
                    out.push_str("(?:");
                }
                '}' if depth > 0 => {
                    depth -= 1;
                    out.push(')');
                }
                ',' if depth > 0 => out.push('|'),
                '\\' => write_code(characters.next().ok_or(BadPattern)?, &mut out),
                _ => write_code(character, &mut out),
            }
        }
        out.push_str(")$");
        if depth > 0 {
            return Err(BadPattern);
        }
        Regex::new(&out).map(Self).map_err(|_| BadPattern)
    }

    /// Whether all of `text` matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

fn write_code(character: char, out: &mut String) {
    write!(out, "\\x{{{:x}}}", u32::from(character)).expect("a String takes every write");
}

fn glob_class(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
) -> Result<(), BadPattern> {
    out.push('[');
    if characters.next_if_eq(&'!').is_some() {
        out.push('^');
    }
    let mut empty = true;
    loop {
        let low = match characters.next().ok_or(BadPattern)? {
            ']' if empty => return Err(BadPattern),
            ']' => break,
            '\\' => characters.next().ok_or(BadPattern)?,
            character => character,
        };
        empty = false;
        write_code(low, out);
        if characters.next_if_eq(&'-').is_some() {
            let high = characters.next().ok_or(BadPattern)?;
            if high == ']' || high < low {
                return Err(BadPattern);
            }
            out.push('-');
            write_code(high, out);
        }
    }
    out.push(']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_go() {
        for (pattern, name, expected) in [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", Ok(false)),
            ("ab[c]", "abc", Ok(true)),
            ("ab[b-d]", "abc", Ok(true)),
            ("ab[^c]", "abc", Ok(false)),
            ("ab[^e-g]", "abc", Ok(true)),
            ("a\\*b", "a*b", Ok(true)),
            ("a\\*b", "ab", Ok(false)),
            ("a?b", "a☺b", Ok(true)),
            ("a???b", "a☺b", Ok(false)),
            ("a?b", "a/b", Ok(false)),
            ("[a-ζ]*", "α", Ok(true)),
            ("[\\]a]", "]", Ok(true)),
            ("[x\\-]", "-", Ok(true)),
            ("[", "a", Err(BadPattern)),
            ("[]a]", "]", Err(BadPattern)),
            ("[-]", "-", Err(BadPattern)),
            ("[a-]", "a", Err(BadPattern)),
            ("a[", "ab", Err(BadPattern)),
            ("\\", "a", Err(BadPattern)),
            ("", "", Ok(true)),
            ("*x", "xxx", Ok(true)),
        ] {
            assert_eq!(path_match(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn globs_know_separators_and_alternatives() {
        for (pattern, text, expected) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "b/a.yaml", false),
            ("**.yaml", "b/a.yaml", true),
            ("**/*.yaml", "b/c/a.yaml", true),
            ("config/{a,b}*.{yml,yaml}", "config/bc.yaml", true),
            ("config/{a,b}*.{yml,yaml}", "config/c.yaml", false),
            ("[ab]?", "b1", true),
            ("[!ab]?", "b1", false),
            ("[a-c]x", "bx", true),
            ("a?c", "a/c", false),
            ("a.c", "abc", false),
            ("\\*", "*", true),
            ("{a,{b,c}}d", "cd", true),
            ("", "", true),
        ] {
            let glob = Glob::new(pattern, &['/']).expect(pattern);
            assert_eq!(glob.is_match(text), expected, "{pattern} {text}");
        }
        assert!(Glob::new("*", &[]).expect("valid").is_match("a/b\nc"));
        for pattern in ["[", "[]", "{a", "[b-a]", "\\"] {
            assert!(Glob::new(pattern, &['/']).is_err(), "{pattern}");
        }
    }

    #[test]
    fn hostile_patterns_stay_cheap() {
        let name = "a".repeat(5_000);
        assert_eq!(path_match(&"a*".repeat(1_000), &name), Ok(true));
        assert_eq!(
            path_match(&format!("{}b", "*a".repeat(1_000)), &name),
            Ok(false)
        );
        assert!(Glob::new(&"{".repeat(3_000), &[]).is_err());
        assert!(Glob::new(&"*".repeat(100_000), &[]).is_err());
    }
}
