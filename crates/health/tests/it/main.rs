//! Tests of the crate from outside.

mod kinds;
mod pods;
mod rules;

use object::{Object, json};

/// The object a JSON text describes.
fn object(text: &str) -> Object {
    let node = json::parse(text.as_bytes(), json::OBJECT_LIMITS);
    Object::new(node.unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// 2024-01-01T00:01:00Z
fn now() -> golang::Timestamp {
    golang::Timestamp::from_unix(1_704_067_260)
}
