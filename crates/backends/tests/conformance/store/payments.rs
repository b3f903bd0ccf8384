//! What the provider reports, and what becomes of it.

use domain::{OrderStatus, PaymentNoted, PaymentState, RefundReason};

use super::bench::{Bench, SOLD_OUT, job, wants};
use super::till::{failed, fen, paid};

const PENDING: OrderStatus = OrderStatus::PendingPayment;

pub(super) async fn a_payment_pays_its_order_and_moves_no_units(bench: Bench) {
    let sale = bench.open("s", &[5], 3).await;
    bench.outcomes(&[wants(&sale, 1, "ann", 0, 3)]).await;
    bench.effects().await;
    let versions = bench.sales.versions(sale.number).await.unwrap();
    let noted = bench.life.note_payment(&paid("p", job(&sale, 1), 300)).await.unwrap();
    assert_eq!(noted, PaymentNoted::Paid);
    assert_eq!(bench.status(job(&sale, 1), "ann").await, (OrderStatus::Paid, None));
    assert_eq!(bench.totals(&sale).await, [(0, 3)]);
    assert_eq!(bench.sales.versions(sale.number).await.unwrap(), versions);
    assert!(bench.effects().await.is_empty(), "the gate knows its units already");
    let hold = &bench.sales.holds(sale.number, None, 1).await.unwrap()[0];
    assert_eq!((hold.rev, hold.units), (1, 3));
    assert!(bench.life.claim_refunds(10).await.unwrap().is_empty());
    assert!(bench.life.open_payments(10).await.unwrap().is_empty());
}

pub(super) async fn an_event_and_a_payment_count_once(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let order = bench.order(&sale, 1, "ann").await;
    let event = paid("p", order, 100);
    assert_eq!(bench.life.note_payment(&event).await.unwrap(), PaymentNoted::Paid);
    assert_eq!(bench.life.note_payment(&event).await.unwrap(), PaymentNoted::Repeated);
    assert_eq!(bench.pays("p", order).await, PaymentNoted::Repeated, "the same payment in another webhook");
    let other = bench.order(&sale, 2, "bob").await;
    let reused = domain::PaymentEvent { event: event.event, ..paid("q", other, 100) };
    assert_eq!(bench.life.note_payment(&reused).await.unwrap(), PaymentNoted::Repeated, "a webhook id is one webhook");
    assert_eq!(bench.totals(&sale).await, [(1, 1)]);
    assert!(bench.life.claim_refunds(10).await.unwrap().is_empty());
    assert_eq!(bench.events(order).await.len(), 2);
}

pub(super) async fn a_failed_payment_may_succeed_and_a_successful_one_not_fail(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let order = bench.order(&sale, 1, "ann").await;
    assert_eq!(bench.life.note_payment(&failed("p", order, 100)).await.unwrap(), PaymentNoted::Failed);
    assert_eq!(bench.life.note_payment(&failed("p", order, 100)).await.unwrap(), PaymentNoted::Repeated);
    assert_eq!(bench.status(order, "ann").await, (PENDING, None), "it goes on waiting");
    assert!(bench.life.claim_refunds(10).await.unwrap().is_empty(), "there was no money");
    assert_eq!(bench.pays("p", order).await, PaymentNoted::Paid);
    assert_eq!(bench.life.note_payment(&failed("p", order, 100)).await.unwrap(), PaymentNoted::Repeated);
    assert_eq!(bench.status(order, "ann").await, (OrderStatus::Paid, None));
    assert_eq!(bench.totals(&sale).await, [(0, 1)]);
}

pub(super) async fn a_second_payment_goes_back(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let order = bench.order(&sale, 1, "ann").await;
    assert_eq!(bench.pays("p", order).await, PaymentNoted::Paid);
    assert_eq!(bench.pays("q", order).await, PaymentNoted::RefundDue(RefundReason::PaidTwice));
    assert_eq!(bench.status(order, "ann").await, (OrderStatus::Paid, Some(PaymentState::RefundDue)));
    assert_eq!(bench.totals(&sale).await, [(0, 1)]);
    let refunds = bench.life.claim_refunds(10).await.unwrap();
    assert_eq!(refunds.len(), 1);
    assert_eq!((refunds[0].payment.as_str(), refunds[0].order, refunds[0].amount), ("q", order, fen(100)));
    assert_eq!(refunds[0].reason, RefundReason::PaidTwice);
}

pub(super) async fn a_wrong_amount_goes_back_and_the_order_waits_on(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let order = bench.order(&sale, 1, "ann").await;
    let wrong = PaymentNoted::RefundDue(RefundReason::WrongAmount);
    assert_eq!(bench.life.note_payment(&paid("less", order, 99)).await.unwrap(), wrong);
    assert_eq!(bench.life.note_payment(&paid("more", order, 101)).await.unwrap(), wrong);
    let mut dollars = paid("dollars", order, 100);
    dollars.amount.currency = "USD".to_owned().try_into().unwrap();
    assert_eq!(bench.life.note_payment(&dollars).await.unwrap(), wrong);
    assert_eq!(bench.status(order, "ann").await, (PENDING, Some(PaymentState::RefundDue)));
    assert_eq!(bench.pays("right", order).await, PaymentNoted::Paid);
    let mut amounts: Vec<_> =
        bench.life.claim_refunds(10).await.unwrap().iter().map(|refund| refund.amount.amount).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [99, 100, 101], "what was paid goes back");
}

pub(super) async fn a_payment_for_an_ended_order_goes_back(bench: Bench) {
    let sale = bench.open("s", &[1], 1).await;
    let ended = PaymentNoted::RefundDue(RefundReason::OrderEnded);
    let order = bench.order(&sale, 1, "ann").await;
    bench.cancels(order, "ann").await;
    assert_eq!(bench.pays("p", order).await, ended);
    assert_eq!(bench.status(order, "ann").await, (OrderStatus::Cancelled, Some(PaymentState::RefundDue)));

    bench.order(&sale, 2, "bob").await;
    assert_eq!(bench.outcomes(&[wants(&sale, 3, "cid", 0, 1)]).await, [SOLD_OUT]);
    assert_eq!(bench.pays("q", job(&sale, 3)).await, ended);
    let unreadable = [domain::ports::Unplaced { job: job(&sale, 4), reservation: None }];
    bench.orders.refuse(&unreadable, domain::RefusedReason::Unplaceable).await.unwrap();
    assert_eq!(bench.pays("r", job(&sale, 4)).await, ended);
    assert_eq!(bench.life.claim_refunds(10).await.unwrap().len(), 3);
    for payment in ["p", "q", "r"] {
        bench.life.note_refunded(&payment.parse().unwrap()).await.unwrap();
    }
    assert_eq!(bench.status(order, "ann").await, (OrderStatus::Cancelled, Some(PaymentState::Refunded)));
    assert_eq!(bench.totals(&sale).await, [(1, 0)]);
}

pub(super) async fn a_payment_before_its_order_pays_when_the_row_is_there(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    assert_eq!(bench.pays("p", job(&sale, 1)).await, PaymentNoted::Open);
    let order = bench.order(&sale, 1, "ann").await;
    assert_eq!(bench.status(order, "ann").await, (PENDING, Some(PaymentState::Open)));
    assert!(bench.life.open_payments(10).await.unwrap().is_empty(), "it was decided on the way");
    assert_eq!(bench.status(order, "ann").await, (OrderStatus::Paid, None));
    assert_eq!(bench.totals(&sale).await, [(0, 1)]);
}

pub(super) async fn an_order_that_nobody_has_expired_yet_is_paid(bench: Bench) {
    let sale = bench.open_in_a_hurry("s", &[5], 1).await;
    let order = bench.order(&sale, 1, "ann").await;
    let due = bench.view(order, "ann").await.expires_at.unwrap();
    let left = due - super::bench::now() + chrono::TimeDelta::milliseconds(50);
    tokio::time::sleep(left.to_std().unwrap_or_default()).await;
    assert_eq!(bench.pays("p", order).await, PaymentNoted::Paid);
    bench.expires(0).await;
    assert_eq!(bench.status(order, "ann").await.0, OrderStatus::Paid);
}

pub(super) async fn a_refund_is_claimed_by_one_and_noted_once(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let order = bench.order(&sale, 1, "ann").await;
    bench.pays("p", order).await;
    for n in 0..6 {
        bench.pays(&format!("twice-{n}"), order).await;
    }
    let claimers: Vec<_> = (0..4)
        .map(|_| {
            let bench = bench.clone();
            tokio::spawn(async move { bench.life.claim_refunds(2).await.unwrap() })
        })
        .collect();
    let mut claimed = Vec::new();
    for claimer in claimers {
        let some = claimer.await.unwrap();
        assert!(some.len() <= 2);
        claimed.extend(some.into_iter().map(|refund| refund.payment));
    }
    claimed.extend(bench.life.claim_refunds(10).await.unwrap().into_iter().map(|refund| refund.payment));
    claimed.sort();
    assert_eq!(
        claimed.iter().map(|payment| payment.as_str()).collect::<Vec<_>>(),
        ["twice-0", "twice-1", "twice-2", "twice-3", "twice-4", "twice-5"]
    );
    assert!(bench.life.claim_refunds(10).await.unwrap().is_empty(), "not again within 30 s");
    bench.events(order).await;
    for payment in [&claimed[0], &claimed[0], &"p".parse().unwrap(), &"nobody's".parse().unwrap()] {
        bench.life.note_refunded(payment).await.unwrap();
    }
    assert_eq!(bench.events(order).await, [("order.refunded".to_owned(), 3)], "one was to be given back, and was");
    assert_eq!(bench.status(order, "ann").await, (OrderStatus::Paid, Some(PaymentState::RefundDue)), "of the latest");
}

pub(super) async fn racing_payments_pay_an_order_once(bench: Bench) {
    let sale = bench.open("s", &[50], 1).await;
    for n in 0..10 {
        let order = bench.order(&sale, n, &format!("buyer-{n}")).await;
        // Two payments, each reported by two webhooks, one of them twice.
        let events: Vec<_> = ["p", "q"].map(|name| paid(&format!("{name}-{n}"), order, 100)).into();
        let repeats = events.iter().map(|event| domain::PaymentEvent {
            event: crate::support::unique("event-").parse().unwrap(),
            ..event.clone()
        });
        let all: Vec<_> = events.iter().cloned().chain(repeats).chain(events.iter().cloned()).collect();
        let payers: Vec<_> = all
            .into_iter()
            .map(|event| {
                let bench = bench.clone();
                tokio::spawn(async move { bench.life.note_payment(&event).await.unwrap() })
            })
            .collect();
        let mut noted = Vec::new();
        for payer in payers {
            noted.push(payer.await.unwrap());
        }
        let count = |wanted: PaymentNoted| noted.iter().filter(|noted| **noted == wanted).count();
        assert_eq!(count(PaymentNoted::Paid), 1, "{noted:?}");
        assert_eq!(count(PaymentNoted::RefundDue(RefundReason::PaidTwice)), 1, "{noted:?}");
        assert_eq!(count(PaymentNoted::Repeated), 4, "{noted:?}");
    }
    assert_eq!(bench.totals(&sale).await, [(0, 10)]);
    assert_eq!(bench.life.claim_refunds(100).await.unwrap().len(), 10);
}
