//! Whether an object has reached what its spec asks for, and if not, why.
//!
//! [`assess`] answers for one object, from nothing but the object; [`Checks`] adds rules in CEL for
//! kinds that do not say it in the usual way; [`verdict`] answers for a set; [`explain`] finds the
//! deepest cause among an object and what it owns.
//!
//! # Invariants
//!
//! - **No input panics, and none is trusted.** A status that has the wrong form counts as absent,
//!   or makes the answer [`Status::Unknown`] with the reason.
//! - **No clock.** The current time is an argument; only unscheduled pods need it.
//!
//! Deliberately absent: reading and watching objects. Whoever holds them calls these functions.

mod assessment;
mod builtin;
mod checks;
mod explain;
mod generic;
mod verdict;

pub use assessment::{Assessment, Condition, Status};
pub use checks::{CheckError, Checks};
pub use explain::explain;
pub use generic::{assess, missing};
pub use verdict::{Mode, Verdict, verdict};
