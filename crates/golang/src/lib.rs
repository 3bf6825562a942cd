//! Go's rules for text that users see: durations, times, quantities, versions, patterns, numbers.
//!
//! Everything that Flux, kustomize, Helm and Kubernetes read from a manifest or print into a
//! status goes through Go's standard library first; each module here is one of its corners.
//!
//! Deliberately absent: a clock. Times are arguments.

pub mod strconv;
