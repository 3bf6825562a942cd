//! Times from texts in the form that a layout shows.

use super::{
    Civil, Element, MONTHS, OffsetForm, Pad, Split, WEEKDAYS, days_in, days_to, quote, split,
};

/// What a text says about a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Seconds after 1970, the offset already subtracted.
    pub unix: i64,
    /// Nanoseconds within the second.
    pub nanoseconds: u32,
    /// The zone as written.
    pub zone: ParsedZone,
}

/// What a text says about its zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParsedZone {
    /// UTC by name or as `Z`.
    Utc,
    /// Nothing, or an offset of zero without a name: the local zone, which is UTC.
    Local,
    /// An offset, or the name of a zone; then the offset is unknown and zero, except in `GMT+3`.
    Fixed {
        /// Seconds east of Greenwich.
        offset: i32,
        /// May be empty.
        name: Vec<u8>,
    },
}

/// Why a text is no time of this form; prints as Go's `time.ParseError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LayoutError(String);

/// Longest text an error repeats; the rest is cut.
const QUOTED_MAX: usize = 1000;

fn short(text: &[u8]) -> String {
    quote(&text[..text.len().min(QUOTED_MAX)])
}

/// Reads a text in the form that `layout` shows; Go's `time.ParseInLocation` with a local zone
/// that is UTC.
///
/// # Errors
/// [`LayoutError`] when it has another form, or names a date or time that does not exist.
pub fn parse(layout: &[u8], text: &[u8]) -> Result<Parsed, LayoutError> {
    let mut fields = Fields::default();
    let mut layout_rest = layout;
    let mut rest = text;
    let problem = |what: String| LayoutError(format!("parsing time {}: {what}", short(text)));
    let mismatch = |element: &[u8], at: &[u8]| {
        LayoutError(format!(
            "parsing time {} as {}: cannot parse {} as {}",
            short(text),
            short(layout),
            short(at),
            short(element)
        ))
    };
    loop {
        let Split {
            before,
            element,
            after,
        } = split(layout_rest);
        rest = skip(rest, before).map_err(|at| mismatch(before, at))?;
        let Some((written, element)) = element else {
            break;
        };
        layout_rest = after;
        let mut reader = Reader {
            rest,
            fraction_follows: matches!(split(after).element, Some((_, Element::Fraction { .. }))),
        };
        match reader.read(element, &mut fields) {
            Ok(()) => rest = reader.rest,
            Err(Fault::Form) => return Err(mismatch(written, rest)),
            Err(Fault::Range(what)) => return Err(problem(format!("{what} out of range"))),
        }
    }
    if !rest.is_empty() {
        return Err(problem(format!("extra text: {}", short(rest))));
    }
    fields.finish().map_err(|what| problem(what.into()))
}

/// `text` behind `prefix`, where any number of blanks equals any other; on error where it differs.
fn skip<'a>(mut text: &'a [u8], mut prefix: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    let blanks = |text: &[u8]| text.iter().take_while(|&&byte| byte == b' ').count();
    while let Some(&first) = prefix.first() {
        if first == b' ' {
            if text.first().is_some_and(|&byte| byte != b' ') {
                return Err(text);
            }
            prefix = &prefix[blanks(prefix)..];
            text = &text[blanks(text)..];
        } else if text.first() == Some(&first) {
            prefix = &prefix[1..];
            text = &text[1..];
        } else {
            return Err(text);
        }
    }
    Ok(text)
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Fields {
    year: i64,
    month: Option<u32>,
    day: Option<u32>,
    year_day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanoseconds: u32,
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i32>,
    zone: Vec<u8>,
}

/// Why an element cannot be read.
enum Fault {
    /// It looks otherwise.
    Form,
    /// There is no such hour, month or whatever is named.
    Range(&'static str),
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Whether the layout goes on with a fraction of a second.
    fraction_follows: bool,
}

impl Reader<'_> {
    fn read(&mut self, element: Element, fields: &mut Fields) -> Result<(), Fault> {
        let within = |value: u32, end: u32, what| {
            if value < end {
                Ok(value)
            } else {
                Err(Fault::Range(what))
            }
        };
        match element {
            Element::LongMonth => fields.month = Some(self.name(&MONTHS, usize::MAX)? + 1),
            Element::Month => fields.month = Some(self.name(&MONTHS, 3)? + 1),
            Element::NumberMonth(two) => {
                let month = self.number(1 + usize::from(two), 2)?;
                within(month.wrapping_sub(1), 12, "month")?;
                fields.month = Some(month);
            }
            Element::LongWeekday => {
                self.name(&WEEKDAYS, usize::MAX)?;
            }
            Element::Weekday => {
                self.name(&WEEKDAYS, 3)?;
            }
            Element::Day(pad) => {
                self.blanks(pad, 1);
                fields.day = Some(self.number(1 + usize::from(pad == Pad::Zero), 2)?);
            }
            Element::YearDay(pad) => {
                self.blanks(pad, 2);
                fields.year_day = Some(self.number(if pad == Pad::Zero { 3 } else { 1 }, 3)?);
            }
            Element::Hour => fields.hour = within(self.number(1, 2)?, 24, "hour")?,
            Element::Hour12(two) => {
                fields.hour = within(self.number(1 + usize::from(two), 2)?, 13, "hour")?;
            }
            Element::Minute(two) => {
                fields.minute = within(self.number(1 + usize::from(two), 2)?, 60, "minute")?;
            }
            Element::Second(two) => {
                fields.second = within(self.number(1 + usize::from(two), 2)?, 60, "second")?;
                let point = matches!(self.rest, [b'.' | b',', b'0'..=b'9', ..]);
                if point && !self.fraction_follows {
                    let digits = self.rest[1..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_digit());
                    fields.nanoseconds = self.fraction(digits.count())?;
                }
            }
            Element::LongYear => {
                if !self.rest.first().is_some_and(u8::is_ascii_digit) {
                    return Err(Fault::Form);
                }
                fields.year = self.signed(4)?;
            }
            Element::Year => {
                let year = self.signed(2)?;
                fields.year = year + if year >= 69 { 1900 } else { 2000 };
            }
            Element::Half(capitals) => {
                let half = self.take(2)?;
                fields.afternoon = Some(match (half, capitals) {
                    (b"PM", true) | (b"pm", false) => true,
                    (b"AM", true) | (b"am", false) => false,
                    _ => return Err(Fault::Form),
                });
            }
            Element::ZoneName => {
                if self.rest.starts_with(b"UTC") {
                    fields.utc = true;
                    self.take(3)?;
                } else {
                    let length = zone_length(self.rest).ok_or(Fault::Form)?;
                    fields.zone = self.take(length)?.to_vec();
                }
            }
            Element::Offset(form) => {
                if form.z && self.rest.first() == Some(&b'Z') {
                    self.take(1)?;
                    fields.utc = true;
                } else {
                    fields.offset = Some(self.offset(form)?);
                }
            }
            Element::Fraction {
                digits,
                trim: false,
                ..
            } => fields.nanoseconds = self.fraction(digits)?,
            Element::Fraction { trim: true, .. } => {
                if matches!(self.rest, [b'.' | b',', b'0'..=b'9', ..]) {
                    let digits = self.rest[1..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_digit());
                    fields.nanoseconds = self.fraction(digits.count())?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&[u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Fault::Form)?;
        self.rest = rest;
        Ok(taken)
    }

    fn blanks(&mut self, pad: Pad, most: usize) {
        for _ in 0..most {
            if pad == Pad::Space && self.rest.first() == Some(&b' ') {
                self.rest = &self.rest[1..];
            }
        }
    }

    /// A number of `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Result<u32, Fault> {
        let digits = self
            .rest
            .iter()
            .take(most)
            .take_while(|byte| byte.is_ascii_digit());
        let count = digits.count();
        if count < least {
            return Err(Fault::Form);
        }
        let digits = self.take(count)?;
        Ok(digits
            .iter()
            .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
    }

    /// A number in exactly so many bytes, of which one may be a sign.
    fn signed(&mut self, length: usize) -> Result<i64, Fault> {
        let taken = self.take(length)?;
        let text = std::str::from_utf8(taken).map_err(|_| Fault::Form)?;
        text.parse().map_err(|_| Fault::Form)
    }

    /// Which of `names` comes, in any case; only their first bytes count.
    fn name(&mut self, names: &[&str], length: usize) -> Result<u32, Fault> {
        let found = names.iter().zip(0..).find(|(name, _)| {
            let name = &name[..name.len().min(length)];
            let text = self.rest.get(..name.len());
            text.is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()))
        });
        let (name, index) = found.ok_or(Fault::Form)?;
        self.take(name.len().min(length))?;
        Ok(index)
    }

    /// The point and so many digits, as nanoseconds.
    fn fraction(&mut self, digits: usize) -> Result<u32, Fault> {
        let taken = self.take(digits + 1)?;
        if !matches!(taken[0], b'.' | b',') {
            return Err(Fault::Form);
        }
        let digits = &taken[1..taken.len().min(10)];
        if !digits.iter().all(u8::is_ascii_digit) {
            return match digits {
                // Go reads a number with a sign here.
                [b'-', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => {
                    Err(Fault::Range("fractional second"))
                }
                _ => Err(Fault::Form),
            };
        }
        let value = digits
            .iter()
            .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        Ok(value * 10u32.pow(9 - digits.len() as u32))
    }

    fn offset(&mut self, form: OffsetForm) -> Result<i32, Fault> {
        let sign = match self.take(1)? {
            b"+" => Ok(1),
            b"-" => Ok(-1),
            _ => Err(Fault::Form),
        };
        let hours = self.number(2, 2)?;
        let mut part = |present: bool| {
            if !present {
                return Ok(0);
            }
            if form.colon && self.take(1)? != b":" {
                return Err(Fault::Form);
            }
            self.number(2, 2)
        };
        let minutes = part(form.minutes)?;
        let seconds = part(form.seconds)?;
        // People do write offsets of 24 hours and 60 minutes.
        for (value, max, what) in [
            (hours, 24, "time zone offset hour"),
            (minutes, 60, "time zone offset minute"),
            (seconds, 60, "time zone offset second"),
        ] {
            if value > max {
                return Err(Fault::Range(what));
            }
        }
        Ok(sign? * (hours * 3600 + minutes * 60 + seconds) as i32)
    }
}

/// Length of what looks like the name of a time zone: three capitals, or four or five with a T at
/// the end, `+03`, or `GMT-3`.
fn zone_length(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_length(rest));
    }
    if matches!(text[0], b'+' | b'-') {
        return Some(signed_length(text)).filter(|length| *length > 0);
    }
    let capitals = text
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_uppercase());
    match capitals.count() {
        5 if text[4] == b'T' => Some(5),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

/// Length of a sign and a number up to 23; zero when there is none.
fn signed_length(text: &[u8]) -> usize {
    let Some((b'+' | b'-', rest)) = text.split_first() else {
        return 0;
    };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = rest[..count].iter().fold(0u64, |sum, digit| {
        sum.saturating_mul(10).saturating_add((digit - b'0').into())
    });
    if count == 0 || value > 23 {
        0
    } else {
        1 + count
    }
}

impl Fields {
    fn finish(self) -> Result<Parsed, &'static str> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = self.month_and_day()?;
        if day < 1 || day > days_in(self.year, month) {
            return Err("day out of range");
        }
        let date = Civil::date_to_seconds(self.year, month.into(), day.into());
        let unix = date + i64::from(hour * 3600 + self.minute * 60 + self.second);
        let parsed = |unix, zone| Parsed {
            unix,
            nanoseconds: self.nanoseconds,
            zone,
        };
        if self.utc {
            return Ok(parsed(unix, ParsedZone::Utc));
        }
        if let Some(offset) = self.offset {
            let unix = unix - i64::from(offset);
            let zone = if offset == 0 && self.zone.is_empty() {
                ParsedZone::Local
            } else {
                ParsedZone::Fixed {
                    offset,
                    name: self.zone.clone(),
                }
            };
            return Ok(parsed(unix, zone));
        }
        if self.zone.is_empty() {
            return Ok(parsed(unix, ParsedZone::Local));
        }
        let hours = self.zone.strip_prefix(b"GMT").unwrap_or_default();
        let hours = std::str::from_utf8(hours).unwrap_or_default();
        let zone = ParsedZone::Fixed {
            offset: hours.parse::<i32>().unwrap_or_default() * 3600,
            name: self.zone.clone(),
        };
        Ok(parsed(unix, zone))
    }

    /// From the day of the year, if there is one, which must agree with the others.
    fn month_and_day(&self) -> Result<(u32, u32), &'static str> {
        let Some(year_day) = self.year_day else {
            return Ok((self.month.unwrap_or(1), self.day.unwrap_or(1)));
        };
        let first = days_to(self.year, 1, 1);
        if year_day < 1 || i64::from(year_day) > days_to(self.year + 1, 1, 1) - first {
            return Err("day-of-year out of range");
        }
        let civil = Civil::of((first + i64::from(year_day) - 1) * 86_400);
        if self.month.is_some_and(|month| month != civil.month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|day| day != civil.day) {
            return Err("day-of-year does not match day");
        }
        Ok((civil.month, civil.day))
    }
}
