//! `${variables}` in the text of objects, with the operators of a shell.
//!
//! Only braces are special: `$name` is text. `$$` gives `$`, so `$${name}` gives `${name}`.
//!
//! | written | gives |
//! | --- | --- |
//! | `${v}` | the value |
//! | `${#v}` | its length in bytes |
//! | `${v^}` `${v^^}` `${v,}` `${v,,}` | first letter or all letters upper or lower case |
//! | `${v:2}` `${v:2:3}` | from a byte on, and how many; negative counts from the end |
//! | `${v#p}` `${v##p}` `${v%p}` `${v%%p}` | without the shortest or longest match of a pattern at the front or end |
//! | `${v=d}` `${v:=d}` `${v:-d}` `${v:?d}` `${v:+d}` | the value, or `d` when it is unset or empty; `d` may hold references |
//! | `${v/a/b}` `${v//a/b}` `${v/#a/b}` `${v/%a/b}` | first, every, leading or trailing `a` replaced; `a` is no pattern |
//!
//! Values are never looked at again: one that holds `${x}` stays as it is.
//!
//! # Source
//! fluxcd/pkg `envsubst`, including that `:?` and `:+` give defaults, and that `${v-d}` is an error.

use std::fmt;

/// Why a text cannot be substituted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubstituteError {
    /// What is wrong.
    pub problem: Problem,
    /// Byte offset of the reference's `$`.
    pub offset: usize,
}

/// What is wrong with a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A variable without value and default.
    Unset(String),
    /// An operator that does not exist or lacks its arguments.
    BadSubstitution,
    /// A reference that is not closed after its name.
    MissingBrace,
    /// No name after `${`.
    Name,
    /// An argument that is missing or not closed.
    Argument,
    /// A default that does not begin as one.
    Default,
    /// References in references, too deep.
    Depth,
}

impl fmt::Display for SubstituteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Unset(name) => write!(f, "variable not set (strict mode): {name:?}"),
            Problem::BadSubstitution => f.write_str("bad substitution"),
            Problem::MissingBrace => f.write_str("missing closing brace"),
            Problem::Name => f.write_str("unable to parse variable name"),
            Problem::Argument => f.write_str("unable to parse substitution within function"),
            Problem::Default => f.write_str("unable to parse default function"),
            Problem::Depth => write!(f, "references nested deeper than {DEPTH_MAX}"),
        }
    }
}

impl std::error::Error for SubstituteError {}

/// Deepest references in defaults of references.
const DEPTH_MAX: usize = 64;

/// The text with its references replaced by what `value` says.
///
/// With `strict` a variable without value is an error, unless an operator gives a default.
///
/// # Errors
/// The first reference that cannot be read, or, when all can, the first variable without value.
pub fn substitute<'a>(
    text: &str,
    value: impl Fn(&str) -> Option<&'a str>,
    strict: bool,
) -> Result<String, SubstituteError> {
    let mut parser = Parser { text, at: 0 };
    let parts = parser.parts()?;
    let mut out = String::with_capacity(text.len());
    let value: &dyn Fn(&str) -> Option<&'a str> = &value;
    for part in &parts {
        part.write(value, strict, &mut out)?;
    }
    Ok(out)
}

enum Part {
    Text(String),
    Reference(Reference),
}

struct Reference {
    offset: usize,
    name: String,
    operator: String,
    arguments: Vec<Part>,
}

impl Part {
    fn write<'a>(
        &self,
        value: &dyn Fn(&str) -> Option<&'a str>,
        strict: bool,
        out: &mut String,
    ) -> Result<(), SubstituteError> {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Reference(reference) => out.push_str(&reference.value(value, strict)?),
        }
        Ok(())
    }
}

impl Reference {
    fn value<'a>(
        &self,
        value: &dyn Fn(&str) -> Option<&'a str>,
        strict: bool,
    ) -> Result<String, SubstituteError> {
        let mut arguments = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            let mut text = String::new();
            argument.write(value, strict, &mut text)?;
            arguments.push(text);
        }
        let found = value(&self.name);
        if found.is_none()
            && strict
            && !matches!(self.operator.as_str(), "=" | ":=" | ":-" | ":?" | ":+")
        {
            return Err(SubstituteError {
                problem: Problem::Unset(self.name.clone()),
                offset: self.offset,
            });
        }
        Ok(apply(&self.operator, found.unwrap_or_default(), &arguments))
    }
}

fn apply(operator: &str, value: &str, arguments: &[String]) -> String {
    let first = arguments.first().map_or("", String::as_str);
    let second = arguments.get(1).map_or("", String::as_str);
    match operator {
        "," => change_first(value, |c| c.to_lowercase().collect()),
        ",," => value.to_lowercase(),
        "^" => change_first(value, |c| c.to_uppercase().collect()),
        "^^" => value.to_uppercase(),
        "#" if arguments.is_empty() => value.len().to_string(),
        "#" => glob::trim_start(value, first, false).to_owned(),
        "##" => glob::trim_start(value, first, true).to_owned(),
        "%" => glob::trim_end(value, first, false),
        "%%" => glob::trim_end(value, first, true),
        ":" => slice(value, first, arguments.get(1).map(String::as_str)),
        "/" => value.replacen(first, second, 1),
        "//" => value.replace(first, second),
        "/#" if arguments.len() == 2 => match value.strip_prefix(first) {
            Some(rest) => format!("{second}{rest}"),
            None => value.to_owned(),
        },
        "/%" if arguments.len() == 2 => match value.strip_suffix(first) {
            Some(rest) => format!("{rest}{second}"),
            None => value.to_owned(),
        },
        "/#" | "/%" => value.to_owned(),
        _ if value.is_empty() => arguments.concat(),
        _ => value.to_owned(),
    }
}

fn change_first(value: &str, change: impl Fn(char) -> String) -> String {
    let mut letters = value.chars();
    match letters.next() {
        Some(first) => format!("{}{}", change(first), letters.as_str()),
        None => String::new(),
    }
}

/// Bytes of the value; a cut inside a letter is moved to its end.
fn slice(value: &str, position: &str, length: Option<&str>) -> String {
    let total = value.len() as i64;
    let Ok(position) = position.parse::<i64>() else {
        return value.to_owned();
    };
    let begin = if position < 0 {
        (total + position).max(0)
    } else {
        position
    };
    let end = match length.map(str::parse::<i64>) {
        None => total,
        Some(Err(_)) => return value.to_owned(),
        Some(Ok(length)) if length < 0 => total + length,
        Some(Ok(length)) => begin.saturating_add(length).min(total),
    };
    if begin >= total || end < begin {
        return String::new();
    }
    let whole = |at: i64| {
        (at as usize..=value.len())
            .find(|at| value.is_char_boundary(*at))
            .unwrap_or(value.len())
    };
    value[whole(begin)..whole(end)].to_owned()
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

/// What a piece of text inside a reference may hold.
#[derive(Clone, Copy)]
struct Accept {
    stop: &'static [char],
    escapes: bool,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn fail<T>(&self, problem: Problem, offset: usize) -> Result<T, SubstituteError> {
        Err(SubstituteError { problem, offset })
    }

    /// Everything up to the end of the text.
    fn parts(&mut self) -> Result<Vec<Part>, SubstituteError> {
        let mut parts = Vec::new();
        let mut text = String::new();
        while let Some(dollar) = self.rest().find('$') {
            text.push_str(&self.rest()[..dollar]);
            self.at += dollar;
            let rest = self.rest();
            if rest.starts_with("${") {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(Part::Reference(self.reference(0)?));
            } else {
                self.at += if rest.starts_with("$$") { 2 } else { 1 };
                text.push('$');
            }
        }
        text.push_str(self.rest());
        self.at = self.text.len();
        parts.push(Part::Text(text));
        Ok(parts)
    }

    /// A reference, at its `$`.
    fn reference(&mut self, depth: usize) -> Result<Reference, SubstituteError> {
        let offset = self.at;
        if depth > DEPTH_MAX {
            return self.fail(Problem::Depth, offset);
        }
        self.at += 2;
        if self.peek() == Some('#') {
            self.at += 1;
            let name = self.name();
            if name.is_empty() {
                return self.fail(Problem::BadSubstitution, offset);
            }
            self.close(offset)?;
            return Ok(Reference {
                offset,
                name,
                operator: "#".into(),
                arguments: Vec::new(),
            });
        }
        let name = self.name();
        if name.is_empty() {
            return self.fail(Problem::Name, offset);
        }
        let mut reference = Reference {
            offset,
            name,
            operator: String::new(),
            arguments: Vec::new(),
        };
        match self.peek() {
            Some(':') if self.rest()[1..].starts_with(['=', '-', '?', '+']) => {
                self.default(2, &mut reference, depth)?
            }
            Some('=') => self.default(1, &mut reference, depth)?,
            Some(':') => self.substring(&mut reference, depth)?,
            Some(',' | '^') => {
                reference.operator = self.take_up_to(2, |c| matches!(c, ',' | '^'));
                self.close(offset)?;
            }
            Some('/') => self.replace(&mut reference, depth)?,
            Some(sign @ ('#' | '%')) => {
                reference.operator = self.take_up_to(2, |c| c == sign);
                let argument = self.argument(
                    Accept {
                        stop: &['}'],
                        escapes: false,
                    },
                    offset,
                    depth,
                )?;
                reference.arguments.push(argument);
                self.close(offset)?;
            }
            Some('}') => self.at += 1,
            _ => return self.fail(Problem::MissingBrace, offset),
        }
        Ok(reference)
    }

    fn default(
        &mut self,
        length: usize,
        reference: &mut Reference,
        depth: usize,
    ) -> Result<(), SubstituteError> {
        reference.operator = self.rest()[..length].to_owned();
        self.at += length;
        while self.peek() != Some('}') {
            let argument = self.argument(
                Accept {
                    stop: &['}'],
                    escapes: false,
                },
                reference.offset,
                depth,
            )?;
            reference.arguments.push(argument);
        }
        self.at += 1;
        Ok(())
    }

    fn substring(
        &mut self,
        reference: &mut Reference,
        depth: usize,
    ) -> Result<(), SubstituteError> {
        let offset = reference.offset;
        reference.operator = ":".into();
        self.at += 1;
        let position = self.argument(
            Accept {
                stop: &[':', '}'],
                escapes: false,
            },
            offset,
            depth,
        )?;
        reference.arguments.push(position);
        match self.peek() {
            Some('}') => {
                self.at += 1;
                Ok(())
            }
            Some(':') => {
                self.take_up_to(usize::MAX, |c| c == ':');
                let length = self.argument(
                    Accept {
                        stop: &['}'],
                        escapes: false,
                    },
                    offset,
                    depth,
                )?;
                reference.arguments.push(length);
                self.close(offset)
            }
            _ => self.fail(Problem::BadSubstitution, offset),
        }
    }

    fn replace(&mut self, reference: &mut Reference, depth: usize) -> Result<(), SubstituteError> {
        let offset = reference.offset;
        self.at += 1;
        reference.operator = format!("/{}", self.take_up_to(1, |c| matches!(c, '/' | '#' | '%')));
        let search = self.argument(
            Accept {
                stop: &['/'],
                escapes: true,
            },
            offset,
            depth,
        )?;
        reference.arguments.push(search);
        if self.peek() != Some('/') {
            return self.fail(Problem::BadSubstitution, offset);
        }
        self.take_up_to(usize::MAX, |c| c == '/');
        if self.peek() != Some('}') {
            let new = self.argument(
                Accept {
                    stop: &['}'],
                    escapes: true,
                },
                offset,
                depth,
            )?;
            reference.arguments.push(new);
        }
        self.close(offset)
    }

    /// A reference, or text up to one of the stops or a reference.
    fn argument(
        &mut self,
        accept: Accept,
        offset: usize,
        depth: usize,
    ) -> Result<Part, SubstituteError> {
        if self.rest().starts_with("${") {
            return self.reference(depth + 1).map(Part::Reference);
        }
        let mut text = String::new();
        let begin = self.at;
        while let Some(next) = self.peek() {
            if self.rest().starts_with("${") {
                break;
            }
            let escaped = accept.escapes
                && (self.rest().starts_with("$$")
                    || self.rest().starts_with(r"\/")
                    || self.rest().starts_with(r"\\"));
            if escaped {
                text.push_str(&self.rest()[1..2]);
                self.at += 2;
                continue;
            }
            if accept.stop.contains(&next) {
                break;
            }
            text.push(next);
            self.at += next.len_utf8();
        }
        match self.at == begin {
            true => self.fail(Problem::Argument, offset),
            false => Ok(Part::Text(text)),
        }
    }

    fn name(&mut self) -> String {
        self.take_up_to(usize::MAX, |c| c.is_alphanumeric() || c == '_')
    }

    fn take_up_to(&mut self, most: usize, accept: impl Fn(char) -> bool) -> String {
        let taken: String = self
            .rest()
            .chars()
            .take(most)
            .take_while(|c| accept(*c))
            .collect();
        self.at += taken.len();
        taken
    }

    fn close(&mut self, offset: usize) -> Result<(), SubstituteError> {
        if self.peek() != Some('}') {
            return self.fail(Problem::BadSubstitution, offset);
        }
        self.at += 1;
        Ok(())
    }
}

/// Patterns of a shell: `*`, `?`, `[a-z]`, and `\` before a letter that means itself.
mod glob {
    /// Longest value that is matched against patterns; every end of it is tried.
    const VALUE_BYTES_MAX: usize = 4096;

    pub(super) fn trim_start<'a>(value: &'a str, pattern: &str, longest: bool) -> &'a str {
        match matching_prefix(value, pattern, longest) {
            Some(length) => &value[length..],
            None => value,
        }
    }

    pub(super) fn trim_end(value: &str, pattern: &str, longest: bool) -> String {
        let reversed: String = value.chars().rev().collect();
        let pattern: String = pattern.chars().rev().collect();
        trim_start(&reversed, &pattern, longest)
            .chars()
            .rev()
            .collect()
    }

    /// Length of the shortest or longest non-empty prefix that matches.
    fn matching_prefix(value: &str, pattern: &str, longest: bool) -> Option<usize> {
        if value.len() > VALUE_BYTES_MAX {
            return None;
        }
        let items = parse(pattern)?;
        let mut ends = value.char_indices().map(|(at, c)| at + c.len_utf8());
        match longest {
            true => ends.rfind(|end| matches(&items, &value[..*end])),
            false => ends.find(|end| matches(&items, &value[..*end])),
        }
    }

    enum Item {
        Star,
        Any,
        One(char),
        Class {
            ranges: Vec<(char, char)>,
            negated: bool,
        },
    }

    /// `None` for a pattern with a class that is not closed or empty, or a lonely backslash.
    fn parse(pattern: &str) -> Option<Vec<Item>> {
        let mut items = Vec::new();
        let mut letters = pattern.chars().peekable();
        while let Some(letter) = letters.next() {
            items.push(match letter {
                '*' => Item::Star,
                '?' => Item::Any,
                '\\' => Item::One(letters.next()?),
                '[' => {
                    let negated = letters.next_if_eq(&'^').is_some();
                    let mut ranges = Vec::new();
                    loop {
                        match letters.next()? {
                            ']' if !ranges.is_empty() => break,
                            ']' | '-' => return None,
                            letter => {
                                let from = if letter == '\\' {
                                    letters.next()?
                                } else {
                                    letter
                                };
                                let to = match letters.next_if_eq(&'-') {
                                    None => from,
                                    Some(_) => match letters.next()? {
                                        '\\' => letters.next()?,
                                        ']' | '-' => return None,
                                        to => to,
                                    },
                                };
                                ranges.push((from, to));
                            }
                        }
                    }
                    Item::Class { ranges, negated }
                }
                other => Item::One(other),
            });
        }
        Some(items)
    }

    /// Matches with one point to return to, so in time of pattern times text.
    fn matches(items: &[Item], text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut item) = (0, 0);
        let mut back: Option<(usize, usize)> = None;
        while at < text.len() {
            match items.get(item) {
                Some(Item::Star) => {
                    back = Some((item, at));
                    item += 1;
                }
                Some(one) if accepts(one, text[at]) => {
                    at += 1;
                    item += 1;
                }
                _ => match back {
                    Some((star, from)) => {
                        back = Some((star, from + 1));
                        at = from + 1;
                        item = star + 1;
                    }
                    None => return false,
                },
            }
        }
        items[item.min(items.len())..]
            .iter()
            .all(|item| matches!(item, Item::Star))
    }

    fn accepts(item: &Item, letter: char) -> bool {
        match item {
            Item::Star => false,
            Item::Any => true,
            Item::One(one) => *one == letter,
            Item::Class { ranges, negated } => {
                ranges
                    .iter()
                    .any(|(from, to)| (*from..=*to).contains(&letter))
                    != *negated
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        text: &str,
        variables: &[(&str, &'static str)],
        strict: bool,
    ) -> Result<String, String> {
        let value = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        };
        substitute(text, value, strict).map_err(|error| error.to_string())
    }

    #[test]
    fn operators_follow_the_table() {
        let variables = [
            ("v", "abcDEF12"),
            ("path", "/path/to/some.file.txt"),
            ("empty", ""),
            ("ref", "${v}"),
            ("n", "3"),
        ];
        let cases = [
            ("no variables", "no variables"),
            ("${v}", "abcDEF12"),
            ("x${v}y${n}", "xabcDEF12y3"),
            ("$v $ $$ {v}", "$v $ $ {v}"),
            ("$${v}", "${v}"),
            ("$${v:=${n}}", "${v:=3}"),
            ("${#v}", "8"),
            ("${v^}|${v^^}|${v,,}", "AbcDEF12|ABCDEF12|abcdef12"),
            ("${v:3}|${v:3:2}|${v:-2}", "DEF12|DE|abcDEF12"),
            (
                "${v: -2}|${v:9}|${v:x}|${v:1:-1}",
                "abcDEF12||abcDEF12|bcDEF1",
            ),
            (
                "${path#*/}|${path##*/}",
                "path/to/some.file.txt|some.file.txt",
            ),
            ("${path%.*}|${path%%.*}", "/path/to/some.file|/path/to/some"),
            (
                "${path#[!/]}|${path#?}",
                "path/to/some.file.txt|path/to/some.file.txt",
            ),
            ("${empty:-d}|${none:=d}|${none=d}|${v:-d}", "d|d|d|abcDEF12"),
            ("${none:=a${n}b${none:=c}}", "a3bc"),
            ("${none:=}", ""),
            ("${path/some/other}", "/path/to/other.file.txt"),
            (r"${path//\//-}", "-path-to-some.file.txt"),
            (
                "${path/#\\/path/x}|${path/%txt/md}",
                "x/to/some.file.txt|/path/to/some.file.md",
            ),
            ("${path/.file/}", "/path/to/some.txt"),
            ("${ref}", "${v}"),
        ];
        for (text, expected) in cases {
            assert_eq!(
                check(text, &variables, true).as_deref(),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_missing_or_malformed_is_an_error() {
        let cases = [
            ("a ${none}", "variable not set (strict mode): \"none\""),
            ("${none^^}", "variable not set (strict mode): \"none\""),
            ("${v-d}", "missing closing brace"),
            ("${v", "missing closing brace"),
            ("${", "unable to parse variable name"),
            ("${}", "unable to parse variable name"),
            ("${v:}", "unable to parse substitution within function"),
            ("${v:=d", "unable to parse substitution within function"),
            ("${v/a}", "bad substitution"),
            ("${#}", "bad substitution"),
        ];
        for (text, expected) in cases {
            assert_eq!(
                check(text, &[("v", "x")], true),
                Err(expected.to_owned()),
                "{text}"
            );
        }
        assert_eq!(check("a${none}b", &[], false).as_deref(), Ok("ab"));
        let error = substitute("ab ${none}", |_| None, true).unwrap_err();
        assert_eq!(error.offset, 3);
    }

    #[test]
    fn references_in_references_end() {
        let text = format!("{}x{}", "${a:=".repeat(100_000), "}".repeat(100_000));
        let error = substitute(&text, |_| None, true).unwrap_err();
        assert_eq!(error.problem, Problem::Depth);
        let pattern = format!("${{v##{}b}}", "*a".repeat(500));
        let value = "a".repeat(4000);
        assert!(substitute(&pattern, |_| Some(value.as_str()), true).is_ok());
    }
}
