//! Schemas of parameters: pruning, defaults, validation.
