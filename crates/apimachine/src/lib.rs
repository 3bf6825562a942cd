//! The API server's rules as a function: a state and a request give an answer and events.
//!
//! [`step`] is everything a Kubernetes-compatible API server decides about one request: routing,
//! options, decoding, defaulting, validation, field ownership, patches, deletion. [`settle`] is
//! what the controllers that belong to the API itself do afterwards: garbage collection, namespace
//! deletion, custom resource definitions. Sockets, storage and authentication live in `apiserver`.
//!
//! # Invariants
//!
//! - **Equal input, equal output.** Time and seed come in through [`Env`]; maps are ordered.
//! - **Nothing half done.** A refused request leaves the state as it was; a dry run always does.
//! - **Every change is one event.** Versions grow by one per stored change and are never reused.
//! - **No input panics**, and everything that grows has a named limit.
//!
//! Deliberately absent: HTTP, sockets, locks, threads, clocks, disks; and workloads (what a
//! Deployment controller or a kubelet would do), see `workloads`.

mod builtin;
pub mod discovery;
mod env;
mod decode;
mod kind;
mod negotiate;
mod admission;
mod call;
mod create;
mod ownership;
mod strategy;
mod update;
mod options;
mod path;
pub mod rbac;
mod metadata;
mod selector;
mod reducer;
mod request;
mod response;
mod state;
pub mod status;
pub mod tables;
mod types;
pub mod watch;
mod writer;

pub use env::{Env, Random};
pub use rbac::User;
pub use reducer::{Reducer, react};
pub use request::Request;
pub use response::{Body, Format, Response};
pub use state::{Change, Event, Features, Key, State, Stored};
pub use status::Refusal;
pub use golang::Timestamp;
pub use types::{ResourceType, Scale, Subresource};
pub use writer::{Deletion, Writer};

/// Answers one request and says what it changed, the changes of [`settle`] included.
///
/// Never fails: a refusal is an answer with a Status body. An answer with [`Body::Watch`] asks the
/// caller to keep the connection open and to feed a [`watch::Watcher`].
pub fn step(state: &mut State, request: &Request, env: &Env) -> (Response, Vec<Event>) {
    let _ = (state, request, env);
    (Refusal::unknown_path().into_response(), Vec::new())
}

/// Lets the API's own controllers react until nothing is left to do.
///
/// [`step`] calls it after each write. Callers of [`Writer`] get it through [`Writer::finish`].
pub fn settle(state: &mut State, env: &Env) -> Vec<Event> {
    let _ = (state, env);
    Vec::new()
}
