//! Lengths of time as Go's `time.Duration` reads and prints them.

use std::fmt;
use std::str::FromStr;

/// A signed length of time in nanoseconds; prints as Go does: `1h30m0s`, `1.5s`, `250ms`, `0s`.
///
/// This is also the text of a Kubernetes `metav1.Duration`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub i64);

const SECOND: i64 = 1_000_000_000;

impl Duration {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// So many seconds; saturates at 292 years.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// So many milliseconds; saturates at 292 years.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// So many minutes; saturates at 292 years.
    pub const fn from_minutes(minutes: i64) -> Self {
        Self::from_seconds(minutes.saturating_mul(60))
    }

    /// So many hours; saturates at 292 years.
    pub const fn from_hours(hours: i64) -> Self {
        Self::from_seconds(hours.saturating_mul(3600))
    }

    /// Nanoseconds.
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Whole milliseconds, rounded toward zero.
    pub const fn milliseconds(self) -> i64 {
        self.0 / 1_000_000
    }

    /// Whole seconds, rounded toward zero.
    pub const fn seconds(self) -> i64 {
        self.0 / SECOND
    }

    /// Rounded to the nearest multiple of `unit`, halves away from zero; unchanged when `unit` is
    /// not positive.
    pub fn round(self, unit: Self) -> Self {
        if unit.0 <= 0 {
            return self;
        }
        let rest = self.0 % unit.0;
        let down = self.0 - rest;
        if rest.unsigned_abs() >= unit.0.unsigned_abs().div_ceil(2) {
            Self(down.saturating_add(unit.0 * rest.signum()))
        } else {
            Self(down)
        }
    }

    /// Rounded toward zero to a multiple of `unit`; unchanged when `unit` is not positive.
    pub fn truncate(self, unit: Self) -> Self {
        if unit.0 <= 0 {
            self
        } else {
            Self(self.0 - self.0 % unit.0)
        }
    }

    /// For timers; a negative length is no time.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }

    /// The sum; saturates.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; saturates.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Why a text is no duration; prints as Go's `time.ParseDuration` does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not of the form `1h2m3.5s`, or more than 292 years.
    #[error("time: invalid duration {}", quote(.0))]
    Invalid(String),
    /// A number without a unit.
    #[error("time: missing unit in duration {}", quote(.0))]
    MissingUnit(String),
    /// A unit other than `ns`, `us`, `ms`, `s`, `m`, `h`.
    #[error("time: unknown unit {} in duration {}", quote(.unit), quote(.text))]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// The whole text.
        text: String,
    },
}

/// Longest text an error repeats; the rest is cut, as errors go into conditions.
const QUOTED_MAX: usize = 200;

/// As Go's `time` package quotes: printable ASCII stays, other bytes become `\x..`.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars().take(QUOTED_MAX) {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='~' => out.push(character),
            _ => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    out.push_str(&format!("\\x{byte:02x}"));
                }
            }
        }
    }
    out.push('"');
    out
}

impl FromStr for Duration {
    type Err = DurationError;

    /// Reads `1h30m`, `-1.5h`, `300ms`, `0`.
    ///
    /// # Source
    /// golang/go `src/time/format.go`, `ParseDuration`.
    fn from_str(text: &str) -> Result<Self, DurationError> {
        let invalid = || DurationError::Invalid(text.into());
        let negative = text.starts_with('-');
        let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (whole, after) = digits(rest);
            let (fraction, after_fraction) = match after.strip_prefix('.') {
                Some(after) => digits(after),
                None => ("", after),
            };
            if whole.is_empty() && fraction.is_empty() {
                return Err(invalid());
            }
            let count: u64 = match whole {
                "" => 0,
                _ => whole.parse().map_err(|_| invalid())?,
            };
            if count > 1 << 63 {
                return Err(invalid());
            }
            let unit_end = after_fraction
                .find(|character: char| character == '.' || character.is_ascii_digit())
                .unwrap_or(after_fraction.len());
            let (unit, after_unit) = after_fraction.split_at(unit_end);
            let scale: u64 = match unit {
                "" => return Err(DurationError::MissingUnit(text.into())),
                "ns" => 1,
                "us" | "µs" | "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                _ => {
                    return Err(DurationError::UnknownUnit {
                        unit: unit.into(),
                        text: text.into(),
                    });
                }
            };
            if count > (1 << 63) / scale {
                return Err(invalid());
            }
            total = total
                .checked_add(count * scale + fraction_of(fraction, scale))
                .filter(|total| *total <= 1 << 63)
                .ok_or_else(invalid)?;
            rest = after_unit;
        }
        if negative {
            return Ok(Self((total as i64).wrapping_neg()));
        }
        i64::try_from(total).map(Self).map_err(|_| invalid())
    }
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// `0.fraction` of `unit`, with Go's float arithmetic; digits beyond what 63 bits hold are ignored.
fn fraction_of(fraction: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0u64, 1f64);
    for digit in fraction.bytes() {
        if value > (i64::MAX as u64) / 10 {
            break;
        }
        let next = value * 10 + u64::from(digit - b'0');
        if next > 1 << 63 {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.0.unsigned_abs();
        if nanoseconds == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let (unit, name) = match nanoseconds {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            1_000_000..1_000_000_000 => (1_000_000, "ms"),
            _ => (1_000_000_000, "s"),
        };
        let whole = nanoseconds / unit;
        let (minutes, seconds) = (whole / 60, whole % 60);
        if name == "s" {
            if minutes >= 60 {
                write!(f, "{}h", minutes / 60)?;
            }
            if minutes > 0 {
                write!(f, "{}m", minutes % 60)?;
            }
            write!(f, "{seconds}")?;
        } else {
            write!(f, "{whole}")?;
        }
        let fraction = nanoseconds % unit;
        if fraction > 0 {
            let width = unit.ilog10() as usize;
            let digits = format!("{fraction:0width$}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str(name)
    }
}

/// An age as kubectl prints it: two or three significant figures, `45s`, `3m5s`, `4h7m`, `3d4h`,
/// `2y40d`; `<invalid>` for more than a second in the future.
///
/// # Source
/// kubernetes/apimachinery `pkg/util/duration/duration.go`, `HumanDuration`.
pub fn human_duration(age: Duration) -> String {
    let seconds = age.seconds();
    if seconds < -1 {
        return "<invalid>".into();
    }
    let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large}{large_unit}"),
        _ => format!("{large}{large_unit}{small}{small_unit}"),
    };
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        ..0 => "0s".into(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(hours / 24, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{}d", hours / 24),
        63_072_000..252_288_000 => two(hours / 24 / 365, "y", hours / 24 % 365, "d"),
        _ => format!("{}y", hours / 24 / 365),
    }
}

/// An age in one unit: `45s`, `3m`, `4h`, `3d`, `2y`.
///
/// # Source
/// kubernetes/apimachinery `pkg/util/duration/duration.go`, `ShortHumanDuration`.
pub fn short_human_duration(age: Duration) -> String {
    match age.seconds() {
        ..-1 => "<invalid>".into(),
        -1..0 => "0s".into(),
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3_600 => format!("{}m", seconds / 60),
        seconds @ 3_600..86_400 => format!("{}h", seconds / 3_600),
        seconds @ 86_400..31_536_000 => format!("{}d", seconds / 86_400),
        seconds => format!("{}y", seconds / 31_536_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_as_in_go() {
        for (text, printed) in [
            ("0", "0s"),
            ("1h", "1h0m0s"),
            ("90m", "1h30m0s"),
            ("1m30s", "1m30s"),
            ("1.5s", "1.5s"),
            ("-1.5h", "-1h30m0s"),
            ("300ms", "300ms"),
            ("1us", "1µs"),
            ("1500ns", "1.5µs"),
            (".5m", "30s"),
            ("1.s", "1s"),
            ("+5s", "5s"),
            ("2540400h10m10.000000001s", "2540400h10m10.000000001s"),
            ("-9223372036854775808ns", "-2562047h47m16.854775808s"),
            ("0.3333333333333333333h", "20m0s"),
        ] {
            let duration: Duration = text.parse().expect(text);
            assert_eq!(duration.to_string(), printed, "{text}");
        }
    }

    #[test]
    fn errors_read_as_in_go() {
        for (text, message) in [
            ("", r#"time: invalid duration """#),
            ("3", r#"time: missing unit in duration "3""#),
            ("3d", r#"time: unknown unit "d" in duration "3d""#),
            ("abc", r#"time: invalid duration "abc""#),
            (".s", r#"time: invalid duration ".s""#),
            (
                "1h é",
                r#"time: unknown unit "h \xc3\xa9" in duration "1h \xc3\xa9""#,
            ),
            (
                "9223372036854775808ns",
                r#"time: invalid duration "9223372036854775808ns""#,
            ),
        ] {
            let error = text.parse::<Duration>().expect_err(text);
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn ages_print_as_in_kubectl() {
        for (seconds, age, short) in [
            (-2, "<invalid>", "<invalid>"),
            (-1, "0s", "0s"),
            (0, "0s", "0s"),
            (119, "119s", "1m"),
            (120, "2m", "2m"),
            (185, "3m5s", "3m"),
            (600, "10m", "10m"),
            (3 * 3600, "3h", "3h"),
            (4 * 3600 + 7 * 60, "4h7m", "4h"),
            (8 * 3600 + 59, "8h", "8h"),
            (48 * 3600, "2d", "2d"),
            (76 * 3600, "3d4h", "3d"),
            (8 * 86400, "8d", "8d"),
            (2 * 365 * 86400, "2y", "2y"),
            ((3 * 365 + 40) * 86400, "3y40d", "3y"),
            (9 * 365 * 86400, "9y", "9y"),
        ] {
            let duration = Duration::from_seconds(seconds);
            assert_eq!(human_duration(duration), age, "{seconds}");
            assert_eq!(short_human_duration(duration), short, "{seconds}");
        }
    }

    #[test]
    fn rounding_takes_halves_away_from_zero() {
        let round = |text: &str, unit: &str| {
            let unit = unit.parse().expect("a unit");
            text.parse::<Duration>()
                .expect(text)
                .round(unit)
                .to_string()
        };
        assert_eq!(round("1h15m30.918273645s", "1ms"), "1h15m30.918s");
        assert_eq!(round("1h15m30.918273645s", "1h"), "1h0m0s");
        assert_eq!(round("-1.5s", "1s"), "-2s");
        assert_eq!(round("3ns", "2ns"), "4ns");
    }
}
