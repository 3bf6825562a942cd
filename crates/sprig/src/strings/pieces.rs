//! Texts to lists and back: `split`, `splitList`, `join`, `toStrings`, `sortAlpha`.
//!
//! # Source
//! golang/go `src/strings/strings.go`; Masterminds/sprig v3.3.0, `strings.go`.

use golang::utf8;
use gotemplate::{CallError, ElementType, Functions, Kind, Map, MapType, Str, Type, Value};
use memchr::memmem;

use super::super::args::{function, int, string_of, text};
use crate::{limits, lists};

pub(crate) fn add(functions: &mut Functions) {
    functions.insert(
        "split",
        function(&[Type::String, Type::String], |_, args| {
            numbered(text(&args[1]), text(&args[0]), -1)
        }),
    );
    functions.insert(
        "splitn",
        function(&[Type::String, Type::Int, Type::String], |_, args| {
            numbered(text(&args[2]), text(&args[0]), int(&args[1]))
        }),
    );
    functions.insert(
        "splitList",
        function(&[Type::String, Type::String], |_, args| {
            Ok(Value::strings(split(text(&args[1]), text(&args[0]), -1)?))
        }),
    );
    functions.insert(
        "join",
        function(&[Type::String, Type::Any], |_, args| {
            let separator = text(&args[0]);
            let mut out = Vec::new();
            for (at, text) in strings(&args[1])?.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(separator);
                }
                limits::text(out.len() + text.len())?;
                out.extend_from_slice(text.as_bytes());
            }
            Ok(Value::from(out))
        }),
    );
    functions.insert(
        "toStrings",
        function(&[Type::Any], |_, args| {
            if is_nil_of_strings(&args[0]) {
                return Ok(std::mem::take(&mut args[0]));
            }
            Ok(Value::strings(strings(&args[0])?))
        }),
    );
    functions.insert(
        "sortAlpha",
        function(&[Type::Any], |_, args| {
            if is_nil_of_strings(&args[0]) {
                return Ok(std::mem::take(&mut args[0]));
            }
            if args[0].kind() != Kind::Slice {
                return Ok(Value::strings([string_of(&args[0])?]));
            }
            let mut texts = strings(&args[0])?;
            texts.sort_unstable();
            Ok(Value::strings(texts))
        }),
    );
}

/// Go gives back what is a list of texts already, a nil one too.
fn is_nil_of_strings(value: &Value) -> bool {
    matches!(value, Value::List(list) if list.is_nil() && list.of() == ElementType::String)
}

/// The elements as text, without nil; anything else as one text, and nil as none.
fn strings(value: &Value) -> Result<Vec<Str>, CallError> {
    match lists::elements(value) {
        Some(items) => items
            .iter()
            .filter(|item| !matches!(item, Value::Nil))
            .map(string_of)
            .collect(),
        None if matches!(value, Value::Nil) => Ok(Vec::new()),
        None => Ok(vec![string_of(value)?]),
    }
}

/// `strings.SplitN`: at most `most` parts, the last with all that is left; any number when it is
/// negative. An empty separator stands between all characters.
fn split<'t>(text: &'t [u8], separator: &[u8], most: i64) -> Result<Vec<&'t [u8]>, CallError> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    if most == 0 || separator.is_empty() && text.is_empty() {
        return Ok(parts);
    }
    let mut from = 0;
    let mut add = |end: usize, next: usize| {
        if parts.len() + 1 >= most {
            return Ok(false);
        }
        limits::items(parts.len() + 2)?;
        parts.push(&text[from..end]);
        from = next;
        Ok::<bool, CallError>(true)
    };
    if separator.is_empty() {
        for (start, ..) in utf8::characters(text).skip(1) {
            if !add(start, start)? {
                break;
            }
        }
    } else {
        for at in memmem::find_iter(text, separator) {
            if !add(at, at + separator.len())? {
                break;
            }
        }
    }
    parts.push(&text[from..]);
    Ok(parts)
}

/// The parts by the names `_0`, `_1` …
fn numbered(text: &[u8], separator: &[u8], most: i64) -> Result<Value, CallError> {
    let parts = split(text, separator, most)?;
    let entries = parts
        .into_iter()
        .enumerate()
        .map(|(at, part)| (Str::from(format!("_{at}")), Value::from(part)));
    Ok(Value::Map(Map::new(entries.collect(), MapType::String)))
}
