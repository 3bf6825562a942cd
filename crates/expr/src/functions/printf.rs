//! `"%s has %d".format([name, count])`
//!
//! # Source
//! google/cel-go `ext/formatting_v2.go`; before that took its place `ext/formatting.go`, at 0.22.1.
//! On purpose different: integers are formatted as floating-point numbers, too.

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
    |a| format(a, one),
)];

/// Writes values in lists and maps as CEL, and numbers as an English text has them.
pub(super) static EARLIER_FUNCTIONS: &[Function] = &[member(
    "format",
    (2, 2),
    &["string"],
    Cost::Traverse,
    Shape::String,
    |a| format(a, one_earlier),
)];

/// Most decimals; more digits than any float has.
const PRECISION_MAX: usize = 400;

/// Appends a value by a verb with its precision.
type One = fn(char, Option<usize>, &Value, &mut String) -> Result<(), EvalErrorKind>;

fn format(a: &[Value], one: One) -> Outcome {
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

/// How many arguments a pattern takes; `None` when it is wrong.
pub(crate) fn arguments_of(pattern: &str) -> Option<usize> {
    let mut count = 0;
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        let verb = rest[at + 1..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
        let c = verb.chars().next()?;
        count += usize::from(c != '%');
        rest = &verb[c.len_utf8()..];
    }
    Some(count)
}

fn wrong(verb: char, value: &Value) -> EvalErrorKind {
    let name = value.type_name();
    format!("error during formatting: %{verb} cannot format a value of type {name}").into()
}

fn one(
    verb: char,
    precision: Option<usize>,
    value: &Value,
    out: &mut String,
) -> Result<(), EvalErrorKind> {
    let wrong = || wrong(verb, value);
    let text = match (verb, value) {
        ('s', Value::Optional(_)) => return Err(wrong()),
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
        ('d', Value::Double(value)) => golang::strconv::format_float_f(*value),
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

fn one_earlier(
    verb: char,
    precision: Option<usize>,
    value: &Value,
    out: &mut String,
) -> Result<(), EvalErrorKind> {
    let number = || match value {
        Value::String(text) => match text.as_str() {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => Err(wrong(verb, value)),
        },
        Value::Int(_) | Value::Double(_) => float(value).ok_or_else(|| wrong(verb, value)),
        _ => Err(wrong(verb, value)),
    };
    match verb {
        's' => out.push_str(&text_of(value).ok_or_else(|| wrong(verb, value))?),
        'f' => out.push_str(&grouped(number()?, precision.unwrap_or(DECIMALS))),
        // The precision is taken for the width.
        'e' => {
            let text = scientific(number()?);
            let width = precision.unwrap_or(DECIMALS);
            out.extend(std::iter::repeat_n(
                ' ',
                width.saturating_sub(text.chars().count()),
            ));
            out.push_str(&text);
        }
        'd' if matches!(value, Value::Double(_)) => return Err(wrong(verb, value)),
        _ => one(verb, precision, value, out)?,
    }
    Ok(())
}

/// Decimals where none are asked for.
const DECIMALS: usize = 6;

fn not_finite(number: f64) -> &'static str {
    match number {
        _ if number.is_nan() => "NaN",
        _ if number > 0.0 => "∞",
        _ => "-∞",
    }
}

/// With a comma between thousands.
fn grouped(number: f64, decimals: usize) -> String {
    if !number.is_finite() {
        return not_finite(number).into();
    }
    let text = format!("{number:.decimals$}");
    let whole = text.find('.').unwrap_or(text.len());
    let mut out = String::with_capacity(text.len() + whole / 3);
    for (at, c) in text.char_indices() {
        let after = whole.saturating_sub(at);
        if after > 0 && after % 3 == 0 && out.ends_with(|c: char| c.is_ascii_digit()) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `1.234500×10⁰³`
fn scientific(number: f64) -> String {
    if !number.is_finite() {
        return not_finite(number).into();
    }
    let text = format!("{number:.DECIMALS$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ("⁻", digits),
        None => ("", exponent),
    };
    let raised = format!("{digits:0>2}");
    let raised = raised.chars().map(|c| RAISED[c as usize - '0' as usize]);
    format!("{mantissa}×10{sign}{}", raised.collect::<String>())
}

const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];

/// `%s`: what lists and maps hold is written as CEL.
fn text_of(value: &Value) -> Option<String> {
    Some(match value {
        Value::List(list) => {
            let items = list.iter().map(|item| literal(&item));
            format!("[{}]", items.collect::<Option<Vec<_>>>()?.join(", "))
        }
        Value::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| Some((literal(&key)?, literal(&value)?)));
            let mut entries = entries.collect::<Option<Vec<_>>>()?;
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{key}:{value}"))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Double(number) => match crate::value::whole(*number) {
            Some(integer) => integer.to_string(),
            None => value.display(),
        },
        Value::Optional(_) | Value::Opaque(_) => return None,
        other => other.display(),
    })
}

/// A value as CEL has it in a text.
fn literal(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => golang::strconv::quote(text),
        Value::Bytes(bytes) => format!("b{}", golang::strconv::quote_bytes(bytes)),
        Value::Timestamp(_) => format!("timestamp(\"{}\")", value.display()),
        Value::Duration(_) => format!("duration(\"{}\")", value.display()),
        Value::Double(number) if number.is_nan() => "\"NaN\"".into(),
        Value::Double(number) if *number == f64::INFINITY => "\"+Inf\"".into(),
        Value::Double(number) if *number == f64::NEG_INFINITY => "\"-Inf\"".into(),
        Value::Double(number) => format!("{number:.DECIMALS$}"),
        other => text_of(other)?,
    })
}
