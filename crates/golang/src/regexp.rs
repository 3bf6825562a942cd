//! Go's regular expressions on top of the `regex` crate.
//!
//! Both descend from RE2, match leftmost-first and in linear time. They differ in letters: Go's
//! `\d`, `\w`, `\s` and `\b` know ASCII only, a `[`, `&&` or `{` that is no operator is literal,
//! `\Q…\E` quotes, and some operators of one are errors in the other. A pattern is read by Go's
//! grammar and written out again in words that mean the same there.
//!
//! # Source
//! golang/go `src/regexp/syntax/parse.go`.

mod translate;

use std::fmt;

use regex::{Captures, Regex, RegexBuilder};

use translate::Texts;

/// Longest pattern: people write a few hundred bytes, a list of alternatives a few thousand.
pub const PATTERN_BYTES_MAX: usize = 64 << 10;

/// Most bytes a compiled pattern may take; stops `((a{1000}){1000})`.
pub const COMPILED_BYTES_MAX: usize = 8 << 20;

/// A compiled pattern of Go's dialect.
#[derive(Clone)]
pub struct Regexp {
    pattern: String,
    regex: Regex,
}

/// Why a pattern cannot be compiled; prints as Go's `regexp.Compile` does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {kind}: `{text}`")]
pub struct RegexpError {
    /// What is wrong.
    pub kind: RegexpErrorKind,
    /// The part of the pattern that is wrong.
    pub text: String,
}

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegexpErrorKind {
    /// A class in brackets that makes no sense.
    #[error("invalid character class")]
    Class,
    /// A range or class name that does not exist.
    #[error("invalid character class range")]
    Range,
    /// A backslash before something it cannot escape.
    #[error("invalid escape sequence")]
    Escape,
    /// `(?P<` without a good name and `>`.
    #[error("invalid named capture")]
    NamedCapture,
    /// `(?` followed by what Go does not have.
    #[error("invalid or unsupported Perl syntax")]
    Perl,
    /// Two repetitions in a row.
    #[error("invalid nested repetition operator")]
    NestedRepetition,
    /// A count above 1000, or a lower bound above the upper.
    #[error("invalid repeat count")]
    RepeatCount,
    /// `[` without `]`.
    #[error("missing closing ]")]
    MissingBracket,
    /// `(` without `)`.
    #[error("missing closing )")]
    MissingParen,
    /// A repetition of nothing.
    #[error("missing argument to repetition operator")]
    MissingArgument,
    /// A backslash at the end.
    #[error("trailing backslash at end of expression")]
    TrailingBackslash,
    /// `)` without `(`.
    #[error("unexpected )")]
    UnexpectedParen,
    /// Groups in groups in groups.
    #[error("expression nests too deeply")]
    Depth,
    /// Compiles to more than [`COMPILED_BYTES_MAX`], or is longer than [`PATTERN_BYTES_MAX`].
    #[error("expression too large")]
    Large,
}

impl Regexp {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`RegexpError`] where Go gives one, and for patterns beyond our limits.
    pub fn new(pattern: &str) -> Result<Self, RegexpError> {
        Self::compile(pattern, Texts::All)
    }

    /// Compiles a pattern for texts of ASCII alone; with others it finds what it likes. Classes such as
    /// `[^a]` and `.` take a hundredth of the memory then, and of the time.
    ///
    /// # Errors
    /// As [`new`](Self::new), but patterns that are too large for all texts may be small enough.
    pub fn for_ascii(pattern: &str) -> Result<Self, RegexpError> {
        Self::compile(pattern, Texts::Ascii)
    }

    fn compile(pattern: &str, texts: Texts) -> Result<Self, RegexpError> {
        let too_large = || RegexpError {
            kind: RegexpErrorKind::Large,
            text: pattern.chars().take(200).collect(),
        };
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(too_large());
        }
        let translated = translate::translate(pattern, texts)?;
        let regex = RegexBuilder::new(&translated)
            .size_limit(COMPILED_BYTES_MAX)
            .nest_limit(translate::DEPTH_MAX * 2)
            .build()
            .map_err(|_| too_large())?;
        Ok(Self {
            pattern: pattern.into(),
            regex,
        })
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether the pattern matches anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The first match.
    pub fn find<'a>(&self, text: &'a str) -> Option<&'a str> {
        self.regex.find(text).map(|found| found.as_str())
    }

    /// The groups of the first match.
    pub fn captures<'a>(&self, text: &'a str) -> Option<Captures<'a>> {
        self.regex.captures(text)
    }

    /// Replaces every match; `$1`, `${1}`, `$name` and `${name}` in `replacement` are groups.
    pub fn replace_all(&self, text: &str, replacement: &str) -> String {
        self.regex.replace_all(text, replacement).into_owned()
    }

    /// Replaces every match by `replacement` as it is.
    pub fn replace_all_literal(&self, text: &str, replacement: &str) -> String {
        self.regex
            .replace_all(text, regex::NoExpand(replacement))
            .into_owned()
    }

    /// `template` with `$1`, `${name}` and so on replaced by groups of the first match in `text`.
    pub fn expand(&self, text: &str, template: &str) -> Option<String> {
        let captures = self.regex.captures(text)?;
        let mut out = String::new();
        captures.expand(template, &mut out);
        Some(out)
    }

    /// The pattern as the `regex` crate has it.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }
}

impl fmt::Debug for Regexp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regexp({:?})", self.pattern)
    }
}

impl fmt::Display for Regexp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

/// `text` with every character that means something escaped, as Go's `regexp.QuoteMeta`.
pub fn quote_meta(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perl_classes_know_ascii_only() {
        let digits = Regexp::new(r"^\d+$").expect("valid");
        assert!(digits.is_match("123"));
        assert!(!digits.is_match("١٢٣"));
        let word = Regexp::new(r"^[\w-]+$").expect("valid");
        assert!(word.is_match("a-b_1"));
        assert!(!word.is_match("é"));
        assert!(Regexp::new(r"\bfoo\b").expect("valid").is_match("éfooé"));
        assert!(!Regexp::new(r"\Bfoo").expect("valid").is_match("éfoo"));
        assert!(Regexp::new(r"^\S\D\W$").expect("valid").is_match("ééé"));
        assert!(Regexp::new(r"^[^\d\s]$").expect("valid").is_match("é"));
    }

    #[test]
    fn patterns_for_ascii_find_the_same_in_ascii() {
        let texts = ["", "a", "K", "k9\n-z", "one two\r\n--\tThree_3", "}{[]"];
        for pattern in [
            ".",
            "(?s).",
            "(?s:.).",
            "(?s-s:.)",
            "(?s).(?-s).(?s:.|(?-s:.)).",
            ".*",
            "[^a-z]+",
            "(?i)[^k]",
            "(?i)[k-m]",
            r"\D\W\S",
            r"[\D-]",
            r"\pL+",
            r"\PL+",
            r"[\PL9]",
            "[[:^alpha:]]+",
            r"[\x{80}-\x{10FFFF}]",
            r"\x{D800}|o",
            "é|e",
            r"(a|[^e])*?\b",
            "[^}]{2,3}",
        ] {
            let all = Regexp::new(pattern).expect("valid");
            let ascii = Regexp::for_ascii(pattern).expect("valid");
            for text in texts {
                let found = |regexp: &Regexp| {
                    let found = regexp.regex.find_iter(text);
                    found.map(|found| found.range()).collect::<Vec<_>>()
                };
                assert_eq!(found(&ascii), found(&all), "{pattern} {text:?}");
            }
        }
    }

    #[test]
    fn characters_that_are_operators_elsewhere_are_literal() {
        for (pattern, matching) in [
            (r"^a{,2}$", "a{,2}"),
            (r"^{$", "{"),
            (r"^a{x}$", "a{x}"),
            (r"^[a&&b]+$", "&b"),
            (r"^[[a]+$", "[a"),
            (r"^[]a]+$", "]a"),
            (r"^[a\-~]+$", "-~"),
            (r"^[a-c-]+$", "b-"),
            (r"^\Qa.b*\E+$", "a.b**"),
            (r"^\Q", ""),
            (r"^a#b c$", "a#b c"),
            (r"^\x41\x{1F600}\101\a$", "A😀A\u{7}"),
            (r"^[[:alpha:][:^digit:]]+$", "aé"),
            (r"^\pL\p{^Greek}\PN$", "aaa"),
            (r"^[\pN\PL]$", "1"),
            (r"(?i)^straße$", "STRAßE"),
            (r"(?P<x>a)(?<y>b)(?:c)(?i:D)(?s-m:.)", "abcd\n"),
            (r"^a}$", "a}"),
            (r"^\/\_\ $", "/_ "),
            ("(?s-s:^.$)|(?-ii:K)", "K"),
        ] {
            let regexp = Regexp::new(pattern).unwrap_or_else(|error| panic!("{error}"));
            assert!(regexp.is_match(matching), "{pattern} {matching}");
        }
    }

    #[test]
    fn errors_read_as_in_go() {
        for (pattern, message) in [
            ("(", "missing closing ): `(`"),
            ("(a", "missing closing ): `(a`"),
            (")", "unexpected ): `)`"),
            ("[a", "missing closing ]: `[a`"),
            ("[]a", "missing closing ]: `[]a`"),
            ("*a", "missing argument to repetition operator: `*`"),
            ("a|*", "missing argument to repetition operator: `*`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("a*+", "invalid nested repetition operator: `*+`"),
            ("a??*", "invalid nested repetition operator: `??*`"),
            ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("a{3,2}", "invalid repeat count: `{3,2}`"),
            ("[b-a]", "invalid character class range: `b-a`"),
            (r"\8", r"invalid escape sequence: `\8`"),
            (r"\1", r"invalid escape sequence: `\1`"),
            (r"\Z", r"invalid escape sequence: `\Z`"),
            (r"[\b]", r"invalid escape sequence: `\b`"),
            (r"a\", r"trailing backslash at end of expression: ``"),
            (r"\p{Nope}", r"invalid character class range: `\p{Nope}`"),
            ("[[:nope:]]", "invalid character class range: `[:nope:]`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
            ("(?P<a", "invalid named capture: `(?P<a`"),
            ("(?P<a-b>c)", "invalid named capture: `(?P<a-b>`"),
            (r"\x{110000}", r"invalid escape sequence: `\x{110000`"),
            (r"\xz", r"invalid escape sequence: `\xz`"),
            ("(?i)(?s", "invalid or unsupported Perl syntax: `(?s`"),
            ("(a{1000}){1000}", "invalid repeat count: `{1000}`"),
        ] {
            match Regexp::new(pattern) {
                Ok(_) => panic!("{pattern} compiles"),
                Err(error) => assert_eq!(
                    error.to_string(),
                    format!("error parsing regexp: {message}"),
                    "{pattern}"
                ),
            }
        }
    }

    #[test]
    fn replacements_name_groups() {
        let regexp = Regexp::new(r"v(?P<major>\d+)\.(\d+)").expect("valid");
        assert_eq!(regexp.replace_all("v1.2 v3.4", "${major}-$2"), "1-2 3-4");
        assert_eq!(regexp.replace_all_literal("v1.2", "$1"), "$1");
        assert_eq!(
            regexp.expand("x v1.2", "$major.${2}.0"),
            Some("1.2.0".into())
        );
        assert_eq!(quote_meta("a.b[c]"), r"a\.b\[c\]");
    }

    #[test]
    fn hostile_patterns_are_refused_quickly() {
        for pattern in [
            "(".repeat(50_000),
            format!("{}a{}", "(".repeat(2_000), ")".repeat(2_000)),
            "a".repeat(100_000),
            r"(\pL{1000}|\pN{1000})".repeat(50),
            "((a{100}){100}){100}".into(),
        ] {
            assert!(Regexp::new(&pattern).is_err(), "{:.20}", pattern);
        }
    }
}
