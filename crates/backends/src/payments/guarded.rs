//! Any provider, asked with care.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable as _};
use domain::ports::{Outage, PaymentProvider};
use domain::{OrderView, Refund, StartedPayment};
use tokio::sync::Semaphore;

use crate::guard::Guard;

/// One attempt may take so long.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Waits between attempts double up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Calls under way at once; others wait.
const AT_ONCE: usize = 16;

/// A provider behind a time limit, retries with exponential backoff and jitter, a circuit breaker, and a limit of
/// calls under way. Both calls may be repeated: a payment is started once for an order, a refund made once for a
/// payment.
pub struct Guarded {
    provider: Arc<dyn PaymentProvider>,
    guard: Guard,
    under_way: Semaphore,
    max_retries: usize,
    base_delay: Duration,
}

impl Guarded {
    /// Asks `provider`, and after a failure `max_retries` times more: the first time after `base_delay`, and each further
    /// wait doubles, up to 2 s; as much again is added to each at random.
    pub fn new(provider: Arc<dyn PaymentProvider>, max_retries: usize, base_delay: Duration) -> Arc<Self> {
        let (guard, under_way) = (Guard::new("payments"), Semaphore::new(AT_ONCE));
        Arc::new(Self { provider, guard, under_way, max_retries, base_delay })
    }

    async fn ask<T, F>(&self, call: impl Fn() -> F) -> Result<T, Outage>
    where
        F: Future<Output = Result<T, Outage>>,
    {
        let permit = tokio::time::timeout(TIMEOUT, self.under_way.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(Outage::NotSent("too many calls to the payment provider are under way".to_owned()));
        };
        let unanswered = AtomicBool::new(false);
        let attempt = || async {
            let answer = tokio::time::timeout(TIMEOUT, call());
            let in_time =
                async { answer.await.unwrap_or_else(|_| Err(Outage::Unknown("no answer in time".to_owned()))) };
            let outcome = self.guard.call(in_time, |_| true).await.map_err(Outage::from);
            unanswered.fetch_or(matches!(outcome, Err(Outage::Unknown(_))), Ordering::Relaxed);
            outcome
        };
        let waits = ExponentialBuilder::default()
            .with_min_delay(self.base_delay)
            .with_max_delay(LONGEST_WAIT)
            .with_max_times(self.max_retries)
            .with_jitter();
        // An attempt without an answer may have had its effect, whatever is said of the last one.
        attempt.retry(waits).await.map_err(|outage| match outage {
            Outage::NotSent(why) if unanswered.load(Ordering::Relaxed) => Outage::Unknown(why),
            outage => outage,
        })
    }
}

#[async_trait]
impl PaymentProvider for Guarded {
    async fn start(&self, order: &OrderView) -> Result<StartedPayment, Outage> {
        self.ask(|| self.provider.start(order)).await
    }

    async fn refund(&self, refund: &Refund) -> Result<(), Outage> {
        self.ask(|| self.provider.refund(refund)).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use std::sync::atomic::AtomicUsize;

    use domain::{JobId, Money, RefundReason, Route, SaleNumber, Shard};

    use super::*;

    const BASE: Duration = Duration::from_millis(1);

    /// Fails so many times, then works.
    struct Flaky {
        failures: usize,
        asked: AtomicUsize,
    }

    #[async_trait]
    impl PaymentProvider for Flaky {
        async fn start(&self, _: &OrderView) -> Result<StartedPayment, Outage> {
            Err(Outage::NotSent("not tested".to_owned()))
        }
        async fn refund(&self, _: &Refund) -> Result<(), Outage> {
            if self.asked.fetch_add(1, Ordering::SeqCst) < self.failures {
                return Err(Outage::Unknown("no answer".to_owned()));
            }
            Ok(())
        }
    }

    fn refund() -> Refund {
        let route = Route { sale: SaleNumber::new(1).unwrap(), shard: Shard::default() };
        let amount = Money { amount: 1, currency: "CNY".to_owned().try_into().unwrap() };
        let order = JobId::new(1, route, [0; 6]);
        Refund { payment: "p-1".parse().unwrap(), order, amount, reason: RefundReason::Late }
    }

    #[tokio::test]
    async fn failures_are_retried_as_often_as_configured_and_a_provider_that_stays_away_is_left_alone() {
        for retries in [0, 1, 3] {
            let flaky = Arc::new(Flaky { failures: retries, asked: AtomicUsize::new(0) });
            assert!(Guarded::new(flaky.clone(), retries, BASE).refund(&refund()).await.is_ok());
            assert_eq!(flaky.asked.load(Ordering::SeqCst), retries + 1);
            let worse = Arc::new(Flaky { failures: retries + 1, asked: AtomicUsize::new(0) });
            assert!(Guarded::new(worse.clone(), retries, BASE).refund(&refund()).await.is_err());
            assert_eq!(worse.asked.load(Ordering::SeqCst), retries + 1);
        }

        let away = Arc::new(Flaky { failures: usize::MAX, asked: AtomicUsize::new(0) });
        let guarded = Guarded::new(away.clone(), 2, BASE);
        let mut last = String::new();
        while !last.contains("a moment ago") {
            last = guarded.refund(&refund()).await.expect_err("it is away").to_string();
            let asked = away.asked.load(Ordering::SeqCst);
            assert!(asked < 200, "asked {asked} times, and the breaker is still closed");
        }
    }
}
