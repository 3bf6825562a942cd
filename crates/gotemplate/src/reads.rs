//! What an execution learned from the values it was given, and what it changed of them.

use crate::{Map, Value};

/// Is told what an execution reads, so that a render can be kept while nothing it read has changed.
///
/// It is shared, so that its owner can look at it between executions.
///
/// Nothing is reported for constants, nor for what templates pass on without looking: a dot, a
/// variable, an argument of a function that [`Functions::looks`](crate::Functions::looks) says so of.
pub trait Recorder {
    /// A key of a map was looked up, found or not. Maps are told apart by [`Map::is_same`].
    fn key(&self, map: &Map, key: &[u8]);

    /// A list, map or other composed value was used as a whole.
    fn whole(&self, value: &Value, how: Use);

    /// A map is about to be changed, or has just been.
    fn changed(&self, map: &Map);
}

/// How a composed value was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Only whether it is empty.
    Truth,
    /// Only how many elements it has, or that it is there.
    Length,
    /// Its keys or indices, and the elements that are not composed themselves; others were passed on.
    Elements,
    /// It was printed or compared.
    Printed,
    /// A function or a method of it got it; what that did is unknown.
    Passed,
}
