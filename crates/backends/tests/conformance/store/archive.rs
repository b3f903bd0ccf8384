//! What operators read about orders.

use domain::ports::OrderHistory;
use domain::{JobId, OrderStatus, PaymentState, RefundReason, SaleId};

use super::bench::{Bench, buyer, job, wants};
use super::till::fen;

async fn pages(bench: &Bench, sale: &SaleId, status: Option<OrderStatus>, limit: usize) -> Vec<JobId> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = bench.archive.page(sale, status, after, limit).await.unwrap();
        assert!(page.orders.len() <= limit, "{page:?}");
        assert!(page.orders.iter().all(|entry| status.is_none_or(|status| entry.order.status == status)));
        all.extend(page.orders.iter().map(|entry| entry.order.order));
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

pub(super) async fn a_sale_is_read_page_by_page_and_by_status(bench: Bench) {
    let sale = bench.open("s", &[4], 1).await;
    let other = bench.open("t", &[4], 1).await;
    bench.order(&other, 1, "ann").await;
    let batch: Vec<_> = (1..=7).map(|n| wants(&sale, n, &format!("b{n}"), 0, 1)).collect();
    bench.place(&batch).await;
    bench.pays("p", job(&sale, 2)).await;
    bench.life.cancel(job(&sale, 3), &buyer("b3")).await.unwrap();
    let jobs = |numbers: &[u16]| numbers.iter().map(|n| job(&sale, *n)).collect::<Vec<_>>();
    for limit in [1, 3, 7, 100] {
        assert_eq!(pages(&bench, &sale.id, None, limit).await, jobs(&[1, 2, 3, 4, 5, 6, 7]), "{limit}");
        assert_eq!(pages(&bench, &sale.id, Some(OrderStatus::Rejected), limit).await, jobs(&[5, 6, 7]), "{limit}");
        assert_eq!(pages(&bench, &sale.id, Some(OrderStatus::PendingPayment), limit).await, jobs(&[1, 4]), "{limit}");
        assert_eq!(pages(&bench, &sale.id, Some(OrderStatus::Expired), limit).await, [], "{limit}");
    }
    assert_eq!(pages(&bench, &"nowhere".parse().unwrap(), None, 10).await, []);
    let all = bench.archive.page(&sale.id, None, None, 10).await.unwrap().orders;
    let (waits, paid, cancelled) = (&all[0], &all[1], &all[2]);
    assert_eq!(
        (waits.buyer.as_ref().map(|buyer| buyer.as_str()), waits.admitted_at),
        (Some("b1"), Some(batch[0].admitted_at))
    );
    assert!(waits.order.expires_at.is_some() && waits.paid_at.is_none(), "{waits:?}");
    assert!(paid.paid_at.is_some_and(|at| paid.order.created_at <= at), "{paid:?}");
    assert_eq!((paid.order.status, cancelled.order.status), (OrderStatus::Paid, OrderStatus::Cancelled));
    assert!(cancelled.paid_at.is_none() && cancelled.order.created_at <= cancelled.updated_at, "{cancelled:?}");
}

pub(super) async fn an_order_is_read_with_its_payments(bench: Bench) {
    let sale = bench.open("s", &[4], 1).await;
    let order = bench.order(&sale, 1, "ann").await;
    assert_eq!(bench.archive.history(job(&sale, 9)).await.unwrap(), OrderHistory::default());
    let before = bench.archive.history(order).await.unwrap();
    assert_eq!(
        (before.entry.map(|entry| entry.order.status), before.payments),
        (Some(OrderStatus::PendingPayment), Vec::new())
    );

    bench.pays("p", order).await;
    bench.pays("q", order).await;
    let refund = bench.life.claim_refunds(10).await.unwrap().remove(0);
    bench.life.note_refunded(&refund.payment).await.unwrap();
    let history = bench.archive.history(order).await.unwrap();
    let entry = history.entry.unwrap();
    let [settled, refunded] = &history.payments[..] else { panic!("{:?}", history.payments) };
    assert_eq!((settled.payment.as_str(), settled.amount, settled.state), ("p", fen(100), PaymentState::Settled));
    assert_eq!((refunded.payment.as_str(), refunded.state), ("q", PaymentState::Refunded));
    assert_eq!((settled.reason, refunded.reason), (None, Some(RefundReason::PaidTwice)));
    assert!(settled.received_at <= settled.updated_at && settled.received_at <= refunded.received_at);
    assert_eq!(entry.paid_at, Some(settled.updated_at), "a refund of another payment does not move it");

    // A payment may come before its order's row.
    let early = job(&sale, 7);
    bench.pays("early", early).await;
    let early = bench.archive.history(early).await.unwrap();
    assert_eq!((early.entry, early.payments.len(), early.payments[0].state), (None, 1, PaymentState::Open));
}
