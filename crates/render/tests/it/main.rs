//! Units rendered from small trees.

mod kustomization;
