//! Decides a batch on what was read: which jobs become orders, and why the others do not. No I/O.

use std::collections::HashMap;

use chrono::TimeDelta;
use domain::{
    BuyerId, ItemId, ItemIndex, Money, OrderStatus, Outcome, RefusedReason, Reservation, SaleId, SaleNumber, Timestamp,
    fit,
};

use super::Ask;
use crate::postgres::rows::Order;

/// What a transaction has read about the sales of its batch.
pub(super) struct Facts {
    /// The transaction's time, by Postgres' clock.
    pub(super) now: Timestamp,
    pub(super) sales: HashMap<SaleNumber, SaleFacts>,
}

pub(super) struct SaleFacts {
    pub(super) id: SaleId,
    pub(super) limit: i64,
    /// Are allowances counted in rows? If not, the limit is 1 and a unique index keeps it.
    pub(super) counted: bool,
    pub(super) payment_window: TimeDelta,
    /// By position.
    pub(super) items: Vec<ItemFacts>,
}

pub(super) struct ItemFacts {
    pub(super) id: ItemId,
    pub(super) price: Money,
    pub(super) stock: i64,
    pub(super) sold: i64,
    pub(super) version: i64,
}

impl Facts {
    pub(super) fn item(&self, sale: SaleNumber, item: ItemIndex) -> Option<&ItemFacts> {
        self.sales.get(&sale)?.items.get(usize::from(item.get()))
    }
}

/// Units in live orders of a buyer, in one sale.
pub(super) type Held = HashMap<(SaleNumber, BuyerId), i64>;

/// One row per ask, in their order: first come, first served, and no unit is kept back for a buyer who cannot have
/// it. `held` lacks what nobody has looked up; then the guards of the write find out.
pub(super) fn judge(facts: &Facts, mut held: Held, asks: &[&Ask]) -> Vec<Order> {
    let mut taken: HashMap<(SaleNumber, ItemIndex), i64> = HashMap::new();
    let mut decide = |ask: &&Ask| {
        let number = ask.job.route().sale;
        let sale = facts.sales.get(&number)?;
        let Some(wish) = &ask.reservation else {
            return Some(unreadable(ask, facts.now));
        };
        let item = facts.item(number, wish.item);
        let units = i64::from(wish.quantity.get());
        let outcome = match (ask.refused, item) {
            (Some(reason), _) => Outcome::Refused(reason),
            (None, None) => Outcome::Refused(RefusedReason::Unplaceable),
            (None, Some(item)) => {
                let taken = taken.entry((number, wish.item)).or_default();
                let held = held.entry((number, wish.buyer.clone())).or_default();
                if fit(item.stock - item.sold - *taken, &[wish]) != [true] {
                    Outcome::Refused(RefusedReason::SoldOut)
                } else if *held + units > sale.limit {
                    Outcome::Refused(RefusedReason::LimitReached)
                } else {
                    *taken += units;
                    *held += units;
                    Outcome::Placed
                }
            }
        };
        Some(order(wish, sale, item, outcome, facts.now))
    };
    asks.iter().filter_map(&mut decide).collect()
}

fn order(wish: &Reservation, sale: &SaleFacts, item: Option<&ItemFacts>, outcome: Outcome, now: Timestamp) -> Order {
    let (status, reason, expires_at) = match outcome {
        Outcome::Placed => (OrderStatus::PendingPayment, None, Some(now + sale.payment_window)),
        Outcome::Refused(reason) => (OrderStatus::Rejected, Some(reason), None),
    };
    Order {
        job: wish.job,
        item: item.map(|_| wish.item),
        buyer: Some(wish.buyer.clone()),
        quantity: wish.quantity.get(),
        amount: item.and_then(|item| item.price.times(wish.quantity.get())),
        status,
        reason,
        rev: 1,
        seq: 1,
        admitted_at: Some(wish.admitted_at),
        updated_at: now,
        expires_at,
    }
}

/// The row of a job of which only the id could be read.
fn unreadable(ask: &Ask, now: Timestamp) -> Order {
    Order {
        job: ask.job,
        item: None,
        buyer: None,
        quantity: 0,
        amount: None,
        status: OrderStatus::Rejected,
        reason: Some(ask.refused.unwrap_or(RefusedReason::Unplaceable)),
        rev: 1,
        seq: 1,
        admitted_at: None,
        updated_at: now,
        expires_at: None,
    }
}
