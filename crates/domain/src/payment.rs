//! Payments: what the provider reports, and what has to be done about it.
//!
//! An order ends once: whoever comes first of payment, cancellation and deadline wins. A payment that comes second
//! is never dropped: its order gets its units back if the gate can still reserve them, else the money goes back, once.

use serde::{Deserialize, Serialize};

use crate::{EventId, JobId, Money, PaymentId};

/// What the provider says happened, from one verified webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentEvent {
    /// The webhook's own id: a repeated one is a repeated delivery.
    pub event: EventId,
    /// The payment: one row, however many events report it.
    pub payment: PaymentId,
    /// The order that it is for.
    pub order: JobId,
    /// What was paid, or was tried to be paid.
    pub amount: Money,
    /// How it went.
    pub result: PaymentResult,
}

/// How a payment went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaymentResult {
    /// The money is there.
    #[serde(rename = "payment.succeeded")]
    Succeeded,
    /// It is not, and will not be. The order goes on waiting until its deadline.
    #[serde(rename = "payment.failed")]
    Failed,
}

/// What was made of a [`PaymentEvent`], after the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentNoted {
    /// The order is paid.
    Paid,
    /// The order has ended, or is not written yet: decided in a moment, see [`PaymentState::Open`].
    Open,
    /// The money goes back.
    RefundDue(RefundReason),
    /// Nothing changes: a failed payment.
    Failed,
    /// This event, or this payment, was noted before. Nothing was changed.
    Repeated,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// It came too late, or too early: its order has expired, or has no row yet.
    Open,
    /// It paid its order.
    Settled,
    /// The money has to go back.
    RefundDue,
    /// The money went back.
    Refunded,
    /// There was no money.
    Failed,
}

impl PaymentState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Settled, Self::RefundDue, Self::Refunded, Self::Failed];

    /// The word in the table and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Settled => "settled",
            Self::RefundDue => "refund_due",
            Self::Refunded => "refunded",
            Self::Failed => "failed",
        }
    }

    /// The state that is written with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Why money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefundReason {
    /// The order had expired, and its units were gone.
    Late,
    /// The buyer had cancelled the order, or it was rejected.
    OrderEnded,
    /// The order was paid by another payment.
    PaidTwice,
    /// Not the amount or the currency of the order.
    WrongAmount,
    /// There is no such order, and none appeared.
    UnknownOrder,
}

impl RefundReason {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::Late, Self::OrderEnded, Self::PaidTwice, Self::WrongAmount, Self::UnknownOrder];

    /// The word in the table, in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::OrderEnded => "order-ended",
            Self::PaidTwice => "paid-twice",
            Self::WrongAmount => "wrong-amount",
            Self::UnknownOrder => "unknown-order",
        }
    }

    /// The reason that is written with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// A payment that waits for a decision, claimed for a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPayment {
    /// The payment.
    pub payment: PaymentId,
    /// Its order.
    pub order: JobId,
    /// The revision at which the order expired; `None` while the order has no row.
    pub rev: Option<u32>,
    /// How long ago the payment was reported, in seconds, by the store's clock.
    pub waited_s: i64,
}

/// Money that has to go back, claimed for a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The payment that is given back in full; the provider's idempotency key.
    pub payment: PaymentId,
    /// The order it was for.
    pub order: JobId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: RefundReason,
}

/// A payment that a buyer has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedPayment {
    /// The provider's id of it.
    pub payment: PaymentId,
    /// Where the buyer goes on, if anywhere.
    pub url: Option<String>,
}
