//! YAML as the Go tools read and write it: load with positions, resolve, emit.
//!
//! Three levels, each with its own reader and writer:
//!
//! - [`Node`] is the text as written: styles, comments, anchors, key order. [`parse`] reads it and
//!   [`emit`] writes it, byte for byte as go-yaml v3 does; kustomize works on this level.
//! - [`object::Node`] is what the text means. [`to_value`] resolves a tree by the rules of
//!   `sigs.k8s.io/yaml` (YAML 1.1 words and numbers, merge keys, aliases), and [`to_string`] writes
//!   what its `Marshal` writes.
//! - Values of other types are written through a [`Viewer`].
//! - [`load`] does both for a file of manifests, skipping documents without content. Where only values
//!   are asked for, documents without anchors, tags and the like are read in one pass, without a tree.
//!
//! # Invariants
//!
//! - **No input panics, and none costs more than its share.** Size, depth, documents and the growth
//!   through aliases are limited by [`Limits`].
//! - **Nothing is constructed.** A tag chooses among scalars, lists and maps; unknown ones are errors.
//! - **Reading what [`emit`] wrote gives the same tree**, comments included where go-yaml keeps them.
//!
//! Deliberately absent: writing changes back into a file that a person formatted; that edits bytes.

mod bytes;
mod compose;
mod emit;
mod error;
mod events;
mod limits;
mod node;
mod parse;
mod resolve;
mod scan;
mod value;

pub use compose::Source;
pub use emit::{EmitOptions, View, Viewer, emit, emit_sources, write_value, write_value_v3};
pub use error::{DuplicateKey, Position, YamlError};
pub use limits::Limits;
pub use node::{Anchor, Comments, Kind, Node, Style, tag};
pub use object::Text;
pub use parse::{decode, parse, parse_first, parse_sources};
pub use resolve::{Rules, reads_as_text};
pub use value::{
    Document, Duplicates, ResolveOptions, Tags, from_value, load, load_first, load_first_entries,
    load_with, locate, to_canonical_string, to_string, to_value,
};
