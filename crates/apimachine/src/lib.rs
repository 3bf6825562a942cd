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
//! - **Every change is one event.** Versions grow with every change and are never reused.
//! - **No input panics**, and everything that grows has a named limit.
//!
//! Deliberately absent: HTTP, sockets, locks, threads, clocks, disks; and workloads (what a
//! Deployment controller or a kubelet would do), see `workloads`.

#![expect(
    clippy::result_large_err,
    reason = "a refusal is made at most once per request and holds what its Status says"
)]

mod admission;
mod bootstrap;
mod builtin;
mod call;
mod classes;
mod convert;
mod crds;
mod create;
mod decode;
mod delete;
pub mod discovery;
mod env;
mod fields;
mod garbage;
mod kind;
mod limits;
mod list;
mod namespaces;
mod negotiate;
mod options;
mod ownership;
mod patch;
mod path;
mod pod_actions;
mod pod_security;
mod pods;
mod policies;
mod policy_rules;
mod protection;
mod quota;
pub mod rbac;
mod reducer;
mod request;
mod response;
mod scale;
mod selector;
mod serve;
mod service_network;
mod services;
mod settle;
mod special;
mod state;
pub mod status;
mod strategy;
pub mod tables;
mod types;
mod update;
pub mod watch;
mod writer;

pub use env::{Env, Random};
pub use golang::Timestamp;
pub use list::Selection;
pub use policies::{Verdict, admit_all};
pub use rbac::User;
pub use reducer::{Reaction, Reducer, react};
pub use request::{Content, Request};
pub use response::{Body, Format, Response};
pub use selector::FieldSelector;
pub use service_network::{ServiceNetwork, ServiceNetworkError};
pub use state::{Change, Event, Features, Key, State, Stored, TEXTS_KEPT};
pub use status::Refusal;
pub use types::{ResourceType, Scale, Subresource};
pub use writer::{Deletion, Writer};

/// Answers one request and says what it changed, the changes of [`settle`] included.
///
/// Never fails: a refusal is an answer with a Status body. An answer with [`Body::Watch`] asks the
/// caller to keep the connection open and to feed a [`watch::Watcher`].
pub fn step(state: &mut State, request: &Request, env: &Env) -> (Response, Vec<Event>) {
    let (response, mut events) = serve::serve(state, request, env);
    if !events.is_empty() {
        let more = settle_after(state, env, &events);
        events.extend(more);
    }
    (response, events)
}

/// Lets the API's own controllers look at everything and react until nothing is left to do.
///
/// [`step`] and [`Writer::finish`] do this for what they changed; call it after loading a state.
pub fn settle(state: &mut State, env: &Env) -> Vec<Event> {
    settle::everything(state, env)
}

/// Lets the API's own controllers react to `events` and to what follows from them.
pub(crate) fn settle_after(state: &mut State, env: &Env, events: &[Event]) -> Vec<Event> {
    settle::after(state, env, events)
}
