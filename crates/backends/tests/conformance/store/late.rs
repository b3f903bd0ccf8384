//! Payments that come after their order has expired.

use std::time::{Duration, Instant};

use domain::ports::Sink;
use domain::{OpenPayment, OrderStatus, Patch, PaymentNoted, PaymentState, RefundReason};

use super::bench::{Bench, LIMIT_REACHED, PLACED, job, operator, wants};
use super::till::paid;

const EXPIRED: OrderStatus = OrderStatus::Expired;

pub(super) async fn a_late_payment_is_rebooked_when_its_units_were_reserved(bench: Bench) {
    for limit in [1_u16, 2] {
        let sale = bench.open_in_a_hurry(&format!("s{limit}"), &[1], limit).await;
        let order = bench.expired(&sale, 1, "ann").await;
        assert_eq!(bench.pays(&format!("p{limit}"), order).await, PaymentNoted::Open);
        assert_eq!(bench.status(order, "ann").await, (EXPIRED, Some(PaymentState::Open)));
        let open = bench.open_payment().await;
        assert_eq!((open.order, open.rev), (order, Some(2)));
        bench.relay_all(Sink::Gate).await;
        let before = bench.sales.versions(sale.number).await.unwrap();

        assert_eq!(bench.life.end_open_payment(&open, true).await.unwrap(), PaymentState::Settled);
        assert_eq!(bench.status(order, "ann").await, (OrderStatus::Paid, None));
        assert_eq!(bench.totals(&sale).await, [(0, 1)]);
        let rows = bench.relay_all(Sink::Gate).await;
        assert_eq!(rows[0].version.unwrap().1, before[0] + 1);
        assert_eq!(bench.orders.totals(sale.number, &before).await.unwrap()[0].after, 1);
        let hold = super::bench::holds_of(&rows[0]).remove(0);
        assert_eq!((hold.job, hold.rev, hold.units), (order, 3, 1));
        assert_eq!(bench.sales.holds(sale.number, None, 1).await.unwrap(), [hold]);
        let kinds: Vec<_> = bench.events(order).await.into_iter().collect();
        assert_eq!(kinds.last().unwrap(), &("order.paid".to_owned(), 3));

        assert_eq!(bench.life.end_open_payment(&open, false).await.unwrap(), PaymentState::Settled, "it has ended");
        let more = wants(&sale, 2, "ann", 0, limit);
        assert_ne!(bench.outcomes(&[more]).await, [PLACED], "stock and allowance are used again");
        assert!(bench.life.claim_refunds(10).await.unwrap().is_empty());
    }
}

pub(super) async fn a_late_payment_without_its_units_goes_back_and_the_gate_is_told(bench: Bench) {
    let sale = bench.open_in_a_hurry("s", &[1], 1).await;
    let order = bench.expired(&sale, 1, "ann").await;
    bench.pays("p", order).await;
    let open = bench.open_payment().await;
    bench.relay_all(Sink::Gate).await;
    let versions = bench.sales.versions(sale.number).await.unwrap();
    assert_eq!(bench.life.end_open_payment(&open, false).await.unwrap(), PaymentState::RefundDue);
    assert_eq!(bench.status(order, "ann").await, (EXPIRED, Some(PaymentState::RefundDue)));
    let rows = bench.relay_all(Sink::Gate).await;
    assert_eq!(rows.iter().map(|row| row.version).collect::<Vec<_>>(), [None], "no units moved");
    let hold = super::bench::holds_of(&rows[0]).remove(0);
    assert_eq!((hold.job, hold.rev, hold.units), (order, 3, 0), "a reservation that nobody knows of comes back");
    assert_eq!(bench.sales.holds(sale.number, None, 1).await.unwrap(), [hold]);
    assert_eq!(bench.sales.versions(sale.number).await.unwrap(), versions);
    let refunds = bench.life.claim_refunds(10).await.unwrap();
    assert_eq!(refunds.iter().map(|refund| refund.reason).collect::<Vec<_>>(), [RefundReason::Late]);
    assert_eq!(bench.life.end_open_payment(&open, true).await.unwrap(), PaymentState::RefundDue, "it has ended");
    assert_eq!(bench.totals(&sale).await, [(0, 0)]);
    bench.life.note_refunded(&open.payment).await.unwrap();
    assert_eq!(bench.life.end_open_payment(&open, true).await.unwrap(), PaymentState::Refunded);
}

pub(super) async fn a_reservation_cannot_oversell(bench: Bench) {
    let sale = bench.open_in_a_hurry("s", &[1], 1).await;
    let order = bench.expired(&sale, 1, "ann").await;
    bench.pays("p", order).await;
    let open = bench.open_payment().await;
    // Whatever a gate that has lost its data says: the unit is somebody else's.
    bench.order(&sale, 2, "bob").await;
    assert_eq!(bench.life.end_open_payment(&open, true).await.unwrap(), PaymentState::RefundDue);
    assert_eq!(bench.known_to_the_gate(order).await.rev, 3);
    assert_eq!(bench.totals(&sale).await, [(1, 0)]);
}

pub(super) async fn a_reservation_cannot_exceed_the_allowance(bench: Bench) {
    for limit in [1_u16, 3] {
        let sale = bench.open_in_a_hurry(&format!("s{limit}"), &[9], limit).await;
        let order = bench.expired(&sale, 1, "ann").await;
        bench.pays(&format!("p{limit}"), order).await;
        let open = bench.open_payment().await;
        assert_eq!(bench.outcomes(&[wants(&sale, 2, "ann", 0, limit)]).await, [PLACED]);
        assert_eq!(bench.life.end_open_payment(&open, true).await.unwrap(), PaymentState::RefundDue, "limit {limit}");
        assert_eq!(bench.totals(&sale).await, [(i64::from(limit), 0)]);
        bench.expires(1).await;
    }
}

pub(super) async fn an_allowance_that_began_to_be_counted_is_kept_when_a_late_payment_is_rebooked(bench: Bench) {
    let sale = bench.open_in_a_hurry("s", &[9], 1).await;
    let order = bench.expired(&sale, 1, "ann").await;
    let again = bench.order(&sale, 2, "ann").await;
    bench.pays("p2", again).await;
    bench.pays("p", order).await;
    let open = bench.open_payment().await;
    let patch = Patch { limit_per_buyer: Some(2), payment_window_seconds: Some(600), ..Patch::default() };
    bench.sales.patch(&sale.id, &patch, &operator()).await.unwrap();
    // Both were written when the limit was 1 and are live now.
    assert_eq!(bench.life.end_open_payment(&open, true).await.unwrap(), PaymentState::Settled);
    assert_eq!(bench.totals(&sale).await, [(0, 2)]);
    assert_eq!(bench.outcomes(&[wants(&sale, 3, "ann", 0, 1)]).await, [LIMIT_REACHED]);
}

pub(super) async fn a_payment_that_was_looked_at_is_left_alone_for_a_moment(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    for n in 1..=3 {
        assert_eq!(bench.pays(&format!("p-{n}"), job(&sale, n)).await, PaymentNoted::Open);
    }
    let started = Instant::now();
    let mut open = bench.life.open_payments(2).await.unwrap();
    assert_eq!(open.len(), 2);
    open.extend(bench.life.open_payments(2).await.unwrap());
    assert_eq!(open.len(), 3, "each is looked at by one");
    assert!(open.iter().all(|one| one.rev.is_none()), "{open:?}");
    assert!(open[0].waited_s >= open[1].waited_s);
    while bench.life.open_payments(10).await.unwrap().is_empty() {
        assert!(started.elapsed() < Duration::from_secs(20), "never again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(started.elapsed() >= Duration::from_millis(1_900), "too soon: {:?}", started.elapsed());
}

pub(super) async fn of_two_late_payments_one_pays_and_one_goes_back(bench: Bench) {
    let sale = bench.open_in_a_hurry("s", &[5], 1).await;
    let order = bench.expired(&sale, 1, "ann").await;
    bench.pays("p", order).await;
    bench.pays("q", order).await;
    let open = bench.life.open_payments(10).await.unwrap();
    assert_eq!(open.len(), 2);
    assert_eq!(bench.life.end_open_payment(&open[0], true).await.unwrap(), PaymentState::Settled);
    assert_eq!(bench.life.end_open_payment(&open[1], true).await.unwrap(), PaymentState::Open, "the order has changed");
    assert!(bench.life.open_payments(10).await.unwrap().is_empty(), "due at once, and decided");
    assert_eq!(bench.status(order, "ann").await, (OrderStatus::Paid, Some(PaymentState::RefundDue)));
    let refunds = bench.life.claim_refunds(10).await.unwrap();
    assert_eq!((refunds.len(), refunds[0].reason), (1, RefundReason::PaidTwice));
    assert_eq!(refunds[0].payment, open[1].payment);
    assert_eq!(bench.totals(&sale).await, [(0, 1)]);
}

pub(super) async fn what_was_decided_on_an_old_revision_is_looked_at_again(bench: Bench) {
    let sale = bench.open_in_a_hurry("s", &[5], 1).await;
    // There was no row when somebody looked.
    bench.pays("early", job(&sale, 1)).await;
    let seen = bench.open_payment().await;
    assert_eq!(seen.rev, None);
    let order = bench.expired(&sale, 1, "ann").await;
    assert_eq!(bench.life.end_open_payment(&seen, false).await.unwrap(), PaymentState::Open);
    assert_eq!(bench.status(order, "ann").await, (EXPIRED, Some(PaymentState::Open)));
    let seen = bench.open_payment().await;
    assert_eq!(seen.rev, Some(2), "due at once");
    let stale = OpenPayment { rev: Some(1), ..seen.clone() };
    assert_eq!(bench.life.end_open_payment(&stale, true).await.unwrap(), PaymentState::Open);

    // Another late payment went back: the reservation at revision 2 has come back with it.
    bench.pays("other", order).await;
    let both = bench.life.open_payments(10).await.unwrap();
    let other = both.iter().find(|open| open.payment.as_str() == "other").unwrap();
    assert_eq!(bench.life.end_open_payment(other, false).await.unwrap(), PaymentState::RefundDue);
    assert_eq!(bench.life.end_open_payment(&seen, true).await.unwrap(), PaymentState::Open);
    let seen = bench.open_payment().await;
    assert_eq!((seen.payment.as_str(), seen.rev), ("early", Some(3)));
    assert_eq!(bench.life.end_open_payment(&seen, true).await.unwrap(), PaymentState::Settled);
    assert_eq!(bench.known_to_the_gate(order).await.rev, 4);
    assert_eq!(bench.totals(&sale).await, [(0, 1)]);
}

pub(super) async fn a_payment_for_an_order_that_never_was_goes_back(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    bench.pays("p", job(&sale, 7)).await;
    let open = bench.open_payment().await;
    assert_eq!(bench.life.end_open_payment(&open, true).await.unwrap(), PaymentState::RefundDue);
    let refunds = bench.life.claim_refunds(10).await.unwrap();
    assert_eq!((refunds.len(), refunds[0].reason), (1, RefundReason::UnknownOrder));
    bench.life.note_refunded(&open.payment).await.unwrap();
    assert!(bench.effects().await.is_empty() && bench.relay_all(Sink::Events).await.is_empty());
    let nobody = OpenPayment { payment: "nobody's".parse().unwrap(), ..open };
    assert!(bench.life.end_open_payment(&nobody, true).await.is_err());
    assert_eq!(bench.order(&sale, 7, "ann").await, job(&sale, 7));
    assert_eq!(bench.status(job(&sale, 7), "ann").await, (OrderStatus::PendingPayment, Some(PaymentState::Refunded)));
}

pub(super) async fn racing_ends_of_a_late_payment_agree(bench: Bench) {
    let sale = bench.open_in_a_hurry("s", &[20], 2).await;
    let batch: Vec<_> = (0..10).map(|n| wants(&sale, n, &format!("buyer-{n}"), 0, 1)).collect();
    bench.outcomes(&batch).await;
    bench.expires(10).await;
    for n in 0..10 {
        bench.pays(&format!("p-{n}"), job(&sale, n)).await;
    }
    let mut settled = 0;
    for open in bench.life.open_payments(100).await.unwrap() {
        let enders: Vec<_> = (0..4)
            .map(|n| {
                let (bench, open) = (bench.clone(), open.clone());
                tokio::spawn(async move { bench.life.end_open_payment(&open, n % 2 == 0).await.unwrap() })
            })
            .collect();
        let mut states = Vec::new();
        for ender in enders {
            states.push(ender.await.unwrap());
        }
        assert!(states.windows(2).all(|pair| pair[0] == pair[1]), "{states:?}");
        assert!(matches!(states[0], PaymentState::Settled | PaymentState::RefundDue), "{states:?}");
        settled += i64::from(states[0] == PaymentState::Settled);
        assert_eq!(bench.known_to_the_gate(open.order).await.rev, 3, "one change, whoever made it");
    }
    assert_eq!(bench.totals(&sale).await, [(0, settled)]);
    let refunds = i64::try_from(bench.life.claim_refunds(100).await.unwrap().len()).unwrap();
    assert_eq!(settled + refunds, 10);
}

pub(super) async fn a_wrong_amount_pays_no_expired_order_either(bench: Bench) {
    let sale = bench.open_in_a_hurry("s", &[5], 1).await;
    // It came before the order, so nobody could compare; the order expires before anybody looks again.
    let order = job(&sale, 1);
    assert_eq!(bench.life.note_payment(&paid("p", order, 1)).await.unwrap(), PaymentNoted::Open);
    bench.expired(&sale, 1, "ann").await;
    for open in bench.life.open_payments(10).await.unwrap() {
        assert_eq!(bench.life.end_open_payment(&open, true).await.unwrap(), PaymentState::RefundDue);
    }
    let refunds = bench.life.claim_refunds(10).await.unwrap();
    assert_eq!((refunds.len(), refunds[0].reason), (1, RefundReason::WrongAmount), "{refunds:?}");
    assert_eq!(bench.status(order, "ann").await.0, OrderStatus::Expired);
    assert_eq!(bench.totals(&sale).await, [(0, 0)]);
}
