//! OpenChoreo's component model: components, releases and bindings turned into objects.
//!
//! ```text
//!  objects of a tree
//!    │ model        one shape for every version, told apart by content
//!    │ catalog      what refers to what; a component frozen into a release
//!    │ parameters   schemas, defaults, precedence
//!    │ context      the variables of templates, with methods
//!    │ render       templates, traits, patches, rules, labels
//!    ▼ objects for one environment, each remembering whose template made it
//! ```
//!
//! A [`catalog::Catalog`] reads a checkout, a [`catalog::Session`] renders its bindings. The other
//! way, a [`checkout::Checkout`] knows the files, and [`generate`], [`workload_file`] and [`scaffold`]
//! say which to write.
//!
//! # Invariants
//!
//! - **Any version, side by side.** Trees of v0.6 to v1.2 are read as they are; a release renders by
//!   the rules of the version it was written for, also when what surrounds it is of another.
//! - **Only the snapshot counts.** Changing a component type changes nothing until a new release is
//!   bound.
//! - **All or nothing, and all reasons.** No part of a binding is rendered; errors name template,
//!   part, place, expression and values, and no secret.
//! - **Rebuilding changes nothing.** Identities in selectors come from names, see [`identity`].
//! - **Bounded, and equal inputs give equal bytes.** No clock, network, files, environment or
//!   randomness.
//!
//! Deliberately absent: applying, health, promotion and conditions, which controllers do; reading
//! and writing files; networks of clusters. Endpoints outside of a cluster and outputs of resources are not
//! known here.

pub mod catalog;
pub mod checkout;
pub mod configurations;
mod context;
pub mod dependencies;
pub mod edit;
pub mod generate;
pub mod helpers;
pub mod identity;
pub mod metadata;
pub mod model;
pub mod names;
mod network_policy;
pub mod parameters;
pub mod patch;
pub mod preview;
pub mod release_config;
pub mod render;
mod routes;
pub mod scaffold;
pub mod schema;
pub mod snapshot;
pub mod template;
pub mod workload_file;
