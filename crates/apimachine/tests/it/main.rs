//! Tests of the rules through requests.

mod compare;
mod normal;
mod replay;
