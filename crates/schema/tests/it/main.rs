//! What the schema crate promises, compared with recorded API objects.

mod goldens;
mod merge_types;
mod roundtrip;
