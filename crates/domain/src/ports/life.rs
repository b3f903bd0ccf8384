//! What becomes of an order after it was placed, and who takes the money.

use async_trait::async_trait;

use super::Outage;
use crate::{
    BuyerId, JobId, OpenPayment, OrderView, PaymentEvent, PaymentId, PaymentNoted, PaymentState, Refund, StartedPayment,
};

/// Payment, cancellation and deadline of orders. They meet in conditional updates of the order's row: one winner. Each
/// change of units raises the order's revision and is written to the outbox in the same transaction.
#[async_trait]
pub trait OrderLife: Send + Sync {
    /// Cancels an unpaid order of this buyer. `None`: there is no such order, or it is not theirs.
    async fn cancel(&self, order: JobId, buyer: &BuyerId) -> Result<Option<Cancelled>, Outage>;

    /// Ends unpaid orders whose time is over, at most `limit`; several callers share the work. Answers how many.
    async fn expire(&self, limit: usize) -> Result<usize, Outage>;

    /// Notes what the provider reported, once per event and once per payment, and pays the order if it waits.
    async fn note_payment(&self, event: &PaymentEvent) -> Result<PaymentNoted, Outage>;

    /// Looks again at payments that are [`PaymentState::Open`] and due, at most `limit`: what can be decided now is
    /// decided, the others are answered, and not to another caller within two seconds.
    async fn open_payments(&self, limit: usize) -> Result<Vec<OpenPayment>, Outage>;

    /// Ends an open payment. `reserved`: the gate has reserved the units of the order at the revision in `payment`; then
    /// the order is paid if stock and allowance allow it. Else the money goes back. Whatever comes of it, an expired
    /// order gets a new revision, so that a reservation nobody knows of comes back. Answers where the payment stands: still
    /// `Open` when the order has changed meanwhile.
    async fn end_open_payment(&self, payment: &OpenPayment, reserved: bool) -> Result<PaymentState, Outage>;

    /// Payments whose money has to go back, at most `limit`; another caller gets the same one only after 30 s.
    async fn claim_refunds(&self, limit: usize) -> Result<Vec<Refund>, Outage>;

    /// The provider has the refund.
    async fn note_refunded(&self, payment: &PaymentId) -> Result<(), Outage>;
}

/// Answer of [`OrderLife::cancel`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It is cancelled, now or since an earlier call.
    Done(OrderView),
    /// It is not waiting for its payment any more.
    TooLate(OrderView),
}

/// Whoever takes the buyers' money. Payments are reported by webhook, see [`crate::webhook`].
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// Begins a payment for an order. The same order may get the same payment again.
    async fn start(&self, order: &OrderView) -> Result<StartedPayment, Outage>;

    /// Gives money back: once per payment, however often it is asked.
    async fn refund(&self, refund: &Refund) -> Result<(), Outage>;
}
