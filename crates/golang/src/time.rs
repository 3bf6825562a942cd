//! Points in time as Kubernetes reads and prints them; [`layout`] for all other forms.

pub mod layout;

use std::fmt;
use std::str::FromStr;

use crate::Duration;

/// A point in time: nanoseconds of a day in UTC, within the years 0 to 9999.
///
/// `Display` is RFC 3339 with whole seconds, as `metav1.Time` prints; see [`Timestamp::to_micro`]
/// for `metav1.MicroTime` and [`Timestamp::to_nano`] for Go's `time.RFC3339Nano`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

/// Seconds from 0000-01-01 to 1970-01-01.
const YEAR_ZERO: i64 = -62_167_219_200;
/// Seconds from 1970-01-01 to the last second of 9999.
const YEAR_9999: i64 = 253_402_300_799;

impl Timestamp {
    /// Midnight of 1970-01-01.
    pub const UNIX_EPOCH: Self = Self {
        seconds: 0,
        nanoseconds: 0,
    };

    /// So many seconds after 1970, moved into the years 0 to 9999.
    pub fn from_unix(seconds: i64) -> Self {
        Self::from_unix_nanos(seconds, 0)
    }

    /// So many seconds and nanoseconds after 1970, moved into the years 0 to 9999.
    pub fn from_unix_nanos(seconds: i64, nanoseconds: u32) -> Self {
        let whole = seconds.saturating_add(i64::from(nanoseconds / 1_000_000_000));
        let clamped = whole.clamp(YEAR_ZERO, YEAR_9999);
        Self {
            seconds: clamped,
            nanoseconds: if clamped == whole {
                nanoseconds % 1_000_000_000
            } else {
                0
            },
        }
    }

    /// Whole seconds after 1970.
    pub fn unix(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second.
    pub fn subsecond(self) -> u32 {
        self.nanoseconds
    }

    /// The time `duration` later, or earlier if negative.
    pub fn plus(self, duration: Duration) -> Self {
        let nanoseconds = i64::from(self.nanoseconds) + duration.0.rem_euclid(1_000_000_000);
        let seconds = self.seconds + duration.0.div_euclid(1_000_000_000);
        // Below 2e9, so inside u32.
        Self::from_unix_nanos(seconds, nanoseconds as u32)
    }

    /// The time `duration` earlier.
    pub fn minus(self, duration: Duration) -> Self {
        self.plus(Duration(duration.0.saturating_neg()))
    }

    /// From `earlier` to this; saturates at 292 years.
    pub fn since(self, earlier: Self) -> Duration {
        let nanoseconds = i128::from(self.seconds - earlier.seconds) * 1_000_000_000
            + i128::from(self.nanoseconds)
            - i128::from(earlier.nanoseconds);
        Duration(nanoseconds.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }

    /// The same without the fraction of a second, as Kubernetes stores times.
    pub fn truncate_to_seconds(self) -> Self {
        Self {
            nanoseconds: 0,
            ..self
        }
    }

    /// `2006-01-02T15:04:05.000000Z`, the text of a `metav1.MicroTime`.
    pub fn to_micro(self) -> String {
        let text = self.to_string();
        format!("{}.{:06}Z", &text[..19], self.nanoseconds / 1000)
    }

    /// RFC 3339 with as many digits of the second as needed, Go's `time.RFC3339Nano`.
    pub fn to_nano(self) -> String {
        if self.nanoseconds == 0 {
            return self.to_string();
        }
        let text = self.to_string();
        let fraction = format!("{:09}", self.nanoseconds);
        format!("{}.{}Z", &text[..19], fraction.trim_end_matches('0'))
    }

    /// Year, month, day, hour, minute and second in UTC.
    pub fn civil(self) -> (i32, u32, u32, u32, u32, u32) {
        let second = self.seconds.rem_euclid(86_400) as u32;
        let (year, month, day) = date_of(self.seconds.div_euclid(86_400));
        (
            year as i32,
            month,
            day,
            second / 3600,
            second / 60 % 60,
            second % 60,
        )
    }

    /// The point in time of a date and time in UTC; `None` when there is no such date or time.
    pub fn from_civil(
        (year, month, day): (i32, u32, u32),
        (hour, minute, second): (u32, u32, u32),
        nanoseconds: u32,
    ) -> Option<Self> {
        let valid = (0..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year.into(), month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60
            && nanoseconds < 1_000_000_000;
        valid.then(|| Self {
            seconds: days_to(year.into(), month, day) * 86_400
                + i64::from(hour * 3600 + minute * 60 + second),
            nanoseconds,
        })
    }

    /// The day of the week, Sunday being zero.
    pub fn weekday(self) -> u32 {
        (self.seconds.div_euclid(86_400) + 4).rem_euclid(7) as u32
    }

    /// The day of the year, from one.
    pub fn year_day(self) -> u32 {
        let (year, ..) = self.civil();
        (self.seconds.div_euclid(86_400) - days_to(year.into(), 1, 1)) as u32 + 1
    }
}

/// A text that is no RFC 3339 time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parsing time {} as \"2006-01-02T15:04:05Z07:00\"", crate::strconv::quote(.text))]
pub struct TimeError {
    /// The text.
    pub text: String,
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Reads RFC 3339 with or without a fraction; the offset is applied and forgotten.
    ///
    /// # Source
    /// golang/go `src/time/format.go`, `Parse` with `time.RFC3339`: a one-digit hour, a comma
    /// before the fraction and any number of its digits are accepted.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        parse(text).ok_or_else(|| TimeError { text: text.into() })
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let (year, rest) = number(text, 4, 4)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 2, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 2, 2)?;
    let (hour, rest) = number(rest.strip_prefix('T')?, 1, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2, 2)?;
    let (second, mut rest) = number(rest.strip_prefix(':')?, 2, 2)?;
    let mut nanoseconds = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let count = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return None;
        }
        let digits = format!("{:0<9}", &fraction[..count.min(9)]);
        nanoseconds = digits.parse().ok()?;
        rest = &fraction[count..];
    }
    let date = (year as i32, month, day);
    let time = Timestamp::from_civil(date, (hour, minute, second), nanoseconds)?;
    let offset = match rest.as_bytes() {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), ..] => {
            let (hours, rest) = number(&rest[1..], 2, 2)?;
            let (minutes, rest) = number(rest.strip_prefix(':')?, 2, 2)?;
            if hours > 24 || minutes > 60 || !rest.is_empty() {
                return None;
            }
            let seconds = i64::from(hours * 3600 + minutes * 60);
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    Some(Timestamp::from_unix_nanos(
        time.seconds - offset,
        nanoseconds,
    ))
}

/// A number of `least` to `most` digits and what follows it.
fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if count < least {
        return None;
    }
    Some((text[..count].parse().ok()?, &text[count..]))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second) = self.civil();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

fn days_in(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years are counted from
/// March, so that the leap day is a year's last.
fn days_to(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = i64::from(month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date so many days after 1970-01-01.
fn date_of(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    let year = era * 400 + year + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_in_three_precisions() {
        let time: Timestamp = "2026-11-21T13:27:07.1234567+02:00".parse().expect("a time");
        assert_eq!(time.to_string(), "2026-11-21T11:27:07Z");
        assert_eq!(time.to_micro(), "2026-11-21T11:27:07.123456Z");
        assert_eq!(time.to_nano(), "2026-11-21T11:27:07.1234567Z");
        assert_eq!(time.unix(), 1_795_260_427);
    }

    #[test]
    fn every_day_of_ten_thousand_years_survives_a_round_trip() {
        for days in (YEAR_ZERO / 86_400..=YEAR_9999 / 86_400).step_by(13) {
            let (year, month, day) = date_of(days);
            assert_eq!(days_to(year, month, day), days, "{year}-{month}-{day}");
        }
        for text in [
            "0000-01-01T00:00:00Z",
            "2000-02-29T23:59:59Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn texts_that_are_no_times_are_refused() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-21 13:27:07Z",
            "2026-11-21T13:27:07",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T13:27:60Z",
            "2026-11-21T13:27:07.Z",
            "2026-11-21T13:27:07+0200",
            "2026-11-21t13:27:07Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn arithmetic_carries_and_saturates() {
        let time = Timestamp::from_unix_nanos(10, 500_000_000);
        assert_eq!(
            time.plus(Duration::from_millis(600)).to_nano(),
            "1970-01-01T00:00:11.1Z"
        );
        assert_eq!(
            time.minus(Duration::from_millis(600)).to_nano(),
            "1970-01-01T00:00:09.9Z"
        );
        let far = Timestamp::from_unix(i64::MAX);
        assert_eq!(far.since(Timestamp::UNIX_EPOCH), Duration(i64::MAX));
        assert_eq!((far.weekday(), far.year_day()), (5, 365));
    }
}
