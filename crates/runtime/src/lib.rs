//! Clock, queues and supervised tasks; turns decisions into calls.
//!
//! An [`Engine`] watches the Flux objects of one control plane, asks `control` what each needs,
//! and carries that out through `source`, `render` and `cluster`.
//!
//! # Invariants
//!
//! - **One reconcile an object at a time**, and none is forgotten: whatever happens meanwhile makes
//!   it run again.
//! - **Waiting for health holds no worker.** A new revision, spec or wish ends the wait at once.
//! - **Nothing is polled that can be watched.** Timers are a net under lost events.
//! - **No part ends in silence.** When one ends by accident, so does the task of [`Engine::new`], with the
//!   reason; the program ends then.
//!
//! Deliberately absent: decisions. They are in `control` and `plan`.

mod clock;
mod components;
mod engine;
mod events;
mod health_hub;
mod perform;
mod queue;
mod readiness;
mod sources;
mod spec;
mod summary;
mod targets;
mod unchanged;
mod units;
mod variables;

pub use clock::{Clock, SystemClock};
pub use components::{ComponentOptions, Components, DefaultPlane, NoDefaultPlane};
pub use engine::{Engine, Options};
pub use events::{RecentEvents, Recorded};
pub use readiness::{BindingSummary, Readiness, ReadyState, ReadyTime, release_history};
pub use sources::Sources;
pub use spec::render_spec;
pub use summary::{Health, Summary, SyncState, UnitSummary};
pub use targets::{TargetError, Targets};
