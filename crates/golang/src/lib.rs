//! Go's rules for text that users see: durations, times, quantities, versions, patterns,
//! numbers, base64, lists of flags, characters.
//!
//! Everything that Flux, kustomize, Helm and Kubernetes read from a manifest or print into a
//! status goes through Go's standard library first; each module here is one of its corners.
//!
//! Deliberately absent: a clock. Times are arguments.

pub mod base64;
pub mod csv;
pub mod duration;
pub mod glob;
pub mod quantity;
pub mod regexp;
pub mod strconv;
pub mod time;
pub mod unicode;
pub mod utf8;
pub mod version;

pub use duration::{Duration, DurationError, human_duration, short_human_duration};
pub use quantity::{Quantity, QuantityError};
pub use regexp::{Regexp, RegexpError};
pub use time::{TimeError, Timestamp};
pub use version::{Constraints, Version, VersionError};
