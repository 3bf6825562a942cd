//! The component model from outside.
