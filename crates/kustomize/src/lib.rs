//! Kustomizations rendered natively.
