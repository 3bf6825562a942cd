//! What the schema crate promises, compared with recorded API objects.

mod roundtrip;
