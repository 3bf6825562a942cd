//! Units rendered from small trees.

mod charts;
mod charts_edges;
mod kustomization;
