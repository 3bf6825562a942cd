//! The kinds a Kubernetes API server has from the start: their types, defaults and rules.

mod canonical;
pub mod protobuf;
mod quantity;
mod time;
pub mod types;

pub use canonical::{DecodeError, UnknownField, canonicalize, zero};
pub use types::{StructId, types};
