//! The kinds a Kubernetes API server has from the start: their types, defaults and rules.

pub mod types;

pub use types::types;
