//! Tests of the crate through its public face.

mod differential;
mod generate;
mod reference;
