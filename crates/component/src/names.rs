//! Names that are generated from parts, and the labels objects carry.
