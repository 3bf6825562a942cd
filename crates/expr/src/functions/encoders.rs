//! Base64.
//!
//! # Source
//! google/cel-go `ext/encoders.go`: decoding takes text with and without padding.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::{Function, global, no_overload, text};
use crate::cost::Cost;
use crate::{Shape, Value};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(super) static FUNCTIONS: &[Function] = &[
    global(
        "base64.encode",
        (1, 1),
        Cost::Traverse,
        Shape::String,
        |a| match &a[0] {
            Value::Bytes(bytes) => Ok(Value::string(encode(bytes))),
            _ => no_overload(),
        },
    ),
    global(
        "base64.decode",
        (1, 1),
        Cost::Traverse,
        Shape::Bytes,
        |a| match LENIENT.decode(text(&a[0])?) {
            Ok(bytes) => Ok(Value::Bytes(Arc::from(bytes))),
            Err(_) => {
                let at = wrong_byte(text(&a[0])?);
                Err(format!("illegal base64 data at input byte {at}").into())
            }
        },
    ),
];

/// Where Go stops reading: at the first byte that is none of the 64, or at the last group when
/// that is incomplete.
fn wrong_byte(text: &str) -> usize {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let wrong = text.bytes().position(|byte| !known(byte));
    wrong.unwrap_or(text.len() - text.len() % 4)
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes of a field of format `byte`.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
