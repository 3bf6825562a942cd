//! What the schema crate promises, compared with recorded API objects.

mod merge_types;
mod roundtrip;
