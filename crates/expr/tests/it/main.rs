//! Expressions, what they give and what they cost.

mod costs;
mod hostile;
mod language;
mod libraries;
mod typed;
