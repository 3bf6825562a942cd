//! Git objects and the wire protocol, both sides, behind our own types.
