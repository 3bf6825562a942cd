//! What is worth telling people.

/// How much attention an event deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something happened as wanted.
    Info,
    /// Something failed.
    Error,
}

/// One thing that happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// How much attention it deserves.
    pub severity: Severity,
    /// Why, in one word.
    pub reason: String,
    /// What happened.
    pub message: String,
    /// The revision it happened with; empty when none was known.
    pub revision: String,
}

impl Event {
    /// Something that happened as wanted.
    pub fn info(reason: &str, message: impl Into<String>, revision: &str) -> Self {
        Self {
            severity: Severity::Info,
            reason: reason.to_owned(),
            message: message.into(),
            revision: revision.to_owned(),
        }
    }

    /// Something that failed.
    pub fn error(reason: &str, message: impl Into<String>, revision: &str) -> Self {
        Self {
            severity: Severity::Error,
            ..Self::info(reason, message, revision)
        }
    }
}
