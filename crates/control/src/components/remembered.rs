//! What decisions found out before, so that a look after which nothing changes renders nothing.
//!
//! What is kept is small: which reading of its inputs an object was rendered from, and the objects
//! that came of it as the server has them, whose parts they share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use component::catalog::Readings;
use object::{Node, Object, ObjectKey};

use super::promotion::Candidate;
use super::rendered;

/// What is remembered, of each object the newest. One for all decisions of a process.
#[derive(Debug, Default)]
pub struct Remembered {
    bindings: Mutex<BTreeMap<ObjectKey, Made>>,
    releases: Mutex<BTreeMap<ObjectKey, Tried>>,
}

/// What a binding was rendered to.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// What it was rendered from; `None` when more counts than that.
    pub from: Option<Readings>,
    pub what: Arc<What>,
    /// The releases that it asks for; those that are there as they are there.
    pub releases: Vec<Arc<Object>>,
}

/// What follows from a render beside releases.
#[derive(Debug)]
pub(super) struct What {
    pub candidate: Candidate,
    /// Fields of the binding's status.
    pub fields: Vec<(&'static str, Node)>,
}

/// A status that a release has because of what it renders to.
#[derive(Debug)]
struct Tried {
    from: Vec<Readings>,
    status: Node,
}

impl Remembered {
    /// Forgets an object that is gone.
    pub fn forget(&self, key: &ObjectKey) {
        self.bindings().remove(key);
        self.releases().remove(key);
    }

    /// What a binding was rendered to from the same as now, if the releases that it asks for are all
    /// it has.
    pub(super) fn made(
        &self,
        binding: &ObjectKey,
        from: Readings,
        releases: &[Arc<Object>],
    ) -> Option<Made> {
        let made = self.bindings().get(binding).cloned()?;
        let is_there = |wanted: &Arc<Object>| {
            let key = wanted.key();
            let mut own = releases.iter().filter(|own| own.key() == key);
            own.any(|own| rendered::is_applied(own, wanted))
        };
        let holds = made.from == Some(from)
            && !made.releases.is_empty()
            && made.releases.len() == releases.len()
            && made.releases.iter().all(is_there);
        holds.then_some(made)
    }

    /// Whether a binding was rendered from this.
    pub(super) fn renders(&self, binding: &ObjectKey, from: Readings) -> bool {
        let bindings = self.bindings();
        bindings
            .get(binding)
            .is_some_and(|made| made.from == Some(from))
    }

    /// Remembers what a binding was rendered to.
    pub(super) fn remember(&self, binding: &ObjectKey, made: Made) {
        match made.from {
            Some(_) => self.bindings().insert(binding.clone(), made),
            None => self.bindings().remove(binding),
        };
    }

    /// Whether a release has this status because of what it renders to from the same as now.
    pub(super) fn is_tried(&self, release: &Object, from: &[Readings]) -> bool {
        let tried = self.releases();
        let tried = tried.get(&release.key());
        tried.is_some_and(|own| own.from == from && release.node.get("status") == Some(&own.status))
    }

    /// Remembers that a release has the status it has to have.
    pub(super) fn remember_tried(&self, release: &Object, from: Vec<Readings>) {
        if let Some(status) = release.node.get("status").cloned() {
            let tried = Tried { from, status };
            self.releases().insert(release.key(), tried);
        }
    }

    fn bindings(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Made>> {
        self.bindings
            .lock()
            .unwrap_or_else(|lock| lock.into_inner())
    }

    fn releases(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Tried>> {
        self.releases
            .lock()
            .unwrap_or_else(|lock| lock.into_inner())
    }
}
