//! Cron schedules and time zones.

/// Names of time zones, one per line, as the Go distribution has them.
const ZONES: &str = include_str!("zones.txt");

/// Whether `name` is a time zone.
pub(super) fn is_zone(name: &str) -> bool {
    name == "UTC" || ZONES.lines().any(|zone| zone == name)
}

struct Bounds {
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const FIELDS: [Bounds; 5] = [
    Bounds {
        min: 0,
        max: 59,
        names: &[],
    },
    Bounds {
        min: 0,
        max: 23,
        names: &[],
    },
    Bounds {
        min: 1,
        max: 31,
        names: &[],
    },
    Bounds {
        min: 1,
        max: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Bounds {
        min: 0,
        max: 6,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// Says what is wrong with a schedule, in the words of the cron library behind CronJobs.
///
/// # Source
/// robfig/cron `parser.go` at v3.0.1, standard parser.
pub(super) fn check(schedule: &str) -> Result<(), String> {
    let mut rest = schedule;
    if rest.starts_with("TZ=") || rest.starts_with("CRON_TZ=") {
        let (zone, after) = rest.split_once(' ').ok_or("provided bad location")?;
        let name = zone.split_once('=').map_or("", |(_, name)| name);
        if !is_zone(name) && name != "Local" {
            return Err(format!(
                "provided bad location {name}: unknown time zone {name}"
            ));
        }
        rest = after.trim();
    }
    if rest.starts_with('@') {
        return descriptor(rest);
    }
    let parts: Vec<&str> = rest.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(format!(
            "expected exactly {} fields, found {}: [{}]",
            FIELDS.len(),
            parts.len(),
            parts.join(" ")
        ));
    }
    for (part, bounds) in parts.iter().zip(&FIELDS) {
        for expression in part.split(',').filter(|expression| !expression.is_empty()) {
            range(expression, bounds)?;
        }
    }
    Ok(())
}

fn descriptor(text: &str) -> Result<(), String> {
    let known = [
        "@yearly",
        "@annually",
        "@monthly",
        "@weekly",
        "@daily",
        "@midnight",
        "@hourly",
    ];
    if known.contains(&text) {
        return Ok(());
    }
    match text.strip_prefix("@every ") {
        Some(duration) if is_duration(duration) => Ok(()),
        Some(duration) => Err(format!(
            "failed to parse duration {text}: time: invalid duration \"{duration}\""
        )),
        None => Err(format!("unrecognized descriptor: {text}")),
    }
}

/// A Go duration: numbers with units.
fn is_duration(text: &str) -> bool {
    let mut rest = text.trim_start_matches(['+', '-']);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number = rest.trim_start_matches(|char: char| char.is_ascii_digit() || char == '.');
        let digits = &rest[..rest.len() - number.len()];
        let units = ["ns", "us", "µs", "ms", "s", "m", "h"];
        let unit = units
            .iter()
            .filter(|unit| number.starts_with(**unit))
            .max_by_key(|unit| unit.len());
        match unit {
            Some(unit) if digits.bytes().any(|byte| byte.is_ascii_digit()) => {
                rest = &number[unit.len()..];
            }
            _ => return false,
        }
    }
    true
}

fn range(expression: &str, bounds: &Bounds) -> Result<(), String> {
    let (span, step) = match expression.split('/').collect::<Vec<_>>()[..] {
        [span] => (span, None),
        [span, step] => (span, Some(step)),
        _ => return Err(format!("too many slashes: {expression}")),
    };
    let (start, end) = match span.split('-').collect::<Vec<_>>()[..] {
        ["*"] | ["?"] => (bounds.min, bounds.max),
        [one] => {
            let start = number(one, bounds)?;
            (start, if step.is_some() { bounds.max } else { start })
        }
        [start, end] => (number(start, bounds)?, number(end, bounds)?),
        _ => return Err(format!("too many hyphens: {expression}")),
    };
    let step = step.map_or(Ok(1), integer)?;
    if start < bounds.min {
        let min = bounds.min;
        return Err(format!(
            "beginning of range ({start}) below minimum ({min}): {expression}"
        ));
    }
    if end > bounds.max {
        let max = bounds.max;
        return Err(format!(
            "end of range ({end}) above maximum ({max}): {expression}"
        ));
    }
    if start > end {
        return Err(format!(
            "beginning of range ({start}) beyond end of range ({end}): {expression}"
        ));
    }
    if step == 0 {
        return Err(format!(
            "step of range should be a positive number: {expression}"
        ));
    }
    Ok(())
}

fn number(text: &str, bounds: &Bounds) -> Result<u32, String> {
    let lower = text.to_lowercase();
    match bounds.names.iter().position(|name| *name == lower) {
        Some(at) => Ok(at as u32 + bounds.min),
        None => integer(text),
    }
}

fn integer(text: &str) -> Result<u32, String> {
    match text.parse::<i64>() {
        Ok(number) => u32::try_from(number)
            .map_err(|_| format!("negative number ({number}) not allowed: {text}")),
        Err(_) => Err(format!(
            "failed to parse int from {text}: strconv.Atoi: parsing \"{text}\": invalid syntax"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_refused_in_the_words_of_the_library() {
        let table = [
            ("*/5 * * * *", None),
            ("0 0 1,15 jan-mar MON", None),
            ("@every 1h30m", None),
            ("* * *", Some("expected exactly 5 fields, found 3: [* * *]")),
            (
                "61 * * * *",
                Some("end of range (61) above maximum (59): 61"),
            ),
            ("@never", Some("unrecognized descriptor: @never")),
            (
                "* * 0 * *",
                Some("beginning of range (0) below minimum (1): 0"),
            ),
            (
                "*/0 * * * *",
                Some("step of range should be a positive number: */0"),
            ),
            (
                "5-1 * * * *",
                Some("beginning of range (5) beyond end of range (1): 5-1"),
            ),
            ("TZ=UTC * * * * *", None),
        ];
        for (schedule, error) in table {
            assert_eq!(check(schedule).err().as_deref(), error, "{schedule}");
        }
        assert!(is_zone("Europe/Berlin") && !is_zone("Mars/Olympus"));
    }
}
