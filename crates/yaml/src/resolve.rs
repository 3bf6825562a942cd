//! What a plain scalar means.
//!
//! # Source
//! yaml/go-yaml `resolve.go` of v2 (YAML 1.1 words, as `sigs.k8s.io/yaml` reads) and of v3.

use golang::strconv::{parse_float, parse_int, parse_uint};

use crate::node::tag;

/// Which words are booleans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// go-yaml v2, which is behind `sigs.k8s.io/yaml`, so behind the Kubernetes API: `yes`, `no`,
    /// `on`, `off`, `y`, `n` are booleans.
    #[default]
    V2,
    /// go-yaml v3, which is behind kustomize's trees: only `true` and `false` are.
    V3,
}

/// The meaning of a scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Above `i64::MAX`.
    Uint(u64),
    Float(f64),
    /// A date or time by its text.
    Timestamp,
    Text,
}

impl Scalar {
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Null => tag::NULL,
            Self::Bool(_) => tag::BOOL,
            Self::Int(_) | Self::Uint(_) => tag::INT,
            Self::Float(_) => tag::FLOAT,
            Self::Timestamp => tag::TIMESTAMP,
            Self::Text => tag::STR,
        }
    }
}

/// The short tag of a plain scalar by go-yaml v3's rules.
pub(crate) fn v3_tag(text: &str) -> &'static str {
    plain(text, Rules::V3, true).tag()
}

/// Whether `text`, written without quotes, is text.
///
/// By [`Rules::V2`] `yes`, `0x1f`, `1_000` and dates are not; a renderer quotes what is not.
pub fn reads_as_text(text: &str, rules: Rules) -> bool {
    plain(text, rules, true) == Scalar::Text
}

/// The meaning of a plain scalar. Dates are looked for only with `timestamps`.
pub(crate) fn plain(text: &str, rules: Rules, timestamps: bool) -> Scalar {
    let Some(first) = text.bytes().next() else {
        return Scalar::Null;
    };
    match first {
        b'0'..=b'9' | b'+' | b'-' => word(text, rules)
            .or_else(|| (timestamps && is_timestamp(text)).then_some(Scalar::Timestamp))
            .or_else(|| number(text))
            .unwrap_or(Scalar::Text),
        b'.' => word(text, rules)
            .or_else(|| parse_float(text).ok().map(Scalar::Float))
            .unwrap_or(Scalar::Text),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            word(text, rules).unwrap_or(Scalar::Text)
        }
        _ => Scalar::Text,
    }
}

fn word(text: &str, rules: Rules) -> Option<Scalar> {
    if text.len() > 5 {
        return None;
    }
    Some(match text {
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ if rules == Rules::V3 => return None,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        _ => return None,
    })
}

/// Integers with Go's prefixes, then floats; underscores anywhere are ignored. An integer too large
/// for 64 bits is a float when it is decimal and a text otherwise, which keeps checksums.
fn number(text: &str) -> Option<Scalar> {
    let without;
    let text = if text.contains('_') {
        without = text.replace('_', "");
        &without
    } else {
        text
    };
    if let Ok(value) = parse_int(text, 0) {
        return Some(Scalar::Int(value));
    }
    if let Ok(value) = parse_uint(text, 0) {
        return Some(Scalar::Uint(value));
    }
    if is_float(text)
        && let Ok(value) = parse_float(text)
    {
        return Some(Scalar::Float(value));
    }
    // What base-zero parsing leaves of these prefixes is a sign after them: `0b-1`.
    for (prefix, base) in [("0b", 2), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return parse_int(digits, base).ok().map(Scalar::Int);
        }
    }
    None
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = digits(rest);
    rest = &rest[whole..];
    if let Some(after) = rest.strip_prefix('.') {
        let fraction = digits(after);
        if whole == 0 && fraction == 0 {
            return false;
        }
        rest = &after[fraction..];
    } else if whole == 0 {
        return false;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

/// Whether go-yaml takes `text` for a date or time: `2001-1-2`, `2001-01-02 3:4:5.6`,
/// `2001-01-02T03:04:05Z` with a lower-case `t` allowed.
pub(crate) fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    parse_timestamp(text).is_some()
}

/// The time `text` names as RFC 3339, as Go marshals a `time.Time` to JSON.
pub(crate) fn timestamp_json(text: &str) -> Option<String> {
    parse_timestamp(text)
}

fn parse_timestamp(text: &str) -> Option<String> {
    let year: i32 = text.get(..4)?.parse().ok()?;
    let (month, rest) = one_or_two(text[4..].strip_prefix('-')?)?;
    let (day, rest) = one_or_two(rest.strip_prefix('-')?)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if day < 1 || day > days {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let spaced = rest.starts_with(' ');
    let rest = if spaced {
        rest.trim_start_matches(' ')
    } else {
        rest.strip_prefix(['T', 't'])?
    };
    let (hour, rest) = one_or_two(rest)?;
    let (minute, rest) = one_or_two(rest.strip_prefix(':')?)?;
    let (second, mut rest) = one_or_two(rest.strip_prefix(':')?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut fraction = String::new();
    if let Some(after) = rest.strip_prefix(['.', ',']) {
        let count = after.bytes().take_while(u8::is_ascii_digit).count();
        if count > 0 {
            fraction = after[..count.min(9)].trim_end_matches('0').into();
            if !fraction.is_empty() {
                fraction.insert(0, '.');
            }
            rest = &after[count..];
        }
    }
    let zone = match (spaced, rest.as_bytes()) {
        (true, b"") | (false, b"Z") => "Z",
        (false, [b'+' | b'-', a, b, b':', c, d])
            if [a, b, c, d].into_iter().all(u8::is_ascii_digit)
                && rest[1..3].parse().is_ok_and(|hours: u32| hours <= 24)
                && rest[4..].parse().is_ok_and(|minutes: u32| minutes <= 60) =>
        {
            if matches!(&rest[1..], "00:00") {
                "Z"
            } else {
                rest
            }
        }
        _ => return None,
    };
    Some(format!(
        "{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"
    ))
}

fn one_or_two(text: &str) -> Option<(u32, &str)> {
    let count = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    Some((text.get(..count)?.parse().ok()?, &text[count..]))
}
