//! A batch of reservations becomes orders.

use domain::ports::PlaceError;
use domain::{OrderStatus, RefusedReason, Reservation};

use super::bench::{Bench, LIMIT_REACHED, PLACED, SOLD_OUT, buyer, job, operator, wants};

pub(super) async fn what_fits_is_placed_and_the_rest_is_rejected(bench: Bench) {
    let sale = bench.open("s", &[3, 1], 5).await;
    let batch = [
        wants(&sale, 1, "ann", 0, 2),
        wants(&sale, 2, "bob", 0, 2), // more than is left
        wants(&sale, 3, "cid", 0, 1), // fits all the same
        wants(&sale, 4, "dan", 1, 1),
        wants(&sale, 5, "eve", 1, 1),
    ];
    assert_eq!(bench.outcomes(&batch).await, [PLACED, SOLD_OUT, PLACED, PLACED, SOLD_OUT]);
    assert_eq!(bench.totals(&sale).await, [(3, 0), (1, 0)]);

    let ann = bench.orders.order(job(&sale, 1), &buyer("ann")).await.unwrap().unwrap();
    assert_eq!((ann.order, ann.sale.as_str(), ann.item.unwrap().as_str()), (job(&sale, 1), "s", "a"));
    assert_eq!((ann.quantity, ann.amount.unwrap().amount), (2, 200));
    assert_eq!((ann.status, ann.reason), (OrderStatus::PendingPayment, None));
    assert_eq!((ann.expires_at.unwrap() - ann.created_at).num_seconds(), 600);
    let bob = bench.orders.order(job(&sale, 2), &buyer("bob")).await.unwrap().unwrap();
    assert_eq!((bob.status, bob.reason), (OrderStatus::Rejected, Some(RefusedReason::SoldOut)));
    assert_eq!((bob.quantity, bob.expires_at), (2, None));
}

pub(super) async fn one_two_and_a_hundred_units_are_sold_to_the_last_one(bench: Bench) {
    for (id, stock) in [("one", 1_u16), ("two", 2), ("hundred", 100)] {
        let sale = bench.open(id, &[i64::from(stock)], 1).await;
        let crowd: Vec<Reservation> =
            (0..2 * stock + 1).map(|n| wants(&sale, n, &format!("buyer-{n}"), 0, 1)).collect();
        let outcomes = bench.outcomes(&crowd).await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == PLACED).count(), usize::from(stock));
        assert_eq!(bench.totals(&sale).await, [(i64::from(stock), 0)]);
        let late = wants(&sale, 999, "late", 0, 1);
        assert_eq!(bench.outcomes(&[late]).await, [SOLD_OUT]);
    }
}

pub(super) async fn a_repeated_delivery_changes_nothing_and_sends_its_effect_again(bench: Bench) {
    let sale = bench.open("s", &[1], 1).await;
    let batch = [wants(&sale, 1, "ann", 0, 1), wants(&sale, 2, "bob", 0, 1)];
    assert_eq!(bench.outcomes(&batch).await, [PLACED, SOLD_OUT]);
    let first = bench.effects().await;
    assert_eq!(first.len(), 2);
    let announced = bench.relay_all(domain::ports::Sink::Events).await.len();
    assert_eq!(announced, 1);

    for _ in 0..2 {
        let placements = bench.place(&batch).await;
        assert!(placements.iter().all(|placement| placement.duplicate));
        assert_eq!([placements[0].outcome, placements[1].outcome], [PLACED, SOLD_OUT]);
        assert_eq!(bench.totals(&sale).await, [(1, 0)]);
        let mut again = bench.effects().await;
        again.sort_by_key(|hold| hold.job);
        assert_eq!(again, first);
        assert!(bench.relay_all(domain::ports::Sink::Events).await.is_empty(), "the world has heard of it");
    }

    // Old and new in one batch.
    let mixed = [batch[0].clone(), wants(&sale, 3, "cid", 0, 1)];
    let placements = bench.place(&mixed).await;
    assert_eq!((placements[0].duplicate, placements[0].outcome), (true, PLACED));
    assert_eq!((placements[1].duplicate, placements[1].outcome), (false, SOLD_OUT));
}

pub(super) async fn a_job_twice_in_a_batch_is_one_order(bench: Bench) {
    let sale = bench.open("s", &[10], 3).await;
    let one = wants(&sale, 1, "ann", 0, 1);
    let placements = bench.place(&[one.clone(), wants(&sale, 2, "bob", 0, 1), one]).await;
    assert!(placements.iter().all(|placement| placement.outcome == PLACED));
    assert_eq!(placements.iter().filter(|placement| placement.duplicate).count(), 1);
    assert_eq!(bench.totals(&sale).await, [(2, 0)]);
    assert_eq!(bench.orders.orders_of(&buyer("ann"), None).await.unwrap().len(), 1);
}

pub(super) async fn limits_of_one_two_and_three_count_over_all_items(bench: Bench) {
    for limit in 1..=3_u16 {
        let sale = bench.open(&format!("s{limit}"), &[50, 50, 50], limit).await;
        // One batch with one unit too many, spread over the items; each alone for somebody else.
        let wanted: Vec<Reservation> = (0..=limit).map(|n| wants(&sale, n, "ann", (n % 3) as u8, 1)).collect();
        let outcomes = bench.outcomes(&wanted).await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == PLACED).count(), usize::from(limit));
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == LIMIT_REACHED).count(), 1);
        for n in 10..=10 + limit {
            let expected = if n < 10 + limit { PLACED } else { LIMIT_REACHED };
            let one = wants(&sale, n, "bob", (n % 3) as u8, 1);
            assert_eq!(bench.outcomes(&[one]).await, [expected], "limit {limit}, job {n}");
        }
        // All at once, and nothing after that.
        assert_eq!(bench.outcomes(&[wants(&sale, 20, "cid", 2, limit)]).await, [PLACED]);
        assert_eq!(bench.outcomes(&[wants(&sale, 21, "cid", 0, 1)]).await, [LIMIT_REACHED]);
        let held: i64 = bench.totals(&sale).await.iter().map(|(held, _)| held).sum();
        assert_eq!(held, 3 * i64::from(limit));
    }
    // A smaller wish may fit where a larger one did not.
    let sale = bench.open("partly", &[50], 3).await;
    let batch = [wants(&sale, 1, "ann", 0, 2), wants(&sale, 2, "ann", 0, 2), wants(&sale, 3, "ann", 0, 1)];
    assert_eq!(bench.outcomes(&batch).await, [PLACED, LIMIT_REACHED, PLACED]);
    assert_eq!(bench.totals(&sale).await, [(3, 0)]);
}

pub(super) async fn a_limit_that_was_changed_counts_what_was_sold_before(bench: Bench) {
    let limited = |limit| domain::Patch { limit_per_buyer: Some(limit), ..domain::Patch::default() };
    let raised = bench.open("raised", &[50], 1).await;
    assert_eq!(bench.outcomes(&[wants(&raised, 1, "ann", 0, 1)]).await, [PLACED]);
    bench.sales.patch(&raised.id, &limited(2), &operator()).await.unwrap();
    assert_eq!(bench.outcomes(&[wants(&raised, 2, "ann", 0, 2)]).await, [LIMIT_REACHED]);
    assert_eq!(bench.outcomes(&[wants(&raised, 3, "ann", 0, 1)]).await, [PLACED]);
    assert_eq!(bench.outcomes(&[wants(&raised, 4, "ann", 0, 1)]).await, [LIMIT_REACHED]);

    let lowered = bench.open("lowered", &[50], 2).await;
    assert_eq!(bench.outcomes(&[wants(&lowered, 1, "ann", 0, 1)]).await, [PLACED]);
    bench.sales.patch(&lowered.id, &limited(1), &operator()).await.unwrap();
    assert_eq!(bench.outcomes(&[wants(&lowered, 2, "ann", 0, 1)]).await, [LIMIT_REACHED]);
    assert_eq!(bench.outcomes(&[wants(&lowered, 3, "bob", 0, 1)]).await, [PLACED]);
    bench.sales.patch(&lowered.id, &limited(2), &operator()).await.unwrap();
    assert_eq!(bench.outcomes(&[wants(&lowered, 4, "ann", 0, 1), wants(&lowered, 5, "bob", 0, 1)]).await, [PLACED; 2]);
    assert_eq!(bench.outcomes(&[wants(&lowered, 6, "bob", 0, 1)]).await, [LIMIT_REACHED]);
}

pub(super) async fn a_refused_buyer_takes_nothing_from_the_next(bench: Bench) {
    for limit in [1, 2] {
        let sale = bench.open(&format!("s{limit}"), &[2 * i64::from(limit)], limit).await;
        assert_eq!(bench.outcomes(&[wants(&sale, 1, "ann", 0, limit)]).await, [PLACED]);
        let batch = [wants(&sale, 2, "ann", 0, limit), wants(&sale, 3, "bob", 0, limit)];
        assert_eq!(bench.outcomes(&batch).await, [LIMIT_REACHED, PLACED], "limit {limit}");
    }
}

pub(super) async fn an_item_that_is_not_there_is_unplaceable(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let batch = [wants(&sale, 1, "ann", 9, 1), wants(&sale, 2, "bob", 0, 1)];
    let unplaceable = domain::Outcome::Refused(RefusedReason::Unplaceable);
    assert_eq!(bench.outcomes(&batch).await, [unplaceable, PLACED]);
    let row = bench.orders.order(job(&sale, 1), &buyer("ann")).await.unwrap().unwrap();
    assert_eq!((row.item, row.status), (None, OrderStatus::Rejected));
    let hold = bench.effects().await.into_iter().find(|hold| hold.job == job(&sale, 1)).unwrap();
    assert_eq!((hold.units, hold.outcome), (0, unplaceable));
}

pub(super) async fn a_sale_that_is_not_there_is_poison(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let nowhere = domain::Sale { number: domain::SaleNumber::new(9_999).unwrap(), ..sale.clone() };
    let batch = [wants(&sale, 1, "ann", 0, 1), wants(&nowhere, 2, "bob", 0, 1)];
    let error = bench.orders.place(&batch).await.unwrap_err();
    assert!(matches!(error, PlaceError::Poison(_)), "{error:?}");
    assert_eq!(bench.totals(&sale).await, [(0, 0)], "all of it or nothing");
    assert_eq!(bench.outcomes(&batch[..1]).await, [PLACED]);
}

pub(super) async fn only_the_owner_sees_an_order(bench: Bench) {
    let (one, two) = (bench.open("one", &[9], 2).await, bench.open("two", &[9], 2).await);
    for sale in [&one, &two] {
        let batch = [wants(sale, 1, "ann", 0, 1), wants(sale, 2, "bob", 0, 1)];
        assert_eq!(bench.outcomes(&batch).await, [PLACED; 2]);
    }
    assert!(bench.orders.order(job(&one, 1), &buyer("bob")).await.unwrap().is_none());
    assert!(bench.orders.order(job(&one, 7), &buyer("ann")).await.unwrap().is_none());
    assert!(bench.orders.hold(job(&one, 7)).await.unwrap().is_none());
    let hold = bench.orders.hold(job(&one, 2)).await.unwrap().unwrap();
    assert_eq!((hold.buyer, hold.rev, hold.units, hold.outcome), (Some(buyer("bob")), 1, 1, PLACED));

    let all = bench.orders.orders_of(&buyer("ann"), None).await.unwrap();
    let sales: Vec<&str> = all.iter().map(|order| order.sale.as_str()).collect();
    assert_eq!(sales, ["two", "one"], "newest first");
    let of_one = bench.orders.orders_of(&buyer("ann"), Some(&one.id)).await.unwrap();
    assert_eq!(of_one, [bench.orders.order(job(&one, 1), &buyer("ann")).await.unwrap().unwrap()]);
    assert!(bench.orders.orders_of(&buyer("cid"), None).await.unwrap().is_empty());
}

pub(super) async fn an_empty_batch_is_nothing(bench: Bench) {
    assert!(bench.orders.place(&[]).await.unwrap().is_empty());
    bench.orders.refuse(&[], RefusedReason::Discarded).await.unwrap();
    assert!(bench.effects().await.is_empty());
}
