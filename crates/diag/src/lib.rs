//! Codes, places and help: what every refusal carries.
//!
//! A library's error holds facts; [`Explain`] adds what a person or a controller needs beyond the
//! message. A [`Diagnostic`] is such an error made ready to show: the same words go to a terminal,
//! into a condition, an API answer or a page.
//!
//! Deliberately absent: printing. [`Diagnostic::render`] gives text; who writes it decides where.

mod diagnostic;
mod explain;
mod near;
mod span;

pub use diagnostic::{Diagnostic, Severity};
pub use explain::{Code, Explain, Reason, Retry, with_causes};
pub use near::{distance, nearest};
pub use span::Span;
