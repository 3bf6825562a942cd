//! Paths with slashes: `base`, `dir`, `clean`, `ext`, `isAbs`, and the same for files as Linux has them.
//!
//! # Source
//! golang/go `src/path/path.go`; `src/path/filepath` does the same on Unix.

use gotemplate::{Functions, Type, Value};

use crate::args::{function, text};

pub(crate) fn add(functions: &mut Functions) {
    for name in ["base", "osBase"] {
        functions.insert(
            name,
            function(&[Type::String], |_, args| {
                Ok(Value::from(base(text(&args[0]))))
            }),
        );
    }
    for name in ["dir", "osDir"] {
        functions.insert(
            name,
            function(&[Type::String], |_, args| {
                let path = text(&args[0]);
                let end = path.iter().rposition(|&byte| byte == b'/');
                Ok(Value::from(clean(&path[..end.map_or(0, |end| end + 1)])))
            }),
        );
    }
    for name in ["clean", "osClean"] {
        functions.insert(
            name,
            function(&[Type::String], |_, args| {
                Ok(Value::from(clean(text(&args[0]))))
            }),
        );
    }
    for name in ["ext", "osExt"] {
        functions.insert(
            name,
            function(&[Type::String], |_, args| {
                Ok(Value::from(extension(text(&args[0]))))
            }),
        );
    }
    for name in ["isAbs", "osIsAbs"] {
        functions.insert(
            name,
            function(&[Type::String], |_, args| {
                Ok(Value::Bool(text(&args[0]).starts_with(b"/")))
            }),
        );
    }
}

/// The last element; `.` for no path, `/` for slashes alone.
fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    match path
        .split(|&byte| byte == b'/')
        .rfind(|part| !part.is_empty())
    {
        Some(last) => last,
        None => b"/",
    }
}

/// From the last dot of the last element on.
fn extension(path: &[u8]) -> &[u8] {
    let name = path
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(path, |slash| &path[slash + 1..]);
    name.iter()
        .rposition(|&byte| byte == b'.')
        .map_or(b"", |dot| &name[dot..])
}

/// The shortest path that means the same, without looking at any file.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match parts.last() {
                Some(&last) if last != b".." => drop(parts.pop()),
                _ if rooted => {}
                _ => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", &*joined].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
