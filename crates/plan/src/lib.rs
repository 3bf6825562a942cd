//! The exact steps that take a cluster from what is there to what is wanted.
