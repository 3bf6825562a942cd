//! Simple paths to fields of a schema: `.spec.a['b c']`.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/apiserver/schema/cel/validation.go`, `ValidFieldPath`.

use super::node::Level;

/// A path that exists in the schema.
pub(super) struct Resolved<'a> {
    /// As errors print it, to be appended to a place: `.spec.a[b c]`.
    pub path: String,
    pub level: &'a Level,
}

/// Follows `path` from `level`; `brackets`: also `['key']` may stand in it.
///
/// # Errors
/// What is wrong, in Kubernetes' words.
pub(super) fn resolve<'a>(
    path: &str,
    level: &'a Level,
    brackets: bool,
) -> Result<Resolved<'a>, String> {
    const END: &str = "unexpected end of JSON path";
    const UNKNOWN: &str = "does not refer to a valid field";
    let mut resolved = Resolved {
        path: String::new(),
        level,
    };
    let mut rest = path;
    while !rest.is_empty() {
        let name;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[', ']']).unwrap_or(after.len());
            if end == 0 {
                return Err(match after {
                    "" => END.into(),
                    _ => UNKNOWN.into(),
                });
            }
            name = after[..end].to_owned();
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix('[') {
            if !brackets {
                return Err("array notation is not allowed".into());
            }
            (name, rest) = quoted(after)?;
            rest = match rest.strip_prefix(']') {
                Some(rest) => rest,
                None if rest.is_empty() => return Err(END.into()),
                None => return Err(format!("expected ] but got {rest}")),
            };
        } else {
            let end = rest.find(['.', '[', ']']).unwrap_or(rest.len()).max(1);
            return Err(format!("expected [ or . but got: {}", &rest[..end]));
        }
        let here = resolved.level;
        if !here.properties.is_empty() {
            resolved.level = here.properties.get(name.as_str()).ok_or(UNKNOWN)?;
            resolved.path.push('.');
            resolved.path.push_str(&name);
        } else {
            resolved.level = here.additional_level().ok_or(UNKNOWN)?;
            resolved.path.push_str(&format!("[{name}]"));
        }
    }
    Ok(resolved)
}

/// `'key'` with backslash escapes, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let wrong = || {
        let end = text.find(']').unwrap_or(text.len());
        format!("expected single quoted string but got {}", &text[..end])
    };
    let inner = text.strip_prefix('\'').ok_or_else(wrong)?;
    let mut name = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\'' => return Ok((name, &inner[at + 1..])),
            '\\' => match characters.next().map(|(_, c)| c) {
                Some('a') => name.push('\x07'),
                Some('b') => name.push('\x08'),
                Some('f') => name.push('\x0c'),
                Some('n') => name.push('\n'),
                Some('r') => name.push('\r'),
                Some('t') => name.push('\t'),
                Some('v') => name.push('\x0b'),
                Some(c @ ('\'' | '\\')) => name.push(c),
                Some(other) => {
                    return Err(format!(
                        "invalid string literal: invalid escape char \\{other}"
                    ));
                }
                None => return Err(wrong()),
            },
            other => name.push(other),
        }
    }
    Err(wrong())
}
