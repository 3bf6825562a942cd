//! Reads a pattern by Go's grammar and writes it in the `regex` crate's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{RegexpError, RegexpErrorKind as Kind};

/// Deepest nesting of groups; the compiler of `regex` recurses per level.
pub(super) const DEPTH_MAX: u32 = 250;

/// Largest repeat count, nested ones multiplied; Go's own limit.
const REPEAT_MAX: u32 = 1000;

type Outcome<T> = Result<T, RegexpError>;

fn error<T>(kind: Kind, text: &str) -> Outcome<T> {
    Err(RegexpError {
        kind,
        text: text.into(),
    })
}

/// The texts in which a pattern will be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    All,
    /// Those of ASCII alone.
    Ascii,
}

/// Writes `pattern` for the `regex` crate.
pub(super) fn translate(pattern: &str, texts: Texts) -> Outcome<String> {
    let mut translator = Translator {
        pattern,
        texts,
        at: 0,
        out: String::with_capacity(pattern.len() + 16),
        groups: Vec::new(),
        scope: Scope::default(),
        names: BTreeSet::new(),
    };
    translator.run()?;
    Ok(translator.out)
}

/// What is known inside one group.
#[derive(Clone, Copy, Default)]
struct Scope {
    /// Whether something that can be repeated stands just before.
    atom: bool,
    /// The product of repeat counts inside that.
    atom_weight: u32,
    /// The largest such product in the whole group.
    weight: u32,
    /// Where the repetition just before begins.
    repeat_at: Option<usize>,
    /// Where flags behind the atom begin in what is written: a repetition goes before them.
    flags_at: Option<usize>,
    /// Whether `.` is a line feed, too.
    dot_is_all: bool,
}

impl Scope {
    /// A group inside.
    fn inside(self) -> Self {
        Self {
            dot_is_all: self.dot_is_all,
            ..Self::default()
        }
    }

    fn push_atom(&mut self, weight: u32) {
        self.atom = true;
        self.atom_weight = weight.max(1);
        self.weight = self.weight.max(self.atom_weight);
        self.repeat_at = None;
        self.flags_at = None;
    }
}

struct Translator<'a> {
    pattern: &'a str,
    texts: Texts,
    at: usize,
    out: String,
    groups: Vec<Scope>,
    scope: Scope,
    names: BTreeSet<&'a str>,
}

impl<'a> Translator<'a> {
    fn rest(&self) -> &'a str {
        &self.pattern[self.at..]
    }

    fn next(&mut self) -> Option<char> {
        let character = self.rest().chars().next()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn run(&mut self) -> Outcome<()> {
        while let Some(character) = self.rest().chars().next() {
            match character {
                '(' => self.open()?,
                ')' => self.close()?,
                '|' => {
                    self.at += 1;
                    self.out.push('|');
                    self.scope.atom = false;
                    self.scope.repeat_at = None;
                }
                '^' | '$' => {
                    self.at += 1;
                    self.push(&format!("(?:{character})"));
                }
                '.' => {
                    self.at += 1;
                    self.push(match (self.texts, self.scope.dot_is_all) {
                        (Texts::All, _) => ".",
                        (Texts::Ascii, true) => r"[\x00-\x7F]",
                        (Texts::Ascii, false) => r"[\x00-\x09\x0B-\x7F]",
                    });
                }
                '[' => {
                    let class = self.class()?;
                    self.push_class(&class);
                }
                '*' | '+' | '?' => {
                    let start = self.at;
                    self.at += 1;
                    self.repeat(start, &character.to_string(), 1)?;
                }
                '{' => self.counted_repeat()?,
                '\\' => self.backslash()?,
                _ => {
                    self.at += character.len_utf8();
                    self.literal(u32::from(character));
                }
            }
        }
        if self.groups.is_empty() {
            return Ok(());
        }
        error(Kind::MissingParen, self.pattern)
    }

    fn push(&mut self, atom: &str) {
        self.out.push_str(atom);
        self.scope.push_atom(1);
    }

    fn push_class(&mut self, class: &str) {
        match self.texts {
            Texts::All => self.push(class),
            Texts::Ascii => self.push(&format!(r"[{class}&&\x00-\x7F]")),
        }
    }

    fn literal(&mut self, code: u32) {
        match char::from_u32(code) {
            Some(character) if !character.is_ascii() => self.out.push(character),
            Some(character) if character.is_ascii_alphanumeric() => self.out.push(character),
            Some(_) => write!(self.out, "\\x{{{code:x}}}").expect("a String takes every write"),
            // Half of a surrogate pair never occurs in a text.
            None => self.out.push_str(NOTHING),
        }
        self.scope.push_atom(1);
    }

    fn open(&mut self) -> Outcome<()> {
        if self.groups.len() >= DEPTH_MAX as usize {
            return error(Kind::Depth, self.pattern);
        }
        let rest = self.rest();
        if !rest.starts_with("(?") {
            self.at += 1;
            self.out.push('(');
        } else if (rest.starts_with("(?P<") && rest.len() > 4)
            || rest.starts_with("(?<") && rest.len() > 3
        {
            let start = rest.find('<').expect("just seen") + 1;
            let Some(end) = rest.find('>') else {
                return error(Kind::NamedCapture, rest);
            };
            let name = &rest[start..end];
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(word) {
                return error(Kind::NamedCapture, &rest[..=end]);
            }
            self.at += end + 1;
            // A repeated name and one that begins with a digit exist in Go only; such a group
            // keeps its number.
            if name.as_bytes()[0].is_ascii_digit() || !self.names.insert(name) {
                self.out.push('(');
            } else {
                write!(self.out, "(?P<{name}>").expect("a String takes every write");
            }
        } else {
            return self.flags();
        }
        self.groups.push(self.scope);
        self.scope = self.scope.inside();
        Ok(())
    }

    /// `(?i)` and `(?i:`.
    fn flags(&mut self) -> Outcome<()> {
        let start = self.at;
        self.at += 2;
        let (mut negative, mut seen) = (false, false);
        // Of a flag that is there twice the last counts; the other crate takes each once.
        let mut flags = BTreeMap::new();
        let end = loop {
            match self.next() {
                Some(flag @ ('i' | 'm' | 's' | 'U')) => {
                    flags.insert(flag, !negative);
                    seen = true;
                }
                Some('-') if !negative => (negative, seen) = (true, false),
                Some(end @ (':' | ')')) if !negative || seen => break end,
                _ => return error(Kind::Perl, &self.pattern[start..self.at]),
            }
        };
        if end == ')' && self.scope.atom {
            self.scope.flags_at.get_or_insert(self.out.len());
        }
        let named = |on: bool| flags.iter().filter(move |flag| *flag.1 == on);
        let is_off = named(false).next().is_some();
        if end == ':' || !flags.is_empty() {
            self.out.push_str("(?");
            self.out.extend(named(true).map(|(flag, _)| flag));
            self.out.push_str(if is_off { "-" } else { "" });
            self.out.extend(named(false).map(|(flag, _)| flag));
            self.out.push(end);
        }
        let dot_is_all = flags.get(&'s').copied();
        let dot_is_all = dot_is_all.unwrap_or(self.scope.dot_is_all);
        if end == ':' {
            self.groups.push(self.scope);
            self.scope = self.scope.inside();
        } else {
            self.scope.repeat_at = None;
        }
        self.scope.dot_is_all = dot_is_all;
        Ok(())
    }

    fn close(&mut self) -> Outcome<()> {
        let Some(outer) = self.groups.pop() else {
            return error(Kind::UnexpectedParen, self.pattern);
        };
        self.at += 1;
        self.out.push(')');
        let weight = self.scope.weight;
        self.scope = outer;
        self.scope.push_atom(weight);
        Ok(())
    }

    /// One repetition; `self.at` is behind it, `start` before.
    fn repeat(&mut self, start: usize, operator: &str, count: u32) -> Outcome<()> {
        let lazy = self.rest().starts_with('?');
        if lazy {
            self.at += 1;
        }
        let text = &self.pattern[start..self.at];
        if let Some(before) = self.scope.repeat_at {
            return error(Kind::NestedRepetition, &self.pattern[before..self.at]);
        }
        if !self.scope.atom {
            return error(Kind::MissingArgument, text);
        }
        let weight = self.scope.atom_weight.saturating_mul(count.max(1));
        if count >= 2 && weight > REPEAT_MAX {
            return error(Kind::RepeatCount, text);
        }
        match self.scope.flags_at {
            // Not `?`, which would make a repetition before it lazy.
            Some(at) => {
                let operator = if operator == "?" { "{0,1}" } else { operator };
                let lazy = if lazy { "?" } else { "" };
                self.out.insert_str(at, &format!("{operator}{lazy}"));
            }
            None => {
                self.out.push_str(operator);
                if lazy {
                    self.out.push('?');
                }
            }
        }
        self.scope.push_atom(weight);
        self.scope.repeat_at = Some(start);
        Ok(())
    }

    /// `{2}`, `{2,}`, `{2,3}`; anything else after `{` makes it literal.
    fn counted_repeat(&mut self) -> Outcome<()> {
        let start = self.at;
        let parsed = self.rest().find('}').and_then(|end| {
            let inside = &self.rest()[1..end];
            let (least, most) = match inside.split_once(',') {
                Some((least, "")) => (count(least)?, None),
                Some((least, most)) => (count(least)?, Some(count(most)?)),
                None => (count(inside)?, Some(count(inside)?)),
            };
            Some((end + 1, least, most))
        });
        let Some((length, least, most)) = parsed else {
            self.at += 1;
            self.literal(u32::from('{'));
            return Ok(());
        };
        self.at += length;
        let text = &self.pattern[start..self.at];
        if least > REPEAT_MAX || most.is_some_and(|most| most > REPEAT_MAX || least > most) {
            return error(Kind::RepeatCount, text);
        }
        self.repeat(start, text, most.unwrap_or(least))
    }

    fn backslash(&mut self) -> Outcome<()> {
        let rest = self.rest();
        let plain = match rest.as_bytes().get(1) {
            Some(b'A') => r"(?:\A)",
            Some(b'z') => r"(?:\z)",
            Some(b'b') => r"(?-u:\b)",
            Some(b'B') => r"(?-u:\B)",
            Some(b'd' | b'D' | b'w' | b'W' | b's' | b'S') => {
                let class = format!("[{}]", perl_class(&rest[..2]));
                self.at += 2;
                self.push_class(&class);
                return Ok(());
            }
            Some(b'C') => return error(Kind::Escape, r"\C"),
            Some(b'Q') => {
                let quoted = &rest[2..];
                let end = quoted.find(r"\E");
                for character in quoted[..end.unwrap_or(quoted.len())].chars() {
                    self.literal(u32::from(character));
                }
                self.at += 2 + end.map_or(quoted.len(), |end| end + 2);
                self.scope.repeat_at = None;
                return Ok(());
            }
            Some(b'p' | b'P') => {
                let class = self.unicode_class()?;
                self.push_class(&class);
                return Ok(());
            }
            _ => {
                let code = self.escape()?;
                self.literal(code);
                return Ok(());
            }
        };
        self.at += 2;
        self.push(plain);
        Ok(())
    }

    /// One escaped character.
    fn escape(&mut self) -> Outcome<u32> {
        let start = self.at;
        self.at += 1;
        let Some(character) = self.next() else {
            return error(Kind::TrailingBackslash, "");
        };
        let octal = |text: &str| text.starts_with(|c| ('0'..='7').contains(&c));
        let code = match character {
            '0' | '1'..='7' if character == '0' || octal(self.rest()) => {
                let mut code = u32::from(character) - u32::from('0');
                for _ in 0..2 {
                    if octal(self.rest()) {
                        code = code * 8 + u32::from(self.rest().as_bytes()[0] - b'0');
                        self.at += 1;
                    }
                }
                Some(code)
            }
            'x' => self.hex(),
            'a' => Some(7),
            'f' => Some(12),
            'n' => Some(10),
            'r' => Some(13),
            't' => Some(9),
            'v' => Some(11),
            _ if character.is_ascii() && !character.is_ascii_alphanumeric() => {
                Some(u32::from(character))
            }
            _ => None,
        };
        match code {
            Some(code) => Ok(code),
            None => error(Kind::Escape, &self.pattern[start..self.at]),
        }
    }

    /// What follows `\x`; consumes up to the character that is wrong.
    fn hex(&mut self) -> Option<u32> {
        let first = self.next()?;
        if first != '{' {
            let second = self.next();
            return Some(first.to_digit(16)? * 16 + second?.to_digit(16)?);
        }
        let mut code = 0;
        let mut empty = true;
        loop {
            match self.next()? {
                '}' if empty => return None,
                '}' => return Some(code),
                digit => {
                    code = code * 16 + digit.to_digit(16)?;
                    empty = false;
                }
            }
            if code > u32::from(char::MAX) {
                return None;
            }
        }
    }

    /// `\pL`, `\p{Greek}`, `\P{^Greek}`.
    fn unicode_class(&mut self) -> Outcome<String> {
        let rest = self.rest();
        let mut negative = rest.as_bytes()[1] == b'P';
        let Some(first) = rest[2..].chars().next() else {
            self.at += 2;
            return error(Kind::Escape, rest);
        };
        let (length, mut name) = if first == '{' {
            let Some(end) = rest.find('}') else {
                return error(Kind::Range, rest);
            };
            (end + 1, &rest[3..end])
        } else {
            let length = 2 + first.len_utf8();
            (length, &rest[2..length])
        };
        if let Some(positive) = name.strip_prefix('^') {
            negative = !negative;
            name = positive;
        }
        let class = format!("\\{}{{{name}}}", if negative { 'P' } else { 'p' });
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(word) || regex::Regex::new(&class).is_err() {
            return error(Kind::Range, &rest[..length]);
        }
        self.at += length;
        Ok(class)
    }

    /// A class in brackets; every item is written by its code, so that nothing in it is an operator.
    fn class(&mut self) -> Outcome<String> {
        let whole = self.rest();
        self.at += 1;
        let mut out = String::from("[");
        if self.rest().starts_with('^') {
            self.at += 1;
            out.push('^');
        }
        let mut first = true;
        while first || !self.rest().starts_with(']') {
            first = false;
            let rest = self.rest();
            let group = match rest.get(..2) {
                Some("[:") => match rest.find(":]") {
                    Some(end) => {
                        let name = &rest[..end + 2];
                        if !POSIX.contains(&name[2..end].trim_start_matches('^'))
                            || name.starts_with("[:^^")
                        {
                            return error(Kind::Range, name);
                        }
                        self.at += name.len();
                        Some(name.to_owned())
                    }
                    None => None,
                },
                Some(r"\p" | r"\P") => Some(self.unicode_class()?),
                Some(perl @ (r"\d" | r"\D" | r"\w" | r"\W" | r"\s" | r"\S")) => {
                    self.at += 2;
                    Some(perl_class(perl).to_owned())
                }
                _ => None,
            };
            if let Some(group) = group {
                out.push_str(&group);
                continue;
            }
            let start = self.at;
            let low = self.class_character(whole)?;
            let mut high = low;
            let rest = self.rest();
            if rest.len() >= 2 && rest.starts_with('-') && !rest.starts_with("-]") {
                self.at += 1;
                high = self.class_character(whole)?;
                if high < low {
                    return error(Kind::Range, &self.pattern[start..self.at]);
                }
            }
            push_range(low, high, &mut out);
        }
        self.at += 1;
        out.push(']');
        Ok(out)
    }

    fn class_character(&mut self, whole: &str) -> Outcome<u32> {
        if self.rest().starts_with('\\') {
            return self.escape();
        }
        match self.next() {
            Some(character) => Ok(u32::from(character)),
            None => error(Kind::MissingBracket, whole),
        }
    }
}

/// Matches nothing, inside and outside of brackets.
const NOTHING: &str = r"[^\x{0}-\x{10FFFF}]";

const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

fn perl_class(name: &str) -> &'static str {
    match name {
        r"\d" => "0-9",
        r"\D" => "[^0-9]",
        r"\w" => "0-9A-Za-z_",
        r"\W" => "[^0-9A-Za-z_]",
        r"\s" => r"\t\n\x0c\r\x20",
        _ => r"[^\t\n\x0c\r\x20]",
    }
}

/// Writes a range without surrogates, which no text contains.
fn push_range(low: u32, high: u32, out: &mut String) {
    let low = if (0xd800..0xe000).contains(&low) {
        0xe000
    } else {
        low
    };
    let high = if (0xd800..0xe000).contains(&high) {
        0xd7ff
    } else {
        high
    };
    if low > high {
        out.push_str(NOTHING);
    } else {
        write!(out, "\\x{{{low:x}}}-\\x{{{high:x}}}").expect("a String takes every write");
    }
}

/// A repeat count: digits without a leading zero. One too large to matter is just large.
fn count(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || text.len() > 1 && text.starts_with('0') {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX))
}
