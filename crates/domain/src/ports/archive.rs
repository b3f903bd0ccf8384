//! What operators read about orders, whoever they belong to.

use async_trait::async_trait;

use super::Outage;
use crate::{BuyerId, JobId, Money, OrderStatus, OrderView, PaymentId, PaymentState, RefundReason, SaleId, Timestamp};

/// Reads orders for operators: page by page, or one with all that is kept of it. Changes nothing.
#[async_trait]
pub trait OrderArchive: Send + Sync {
    /// Orders of a sale in order of their job, after `after`, at most `limit`; of one status where one is named. A page
    /// may have fewer though more follow: one look at rare orders among many has an end too.
    async fn page(
        &self,
        sale: &SaleId,
        status: Option<OrderStatus>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<OrderPage, Outage>;

    /// What is kept of one order: its row, if there is one, and its payments, which may come before it.
    async fn history(&self, order: JobId) -> Result<OrderHistory, Outage>;
}

/// One page of [`OrderArchive::page`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders.
    pub orders: Vec<OrderEntry>,
    /// After which job the next page begins; `None` after the last.
    pub next: Option<JobId>,
}

/// One order with what only operators see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEntry {
    /// As its owner sees it.
    pub order: OrderView,
    /// Its owner; `None` on a rejected row whose message could not be read.
    pub buyer: Option<BuyerId>,
    /// When the gate admitted it, where its message said so.
    pub admitted_at: Option<Timestamp>,
    /// When the payment that settled it was decided.
    pub paid_at: Option<Timestamp>,
    /// When its row last changed.
    pub updated_at: Timestamp,
}

/// What is kept of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderHistory {
    /// Its row.
    pub entry: Option<OrderEntry>,
    /// In the order in which they were received, at most 100.
    pub payments: Vec<PaymentEntry>,
}

/// One payment, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentEntry {
    /// The provider's name for it.
    pub payment: PaymentId,
    /// As reported.
    pub amount: Money,
    /// Where it stands.
    pub state: PaymentState,
    /// Why the money goes back, if it does.
    pub reason: Option<RefundReason>,
    /// When it was first reported.
    pub received_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
