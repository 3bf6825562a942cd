//! Templates against what Go makes of them, and against what nobody should be able to make of us.

mod chains;
mod fixture;
mod format;
mod impure;
mod limits;
mod reads;
mod rows;
mod sets;
mod values;
