//! The component model against tables of our own and the public corpus.

mod catalog;
mod corpus;
mod demo;
mod edit;
mod generate;
mod generated;
mod hostile;
mod model;
mod origins;
mod patch;
mod patch_vectors;
mod pipeline_vectors;
mod preview;
mod render;
mod scaffold;
mod schema;
mod support;
mod template;
mod template_hostile;
mod template_vectors;
mod workload_file;
