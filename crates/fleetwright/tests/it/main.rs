//! The shipped binary, as people use it.

mod backend;
mod cli;
mod documents;
mod durable;
mod errors;
mod gitops;
mod kubelet;
mod manifests;
mod process;
mod repository;
mod workloads;
