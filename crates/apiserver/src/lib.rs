//! HTTP, TLS, authentication and storage around the API server's rules.
//!
//! A [`Cluster`] is one Kubernetes-compatible API server without sockets: requests go in, answers
//! and watch streams come out. [`Cluster::service`] is a `tower::Service`, so a `kube::Client` can
//! stand on it in the same process. A [`Fleet`] serves several clusters below `/clusters/<name>/`,
//! a [`Server`] puts a fleet behind a listener with TLS.
//!
//! # Invariants
//!
//! - **One writer.** A cluster's state changes only inside one critical section, which is
//!   `apimachine::step` and the reactions of its reducers; nothing waits inside it.
//! - **Nothing is shown before it is kept.** With a store, answers and watch events wait until what
//!   they tell is on disk. A write that could not be stored is answered with an error and is undone.
//! - **A slow reader costs only itself.** Watch queues are bounded; whoever falls behind is cut off.
//!
//! Deliberately absent: the rules themselves, see `apimachine`, and workloads, see `workloads`.

#![expect(
    clippy::result_large_err,
    reason = "a refusal holds its Status; refusals are rare, and boxing would touch every signature"
)]

mod authentication;
mod body;
mod certificates;
mod clock;
mod cluster;
mod data_dir;
mod fleet;
mod http;
mod identity;
mod kubeconfig;
mod metrics;
mod server;
mod storage;
mod token;
mod watch;
mod wire;

pub use authentication::{TokenFileError, Tokens};
pub use body::Body;
pub use certificates::{Authority, CertificateError, Identity};
pub use clock::{Clock, SystemClock, TokioClock};
pub use cluster::{Cluster, ClusterService, Options};
pub use data_dir::DataDir;
pub use fleet::{Fleet, FleetService};
pub use kubeconfig::Kubeconfig;
pub use server::{Server, ServerError, ServerOptions};
pub use storage::{Durable, Loaded, RedbStore, StorageError};
