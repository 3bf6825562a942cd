//! Regular expressions of Go's dialect.
//!
//! Texts that are not UTF-8 are searched with U+FFFD for every byte that is none; what is found is
//! bytes of the text itself.
//!
//! # Source
//! Masterminds/sprig v3.3 `regex.go`; golang/go `src/regexp/regexp.go`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use golang::{Regexp, RegexpError};
use gotemplate::{CallError, Context, ElementType, Function, Functions, List, Str, Type, Value};

use crate::{limits, take};

pub(crate) fn add(functions: &mut Functions) {
    const TWO: &[Type] = &[Type::String, Type::String];
    const THREE: &[Type] = &[Type::String, Type::String, Type::String];
    const COUNTED: &[Type] = &[Type::String, Type::String, Type::Int];
    let mut add = |name, params, body| {
        let function = Function {
            params,
            variadic: None,
            body,
        };
        functions.insert(name, function);
    };
    add("regexMatch", TWO, matches as gotemplate::Body);
    add("mustRegexMatch", TWO, must_match);
    add("regexFind", TWO, find::<false>);
    add("mustRegexFind", TWO, find::<true>);
    add("regexFindAll", COUNTED, find_all::<false>);
    add("mustRegexFindAll", COUNTED, find_all::<true>);
    add("regexReplaceAll", THREE, replace::<false>);
    add("mustRegexReplaceAll", THREE, replace::<true>);
    add("regexReplaceAllLiteral", THREE, replace_literal::<false>);
    add("mustRegexReplaceAllLiteral", THREE, replace_literal::<true>);
    add("regexSplit", COUNTED, split::<false>);
    add("mustRegexSplit", COUNTED, split::<true>);
    add("regexQuoteMeta", &[Type::String], quote_meta);
}

type Outcome = Result<Value, CallError>;

/// Most patterns kept: a chart uses a handful over and over, and each may take some megabytes.
const KEPT_MAX: usize = 16;

thread_local! {
    /// Patterns, each with whether it is for ASCII alone, the one used last at the end.
    static KEPT: RefCell<Vec<(bool, Rc<Regexp>)>> = const { RefCell::new(Vec::new()) };
}

/// The pattern, compiled at most once while it is in use.
fn compile(pattern: &str, for_ascii: bool) -> Result<Rc<Regexp>, RegexpError> {
    KEPT.with_borrow_mut(|kept| {
        let found = kept
            .iter()
            .position(|(ascii, regexp)| *ascii == for_ascii && regexp.as_str() == pattern);
        let regexp = match found {
            Some(index) => kept.remove(index).1,
            None if for_ascii => Rc::new(Regexp::for_ascii(pattern)?),
            None => Rc::new(Regexp::new(pattern)?),
        };
        if kept.len() == KEPT_MAX {
            kept.remove(0);
        }
        kept.push((for_ascii, Rc::clone(&regexp)));
        Ok(regexp)
    })
}

/// The pattern of the first argument, for the text that is the second. `must` functions return Go's
/// error, others panic with more words around it.
fn pattern<const MUST: bool>(args: &[Value]) -> Result<Rc<Regexp>, CallError> {
    let text = take::text(args, 0);
    let text = text.to_text();
    let for_ascii = take::text(args, 1).as_bytes().is_ascii();
    compile(&text, for_ascii).map_err(|error| {
        if MUST {
            error.to_string().into()
        } else {
            format!("regexp: Compile({}): {error}", quote(&text)).into()
        }
    })
}

/// In back quotes unless that cannot be: with back quotes, control characters or a byte order mark.
fn quote(pattern: &str) -> String {
    let plain = |c: char| !matches!(c, '`' | '\u{7f}' | '\u{feff}') && (c >= ' ' || c == '\t');
    if pattern.chars().all(plain) {
        format!("`{pattern}`")
    } else {
        golang::strconv::quote(pattern)
    }
}

/// A text to search in.
struct Searched<'a> {
    bytes: &'a [u8],
    /// With U+FFFD for every byte that is no text.
    text: Cow<'a, str>,
    /// Where these are in `text`.
    replaced: Vec<usize>,
}

impl<'a> Searched<'a> {
    fn new(of: &'a Str) -> Self {
        let text = of.to_text();
        let mut replaced = Vec::new();
        if let Cow::Owned(_) = text {
            let mut at = 0;
            for (_, character, width) in golang::utf8::characters(of.as_bytes()) {
                if character.is_none() {
                    replaced.push(at);
                }
                at += character.map_or(char::REPLACEMENT_CHARACTER.len_utf8(), |_| width);
            }
        }
        Self {
            bytes: of.as_bytes(),
            text,
            replaced,
        }
    }

    /// The bytes that a part of the text stands for.
    fn bytes(&self, range: Range<usize>) -> &'a [u8] {
        let longer = char::REPLACEMENT_CHARACTER.len_utf8() - 1;
        let original = |at: usize| at - longer * self.replaced.partition_point(|&start| start < at);
        &self.bytes[original(range.start)..original(range.end)]
    }

    fn bytes_from(&self, start: usize) -> &'a [u8] {
        self.bytes(start..self.text.len())
    }
}

fn matches(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let found = pattern::<true>(args).map(|regexp| regexp.is_match(&take::text(args, 1).to_text()));
    Ok(Value::Bool(found.unwrap_or(false)))
}

fn must_match(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let regexp = pattern::<true>(args)?;
    Ok(Value::Bool(regexp.is_match(&take::text(args, 1).to_text())))
}

fn find<const MUST: bool>(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let regexp = pattern::<MUST>(args)?;
    let text = take::text(args, 1);
    let text = Searched::new(&text);
    let found = regexp.regex().find(&text.text);
    let found = found.map(|found| text.bytes(found.range()));
    Ok(found.unwrap_or_default().into())
}

/// How many matches a count asks for: all when it is negative.
fn limit(args: &[Value]) -> usize {
    usize::try_from(take::int(args, 2)).unwrap_or(usize::MAX)
}

/// Texts; no matches are a nil slice.
fn strings(items: Vec<Value>) -> Value {
    Value::List(if items.is_empty() {
        List::nil(ElementType::String)
    } else {
        List::new(items, ElementType::String)
    })
}

fn find_all<const MUST: bool>(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let regexp = pattern::<MUST>(args)?;
    let text = take::text(args, 1);
    let text = Searched::new(&text);
    let found = regexp.regex().find_iter(&text.text).take(limit(args));
    let mut items = Vec::new();
    for found in found {
        limits::items(items.len() + 1)?;
        items.push(text.bytes(found.range()).into());
    }
    Ok(strings(items))
}

fn replace<const MUST: bool>(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let regexp = pattern::<MUST>(args)?;
    let (text, template) = (take::text(args, 1), take::text(args, 2));
    let text = Searched::new(&text);
    let template = Template::parse(template.as_bytes());
    let mut out = Vec::new();
    let mut last = 0;
    for groups in regexp.regex().captures_iter(&text.text) {
        let Some(whole) = groups.get(0) else { continue };
        out.extend_from_slice(text.bytes(last..whole.start()));
        template.expand(&text, &groups, &mut out)?;
        last = whole.end();
    }
    out.extend_from_slice(text.bytes_from(last));
    Ok(out.into())
}

fn replace_literal<const MUST: bool>(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let regexp = pattern::<MUST>(args)?;
    let (text, replacement) = (take::text(args, 1), take::text(args, 2));
    let text = Searched::new(&text);
    let mut out = Vec::new();
    let mut last = 0;
    for found in regexp.regex().find_iter(&text.text) {
        out.extend_from_slice(text.bytes(last..found.start()));
        limits::text(out.len() + replacement.len())?;
        out.extend_from_slice(replacement.as_bytes());
        last = found.end();
    }
    out.extend_from_slice(text.bytes_from(last));
    Ok(out.into())
}

fn split<const MUST: bool>(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let regexp = pattern::<MUST>(args)?;
    let text = take::text(args, 1);
    let text = Searched::new(&text);
    let limit = limit(args);
    if limit == 0 {
        return Ok(strings(Vec::new()));
    }
    if text.text.is_empty() && !regexp.as_str().is_empty() {
        return Ok(Value::strings([""]));
    }
    let mut parts = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in regexp.regex().find_iter(&text.text).take(limit) {
        if parts.len() + 1 == limit {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            limits::items(parts.len() + 2)?;
            parts.push(text.bytes(begin..end));
        }
        begin = found.end();
    }
    if end != text.text.len() {
        parts.push(text.bytes_from(begin));
    }
    Ok(Value::strings(parts))
}

fn quote_meta(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let text = take::text(args, 0);
    let mut out = Vec::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if br"\.+*?()|[]{}^$".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    Ok(out.into())
}

/// A replacement with `$1`, `$name` and `${name}`; a name goes as far as letters, digits and `_` do.
struct Template<'a>(Vec<Part<'a>>);

enum Part<'a> {
    Text(&'a [u8]),
    Number(usize),
    Name(&'a str),
}

impl<'a> Template<'a> {
    fn parse(mut rest: &'a [u8]) -> Self {
        let mut parts = Vec::new();
        while let Some(at) = rest.iter().position(|&byte| byte == b'$') {
            parts.push(Part::Text(&rest[..at]));
            rest = &rest[at + 1..];
            let text = rest.utf8_chunks().next();
            let text = text.map_or("", |chunk| chunk.valid());
            if let Some(after) = rest.strip_prefix(b"$") {
                parts.push(Part::Text(b"$"));
                rest = after;
            } else if let Some((name, after)) = group_name(text) {
                // Numbers above that name no group either way.
                let number = name.bytes().all(|byte| byte.is_ascii_digit());
                let zero = name.len() > 1 && name.starts_with('0');
                parts.push(match name.parse() {
                    Ok(number) if !zero => Part::Number(number),
                    _ if number && !zero => Part::Number(usize::MAX),
                    _ => Part::Name(name),
                });
                rest = &rest[text.len() - after.len()..];
            } else {
                parts.push(Part::Text(b"$"));
            }
        }
        parts.push(Part::Text(rest));
        Self(parts)
    }

    fn expand(
        &self,
        searched: &Searched<'_>,
        groups: &regex::Captures<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        for part in &self.0 {
            let group = match part {
                Part::Text(text) => Some(*text),
                Part::Number(number) => groups
                    .get(*number)
                    .map(|group| searched.bytes(group.range())),
                Part::Name(name) => groups.name(name).map(|group| searched.bytes(group.range())),
            };
            let text = group.unwrap_or_default();
            limits::text(out.len() + text.len())?;
            out.extend_from_slice(text);
        }
        Ok(())
    }
}

/// The name at the start of `text`, which follows a `$`, and the rest.
fn group_name(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{');
    let name = inner.unwrap_or(text);
    let length = name
        .find(|c: char| !(c.is_alphabetic() || c.is_numeric() || c == '_'))
        .unwrap_or(name.len());
    let (name, rest) = name.split_at(length);
    if name.is_empty() {
        return None;
    }
    match inner {
        None => Some((name, rest)),
        Some(_) => Some((name, rest.strip_prefix('}')?)),
    }
}
