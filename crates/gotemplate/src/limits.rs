//! How much a template may ask for before it is refused.
//!
//! Charts come from strangers. What Go's library leaves open (it has the process's memory and time)
//! ends here in an error that names the limit, the template and the line.

/// Longest text of one template in bytes.
///
/// Helm refuses files of more than five MiB; parsed, a text of nothing but actions takes some
/// twenty times its size. Positions fit in 32 bits.
pub const TEXT_BYTES_MAX: usize = 8 << 20;

/// Most bytes of text in all templates of a [`Set`](crate::Set).
///
/// The templates of some forty large public charts have seven MiB together.
pub const SET_BYTES_MAX: usize = 16 << 20;

/// Deepest nesting of `if`, `with`, `range` and `block`; each `else if` is a level.
///
/// Generated charts have a few hundred. Each level costs about a kilobyte of stack while parsing.
pub const NESTING_MAX: u32 = 10_000;

/// Deepest nesting of parentheses. The reference's limit.
pub const PARENS_MAX: u32 = 10_000;

/// Deepest nesting of lists and maps in a value that is printed or written out.
///
/// The reference ends its process at some depth beyond a million, or at a map that holds itself.
pub const VALUE_DEPTH_MAX: usize = crate::format::DEPTH_MAX;

/// Bounds of what a [`Context`](crate::Context) executes, together.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Nodes, calls and turns of loops, heavier ones for several: some ten nanoseconds each, so that
    /// the default ends within about a second.
    pub steps: u64,
    /// Bytes of one output, of one text made by a builtin function, and of one value that is printed.
    pub output_bytes: usize,
    /// Bytes of the texts and lists that functions make, dead or alive: what templates can hold in
    /// memory at most. Large charts make some tens of megabytes.
    pub value_bytes: u64,
    /// Templates that call each other, by `template` or by functions. The reference stops at 100,000
    /// for `template` and at 1,000 of one name for Helm's `include`.
    pub depth: u32,
    /// Texts parsed inside of texts that are parsed while executing.
    pub parse_depth: u32,
    /// Bytes of all texts that are parsed while executing.
    pub parse_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 50_000_000,
            output_bytes: 16 << 20,
            value_bytes: 512 << 20,
            depth: 10_000,
            parse_depth: 200,
            parse_bytes: 16 << 20,
        }
    }
}
