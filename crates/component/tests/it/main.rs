//! The component model against tables of our own and the public corpus.

mod corpus;
mod demo;
mod generated;
mod hostile;
mod model;
mod patch;
mod patch_vectors;
mod pipeline_vectors;
mod preview;
mod render;
mod schema;
mod support;
mod template;
mod template_hostile;
mod template_vectors;
