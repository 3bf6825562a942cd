//! Go's text/template: parsed once, executed fast, bounded.
//!
//! Deliberately absent: the functions of sprig, see `sprig`; charts, see `helm`.

mod function;
mod value;

pub use function::{Body, CallError, Context, Function, Functions, Type, World};
pub use value::{
    ElementType, Host, IntType, Kind, List, Map, MapMethods, MapType, Str, UintType, Value,
};
