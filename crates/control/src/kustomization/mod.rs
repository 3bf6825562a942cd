//! What a Kustomization needs now.

mod attempt;
mod deletion;
mod dependencies;
mod status;

use api::{Artifact, ConditionStatus, Kustomization, KustomizationStatus, condition_type};
use golang::{Duration, Timestamp};

pub use attempt::{
    Answer, Attempt, Finished, HealthTarget, HealthVerdict, Refusal, Rendered, Request, Step,
    WriteOutcome,
};
pub use deletion::{Cleanup, cleanup};
pub use dependencies::{Dependency, ReadyExpression, cycle};

use crate::{Event, Timing};

/// How long a unit waits for a source or a dependency when nobody wakes it.
///
/// Both are watched, so this is only a net under lost events; Flux polls at the same pace.
const DEPENDENCY_PAUSE: Duration = Duration::from_seconds(30);

/// What is true about a unit when it is looked at.
#[derive(Clone, Debug)]
pub struct Observed<'a> {
    /// The object.
    pub unit: &'a Kustomization,
    /// What this process remembers of it.
    pub memory: &'a Memory,
    /// Its source.
    pub source: Source,
    /// Its dependencies, in the order of the spec.
    pub dependencies: Vec<Dependency>,
    /// Names of units that depend on each other in a circle through this one; empty if none.
    pub cycle: Vec<String>,
}

/// The source of a unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Nobody here serves its kind.
    Unserved,
    /// It is not there.
    Absent,
    /// It is in another namespace, which is not allowed.
    Forbidden,
    /// It has no archive yet.
    Empty,
    /// It has one.
    Ready(Artifact),
}

/// What a process remembers of a unit; lost at a restart without harm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The last attempt, if there was one.
    pub attempted: Option<Attempted>,
    /// Whether something it reads has changed since: a watched ConfigMap or Secret.
    pub inputs_changed: bool,
}

/// What an attempt was made with, and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempted {
    /// When it ended.
    pub at: Timestamp,
    /// UID of the object: another one of the same name is another unit.
    pub uid: String,
    /// Generation of the spec.
    pub generation: i64,
    /// Revision of the source.
    pub revision: String,
    /// The confirmation it saw.
    pub confirmed_plan: String,
    /// When to look again; `None` when only a change can help.
    pub wake: Option<Timestamp>,
}

/// What to do now.
#[derive(Debug)]
pub enum Next {
    /// Put our finalizer on the object, then look again.
    AddFinalizer,
    /// Reconcile, request by request.
    Reconcile(Box<Attempt>),
    /// Clean up after a deleted object, then take our finalizer off.
    Finalize(Cleanup),
    /// Something has to happen first: write the status, tell, and look again at `wake`.
    Blocked(Report),
    /// Nothing before this time; `None` when only a change can help.
    Sleep(Option<Timestamp>),
}

/// What to write and when to look again.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The status to write; equal to the old one when nothing changed.
    pub status: KustomizationStatus,
    /// What is worth telling.
    pub events: Vec<Event>,
    /// When to look again; `None` when only a change can help.
    pub wake: Option<Timestamp>,
}

/// Decides what a unit needs now.
pub fn next(observed: &Observed<'_>, options: &Options, timing: Timing) -> Next {
    let unit = observed.unit;
    if unit.meta.deleting {
        return match unit.meta.has_finalizer {
            true => Next::Finalize(cleanup(unit)),
            false => Next::Sleep(None),
        };
    }
    if !unit.meta.has_finalizer {
        return Next::AddFinalizer;
    }
    if unit.suspend {
        return Next::Sleep(None);
    }
    if let Some(wake) = rest(observed, timing) {
        return Next::Sleep(wake);
    }
    match ready_to_start(observed) {
        Ok(artifact) => {
            let attempt = Attempt::new(unit.clone(), artifact, options.clone(), timing.now);
            Next::Reconcile(Box::new(attempt))
        }
        Err(block) => Next::Blocked(block.report(unit, timing)),
    }
}

/// What to vary about all units.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is done about large deletions.
    pub brake: plan::Brake,
    /// Kinds that have a stage of their own before everything else.
    pub custom_kinds: Vec<object::GroupKind>,
    /// Field managers whose fields are taken over, beside kubectl's.
    pub override_managers: Vec<String>,
}

/// Whether nothing is to do, and until when; `None` when something is.
fn rest(observed: &Observed<'_>, timing: Timing) -> Option<Option<Timestamp>> {
    let attempted = observed.memory.attempted.as_ref()?;
    let unit = observed.unit;
    let meta = &unit.meta;
    let revision = match &observed.source {
        Source::Ready(artifact) => artifact.revision.as_str(),
        _ => "",
    };
    let changed = attempted.uid != meta.uid
        || attempted.generation != meta.generation
        || attempted.revision != revision
        || attempted.confirmed_plan != meta.confirmed_plan
        || observed.memory.inputs_changed;
    let asked =
        !meta.requested_at.is_empty() && meta.requested_at != unit.status.last_handled_reconcile_at;
    let due = attempted.wake.is_some_and(|wake| wake <= timing.now);
    (!changed && !asked && !due).then_some(attempted.wake)
}

/// The archive to apply, or what has to happen first.
fn ready_to_start(observed: &Observed<'_>) -> Result<Artifact, Block> {
    let unit = observed.unit;
    let source = format!(
        "{}/{}/{}",
        unit.source.kind, unit.source.namespace, unit.source.name
    );
    let blocked = |message: String, stalled: bool, pause: Option<Duration>, reason| Block {
        reason,
        message,
        stalled,
        pause,
        tell: false,
    };
    let artifact = match &observed.source {
        Source::Ready(artifact) => artifact.clone(),
        Source::Unserved => {
            let message = format!(
                "source '{source}' is of a kind that nobody serves here: only GitRepository is"
            );
            return Err(blocked(message, true, None, "ArtifactFailed"));
        }
        Source::Forbidden => {
            let message =
                format!("can't access '{source}', cross-namespace references have been blocked");
            return Err(blocked(message, true, None, "AccessDenied"));
        }
        Source::Absent => {
            let message = format!("Source '{source}' not found");
            let pause = Some(unit.retry_interval);
            return Err(blocked(message, false, pause, "ArtifactFailed"));
        }
        Source::Empty => {
            let message = format!("Source artifact not found, retrying in {DEPENDENCY_PAUSE}");
            let pause = Some(DEPENDENCY_PAUSE);
            return Err(blocked(message, false, pause, "ArtifactFailed"));
        }
    };
    if !observed.cycle.is_empty() {
        let message = format!(
            "circular dependency detected: {}",
            observed.cycle.join(" -> ")
        );
        return Err(Block {
            tell: true,
            ..blocked(message, true, None, "DependencyNotReady")
        });
    }
    match dependencies::first_unready(&observed.dependencies, unit, &artifact) {
        None => Ok(artifact),
        Some((message, stalled)) => Err(Block {
            tell: true,
            ..blocked(
                message,
                stalled,
                Some(DEPENDENCY_PAUSE),
                if stalled {
                    "InvalidCELExpression"
                } else {
                    "DependencyNotReady"
                },
            )
        }),
    }
}

/// Why a unit cannot start.
struct Block {
    reason: &'static str,
    message: String,
    stalled: bool,
    pause: Option<Duration>,
    tell: bool,
}

impl Block {
    fn report(self, unit: &Kustomization, timing: Timing) -> Report {
        let mut status = unit.status.clone();
        let generation = unit.meta.generation;
        let told = status.conditions.get(condition_type::READY);
        let told = told.is_some_and(|ready| ready.message == self.message);
        let conditions = &mut status.conditions;
        let mut set = |kind, state, reason: &str| {
            conditions.set((kind, state), reason, &self.message, generation, timing.now);
        };
        set(condition_type::READY, ConditionStatus::False, self.reason);
        if self.stalled {
            set(condition_type::STALLED, ConditionStatus::True, self.reason);
            conditions.remove(condition_type::RECONCILING);
            status.observed_generation = generation;
        } else {
            set(
                condition_type::RECONCILING,
                ConditionStatus::True,
                "ProgressingWithRetry",
            );
            conditions.remove(condition_type::STALLED);
        }
        status.last_handled_reconcile_at = unit.meta.requested_at.clone();
        let mut events = Vec::new();
        if self.tell && !told {
            let message = format!(
                "Dependencies do not meet ready condition, retrying in {DEPENDENCY_PAUSE}: {}",
                self.message
            );
            events.push(Event::info(self.reason, message, ""));
        }
        Report {
            status,
            events,
            wake: self.pause.map(|pause| timing.now.plus(pause)),
        }
    }
}
