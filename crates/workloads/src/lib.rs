//! What controllers and kubelets would do to objects: reducers over API server state.
//!
//! No container runs. A Deployment gets its ReplicaSets and pods, pods become ready, Services get
//! endpoints, claims are bound, so that everything that waits for workloads can be tried on a
//! laptop. Failures are scripted; see [`fault`].
//!
//! Each kind is a function from what is there to what to write ([`Writes`]), so that the same code
//! runs inside the embedded API server (through [`Simulation`], a [`apimachine::Reducer`]) and
//! beside a real one that has no kubelets.
//!
//! # Invariants
//!
//! - **Deterministic.** Equal objects and times give equal writes.
//! - **Quiet when done.** An object that is as it should be is not written.
//! - **Only status and children.** The spec of a user's object is never changed.
//!
//! Deliberately absent: scheduling by resources, networks, autoscalers.

mod claim;
mod conditions;
mod daemon_set;
mod deployment;
pub mod fault;
mod ingress;
mod job;
mod node;
mod pod;
mod replica_set;
mod service;
mod simulation;
mod stateful_set;
mod template;
mod view;

pub use pod::reconcile as reconcile_pod;
pub use simulation::Simulation;
pub use view::{View, Write, Writes};

/// Everything simulated, as reducers of an embedded API server.
pub fn reducers() -> Vec<Box<dyn apimachine::Reducer>> {
    vec![Box::new(Simulation::default())]
}
