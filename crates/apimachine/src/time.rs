//! The instant of a step.

pub use self::instant::Timestamp;

mod instant {
    /// An instant in microseconds since 1970, UTC.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Timestamp(pub i64);
}
