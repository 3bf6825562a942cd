//! What the API server knows about types: built-in kinds, structural schemas, defaults, pruning, validation.
