//! Git objects and the wire protocol, both sides, behind our own types.
//!
//! [`server::Server`] serves bare repositories in a folder over HTTP, [`client::Client`] reads
//! remote ones, [`Repository`] is one on disk.
//!
//! # Invariants
//!
//! - **No process is started.** Neither side needs a `git` on the machine.
//! - **Objects first.** A reference moves only after everything it leads to has been checked and is on disk.
//! - **Moves are compared.** No reference changes unless it still is what the caller has seen.
//! - **Names are checked** before they touch a path: [`RefName`], repository names, directory entries.
//! - No type of the library that reads object files is visible outside.
//!
//! Deliberately absent: working trees, merging, SSH, and deltas in what is sent.

mod checkout;
pub mod client;
mod consolidate;
mod object;
mod odb;
mod oid;
mod pack;
mod pktline;
mod refname;
mod refs;
mod repository;
mod rewrite;
pub mod server;

pub use checkout::{CHECKOUT_BYTES_MAX, CheckoutError, FILES_MAX};
pub use object::{COMMIT_BYTES_MAX, Commit, Malformed, Signature, Tag};
pub use odb::ObjectError;
pub use oid::{Collision, Kind, Oid, OidError};
pub use pack::{Limits, PackError};
pub use refname::{REF_NAME_BYTES_MAX, RefName, RefNameError};
pub use refs::{Expected, REFS_MAX, RefEdit, RefError, Refs};
pub use repository::{NewCommit, Repository, RepositoryError};
pub use rewrite::{RewriteError, Rewrites};
