//! Whole numbers and floats: casts, arithmetic, rounding, `until` and `seq`.
//!
//! Decimal arithmetic is in `decimal`.

use golang::strconv;
use gotemplate::{CallError, ElementType, Functions, List, Type, Value, format};

use crate::args::{function, int, text, variadic};
use crate::cast::{to_float, to_int, truncate};
use crate::limits;

pub(crate) fn add(functions: &mut Functions) {
    casts(functions);
    arithmetic(functions);
    functions.insert(
        "until",
        function(&[Type::Int], |_, args| {
            let end = int(&args[0]);
            steps(0, end, if end < 0 { -1 } else { 1 }).map(list)
        }),
    );
    functions.insert(
        "untilStep",
        function(&[Type::Int, Type::Int, Type::Int], |_, args| {
            steps(int(&args[0]), int(&args[1]), int(&args[2])).map(list)
        }),
    );
    functions.insert("seq", variadic(&[], Type::Int, |_, args| seq(args)));
}

fn casts(functions: &mut Functions) {
    functions.insert(
        "int",
        function(&[Type::Any], |_, args| Ok(Value::int(to_int(&args[0])))),
    );
    functions.insert(
        "int64",
        function(&[Type::Any], |_, args| Ok(Value::int64(to_int(&args[0])))),
    );
    functions.insert(
        "float64",
        function(&[Type::Any], |_, args| Ok(Value::Float(to_float(&args[0])))),
    );
    functions.insert(
        "atoi",
        function(&[Type::String], |_, args| {
            // A number that is too large gives the largest, as only the error is dropped.
            let text = std::str::from_utf8(text(&args[0])).unwrap_or("");
            Ok(Value::int(match strconv::parse_int(text, 10) {
                Ok(value) => value,
                Err(strconv::NumberError::Range) if text.starts_with('-') => i64::MIN,
                Err(strconv::NumberError::Range) => i64::MAX,
                Err(strconv::NumberError::Syntax) => 0,
            }))
        }),
    );
    functions.insert(
        "toDecimal",
        function(&[Type::Any], |_, args| {
            let mut text = Vec::new();
            format::display(&args[0], &mut text)?;
            let value = std::str::from_utf8(&text)
                .ok()
                .and_then(|text| strconv::parse_int(text, 8).ok());
            Ok(Value::int64(value.unwrap_or(0)))
        }),
    );
}

fn arithmetic(functions: &mut Functions) {
    functions.insert(
        "add",
        variadic(&[], Type::Any, |_, args| {
            Ok(fold(0, args, i64::wrapping_add))
        }),
    );
    functions.insert(
        "add1",
        function(&[Type::Any], |_, args| Ok(fold(1, args, i64::wrapping_add))),
    );
    functions.insert(
        "sub",
        function(&[Type::Any, Type::Any], |_, args| {
            Ok(fold(to_int(&args[0]), &args[1..], i64::wrapping_sub))
        }),
    );
    functions.insert(
        "mul",
        variadic(&[Type::Any], Type::Any, |_, args| {
            Ok(fold(1, args, i64::wrapping_mul))
        }),
    );
    functions.insert(
        "div",
        function(&[Type::Any, Type::Any], |_, args| {
            divide(args, i64::wrapping_div)
        }),
    );
    functions.insert(
        "mod",
        function(&[Type::Any, Type::Any], |_, args| {
            divide(args, i64::wrapping_rem)
        }),
    );
    for name in ["max", "biggest"] {
        functions.insert(
            name,
            variadic(&[Type::Any], Type::Any, |_, args| {
                Ok(fold(i64::MIN, args, i64::max))
            }),
        );
    }
    functions.insert(
        "min",
        variadic(&[Type::Any], Type::Any, |_, args| {
            Ok(fold(i64::MAX, args, i64::min))
        }),
    );
    functions.insert(
        "maxf",
        variadic(&[Type::Any], Type::Any, |_, args| {
            Ok(extreme(args, f64::gt))
        }),
    );
    functions.insert(
        "minf",
        variadic(&[Type::Any], Type::Any, |_, args| {
            Ok(extreme(args, f64::lt))
        }),
    );
    functions.insert(
        "ceil",
        function(&[Type::Any], |_, args| {
            Ok(Value::Float(to_float(&args[0]).ceil()))
        }),
    );
    functions.insert(
        "floor",
        function(&[Type::Any], |_, args| {
            Ok(Value::Float(to_float(&args[0]).floor()))
        }),
    );
    functions.insert(
        "round",
        variadic(&[Type::Any, Type::Int], Type::Float64, |_, args| {
            let cut = args.get(2).map_or(0.5, to_float);
            Ok(Value::Float(round(to_float(&args[0]), int(&args[1]), cut)))
        }),
    );
}

fn fold(first: i64, args: &[Value], operation: fn(i64, i64) -> i64) -> Value {
    Value::int64(args.iter().map(to_int).fold(first, operation))
}

fn divide(args: &[Value], operation: fn(i64, i64) -> i64) -> Result<Value, CallError> {
    match to_int(&args[1]) {
        0 => Err("runtime error: integer divide by zero".into()),
        divisor => Ok(Value::int64(operation(to_int(&args[0]), divisor))),
    }
}

/// The first of the numbers that none is beyond, or no number if one is none. Of zeros, a negative one
/// is the smaller.
fn extreme(args: &[Value], beyond: fn(&f64, &f64) -> bool) -> Value {
    let mut best = to_float(&args[0]);
    for value in args[1..].iter().map(to_float) {
        let infinite = value.is_infinite() && beyond(&value, &0.0);
        if best.is_infinite() && beyond(&best, &0.0) {
            // Nothing is beyond infinity, not even what is no number.
        } else if infinite || value.is_nan() || !best.is_nan() && beyond(&value, &best) {
            best = value;
        } else if best == 0.0 && value == 0.0 {
            let sign = |value: f64| 1f64.copysign(value);
            if beyond(&sign(value), &sign(best)) {
                best = value;
            }
        }
    }
    Value::Float(best)
}

/// Rounds up from `cut` on. For numbers below zero the part behind the point is negative and never
/// reaches it, so that they are rounded down, away from zero.
fn round(value: f64, places: i64, cut: f64) -> f64 {
    let power = power_of_ten(places);
    let shifted = power * value;
    let rounded = if shifted - shifted.trunc() >= cut {
        shifted.ceil()
    } else {
        shifted.floor()
    };
    rounded / power
}

/// `math.Pow(10, exponent)`, with the errors that Go's repeated squaring makes.
///
/// # Source
/// golang/go `src/math/pow.go`.
fn power_of_ten(exponent: i64) -> f64 {
    match exponent {
        400.. => return f64::INFINITY,
        ..=-400 => return 0.0,
        _ => {}
    }
    // 10 is 0.625 times 2 to the power of 4.
    let (mut square, mut square_exponent) = (0.625, 4);
    let (mut product, mut binary) = (1.0, 0);
    let mut left = exponent.unsigned_abs();
    while left > 0 {
        if left & 1 == 1 {
            product *= square;
            binary += square_exponent;
        }
        square *= square;
        square_exponent *= 2;
        if square < 0.5 {
            square += square;
            square_exponent -= 1;
        }
        left >>= 1;
    }
    if exponent < 0 {
        product = 1.0 / product;
        binary = -binary;
    }
    // In two steps, so that neither leaves the range.
    let half = binary / 2;
    product * 2f64.powi(half) * 2f64.powi(binary - half)
}

fn steps(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, CallError> {
    let distance = i128::from(stop) - i128::from(start);
    if step == 0 || distance.signum() as i64 != step.signum() {
        return Ok(Vec::new());
    }
    let step_size = i128::from(step.unsigned_abs());
    let count = (distance.abs() + step_size - 1) / step_size;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    limits::items(count)?;
    Ok((0..count as i64).map(|at| start + at * step).collect())
}

fn list(numbers: Vec<i64>) -> Value {
    let items: Vec<Value> = numbers.into_iter().map(Value::int).collect();
    Value::List(List::new(items, ElementType::Int))
}

fn seq(args: &[Value]) -> Result<Value, CallError> {
    let numbers: Vec<i64> = args.iter().map(int).collect();
    let (start, step, end) = match numbers[..] {
        [end] => (1, None, end),
        [start, end] => (start, None, end),
        [start, step, end] => (start, Some(step), end),
        _ => return Ok(Value::from("")),
    };
    let toward = if end < start { -1 } else { 1 };
    if toward < 0 && step.is_some_and(|step| step > 0) {
        return Ok(Value::from(""));
    }
    let numbers = steps(start, end.wrapping_add(toward), step.unwrap_or(toward))?;
    let mut out = String::new();
    for number in numbers {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&number.to_string());
    }
    Ok(Value::from(out))
}

/// A count that a function got as a float, as Go's conversion gives it.
pub(crate) fn count(value: f64) -> i64 {
    truncate(value)
}
