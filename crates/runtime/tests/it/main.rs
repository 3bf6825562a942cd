//! The engine between a Git repository and an API server, both in this process.

mod components;
mod crash;
mod faults;
mod scenarios;
mod world;
