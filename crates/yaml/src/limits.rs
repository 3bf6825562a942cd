//! How much YAML is too much.

/// Most bytes of one file: ten times what an API server takes in one request, and far above what
/// people write by hand. A larger one is a data file.
pub const FILE_BYTES_MAX: usize = 10 << 20;

/// Most documents of one file. Bundles of whole platforms hold a few hundred objects.
pub const DOCUMENTS_MAX: usize = 5_000;

/// Deepest nesting. No API type nests deeper than a few dozen levels; it also bounds the stack.
pub const DEPTH_MAX: usize = 200;

/// Most nodes of one document after aliases are expanded.
pub const NODES_MAX: usize = 1_000_000;

/// Most nodes after expansion for each node written: room for a block shared by a hundred
/// workloads, none for aliases of aliases of aliases.
pub const EXPANSION_MAX: usize = 100;

/// Most bytes of one scalar: what an API server takes in one request.
pub const SCALAR_BYTES_MAX: usize = 3 << 20;

/// What a reader accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of input.
    pub file_bytes_max: usize,
    /// Most documents of one input.
    pub documents_max: usize,
    /// Deepest nesting of lists and maps.
    pub depth_max: usize,
    /// Most nodes of one document after aliases are expanded.
    pub nodes_max: usize,
    /// Most nodes after expansion for each node written.
    pub expansion_max: usize,
    /// Most bytes of one scalar.
    pub scalar_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes_max: FILE_BYTES_MAX,
            documents_max: DOCUMENTS_MAX,
            depth_max: DEPTH_MAX,
            nodes_max: NODES_MAX,
            expansion_max: EXPANSION_MAX,
            scalar_bytes_max: SCALAR_BYTES_MAX,
        }
    }
}
