//! What there is to say about the health of one object.

use std::fmt;

/// How far an object is on its way to what its spec asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It is there.
    Current,
    /// It is on its way.
    InProgress,
    /// It will not get there by itself.
    Failed,
    /// It is being deleted.
    Terminating,
    /// It does not exist.
    NotFound,
    /// It does not say in a form that can be read.
    Unknown,
}

/// The health of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// How far it is.
    pub status: Status,
    /// Why, in a sentence; may be empty.
    pub message: String,
    /// `Reconciling` while in progress or `Stalled` when failed; else none.
    pub conditions: Vec<Condition>,
}

/// A condition that follows from the object's state, always true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `Reconciling` or `Stalled`.
    pub kind: &'static str,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
}

impl Assessment {
    /// Nothing is left to do.
    pub fn current(message: impl Into<String>) -> Self {
        Self::plain(Status::Current, message)
    }

    /// A status without conditions.
    pub fn plain(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            conditions: Vec::new(),
        }
    }

    /// Work is left to do.
    pub fn in_progress(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::with(Status::InProgress, "Reconciling", reason, message)
    }

    /// Waiting cannot help.
    pub fn failed(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::with(Status::Failed, "Stalled", reason, message)
    }

    fn with(
        status: Status,
        kind: &'static str,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        Self {
            status,
            message: message.clone(),
            conditions: vec![Condition {
                kind,
                reason: reason.into(),
                message,
            }],
        }
    }

    /// Whether nothing is left to do.
    pub fn is_current(&self) -> bool {
        self.status == Status::Current
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        })
    }
}
