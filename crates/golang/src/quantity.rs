//! Amounts of cpu, memory and storage: Kubernetes' `resource.Quantity`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use smol_str::SmolStr;

/// An amount with the family of suffixes it was written in.
///
/// Exact down to a billionth; a finer amount is rounded up in magnitude, as Kubernetes does.
/// `Display` is the canonical text, except that a text that already was canonical enough is kept
/// as written (`1.500`), as Kubernetes keeps it. Equality and order compare amounts only.
///
/// # Source
/// kubernetes/apimachinery `pkg/api/resource/quantity.go`.
#[derive(Clone, Debug)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    text: Option<SmolStr>,
}

/// A family of suffixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `m`, `k`, `M`, …
    DecimalSi,
    /// `Ki`, `Mi`, …
    BinarySi,
    /// `e3`, `e6`, …
    DecimalExponent,
}

/// Why a text is no quantity; the words of Kubernetes' errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number with a suffix.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    /// A number of more digits than we keep.
    #[error("unable to parse numeric part of quantity")]
    Number,
    /// A suffix that does not exist.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

/// `mantissa × 10^exponent`; the mantissa has no trailing zeros, zero has the exponent zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Amount {
    negative: bool,
    mantissa: u128,
    exponent: i32,
}

/// Largest power of ten a suffix may name. Kubernetes has no limit; beyond this no amount exists,
/// and arithmetic on exponents cannot overflow.
const EXPONENT_MAX: i64 = 1_000_000;

impl Amount {
    const ZERO: Self = Self {
        negative: false,
        mantissa: 0,
        exponent: 0,
    };

    fn new(negative: bool, mut mantissa: u128, mut exponent: i32) -> Self {
        if mantissa == 0 {
            return Self::ZERO;
        }
        while mantissa.is_multiple_of(10) {
            mantissa /= 10;
            exponent += 1;
        }
        Self {
            negative,
            mantissa,
            exponent,
        }
    }

    /// Rounded away from zero to a multiple of `10^scale`, and whether nothing was lost.
    fn round_up(self, scale: i32) -> (Self, bool) {
        if self.exponent >= scale {
            return (self, true);
        }
        let kept = 10u128
            .checked_pow(scale.abs_diff(self.exponent))
            .map_or(1, |unit| self.mantissa.div_ceil(unit));
        (Self::new(self.negative, kept, scale), false)
    }

    /// The mantissa at `10^exponent`, if that is exact and fits.
    fn at(self, exponent: i32) -> Option<u128> {
        let shift = u32::try_from(self.exponent.checked_sub(exponent)?).ok()?;
        self.mantissa.checked_mul(10u128.checked_pow(shift)?)
    }

    fn compare(self, other: Self) -> Ordering {
        let signum = |amount: Self| match (amount.mantissa, amount.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        };
        let by_sign = signum(self).cmp(&signum(other));
        if by_sign != Ordering::Equal || self.mantissa == 0 {
            return by_sign;
        }
        let digits =
            |amount: Self| i64::from(amount.mantissa.ilog10()) + i64::from(amount.exponent);
        let lower = self.exponent.min(other.exponent);
        let by_size = digits(self).cmp(&digits(other)).then_with(|| {
            // Of equal length, so at most 39 digits apart.
            let (one, two) = (self.digits_from(lower), other.digits_from(lower));
            one.cmp(&two)
        });
        if self.negative {
            by_size.reverse()
        } else {
            by_size
        }
    }

    fn digits_from(self, exponent: i32) -> String {
        let zeros = self.exponent.abs_diff(exponent).min(100) as usize;
        format!("{}{}", self.mantissa, "0".repeat(zeros))
    }

    fn add(self, other: Self) -> Option<Self> {
        if self.mantissa == 0 {
            return Some(other);
        }
        if other.mantissa == 0 {
            return Some(self);
        }
        let exponent = self.exponent.min(other.exponent);
        let (one, two) = (self.at(exponent)?, other.at(exponent)?);
        let (negative, mantissa) = if self.negative == other.negative {
            (self.negative, one.checked_add(two)?)
        } else if one >= two {
            (self.negative, one - two)
        } else {
            (other.negative, two - one)
        };
        Some(Self::new(negative, mantissa, exponent))
    }
}

impl Quantity {
    /// No amount.
    pub const ZERO: Self = Self {
        amount: Amount::ZERO,
        format: Format::DecimalSi,
        text: None,
    };

    /// A whole amount.
    pub fn new(value: i64, format: Format) -> Self {
        Self {
            amount: Amount::new(value < 0, value.unsigned_abs().into(), 0),
            format,
            text: None,
        }
    }

    /// So many thousandths.
    pub fn from_milli(value: i64, format: Format) -> Self {
        Self {
            amount: Amount::new(value < 0, value.unsigned_abs().into(), -3),
            format,
            text: None,
        }
    }

    /// The family of suffixes it prints with.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether the amount is zero.
    pub fn is_zero(&self) -> bool {
        self.amount.mantissa == 0
    }

    /// Whether the amount is below zero.
    pub fn is_negative(&self) -> bool {
        self.amount.negative
    }

    /// Whether the amount has no fraction.
    pub fn is_whole(&self) -> bool {
        self.amount.exponent >= 0
    }

    /// The whole amount, rounded away from zero; saturates.
    ///
    /// Kubernetes' own answer overflows for large amounts and is wrong for most negative ones that
    /// are not small; this one is not.
    pub fn value(&self) -> i64 {
        self.scaled(0)
    }

    /// Thousandths, rounded away from zero; saturates.
    pub fn milli_value(&self) -> i64 {
        self.scaled(-3)
    }

    /// The nearest float.
    pub fn as_f64(&self) -> f64 {
        let text = format!("{}e{}", self.amount.mantissa, self.amount.exponent);
        let value: f64 = text.parse().unwrap_or(f64::INFINITY);
        if self.amount.negative { -value } else { value }
    }

    fn scaled(&self, scale: i32) -> i64 {
        let (rounded, _) = self.amount.round_up(scale);
        let value = rounded
            .at(scale)
            .and_then(|value| i128::try_from(value).ok());
        let value = value.unwrap_or(i128::MAX);
        let value = if rounded.negative { -value } else { value };
        value.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// The sum, in this quantity's format unless this is zero. `None` when it has more digits than
    /// we keep.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            amount: self.amount.add(other.amount)?,
            format: if self.is_zero() {
                other.format
            } else {
                self.format
            },
            text: None,
        })
    }

    /// The difference, in this quantity's format unless this is zero. `None` when it has more
    /// digits than we keep.
    pub fn minus(&self, other: &Self) -> Option<Self> {
        let mut negated = other.clone();
        negated.amount.negative = !other.amount.negative && !other.is_zero();
        self.plus(&negated)
    }

    /// The text Kubernetes stores for this amount, whatever was written.
    pub fn canonical(&self) -> String {
        if self.is_zero() {
            return "0".into();
        }
        let amount = self.amount;
        if self.format == Format::BinarySi {
            let kilo = Amount::new(false, 1024, 0);
            let magnitude = Amount {
                negative: false,
                ..amount
            };
            let whole = (amount.exponent >= 0)
                .then(|| amount.at(0))
                .flatten()
                .filter(|_| magnitude.compare(kilo) != Ordering::Less);
            if let Some(mut mantissa) = whole {
                let mut power = 0;
                while mantissa.is_multiple_of(1024) {
                    mantissa /= 1024;
                    power += 1;
                }
                let suffix = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
                    .get(power)
                    .unwrap_or(&"");
                return format!("{}{mantissa}{suffix}", self.sign());
            }
        }
        // An exponent that is a multiple of three, with up to two zeros on the mantissa.
        let rest = amount.exponent.rem_euclid(3);
        let exponent = amount.exponent - rest;
        let zeros = &"00"[..rest as usize];
        let suffix = match self.format {
            Format::DecimalExponent if exponent == 0 => String::new(),
            Format::DecimalExponent => format!("e{exponent}"),
            // There is no suffix beyond `E`, and then Kubernetes prints none.
            _ => decimal_suffix(exponent).unwrap_or("").into(),
        };
        format!("{}{}{zeros}{suffix}", self.sign(), amount.mantissa)
    }

    fn sign(&self) -> &'static str {
        if self.amount.negative { "-" } else { "" }
    }
}

fn decimal_suffix(exponent: i32) -> Option<&'static str> {
    Some(match exponent {
        -9 => "n",
        -6 => "u",
        -3 => "m",
        0 => "",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => return None,
    })
}

/// The power of ten, or of two for binary suffixes, and the family.
fn suffix_of(suffix: &str) -> Result<(i32, Format), QuantityError> {
    let decimal = (-9..=18)
        .step_by(3)
        .find(|&exponent| decimal_suffix(exponent) == Some(suffix));
    if let Some(exponent) = decimal {
        return Ok((exponent, Format::DecimalSi));
    }
    let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    if let Some(at) = binary.iter().position(|known| *known == suffix) {
        return Ok((10 * (at as i32 + 1), Format::BinarySi));
    }
    let exponent = suffix
        .strip_prefix(['e', 'E'])
        .and_then(|digits| digits.parse::<i64>().ok())
        .filter(|exponent| exponent.abs() <= EXPONENT_MAX)
        .ok_or(QuantityError::Suffix)?;
    Ok((exponent as i32, Format::DecimalExponent))
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let significant = unsigned.trim_start_matches('0');
        let (whole, rest) = significant.split_at(digits(significant));
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(digits(rest)),
            None => ("", rest),
        };
        let whole = if whole.is_empty() { "0" } else { whole };
        let letters = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let exponent_digits = letters.strip_prefix(['-', '+']).unwrap_or(letters);
        if !exponent_digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(QuantityError::Format);
        }
        let (exponent, format) = suffix_of(suffix)?;

        let no_digits = unsigned.is_empty() || !unsigned.starts_with(|c: char| c.is_ascii_digit());
        let no_digits = no_digits && fraction.is_empty();
        let shifted = format!("{whole}{fraction}");
        let length = i32::try_from(shifted.len()).map_err(|_| QuantityError::Number)?;
        let point = fraction.len() as i32;
        let most = Amount::new(negative, i64::MAX as u128, 0);
        let mantissa: u128 = match shifted.parse() {
            Ok(mantissa) => mantissa,
            // Binary amounts have a cap, so an enormous one is just that.
            Err(_) if format == Format::BinarySi && whole.len() > 19 => {
                return Ok(Self {
                    amount: most,
                    format,
                    text: None,
                });
            }
            Err(_) => return Err(QuantityError::Number),
        };
        let (mut amount, mut format, exact) = if format == Format::BinarySi {
            let scaled = mantissa.checked_mul(1u128 << exponent);
            let amount = scaled.map_or(most, |scaled| Amount::new(negative, scaled, -point));
            let precise = fraction.is_empty() && 15 - length - exponent * 3 / 10 > 0;
            (amount, format, precise)
        } else {
            let amount = Amount::new(negative, mantissa, exponent - point);
            (amount, format, length <= 18 && exponent - point >= -9)
        };
        if no_digits && !exact {
            return Err(QuantityError::Number);
        }
        // Kubernetes keeps the text when a quick look finds it canonical; the look is not exact.
        let keep = exact
            && match format {
                Format::BinarySi => mantissa & 7 != 0,
                _ => {
                    (exponent - point) % 3 == 0
                        && !shifted.ends_with("000")
                        && !shifted.starts_with('0')
                }
            };
        amount = amount.round_up(-9).0;
        if format == Format::BinarySi {
            let magnitude = Amount {
                negative: false,
                ..amount
            };
            let most = Amount {
                negative: false,
                ..most
            };
            if !exact && magnitude.compare(most) == Ordering::Greater {
                amount = Amount { negative, ..most };
            }
            if !exact
                && magnitude.exponent < 0
                && magnitude.compare(Amount::new(false, 1, 0)) == Ordering::Less
            {
                format = Format::DecimalSi;
            }
        }
        Ok(Self {
            amount,
            format,
            text: keep.then(|| SmolStr::new(text)),
        })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => f.write_str(text),
            None => f.write_str(&self.canonical()),
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.amount == other.amount
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.amount.compare(other.amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        text.parse().expect(text)
    }

    #[test]
    fn quantities_print_as_kubernetes_stores_them() {
        for (text, printed) in [
            ("0", "0"),
            ("0m", "0"),
            (".", "0"),
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1.5", "1500m"),
            ("1.500", "1.500"),
            ("100m", "100m"),
            ("+5", "+5"),
            ("1e3", "1e3"),
            ("1E3", "1E3"),
            ("1000e3", "1e6"),
            ("1024Ki", "1Mi"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("0.5Mi", "512Ki"),
            ("1025Ki", "1025Ki"),
            ("8Ki", "8Ki"),
            ("100Ti", "100Ti"),
            ("2048", "2048"),
            ("1000000", "1M"),
            ("12345678901234567890", "12345678901234567890"),
            ("0.0000000001", "1n"),
            ("-1.5", "-1500m"),
            ("1000E", "1"),
            ("9223372036854775808Ki", "9223372036854775807"),
            ("0.1Ki", "102400m"),
        ] {
            assert_eq!(quantity(text).to_string(), printed, "{text}");
        }
    }

    #[test]
    fn quantities_compare_by_amount() {
        assert_eq!(quantity("1"), quantity("1000m"));
        assert!(quantity("1Ki") > quantity("1k"));
        assert!(quantity("-1") < quantity("0"));
        assert!(quantity("-2") < quantity("-1"));
        assert!(quantity("1e30") > quantity("999G"));
        assert!(quantity("1.1") > quantity("1.09"));
        assert_eq!(quantity("1.5Gi").value(), 1_610_612_736);
        assert_eq!(quantity("100m").value(), 1);
        assert_eq!(quantity("1.0001").milli_value(), 1001);
    }

    #[test]
    fn sums_keep_the_format_of_the_first() {
        let sum = quantity("1Gi").plus(&quantity("1024M")).expect("small");
        assert_eq!(sum.to_string(), "2048576Ki");
        assert_eq!(
            quantity("100m")
                .plus(&quantity("0.9"))
                .expect("small")
                .to_string(),
            "1"
        );
        assert_eq!(
            quantity("1")
                .minus(&quantity("1500m"))
                .expect("small")
                .to_string(),
            "-500m"
        );
    }

    #[test]
    fn texts_that_are_no_quantities_are_refused() {
        for (text, error) in [
            ("", QuantityError::Format),
            ("1.2.3", QuantityError::Format),
            ("abc", QuantityError::Format),
            ("1 Gi", QuantityError::Format),
            ("1K", QuantityError::Suffix),
            ("1e", QuantityError::Suffix),
            ("1mm", QuantityError::Suffix),
            ("1e99999999999", QuantityError::Suffix),
        ] {
            assert_eq!(text.parse::<Quantity>().expect_err(text), error, "{text}");
        }
    }
}
