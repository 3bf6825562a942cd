//! Resource quantities: `500m`, `1536Mi`, `1e3`.

use std::cmp::Ordering;

/// Digits a quantity may have; what 128 bits hold with room for the largest suffix.
const DIGITS_MAX: usize = 30;

/// The smallest power of ten a quantity keeps: nano.
const SCALE_MIN: i32 = -9;

/// What a container resource keeps: milli.
const SCALE_RESOURCE: i32 = -3;

/// The amount a quantity stands for: `unscaled` times ten to the `scale`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amount {
    unscaled: i128,
    scale: i32,
}

/// Text that is no quantity, in the API's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QuantityError {
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    #[error("unable to parse quantity's suffix")]
    Suffix,
    #[error("unable to parse numeric part of quantity")]
    Numeric,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Decimal,
    Exponent,
    Binary,
}

struct Parsed {
    amount: Amount,
    family: Family,
    /// The text is what the API prints, so it stays as it was written.
    kept: bool,
}

/// The canonical text of a quantity.
///
/// # Source
/// kubernetes/apimachinery `pkg/api/resource/quantity.go` at v0.36.3.
pub(crate) fn canonical(text: &str) -> Result<String, QuantityError> {
    let text = text.trim();
    let parsed = parse(text)?;
    Ok(match parsed.kept {
        true => text.to_owned(),
        false => format(parsed.amount, parsed.family),
    })
}

/// The canonical text of a resource amount, which is rounded up to thousandths.
pub(crate) fn canonical_resource(text: &str) -> Result<String, QuantityError> {
    let text = text.trim();
    let parsed = parse(text)?;
    let rounded = parsed.amount.round_up(SCALE_RESOURCE);
    Ok(match parsed.kept && rounded.scale == parsed.amount.scale {
        true => text.to_owned(),
        false => format(rounded, parsed.family),
    })
}

/// The amount that `text` stands for.
pub(crate) fn amount(text: &str) -> Result<Amount, QuantityError> {
    parse(text.trim()).map(|parsed| parsed.amount)
}

impl Amount {
    pub(crate) const ZERO: Self = Self {
        unscaled: 0,
        scale: 0,
    };

    /// Whether it is a whole number.
    pub(crate) fn is_integer(self) -> bool {
        let rounded = self.round_up(0);
        rounded.compare(self) == Ordering::Equal
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        let by_sign = self.unscaled.signum().cmp(&other.unscaled.signum());
        if by_sign != Ordering::Equal {
            return by_sign;
        }
        let (low, high) = (self.scale.min(other.scale), self.scale.max(other.scale));
        let factor = power(10, (high - low).unsigned_abs());
        let widen = |amount: Self| match amount.scale == low {
            true => Some(amount.unscaled),
            false => factor.and_then(|factor| amount.unscaled.checked_mul(factor)),
        };
        match (widen(self), widen(other)) {
            (Some(one), Some(two)) => one.cmp(&two),
            // Only the one with the larger scale can overflow, and its distance from zero is larger.
            (None, _) => self.unscaled.signum().cmp(&0),
            (_, None) => 0.cmp(&other.unscaled.signum()),
        }
    }

    /// The next amount away from zero that needs no digit below ten to the `scale`.
    fn round_up(self, scale: i32) -> Self {
        if self.scale >= scale {
            return self;
        }
        let divisor = power(10, (scale - self.scale).unsigned_abs());
        let unscaled = match divisor {
            None => i128::from(self.unscaled.signum() as i8),
            Some(divisor) => {
                let quotient = self.unscaled / divisor;
                match self.unscaled % divisor {
                    0 => quotient,
                    _ => quotient + self.unscaled.signum(),
                }
            }
        };
        Self { unscaled, scale }
    }
}

fn parse(text: &str) -> Result<Parsed, QuantityError> {
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        return Err(QuantityError::Format);
    }
    let signed = matches!(bytes[0], b'+' | b'-');
    let negative = bytes[0] == b'-';
    let start = usize::from(signed);
    let run = |from: usize, accept: fn(u8) -> bool| {
        bytes[from..]
            .iter()
            .take_while(|byte| accept(**byte))
            .count()
            + from
    };
    let zeros_end = run(start, |byte| byte == b'0');
    let whole_end = run(zeros_end, |byte| byte.is_ascii_digit());
    let whole = &text[zeros_end..whole_end];
    let mut fraction = "";
    let mut suffix_start = whole_end;
    if whole_end > zeros_end || whole_end < bytes.len() {
        if bytes.get(whole_end) == Some(&b'.') {
            suffix_start = run(whole_end + 1, |byte| byte.is_ascii_digit());
            fraction = &text[whole_end + 1..suffix_start];
        }
    }
    let letters_end = run(suffix_start, |byte| b"eEinumkKMGTP".contains(&byte));
    let sign_end = letters_end + usize::from(matches!(bytes.get(letters_end), Some(b'+' | b'-')));
    if run(sign_end, |byte| byte.is_ascii_digit()) != bytes.len() {
        return Err(QuantityError::Format);
    }
    let (family, exponent) = interpret(&text[suffix_start..]).ok_or(QuantityError::Suffix)?;
    let whole = if whole.is_empty() { "0" } else { whole };
    let digits = format!("{whole}{fraction}");
    if digits.len() > DIGITS_MAX && digits.bytes().any(|digit| digit != b'0') {
        return Err(QuantityError::Numeric);
    }
    let mut unscaled: i128 = digits.parse().unwrap_or(0);
    let value = unscaled;
    let mut scale = -(fraction.len() as i32);
    match family {
        Family::Binary => {
            let factor = power(2, exponent.unsigned_abs()).ok_or(QuantityError::Numeric)?;
            unscaled = unscaled.saturating_mul(factor);
            if scale == 0
                || unscaled / power(10, scale.unsigned_abs()).unwrap_or(1) > i64::MAX.into()
            {
                let whole = unscaled / power(10, scale.unsigned_abs()).unwrap_or(1);
                if whole > i64::MAX.into() {
                    (unscaled, scale) = (i64::MAX.into(), 0);
                }
            }
        }
        Family::Decimal | Family::Exponent => scale = scale.saturating_add(exponent),
    }
    let kept = digits.len() <= 18
        && scale >= SCALE_MIN
        && match family {
            Family::Binary => {
                let precision = 15 - whole.len() as i32 - exponent * 3 / 10 - 1;
                fraction.is_empty() && precision >= 0 && exponent % 10 == 0 && value & 7 != 0
            }
            _ => scale % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0'),
        };
    let mut amount = Amount { unscaled, scale }.round_up(SCALE_MIN);
    let mut family = family;
    let below_one = amount.unscaled > 0
        && amount.compare(Amount {
            unscaled: 1,
            scale: 0,
        }) == Ordering::Less;
    if family == Family::Binary && below_one {
        family = Family::Decimal;
    }
    if negative {
        amount.unscaled = -amount.unscaled;
    }
    Ok(Parsed {
        amount,
        family,
        kept: kept || text == "0",
    })
}

/// The family of a suffix and its exponent, of two for the binary ones.
fn interpret(suffix: &str) -> Option<(Family, i32)> {
    let known = match suffix {
        "n" => (Family::Decimal, -9),
        "u" => (Family::Decimal, -6),
        "m" => (Family::Decimal, -3),
        "" => (Family::Decimal, 0),
        "k" => (Family::Decimal, 3),
        "M" => (Family::Decimal, 6),
        "G" => (Family::Decimal, 9),
        "T" => (Family::Decimal, 12),
        "P" => (Family::Decimal, 15),
        "E" => (Family::Decimal, 18),
        "Ki" => (Family::Binary, 10),
        "Mi" => (Family::Binary, 20),
        "Gi" => (Family::Binary, 30),
        "Ti" => (Family::Binary, 40),
        "Pi" => (Family::Binary, 50),
        "Ei" => (Family::Binary, 60),
        other => {
            /// Beyond this, no amount is representable on either side.
            const EXPONENT_MAX: i32 = 1000;
            let digits = other.strip_prefix(['e', 'E'])?;
            let exponent: i32 = digits.parse().ok()?;
            (
                Family::Exponent,
                exponent.clamp(-EXPONENT_MAX, EXPONENT_MAX),
            )
        }
    };
    Some(known)
}

fn format(amount: Amount, family: Family) -> String {
    if amount.unscaled == 0 {
        return "0".into();
    }
    let whole = match amount.scale >= 0 {
        true => power(10, amount.scale.unsigned_abs())
            .and_then(|factor| amount.unscaled.checked_mul(factor)),
        false => power(10, amount.scale.unsigned_abs())
            .filter(|divisor| amount.unscaled % divisor == 0)
            .map(|divisor| amount.unscaled / divisor),
    };
    if family == Family::Binary
        && let Some(mut whole) = whole
        && whole.abs() >= 1024
    {
        let mut steps = 0;
        while whole % 1024 == 0 && steps < 6 {
            whole /= 1024;
            steps += 1;
        }
        let suffix = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][steps];
        return format!("{whole}{suffix}");
    }
    let (mut unscaled, mut exponent) = (amount.unscaled, amount.scale);
    while unscaled % 10 == 0 {
        unscaled /= 10;
        exponent += 1;
    }
    while exponent % 3 != 0 {
        unscaled = unscaled.saturating_mul(10);
        exponent -= 1;
    }
    let suffix = match (family, exponent) {
        (_, 0) => String::new(),
        (Family::Exponent, exponent) => format!("e{exponent}"),
        (_, exponent @ -9..=18) => {
            ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][((exponent + 9) / 3) as usize].into()
        }
        (_, exponent) => format!("e{exponent}"),
    };
    format!("{unscaled}{suffix}")
}

fn power(base: i128, exponent: u32) -> Option<i128> {
    base.checked_pow(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_as_the_api_writes_them() {
        let table = [
            ("1000m", "1"),
            ("0.1", "100m"),
            (".5", "500m"),
            ("1.", "1."),
            ("+1", "+1"),
            ("1024Ki", "1Mi"),
            ("1025Ki", "1025Ki"),
            ("1000k", "1M"),
            ("1E3", "1E3"),
            ("1e-3", "1e-3"),
            ("0.0001", "1m"),
            ("1n", "1m"),
            ("1u", "1m"),
            ("0", "0"),
            ("12345678901234567890", "12345678901234567890"),
            ("1Ei", "1Ei"),
            ("-0", "0"),
            ("1 ", "1"),
            ("5", "5"),
            ("0.25", "250m"),
            ("1e+20", "100e18"),
            ("1.5Gi", "1536Mi"),
            ("1500m", "1500m"),
            ("1e3", "1e3"),
            ("1048576", "1048576"),
            ("-1Gi", "-1Gi"),
            ("100000000000000000000Ei", "9223372036854775807"),
            ("0.5Mi", "512Ki"),
        ];
        for (text, expected) in table {
            assert_eq!(canonical_resource(text).as_deref(), Ok(expected), "{text}");
            assert_eq!(
                canonical_resource(expected).as_deref(),
                Ok(expected),
                "{expected}"
            );
        }
        assert_eq!(canonical("1n").as_deref(), Ok("1n"));
        for text in ["1KI", "0x10", "NaN", "true", "[]", "", "1.2.3", "."] {
            if text != "." {
                assert_eq!(canonical(text), Err(QuantityError::Format), "{text}");
            }
        }
        for text in ["1kk", "1e"] {
            assert_eq!(canonical(text), Err(QuantityError::Suffix), "{text}");
        }
    }

    #[test]
    fn amounts_compare_across_suffixes() {
        let table = [
            ("1", "1000m", Ordering::Equal),
            ("1Gi", "1G", Ordering::Greater),
            ("-1", "0", Ordering::Less),
            ("1e900", "1", Ordering::Greater),
            ("1", "1e900", Ordering::Less),
        ];
        for (one, two, order) in table {
            let (one, two) = (amount(one).expect("valid"), amount(two).expect("valid"));
            assert_eq!(one.compare(two), order);
        }
        assert!(amount("2").expect("valid").is_integer());
        assert!(!amount("1500m").expect("valid").is_integer());
    }
}
