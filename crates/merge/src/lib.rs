//! Field ownership and patches: who owns which field of an object, and what a patch makes of it.
//!
//! Everything here is a function from values to values over [`object::Node`]. What a type looks
//! like comes from outside, as a [`schema::Schema`]; this crate knows no kind by name.
//!
//! Start at [`apply`] and [`update`] for ownership, at [`json_patch::apply`],
//! [`merge_patch::apply`] and [`strategic::apply`] for patches.
//!
//! Deliberately absent: requests, storage, defaulting, admission, and any clock. Times pass
//! through as text.

mod apply;
mod conflict;
mod element;
mod field_set;
mod fields_v1;
pub mod json_patch;
mod managers;
pub mod merge_patch;
pub mod schema;
pub mod strategic;
mod typed;
mod value;

pub use apply::{
    Applied, ApplyError, Force, OneVersion, Reset, Versions, Write, apply, fields_of_last_applied,
    update,
};
pub use conflict::{Cause, Conflict, Conflicts};
pub use element::{ElementError, Path, PathElement};
pub use field_set::{Branch, FieldSet, Pattern};
pub use fields_v1::{DEPTH_MAX, FIELDS_MAX, FieldsError};
pub use managers::{
    ANCIENT_CHANGES, BEFORE_FIRST_APPLY, Entry, MANAGERS_MAX, ManagerId, Managers, ManagersError,
    Operation, UPDATERS_MAX,
};
pub use schema::{ObjectType, Schema, TypeRef};
pub use typed::{Comparison, Duplicates, TypeError, TypeErrors};
pub use value::same;
