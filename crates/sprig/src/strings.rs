//! Texts: trimming, cutting, padding, quoting, joining.
//!
//! Lengths and positions count bytes, as in Go. Random texts are elsewhere.

mod case;
mod cut;
mod lines;
mod pieces;

use golang::strconv;
use gotemplate::{CallError, Functions, Type, Value, format};
use memchr::memmem;

use crate::args::{function, int, string_of, text, variadic};
use crate::limits;

pub(crate) fn add(functions: &mut Functions) {
    case::add(functions);
    cut::add(functions);
    lines::add(functions);
    pieces::add(functions);
    searching(functions);
    printing(functions);
    functions.insert(
        "repeat",
        function(&[Type::Int, Type::String], |_, args| {
            let (count, text) = (int(&args[0]), text(&args[1]));
            repeat(text, count).map(Value::from)
        }),
    );
    functions.insert(
        "plural",
        function(&[Type::String, Type::String, Type::Int], |_, args| {
            let chosen = usize::from(int(&args[2]) != 1);
            Ok(std::mem::take(&mut args[chosen]))
        }),
    );
}

/// `strings.Repeat`.
fn repeat(text: &[u8], count: i64) -> Result<Vec<u8>, CallError> {
    if count < 0 {
        return Err("strings: negative Repeat count".into());
    }
    let bytes = count.checked_mul(text.len() as i64);
    let Some(bytes) = bytes else {
        return Err("strings: Repeat output length overflow".into());
    };
    if bytes == 0 {
        return Ok(Vec::new());
    }
    limits::text(bytes as usize)?;
    Ok(text.repeat(count as usize))
}

fn searching(functions: &mut Functions) {
    functions.insert(
        "contains",
        function(&[Type::String, Type::String], |_, args| {
            let found = memmem::find(text(&args[1]), text(&args[0]));
            Ok(Value::Bool(found.is_some()))
        }),
    );
    functions.insert(
        "hasPrefix",
        function(&[Type::String, Type::String], |_, args| {
            Ok(Value::Bool(text(&args[1]).starts_with(text(&args[0]))))
        }),
    );
    functions.insert(
        "hasSuffix",
        function(&[Type::String, Type::String], |_, args| {
            Ok(Value::Bool(text(&args[1]).ends_with(text(&args[0]))))
        }),
    );
    functions.insert(
        "replace",
        function(&[Type::String, Type::String, Type::String], |_, args| {
            let (old, new) = (text(&args[0]), text(&args[1]));
            match replace(text(&args[2]), old, new)? {
                Some(replaced) => Ok(Value::from(replaced)),
                None => Ok(std::mem::take(&mut args[2])),
            }
        }),
    );
}

/// The text with `new` for every `old`; an empty `old` stands before every character and at the end.
/// `None` when nothing changes.
fn replace(text: &[u8], old: &[u8], new: &[u8]) -> Result<Option<Vec<u8>>, CallError> {
    if old == new {
        return Ok(None);
    }
    if old.is_empty() {
        let count = golang::utf8::count(text) + 1;
        limits::text(text.len().saturating_add(count.saturating_mul(new.len())))?;
        let mut out = Vec::with_capacity(text.len() + count * new.len());
        for (start, _, width) in golang::utf8::characters(text) {
            out.extend_from_slice(new);
            out.extend_from_slice(&text[start..start + width]);
        }
        out.extend_from_slice(new);
        return Ok(Some(out));
    }
    let mut out = Vec::new();
    let mut from = 0;
    for at in memmem::find_iter(text, old) {
        limits::text(out.len() + at - from + new.len())?;
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(new);
        from = at + old.len();
    }
    if from == 0 {
        return Ok(None);
    }
    out.extend_from_slice(&text[from..]);
    limits::text(out.len())?;
    Ok(Some(out))
}

fn printing(functions: &mut Functions) {
    functions.insert(
        "quote",
        variadic(&[], Type::Any, |_, args| {
            blank_separated(args, |value, out| {
                let text = string_of(value)?;
                limits::text(out.len() + text.len())?;
                out.extend_from_slice(strconv::quote_bytes(text.as_bytes()).as_bytes());
                Ok(())
            })
        }),
    );
    functions.insert(
        "squote",
        variadic(&[], Type::Any, |_, args| {
            blank_separated(args, |value, out| {
                out.push(b'\'');
                format::display(value, out)?;
                out.push(b'\'');
                Ok(())
            })
        }),
    );
    functions.insert(
        "cat",
        variadic(&[], Type::Any, |_, args| {
            blank_separated(args, format::display)
        }),
    );
    functions.insert(
        "toString",
        function(&[Type::Any], |_, args| {
            string_of(&args[0]).map(Value::String)
        }),
    );
}

/// All but nil, each by itself, with blanks between them.
fn blank_separated(
    args: &[Value],
    print: fn(&Value, &mut Vec<u8>) -> Result<(), CallError>,
) -> Result<Value, CallError> {
    let mut out = Vec::new();
    let mut first = true;
    for value in args.iter().filter(|value| !matches!(value, Value::Nil)) {
        if !first {
            out.push(b' ');
        }
        first = false;
        print(value, &mut out)?;
        limits::text(out.len())?;
    }
    Ok(Value::from(out))
}
