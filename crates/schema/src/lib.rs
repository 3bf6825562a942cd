//! What the API server knows about types: built-in kinds, structural schemas, defaults, pruning, validation.
//!
//! - [`builtin`]: the kinds of Kubernetes itself, from a table of types: how they are read, filled in,
//!   judged and converted.
//! - [`structural`]: the same for custom resources, from the schemas of their definitions; rules in
//!   CEL run within a budget.
//! - [`openapi`]: both as the documents that clients read.
//!
//! # Invariants
//!
//! - **All errors at once.** A judgment is a list of [`FieldError`]s, in the words and the order of the API server.
//! - **No clock, network, disk, environment or randomness.** Time is an argument.
//! - **No input panics.**
//!
//! Deliberately absent: requests, storage and admission, see `apimachine`; who owns which field, see `merge`.

pub mod builtin;
pub mod field_error;
pub mod openapi;
pub mod structural;

pub use field_error::{FieldError, FieldErrorKind, FieldValue};
pub use structural::Structural;
