//! Strategic merge patches: merge patches that know which lists are keyed.

mod error;
mod patch;
mod schema;

pub use error::{Refusal, StrategicError};
pub use patch::apply;
pub use schema::{StrategicField, StrategicSchema, StrategicType};
