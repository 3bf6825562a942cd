//! The shipped binary, as people use it.

mod backend;
mod cli;
mod documents;
mod errors;
mod gitops;
mod process;
mod repository;
