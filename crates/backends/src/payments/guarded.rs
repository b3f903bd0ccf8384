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

/// Further attempts in one call.
const RETRIES: usize = 2;

/// Calls under way at once; others wait.
const AT_ONCE: usize = 16;

/// A provider behind a time limit, retries with exponential backoff and jitter, a circuit breaker, and a limit of
/// calls under way. Both calls may be repeated: a payment is started once for an order, a refund made once for a
/// payment.
pub struct Guarded {
    provider: Arc<dyn PaymentProvider>,
    guard: Guard,
    under_way: Semaphore,
}

impl Guarded {
    /// Asks `provider`.
    pub fn new(provider: Arc<dyn PaymentProvider>) -> Arc<Self> {
        Arc::new(Self { provider, guard: Guard::new("payments"), under_way: Semaphore::new(AT_ONCE) })
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
            .with_min_delay(Duration::from_millis(50))
            .with_max_delay(Duration::from_millis(500))
            .with_max_times(RETRIES)
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
    async fn two_failures_are_retried_and_a_provider_that_stays_away_is_left_alone() {
        let flaky = Arc::new(Flaky { failures: RETRIES, asked: AtomicUsize::new(0) });
        assert!(Guarded::new(flaky.clone()).refund(&refund()).await.is_ok());
        assert_eq!(flaky.asked.load(Ordering::SeqCst), RETRIES + 1);

        let away = Arc::new(Flaky { failures: usize::MAX, asked: AtomicUsize::new(0) });
        let guarded = Guarded::new(away.clone());
        let mut last = String::new();
        while !last.contains("a moment ago") {
            last = guarded.refund(&refund()).await.expect_err("it is away").to_string();
            let asked = away.asked.load(Ordering::SeqCst);
            assert!(asked < 200, "asked {asked} times, and the breaker is still closed");
        }
    }
}
