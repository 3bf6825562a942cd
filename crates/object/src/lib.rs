//! Kubernetes objects as data: the compact ordered [`Node`], keys, field paths and JSON.
//!
//! Every value that flows from a file to a cluster is a [`Node`]; typed structs exist only at the
//! edges. A node is 24 bytes, keeps the order of map keys, and is cheap to clone: lists and maps
//! are shared until somebody changes them. Rules that hold for objects of every kind are here as
//! well: what their [`names`] look like, and which of them a [`LabelSelector`] takes.
//!
//! # Invariants
//!
//! - **Order is kept, and never matters.** Maps remember insertion order for printing; two maps
//!   that differ only in order are equal.
//! - **Parsing is bounded.** [`json::parse`] refuses input deeper or larger than its [`json::Limits`].
//! - **No input panics.**
//!
//! Deliberately absent: YAML (see `yaml`), schemas (see `schema`), and positions inside a file.
//! An [`Object`] knows the file and line it starts at; a place inside it is found by reading the
//! file again, which only errors need.

pub mod json;
mod key;
mod map;
pub mod names;
mod node;
mod path;
mod selector;
mod sharing;

pub use key::{GroupKind, GroupVersionKind, Object, ObjectKey, Origin};
pub use map::Map;
pub use node::{List, Node};
pub use path::{FieldPath, Step};
pub use selector::{LabelSelector, SelectorError};
pub use sharing::Sharing;

/// A short string, stored inline up to 23 bytes.
pub type Text = smol_str::SmolStr;
