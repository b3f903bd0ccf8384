//! Keeps a dependency that does not answer from holding up everybody who asks.
//!
//! Our own, after one from a library: that one let every call through while it was finding out, and kept the memory of
//! each change of its state.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::ports::Outage;
use tracing::{info, warn};

/// Calls that are looked at together: with half of them failed, the next ones are not made.
const WINDOW: u32 = 20;

/// Not asked for so long; then a few calls find out.
const OPEN_FOR: Duration = Duration::from_millis(250);

/// Calls that find out. All have to succeed.
const PROBES: u32 = 2;

/// A circuit breaker: after [`WINDOW`] calls of which half had no answer, calls fail at once, but for [`PROBES`] of them every
/// [`OPEN_FOR`].
pub(crate) struct Guard {
    what: &'static str,
    breaker: Mutex<Breaker>,
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

#[derive(Clone, Copy)]
enum State {
    Closed { calls: u32, failures: u32 },
    Open { until: Instant },
    HalfOpen { admitted: u32, succeeded: u32 },
}

const CLOSED: State = State::Closed { calls: 0, failures: 0 };

struct Breaker {
    state: State,
    /// Counts the changes of state: what was asked before one says nothing after it.
    term: u64,
}

impl Breaker {
    fn turn(&mut self, state: State) {
        self.state = state;
        self.term += 1;
    }

    /// The term that the call belongs to; `None`: it is not made.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        match &mut self.state {
            State::Closed { .. } => {}
            State::Open { until } if now < *until => return None,
            State::Open { .. } => self.turn(State::HalfOpen { admitted: 1, succeeded: 0 }),
            State::HalfOpen { admitted, .. } if *admitted < PROBES => *admitted += 1,
            State::HalfOpen { .. } => return None,
        }
        Some(self.term)
    }

    fn note(&mut self, term: u64, answered: bool, now: Instant) {
        if term != self.term {
            return;
        }
        let open = State::Open { until: now + OPEN_FOR };
        match &mut self.state {
            State::Closed { calls, failures } => {
                *calls += 1;
                *failures += u32::from(!answered);
                match (*calls, *failures) {
                    (_, failures) if failures * 2 >= WINDOW => self.turn(open),
                    (WINDOW.., _) => self.state = CLOSED,
                    _ => {}
                }
            }
            State::HalfOpen { succeeded, .. } if answered => {
                *succeeded += 1;
                if *succeeded == PROBES {
                    self.turn(CLOSED);
                }
            }
            State::HalfOpen { .. } => self.turn(open),
            State::Open { .. } => {}
        }
    }
}

/// A call under way. Dropped without an answer, it counts as failed.
struct Call<'g> {
    guard: &'g Guard,
    term: u64,
    answered: bool,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut breaker = self.guard.breaker();
        let was_open = matches!(breaker.state, State::Open { .. } | State::HalfOpen { .. });
        breaker.note(self.term, self.answered, Instant::now());
        match (was_open, breaker.state) {
            (false, State::Open { .. }) => warn!("{} does not answer and is left alone for a moment", self.guard.what),
            (true, State::Closed { .. }) if self.term + 1 == breaker.term => info!("{} answers again", self.guard.what),
            _ => {}
        }
    }
}

impl Guard {
    /// For calls to `what`, as it is called in messages and in `seckill_breaker_rejected_total{dependency}`.
    pub(crate) fn new(what: &'static str) -> Self {
        // Seen from the start, so that the first one shows as an increase.
        metrics::counter!("seckill_breaker_rejected_total", "dependency" => what).increment(0);
        Self { what, breaker: Mutex::new(Breaker { state: CLOSED, term: 0 }) }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the call, unless the last ones found no answer. `is_outage` tells a dependency that is away from one that
    /// has answered with an error.
    pub(crate) async fn call<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
        is_outage: impl Fn(&E) -> bool,
    ) -> Result<T, Failed<E>> {
        let Some(term) = self.breaker().admit(Instant::now()) else {
            metrics::counter!("seckill_breaker_rejected_total", "dependency" => self.what).increment(1);
            return Err(Failed::NotAsked(Outage::NotSent(format!("{} has not answered a moment ago", self.what))));
        };
        let mut under_way = Call { guard: self, term, answered: false };
        let outcome = call.await;
        under_way.answered = outcome.as_ref().err().is_none_or(|error| !is_outage(error));
        outcome.map_err(Failed::Call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> impl Future<Output = Result<(), Outage>> {
        std::future::ready(Err(Outage::Unknown("no answer".to_owned())))
    }

    #[tokio::test]
    async fn a_dependency_that_is_away_is_left_alone_and_asked_again_soon() {
        let guard = Guard::new("a test");
        let mut asked = 0;
        for _ in 0..1_000 {
            asked += u32::from(matches!(guard.call(away(), |_| true).await, Err(Failed::Call(_))));
        }
        assert!((WINDOW / 2..WINDOW).contains(&asked), "{asked} calls were made");
        tokio::time::sleep(OPEN_FOR).await;
        for _ in 0..2 * WINDOW {
            assert!(guard.call(async { Ok::<_, Outage>(()) }, |_| true).await.is_ok(), "it is back");
        }
    }

    #[tokio::test]
    async fn while_it_finds_out_only_the_probes_are_made_and_one_that_is_given_up_counts_as_failed() {
        let guard = Guard::new("a test");
        while guard.call(away(), |_| true).await.is_err_and(|error| matches!(error, Failed::Call(_))) {}
        tokio::time::sleep(OPEN_FOR).await;
        let never = || guard.call(std::future::pending::<Result<(), Outage>>(), |_| true);
        let mut probes: Vec<_> = (0..PROBES).map(|_| Box::pin(never())).collect();
        for probe in &mut probes {
            assert!(futures_util::poll!(probe).is_pending());
        }
        for _ in 0..100 {
            assert!(matches!(guard.call(async { Ok::<_, Outage>(()) }, |_| true).await, Err(Failed::NotAsked(_))));
        }
        drop(probes);
        assert!(matches!(guard.call(away(), |_| true).await, Err(Failed::NotAsked(_))), "open again");
        tokio::time::sleep(OPEN_FOR).await;
        assert!(guard.call(async { Ok::<_, Outage>(()) }, |_| true).await.is_ok());
    }

    #[tokio::test]
    async fn an_error_that_is_an_answer_opens_nothing() {
        let guard = Guard::new("a test");
        for _ in 0..3 * WINDOW {
            assert!(matches!(guard.call(away(), |_| false).await, Err(Failed::Call(_))));
        }
    }
}
