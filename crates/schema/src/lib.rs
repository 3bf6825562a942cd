//! What the API server knows about types: built-in kinds, structural schemas, defaults, pruning, validation.

pub mod builtin;
pub mod field_error;
pub mod openapi;
pub mod structural;

pub use field_error::{FieldError, FieldErrorKind, FieldValue};
pub use structural::Structural;
