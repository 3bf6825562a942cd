//! Times in the form that an example shows: Go's reference time, `Mon Jan 2 15:04:05 MST 2006`.
//!
//! Texts are bytes, as Go's strings are. Deliberately absent: time zones by name. Whoever formats
//! knows the offset; what parses reports the zone as it was written.
//!
//! # Source
//! golang/go `src/time/format.go`.

mod parse;

use super::{date_of, days_in, days_to};

pub use parse::{LayoutError, Parsed, ParsedZone, parse};

/// English names, Sunday first.
pub const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// English names, January first.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A point in time as a clock in some place shows it.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Seconds after 1970, in UTC.
    pub unix: i64,
    /// Nanoseconds within the second.
    pub nanoseconds: u32,
    /// Seconds that the place is east of Greenwich.
    pub offset: i32,
    /// What the place calls its time; may be empty.
    pub zone: &'a [u8],
}

/// Date and time of day that a clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they are called")]
pub struct Civil {
    pub year: i64,
    /// From one.
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    /// From zero, Sunday.
    pub weekday: u32,
    /// From one.
    pub year_day: u32,
}

/// Farthest from 1970 that dates are told apart, in seconds; some 290 billion years less than 64
/// bits hold, so that sums with offsets and dates stay inside.
const SECONDS_MAX: i64 = i64::MAX / 2;

impl Civil {
    /// Date and time of so many seconds after 1970, the offset already added.
    pub fn of(seconds: i64) -> Self {
        let seconds = seconds.clamp(-SECONDS_MAX, SECONDS_MAX);
        let days = seconds.div_euclid(86_400);
        let second = seconds.rem_euclid(86_400) as u32;
        let (year, month, day) = date_of(days);
        Self {
            year,
            month,
            day,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
            weekday: (days + 4).rem_euclid(7) as u32,
            year_day: (days - days_to(year, 1, 1)) as u32 + 1,
        }
    }

    /// Seconds after 1970 of a date, which may name a month or a day that the year or the month
    /// does not have: those count on.
    pub fn date_to_seconds(year: i64, month: i64, day: i64) -> i64 {
        // Go's arithmetic wraps; beyond this nobody can tell.
        const MAX: i64 = 1 << 38;
        let month = month.clamp(-MAX, MAX) - 1;
        let year = year.clamp(-MAX, MAX) + month.div_euclid(12);
        let first = days_to(year, month.rem_euclid(12) as u32 + 1, 1);
        let days = first.saturating_add(day.clamp(-MAX, MAX) - 1);
        days.saturating_mul(86_400).clamp(-SECONDS_MAX, SECONDS_MAX)
    }
}

/// A part of a layout that stands for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    LongMonth,
    Month,
    /// Whether it has two digits always.
    NumberMonth(bool),
    LongWeekday,
    Weekday,
    Day(Pad),
    YearDay(Pad),
    Hour,
    /// Whether it has two digits always.
    Hour12(bool),
    Minute(bool),
    Second(bool),
    LongYear,
    Year,
    /// Whether in capitals.
    Half(bool),
    ZoneName,
    Offset(OffsetForm),
    Fraction {
        digits: usize,
        /// Whether zeros at the end are left out.
        trim: bool,
        comma: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pad {
    None,
    Space,
    Zero,
}

/// How an offset from UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OffsetForm {
    /// Whether UTC is `Z`.
    z: bool,
    colon: bool,
    minutes: bool,
    seconds: bool,
}

const fn offset(z: bool, colon: bool, minutes: bool, seconds: bool) -> Element {
    Element::Offset(OffsetForm {
        z,
        colon,
        minutes,
        seconds,
    })
}

/// What layouts are made of; of two that begin alike, the longer comes first.
const WORDS: [(&str, Element); 33] = [
    ("January", Element::LongMonth),
    ("Jan", Element::Month),
    ("Monday", Element::LongWeekday),
    ("Mon", Element::Weekday),
    ("MST", Element::ZoneName),
    ("01", Element::NumberMonth(true)),
    ("02", Element::Day(Pad::Zero)),
    ("03", Element::Hour12(true)),
    ("04", Element::Minute(true)),
    ("05", Element::Second(true)),
    ("06", Element::Year),
    ("002", Element::YearDay(Pad::Zero)),
    ("15", Element::Hour),
    ("1", Element::NumberMonth(false)),
    ("2006", Element::LongYear),
    ("2", Element::Day(Pad::None)),
    ("__2", Element::YearDay(Pad::Space)),
    ("_2", Element::Day(Pad::Space)),
    ("3", Element::Hour12(false)),
    ("4", Element::Minute(false)),
    ("5", Element::Second(false)),
    ("PM", Element::Half(true)),
    ("pm", Element::Half(false)),
    ("-070000", offset(false, false, true, true)),
    ("-07:00:00", offset(false, true, true, true)),
    ("-0700", offset(false, false, true, false)),
    ("-07:00", offset(false, true, true, false)),
    ("-07", offset(false, false, false, false)),
    ("Z070000", offset(true, false, true, true)),
    ("Z07:00:00", offset(true, true, true, true)),
    ("Z0700", offset(true, false, true, false)),
    ("Z07:00", offset(true, true, true, false)),
    ("Z07", offset(true, false, false, false)),
];

/// The element at the start of `layout` and how long it is.
fn element_at(layout: &[u8]) -> Option<(Element, usize)> {
    let first = *layout.first()?;
    if matches!(first, b'.' | b',') {
        return fraction_at(layout);
    }
    WORDS.iter().find_map(|(word, element)| {
        let rest = layout.strip_prefix(word.as_bytes())?;
        let whole_word = match element {
            Element::Month | Element::Weekday => !rest.first().is_some_and(u8::is_ascii_lowercase),
            // An underscore before a year is one.
            Element::Day(Pad::Space) => !rest.starts_with(b"006"),
            _ => true,
        };
        whole_word.then_some((*element, word.len()))
    })
}

/// `.000` or `,999`, unless other digits follow.
fn fraction_at(layout: &[u8]) -> Option<(Element, usize)> {
    let digit = *layout.get(1)?;
    if !matches!(digit, b'0' | b'9') {
        return None;
    }
    let digits = layout[1..].iter().take_while(|&&byte| byte == digit);
    let digits = digits.count();
    if layout.get(1 + digits).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let element = Element::Fraction {
        digits,
        trim: digit == b'9',
        comma: layout[0] == b',',
    };
    Some((element, 1 + digits))
}

/// A layout up to its first element and behind it.
struct Split<'a> {
    before: &'a [u8],
    /// The element as written, and what it is.
    element: Option<(&'a [u8], Element)>,
    after: &'a [u8],
}

fn split(layout: &[u8]) -> Split<'_> {
    for at in 0..layout.len() {
        if let Some((element, length)) = element_at(&layout[at..]) {
            let (written, after) = layout[at..].split_at(length);
            return Split {
                before: &layout[..at],
                element: Some((written, element)),
                after,
            };
        }
    }
    Split {
        before: layout,
        element: None,
        after: &[],
    }
}

/// The text of a moment in the form that `layout` shows; Go's `Time.Format`.
pub fn format(moment: &Moment<'_>, layout: &[u8]) -> Vec<u8> {
    let local = moment.unix.saturating_add(i64::from(moment.offset));
    let civil = Civil::of(local);
    let mut out = Vec::with_capacity(layout.len() + 10);
    let mut rest = layout;
    loop {
        let Split {
            before,
            element,
            after,
        } = split(rest);
        out.extend_from_slice(before);
        let Some((_, element)) = element else {
            return out;
        };
        push_element(&mut out, element, &civil, moment);
        rest = after;
    }
}

fn push_element(out: &mut Vec<u8>, element: Element, civil: &Civil, moment: &Moment<'_>) {
    let month = MONTHS[civil.month as usize - 1];
    let weekday = WEEKDAYS[civil.weekday as usize];
    let two = |zeros: bool| if zeros { 2 } else { 0 };
    let hour12 = match civil.hour % 12 {
        0 => 12,
        hour => hour,
    };
    match element {
        Element::LongMonth => out.extend_from_slice(month.as_bytes()),
        Element::Month => out.extend_from_slice(&month.as_bytes()[..3]),
        Element::NumberMonth(zeros) => push_number(out, civil.month.into(), two(zeros)),
        Element::LongWeekday => out.extend_from_slice(weekday.as_bytes()),
        Element::Weekday => out.extend_from_slice(&weekday.as_bytes()[..3]),
        Element::Day(pad) => push_padded(out, civil.day, pad, 2),
        Element::YearDay(pad) => push_padded(out, civil.year_day, pad, 3),
        Element::Hour => push_number(out, civil.hour.into(), 2),
        Element::Hour12(zeros) => push_number(out, hour12.into(), two(zeros)),
        Element::Minute(zeros) => push_number(out, civil.minute.into(), two(zeros)),
        Element::Second(zeros) => push_number(out, civil.second.into(), two(zeros)),
        Element::LongYear => push_number(out, civil.year, 4),
        Element::Year => push_number(out, civil.year.abs() % 100, 2),
        Element::Half(capitals) => out.extend_from_slice(match (civil.hour >= 12, capitals) {
            (false, true) => b"AM",
            (true, true) => b"PM",
            (false, false) => b"am",
            (true, false) => b"pm",
        }),
        Element::ZoneName if moment.zone.is_empty() => {
            let form = OffsetForm {
                z: false,
                colon: false,
                minutes: true,
                seconds: false,
            };
            push_offset(out, moment.offset, form);
        }
        Element::ZoneName => out.extend_from_slice(moment.zone),
        Element::Offset(form) => push_offset(out, moment.offset, form),
        Element::Fraction {
            digits,
            trim,
            comma,
        } => push_fraction(out, moment.nanoseconds, digits, trim, comma),
    }
}

fn push_padded(out: &mut Vec<u8>, number: u32, pad: Pad, width: usize) {
    match pad {
        Pad::None => push_number(out, number.into(), 0),
        Pad::Zero => push_number(out, number.into(), width),
        Pad::Space => out.extend_from_slice(format!("{number:width$}").as_bytes()),
    }
}

/// A number with zeros up to a width; a sign comes on top of it.
fn push_number(out: &mut Vec<u8>, number: i64, width: usize) {
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(format!("{:0width$}", number.unsigned_abs()).as_bytes());
}

fn push_offset(out: &mut Vec<u8>, offset: i32, form: OffsetForm) {
    if form.z && offset == 0 {
        out.push(b'Z');
        return;
    }
    // The sign is that of the whole minutes, so 30 seconds to the west print as `+0000`.
    let minutes = offset / 60;
    out.push(if minutes < 0 { b'-' } else { b'+' });
    push_number(out, i64::from(minutes.abs() / 60), 2);
    if form.colon {
        out.push(b':');
    }
    if form.minutes {
        push_number(out, i64::from(minutes.abs() % 60), 2);
    }
    if form.seconds {
        if form.colon {
            out.push(b':');
        }
        let seconds = if minutes < 0 { -offset } else { offset };
        push_number(out, i64::from(seconds % 60), 2);
    }
}

fn push_fraction(out: &mut Vec<u8>, nanoseconds: u32, digits: usize, trim: bool, comma: bool) {
    if trim && nanoseconds == 0 {
        return;
    }
    let all = format!("{nanoseconds:09}");
    let mut shown = &all[..digits.min(9)];
    if trim {
        shown = shown.trim_end_matches('0');
        if shown.is_empty() {
            return;
        }
    }
    out.push(if comma { b',' } else { b'.' });
    out.extend_from_slice(shown.as_bytes());
}

/// As Go's `time` package quotes: printable ASCII stays, other bytes become `\x..`.
pub(super) fn quote(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=0x7f => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}
