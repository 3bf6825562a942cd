//! Where the time comes from.

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
