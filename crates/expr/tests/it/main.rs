//! Expressions, what they give and what they cost.

mod hostile;
mod language;
mod typed;
