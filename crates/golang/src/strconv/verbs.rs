//! Floats in the formats that printf's verbs name.
//!
//! # Source
//! golang/go `src/strconv/ftoa.go`.

use std::fmt::Write as _;

use super::{exponential, format_float_e, format_float_f, format_float_g, positional};

/// No float has more digits; what is asked beyond that is zeros.
const DIGITS_MAX: usize = 1_100;

/// `strconv.FormatFloat(value, verb, precision, 64)` for the verbs `e`, `E`, `f`, `g`, `G`, `b`, `x`
/// and `X`; anything else is `g`. Without a precision the fewest digits that read back the same.
///
/// A precision of any size is honoured: the caller bounds it.
pub fn format_float(value: f64, verb: char, precision: Option<usize>) -> String {
    if !value.is_finite() {
        return format_float_g(value);
    }
    match (verb, precision) {
        ('e', None) => format_float_e(value),
        ('E', None) => format_float_e(value).to_uppercase(),
        ('f', None) => format_float_f(value),
        ('b', _) => binary(value),
        ('x', _) => hexadecimal(value, precision),
        ('X', _) => hexadecimal(value, precision).to_uppercase(),
        ('G', None) => format_float_g(value).to_uppercase(),
        (_, None) => format_float_g(value),
        ('e', Some(precision)) => scientific(value, precision),
        ('E', Some(precision)) => scientific(value, precision).to_uppercase(),
        ('f', Some(precision)) => {
            let mut text = format!("{value:.*}", precision.min(DIGITS_MAX));
            text.extend(std::iter::repeat_n(
                '0',
                precision.saturating_sub(DIGITS_MAX),
            ));
            text
        }
        ('G', Some(precision)) => general(value, precision).to_uppercase(),
        (_, Some(precision)) => general(value, precision),
    }
}

fn scientific(value: f64, precision: usize) -> String {
    let text = format!("{value:.*e}", precision.min(DIGITS_MAX));
    let (digits, exponent) = split(&text);
    let mut digits = digits.to_owned();
    digits.extend(std::iter::repeat_n(
        '0',
        precision.saturating_sub(DIGITS_MAX),
    ));
    exponential(&digits, exponent)
}

fn general(value: f64, precision: usize) -> String {
    let precision = precision.clamp(1, DIGITS_MAX);
    let text = format!("{value:.*e}", precision - 1);
    let (digits, exponent) = split(&text);
    let digits = if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    };
    let count = digits.bytes().filter(u8::is_ascii_digit).count() as i32;
    let point = exponent + 1;
    let mut most = precision as i32;
    if most > count && count >= point {
        most = count;
    }
    if exponent < -4 || exponent >= most {
        exponential(digits, exponent)
    } else {
        positional(digits, exponent)
    }
}

fn split(text: &str) -> (&str, i32) {
    text.split_once('e')
        .and_then(|(digits, exponent)| Some((digits, exponent.parse().ok()?)))
        .unwrap_or((text, 0))
}

/// Mantissa with its leading bit, and the exponent of its bit 52.
fn bits(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 {
        (fraction, -1022)
    } else {
        (fraction | 1 << 52, exponent - 1023)
    }
}

fn binary(value: f64) -> String {
    let (mantissa, exponent) = bits(value);
    let sign = if value.is_sign_negative() { "-" } else { "" };
    format!("{sign}{mantissa}p{:+}", exponent - 52)
}

fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    const TOP: u32 = 60;
    let (mut mantissa, mut exponent) = bits(value);
    if mantissa == 0 {
        exponent = 0;
    }
    mantissa <<= TOP - 52;
    while mantissa != 0 && mantissa >> TOP == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision @ ..15) = precision {
        // Round to so many digits behind the point, halves to even.
        let drop = TOP - precision as u32 * 4;
        let rest = mantissa & ((1 << drop) - 1);
        let half = 1u64 << (drop - 1);
        mantissa >>= drop;
        if rest > half || rest == half && mantissa & 1 == 1 {
            mantissa += 1;
        }
        mantissa <<= drop;
        if mantissa >> (TOP + 1) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut out = String::new();
    if value.is_sign_negative() {
        out.push('-');
    }
    write!(out, "0x{}", mantissa >> TOP).expect("a String takes every write");
    let mut rest = mantissa & ((1 << TOP) - 1);
    let mut left = precision.unwrap_or(if rest == 0 { 0 } else { usize::MAX });
    if left > 0 {
        out.push('.');
    }
    while left > 0 && (precision.is_some() || rest != 0) {
        let digit = (rest >> (TOP - 4)) as u32;
        out.push(char::from_digit(digit, 16).unwrap_or('0'));
        rest = rest << 4 & ((1 << TOP) - 1);
        left -= 1;
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    write!(out, "p{sign}{:02}", exponent.unsigned_abs()).expect("a String takes every write");
    out
}
