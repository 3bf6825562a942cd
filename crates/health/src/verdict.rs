//! The health of a set of objects.

use object::ObjectKey;

use crate::assessment::{Assessment, Status};

/// How long to go on waiting for a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// The time is over.
    pub timed_out: bool,
    /// Go on when an object has failed, until all are current or failed.
    pub wait_for_all: bool,
}

/// What the health of a set comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All objects are current.
    Healthy,
    /// Some are on their way.
    Waiting(Vec<ObjectKey>),
    /// Waiting is over, and this is why.
    Unhealthy(String),
}

/// Judges a set of objects.
///
/// Waiting ends when all are current, when one has failed (unless
/// [`Mode::wait_for_all`]), when only current and failed ones are left, or when the time is over.
///
/// # Source
/// fluxcd/pkg `ssa/manager_wait.go`, `WaitForSetWithContext`.
pub fn verdict(set: &[(ObjectKey, Assessment)], mode: Mode) -> Verdict {
    let with = |status: Status| {
        set.iter()
            .filter(move |(_, health)| health.status == status)
    };
    let current = with(Status::Current).count();
    let failed = with(Status::Failed).count();
    if current == set.len() {
        return Verdict::Healthy;
    }
    let ended = current + failed == set.len() || (failed > 0 && !mode.wait_for_all);
    if !ended && !mode.timed_out {
        let waiting = set.iter().filter(|(_, health)| !health.is_current());
        return Verdict::Waiting(waiting.map(|(key, _)| key.clone()).collect());
    }
    let timed_out = mode.timed_out && !ended;
    let named = set.iter().filter(|(_, health)| {
        health.status == Status::Failed || (timed_out && !health.is_current())
    });
    let named: Vec<String> = named
        .map(|(key, health)| {
            let status = health.status;
            match status {
                Status::Unknown => format!("{key} status: '{status}': {}", health.message),
                _ => format!("{key} status: '{status}'"),
            }
        })
        .collect();
    let why = if timed_out {
        "timeout waiting for"
    } else {
        "failed early due to stalled resources"
    };
    Verdict::Unhealthy(format!("{why}: [{}]", named.join(", ")))
}
