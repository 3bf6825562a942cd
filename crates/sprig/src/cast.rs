//! Numbers of whatever a value is; zero for what is none.
//!
//! # Source
//! spf13/cast v1.7.0, `caste.go`.

use golang::strconv;
use gotemplate::{Host, Value};

/// `int64(value)`: beyond the range Go's answer on amd64, the smallest integer.
pub(crate) fn truncate(value: f64) -> i64 {
    // 2^63 itself is out of range.
    const END: f64 = 9_223_372_036_854_775_808.0;
    if (-END..END).contains(&value) {
        value as i64
    } else {
        i64::MIN
    }
}

/// Of texts, those with a base prefix count, and a fraction of zeros is cut off.
pub(crate) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(value, _) => *value,
        Value::Uint(value, _) => *value as i64,
        Value::Float(value) => truncate(*value),
        Value::Bool(value) => i64::from(*value),
        Value::String(text) => text
            .as_str()
            .and_then(|text| strconv::parse_int(cut_zeros(text), 0).ok())
            .unwrap_or(0),
        Value::Host(host) => named_int(host.as_ref()).unwrap_or(0),
        _ => 0,
    }
}

pub(crate) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(value, _) => *value as f64,
        Value::Uint(value, _) => *value as f64,
        Value::Float(value) => *value,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::String(text) => text
            .as_str()
            .and_then(|text| strconv::parse_float(text).ok())
            .unwrap_or(0.0),
        Value::Host(host) => named_int(host.as_ref()).unwrap_or(0) as f64,
        _ => 0.0,
    }
}

/// The two named integers that the library knows.
fn named_int(host: &dyn Host) -> Option<i64> {
    if !matches!(host.type_name(), "time.Month" | "time.Weekday") {
        return None;
    }
    match host.contents() {
        Some(Value::Int(value, _)) => Some(value),
        _ => None,
    }
}

/// Cuts off a fraction that consists of zeros.
fn cut_zeros(text: &str) -> &str {
    let mut zeros = false;
    for (at, byte) in text.bytes().enumerate().rev() {
        match byte {
            b'0' => zeros = true,
            b'.' if zeros => return &text[..at],
            b'.' => {}
            _ => break,
        }
    }
    text
}
