//! Text formats a schema may ask for.
//!
//! # Source
//! kubernetes/kube-openapi `pkg/validation/strfmt`; which names count:
//! kubernetes/apiextensions-apiserver `pkg/apiserver/validation/formats.go`.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A known format of text or numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    BsonObjectId,
    Uri,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Cidr,
    Mac,
    Uuid(Option<u8>),
    Isbn,
    Isbn10,
    Isbn13,
    CreditCard,
    Ssn,
    HexColor,
    RgbColor,
    Byte,
    Password,
    Date,
    Duration,
    DateTime,
    ShortName,
    LongName,
    Int32,
    Int64,
    Float,
    Double,
}

impl Format {
    /// The format called `name` for values of type `kind`; `None` when the server ignores it.
    pub fn named(name: &str, kind: &str) -> Option<Self> {
        Some(match (kind, name) {
            ("integer", "int32") => Self::Int32,
            ("integer", "int64") => Self::Int64,
            ("number", "float") => Self::Float,
            ("number", "double") => Self::Double,
            ("" | "string", name) => match name.replace('-', "").as_str() {
                "bsonobjectid" => Self::BsonObjectId,
                "uri" => Self::Uri,
                "email" => Self::Email,
                "hostname" => Self::Hostname,
                "ipv4" => Self::Ipv4,
                "ipv6" => Self::Ipv6,
                "cidr" => Self::Cidr,
                "mac" => Self::Mac,
                "uuid" => Self::Uuid(None),
                "uuid3" => Self::Uuid(Some(3)),
                "uuid4" => Self::Uuid(Some(4)),
                "uuid5" => Self::Uuid(Some(5)),
                "isbn" => Self::Isbn,
                "isbn10" => Self::Isbn10,
                "isbn13" => Self::Isbn13,
                "creditcard" => Self::CreditCard,
                "ssn" => Self::Ssn,
                "hexcolor" => Self::HexColor,
                "rgbcolor" => Self::RgbColor,
                "byte" => Self::Byte,
                "password" => Self::Password,
                "date" => Self::Date,
                "duration" => Self::Duration,
                "datetime" => Self::DateTime,
                "k8sshortname" => Self::ShortName,
                "k8slongname" => Self::LongName,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Whether `text` has this format; formats of numbers accept every text.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::BsonObjectId => text.len() == 24 && hexadecimal(text),
            Self::Uri => uri(text),
            Self::Email => email(text),
            Self::Hostname => hostname(text),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Cidr => cidr(text),
            Self::Mac => mac(text),
            Self::Uuid(version) => uuid(text, version),
            Self::Isbn => isbn10(text) || isbn13(text),
            Self::Isbn10 => isbn10(text),
            Self::Isbn13 => isbn13(text),
            Self::CreditCard => credit_card(text),
            Self::Ssn => grouped_digits(text, &[3, 2, 4]),
            Self::HexColor => {
                let digits = text.strip_prefix('#').unwrap_or(text);
                matches!(digits.len(), 3 | 6) && hexadecimal(digits)
            }
            Self::RgbColor => rgb_color(text),
            Self::Byte => byte(text),
            Self::Date => format!("{text}T00:00:00Z")
                .parse::<golang::Timestamp>()
                .is_ok(),
            Self::Duration => duration(text),
            Self::DateTime => date_time(text),
            Self::ShortName => object::names::label(text).is_empty(),
            Self::LongName => object::names::subdomain(text).is_empty(),
            Self::Password | Self::Int32 | Self::Int64 | Self::Float | Self::Double => true,
        }
    }
}

/// Whether the server ignores this format, and says so when the definition is written.
pub(super) fn is_unrecognised(name: &str, kind: &str) -> bool {
    !name.is_empty() && Format::named(name, kind).is_none()
}

fn hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An absolute URL or a path from the root, as Go's `ParseRequestURI` takes them.
fn uri(text: &str) -> bool {
    if text.is_empty() || text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return false;
    }
    if text.starts_with('/') {
        return true;
    }
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.is_empty()
}

fn email(text: &str) -> bool {
    let address = match (text.rfind('<'), text.strip_suffix('>')) {
        (Some(start), Some(before)) => &before[start + 1..],
        _ => text,
    };
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let word = |text: &str| {
        !text.is_empty()
            && text.split('.').all(|part| {
                !part.is_empty()
                    && part
                        .chars()
                        .all(|c| !c.is_ascii_control() && !" \t()<>[]:;@\\,\"".contains(c))
            })
    };
    word(local) && word(domain)
}

fn hostname(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    !text.is_empty()
        && text.len() <= 255
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

fn cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let width = match (address.parse::<Ipv4Addr>(), address.parse::<Ipv6Addr>()) {
        (Ok(_), _) => 32,
        (_, Ok(_)) => 128,
        _ => return false,
    };
    !bits.is_empty()
        && bits.bytes().all(|byte| byte.is_ascii_digit())
        && bits.parse::<u8>().is_ok_and(|bits| bits <= width)
}

/// 6, 8 or 20 bytes separated by `:` or `-`, or in groups of four digits by `.`.
fn mac(text: &str) -> bool {
    let groups = |separator: char, width: usize, counts: [usize; 3]| {
        let parts: Vec<&str> = text.split(separator).collect();
        counts.contains(&parts.len())
            && parts
                .iter()
                .all(|part| part.len() == width && hexadecimal(part))
    };
    groups(':', 2, [6, 8, 20]) || groups('-', 2, [6, 8, 20]) || groups('.', 4, [3, 4, 10])
}

/// Dashes may be left out.
fn uuid(text: &str, version: Option<u8>) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut rest = text;
    let mut digits = String::with_capacity(32);
    for (at, length) in lengths.into_iter().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some(group) = rest.get(..length) else {
            return false;
        };
        digits.push_str(group);
        rest = &rest[length..];
    }
    let variant = digits.as_bytes()[16].to_ascii_lowercase();
    rest.is_empty()
        && hexadecimal(&digits)
        && version.is_none_or(|version| {
            digits.as_bytes()[12] == b'0' + version
                && (version == 3 || matches!(variant, b'8' | b'9' | b'a' | b'b'))
        })
}

fn isbn10(text: &str) -> bool {
    let bytes: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'-' | b' '))
        .collect();
    let mut sum = 0;
    for (at, byte) in bytes.iter().enumerate() {
        sum += (at as u32 + 1)
            * match byte {
                b'0'..=b'9' => u32::from(byte - b'0'),
                b'X' if at == 9 => 10,
                _ => return false,
            };
    }
    bytes.len() == 10 && sum.is_multiple_of(11)
}

fn isbn13(text: &str) -> bool {
    let bytes: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'-' | b' '))
        .collect();
    let sum: u32 = bytes
        .iter()
        .enumerate()
        .map(|(at, byte)| u32::from(byte.wrapping_sub(b'0')) * if at % 2 == 0 { 1 } else { 3 })
        .sum();
    bytes.len() == 13 && bytes.iter().all(u8::is_ascii_digit) && sum.is_multiple_of(10)
}

/// 13 to 19 digits whose Luhn sum is right.
fn credit_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let others = text
        .chars()
        .any(|c| !c.is_ascii_digit() && c != '-' && c != ' ');
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    !others && (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

fn grouped_digits(text: &str, lengths: &[usize]) -> bool {
    let parts: Vec<&str> = text.split(['-', ' ']).collect();
    parts.len() == lengths.len()
        && parts.iter().zip(lengths).all(|(part, length)| {
            part.len() == *length && part.bytes().all(|byte| byte.is_ascii_digit())
        })
}

fn rgb_color(text: &str) -> bool {
    let inner = text
        .strip_prefix("rgb(")
        .and_then(|text| text.strip_suffix(')'));
    let parts: Vec<&str> = inner
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u8>().is_ok())
}

fn byte(text: &str) -> bool {
    use base64::Engine as _;
    !text.is_empty()
        && base64::engine::general_purpose::STANDARD
            .decode(text)
            .is_ok()
}

/// Go's durations, and also days and weeks: `3 days`, `2w`.
fn duration(text: &str) -> bool {
    if text.parse::<golang::Duration>().is_ok() {
        return true;
    }
    let mut rest = text.trim();
    let mut any = false;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let after = rest[digits..].trim_start();
        let letters = after
            .chars()
            .take_while(|c| c.is_alphabetic())
            .map(char::len_utf8)
            .sum();
        let known = matches!(
            &after[..letters],
            "ns" | "nano"
                | "us"
                | "µs"
                | "micro"
                | "ms"
                | "milli"
                | "s"
                | "sec"
                | "second"
                | "seconds"
                | "m"
                | "min"
                | "minute"
                | "minutes"
                | "h"
                | "hr"
                | "hour"
                | "hours"
                | "d"
                | "day"
                | "days"
                | "w"
                | "wk"
                | "week"
                | "weeks"
                | "nanos"
                | "micros"
                | "millis"
                | "nanosecond"
                | "microsecond"
                | "millisecond"
        );
        if digits == 0 || !known {
            return false;
        }
        any = true;
        rest = after[letters..].trim_start();
    }
    any
}

/// RFC 3339, also with a blank or lower-case `t`, and without seconds' fraction.
fn date_time(text: &str) -> bool {
    let Some(date) = text.get(..10) else {
        return false;
    };
    let time = text.get(11..).unwrap_or_default().to_ascii_uppercase();
    let separator = matches!(text.as_bytes().get(10), Some(b'T' | b't'));
    separator
        && format!("{date}T{time}")
            .parse::<golang::Timestamp>()
            .is_ok()
}
