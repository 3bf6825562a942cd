//! What a GitRepository needs now.

use api::{Artifact, ConditionStatus, GitRepository, GitRepositoryStatus, condition_type};
use golang::Timestamp;

use crate::{Event, Timing, backoff};

/// What is true about a repository when it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The object.
    pub repository: &'a GitRepository,
    /// What this process remembers of it.
    pub memory: &'a Memory,
    /// Whether the advertised archive is in storage with its digest.
    pub stored: bool,
}

/// What a process remembers of a repository; lost at a restart without harm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// When it was last fetched, or tried, and for which generation.
    pub attempted: Option<(Timestamp, i64)>,
    /// Failures since the last success.
    pub failures: u32,
    /// Whether somebody announced a push since then.
    pub announced: bool,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Put our finalizer on the object, then look again.
    AddFinalizer,
    /// Fetch, then report with [`fetched`] or [`failed`].
    Fetch,
    /// Delete the archives, then take our finalizer off.
    Finalize,
    /// Nothing before this time; `None` when only a change can help.
    Sleep(Option<Timestamp>),
}

/// What a fetch found.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    /// The archive of the revision.
    pub artifact: Artifact,
    /// First line of the commit message; empty when the revision is the stored one.
    pub subject: String,
    /// Whether this is another archive than before.
    pub is_new: bool,
}

/// Why a fetch found nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchFailure {
    /// Flux's word for it, as `GitOperationFailed`.
    pub reason: String,
    /// What happened.
    pub message: String,
    /// Whether waiting cannot help.
    pub stalled: bool,
    /// Whether it was our storage that failed, not the remote.
    pub storage: bool,
}

/// What to write and when to look again.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The status to write; equal to the old one when nothing changed.
    pub status: GitRepositoryStatus,
    /// What is worth telling.
    pub events: Vec<Event>,
    /// When to look again; `None` when only a change can help.
    pub wake: Option<Timestamp>,
}

/// Decides what a repository needs now.
pub fn next(observed: &Observed<'_>, timing: Timing) -> Next {
    let repository = observed.repository;
    let meta = &repository.meta;
    if meta.deleting {
        return match meta.has_finalizer {
            true => Next::Finalize,
            false => Next::Sleep(None),
        };
    }
    if !meta.has_finalizer {
        return Next::AddFinalizer;
    }
    if repository.suspend {
        return Next::Sleep(None);
    }
    let status = &repository.status;
    let Some((at, generation)) = observed.memory.attempted else {
        return Next::Fetch;
    };
    let asked =
        meta.requested_at != status.last_handled_reconcile_at && !meta.requested_at.is_empty();
    let changed = generation != meta.generation;
    if asked || changed || observed.memory.announced {
        return Next::Fetch;
    }
    if status.conditions.is_true(condition_type::STALLED) {
        return Next::Sleep(None);
    }
    let failures = observed.memory.failures;
    if failures == 0 && !observed.stored {
        return Next::Fetch;
    }
    let pause = match failures {
        0 => repository.interval,
        failures => backoff(failures),
    };
    let due = Timing { now: at, ..timing }.after(pause);
    match due <= timing.now {
        true => Next::Fetch,
        false => Next::Sleep(Some(due)),
    }
}

/// What to report after a fetch.
pub fn fetched(repository: &GitRepository, fetched: Fetched, timing: Timing) -> Report {
    let meta = &repository.meta;
    let mut status = repository.status.clone();
    let revision = fetched.artifact.revision.clone();
    let message = format!("stored artifact for revision '{revision}'");
    let recovered = !status.conditions.is_true(condition_type::READY);
    let conditions = &mut status.conditions;
    for kind in [
        condition_type::RECONCILING,
        condition_type::STALLED,
        condition_type::FETCH_FAILED,
        condition_type::STORAGE_OPERATION_FAILED,
        condition_type::ARTIFACT_OUTDATED,
    ] {
        conditions.remove(kind);
    }
    for kind in [condition_type::READY, condition_type::ARTIFACT_IN_STORAGE] {
        let state = (kind, ConditionStatus::True);
        conditions.set(state, "Succeeded", &message, meta.generation, timing.now);
    }
    let mut events = Vec::new();
    if fetched.is_new {
        let stored = format!("stored artifact for commit '{}'", fetched.subject);
        events.push(Event::info("NewArtifact", stored, &revision));
    } else if recovered && status.artifact.is_some() {
        events.push(Event::info("Succeeded", message, &revision));
    }
    status.artifact = Some(fetched.artifact);
    status.observed_ignore = repository.ignore.clone();
    status.observed_sparse_checkout = repository.sparse_checkout.clone();
    status.observed_recurse_submodules = repository.recurse_submodules;
    status.observed_generation = meta.generation;
    status.last_handled_reconcile_at = meta.requested_at.clone();
    Report {
        status,
        events,
        wake: Some(timing.after(repository.interval)),
    }
}

/// What to report after a fetch that found nothing; the stored archive stays.
///
/// `failures` counts this one.
pub fn failed(
    repository: &GitRepository,
    failure: &FetchFailure,
    failures: u32,
    timing: Timing,
) -> Report {
    let meta = &repository.meta;
    let mut status = repository.status.clone();
    let told = status.conditions.get(condition_type::READY);
    let told = told.is_some_and(|ready| ready.message == failure.message);
    let kind = match failure.storage {
        true => condition_type::STORAGE_OPERATION_FAILED,
        false => condition_type::FETCH_FAILED,
    };
    let conditions = &mut status.conditions;
    let mut set = |kind, state, reason: &str, message: &str| {
        conditions.set((kind, state), reason, message, meta.generation, timing.now);
    };
    let (reason, message) = (failure.reason.as_str(), failure.message.as_str());
    set(kind, ConditionStatus::True, reason, message);
    set(
        condition_type::READY,
        ConditionStatus::False,
        reason,
        message,
    );
    if failure.stalled {
        set(
            condition_type::STALLED,
            ConditionStatus::True,
            reason,
            message,
        );
        conditions.remove(condition_type::RECONCILING);
        status.observed_generation = meta.generation;
    } else {
        let retrying = "reconciliation in progress";
        set(
            condition_type::RECONCILING,
            ConditionStatus::True,
            "ProgressingWithRetry",
            retrying,
        );
        conditions.remove(condition_type::STALLED);
    }
    status.last_handled_reconcile_at = meta.requested_at.clone();
    let revision = status.artifact.as_ref().map(|a| a.revision.clone());
    let event = Event::error(reason, message, &revision.unwrap_or_default());
    Report {
        status,
        events: if told { Vec::new() } else { vec![event] },
        wake: (!failure.stalled).then(|| timing.now.plus(backoff(failures))),
    }
}
