//! A unit's files turned into the objects meant for one target.
//!
//! [`kustomization()`] is the whole way: find or make the kustomization file, add what the unit says,
//! build, substitute variables, and bring the objects into the shape that is applied. Nothing here
//! needs a cluster.
//!
//! # Invariants
//!
//! - **Pure.** Files, spec, variables and the [`tree::World`] decide the result; equal arguments give
//!   equal objects and an equal [`Digest`].
//! - **All errors at once.** Every file and object is looked at before the first error is returned.
//! - **No object twice.** Two objects with one key are an error that names both files.
//!
//! [`HelmCharts`] renders charts for whoever builds kustomizations that have some.
//!
//! Deliberately absent: dropping unknown fields of built-in kinds, which needs the target's schema,
//! and decryption, which needs keys.

mod charts;
mod digest;
mod error;
mod kustomization;
mod normalize;
mod spec;
pub mod substitute;

pub use charts::HelmCharts;
pub use digest::Digest;
pub use error::RenderError;
pub use kustomization::{OBJECTS_MAX, RENDERED_BYTES_MAX, Rendered, kustomization};
pub use kustomize::{OverlayImage as Image, OverlayPatch as Patch, OverlaySelector as Selector};
pub use spec::{CommonMetadata, Owner, Spec, Variables};
