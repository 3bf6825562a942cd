//! Field ownership and patches: who owns which field of an object, and what a patch makes of it.
//!
//! Everything here is a function from values to values over [`object::Node`]. What a type looks
//! like comes from outside, as a [`schema::Schema`]; this crate knows no kind by name.
//!
//! Deliberately absent: requests, storage, defaulting, admission, and any clock. Times pass
//! through as text.

pub mod schema;
pub mod strategic;
