//! How long to wait before trying again, how often, and after which errors: one place for all of it.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder, Retryable as _};
use domain::ports::{Outage, PlaceError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// First wait of somebody who tries for ever; as much again is added at random.
const FIRST: Duration = Duration::from_millis(25);

/// Longest wait before the random part, so that work goes on within two seconds after a dependency is back.
const LONGEST: Duration = Duration::from_secs(1);

/// Waits of a few retries double up to this.
const FEW_LONGEST: Duration = Duration::from_secs(2);

/// The `[retry]` section: calls of the payment provider, and the giving back of a lock that was not heard. Both are given up
/// after these attempts: a refund comes again with the next round, a lock ends by itself. Nothing else reads it; operators'
/// work on many things goes by `[batch]`, and what has to be done in the end is tried for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetrySettings {
    /// Attempts after the first one.
    pub max_retries: usize,
    /// Milliseconds before the first of them; each later wait doubles, up to 2 s, and as much again is added at random,
    /// so that those who failed together do not come back together.
    pub base_delay_ms: u64,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self { max_retries: 3, base_delay_ms: 100 }
    }
}

/// What an error means for whoever had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The same may succeed later.
    Retryable,
    /// It never will.
    Final,
}

/// An error that knows its class.
pub trait Classified {
    /// Worth another attempt?
    fn class(&self) -> Class;
}

/// Everything that we send may be repeated, so an unknown outcome is no reason to stop.
impl Classified for Outage {
    fn class(&self) -> Class {
        Class::Retryable
    }
}

impl Classified for PlaceError {
    fn class(&self) -> Class {
        match self {
            Self::Outage(outage) => outage.class(),
            Self::Poison(_) => Class::Final,
        }
    }
}

/// Does `work`, and again after errors that may pass, as often as `settings` says. The last error is the answer.
pub async fn retry<T, E, F>(settings: RetrySettings, work: impl FnMut() -> F) -> Result<T, E>
where
    E: Classified,
    F: Future<Output = Result<T, E>>,
{
    let waits = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(settings.base_delay_ms))
        .with_max_delay(FEW_LONGEST)
        .with_max_times(settings.max_retries)
        .with_jitter();
    work.retry(waits).when(|error| error.class() == Class::Retryable).await
}

/// Waits that grow while nothing works, for work that is never given up.
#[derive(Debug)]
pub struct Backoff(ExponentialBackoff);

impl Default for Backoff {
    fn default() -> Self {
        let waits = ExponentialBuilder::default().with_min_delay(FIRST).with_max_delay(LONGEST);
        Self(waits.without_max_times().with_jitter().build())
    }
}

impl Backoff {
    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        self.0.next().unwrap_or(LONGEST)
    }

    /// It worked.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// Fails `failures` times in this way; answers what came of it and when each attempt was made.
    async fn attempts(failures: usize, error: PlaceError) -> (Result<(), PlaceError>, Vec<Duration>) {
        let (started, mut at) = (Instant::now(), Vec::new());
        let outcome = retry(RetrySettings::default(), || {
            at.push(started.elapsed());
            let failed = at.len() <= failures;
            let error = error.clone();
            async move { if failed { Err(error) } else { Ok(()) } }
        });
        (outcome.await, at)
    }

    fn away() -> PlaceError {
        PlaceError::Outage(Outage::NotSent("away".to_owned()))
    }

    #[tokio::test(start_paused = true)]
    async fn three_retries_after_100_200_and_400_ms_and_as_much_again_at_random() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let (outcome, at) = attempts(3, away()).await;
            assert!(outcome.is_ok());
            let waits: Vec<_> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
            for (wait, base_ms) in waits.iter().zip([100, 200, 400]) {
                let base = Duration::from_millis(base_ms);
                // The runtime's clock counts whole milliseconds.
                assert!(*wait >= base && *wait <= base * 2 + Duration::from_millis(2), "{wait:?} for {base:?}");
            }
            assert_eq!(waits.len(), 3);
            seen.insert(waits[0]);
        }
        assert!(seen.len() > 1, "the waits are never in step: {seen:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_fourth_failure_is_the_answer_and_one_that_cannot_pass_is_not_tried_again() {
        let (outcome, at) = attempts(usize::MAX, away()).await;
        assert!(matches!(outcome, Err(PlaceError::Outage(_))));
        assert_eq!(at.len(), 4);
        let (outcome, at) = attempts(1, PlaceError::Poison("unreadable".to_owned())).await;
        assert!(matches!(outcome, Err(PlaceError::Poison(_))));
        assert_eq!(at.len(), 1);
        let unknown = PlaceError::Outage(Outage::Unknown("no answer".to_owned()));
        assert_eq!(attempts(1, unknown).await.1.len(), 2, "what we send may be repeated");
    }

    #[test]
    fn waits_grow_to_their_limit_and_start_over_after_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..100).map(|_| backoff.wait()).collect();
        assert!(waits[0] >= FIRST && waits[0] <= FIRST * 2);
        assert!(waits[99] >= LONGEST && waits[99] <= LONGEST * 2, "{:?}", waits[99]);
        backoff.reset();
        assert!(backoff.wait() <= FIRST * 2);
    }
}
