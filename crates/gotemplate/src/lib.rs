//! Go's text/template: parsed once, executed fast, bounded.
//!
//! A [`Set`] is templates that know each other, parsed with the same [`Functions`]. It is immutable
//! once built and shared between threads; a [`Context`] executes its templates over [`Value`]s.
//!
//! # Invariants
//!
//! - **Outputs and errors are Go's**, byte for byte, positions included, for Go 1.26.
//! - **No template panics, or runs or grows without bound.** [`Limits`] and [`limits`] say where it ends;
//!   recursion grows the stack as it needs.
//! - **Nothing from outside.** What is no value comes through [`World`] or the program's functions.
//!
//! Deliberately absent: the functions of sprig, see `sprig`; charts, see `helm`; other delimiters
//! than `{{` and `}}`; complex numbers but as constants; channels and iterators.

mod context;
mod error;
mod exec;
pub mod format;
mod function;
mod impure;
pub mod limits;
mod parse;
mod reads;
mod set;
mod stack;
mod survey;
mod value;

pub use context::{Context, Spent};
pub use error::{CallError, Cause, Error, ExecError, ParseError};
pub use function::{Body, Function, Functions, Method, Signature, Type, World};
pub use impure::{IMPURE_PLACES_MAX, ImpureCall};
pub use limits::Limits;
pub use reads::{Recorder, Use};
pub use set::{MissingKey, ParsedText, Set};
pub use survey::{Mention, Mentioned};
pub use value::{
    ElementType, Field, Host, IntType, Kind, List, Map, MapMethods, MapType, Str, UintType, Value,
};
