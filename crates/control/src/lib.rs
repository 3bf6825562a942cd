//! What each object of Flux and of OpenChoreo needs now: synchronous decisions, nothing performed.
//!
//! A controller looks, decides, does one thing, and looks again. Looking and doing belong to
//! `runtime`; this crate decides. What woke a controller is never an argument: the path after a
//! restart is the path of every day.
//!
//! - [`git_repository::next`]: what a GitRepository needs.
//! - [`kustomization::next`]: whether a Kustomization is idle, blocked, to be reconciled or to be
//!   cleaned up; [`kustomization::Attempt`]: one reconcile of it, request by request.
//! - [`components::next`]: what an object of the component model needs; [`components::dependents`]:
//!   who has to be looked at when one changed.
//!
//! # Invariants
//!
//! - **No clock, network, disk, environment or randomness.** Time and jitter are arguments.
//! - **Every block has a reason and a way to wake up.** Nothing waits without a time or an event.
//! - **A status says the same until something changes**, so that a quiet interval writes nothing.
//!
//! Deliberately absent: how a request is carried out, and retries of single requests.

pub mod components;
mod event;
pub mod git_repository;
pub mod kustomization;
pub mod release;
mod timing;

pub use event::{Event, Severity};
pub use timing::{Timing, backoff};
