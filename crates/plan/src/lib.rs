//! Plans: the exact steps that take a cluster from what is there to what is wanted.
//!
//! A [`Plan`] answers *what would change?* without touching anything. It is staged intents: which
//! objects, in which order. What a server's dry run answers to a stage goes through [`settle`],
//! which gives the exact writes; what the server knows of objects that left the source goes
//! through [`prune`], which gives the exact deletions, and [`brake`] says whether a person has to
//! agree to them first.
//!
//! # Invariants
//!
//! - **No choices are left.** Every write names its object and how; the executor reads no spec.
//! - **Planning again is a no-op.** Carry a plan out, plan from the result, and nothing is to do.
//! - **Nothing is deleted from ignorance.** A deletion needs a plan made from a complete render, a
//!   live object read under its key, and our owner labels on it; it carries UID and version.
//! - **No clock, network, disk, environment or randomness.**
//!
//! Deliberately absent: health. A plan says what to apply, not whether it becomes ready; see `health`.

mod brake;
mod changes;
mod cleanup;
mod diff;
mod ignore;
mod inventory;
mod markers;
mod order;
mod prune;
mod settle;
mod stages;

pub use brake::{Brake, Held, brake};
pub use changes::{Action, ChangeSet};
pub use cleanup::take_over;
pub use diff::{FieldDifference, ObjectDifference, difference};
pub use ignore::{IgnoreRule, IgnoreTarget};
pub use inventory::{Entry, Inventory};
pub use markers::Owner;
pub use order::sort;
pub use prune::{Deletion, LiveStale, Pruning, prune};
pub use settle::{Failure, Probe, ProbeRefusal, Settled, Write, settle};
pub use stages::{MANAGER, OBJECTS_MAX, Options, Plan, PlanError, Stage, make};
