//! The durable row, and how a batch of reservations is fitted into the stock that is left.

use serde::{Deserialize, Serialize};

use crate::{ItemId, JobId, Money, PaymentState, RefusedReason, Reservation, SaleId, Timestamp};

/// Where an order stands. A live order, `PendingPayment` or `Paid`, holds units; the others hold none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Waits for its payment.
    PendingPayment,
    /// Paid.
    Paid,
    /// Not paid in time.
    Expired,
    /// Cancelled by the buyer.
    Cancelled,
    /// Could not be placed.
    Rejected,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::PendingPayment, Self::Paid, Self::Expired, Self::Cancelled, Self::Rejected];

    /// The word in the table and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
        }
    }

    /// The status that is written with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The type of the event that an order of this status was announced with.
    pub fn event_kind(self) -> &'static str {
        match self {
            Self::PendingPayment => "order.placed",
            Self::Paid => "order.paid",
            Self::Expired => "order.expired",
            Self::Cancelled => "order.cancelled",
            Self::Rejected => "order.rejected",
        }
    }

    /// Does an order of this status hold its units?
    pub fn is_live(self) -> bool {
        matches!(self, Self::PendingPayment | Self::Paid)
    }
}

/// An order as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// Its id, the job's and the token's.
    pub order: JobId,
    /// The sale.
    pub sale: SaleId,
    /// The item; `None` on a rejected row whose message could not be read.
    pub item: Option<ItemId>,
    /// Units.
    pub quantity: u16,
    /// What it costs in all; `None` as for the item.
    pub amount: Option<Money>,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it was rejected.
    pub reason: Option<RefusedReason>,
    /// When the row was written.
    pub created_at: Timestamp,
    /// When an unpaid order ends.
    pub expires_at: Option<Timestamp>,
    /// Where a payment stands that did not pay it: `Open`, `RefundDue` or `Refunded`; the latest of several.
    pub refund: Option<PaymentState>,
}

/// What may be changed of a sale. Absent means unchanged.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Patch {
    /// For people.
    pub title: Option<String>,
    /// New opening.
    #[serde(default, deserialize_with = "crate::sale::some_whole_ms")]
    pub opens_at: Option<Timestamp>,
    /// New closing.
    #[serde(default, deserialize_with = "crate::sale::some_whole_ms")]
    pub closes_at: Option<Timestamp>,
    /// New limit.
    pub limit_per_buyer: Option<u16>,
    /// New payment window, in seconds.
    pub payment_window_seconds: Option<u32>,
    /// New prices and stocks, by item id; only before warm-up.
    pub items: Option<Vec<ItemPatch>>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// What may be changed of an item, before warm-up only.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ItemPatch {
    /// Which item.
    pub id: ItemId,
    /// New price.
    pub price: Option<Money>,
    /// New stock, in units.
    pub stock: Option<i64>,
}

/// Fits reservations of one item into what is left, in their order: `true` for each that fits. A later, smaller
/// one may still fit where an earlier one did not: a unit is never kept back for a buyer who cannot have it.
pub fn fit(left: i64, reservations: &[&Reservation]) -> Vec<bool> {
    let mut left = left.max(0);
    let mut take = |units: i64| {
        let fits = units <= left;
        if fits {
            left -= units;
        }
        fits
    };
    reservations.iter().map(|one| take(i64::from(one.quantity.get()))).collect()
}

/// Something that happened to an order, as the world hears of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderEvent {
    /// `order.placed`, `order.rejected`, `order.paid`, `order.expired`, `order.cancelled` or `order.refunded`; listeners
    /// pass over types that they do not know.
    #[serde(rename = "type")]
    pub kind: String,
    /// The order.
    pub order_id: JobId,
    /// Counts the events of this order: 1, 2, 3 … A repeated number is a repeated delivery.
    pub seq: u32,
    /// The buyer, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer_id: Option<crate::BuyerId>,
    /// Units.
    pub quantity: u16,
    /// What it costs in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Why, for a rejected order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<RefusedReason>,
    /// When.
    pub at: Timestamp,
}

/// One message on `seckill.events`: the events of one transaction and item, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventMessage {
    /// Version of this layout: 1.
    pub schema: u8,
    /// The sale.
    pub sale: SaleId,
    /// The item, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// In order.
    pub events: Vec<OrderEvent>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ItemIndex, Quantity, Route, SaleNumber, Shard};

    #[test]
    fn what_fits_is_taken_in_order_and_nothing_more() {
        let route = Route { sale: SaleNumber::new(1).unwrap(), shard: Shard::default() };
        let asks: Vec<Reservation> = [2_u64, 2, 1, 1]
            .into_iter()
            .map(|units| Reservation {
                job: JobId::new(1, route, [0; 6]),
                buyer: "ann".parse().unwrap(),
                item: ItemIndex::new(0),
                quantity: Quantity::try_from(units).unwrap(),
                admitted_at: crate::from_ms(0),
            })
            .collect();
        let asks: Vec<&Reservation> = asks.iter().collect();
        assert_eq!(fit(3, &asks), [true, false, true, false]);
        assert_eq!(fit(6, &asks), [true; 4]);
        assert_eq!(fit(0, &asks), [false; 4]);
        assert_eq!(fit(-5, &asks), [false; 4]);
    }
}
