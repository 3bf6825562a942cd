//! Units rendered from small trees.

mod charts;
mod kustomization;
