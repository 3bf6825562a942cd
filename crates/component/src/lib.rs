//! OpenChoreo's component model: components, releases and bindings turned into objects.

pub mod catalog;
pub mod configurations;
mod context;
pub mod dependencies;
pub mod helpers;
pub mod identity;
pub mod metadata;
pub mod model;
pub mod names;
mod network_policy;
pub mod parameters;
pub mod patch;
pub mod render;
pub mod schema;
pub mod snapshot;
pub mod template;
