//! Keeps a dependency that does not answer from holding up everybody who asks.

use std::time::Duration;

use domain::ports::Outage;
use recloser::{AsyncRecloser, Error, Recloser};
use tracing::debug;

/// Calls that are looked at together: with half of them failed, the next ones are not made.
const WINDOW: usize = 20;

/// Not asked for so long; then a few calls find out.
const OPEN_FOR: Duration = Duration::from_millis(250);

/// Calls that find out.
const PROBES: usize = 2;

/// A circuit breaker: after [`WINDOW`] calls of which half had no answer, calls fail at once for a moment.
pub(crate) struct Guard {
    what: &'static str,
    breaker: AsyncRecloser,
}

/// Why a guarded call has no value.
#[derive(Debug)]
pub(crate) enum Failed<E> {
    /// It was made, and failed.
    Call(E),
    /// It was not made.
    NotAsked(Outage),
}

impl From<Failed<Outage>> for Outage {
    fn from(failed: Failed<Outage>) -> Self {
        match failed {
            Failed::Call(outage) | Failed::NotAsked(outage) => outage,
        }
    }
}

impl Guard {
    /// For calls to `what`, as it is called in messages and in `seckill_breaker_rejected_total{dependency}`.
    pub(crate) fn new(what: &'static str) -> Self {
        let breaker =
            Recloser::custom().error_rate(0.5).closed_len(WINDOW).half_open_len(PROBES).open_wait(OPEN_FOR).build();
        // Seen from the start, so that the first one shows as an increase.
        metrics::counter!("seckill_breaker_rejected_total", "dependency" => what).increment(0);
        Self { what, breaker: AsyncRecloser::from(breaker) }
    }

    /// Makes the call, unless the last ones found no answer. `is_outage` tells a dependency that is away from one that
    /// has answered with an error.
    pub(crate) async fn call<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
        is_outage: impl Fn(&E) -> bool,
    ) -> Result<T, Failed<E>> {
        self.breaker.call_with(is_outage, call).await.map_err(|error| match error {
            Error::Inner(error) => Failed::Call(error),
            Error::Rejected => {
                debug!(dependency = self.what, "not asked: it has not answered a moment ago");
                metrics::counter!("seckill_breaker_rejected_total", "dependency" => self.what).increment(1);
                Failed::NotAsked(Outage::NotSent(format!("{} has not answered a moment ago", self.what)))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dependency_that_is_away_is_left_alone_and_asked_again_soon() {
        let guard = Guard::new("a test");
        let away = || async { Err::<(), _>(Outage::Unknown("no answer".to_owned())) };
        let mut asked = 0;
        for _ in 0..3 * WINDOW {
            let outcome = guard.call(away(), |_| true).await;
            asked += usize::from(matches!(outcome, Err(Failed::Call(_))));
        }
        assert!((WINDOW..2 * WINDOW).contains(&asked), "{asked} calls were made");
        tokio::time::sleep(OPEN_FOR * 2).await;
        for _ in 0..2 * WINDOW {
            assert!(guard.call(async { Ok::<_, Outage>(()) }, |_| true).await.is_ok(), "it is back");
        }
    }

    #[tokio::test]
    async fn an_error_that_is_an_answer_opens_nothing() {
        let guard = Guard::new("a test");
        for _ in 0..3 * WINDOW {
            let answer = guard.call(async { Err::<(), _>(Outage::Unknown("42".to_owned())) }, |_| false).await;
            assert!(matches!(answer, Err(Failed::Call(_))));
        }
    }
}
