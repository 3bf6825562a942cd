//! OpenChoreo's component model: components, releases and bindings turned into objects.

pub mod model;
pub mod names;
pub mod patch;
pub mod schema;
pub mod template;
