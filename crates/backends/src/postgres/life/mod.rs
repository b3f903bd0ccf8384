//! The port `OrderLife`: payment, cancellation and deadline of orders, and what has to be given back.
//!
//! Whatever moves an order locks in this order: its payment, its item, the order, the buyer's allowance. Then nobody
//! waits in a circle with each other. Placing inserts orders before it locks their items, and still does not wait in
//! a circle with us: its new rows are invisible, so nobody who has the item waits for one of them, and what it locks after
//! the item, allowances, comes last here too. When it waits on the unique index for an order that is about to end, it has
//! no item yet: had it locked one first, as in its second attempt, nobody else could be ending orders of that sale.
//! One circle is left: paying an expired order puts it back into that index, where it may wait for a new order of the same
//! buyer whose placer waits for our item. The gate lets that happen only after a loss; the server undoes one of
//! the two, and it tries again.

mod end;
mod open;
mod order;
mod payment;
mod refund;
mod shelf;

use async_trait::async_trait;
use domain::ports::{Cancelled, OrderLife, Outage};
use domain::{BuyerId, JobId, OpenPayment, PaymentEvent, PaymentId, PaymentNoted, PaymentState, Refund};
use futures_util::FutureExt as _;
use tracing::debug;

use super::Postgres;
use super::failure::Failure;
use super::place::{ATTEMPTS_MAX, pause};
use super::session::{Session, Work};

impl Postgres {
    /// Runs a transaction, again if somebody else was faster, and wakes the relays. A broken constraint counts as a race
    /// too: the next attempt sees the row that it met.
    async fn persist<A, T>(
        &self,
        kind: &'static str,
        ask: &A,
        work: for<'c> fn(Session<'c>, A) -> Work<'c, T>,
    ) -> Result<T, Failure>
    where
        A: Clone + Send + 'static,
        T: Send + 'static,
    {
        let mut last = String::new();
        for attempt in 0..ATTEMPTS_MAX {
            let ask = ask.clone();
            match self.database.transaction(kind, move |session| work(session, ask)).await {
                Err(Failure::Raced(why) | Failure::Poison(why)) => {
                    debug!(attempt, why, kind, "a transaction was overtaken and starts over");
                    tokio::time::sleep(pause(attempt)).await;
                    last = why;
                }
                Ok(value) => {
                    self.wake.signal();
                    return Ok(value);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::not_sent(format!("overtaken {ATTEMPTS_MAX} times, at last by: {last}")))
    }
}

#[async_trait]
impl OrderLife for Postgres {
    async fn cancel(&self, order: JobId, buyer: &BuyerId) -> Result<Option<Cancelled>, Outage> {
        let ask = (order, buyer.clone());
        let work = self.persist("cancel", &ask, |session, (order, buyer)| end::cancel(session, order, buyer).boxed());
        Ok(work.await?)
    }

    async fn expire(&self, limit: usize) -> Result<usize, Outage> {
        Ok(self.expire_due(limit).await?)
    }

    async fn note_payment(&self, event: &PaymentEvent) -> Result<PaymentNoted, Outage> {
        Ok(self.persist("note_payment", event, |session, event| payment::note(session, event).boxed()).await?)
    }

    async fn open_payments(&self, limit: usize) -> Result<Vec<OpenPayment>, Outage> {
        Ok(self.look_at_open_payments(limit).await?)
    }

    async fn end_open_payment(&self, payment: &OpenPayment, reserved: bool) -> Result<PaymentState, Outage> {
        let ask = (payment.clone(), reserved);
        let work = self.persist("end_open_payment", &ask, |session, (payment, reserved)| {
            open::end(session, payment, reserved).boxed()
        });
        Ok(work.await?)
    }

    async fn claim_refunds(&self, limit: usize) -> Result<Vec<Refund>, Outage> {
        Ok(self.claim_due_refunds(limit).await?)
    }

    async fn note_refunded(&self, payment: &PaymentId) -> Result<(), Outage> {
        Ok(self.persist("note_refunded", payment, |session, payment| refund::note(session, payment).boxed()).await?)
    }
}

/// What is asked of the database all the time, for a test of its plans.
#[cfg(test)]
pub(super) mod statements {
    pub(in crate::postgres) use super::end::{DUE_ITEMS, EXPIRE};
    pub(in crate::postgres) use super::open::CLAIM as CLAIM_OPEN;
    pub(in crate::postgres) use super::refund::CLAIM as CLAIM_REFUNDS;
}
