//! The two things that differ between two runs: time and chance.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use control::Timing;
use golang::Timestamp;

/// Where time and chance come from.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// A number between -1 and 1.
    fn draw(&self) -> f64;

    /// Both, as decisions take them.
    fn timing(&self) -> Timing {
        Timing {
            now: self.now(),
            jitter: self.draw(),
        }
    }
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.unwrap_or_default();
        Timestamp::from_unix_nanos(since.as_secs() as i64, since.subsec_nanos())
    }

    fn draw(&self) -> f64 {
        // Each hasher of the standard library starts from fresh random keys.
        let bits = RandomState::new().build_hasher().finish();
        (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_between_minus_one_and_one_and_differ() {
        let draws: Vec<f64> = (0..100).map(|_| SystemClock.draw()).collect();
        assert!(draws.iter().all(|draw| (-1.0..=1.0).contains(draw)));
        assert!(draws.iter().any(|draw| *draw < 0.0) && draws.iter().any(|draw| *draw > 0.0));
    }
}
