//! The resources Fleetwright serves: Flux's kinds, OpenChoreo's kinds, their conditions and their CRDs.
//!
//! Objects travel as [`object::Object`]s; this crate reads the parts that decisions need into
//! plain structs and writes statuses back. Field names, defaults and texts are Flux's, so that its
//! manifests and clients work unmodified.
//!
//! # Invariants
//!
//! - **One unreadable object harms only itself.** Reading fails with [`InvalidSpec`], which names the field.
//! - **The CRDs of Flux's kinds are Flux's in structure.** A test compares them field by field; descriptions are ours.
//! - **Those of OpenChoreo's kinds take objects of all its releases**; see [`openchoreo`].
//!
//! Deliberately absent: what to do about an object; see `control`.

mod condition;
mod crds;
mod git_repository;
mod kustomization;
mod meta;
pub mod openchoreo;
mod read;

pub use condition::{Condition, ConditionStatus, Conditions, condition_type};
pub use crds::custom_resource_definitions;
pub use git_repository::{Artifact, GitReference, GitRepository, GitRepositoryStatus};
pub use kustomization::{
    DeletionPolicy, Dependency, HealthCheck, HealthExpressions, Image, Kustomization,
    KustomizationStatus, Patch, Selector, SourceReference, SubstituteFrom,
};
pub use meta::{Meta, annotation, field_manager};
pub use read::InvalidSpec;

/// Finalizer on every object that has something to clean up.
pub const FINALIZER: &str = "finalizers.fluxcd.io";

/// Group of GitRepository.
pub const SOURCE_GROUP: &str = "source.toolkit.fluxcd.io";

/// Group of Kustomization.
pub const KUSTOMIZE_GROUP: &str = "kustomize.toolkit.fluxcd.io";

/// The kind GitRepository.
pub fn git_repository_kind() -> object::GroupVersionKind {
    object::GroupVersionKind::new("source.toolkit.fluxcd.io/v1", "GitRepository")
}

/// The kind Kustomization.
pub fn kustomization_kind() -> object::GroupVersionKind {
    object::GroupVersionKind::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization")
}
