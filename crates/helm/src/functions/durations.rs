//! Lengths of time, which Helm has since 4.3.

use gotemplate::{CallError, Context, Functions, Type, Value};
use sprig::Duration;

use super::{any, insert};

pub(super) fn add(functions: &mut Functions) {
    const ONE: &[Type] = &[Type::Any];
    const TWO: &[Type] = &[Type::Any, Type::Any];
    insert(functions, "mustToDuration", ONE, must_to_duration);
    insert(functions, "durationSeconds", ONE, counted::<SECOND, 1>);
    insert(
        functions,
        "durationMinutes",
        ONE,
        counted::<{ 60 * SECOND }, 1>,
    );
    insert(functions, "durationHours", ONE, counted::<HOUR, 1>);
    insert(functions, "durationDays", ONE, counted::<HOUR, 24>);
    insert(functions, "durationWeeks", ONE, counted::<HOUR, 168>);
    insert(functions, "durationMilliseconds", ONE, whole::<1_000_000>);
    insert(functions, "durationMicroseconds", ONE, whole::<1_000>);
    insert(functions, "durationNanoseconds", ONE, whole::<1>);
    insert(functions, "durationRoundTo", TWO, round_to);
    insert(functions, "durationTruncateTo", TWO, truncate_to);
}

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;

/// Most seconds that nanoseconds of 64 bits hold.
const SECONDS_MAX: i64 = i64::MAX / SECOND;

type Outcome = Result<Value, CallError>;

/// A length of time from what charts write: `1h30m`, or a number of seconds.
fn duration(value: &Value) -> Result<golang::Duration, String> {
    match value {
        Value::Nil => Err("invalid duration".into()),
        Value::String(text) => parse(&text.to_text()),
        Value::Int(seconds, _) => from_int(*seconds),
        Value::Uint(seconds, _) => match i64::try_from(*seconds) {
            Ok(seconds) => from_int(seconds),
            Err(_) => Err(format!("duration seconds overflow: {seconds}")),
        },
        Value::Float(seconds) => from_float(*seconds),
        Value::Host(host) => match host.as_any().downcast_ref::<Duration>() {
            Some(duration) => Ok(duration.0),
            None => match host.contents() {
                Some(Value::Int(seconds, _)) => from_int(seconds),
                _ => Err(format!("unsupported duration type {}", host.type_name())),
            },
        },
        _ => Err(format!("unsupported duration type {}", value.type_name())),
    }
}

fn parse(text: &str) -> Result<golang::Duration, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err("empty duration".into());
    }
    if let Ok(duration) = trimmed.parse() {
        return Ok(duration);
    }
    match golang::strconv::parse_float(trimmed) {
        Ok(seconds) => from_float(seconds),
        Err(_) => Err(format!(
            "could not parse duration {}",
            golang::strconv::quote(text)
        )),
    }
}

fn from_int(seconds: i64) -> Result<golang::Duration, String> {
    if (-SECONDS_MAX..=SECONDS_MAX).contains(&seconds) {
        Ok(golang::Duration::from_seconds(seconds))
    } else {
        Err(format!("duration seconds overflow: {seconds}"))
    }
}

fn from_float(seconds: f64) -> Result<golang::Duration, String> {
    let shown = || golang::strconv::format_float_g(seconds);
    if !seconds.is_finite() {
        return Err(format!("invalid duration seconds: {}", shown()));
    }
    if seconds.abs() > i64::MAX as f64 / SECOND as f64 {
        return Err(format!("duration seconds overflow: {}", shown()));
    }
    Ok(golang::Duration((seconds * SECOND as f64) as i64))
}

fn must_to_duration(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    Ok(Duration(duration(any(args, 0))?).into())
}

/// As a float of units of so many nanoseconds, divided once more.
fn counted<const UNIT: i64, const DIVISOR: u32>(
    _: &mut Context<'_>,
    args: &mut [Value],
) -> Outcome {
    let Ok(duration) = duration(any(args, 0)) else {
        return Ok(Value::Float(0.0));
    };
    let count = Duration(duration).count(UNIT);
    // Weeks are days by seven: two roundings.
    Ok(Value::Float(match DIVISOR {
        168 => count / 24.0 / 7.0,
        divisor => count / f64::from(divisor),
    }))
}

/// As a whole number of units of so many nanoseconds.
fn whole<const UNIT: i64>(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let duration = duration(any(args, 0)).unwrap_or_default();
    Ok(Value::int64(duration.nanoseconds() / UNIT))
}

fn to_multiple(
    args: &[Value],
    round: fn(golang::Duration, golang::Duration) -> golang::Duration,
) -> Outcome {
    let length = duration(any(args, 0)).unwrap_or_default();
    let unit = duration(any(args, 1)).unwrap_or_default();
    Ok(Duration(round(length, unit)).into())
}

fn round_to(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    to_multiple(args, golang::Duration::round)
}

fn truncate_to(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    to_multiple(args, golang::Duration::truncate)
}
