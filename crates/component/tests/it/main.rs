//! The component model against tables of our own and the public corpus.

mod corpus;
mod demo;
mod generated;
mod model;
mod schema;
mod support;
