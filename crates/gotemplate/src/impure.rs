//! Calls whose results do not depend on their arguments alone: the clock, chance, a cluster.
//!
//! Which functions these are is said once, with [`Functions::impure`](crate::Functions::impure), or by a
//! function itself while it is called, with [`Context::mark_impure`].

use std::collections::HashMap;

use crate::exec::Frame;
use crate::parse::Id;
use crate::{Context, Str};

/// Most places that are kept; calls at others are not told. Charts have a few dozen.
pub const IMPURE_PLACES_MAX: usize = 1000;

/// A place where something was called whose result does not depend on its arguments alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImpureCall {
    /// The template that the program executed.
    pub root: String,
    /// The name under which the text with the call was parsed.
    pub file: String,
    /// Line, from one.
    pub line: usize,
    /// Bytes before it in the line.
    pub column: usize,
    /// What was called.
    pub function: String,
    /// How often.
    pub times: u64,
}

/// The calls of an execution.
#[derive(Debug, Default)]
pub(crate) struct Impure {
    /// The function that is running has said so of itself.
    marked: bool,
    /// The template that the program executes.
    pub(crate) root: Str,
    /// By that template, the file, the function and its place.
    places: HashMap<(Str, Str, &'static str, Id), ImpureCall>,
}

impl Context<'_> {
    /// Notes that the result of the function that is running does not depend on its arguments alone:
    /// for functions of which this is not always true.
    pub fn mark_impure(&mut self) {
        self.impure.marked = true;
    }

    /// The calls until now, by place.
    pub fn impure_calls(&self) -> Vec<ImpureCall> {
        let places = &self.impure.places;
        let mut calls: Vec<ImpureCall> = places.values().cloned().collect();
        calls.sort();
        calls
    }

    /// Notes a call if it was one of these. `node` is the function's name in the text.
    pub(crate) fn note_call(
        &mut self,
        frame: &Frame<'_>,
        name: &'static str,
        node: Id,
        is_impure: bool,
    ) {
        if std::mem::take(&mut self.impure.marked) || is_impure {
            self.note_impure(frame, name, node);
        }
    }

    #[cold]
    fn note_impure(&mut self, frame: &Frame<'_>, name: &'static str, node: Id) {
        let source = frame.source();
        let Impure { root, places, .. } = &mut self.impure;
        let key = (root.clone(), source.name.clone(), name, node);
        if let Some(known) = places.get_mut(&key) {
            known.times += 1;
        } else if places.len() < IMPURE_PLACES_MAX {
            let (line, column) = source.line_and_column(node);
            let call = ImpureCall {
                root: root.to_text().into_owned(),
                file: source.name.to_text().into_owned(),
                line,
                column,
                function: name.to_owned(),
                times: 1,
            };
            places.insert(key, call);
        }
    }
}
