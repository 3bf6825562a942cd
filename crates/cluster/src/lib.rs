//! The only crate that talks to a Kubernetes API.
//!
//! A [`Cluster`] is one API server seen with one identity, embedded in this process or anywhere
//! else; nobody outside can tell which. Answers are [`object::Node`]s, never typed structs. A
//! [`Reflector`] keeps a local copy of some objects and tells what changes.
//!
//! # Invariants
//!
//! - **A failed read is never an empty answer.** Every method tells "not there" from "could not ask".
//! - **Answers are bounded.** A body larger than its limit is an error, not memory.
//! - **An identity is part of the value.** [`Cluster::impersonating`] makes another one; no call
//!   takes an identity as an argument that could be forgotten.
//!
//! Deliberately absent: decisions. What to write comes from `plan` and `control`.

mod connect;
mod discovery;
mod error;
mod reflector;
mod request;
mod watch;

pub use connect::{
    KubeconfigError, from_kubeconfig, from_kubeconfig_file, in_cluster, in_process, is_loopback,
    kubeconfig_address,
};
pub use discovery::Mapping;
pub use error::{ApiError, ErrorClass};
pub use reflector::{Change, Reflector, Scope};
pub use request::{Apply, Cluster, Delete, PatchType, Propagation};
