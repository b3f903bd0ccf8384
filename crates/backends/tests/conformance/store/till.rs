//! Short words for payments and for the passing of deadlines.

use std::time::Duration;

use domain::ports::{Cancelled, Sink};
use domain::{
    Hold, JobId, Money, OpenPayment, OrderEvent, OrderStatus, OrderView, PaymentEvent, PaymentNoted, PaymentResult,
    PaymentState, Sale,
};

use super::bench::{Bench, PLACED, buyer, events_of, job, wants};
use crate::support::unique;

pub(super) fn fen(amount: i64) -> Money {
    Money { amount, currency: "CNY".to_owned().try_into().unwrap() }
}

/// A payment of this name was made, says a webhook that nobody has sent before.
pub(super) fn paid(payment: &str, order: JobId, amount: i64) -> PaymentEvent {
    PaymentEvent {
        event: unique("event-").parse().unwrap(),
        payment: payment.parse().unwrap(),
        order,
        amount: fen(amount),
        result: PaymentResult::Succeeded,
    }
}

pub(super) fn failed(payment: &str, order: JobId, amount: i64) -> PaymentEvent {
    PaymentEvent { result: PaymentResult::Failed, ..paid(payment, order, amount) }
}

impl Bench {
    /// The `n`th job of a sale becomes an order for one unit of the first item.
    pub(super) async fn order(&self, sale: &Sale, n: u16, name: &str) -> JobId {
        self.order_of_item(sale, n, name, 0).await
    }

    pub(super) async fn order_of_item(&self, sale: &Sale, n: u16, name: &str, item: u8) -> JobId {
        assert_eq!(self.outcomes(&[wants(sale, n, name, item, 1)]).await, [PLACED]);
        job(sale, n)
    }

    pub(super) async fn pays(&self, payment: &str, order: JobId) -> PaymentNoted {
        self.life.note_payment(&paid(payment, order, 100)).await.unwrap()
    }

    pub(super) async fn cancels(&self, order: JobId, name: &str) -> OrderStatus {
        match self.life.cancel(order, &buyer(name)).await.unwrap().unwrap() {
            Cancelled::Done(view) => {
                assert_eq!(view.status, OrderStatus::Cancelled);
                view.status
            }
            Cancelled::TooLate(view) => view.status,
        }
    }

    pub(super) async fn view(&self, order: JobId, name: &str) -> OrderView {
        self.orders.order(order, &buyer(name)).await.unwrap().unwrap()
    }

    pub(super) async fn status(&self, order: JobId, name: &str) -> (OrderStatus, Option<PaymentState>) {
        let view = self.view(order, name).await;
        (view.status, view.refund)
    }

    /// Waits until so many orders have expired, and answers when no further one is due.
    pub(super) async fn expires(&self, orders: usize) {
        let mut expired = 0;
        for _ in 0..400 {
            expired += self.life.expire(100).await.unwrap();
            if expired >= orders {
                assert_eq!((expired, self.life.expire(100).await.unwrap()), (orders, 0));
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{expired} orders have expired, and not {orders}");
    }

    /// An order of one unit that has expired; the sale is in a hurry.
    pub(super) async fn expired(&self, sale: &Sale, n: u16, name: &str) -> JobId {
        let order = self.order(sale, n, name).await;
        self.expires(1).await;
        order
    }

    /// The only open payment that is due.
    pub(super) async fn open_payment(&self) -> OpenPayment {
        let mut open = self.life.open_payments(10).await.unwrap();
        assert_eq!(open.len(), 1, "{open:?}");
        open.remove(0)
    }

    /// The latest of what the gate would know of each order: every effect of it in any order has the same end.
    pub(super) async fn known_to_the_gate(&self, order: JobId) -> Hold {
        let effects = self.effects().await;
        let newest = effects.into_iter().filter(|hold| hold.job == order).max_by_key(|hold| hold.rev);
        newest.expect("the gate was told of it")
    }

    /// All events that wait, as `(type, seq)`.
    pub(super) async fn events(&self, order: JobId) -> Vec<(String, u32)> {
        let rows = self.relay_all(Sink::Events).await;
        let events = rows.iter().flat_map(|row| events_of(row).events);
        let of_order = events.filter(|event: &OrderEvent| event.order_id == order);
        of_order.map(|event| (event.kind, event.seq)).collect()
    }
}
