//! The only reader of remotes: sources become revisions, trees and artifacts.
//!
//! [`git::fetch`] finds the revision that a source asks for and brings its files; [`Storage`]
//! keeps them as archives that others may download, and in memory for this process;
//! [`Downloader`] reads artifacts that another process made.
//!
//! # Invariants
//!
//! - **Immutable.** An artifact's digest names its bytes; what has another digest is removed or refused.
//! - **Whole or not at all.** An archive appears under its name only when all of it is on disk.
//! - **Deterministic.** Equal trees give equal archives.
//!
//! Deliberately absent: what a source's status says, retries, and when to look again.

pub mod archive;
pub mod bases;
pub mod disk;
pub mod download;
pub mod git;
pub mod ignore;
pub mod include;
pub mod secret;

mod semver;
pub mod serve;
pub mod storage;
pub mod submodules;

pub use bases::{Bases, FetchedBases};
pub use download::{DownloadError, Downloader};
pub use git::{Checkout, FetchError, FetchRequest, Fetched};
pub use include::{Include, IncludeError};
pub use secret::{Access, SecretError};
pub use storage::{ArtifactKey, Retention, Storage, StorageError, Stored};
