//! Dates and lengths of time.
//!
//! The local zone is UTC, wherever the program runs.
//!
//! # Source
//! Masterminds/sprig v3.3 `date.go`.

mod duration;
mod location;
mod time;
mod zones;

use gotemplate::{
    CallError, Context, Function, Functions, IntType, Method, Signature, Type, Value,
};

use crate::take;

pub use duration::Duration;
pub use time::Time;

const TIME: Type = Type::Named("time.Time");
const DURATION: Type = Type::Named("time.Duration");

/// A method with these parameters.
const fn takes(params: &'static [Type]) -> Method {
    Method::Takes(Signature {
        params,
        variadic: None,
    })
}

pub(crate) fn add(functions: &mut Functions) {
    let mut add = |names: &[&'static str], params, body| {
        for name in names {
            let variadic = None;
            functions.insert(
                name,
                Function {
                    params,
                    variadic,
                    body,
                },
            );
        }
    };
    add(&["now"], &[], now);
    add(&["ago"], &[Type::Any], ago);
    add(&["date"], &[Type::String, Type::Any], date);
    add(
        &["date_in_zone", "dateInZone"],
        &[Type::String, Type::Any, Type::String],
        date_in_zone,
    );
    add(&["htmlDate"], &[Type::Any], html_date);
    add(
        &["htmlDateInZone"],
        &[Type::Any, Type::String],
        html_date_in_zone,
    );
    add(
        &["date_modify", "dateModify"],
        &[Type::String, TIME],
        date_modify,
    );
    add(
        &["must_date_modify", "mustDateModify"],
        &[Type::String, TIME],
        must_date_modify,
    );
    add(&["toDate"], &[Type::String, Type::String], to_date);
    add(&["mustToDate"], &[Type::String, Type::String], must_to_date);
    add(&["unixEpoch"], &[TIME], unix_epoch);
    add(&["duration"], &[Type::Any], duration_text);
    add(&["durationRound"], &[Type::Any], duration_round);
    // Others are when they take the time from outside.
    functions.impure(&["now", "ago"]);
}

type Outcome = Result<Value, CallError>;

const HTML: &[u8] = b"2006-01-02";

fn current(context: &mut Context<'_>) -> Time {
    context.mark_impure();
    context.world.now().into()
}

fn now(context: &mut Context<'_>, _: &mut [Value]) -> Outcome {
    Ok(current(context).into())
}

/// The time that a value names, if it does: seconds after 1970 must be of these types.
fn named_time(value: &Value, int32: bool) -> Option<Time> {
    match value {
        Value::Int(seconds, IntType::Int | IntType::Int64) => Some(Time::from_unix(*seconds)),
        Value::Int(seconds, IntType::Int32) if int32 => Some(Time::from_unix(*seconds)),
        Value::Host(host) => host.as_any().downcast_ref::<Time>().cloned(),
        _ => None,
    }
}

fn ago(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let now = current(context);
    let time = named_time(take::any(args, 0), false).unwrap_or_else(|| now.clone());
    let since = now.since(&time);
    let second = golang::Duration::from_seconds(1);
    Ok(since.round(second).to_string().into())
}

fn in_zone(context: &mut Context<'_>, layout: &[u8], value: &Value, zone: &[u8]) -> Outcome {
    let time = named_time(value, true).unwrap_or_else(|| current(context));
    Ok(zones::format(&time, zone, layout).into())
}

fn date(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let layout = take::text(args, 0);
    in_zone(context, layout.as_bytes(), take::any(args, 1), b"Local")
}

fn date_in_zone(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let (layout, zone) = (take::text(args, 0), take::text(args, 2));
    let value = take::any(args, 1);
    in_zone(context, layout.as_bytes(), value, zone.as_bytes())
}

fn html_date(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    in_zone(context, HTML, take::any(args, 0), b"Local")
}

fn html_date_in_zone(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let zone = take::text(args, 1);
    in_zone(context, HTML, take::any(args, 0), zone.as_bytes())
}

fn time_argument(args: &[Value], index: usize) -> Time {
    match take::any(args, index) {
        Value::Host(host) => host.as_any().downcast_ref::<Time>().cloned(),
        _ => None,
    }
    .unwrap_or_default()
}

fn date_modify(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let time = time_argument(args, 1);
    match take::text(args, 0).to_text().parse() {
        Ok(duration) => Ok(time.plus(duration).into()),
        Err(_) => Ok(time.into()),
    }
}

fn must_date_modify(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    match take::text(args, 0).to_text().parse() {
        Ok(duration) => Ok(time_argument(args, 1).plus(duration).into()),
        Err(error) => Err(golang::DurationError::to_string(&error).into()),
    }
}

fn to_date(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let (layout, text) = (take::text(args, 0), take::text(args, 1));
    let time = Time::parse(layout.as_bytes(), text.as_bytes());
    Ok(time.unwrap_or_default().into())
}

fn must_to_date(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let (layout, text) = (take::text(args, 0), take::text(args, 1));
    match Time::parse(layout.as_bytes(), text.as_bytes()) {
        Ok(time) => Ok(time.into()),
        Err(error) => Err(error.to_string().into()),
    }
}

fn unix_epoch(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    Ok(time_argument(args, 0).unix().to_string().into())
}

/// Seconds as text, or an `int64`; anything else is no time at all, an `int` too.
fn duration_text(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let seconds = match take::any(args, 0) {
        Value::String(text) => {
            let text = text.to_text();
            match golang::strconv::parse_int(&text, 10) {
                Ok(seconds) => seconds,
                Err(golang::strconv::NumberError::Syntax) => 0,
                Err(golang::strconv::NumberError::Range) if text.starts_with('-') => i64::MIN,
                Err(golang::strconv::NumberError::Range) => i64::MAX,
            }
        }
        Value::Int(seconds, IntType::Int64) => *seconds,
        _ => 0,
    };
    let duration = golang::Duration(seconds.wrapping_mul(1_000_000_000));
    Ok(duration.to_string().into())
}

/// The largest unit of which there is more than one, cut off behind it.
fn duration_round(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    const SECOND: u64 = 1_000_000_000;
    const UNITS: [(u64, &str); 6] = [
        (365 * 86_400 * SECOND, "y"),
        (30 * 86_400 * SECOND, "mo"),
        (86_400 * SECOND, "d"),
        (3_600 * SECOND, "h"),
        (60 * SECOND, "m"),
        (SECOND, "s"),
    ];
    let duration = match take::any(args, 0) {
        Value::String(text) => text.to_text().parse().unwrap_or_default(),
        Value::Int(nanoseconds, IntType::Int64) => golang::Duration(*nanoseconds),
        Value::Host(host) => match host.as_any().downcast_ref::<Time>() {
            Some(time) => current(context).since(time),
            None => golang::Duration::ZERO,
        },
        _ => golang::Duration::ZERO,
    };
    let length = duration.0.unsigned_abs();
    let unit = UNITS.iter().find(|(unit, _)| length > *unit);
    Ok(match unit {
        Some((unit, name)) => format!("{}{name}", length / unit).into(),
        None => "0s".into(),
    })
}
