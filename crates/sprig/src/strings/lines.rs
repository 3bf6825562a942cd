//! Lines: `indent`, `nindent`, `wrap`, `wrapWith`.
//!
//! # Source
//! Masterminds/goutils v1.1.1, `wordutils.go`.

use gotemplate::{CallError, Functions, Type, Value};
use memchr::{memchr, memchr_iter, memrchr};

use super::super::args::{function, int, text};
use crate::limits;

pub(crate) fn add(functions: &mut Functions) {
    functions.insert(
        "indent",
        function(&[Type::Int, Type::String], |_, args| {
            indented(int(&args[0]), text(&args[1]), b"").map(Value::from)
        }),
    );
    functions.insert(
        "nindent",
        function(&[Type::Int, Type::String], |_, args| {
            indented(int(&args[0]), text(&args[1]), b"\n").map(Value::from)
        }),
    );
    functions.insert(
        "wrap",
        function(&[Type::Int, Type::String], |_, args| {
            wrapped(text(&args[1]), int(&args[0]), b"\n", false).map(Value::from)
        }),
    );
    functions.insert(
        "wrapWith",
        function(&[Type::Int, Type::String, Type::String], |_, args| {
            let separator = match text(&args[1]) {
                b"" => b"\n",
                separator => separator,
            };
            wrapped(text(&args[2]), int(&args[0]), separator, true).map(Value::from)
        }),
    );
}

/// Blanks before every line, also before those with nothing in them.
fn indented(blanks: i64, text: &[u8], before: &[u8]) -> Result<Vec<u8>, CallError> {
    let Ok(blanks) = usize::try_from(blanks) else {
        return Err("strings: negative Repeat count".into());
    };
    let lines = memchr_iter(b'\n', text).count() + 1;
    let bytes = before.len() + text.len();
    let bytes = bytes.saturating_add(lines.saturating_mul(blanks));
    limits::text(bytes)?;
    let mut out = Vec::with_capacity(bytes);
    out.extend_from_slice(before);
    let mut from = 0;
    for end in memchr_iter(b'\n', text).chain([text.len()]) {
        out.resize(out.len() + blanks, b' ');
        let end_of_line = (end + 1).min(text.len());
        out.extend_from_slice(&text[from..end_of_line]);
        from = end_of_line;
    }
    Ok(out)
}

/// Breaks lines at blanks so that they have `width` bytes at most. A word that is longer is cut when
/// `cut` says so, and otherwise stays as it is.
fn wrapped(text: &[u8], width: i64, separator: &[u8], cut: bool) -> Result<Vec<u8>, CallError> {
    let width = usize::try_from(width).unwrap_or(0).max(1);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let blank = memrchr(b' ', &rest[..=width]);
        let (end, next) = match blank {
            Some(blank) => (blank, blank + 1),
            None if cut => (width, width),
            None => match memchr(b' ', &rest[width..]) {
                Some(blank) => (width + blank, width + blank + 1),
                None => break,
            },
        };
        limits::text(out.len() + end + separator.len())?;
        out.extend_from_slice(&rest[..end]);
        out.extend_from_slice(separator);
        rest = &rest[next..];
    }
    limits::text(out.len() + rest.len())?;
    out.extend_from_slice(rest);
    Ok(out)
}
