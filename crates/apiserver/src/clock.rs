//! Where the time comes from.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use apimachine::Timestamp;

/// Tells the time to a cluster.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        at(SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default())
    }
}

/// A clock that moves only when told to.
#[derive(Debug, Default)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = later(*now, by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tokio's clock, laid over a calendar: pauses and jumps with it in tests.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: Timestamp,
    started: tokio::time::Instant,
}

impl TokioClock {
    /// A clock that shows `origin` now. Has to be called inside a runtime.
    pub fn starting_at(origin: Timestamp) -> Self {
        Self {
            origin,
            started: tokio::time::Instant::now(),
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        later(self.origin, self.started.elapsed())
    }
}

/// So long after 1970.
fn at(since: Duration) -> Timestamp {
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_unix_nanos(seconds, since.subsec_nanos())
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    let since = Duration::new(u64::try_from(time.unix()).unwrap_or(0), time.subsecond());
    at(since.saturating_add(by))
}

/// How long from `now` to `then`; zero when it is over.
pub(crate) fn until(then: Timestamp, now: Timestamp) -> Duration {
    let since =
        |time: Timestamp| Duration::new(u64::try_from(time.unix()).unwrap_or(0), time.subsecond());
    since(then).saturating_sub(since(now))
}
