//! Keeping a cluster across restarts.

mod committer;
mod redb_store;

use apimachine::{Event, Features, State};

pub(crate) use committer::{Committer, Outcome};
pub use redb_store::RedbStore;

/// Why something could not be stored or read back.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The disk or the operating system refused.
    #[error("the store could not be {doing}")]
    Disk {
        /// `opened`, `read`, `written`.
        doing: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store was written by something that this version does not understand.
    #[error("the store has format {found}, this program reads format {wanted}")]
    Format {
        /// Format of the store.
        found: u64,
        /// Format this program writes.
        wanted: u64,
    },
    /// An entry of the store is no object.
    #[error("the store is damaged at `{key}`")]
    Damaged {
        /// Which entry.
        key: String,
    },
}

impl StorageError {
    pub(crate) fn disk(
        doing: &'static str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self::Disk {
            doing,
            source: Box::new(source),
        }
    }

    /// The message and its causes in one line.
    pub fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        text
    }
}

/// What a store holds.
#[derive(Debug)]
pub enum Loaded {
    /// Nothing was ever stored.
    Empty,
    /// The cluster as of the last stored change, its recent events included.
    State(Box<State>),
}

/// A place where a cluster's changes are kept.
pub trait Durable: Send {
    /// Reads everything, opening the store anew when an earlier call failed.
    ///
    /// # Errors
    /// [`StorageError`] when the store cannot be read; nothing is changed then.
    fn load(&mut self, features: Features) -> Result<Loaded, StorageError>;

    /// Stores changes, in order, all or nothing. When it returns they survive a loss of power.
    ///
    /// # Errors
    /// [`StorageError`] when it is not certain that all of them are stored; the caller then asks
    /// [`Durable::load`] what is.
    fn append(&mut self, events: &[Event]) -> Result<(), StorageError>;
}
