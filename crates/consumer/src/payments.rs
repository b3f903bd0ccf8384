//! Ends payments that did not meet a waiting order, and gives money back.
//!
//! A payment that came too late gets its units back if the gate can reserve them first: then they are nobody else's,
//! and the order is paid after all. Else the money goes back, once. Both are rows that stay due until they are done.

use std::sync::Arc;
use std::time::Duration;

use control::{Backoff, Concurrency, Task, TaskPool};
use domain::ports::{Gate, OrderLife, Outage, PaymentProvider, Reserved};
use domain::{OpenPayment, PaymentState, Refund};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often due payments are looked for.
const EVERY: Duration = Duration::from_millis(500);

/// Payments in one round.
const PAYMENTS_MAX: usize = 100;

/// Refunds in one round: what a slow provider can take in the 30 s for which they are ours.
const REFUNDS_MAX: usize = 24;

/// Payments under way at once, and as many refunds: more would only wait, and a refund is ours for 30 s.
pub(crate) const AT_ONCE: usize = 8;

/// A gate that is away, or behind, is waited for this long; then the money goes back.
const GATE_PATIENCE_S: i64 = 60;

/// The order of a payment may still be on the queue for this long, while Postgres was away, say.
const ORDER_PATIENCE_S: i64 = 3_600;

/// What payments are decided with.
pub(crate) struct Cashier {
    pub(crate) life: Arc<dyn OrderLife>,
    pub(crate) gate: Arc<dyn Gate>,
    pub(crate) provider: Option<Arc<dyn PaymentProvider>>,
    pub(crate) concurrency: Arc<Concurrency>,
    pub(crate) deciding: Arc<TaskPool>,
    pub(crate) giving_back: Arc<TaskPool>,
}

/// Decides open payments until stopped.
pub(crate) async fn decide(cashier: Arc<Cashier>, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let wait = pause("open payments", cashier.decide_some().await, &mut backoff);
        stop.run_until_cancelled(tokio::time::sleep(wait)).await;
    }
}

/// Gives money back until stopped: a task of its own, so that a provider that is slow keeps no payment waiting.
pub(crate) async fn give_back(cashier: Arc<Cashier>, stop: CancellationToken) {
    metrics::counter!("seckill_refunds_total").increment(0);
    let Some(provider) = cashier.provider.clone() else { return };
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        // Without a token nothing is claimed: it stays due for the next round.
        let round = cashier.concurrency.attempt(Task::Refund, cashier.give_some_back(provider.as_ref())).await;
        let wait = pause("refunds", round.unwrap_or(Ok(false)), &mut backoff);
        stop.run_until_cancelled(tokio::time::sleep(wait)).await;
    }
}

/// How long to wait after a round, which says whether more may be due already.
fn pause(what: &str, round: Result<bool, Outage>, backoff: &mut Backoff) -> Duration {
    match round {
        Ok(more) => {
            backoff.reset();
            if more { Duration::ZERO } else { EVERY }
        }
        Err(outage) => {
            warn!(%outage, "{what} could not be looked at; they stay due");
            backoff.wait()
        }
    }
}

impl Cashier {
    async fn decide_some(&self) -> Result<bool, Outage> {
        let open = self.life.open_payments(PAYMENTS_MAX).await?;
        join_all(open.iter().map(|payment| self.deciding.execute(self.end(payment)))).await;
        Ok(open.len() == PAYMENTS_MAX)
    }

    async fn give_some_back(&self, provider: &dyn PaymentProvider) -> Result<bool, Outage> {
        let refunds = self.life.claim_refunds(REFUNDS_MAX).await?;
        let give_back = |refund| self.giving_back.execute(self.give_back(provider, refund));
        join_all(refunds.iter().map(give_back)).await;
        Ok(refunds.len() == REFUNDS_MAX)
    }

    /// Ends one open payment, or leaves it for the next round while that may change something.
    async fn end(&self, payment: &OpenPayment) -> Result<(), Outage> {
        let waited_s = payment.waited_s;
        let reserved = match payment.rev {
            None if waited_s < ORDER_PATIENCE_S => return Ok(()),
            None => false,
            Some(rev) => match self.gate.reserve(payment.order, rev).await {
                Ok(Reserved::Reserved) => true,
                Ok(Reserved::Refused) => false,
                Ok(Reserved::Stale | Reserved::NotReady) | Err(_) if waited_s < GATE_PATIENCE_S => return Ok(()),
                // If the gate has reserved it all the same, the refund's effect gives it back.
                Ok(Reserved::Stale | Reserved::NotReady) | Err(_) => false,
            },
        };
        let (id, order) = (&payment.payment, payment.order);
        match self.life.end_open_payment(payment, reserved).await {
            Ok(PaymentState::Settled) => {
                info!(payment.id = %id, order.id = %order, "a late payment has paid order {order}");
            }
            Ok(PaymentState::RefundDue) => {
                info!(payment.id = %id, order.id = %order, "the money for order {order} goes back");
            }
            Ok(PaymentState::Open | PaymentState::Refunded | PaymentState::Failed) => {}
            Err(outage) => {
                warn!(payment.id = %id, %outage, "an open payment could not be ended; it stays due");
                return Err(outage);
            }
        }
        Ok(())
    }

    async fn give_back(&self, provider: &dyn PaymentProvider, refund: &Refund) -> Result<(), Outage> {
        let done = match provider.refund(refund).await {
            Ok(()) => self.life.note_refunded(&refund.payment).await,
            Err(outage) => Err(outage),
        };
        match &done {
            Ok(()) => metrics::counter!("seckill_refunds_total").increment(1),
            Err(outage) => warn!(payment.id = %refund.payment, %outage, "a refund could not be made; it stays due"),
        }
        done
    }
}
