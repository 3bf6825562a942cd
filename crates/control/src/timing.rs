//! When to look again.

use golang::{Duration, Timestamp};

/// Now, and the draw that spreads timers.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The wall clock.
    pub now: Timestamp,
    /// Between -1 and 1; scaled to the share by which intervals vary.
    pub jitter: f64,
}

/// Share by which intervals vary, so that many objects of one interval do not come due together.
const JITTER_SHARE: f64 = 0.05;

/// First and longest pause after failures in a row.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(750), Duration::from_minutes(15));

impl Timing {
    /// One interval from now, give or take the jitter.
    pub fn after(&self, interval: Duration) -> Timestamp {
        let share = 1.0 + self.jitter.clamp(-1.0, 1.0) * JITTER_SHARE;
        let nanoseconds = interval.nanoseconds() as f64 * share;
        self.now.plus(Duration(nanoseconds as i64))
    }
}

/// The pause after `failures` in a row: 750 ms, doubling to 15 minutes.
pub fn backoff(failures: u32) -> Duration {
    let doubled = BACKOFF.0.nanoseconds() << failures.saturating_sub(1).min(20);
    Duration(doubled).min(BACKOFF.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let shown: Vec<String> = [1, 2, 3, 10, 11, 12, 4_000_000_000]
            .map(|failures| backoff(failures).to_string())
            .into();
        assert_eq!(
            shown,
            ["750ms", "1.5s", "3s", "6m24s", "12m48s", "15m0s", "15m0s"]
        );
    }
}
