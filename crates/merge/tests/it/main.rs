//! Tests of the crate from outside.

mod corpus;
mod invariants;
mod json_patches;
mod ownership;
mod schemas;
mod strategic_patches;
