//! Sales that are over, and what is left of them.

use chrono::TimeDelta;
use domain::ports::{PlaceError, Sink, Unplaced};
use domain::{NewSale, RefusedReason, Restock, Sale};

use super::bench::{Bench, described, job, now, operator, wants};
use super::till::paid;

const DAY_S: u32 = 86_400;

/// Its window ended so many seconds ago, and orders wait a second for their payment.
fn ended(id: &str, seconds_ago: i64, limit: u16) -> NewSale {
    let closes_at = now() - TimeDelta::seconds(seconds_ago);
    NewSale {
        closes_at,
        opens_at: closes_at - TimeDelta::hours(1),
        payment_window_seconds: 1,
        ..described(id, &[9, 9], limit)
    }
}

fn restock(id: &str, delta: i64) -> Restock {
    serde_json::from_value(serde_json::json!({ "id": id, "item": "a", "delta": delta })).unwrap()
}

impl Bench {
    /// A sale of two days ago with nothing in its outbox.
    async fn over(&self, id: &str, limit: u16) -> Sale {
        self.open_as(&ended(id, 2 * i64::from(DAY_S), limit)).await
    }

    async fn delivered(&self) {
        self.relay_all(Sink::Gate).await;
        self.relay_all(Sink::Events).await;
    }

    /// Steps until there is nothing to do; answers how many did something.
    async fn cleared(&self, limit: usize) -> usize {
        let mut steps = 0;
        loop {
            let rows = self.retention.clear_ended(DAY_S, limit).await.unwrap();
            assert!(rows <= 3 * limit as u64, "{rows} rows in one step");
            if rows == 0 {
                return steps;
            }
            steps += 1;
        }
    }

    async fn is_there(&self, sale: &Sale) -> bool {
        self.sales.sale(&sale.id).await.unwrap().is_some()
    }
}

pub(super) async fn a_sale_that_is_over_goes_with_all_that_is_of_it_and_its_books_stay_in_the_log(bench: Bench) {
    let sale = bench.over("s", 3).await;
    let other = bench.open("other", &[9], 3).await;
    let jobs: Vec<_> = (0..5).map(|n| wants(&sale, n, "ann", n as u8 % 2, 1)).collect();
    bench.outcomes(&jobs).await;
    bench.outcomes(&[wants(&other, 1, "ann", 0, 1)]).await;
    let payment = paid("p", job(&sale, 0), 100);
    bench.life.note_payment(&payment).await.unwrap();
    for n in 1..5 {
        bench.cancels(job(&sale, n), "ann").await;
    }
    bench.sales.restock(&sale.id, &restock("more", 1), &operator()).await.unwrap();
    bench.delivered().await;

    let steps = bench.cleared(2).await;
    assert!(steps >= 4, "five orders, two in a step, and the sale: {steps}");
    assert!(!bench.is_there(&sale).await);
    for n in 0..5 {
        assert_eq!(bench.orders.hold(job(&sale, n)).await.unwrap(), None);
    }
    assert_eq!(bench.sales.holds(sale.number, None, 10).await.unwrap(), []);
    assert_eq!(bench.orders.totals(sale.number, &[0, 0]).await.unwrap(), []);
    let left = bench.orders.orders_of(&"ann".parse().unwrap(), None).await.unwrap();
    assert_eq!(left.iter().map(|order| order.order).collect::<Vec<_>>(), [job(&other, 1)]);
    assert_eq!(bench.totals(&other).await, [(1, 0)]);

    let line = &bench.audit.entries(Some(&sale.id), None, 1).await.unwrap()[0];
    assert_eq!((line.note.action.as_str(), line.by.via.as_str()), ("clear", "retention"));
    assert_eq!(
        line.note.after["books"],
        serde_json::json!([
            { "item": "a", "stock": 10, "sold": 1, "paid": 1 },
            { "item": "b", "stock": 9, "sold": 0, "paid": 0 },
        ])
    );
    assert_eq!(line.note.before.as_ref().unwrap()["sale"]["id"], "s");
    // Nothing is left of the payment either: for the store this webhook is new, and its order was never there.
    assert_eq!(bench.life.note_payment(&payment).await.unwrap(), domain::PaymentNoted::Open);
}

pub(super) async fn a_sale_that_is_young_or_unsettled_stays(bench: Bench) {
    let young = bench.open_as(&ended("young", i64::from(DAY_S) - 60, 1)).await;
    let mut patient = ended("patient", 2 * i64::from(DAY_S), 1);
    patient.payment_window_seconds = 2 * DAY_S;
    let patient = bench.open_as(&patient).await;
    bench.delivered().await;
    assert_eq!(bench.cleared(100).await, 0);
    assert!(bench.is_there(&young).await && bench.is_there(&patient).await);

    // An order that waits for its payment, and then an effect that waits for its delivery.
    let sale = bench.over("s", 3).await;
    bench.outcomes(&[wants(&sale, 0, "ann", 0, 1), wants(&sale, 1, "ann", 0, 1)]).await;
    bench.delivered().await;
    assert_eq!(bench.cleared(100).await, 0, "an unpaid order");
    bench.cancels(job(&sale, 0), "ann").await;
    bench.life.note_payment(&paid("p", job(&sale, 1), 100)).await.unwrap();
    bench.relay_all(Sink::Gate).await;
    assert_eq!(bench.cleared(100).await, 0, "an event that nobody has heard");
    bench.relay_all(Sink::Events).await;
    bench.life.note_payment(&paid("q", job(&sale, 1), 100)).await.unwrap();
    bench.delivered().await;
    assert_eq!(bench.cleared(100).await, 0, "money that has to go back");
    bench.life.note_refunded(&"q".parse().unwrap()).await.unwrap();
    bench.sales.restock(&sale.id, &restock("fewer", -1), &operator()).await.unwrap();
    bench.delivered().await;
    assert_eq!(bench.cleared(100).await, 0, "units that are being taken out");
    bench.sales.end_withdrawal(&sale.id, &restock("fewer", -1).id, true).await.unwrap();
    bench.delivered().await;
    assert!(bench.is_there(&sale).await);
    assert_ne!(bench.cleared(100).await, 0);
    assert!(!bench.is_there(&sale).await);
}

pub(super) async fn a_late_message_of_a_sale_that_was_cleared_places_nothing(bench: Bench) {
    let sale = bench.over("s", 3).await;
    let message = [wants(&sale, 0, "ann", 0, 1)];
    bench.outcomes(&message).await;
    bench.cancels(job(&sale, 0), "ann").await;
    bench.delivered().await;
    // After each step: while its orders are still there, and when nothing is.
    let mut steps = 0;
    while bench.retention.clear_ended(DAY_S, 1).await.unwrap() > 0 {
        steps += 1;
        for late in [&message[0], &wants(&sale, 7, "bob", 0, 1)] {
            let placed = bench.orders.place(std::slice::from_ref(late)).await;
            assert!(matches!(placed, Err(PlaceError::Poison(_))), "step {steps}: {placed:?}");
            let job = Unplaced { job: late.job, reservation: Some(late.clone()) };
            assert_eq!(bench.orders.refuse(&[job], RefusedReason::Unplaceable).await.unwrap(), []);
        }
    }
    assert!(steps >= 3, "{steps}");
    assert_eq!(bench.orders.hold(job(&sale, 0)).await.unwrap(), None);
    assert_eq!(bench.orders.hold(job(&sale, 7)).await.unwrap(), None);
    assert!(bench.effects().await.is_empty());
}

pub(super) async fn an_id_may_be_used_again_and_a_number_is_not(bench: Bench) {
    let sale = bench.over("s", 1).await;
    bench.delivered().await;
    assert_ne!(bench.cleared(100).await, 0);
    let again = bench.open("s", &[1], 1).await;
    assert_ne!(again.number, sale.number);
    assert_eq!(bench.sales.holds(again.number, None, 10).await.unwrap(), []);
}

pub(super) async fn several_callers_clear_each_sale_once(bench: Bench) {
    for id in ["a", "b", "c"] {
        let sale = bench.over(id, 1).await;
        let jobs: Vec<_> = (0..8).map(|n| wants(&sale, n, &format!("{id}-{n}"), 0, 1)).collect();
        bench.outcomes(&jobs).await;
        for n in 0..8 {
            bench.cancels(job(&sale, n), &format!("{id}-{n}")).await;
        }
    }
    bench.delivered().await;
    let callers = (0..4).map(|_| {
        let bench = bench.clone();
        tokio::spawn(async move { bench.cleared(3).await })
    });
    for caller in futures_util::future::join_all(callers).await {
        caller.unwrap();
    }
    assert_eq!(bench.cleared(3).await, 0);
    assert_eq!(bench.sales.sales(30 * DAY_S).await.unwrap(), []);
    let log = bench.audit.entries(None, None, 100).await.unwrap();
    assert_eq!(log.iter().filter(|line| line.note.action == "clear").count(), 3);
}
