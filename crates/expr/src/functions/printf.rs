//! `"%s has %d".format([name, count])`
//!
//! # Source
//! google/cel-go `ext/formatting_v2.go`.

use super::core::bounded;
use super::{Function, Outcome, list, member, text};
use crate::cost::Cost;
use crate::{EvalErrorKind, Shape, Value};

pub(super) static FUNCTIONS: &[Function] = &[member(
    "format",
    (2, 2),
    &["string"],
    Cost::Traverse,
    Shape::String,
    format,
)];

/// Most decimals; more digits than any float has.
const PRECISION_MAX: usize = 400;

fn format(a: &[Value]) -> Outcome {
    let (pattern, arguments) = (text(&a[0])?, list(&a[1])?);
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut next = 0;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let mut precision = None;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(after.len());
            let digits = after[..end].parse().ok();
            precision = Some(
                digits
                    .filter(|digits| *digits <= PRECISION_MAX)
                    .ok_or("error during formatting: invalid precision")?,
            );
            rest = &after[end..];
        }
        let Some(verb) = rest.chars().next() else {
            return Err("error during formatting: unexpected end of string".into());
        };
        rest = &rest[verb.len_utf8()..];
        let value = arguments
            .get(next)
            .ok_or_else(|| format!("index {next} out of range"))?;
        next += 1;
        one(verb, precision, &value, &mut out)?;
        bounded(out.len())?;
    }
    out.push_str(rest);
    Ok(Value::string(out))
}

fn one(
    verb: char,
    precision: Option<usize>,
    value: &Value,
    out: &mut String,
) -> Result<(), EvalErrorKind> {
    let wrong = || -> EvalErrorKind {
        let name = value.type_name();
        format!("error during formatting: %{verb} cannot format a value of type {name}").into()
    };
    let text = match (verb, value) {
        ('s', value) => plain(value),
        ('d', Value::Int(_) | Value::Uint(_)) => value.display(),
        ('d' | 'f' | 'e', Value::Double(value)) if !value.is_finite() => {
            if value.is_nan() {
                "NaN".into()
            } else if *value > 0.0 {
                "Infinity".into()
            } else {
                "-Infinity".into()
            }
        }
        ('f', value) => format!(
            "{:.*}",
            precision.unwrap_or(6),
            float(value).ok_or_else(wrong)?
        ),
        ('e', value) => {
            let number = float(value).ok_or_else(wrong)?;
            let text = format!("{number:.*e}", precision.unwrap_or(6));
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let sign = if exponent.starts_with('-') { '-' } else { '+' };
            format!("{mantissa}e{sign}{:0>2}", exponent.trim_start_matches('-'))
        }
        ('b', Value::Bool(value)) => u8::from(*value).to_string(),
        ('b', Value::Int(value)) => signed(*value, |n| format!("{n:b}")),
        ('b', Value::Uint(value)) => format!("{value:b}"),
        ('o', Value::Int(value)) => signed(*value, |n| format!("{n:o}")),
        ('o', Value::Uint(value)) => format!("{value:o}"),
        ('x', Value::Int(value)) => signed(*value, |n| format!("{n:x}")),
        ('X', Value::Int(value)) => signed(*value, |n| format!("{n:X}")),
        ('x', Value::Uint(value)) => format!("{value:x}"),
        ('X', Value::Uint(value)) => format!("{value:X}"),
        ('x', Value::String(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::String(text)) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ('x', Value::Bytes(bytes)) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::Bytes(bytes)) => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        ('d' | 'b' | 'o' | 'x' | 'X', _) => return Err(wrong()),
        (other, _) => {
            let message = format!(
                "error during formatting: could not parse formatting clause: unrecognized formatting clause \"{other}\""
            );
            return Err(message.into());
        }
    };
    out.push_str(&text);
    Ok(())
}

fn signed(value: i64, digits: impl Fn(u64) -> String) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", digits(value.unsigned_abs()))
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Double(value) => Some(*value),
        Value::Int(value) => Some(*value as f64),
        Value::Uint(value) => Some(*value as f64),
        _ => None,
    }
}

/// `%s`: maps are ordered by key, so that equal maps print alike.
fn plain(value: &Value) -> String {
    match value {
        Value::List(list) => {
            let items: Vec<_> = list.iter().map(|item| plain(&item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let mut entries: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", plain(&key), plain(&value)))
                .collect();
            entries.sort();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Double(number) if number.is_finite() => golang::strconv::format_float_f(*number),
        Value::Double(number) if number.is_infinite() => if *number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .into(),
        other => other.display(),
    }
}
