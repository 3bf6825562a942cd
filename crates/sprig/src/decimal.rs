//! Sums and products without the errors of binary fractions: `addf`, `subf`, `mulf`, `divf`.
//!
//! # Source
//! shopspring/decimal v1.4.0, `decimal.go`.

use std::cmp::Ordering;

use golang::strconv;
use gotemplate::{CallError, Functions, Type, Value};
use num_bigint::{BigInt, Sign};

use crate::args::{function, variadic};
use crate::cast::to_float;

/// Digits behind the point that a division gives.
const DIVISION_DIGITS: i64 = 16;

/// Largest number, in bits. A product of a few thousand floats has as many.
const BITS_MAX: u64 = 1 << 17;

/// Largest exponent: that of a product of about a thousand of the largest floats.
const EXPONENT_MAX: i64 = 300_000;

pub(crate) fn add(functions: &mut Functions) {
    functions.insert(
        "add1f",
        function(&[Type::Any], |_, args| {
            fold(&args[0], &[Value::int(1)], Decimal::plus)
        }),
    );
    functions.insert(
        "addf",
        variadic(&[], Type::Any, |_, args| {
            fold(&Value::Float(0.0), args, Decimal::plus)
        }),
    );
    functions.insert(
        "subf",
        variadic(&[Type::Any], Type::Any, |_, args| {
            fold(&args[0], &args[1..], |one, other| one.plus(other.negated()))
        }),
    );
    functions.insert(
        "mulf",
        variadic(&[Type::Any], Type::Any, |_, args| {
            fold(&args[0], &args[1..], Decimal::times)
        }),
    );
    functions.insert(
        "divf",
        variadic(&[Type::Any], Type::Any, |_, args| {
            fold(&args[0], &args[1..], Decimal::over)
        }),
    );
}

fn fold(
    first: &Value,
    others: &[Value],
    operation: fn(Decimal, Decimal) -> Result<Decimal, CallError>,
) -> Result<Value, CallError> {
    let mut result = Decimal::new(to_float(first))?;
    for other in others {
        result = operation(result, Decimal::new(to_float(other))?)?;
        if result.digits.bits() > BITS_MAX || result.exponent.abs() > EXPONENT_MAX {
            return Err(CallError::Limit(format!(
                "the number is larger than the limit of {BITS_MAX} bits"
            )));
        }
    }
    result.to_float().map(Value::Float)
}

/// `digits` times ten to the power of `exponent`.
struct Decimal {
    digits: BigInt,
    exponent: i64,
}

impl Decimal {
    /// The shortest decimal that reads as this float.
    fn new(value: f64) -> Result<Self, CallError> {
        if !value.is_finite() {
            return Err(CallError::Failed(format!(
                "Cannot create a Decimal from {}",
                strconv::format_float_g(value)
            )));
        }
        let text = strconv::format_float_e(value);
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let behind = digits.split_once('.').map_or(0, |(_, behind)| behind.len());
        let digits: BigInt = digits.replace('.', "").parse().unwrap_or_default();
        let exponent: i64 = exponent.parse().unwrap_or(0);
        Ok(Self {
            digits,
            exponent: exponent - behind as i64,
        })
    }

    fn to_float(&self) -> Result<f64, CallError> {
        // Rust reads decimals of any length to the nearest float, halves to even, as Go's division
        // of big integers does.
        let text = format!("{}e{}", self.digits, self.exponent);
        text.parse()
            .map_err(|_| CallError::Failed(format!("can't convert {text} to decimal")))
    }

    fn negated(self) -> Self {
        Self {
            digits: -self.digits,
            exponent: self.exponent,
        }
    }

    fn plus(self, other: Self) -> Result<Self, CallError> {
        let exponent = self.exponent.min(other.exponent);
        Ok(Self {
            digits: self.scaled(exponent) + other.scaled(exponent),
            exponent,
        })
    }

    fn times(self, other: Self) -> Result<Self, CallError> {
        Ok(Self {
            digits: self.digits * other.digits,
            exponent: self.exponent + other.exponent,
        })
    }

    /// Rounds the last digit to the nearest, halves away from zero.
    fn over(self, other: Self) -> Result<Self, CallError> {
        if other.digits.sign() == Sign::NoSign {
            return Err("decimal division by 0".into());
        }
        let shift = self.exponent - other.exponent + DIVISION_DIGITS;
        let negative = self.digits.sign() != other.digits.sign();
        let (mut above, mut below) = (self.digits, other.digits);
        if shift < 0 {
            below *= power(-shift);
        } else {
            above *= power(shift);
        }
        let mut digits = &above / &below;
        let rest: BigInt = (&above % &below) * 2;
        if rest.magnitude().cmp(below.magnitude()) != Ordering::Less {
            digits += if negative { -1 } else { 1 };
        }
        Ok(Self {
            digits,
            exponent: -DIVISION_DIGITS,
        })
    }

    /// The digits when the exponent is one that is not larger.
    fn scaled(&self, exponent: i64) -> BigInt {
        &self.digits * power(self.exponent - exponent)
    }
}

fn power(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}
