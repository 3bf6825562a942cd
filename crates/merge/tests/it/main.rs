//! Tests of the crate from outside.

mod corpus;
mod ownership;
mod schemas;
