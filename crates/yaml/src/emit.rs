//! Text from trees and values.
//!
//! [`writer`] knows lines, columns and how scalars are quoted and folded; [`nodes`] writes trees as
//! go-yaml v3 does, [`values`] writes values as v2 does.

mod nodes;
mod values;
mod writer;

pub use values::{View, Viewer, write_value, write_value_v3};

use crate::compose::Source;
use crate::{Node, Text};

/// How to write a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmitOptions {
    /// Spaces per level, from two to nine; others mean two.
    pub indent: u8,
    /// Whether a sequence under a key stands at the key's own column, as kustomize writes it.
    pub compact_sequences: bool,
}

impl Default for EmitOptions {
    fn default() -> Self {
        Self {
            indent: 2,
            compact_sequences: true,
        }
    }
}

/// Writes documents as go-yaml v3's encoder does, `---` between them.
pub fn emit(docs: &[Node], options: &EmitOptions) -> String {
    let empty = Text::default();
    nodes::write(docs.iter().map(|doc| (&empty, doc, &empty)), options)
}

/// Writes documents with the comments above and below their nodes.
pub fn emit_sources(sources: &[Source], options: &EmitOptions) -> String {
    let parts = sources
        .iter()
        .map(|source| (&source.head_comment, &source.root, &source.foot_comment));
    nodes::write(parts, options)
}
