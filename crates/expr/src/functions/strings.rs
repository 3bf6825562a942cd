//! Text functions. Positions count characters.
//!
//! # Source
//! google/cel-go `ext/strings.go`.

use super::core::bounded;
use super::{Function, Outcome, global, int, list, member, text};
use crate::cost::Cost;
use crate::{EvalErrorKind, Shape, Value};

const STRING: &[&str] = &["string"];

pub(super) static FUNCTIONS: &[Function] = &[
    member(
        "startsWith",
        (2, 2),
        STRING,
        Cost::Traverse,
        Shape::Bool,
        |a| Ok(Value::Bool(text(&a[0])?.starts_with(text(&a[1])?))),
    ),
    member(
        "endsWith",
        (2, 2),
        STRING,
        Cost::Traverse,
        Shape::Bool,
        |a| Ok(Value::Bool(text(&a[0])?.ends_with(text(&a[1])?))),
    ),
    member("contains", (2, 2), STRING, Cost::Search, Shape::Bool, |a| {
        Ok(Value::Bool(text(&a[0])?.contains(text(&a[1])?)))
    }),
    member("charAt", (2, 2), STRING, Cost::One, Shape::String, char_at),
    member(
        "indexOf",
        (2, 3),
        &["string", "list"],
        Cost::Elements,
        Shape::Int,
        |a| index_of(a, false),
    ),
    member(
        "lastIndexOf",
        (2, 3),
        &["string", "list"],
        Cost::Elements,
        Shape::Int,
        |a| index_of(a, true),
    ),
    member(
        "lowerAscii",
        (1, 1),
        STRING,
        Cost::Traverse,
        Shape::String,
        |a| Ok(Value::string(text(&a[0])?.to_ascii_lowercase())),
    ),
    member(
        "upperAscii",
        (1, 1),
        STRING,
        Cost::Traverse,
        Shape::String,
        |a| Ok(Value::string(text(&a[0])?.to_ascii_uppercase())),
    ),
    member(
        "replace",
        (3, 4),
        STRING,
        Cost::Rebuild,
        Shape::String,
        replace,
    ),
    member("split", (2, 3), STRING, Cost::Rebuild, Shape::Dyn, split),
    member("join", (1, 2), &["list"], Cost::Build, Shape::String, join),
    member(
        "substring",
        (2, 3),
        STRING,
        Cost::Traverse,
        Shape::String,
        substring,
    ),
    member("trim", (1, 1), STRING, Cost::Traverse, Shape::String, |a| {
        Ok(Value::string(
            text(&a[0])?.trim_matches(char::is_whitespace),
        ))
    }),
    global(
        "strings.quote",
        (1, 1),
        Cost::Traverse,
        Shape::String,
        |a| Ok(Value::string(quote(text(&a[0])?))),
    ),
    // Of the JSON patches that mutating policies write.
    global(
        "jsonpatch.escapeKey",
        (1, 1),
        Cost::Traverse,
        Shape::String,
        |a| {
            let key = text(&a[0])?;
            Ok(Value::string(key.replace('~', "~0").replace('/', "~1")))
        },
    ),
];

/// What came after the version that Kubernetes has.
pub(super) static LATER_FUNCTIONS: &[Function] = &[member(
    "reverse",
    (1, 1),
    STRING,
    Cost::Traverse,
    Shape::String,
    |a| {
        Ok(Value::string(
            text(&a[0])?.chars().rev().collect::<String>(),
        ))
    },
)];

/// Text in double quotes with CEL's escapes.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn out_of_range(index: i64) -> EvalErrorKind {
    format!("index out of range: {index}").into()
}

/// The byte at which character `index` starts, also the end of the text.
fn byte_at(text: &str, index: i64) -> Result<usize, EvalErrorKind> {
    let wanted = usize::try_from(index).map_err(|_| out_of_range(index))?;
    if text.is_ascii() {
        return match wanted <= text.len() {
            true => Ok(wanted),
            false => Err(out_of_range(index)),
        };
    }
    text.char_indices()
        .map(|(byte, _)| byte)
        .chain([text.len()])
        .nth(wanted)
        .ok_or_else(|| out_of_range(index))
}

fn char_at(a: &[Value]) -> Outcome {
    let (text, index) = (text(&a[0])?, int(&a[1])?);
    let rest = &text[byte_at(text, index)?..];
    Ok(Value::string(rest.chars().take(1).collect::<String>()))
}

fn index_of(a: &[Value], last: bool) -> Outcome {
    if let Value::List(list) = &a[0] {
        let mut positions = list
            .iter()
            .enumerate()
            .filter(|(_, item)| item.equals(&a[1]))
            .map(|(at, _)| at as i64);
        let found = if last {
            positions.last()
        } else {
            positions.next()
        };
        return Ok(Value::Int(found.unwrap_or(-1)));
    }
    let (haystack, needle) = (text(&a[0])?, text(&a[1])?);
    let characters = |byte: usize| haystack[..byte].chars().count() as i64;
    let found = match (a.get(2), last) {
        (None, false) => haystack.find(needle),
        (None, true) => haystack.rfind(needle),
        (Some(offset), last) => {
            let offset = int(offset)?;
            // Nothing is wherever it is looked for, also outside.
            if needle.is_empty() {
                return Ok(Value::Int(offset));
            }
            if offset < 0 {
                return Err(out_of_range(offset));
            }
            match byte_at(haystack, offset) {
                Ok(from) if last => {
                    // The last occurrence that begins at or before the offset.
                    let whole = haystack[from..].chars().next().map_or(0, char::len_utf8);
                    let end = (from + needle.len()).max(from + whole);
                    let end = haystack.floor_char_boundary(end);
                    haystack[..end]
                        .rfind(needle)
                        .filter(|_| from < haystack.len())
                }
                Ok(from) => haystack[from..].find(needle).map(|byte| from + byte),
                Err(_) => None,
            }
        }
    };
    Ok(Value::Int(found.map_or(-1, characters)))
}

fn replace(a: &[Value]) -> Outcome {
    let (whole, old, new) = (text(&a[0])?, text(&a[1])?, text(&a[2])?);
    let limit = match a.get(3) {
        Some(limit) => int(limit)?,
        None => -1,
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let count = match old.len() {
        0 => whole.chars().count() + 1,
        length => whole.len() / length,
    };
    bounded(
        count
            .min(limit)
            .saturating_mul(new.len())
            .saturating_add(whole.len()),
    )?;
    Ok(Value::string(whole.replacen(old, new, limit)))
}

fn split(a: &[Value]) -> Outcome {
    let (whole, separator) = (text(&a[0])?, text(&a[1])?);
    let limit = match a.get(2) {
        Some(limit) => int(limit)?,
        None => -1,
    };
    let limit = match limit {
        0 => return Ok(Value::list(Vec::new())),
        limit => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    // A part takes 32 bytes, however short it is.
    let most = match separator.len() {
        0 => whole.chars().count(),
        length => whole.len() / length,
    };
    bounded(most.min(limit).saturating_mul(32))?;
    let parts: Vec<Value> = if separator.is_empty() {
        // Every character by itself, the rest in the last part.
        let mut parts = Vec::new();
        let mut rest = whole;
        while let Some(c) = rest.chars().next() {
            if parts.len() + 1 == limit {
                parts.push(Value::from(rest));
                break;
            }
            let (head, tail) = rest.split_at(c.len_utf8());
            parts.push(Value::from(head));
            rest = tail;
        }
        parts
    } else {
        whole.splitn(limit, separator).map(Value::from).collect()
    };
    Ok(Value::list(parts))
}

fn join(a: &[Value]) -> Outcome {
    let list = list(&a[0])?;
    let separator = match a.get(1) {
        Some(separator) => text(separator)?,
        None => "",
    };
    let mut joined = String::new();
    for (at, item) in list.iter().enumerate() {
        if at > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text(&item)?);
        bounded(joined.len())?;
    }
    Ok(Value::string(joined))
}

fn substring(a: &[Value]) -> Outcome {
    let whole = text(&a[0])?;
    let from = int(&a[1])?;
    let Some(to) = a.get(2) else {
        return Ok(Value::from(&whole[byte_at(whole, from)?..]));
    };
    let to = int(to)?;
    if from > to {
        return Err(format!("invalid substring range. start: {from}, end: {to}").into());
    }
    let (start, end) = (byte_at(whole, from)?, byte_at(whole, to)?);
    Ok(Value::from(&whole[start..end]))
}
