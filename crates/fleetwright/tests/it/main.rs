//! The shipped binary, as people use it.

mod backend;
mod bad_input;
mod bases;
mod charts;
mod cli;
mod clients;
mod component_files;
mod component_planes;
mod component_stories;
mod components;
mod components_corpus;
mod deployed;
mod documents;
mod durable;
mod errors;
mod gitops;
mod helm_flags;
mod kubelet;
mod kustomize_charts;
mod manifests;
mod process;
mod repository;
mod workloads;
