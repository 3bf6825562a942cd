//! Parts of texts: `trim…`, `trunc`, `substr`, `abbrev`, `initials`, `nospace`.
//!
//! # Source
//! golang/go `src/strings/strings.go`; Masterminds/goutils v1.1.1, `stringutils.go`, `wordutils.go`.

use golang::{unicode, utf8};
use gotemplate::{CallError, Functions, Type, Value};

use super::super::args::{function, int, text};

pub(crate) fn add(functions: &mut Functions) {
    trimming(functions);
    functions.insert(
        "trunc",
        function(&[Type::Int, Type::String], |_, args| {
            let (count, text) = (int(&args[0]), text(&args[1]));
            let length = text.len() as i64;
            Ok(Value::from(match count {
                0.. if length > count => &text[..count as usize],
                ..0 if length.saturating_add(count) > 0 => &text[(length + count) as usize..],
                _ => return Ok(std::mem::take(&mut args[1])),
            }))
        }),
    );
    functions.insert(
        "substr",
        function(&[Type::Int, Type::Int, Type::String], |_, args| {
            let text = text(&args[2]);
            let (start, end) = (int(&args[0]), int(&args[1]));
            let part = if start < 0 {
                slice(text, None, Some(end))
            } else if end < 0 || end > text.len() as i64 {
                slice(text, Some(start), None)
            } else {
                slice(text, Some(start), Some(end))
            };
            part.map(Value::from)
        }),
    );
    functions.insert(
        "abbrev",
        function(&[Type::Int, Type::String], |_, args| {
            let width = int(&args[0]);
            if width < 4 {
                return Ok(std::mem::take(&mut args[1]));
            }
            Ok(Value::from(abbreviated(text(&args[1]), 0, width)))
        }),
    );
    functions.insert(
        "abbrevboth",
        function(&[Type::Int, Type::Int, Type::String], |_, args| {
            let (start, width) = (int(&args[0]), int(&args[1]));
            if width < 4 || start > 0 && width < 7 {
                return Ok(std::mem::take(&mut args[2]));
            }
            Ok(Value::from(abbreviated(text(&args[2]), start, width)))
        }),
    );
    functions.insert(
        "initials",
        function(&[Type::String], |_, args| {
            let mut after_blank = true;
            let initials = latin1(text(&args[0])).filter(|&character| {
                let blank = unicode::is_space(character);
                let first = after_blank && !blank;
                after_blank = blank;
                first
            });
            Ok(Value::from(initials.collect::<String>()))
        }),
    );
    functions.insert(
        "nospace",
        function(&[Type::String], |_, args| {
            let text = text(&args[0]);
            if !latin1(text).any(unicode::is_space) {
                return Ok(std::mem::take(&mut args[0]));
            }
            let rest = latin1(text).filter(|&character| !unicode::is_space(character));
            Ok(Value::from(rest.collect::<String>()))
        }),
    );
}

/// The library takes every byte for a character, and so writes `Ã©` for `é`.
fn latin1(text: &[u8]) -> impl Iterator<Item = char> + '_ {
    text.iter().map(|&byte| char::from(byte))
}

fn trimming(functions: &mut Functions) {
    functions.insert(
        "trim",
        function(&[Type::String], |_, args| {
            let text = text(&args[0]);
            let blank = |character: Option<char>| character.is_some_and(unicode::is_space);
            let trimmed = trimmed(text, blank);
            if trimmed.len() == text.len() {
                return Ok(std::mem::take(&mut args[0]));
            }
            Ok(Value::from(trimmed))
        }),
    );
    for name in ["trimAll", "trimall"] {
        functions.insert(
            name,
            function(&[Type::String, Type::String], |_, args| {
                // A byte that is no character counts as U+FFFD.
                let known = |character: Option<char>| {
                    character.filter(|&known| known != char::REPLACEMENT_CHARACTER)
                };
                let set: Vec<Option<char>> = utf8::characters(text(&args[0]))
                    .map(|(_, character, _)| known(character))
                    .collect();
                let trimmed = trimmed(text(&args[1]), |character| set.contains(&known(character)));
                Ok(Value::from(trimmed))
            }),
        );
    }
    functions.insert(
        "trimPrefix",
        function(&[Type::String, Type::String], |_, args| {
            match text(&args[1]).strip_prefix(text(&args[0])) {
                Some(rest) => Ok(Value::from(rest)),
                None => Ok(std::mem::take(&mut args[1])),
            }
        }),
    );
    functions.insert(
        "trimSuffix",
        function(&[Type::String, Type::String], |_, args| {
            match text(&args[1]).strip_suffix(text(&args[0])) {
                Some(rest) => Ok(Value::from(rest)),
                None => Ok(std::mem::take(&mut args[1])),
            }
        }),
    );
}

/// The text without the characters at both ends that are unwanted.
fn trimmed(mut text: &[u8], unwanted: impl Fn(Option<char>) -> bool) -> &[u8] {
    loop {
        let (character, width) = utf8::decode(text);
        if width == 0 || !unwanted(character) {
            break;
        }
        text = &text[width..];
    }
    loop {
        let (character, width) = utf8::decode_last(text);
        if width == 0 || !unwanted(character) {
            break;
        }
        text = &text[..text.len() - width];
    }
    text
}

/// `text[start:end]`, with the texts of Go's panics.
fn slice(text: &[u8], start: Option<i64>, end: Option<i64>) -> Result<&[u8], CallError> {
    let length = text.len() as i64;
    let problem = match (start, end) {
        (_, Some(end)) if end < 0 => format!("[:{end}]"),
        (_, Some(end)) if end > length => format!("[:{end}] with length {length}"),
        (Some(start), Some(end)) if start > end => format!("[{start}:{end}]"),
        (Some(start), None) if start > length => format!("[{start}:{length}]"),
        _ => {
            let (start, end) = (start.unwrap_or(0), end.unwrap_or(length));
            return Ok(&text[start as usize..end as usize]);
        }
    };
    Err(CallError::Failed(format!(
        "runtime error: slice bounds out of range {problem}"
    )))
}

/// At most `width` bytes from about `start` on, with dots for what is left out.
fn abbreviated(text: &[u8], start: i64, width: i64) -> Vec<u8> {
    let length = text.len() as i64;
    if length <= width {
        return text.to_vec();
    }
    // Where the dots leave room.
    let kept = width - 3;
    let start = start.min(length).min(length - kept);
    if start <= 4 {
        return [&text[..kept as usize], b"..."].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    let rest = if start + kept < length {
        abbreviated(&text[start as usize..], 0, kept)
    } else {
        text[(length - kept) as usize..].to_vec()
    };
    [b"...", &*rest].concat()
}
