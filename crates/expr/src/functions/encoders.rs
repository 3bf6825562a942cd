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
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
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
            Err(base64::DecodeError::InvalidByte(at, _)) => {
                Err(format!("illegal base64 data at input byte {at}").into())
            }
            Err(_) => Err("illegal base64 data at end of input".into()),
        },
    ),
];

pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes of a field of format `byte`.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
