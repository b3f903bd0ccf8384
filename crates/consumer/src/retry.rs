//! How long to wait before trying again: doubling, with a limit, and never in step with anybody else.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

/// First wait; as much again is added at random.
const FIRST: Duration = Duration::from_millis(25);

/// Longest wait before the random part, so that work goes on within two seconds after a dependency is back.
const LONGEST: Duration = Duration::from_secs(1);

/// Waits that grow while nothing works.
#[derive(Debug)]
pub(crate) struct Backoff(ExponentialBackoff);

impl Default for Backoff {
    fn default() -> Self {
        let waits = ExponentialBuilder::default().with_min_delay(FIRST).with_max_delay(LONGEST);
        Self(waits.without_max_times().with_jitter().build())
    }
}

impl Backoff {
    /// The next wait.
    pub(crate) fn next(&mut self) -> Duration {
        self.0.next().unwrap_or(LONGEST)
    }

    /// It worked.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit_and_start_over_after_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..100).map(|_| backoff.next()).collect();
        assert!(waits[0] >= FIRST && waits[0] <= FIRST * 2);
        assert!(waits[99] >= LONGEST && waits[99] <= LONGEST * 2, "{:?}", waits[99]);
        backoff.reset();
        assert!(backoff.next() <= FIRST * 2);
    }
}
