//! Strategic merge patches: merge patches that know which lists are keyed.

mod schema;

pub use schema::{StrategicField, StrategicSchema, StrategicType};
