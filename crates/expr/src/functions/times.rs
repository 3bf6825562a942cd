//! Fields of times and durations.
//!
//! Time zones are offsets (`+02:00`) or `UTC`: names of zones need a database, which this crate
//! does not have.
//!
//! # Source
//! google/cel-go `common/types/timestamp.go`, `duration.go`.

use golang::{Duration, Timestamp};

use super::{Function, Outcome, member, no_overload, text};
use crate::cost::Cost;
use crate::{EvalErrorKind, Shape, Value};

const TIME: &[&str] = &["google.protobuf.Timestamp"];
const BOTH: &[&str] = &["google.protobuf.Timestamp", "google.protobuf.Duration"];

const SECOND: i64 = 1_000_000_000;

/// First and last second that CEL can express: the years 1 to 9999.
const SECONDS_MIN: i64 = -62_135_596_800;
const SECONDS_MAX: i64 = 253_402_300_799;

const fn of_date(name: &'static str, call: fn(&[Value]) -> Outcome) -> Function {
    member(name, (1, 2), TIME, Cost::One, Shape::Int, call)
}

pub(super) static FUNCTIONS: &[Function] = &[
    of_date("getFullYear", |a| {
        field(a, |time| i64::from(time.civil().0))
    }),
    of_date("getMonth", |a| {
        field(a, |time| i64::from(time.civil().1) - 1)
    }),
    of_date("getDate", |a| field(a, |time| i64::from(time.civil().2))),
    of_date("getDayOfMonth", |a| {
        field(a, |time| i64::from(time.civil().2) - 1)
    }),
    of_date("getDayOfWeek", |a| {
        field(a, |time| i64::from(time.weekday()))
    }),
    of_date("getDayOfYear", |a| {
        field(a, |time| i64::from(time.year_day()) - 1)
    }),
    member(
        "getHours",
        (1, 2),
        BOTH,
        Cost::One,
        Shape::Int,
        |a| match &a[0] {
            Value::Duration(nanos) => Ok(Value::Int(nanos / (3600 * SECOND))),
            _ => field(a, |time| i64::from(time.civil().3)),
        },
    ),
    member(
        "getMinutes",
        (1, 2),
        BOTH,
        Cost::One,
        Shape::Int,
        |a| match &a[0] {
            Value::Duration(nanos) => Ok(Value::Int(nanos / (60 * SECOND))),
            _ => field(a, |time| i64::from(time.civil().4)),
        },
    ),
    member(
        "getSeconds",
        (1, 2),
        BOTH,
        Cost::One,
        Shape::Int,
        |a| match &a[0] {
            Value::Duration(nanos) => Ok(Value::Int(nanos / SECOND)),
            _ => field(a, |time| i64::from(time.civil().5)),
        },
    ),
    member(
        "getMilliseconds",
        (1, 2),
        BOTH,
        Cost::One,
        Shape::Int,
        |a| match &a[0] {
            Value::Duration(nanos) => Ok(Value::Int(nanos / 1_000_000)),
            _ => field(a, |time| i64::from(time.subsecond() / 1_000_000)),
        },
    ),
];

fn field(a: &[Value], of: fn(Timestamp) -> i64) -> Outcome {
    let Value::Timestamp(time) = &a[0] else {
        return no_overload();
    };
    let offset = match a.get(1) {
        Some(name) => zone(text(name)?)?,
        None => 0,
    };
    Ok(Value::Int(of(time.plus(Duration::from_seconds(offset)))))
}

/// Seconds east of UTC: `UTC`, empty, `+02:00`, `02:00`, `-08:00`.
fn zone(name: &str) -> Result<i64, EvalErrorKind> {
    if matches!(name, "" | "UTC" | "Z") {
        return Ok(0);
    }
    let (sign, digits) = match name.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, name.strip_prefix('+').unwrap_or(name)),
    };
    let unknown = || EvalErrorKind::from(format!("unknown time zone {name}"));
    let (hours, minutes) = digits.split_once(':').ok_or_else(unknown)?;
    let hours: i64 = hours
        .parse()
        .ok()
        .filter(|hours| *hours <= 24)
        .ok_or_else(unknown)?;
    let minutes: i64 = minutes.parse().map_err(|_| unknown())?;
    if !(0..60).contains(&minutes) || hours < 0 {
        return Err(unknown());
    }
    Ok(sign * (hours * 3600 + minutes * 60))
}

/// A time CEL can express.
pub(crate) fn valid(seconds: i64) -> bool {
    (SECONDS_MIN..=SECONDS_MAX).contains(&seconds)
}

/// `time + nanos`; `None` beyond what CEL can express.
pub(crate) fn later(time: Timestamp, nanos: i64) -> Option<Timestamp> {
    let carried = (i64::from(time.subsecond()) + nanos.rem_euclid(SECOND)) / SECOND;
    let seconds = time.unix() + nanos.div_euclid(SECOND) + carried;
    valid(seconds).then(|| time.plus(Duration(nanos)))
}

/// `later - earlier` in nanoseconds; `None` beyond 292 years.
pub(crate) fn between(later: Timestamp, earlier: Timestamp) -> Option<i64> {
    let seconds = later.unix() - earlier.unix();
    let fraction = i64::from(later.subsecond()) - i64::from(earlier.subsecond());
    seconds.checked_mul(SECOND)?.checked_add(fraction)
}

/// RFC 3339.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let time: Timestamp = text.parse().ok()?;
    valid(time.unix()).then_some(time)
}

/// `2006-01-02` as midnight UTC.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    parse_time(&format!("{text}T00:00:00Z"))
}

/// Go duration text in nanoseconds.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    text.parse().ok().map(|duration: Duration| duration.0)
}

/// A duration in seconds with the unit, as CEL prints it: `5400s`, `1.5s`.
pub(crate) fn duration_text(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let magnitude = nanos.unsigned_abs();
    let (seconds, fraction) = (magnitude / 1_000_000_000, magnitude % 1_000_000_000);
    if fraction == 0 {
        return format!("{sign}{seconds}s");
    }
    let decimals = format!("{fraction:09}");
    format!("{sign}{seconds}.{}s", decimals.trim_end_matches('0'))
}
