//! Packs: the files and streams that carry objects.
//!
//! Reading resolves deltas within limits and hands out every object once; writing stores objects
//! whole. Deliberately absent: making deltas. What is sent is larger than it could be, and cheaper to make.

mod inflate;
mod read;
mod write;

pub(crate) use read::{Indexed, PackEntry, index};
pub use read::{Limits, PackError};
pub(crate) use write::{PackWriter, encode_entry, write_index};

#[cfg(test)]
mod tests;
