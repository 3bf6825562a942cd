//! What happened to each object.

use std::fmt;

use object::ObjectKey;

/// What happened to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It was not there.
    Created,
    /// It was there and differed.
    Configured,
    /// It was as wanted.
    Unchanged,
    /// It left the source.
    Deleted,
    /// It is marked to be left alone.
    Skipped,
}

/// What happened to each object, in the order it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet(Vec<(ObjectKey, Action)>);

impl Action {
    /// `created`, `configured`, `unchanged`, `deleted` or `skipped`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Skipped => "skipped",
        }
    }

    /// `+`, `~`, `=`, `-`, or `!` for what needs a look.
    pub fn sign(self) -> char {
        match self {
            Self::Created => '+',
            Self::Configured => '~',
            Self::Unchanged => '=',
            Self::Deleted => '-',
            Self::Skipped => '!',
        }
    }

    /// Whether the cluster is another one afterwards.
    pub fn is_change(self) -> bool {
        !matches!(self, Self::Unchanged | Self::Skipped)
    }
}

impl ChangeSet {
    /// Adds what happened to one object.
    pub fn push(&mut self, key: ObjectKey, action: Action) {
        self.0.push((key, action));
    }

    /// Adds all of another.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Every object and what happened to it.
    pub fn iter(&self) -> impl Iterator<Item = &(ObjectKey, Action)> {
        self.0.iter()
    }

    /// Whether anything is another than before.
    pub fn has_changes(&self) -> bool {
        self.0.iter().any(|(_, action)| action.is_change())
    }

    /// Only what is another than before.
    pub fn changed(&self) -> Self {
        let changed = self.0.iter().filter(|(_, action)| action.is_change());
        Self(changed.cloned().collect())
    }
}

impl fmt::Display for ChangeSet {
    /// One line an object: `Kind/namespace/name created`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (key, action)) in self.0.iter().enumerate() {
            let end = if at > 0 { "\n" } else { "" };
            write!(f, "{end}{key} {}", action.as_str())?;
        }
        Ok(())
    }
}
