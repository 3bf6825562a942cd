//! Tests of the crate through its public face.

mod differential;
mod generate;
mod golden;
mod hostile;
mod reference;
mod tree;
