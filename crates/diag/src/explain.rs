//! What an error tells beyond its message.

use std::fmt;

use crate::{Diagnostic, Span};

/// The finest stable name of an error, CamelCase, and the key of its documentation:
/// `PatchTargetNotFound`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

/// The word a condition carries, Flux's where Flux has one: `BuildFailed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason(pub &'static str);

/// Whether waiting can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same request may succeed later.
    Later,
    /// Somebody has to change something first; marks an object Stalled.
    Never,
}

/// What a person or a controller needs beyond an error's message.
pub trait Explain: std::error::Error {
    /// The finest stable name.
    fn code(&self) -> Code;

    /// The word for the condition.
    fn reason(&self) -> Reason;

    /// Whether waiting can help.
    fn retry(&self) -> Retry {
        Retry::Later
    }

    /// The place that has to change, if one is known.
    fn span(&self) -> Option<Span> {
        None
    }

    /// What to try, likeliest first, in full sentences.
    fn help(&self) -> Vec<String> {
        Vec::new()
    }

    /// This error ready to show: message, causes, place and help.
    fn to_diagnostic(&self) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(self.code(), self.to_string());
        let mut source = self.source();
        while let Some(cause) = source {
            diagnostic.notes.push(cause.to_string());
            source = cause.source();
        }
        diagnostic.span = self.span();
        diagnostic.help = self.help();
        diagnostic
    }
}

/// An error and its causes in one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
