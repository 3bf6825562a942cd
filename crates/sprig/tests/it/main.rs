//! The functions, called as templates call them.

mod calls;
mod certificates;
mod language;
mod limits;
mod random;
mod recorded;
mod recording;
mod sharing;
mod signatures;
