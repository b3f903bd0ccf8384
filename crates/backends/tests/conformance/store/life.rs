//! Orders that are cancelled or whose time is over.

use domain::ports::{Cancelled, Sink};
use domain::{OrderStatus, Patch, PaymentNoted};

use super::bench::{Bench, LIMIT_REACHED, PLACED, SOLD_OUT, buyer, holds_of, job, now, operator, wants};

pub(super) async fn a_cancelled_unit_is_for_sale_again(bench: Bench) {
    let sale = bench.open("s", &[1], 1).await;
    let order = bench.order(&sale, 1, "ann").await;
    assert_eq!(bench.outcomes(&[wants(&sale, 2, "bob", 0, 1)]).await, [SOLD_OUT]);
    bench.relay_all(Sink::Gate).await;
    let before = bench.sales.versions(sale.number).await.unwrap();

    let cancelled = bench.life.cancel(order, &buyer("ann")).await.unwrap().unwrap();
    let Cancelled::Done(view) = cancelled else { panic!("{cancelled:?}") };
    assert_eq!((view.order, view.status, view.quantity), (order, OrderStatus::Cancelled, 1));
    assert_eq!(view, bench.view(order, "ann").await);
    assert_eq!(bench.totals(&sale).await, [(0, 0)]);

    let after = bench.sales.versions(sale.number).await.unwrap();
    assert_eq!(after[0], before[0] + 1);
    assert_eq!(bench.orders.totals(sale.number, &before).await.unwrap()[0].after, -1, "the ledger can take it back");
    let rows = bench.relay_all(Sink::Gate).await;
    assert_eq!(rows.iter().map(|row| row.version.unwrap().1).collect::<Vec<_>>(), after);
    let holds = holds_of(&rows[0]);
    assert_eq!((holds[0].job, holds[0].rev, holds[0].units, holds[0].quantity), (order, 2, 0, 1));
    assert_eq!(holds[0].buyer, Some(buyer("ann")));
    assert_eq!(
        bench.sales.holds(sale.number, Some(job(&sale, 0)), 1).await.unwrap(),
        holds,
        "a rebuild reads the same"
    );
    assert_eq!(bench.outcomes(&[wants(&sale, 3, "bob", 0, 1)]).await, [PLACED]);
}

pub(super) async fn only_the_owner_cancels_and_only_what_waits(bench: Bench) {
    let sale = bench.open("s", &[3], 1).await;
    let order = bench.order(&sale, 1, "ann").await;
    assert_eq!(bench.life.cancel(order, &buyer("bob")).await.unwrap(), None);
    assert_eq!(bench.life.cancel(job(&sale, 9), &buyer("ann")).await.unwrap(), None);
    assert_eq!(bench.cancels(order, "ann").await, OrderStatus::Cancelled);
    assert_eq!(bench.cancels(order, "ann").await, OrderStatus::Cancelled, "again: the same answer");
    assert_eq!(bench.events(order).await.len(), 2, "and nothing happens twice");
    assert_eq!(bench.totals(&sale).await, [(0, 0)]);

    let order = bench.order(&sale, 2, "bob").await;
    assert_eq!(bench.pays("p", order).await, PaymentNoted::Paid);
    assert_eq!(bench.cancels(order, "bob").await, OrderStatus::Paid);
    assert_eq!(bench.outcomes(&[wants(&sale, 3, "cid", 0, 3)]).await, [SOLD_OUT]);
    assert_eq!(bench.cancels(job(&sale, 3), "cid").await, OrderStatus::Rejected);
    assert_eq!(bench.totals(&sale).await, [(0, 1)]);
}

pub(super) async fn an_order_whose_time_is_over_gives_its_units_back(bench: Bench) {
    let sale = bench.open_in_a_hurry("s", &[5, 2], 3).await;
    let batch = [wants(&sale, 1, "ann", 0, 3), wants(&sale, 2, "bob", 0, 2), wants(&sale, 3, "cid", 1, 2)];
    assert_eq!(bench.outcomes(&batch).await, [PLACED; 3]);
    assert_eq!(bench.pays("p", job(&sale, 9)).await, PaymentNoted::Open, "somebody else's");
    let amount = bench.view(job(&sale, 2), "bob").await.amount.unwrap().amount;
    let event = super::till::paid("q", job(&sale, 2), amount);
    assert_eq!(bench.life.note_payment(&event).await.unwrap(), PaymentNoted::Paid);
    bench.relay_all(Sink::Gate).await;
    let before = bench.sales.versions(sale.number).await.unwrap();
    bench.expires(2).await;

    assert_eq!(bench.totals(&sale).await, [(0, 2), (0, 0)]);
    assert_eq!(bench.status(job(&sale, 1), "ann").await.0, OrderStatus::Expired);
    assert_eq!(bench.status(job(&sale, 2), "bob").await.0, OrderStatus::Paid);
    let totals = bench.orders.totals(sale.number, &before).await.unwrap();
    assert_eq!(totals.iter().map(|line| line.after).collect::<Vec<_>>(), [-3, -2]);
    let mut holds = bench.effects().await;
    holds.sort_by_key(|hold| hold.job);
    let holds: Vec<_> = holds.iter().map(|hold| (hold.job, hold.rev, hold.units, hold.quantity)).collect();
    assert_eq!(holds, [(job(&sale, 1), 2, 0, 3), (job(&sale, 3), 2, 0, 2)]);
    assert_eq!(bench.cancels(job(&sale, 1), "ann").await, OrderStatus::Expired, "too late to cancel");
    assert_eq!(bench.outcomes(&[wants(&sale, 4, "ann", 0, 3)]).await, [PLACED]);
}

pub(super) async fn nothing_expires_before_its_time(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let order = bench.order(&sale, 1, "ann").await;
    assert_eq!(bench.life.expire(100).await.unwrap(), 0);
    assert_eq!(bench.status(order, "ann").await.0, OrderStatus::PendingPayment);
    assert_eq!(bench.life.expire(0).await.unwrap(), 0);
}

pub(super) async fn two_callers_share_what_is_due(bench: Bench) {
    let sale = bench.open_in_a_hurry("s", &[60, 60], 1).await;
    let batch: Vec<_> = (0..100).map(|n| wants(&sale, n, &format!("buyer-{n}"), (n % 2) as u8, 1)).collect();
    bench.outcomes(&batch).await;
    // Ends when all have expired, however they are shared.
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (bench, sale) = (bench.clone(), sale.clone());
            tokio::spawn(async move {
                let mut mine = 0;
                while bench.totals(&sale).await != [(0, 0), (0, 0)] {
                    let some = bench.life.expire(7).await.unwrap();
                    assert!(some <= 7);
                    mine += some;
                }
                mine
            })
        })
        .collect();
    let mut expired = 0;
    for caller in callers {
        expired += caller.await.unwrap();
    }
    assert_eq!(expired, 100);
    let effects = bench.effects().await;
    assert_eq!(effects.iter().filter(|hold| (hold.rev, hold.units) == (2, 0)).count(), 100, "each has one effect");
}

pub(super) async fn a_buyer_who_cancelled_may_buy_again_under_every_limit(bench: Bench) {
    for limit in [1_u16, 2, 3] {
        let sale = bench.open(&format!("s{limit}"), &[50], limit).await;
        for round in 0..3 {
            let order = job(&sale, round * 10);
            assert_eq!(bench.outcomes(&[wants(&sale, round * 10, "ann", 0, limit)]).await, [PLACED], "limit {limit}");
            let more = wants(&sale, round * 10 + 1, "ann", 0, 1);
            assert_eq!(bench.outcomes(&[more]).await, [LIMIT_REACHED]);
            assert_eq!(bench.cancels(order, "ann").await, OrderStatus::Cancelled);
        }
        assert_eq!(bench.totals(&sale).await, [(0, 0)]);
    }
}

pub(super) async fn a_limit_that_was_changed_gives_back_what_was_counted(bench: Bench) {
    let sale = bench.open("s", &[50], 1).await;
    let order = bench.order(&sale, 1, "ann").await;
    let patch = Patch { limit_per_buyer: Some(2), ..Patch::default() };
    bench.sales.patch(&sale.id, &patch, &operator()).await.unwrap();
    assert_eq!(bench.outcomes(&[wants(&sale, 2, "ann", 0, 2)]).await, [LIMIT_REACHED]);
    bench.cancels(order, "ann").await;
    assert_eq!(bench.outcomes(&[wants(&sale, 3, "ann", 0, 2)]).await, [PLACED], "written before, counted since");
}

pub(super) async fn the_last_deadline_of_an_item_is_known(bench: Bench) {
    let sale = bench.open("s", &[5, 5], 1).await;
    let held_until = async || {
        let totals = bench.orders.totals(sale.number, &[0, 0]).await.unwrap();
        totals.iter().map(|line| line.held_until).collect::<Vec<_>>()
    };
    assert_eq!(held_until().await, [None, None]);
    let order = bench.order(&sale, 1, "ann").await;
    let first = bench.view(order, "ann").await.expires_at;
    assert!(first.is_some_and(|at| at > now()));
    assert_eq!(held_until().await, [first, None]);
    let later = bench.order(&sale, 2, "bob").await;
    let second = bench.view(later, "bob").await.expires_at;
    assert!(second >= first);
    assert_eq!(held_until().await, [second, None]);
    bench.pays("p", later).await;
    assert_eq!(held_until().await, [first, None], "a paid unit does not come back");
    bench.cancels(order, "ann").await;
    assert_eq!(held_until().await, [None, None]);
}

pub(super) async fn events_of_an_order_are_counted(bench: Bench) {
    let sale = bench.open_in_a_hurry("s", &[5], 1).await;
    let named = |names: &[(&str, u32)]| names.iter().map(|(kind, seq)| ((*kind).to_owned(), *seq)).collect::<Vec<_>>();
    let order = bench.order(&sale, 1, "ann").await;
    bench.pays("p", order).await;
    bench.pays("twice", order).await;
    bench.life.note_refunded(&"twice".parse().unwrap()).await.unwrap();
    let expected = named(&[("order.placed", 1), ("order.paid", 2), ("order.refunded", 3)]);
    assert_eq!(bench.events(order).await, expected);

    let order = bench.order(&sale, 2, "bob").await;
    bench.cancels(order, "bob").await;
    assert_eq!(bench.events(order).await, named(&[("order.placed", 1), ("order.cancelled", 2)]));

    let order = bench.expired(&sale, 3, "cid").await;
    bench.pays("late", order).await;
    let open = bench.open_payment().await;
    bench.life.end_open_payment(&open, false).await.unwrap();
    bench.life.note_refunded(&"late".parse().unwrap()).await.unwrap();
    let expected = named(&[("order.placed", 1), ("order.expired", 2), ("order.refunded", 3)]);
    assert_eq!(bench.events(order).await, expected, "a refund is announced when it is done");
    bench.order(&sale, 4, "dan").await;
    assert_eq!(bench.outcomes(&[wants(&sale, 5, "eve", 0, 5)]).await, [SOLD_OUT]);
    assert_eq!(bench.events(job(&sale, 5)).await, named(&[("order.rejected", 1)]));
}

/// Payment, cancellation and deadline at the same time, again and again: one of them wins, and the books say so.
pub(super) async fn racing_ends_of_an_order_have_one_winner(bench: Bench) {
    const ORDERS: u16 = 40;
    let sale = bench.open_in_a_hurry("s", &[i64::from(ORDERS)], 2).await;
    let batch: Vec<_> = (0..ORDERS).map(|n| wants(&sale, n, &format!("buyer-{n}"), 0, 1)).collect();
    bench.outcomes(&batch).await;
    let due = bench.view(job(&sale, ORDERS - 1), &format!("buyer-{}", ORDERS - 1)).await.expires_at.unwrap();
    tokio::time::sleep((due - now()).to_std().unwrap_or_default()).await;

    let payers = {
        let (bench, sale) = (bench.clone(), sale.clone());
        tokio::spawn(async move {
            let mut paid = 0;
            for n in 0..ORDERS {
                paid += i64::from(bench.pays(&format!("p-{n}"), job(&sale, n)).await == PaymentNoted::Paid);
            }
            paid
        })
    };
    let cancellers = {
        let (bench, sale) = (bench.clone(), sale.clone());
        tokio::spawn(async move {
            let mut cancelled = 0;
            for n in (0..ORDERS).rev() {
                let status = bench.cancels(job(&sale, n), &format!("buyer-{n}")).await;
                assert_ne!(status, OrderStatus::PendingPayment);
                cancelled += i64::from(status == OrderStatus::Cancelled);
            }
            cancelled
        })
    };
    let mut expired = 0;
    while !(payers.is_finished() && cancellers.is_finished()) {
        expired += i64::try_from(bench.life.expire(1).await.unwrap()).unwrap();
        tokio::task::yield_now().await;
    }
    let (paid, cancelled) = (payers.await.unwrap(), cancellers.await.unwrap());
    assert_eq!(paid + cancelled + expired, i64::from(ORDERS));
    assert_eq!(bench.totals(&sale).await, [(0, paid)]);
}
