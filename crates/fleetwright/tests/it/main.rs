//! The shipped binary, as people use it.

mod backend;
mod cli;
mod gitops;
mod process;
mod repository;
