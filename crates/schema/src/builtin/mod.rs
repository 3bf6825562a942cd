//! The kinds a Kubernetes API server has from the start: their types, defaults and rules.

mod canonical;
mod convert;
mod defaults;
pub mod kinds;
mod merging;
pub mod protobuf;
mod quantity;
mod time;
pub mod types;
mod validation;

pub use canonical::{DecodeError, UnknownField, canonicalize, canonicalize_beside, zero};
pub use convert::convert;
pub use defaults::{default, default_beside};
pub use kinds::{GROUPS, Group, Kind, NameRule, Subresource, by_kind, kinds, lookup, type_of};
pub use merging::{Strategic, merge_schema, strategic_schema};
pub use types::{StructId, types};
pub use validation::{validate, validate_metadata, validate_metadata_update, validate_update};
