//! Values as text, as Go's `fmt` prints them: `{{ . }}`, `print`, `println` and `printf`.
//!
//! Lists, maps and structures are printed element by element, also by the verbs that are meant for
//! elements. A value of a type of its own prints as its methods [`text`](crate::Host::text) and
//! [`syntax`](crate::Host::syntax) say where it has them, or else as what it consists of.
//!
//! Deliberately absent: addresses. Where Go prints one, this prints always the same.
//!
//! # Source
//! golang/go `src/fmt/{print,format}.go`.

mod fields;
mod print;
mod template;

use crate::{CallError, Host, Kind, Value};
use print::Printer;

/// Longest text that one call may make.
///
/// A value may contain itself, and then has no end; a width may be a million, as often as the format
/// asks. No text in a manifest comes near: what a cluster stores ends at a tenth of it.
pub const TEXT_BYTES_MAX: usize = 16 << 20;

/// Deepest nesting of lists and maps that is printed.
///
/// More than twice what may be nested in a YAML file, and little enough for any stack.
pub const DEPTH_MAX: usize = 500;

/// Appends a value as `fmt.Fprint` prints it.
///
/// # Errors
/// [`CallError::Limit`] for what is too long or nested too deeply.
pub fn display(value: &Value, out: &mut Vec<u8>) -> Result<(), CallError> {
    match value {
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        Value::Int(value, _) => {
            let mut digits = fields::Digits::default();
            out.extend_from_slice(digits.decimal(value.unsigned_abs(), *value < 0));
        }
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Nil => out.extend_from_slice(b"<nil>"),
        // Most numbers in values files are whole and small.
        Value::Float(value)
            if value.trunc() == *value
                && value.abs() < 1e6
                && (*value != 0.0 || value.is_sign_positive()) =>
        {
            let mut digits = fields::Digits::default();
            out.extend_from_slice(digits.decimal(value.abs() as u64, *value < 0.0));
        }
        Value::Float(value) => {
            out.extend_from_slice(golang::strconv::format_float_g(*value).as_bytes());
        }
        _ => Printer::new(out).print(value, 'v')?,
    }
    Ok(())
}

/// Appends a value as `{{ . }}` prints it: of a pointer, what it points to.
///
/// # Errors
/// [`CallError::Limit`] for what is too long or nested too deeply.
pub fn display_target(value: &Value, out: &mut Vec<u8>) -> Result<(), CallError> {
    match value {
        Value::Host(host) if host.kind() == Kind::Pointer && host.text().is_none() => {
            Printer::new(out).structure(host.as_ref(), 'v', 0)
        }
        _ => display(value, out),
    }
}

/// What `%v` prints of a value of a type of its own.
pub(crate) fn display_host(host: &dyn Host) -> String {
    let mut out = Vec::new();
    // What is too long ends there.
    let _ = Printer::new(&mut out).host(host, 'v', 0);
    String::from_utf8_lossy(&out).into_owned()
}

/// `fmt.Sprint`: a blank between operands when neither is a string.
///
/// # Errors
/// [`CallError::Limit`] for what is too long or nested too deeply.
pub fn sprint(args: &[Value]) -> Result<Vec<u8>, CallError> {
    spaced(args, display)
}

/// [`sprint`] of what pointers point to.
///
/// # Errors
/// [`CallError::Limit`] for what is too long or nested too deeply.
pub(crate) fn sprint_targets(args: &[Value]) -> Result<Vec<u8>, CallError> {
    spaced(args, display_target)
}

type Display = fn(&Value, &mut Vec<u8>) -> Result<(), CallError>;

fn spaced(args: &[Value], display: Display) -> Result<Vec<u8>, CallError> {
    let mut out = Vec::new();
    let mut after_text = true;
    for value in args {
        let text = value.kind() == Kind::String;
        if !text && !after_text {
            out.push(b' ');
        }
        after_text = text;
        append(value, &mut out, display)?;
    }
    Ok(out)
}

/// `fmt.Sprintln`: a blank between all operands, a line break at the end.
///
/// # Errors
/// [`CallError::Limit`] for what is too long or nested too deeply.
pub fn sprintln(args: &[Value]) -> Result<Vec<u8>, CallError> {
    let mut out = Vec::new();
    for (at, value) in args.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        append(value, &mut out, display)?;
    }
    out.push(b'\n');
    Ok(out)
}

/// `fmt.Sprintf`. A mistake in the format is written into the text, as Go does: `%!d(string=a)`.
///
/// # Errors
/// [`CallError::Limit`] for what is too long or nested too deeply.
pub fn sprintf(format: &[u8], args: &[Value]) -> Result<Vec<u8>, CallError> {
    template::expand(format, args)
}

fn append(value: &Value, out: &mut Vec<u8>, display: Display) -> Result<(), CallError> {
    display(value, out)?;
    if out.len() > TEXT_BYTES_MAX {
        return Err(too_long());
    }
    Ok(())
}

fn too_long() -> CallError {
    CallError::Limit(format!(
        "the text is longer than the limit of {TEXT_BYTES_MAX} bytes"
    ))
}

fn too_deep() -> CallError {
    CallError::Limit(format!(
        "lists and maps are nested deeper than the limit of {DEPTH_MAX}, or contain themselves"
    ))
}
