//! Numbers and quoted text as Go's `strconv` reads and writes them.
//!
//! # Source
//! golang/go `src/strconv/{atoi,atof,ftoa,quote}.go`.

mod quote;
mod verbs;

pub use quote::{can_backquote, is_print, quote, quote_ascii, quote_bytes, quote_char};
pub use verbs::format_float;

/// Why a text is not a number; the words of `strconv.NumError`'s cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a number at all.
    #[error("invalid syntax")]
    Syntax,
    /// A number too large for the type.
    #[error("value out of range")]
    Range,
}

/// `strconv.ParseInt(text, base, 64)`; base zero reads the prefixes `0b`, `0o`, `0x` and `0`, and
/// allows underscores between digits.
///
/// # Errors
/// [`NumberError`] for a text that is no such number.
pub fn parse_int(text: &str, base: u32) -> Result<i64, NumberError> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let value = parse_uint(digits, base)?;
    if negative {
        if value > 1 << 63 {
            return Err(NumberError::Range);
        }
        Ok((value as i64).wrapping_neg())
    } else {
        i64::try_from(value).map_err(|_| NumberError::Range)
    }
}

/// `strconv.ParseUint(text, base, 64)`: as [`parse_int`], without a sign.
///
/// # Errors
/// [`NumberError`] for a text that is no such number.
pub fn parse_uint(text: &str, base: u32) -> Result<u64, NumberError> {
    let (digits, radix) = if base == 0 {
        split_prefix(text)
    } else {
        (text, base)
    };
    if digits.is_empty() || !(2..=36).contains(&radix) {
        return Err(NumberError::Syntax);
    }
    let mut value: Option<u64> = Some(0);
    for byte in digits.bytes() {
        if byte == b'_' && base == 0 {
            continue;
        }
        let digit = char::from(byte)
            .to_digit(radix)
            .ok_or(NumberError::Syntax)?;
        value = value.and_then(|value| {
            value
                .checked_mul(u64::from(radix))?
                .checked_add(u64::from(digit))
        });
    }
    if base == 0 && text.contains('_') && !underscores_fit(text) {
        return Err(NumberError::Syntax);
    }
    value.ok_or(NumberError::Range)
}

fn split_prefix(text: &str) -> (&str, u32) {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'0') {
        return (text, 10);
    }
    match bytes.get(1).map(u8::to_ascii_lowercase) {
        Some(b'b') if bytes.len() >= 3 => (&text[2..], 2),
        Some(b'o') if bytes.len() >= 3 => (&text[2..], 8),
        Some(b'x') if bytes.len() >= 3 => (&text[2..], 16),
        None => (text, 10),
        Some(_) => (&text[1..], 8),
    }
}

/// Whether underscores stand only between digits or between a base prefix and a digit.
fn underscores_fit(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let lower = digits.to_ascii_lowercase();
    let hex = lower.starts_with("0x");
    // A base prefix counts as a digit.
    let (mut before, rest) = if hex || lower.starts_with("0b") || lower.starts_with("0o") {
        (b'0', &lower[2..])
    } else {
        (b'^', &*lower)
    };
    for byte in rest.bytes() {
        if byte.is_ascii_digit() || hex && (b'a'..=b'f').contains(&byte) {
            before = b'0';
        } else if byte == b'_' {
            if before != b'0' {
                return false;
            }
            before = b'_';
        } else {
            if before == b'_' {
                return false;
            }
            before = b'!';
        }
    }
    before != b'_'
}

/// `strconv.ParseFloat(text, 64)`: decimal and hexadecimal numbers, `inf`, `infinity` and `nan` in
/// any case. Underscores may stand between digits.
///
/// # Errors
/// [`NumberError::Range`] for a number beyond the largest float.
pub fn parse_float(text: &str) -> Result<f64, NumberError> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let signed = unsigned.len() < text.len();
    let lower = unsigned.to_ascii_lowercase();
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match lower.as_str() {
        "inf" | "infinity" => return Ok(sign * f64::INFINITY),
        "nan" if !signed => return Ok(f64::NAN),
        _ => {}
    }
    if let Some(hex) = lower.strip_prefix("0x") {
        if hex.contains('_') && !underscores_fit(text) {
            return Err(NumberError::Syntax);
        }
        return parse_hex_float(&hex.replace('_', "")).map(|value| sign * value);
    }
    if !lower
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-' | b'_'))
    {
        return Err(NumberError::Syntax);
    }
    let parsed = if lower.contains('_') {
        if !underscores_fit(text) {
            return Err(NumberError::Syntax);
        }
        text.replace('_', "").parse::<f64>()
    } else {
        text.parse::<f64>()
    };
    match parsed {
        Ok(value) if value.is_infinite() => Err(NumberError::Range),
        Ok(value) => Ok(value),
        Err(_) => Err(NumberError::Syntax),
    }
}

/// `1.8p3`, without sign and prefix; an exponent is required. Rounds half to even.
fn parse_hex_float(text: &str) -> Result<f64, NumberError> {
    let (digits, exponent) = text.split_once('p').ok_or(NumberError::Syntax)?;
    let exponent_digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if exponent_digits.is_empty() || !exponent_digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::Syntax);
    }
    // Beyond this every value is zero or too large; saturate so that nothing overflows.
    let exponent = exponent
        .parse::<i64>()
        .unwrap_or(if exponent.starts_with('-') {
            -100_000
        } else {
            100_000
        })
        .clamp(-100_000, 100_000);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(NumberError::Syntax);
    }
    let (mut mantissa, mut power, mut sticky) = (0u64, exponent, false);
    for (digit, is_fraction) in whole
        .chars()
        .map(|digit| (digit, false))
        .chain(fraction.chars().map(|digit| (digit, true)))
    {
        let digit = u64::from(digit.to_digit(16).ok_or(NumberError::Syntax)?);
        if mantissa >> 59 == 0 {
            mantissa = mantissa << 4 | digit;
            power -= if is_fraction { 4 } else { 0 };
        } else {
            sticky |= digit != 0;
            power += if is_fraction { 0 } else { 4 };
        }
    }
    if mantissa == 0 {
        return Ok(0.0);
    }
    // Keep as many bits as a float of this size has, rounding half to even.
    let width = 64 - i64::from(mantissa.leading_zeros());
    let lowest = (power + width - 53).max(-1074);
    let drop = lowest - power;
    let (rounded, scale) = if drop <= 0 {
        (mantissa, power)
    } else if drop > 64 {
        return Ok(0.0);
    } else {
        let wide = u128::from(mantissa);
        let kept = (wide >> drop) as u64;
        let rest = wide & ((1u128 << drop) - 1);
        let half = 1u128 << (drop - 1);
        let up = rest > half || rest == half && (sticky || kept & 1 == 1);
        (kept + u64::from(up), lowest)
    };
    let mut value = rounded as f64;
    let mut left = scale;
    while left != 0 {
        let step = left.clamp(-1000, 1000);
        value *= 2f64.powi(step as i32);
        left -= step;
    }
    if value.is_infinite() {
        return Err(NumberError::Range);
    }
    Ok(value)
}

/// `strconv.FormatFloat(value, 'g', -1, 64)`: the fewest digits that read back the same, with an
/// exponent when it is below -4 or from 6 on. Also what `%v` prints.
pub fn format_float_g(value: f64) -> String {
    general(value, &shortest(value))
}

/// `strconv.FormatFloat(value, 'g', -1, 32)`.
pub fn format_float32_g(value: f32) -> String {
    let exact = f64::from(value);
    general(exact, &even_digit(exact, format!("{value:e}")))
}

/// The fewest digits that read back the same, with an exponent: `1.5e7`.
fn shortest(value: f64) -> String {
    even_digit(value, format!("{value:e}"))
}

/// The digits and the exponent of a text in the `e` format.
fn parts(scientific: &str) -> (&str, i32) {
    let (digits, exponent) = scientific
        .split_once('e')
        .expect("the `e` format always writes an exponent");
    let exponent = exponent.parse().expect("an exponent is a small integer");
    (digits, exponent)
}

/// Rounds halves to even, as Go does: where the exact value lies in the middle between two texts
/// of equal length, Rust takes the upper one.
fn even_digit(exact: f64, text: String) -> String {
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let last = digits.as_bytes()[digits.len() - 1];
    if !matches!(last, b'1' | b'3' | b'5' | b'7' | b'9') {
        return text;
    }
    // No float has more than 767 digits, and a half ends after one more than the text has.
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    let longer = format!("{exact:.*e}", count + 30);
    let lower = format!("{}{}", &digits[..digits.len() - 1], char::from(last - 1));
    match longer.split_once('e') {
        Some((longer, same)) if same == exponent => match longer.strip_prefix(&lower) {
            Some(rest)
                if rest.trim_start_matches('.').starts_with('5')
                    && rest.trim_start_matches('.')[1..]
                        .bytes()
                        .all(|byte| byte == b'0') =>
            {
                format!("{lower}e{exponent}")
            }
            _ => text,
        },
        _ => text,
    }
}

/// `scientific` has the fewest digits that read back the same, which depends on the type.
fn general(value: f64, scientific: &str) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.into();
    }
    let (digits, exponent) = parts(scientific);
    if !(-4..6).contains(&exponent) {
        return exponential(digits, exponent);
    }
    positional(digits, exponent)
}

/// Digits with their point moved to where `exponent` puts it.
fn positional(digits: &str, exponent: i32) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let digits = digits.replace('.', "");
    if exponent < 0 {
        let zeros = "0".repeat((-exponent - 1) as usize);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits:0<whole$}");
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

/// `strconv.FormatFloat(value, 'e', -1, 64)`: `1.5e+07`.
pub fn format_float_e(value: f64) -> String {
    if !value.is_finite() {
        return format_float_g(value);
    }
    let scientific = shortest(value);
    let (digits, exponent) = parts(&scientific);
    exponential(digits, exponent)
}

/// `strconv.FormatFloat(value, 'f', -1, 64)`: never an exponent.
pub fn format_float_f(value: f64) -> String {
    if !value.is_finite() {
        return format_float_g(value);
    }
    let scientific = shortest(value);
    let (digits, exponent) = parts(&scientific);
    positional(digits, exponent)
}

fn exponential(digits: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_go() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("-0", Ok(0)),
            ("0755", Ok(493)),
            ("0o17", Ok(15)),
            ("0b11", Ok(3)),
            ("-0x1F", Ok(-31)),
            ("1_000", Ok(1000)),
            ("0x_1", Ok(1)),
            ("08", Err(NumberError::Syntax)),
            ("1__0", Err(NumberError::Syntax)),
            ("_1", Err(NumberError::Syntax)),
            ("", Err(NumberError::Syntax)),
            ("0x", Err(NumberError::Syntax)),
            ("9223372036854775808", Err(NumberError::Range)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("0xFFFFFFFFFFFFFFFFFF", Err(NumberError::Range)),
        ] {
            assert_eq!(parse_int(text, 0), expected, "{text}");
        }
        for (text, expected) in [
            ("1.5", Ok(1.5)),
            (".5", Ok(0.5)),
            ("5.", Ok(5.0)),
            ("1e3", Ok(1000.0)),
            ("1_0.5", Ok(10.5)),
            ("0x1p4", Ok(16.0)),
            ("0x1.8p1", Ok(3.0)),
            ("0x.8p0", Ok(0.5)),
            ("inf", Ok(f64::INFINITY)),
            ("-Infinity", Ok(f64::NEG_INFINITY)),
            ("1e400", Err(NumberError::Range)),
            ("0x1", Err(NumberError::Syntax)),
            ("+nan", Err(NumberError::Syntax)),
            ("1e", Err(NumberError::Syntax)),
            (".", Err(NumberError::Syntax)),
        ] {
            assert_eq!(parse_float(text), expected, "{text}");
        }
        assert_eq!(parse_float("0x1p-1074"), Ok(5e-324));
        assert_eq!(parse_float("0x1.fffffffffffff8p0"), Ok(2.0));
    }

    #[test]
    fn floats_print_as_in_go() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-1234.5, "-1234.5"),
            (123_456_789.0, "1.23456789e+08"),
            (1e21, "1e+21"),
            (5e-324, "5e-324"),
            (896_034_473_723_750.0 + 0.25, "8.960344737237502e+14"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(format_float_g(value), text);
        }
        assert_eq!(format_float32_g(0.1), "0.1");
        assert_eq!(format_float_e(150.0), "1.5e+02");
        assert_eq!(format_float_f(1e21), "1000000000000000000000");
        assert_eq!(format_float_f(-1.25e-5), "-0.0000125");
        assert_eq!(format_float_f(0.0), "0");
    }
}
