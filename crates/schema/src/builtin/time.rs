//! Times as Go's API types read and write them.

/// Seconds since 1970 in UTC, with nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: u32,
}

/// Reads RFC 3339 as Go's `time.Parse` does; fractions of a second are optional.
///
/// With `micro`, the fraction must have exactly six digits, as `metav1.MicroTime` asks.
pub(crate) fn parse(text: &str, micro: bool) -> Option<Instant> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || !text.is_ascii() {
        return None;
    }
    for (at, separator) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        if bytes[at] != separator {
            return None;
        }
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to)?;
        digits.iter().try_fold(0i64, |sum, digit| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + i64::from(digit - b'0'))
        })
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let in_range = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    let mut at = 19;
    let mut nanoseconds = 0u32;
    if matches!(bytes[at], b'.' | b',') {
        let digits = bytes[at + 1..]
            .iter()
            .take_while(|digit| digit.is_ascii_digit())
            .count();
        if digits == 0 || (micro && digits != 6) {
            return None;
        }
        for place in 0..9 {
            let digit = if place < digits {
                bytes[at + 1 + place] - b'0'
            } else {
                0
            };
            nanoseconds = nanoseconds * 10 + u32::from(digit);
        }
        at += 1 + digits;
    } else if micro {
        return None;
    }
    let offset = match bytes.get(at)? {
        b'Z' if bytes.len() == at + 1 => 0,
        sign @ (b'+' | b'-') if bytes.len() == at + 6 && bytes[at + 3] == b':' => {
            let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
            if hours > 24 || minutes >= 60 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let days = days_from_civil(year, month, day);
    Some(Instant {
        seconds: days * 86_400 + hour * 3600 + minute * 60 + second - offset,
        nanoseconds,
    })
}

impl Instant {
    /// The zero time of Go, which stands for "not set".
    pub(crate) fn is_go_zero(self) -> bool {
        self.seconds == -62_135_596_800 && self.nanoseconds == 0
    }

    /// `2024-01-02T03:04:05Z`, with `micro` `2024-01-02T03:04:05.000006Z`; `None` outside years 0 to 9999.
    pub(crate) fn format(self, micro: bool) -> Option<String> {
        let days = self.seconds.div_euclid(86_400);
        let second = self.seconds.rem_euclid(86_400);
        let (year, month, day) = civil_from_days(days)?;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        if micro {
            text.push_str(&format!(".{:06}", self.nanoseconds / 1000));
        }
        text.push('Z');
        Some(text)
    }
}

/// Why Go's `time.Parse` refuses `text`.
pub(crate) fn complaint(text: &str, micro: bool) -> String {
    let layout = match micro {
        true => "2006-01-02T15:04:05.000000Z07:00",
        false => "2006-01-02T15:04:05Z07:00",
    };
    let quoted = crate::field_error::quote(text);
    let cannot = |rest: &str, element: &str| {
        let rest = crate::field_error::quote(rest);
        format!("parsing time {quoted} as \"{layout}\": cannot parse {rest} as \"{element}\"")
    };
    // Element of the layout, digits it takes, and the name of its range.
    let elements: [(&str, usize, &str); 11] = [
        ("2006", 4, ""),
        ("-", 0, ""),
        ("01", 2, "month"),
        ("-", 0, ""),
        ("02", 2, "day"),
        ("T", 0, ""),
        ("15", 2, "hour"),
        (":", 0, ""),
        ("04", 2, "minute"),
        (":", 0, ""),
        ("05", 2, "second"),
    ];
    let mut rest = text;
    let mut numbers = Vec::new();
    for (element, digits, range) in elements {
        if digits == 0 {
            match rest.strip_prefix(element) {
                Some(after) => rest = after,
                None => return cannot(rest, element),
            }
            continue;
        }
        let taken = rest
            .get(..digits)
            .filter(|taken| taken.bytes().all(|byte| byte.is_ascii_digit()));
        let Some(number) = taken.and_then(|taken| taken.parse::<i64>().ok()) else {
            return cannot(rest, element);
        };
        rest = &rest[digits..];
        numbers.push(number);
        let fits = match range {
            "month" => (1..=12).contains(&number),
            "hour" => number < 24,
            "minute" | "second" => number < 60,
            _ => true,
        };
        if !fits {
            return format!("parsing time {quoted}: {range} out of range");
        }
    }
    let digits = match rest.strip_prefix(['.', ',']) {
        Some(after) => after.bytes().take_while(u8::is_ascii_digit).count(),
        None => 0,
    };
    if micro && digits != 6 {
        return cannot(rest, ".000000");
    }
    if digits > 0 {
        rest = &rest[1 + digits..];
    }
    let day = numbers.get(2).copied().unwrap_or(1);
    let (year, month) = (
        numbers.first().copied().unwrap_or(0),
        numbers.get(1).copied().unwrap_or(1),
    );
    if rest.is_empty() || !rest.starts_with(['Z', '+', '-']) {
        return cannot(rest, "Z07:00");
    }
    if !(1..=days_in_month(year, month)).contains(&day) {
        return format!("parsing time {quoted}: day out of range");
    }
    match rest.strip_prefix('Z') {
        Some(extra) if !extra.is_empty() => {
            let extra = crate::field_error::quote(extra);
            format!("parsing time {quoted}: extra text: {extra}")
        }
        _ => cannot(rest, "Z07:00"),
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> Option<(i64, i64, i64)> {
    /// Days of about 20,000 years either way; anything beyond is outside four-digit years.
    const DAYS_MAX: i64 = 7_300_000;
    if days.abs() > DAYS_MAX {
        return None;
    }
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (0..=9999).contains(&year).then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_in_utc() {
        let table = [
            ("2024-02-29T23:30:00-02:00", Some("2024-03-01T01:30:00Z")),
            ("1970-01-01T00:00:00Z", Some("1970-01-01T00:00:00Z")),
            ("2000-12-31T23:59:59.999Z", Some("2000-12-31T23:59:59Z")),
            ("2023-02-29T00:00:00Z", None),
            ("2023-02-28 00:00:00Z", None),
            ("2023-02-28T00:00:00", None),
        ];
        for (text, expected) in table {
            let canonical = parse(text, false).and_then(|time| time.format(false));
            assert_eq!(canonical.as_deref(), expected, "{text}");
        }
        let micro = parse("2024-01-01T00:00:00.000007+01:00", true).expect("six digits");
        assert_eq!(
            micro.format(true).as_deref(),
            Some("2023-12-31T23:00:00.000007Z")
        );
        assert_eq!(parse("2024-01-01T00:00:00Z", true), None);
        assert!(parse("0001-01-01T00:00:00Z", false).is_some_and(Instant::is_go_zero));
    }
}
