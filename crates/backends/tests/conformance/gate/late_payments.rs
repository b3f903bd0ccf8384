//! Units of an expired order that are reserved again, for a payment that came late.

use domain::ports::{Held, JobLookup, Reserved};
use domain::{Hold, ItemIndex, JobState, Outcome, Refusal, RefusedReason, SaleState, Verdict, WarmSale};

use super::bench::{Bench, route};

pub(super) async fn an_expired_order_is_reserved_once_for_its_payment(bench: Bench) {
    bench.open(&[3], 2).await;
    bench.expired(1, "ann", 2).await;
    let expired = bench.record(1).await;
    assert_eq!(bench.counters().await, [(3, 0, 0)]);
    for _ in 0..2 {
        assert_eq!(bench.reserve(1, 2).await, Reserved::Reserved);
        assert_eq!(bench.counters().await, [(1, 0, 2)]);
    }
    let reserved = bench.record(1).await;
    assert_eq!((reserved.state, reserved.units, reserved.rev), (JobState::ReservedAgain, 2, 2));
    assert_eq!(domain::JobRecord { state: JobState::Placed, units: 0, ..reserved.clone() }, expired);

    // To everything else it is a placed order that holds its units.
    bench.is_refused(2, "ann", 0, 1, Refusal::LimitReached { limit: 2, job: bench.job(1) }).await;
    bench.is_refused(3, "bob", 0, 2, Refusal::SoldOut).await;
    assert_eq!(bench.buy(1, "ann", 0, 2).await, Verdict::Repeated(reserved.clone()));
    bench.queued(1).await;
    assert!(bench.gate.claim_overdue(bench.route, 10).await.unwrap().is_empty());
    assert_eq!(bench.ready().await.0.waiting_jobs, 0, "Postgres remembers the payment");
    assert_eq!((bench.counters().await, bench.record(1).await), (vec![(1, 0, 2)], reserved));
}

pub(super) async fn a_reservation_ends_with_the_next_revision_whatever_became_of_the_payment(bench: Bench) {
    for (sale, units, free) in [(1, 2, 1), (2, 0, 3)] {
        let bench = Bench { route: route(sale, 0), ..bench.clone() };
        bench.open(&[3], 2).await;
        bench.expired(1, "ann", 2).await;
        assert_eq!(bench.reserve(1, 2).await, Reserved::Reserved);

        // The effects of before come once more.
        let expiry = bench.effect(1, 2, "ann", 0, Outcome::Placed);
        assert_eq!(bench.hold(&[bench.effect(1, 1, "ann", 2, Outcome::Placed), expiry]).await, 0);
        assert_eq!(bench.counters().await, [(1, 0, 2)]);

        let end = bench.effect(1, 3, "ann", units, Outcome::Placed);
        for newer in [1, 0] {
            assert_eq!(bench.hold(std::slice::from_ref(&end)).await, newer);
            assert_eq!(bench.counters().await, [(free, 0, 0)], "{units} units are paid");
            // A worker that stalled asks again at the revision of before.
            assert_eq!(bench.reserve(1, 2).await, Reserved::Stale);
        }
        let record = bench.record(1).await;
        assert_eq!((record.state, record.units, record.rev), (JobState::Placed, units, 3));
        if units == 0 {
            bench.buys(2, "ann", 0, 2).await; // her allowance came back as well
        } else {
            bench.is_refused(2, "ann", 0, 1, Refusal::LimitReached { limit: 2, job: bench.job(1) }).await;
        }
    }
}

pub(super) async fn only_an_order_that_expired_at_that_revision_is_reserved(bench: Bench) {
    bench.open(&[9], 9).await;
    assert_eq!(bench.reserve(1, 1).await, Reserved::Stale, "nobody knows it");
    bench.buys(1, "ann", 0, 1).await;
    assert_eq!(bench.reserve(1, 0).await, Reserved::Stale, "unpublished");
    bench.queued(1).await;
    assert_eq!(bench.reserve(1, 0).await, Reserved::Stale, "queued");
    assert_eq!(bench.reserve(1, 2).await, Reserved::Stale, "its effects are on their way");
    bench.hold(&[bench.effect(1, 1, "ann", 1, Outcome::Placed)]).await;
    assert_eq!(bench.reserve(1, 1).await, Reserved::Stale, "live");
    bench.hold(&[bench.effect(1, 2, "ann", 0, Outcome::Placed)]).await;
    for rev in [0, 1, 3, u32::MAX] {
        assert_eq!(bench.reserve(1, rev).await, Reserved::Stale, "another revision");
    }
    assert_eq!(bench.counters().await, [(9, 0, 0)]);

    // A rejected one will never be paid.
    bench.buys(2, "bob", 0, 1).await;
    bench.hold(&[bench.effect(2, 1, "bob", 0, Outcome::Refused(RefusedReason::Discarded))]).await;
    assert_eq!(bench.reserve(2, 1).await, Reserved::Refused);
    assert_eq!(bench.counters().await, [(9, 0, 0)]);
    assert_eq!(bench.record(2).await.state, JobState::Refused(RefusedReason::Discarded));
}

pub(super) async fn nothing_is_reserved_when_sold_out_at_the_limit_or_closed(bench: Bench) {
    let rules = bench.rules(1, &[2], 2);
    bench.load(&rules, SaleState::Open).await;
    bench.expired(1, "ann", 2).await;
    let expired = bench.record(1).await;

    bench.buys(2, "bob", 0, 1).await;
    assert_eq!(bench.reserve(1, 2).await, Reserved::Refused, "one unit is left");
    assert_eq!(bench.counters().await, [(1, 1, 0)]);
    bench.hold(&[bench.effect(2, 1, "bob", 0, Outcome::Placed)]).await;
    bench.buys(3, "ann", 0, 1).await;
    bench.restock(0, 9, 1, None).await;
    assert_eq!(bench.reserve(1, 2).await, Reserved::Refused, "she holds another one");
    assert_eq!(bench.counters().await, [(8, 1, 0)]);
    bench.hold(&[bench.effect(3, 1, "ann", 0, Outcome::Placed)]).await;
    assert!(bench.gate.follow(&rules, SaleState::Closed).await.unwrap());
    assert_eq!(bench.reserve(1, 2).await, Reserved::Refused, "closed");
    assert_eq!((bench.counters().await, bench.record(1).await), (vec![(9, 0, 0)], expired));

    assert!(bench.gate.follow(&rules, SaleState::Open).await.unwrap());
    assert_eq!(bench.reserve(1, 2).await, Reserved::Reserved);
    assert!(bench.gate.follow(&rules, SaleState::Closed).await.unwrap());
    assert_eq!(bench.reserve(1, 2).await, Reserved::Reserved, "what was reserved before the end stays");
    assert_eq!(bench.counters().await, [(7, 0, 2)]);
}

pub(super) async fn neither_a_pause_nor_the_window_is_in_the_way_of_a_payment(bench: Bench) {
    let past = bench.now() - chrono::TimeDelta::seconds(1);
    for (sale, state) in [(1, SaleState::Paused), (2, SaleState::Open), (3, SaleState::Draft)] {
        let bench = Bench { route: route(sale, 0), ..bench.clone() };
        let rules = bench.rules(1, &[2], 1);
        bench.load(&rules, SaleState::Open).await;
        bench.expired(1, "ann", 1).await;
        assert!(bench.gate.follow(&WarmSale { closes_at: past, ..rules }, state).await.unwrap());
        assert_eq!(bench.reserve(1, 2).await, Reserved::Reserved, "{state:?}");
        assert_eq!(bench.counters().await, [(1, 0, 1)]);
    }
}

pub(super) async fn an_order_of_which_too_little_is_known_is_not_reserved(bench: Bench) {
    bench.open(&[9], 9).await;
    let known = Hold { quantity: 1, ..bench.effect(1, 1, "ann", 0, Outcome::Placed) };
    let holds = [
        Hold { job: bench.job(2), buyer: None, ..known.clone() },
        Hold { job: bench.job(3), item: None, ..known.clone() },
        Hold { job: bench.job(4), item: Some(ItemIndex::new(1)), ..known.clone() },
        Hold { job: bench.job(5), quantity: 0, ..known.clone() },
        known,
    ];
    assert_eq!(bench.hold(&holds).await, 5);
    for n in 2..=5 {
        assert_eq!(bench.reserve(n, 1).await, Reserved::Refused, "job {n}");
    }
    assert_eq!(bench.counters().await, [(9, 0, 0)]);
    assert_eq!(bench.reserve(1, 1).await, Reserved::Reserved);
}

pub(super) async fn nothing_is_reserved_at_a_gate_that_is_not_ready(bench: Bench) {
    assert_eq!(bench.reserve(1, 2).await, Reserved::NotReady, "never loaded");
    bench.open(&[3], 1).await;
    bench.expired(1, "ann", 1).await;
    assert_eq!(bench.reserve(1, 2).await, Reserved::Reserved);

    // The reservation is lost with the gate's data; the order is loaded as Postgres has it.
    assert!(bench.gate.begin_epoch(&bench.rules(2, &[3], 1)).await.unwrap());
    let expiry = Hold { quantity: 1, ..bench.effect(1, 2, "ann", 0, Outcome::Placed) };
    bench.hold(&[expiry]).await;
    assert_eq!(bench.reserve(1, 2).await, Reserved::NotReady, "loading");
    assert!(matches!(bench.gate.job(bench.job(1)).await.unwrap(), JobLookup::Found(record) if record.units == 0));
    assert!(bench.gate.finish_epoch(bench.route, 2, &[0]).await.unwrap());
    assert_eq!(bench.counters().await, [(3, 0, 0)]);

    // Paid all the same: the effect takes what the reservation would have kept.
    assert_eq!(bench.hold(&[bench.effect(1, 3, "ann", 1, Outcome::Placed)]).await, 1);
    assert_eq!(bench.counters().await, [(2, 0, 0)]);
    assert_eq!(bench.gate.hold(route(9, 0), &[], None).await.unwrap(), Held::NotReady);
}

pub(super) async fn ten_at_once_for_one_payment_take_its_units_once(bench: Bench) {
    bench.open(&[5], 2).await;
    bench.expired(1, "ann", 2).await;
    let workers: Vec<_> = (0..10)
        .map(|_| {
            let bench = bench.clone();
            tokio::spawn(async move { bench.reserve(1, 2).await })
        })
        .collect();
    for worker in workers {
        assert_eq!(worker.await.unwrap(), Reserved::Reserved);
    }
    assert_eq!(bench.counters().await, [(3, 0, 2)]);
}
