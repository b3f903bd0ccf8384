//! The sold-out lease: while it lasts nobody is admitted, and after it everything goes on.

use std::time::Duration;

use domain::ports::{JobLookup, LEASE, Lease, Leased, Reserved};
use domain::{Admissible, Attempt, Outcome, Refusal, SaleState, Verdict, WarmSale};

use super::bench::Bench;

const A_MOMENT: Duration = Duration::from_millis(100);

async fn lease(bench: &Bench) -> Leased {
    bench.gate.lease(bench.route).await.unwrap()
}

async fn granted(bench: &Bench) -> Lease {
    match lease(bench).await {
        Leased::Granted(lease) => lease,
        other => panic!("no lease: {other:?}"),
    }
}

async fn outlast(bench: &Bench) {
    bench.pass(LEASE.to_std().unwrap() + A_MOMENT).await;
}

pub(super) async fn a_lease_is_for_an_open_sale_of_which_nothing_is_free(bench: Bench) {
    assert_eq!(lease(&bench).await, Leased::NotReady, "no sale");
    let rules = bench.rules(1, &[1, 1], 1);
    assert!(bench.gate.begin_epoch(&rules).await.unwrap());
    assert_eq!(lease(&bench).await, Leased::NotReady, "loading");
    assert!(bench.gate.finish_epoch(bench.route, 1, &[0, 0]).await.unwrap());
    assert!(bench.gate.follow(&rules, SaleState::Open).await.unwrap());
    bench.buys(1, "ann", 0, 1).await;
    assert_eq!(lease(&bench).await, Leased::Refused, "the other item is free");
    bench.buys(2, "bob", 1, 1).await;
    let known = granted(&bench).await;
    assert_eq!((known.epoch, known.jobs, known.reloaded_at, known.limit_per_buyer), (1, 2, None, 1));
    assert_eq!(known.closes_at.timestamp_millis(), rules.closes_at.timestamp_millis());
    // More than the stock is a debt: nothing is free then either.
    bench.hold(&[bench.effect(3, 1, "cid", 1, Outcome::Placed)]).await;
    assert_eq!(granted(&bench).await.jobs, 3);
    for state in [SaleState::Paused, SaleState::Draft, SaleState::Closed] {
        assert!(bench.gate.follow(&rules, state).await.unwrap());
        assert_eq!(lease(&bench).await, Leased::Refused, "{state:?}");
    }
    let over = WarmSale { closes_at: bench.now() - chrono::TimeDelta::seconds(1), ..rules };
    assert!(bench.gate.follow(&over, SaleState::Open).await.unwrap());
    assert_eq!(lease(&bench).await, Leased::Refused, "over");
}

pub(super) async fn a_unit_that_comes_back_during_a_lease_is_sold_when_it_has_run_out(bench: Bench) {
    bench.open(&[1], 1).await;
    bench.buys(1, "ann", 0, 1).await;
    granted(&bench).await;
    let back = [bench.effect(1, 1, "ann", 1, Outcome::Placed), bench.effect(1, 2, "ann", 0, Outcome::Placed)];
    assert_eq!(bench.hold(&back).await, 2);
    assert_eq!(bench.counters().await, [(1, 0, 0)], "it is free at once");
    assert_eq!(lease(&bench).await, Leased::Refused, "no new lease while it is");
    bench.is_refused(2, "bob", 0, 1, Refusal::SoldOut).await;
    assert!(matches!(bench.buy(1, "ann", 0, 1).await, Verdict::Repeated(_)), "what was admitted is answered");
    bench.is_refused(3, "bob", 0, 2, Refusal::QuantityAboveLimit { limit: 1 }).await;
    outlast(&bench).await;
    bench.buys(2, "bob", 0, 1).await;
    assert_eq!(granted(&bench).await.jobs, 2);
}

pub(super) async fn a_late_payment_takes_its_unit_during_a_lease(bench: Bench) {
    bench.open(&[1], 1).await;
    bench.expired(1, "ann", 1).await;
    bench.buys(2, "bob", 0, 1).await;
    granted(&bench).await;
    bench.hold(&[bench.effect(2, 1, "bob", 0, Outcome::Placed)]).await;
    assert_eq!(bench.reserve(1, 2).await, Reserved::Reserved);
    assert_eq!(bench.counters().await, [(0, 0, 1)]);
    assert_eq!(granted(&bench).await.jobs, 2, "it is no new job");
}

pub(super) async fn a_sale_that_is_loaded_again_waits_for_the_leases_of_before(bench: Bench) {
    bench.load(&bench.rules(1, &[0], 1), SaleState::Open).await;
    granted(&bench).await;
    let again = WarmSale { reloaded: true, ..bench.rules(2, &[1], 1) };
    bench.load(&again, SaleState::Open).await;
    bench.is_refused(1, "ann", 0, 1, Refusal::NotReady).await;
    assert_eq!(bench.gate.job(bench.job(1)).await.unwrap(), JobLookup::NotReady);
    outlast(&bench).await;
    bench.buys(1, "ann", 0, 1).await;
    let known = granted(&bench).await;
    assert!(!known.is_after_any_loss(bench.job(9)), "issued before the loss: an earlier epoch may have accepted it");
    let later = domain::JobId::new((bench.now().timestamp_millis() + 5_000).unsigned_abs(), bench.route, [1; 6]);
    assert!(known.is_after_any_loss(later));
}

pub(super) async fn a_backlog_admits_nobody_and_answers_whoever_was_admitted(bench: Bench) {
    bench.open(&[5], 1).await;
    assert_eq!(bench.ready().await.0.waiting_ms, 0);
    bench.buys(1, "ann", 0, 1).await;
    bench.pass(A_MOMENT).await;
    let waited = bench.ready().await.0.waiting_ms;
    assert!((100..30_000).contains(&waited), "{waited} ms");
    let pressed = |n, buyer| Attempt { admissible: Admissible::Backlog, ..bench.attempt(n, buyer, 0, 1) };
    assert_eq!(bench.ask(&pressed(2, "bob")).await, Verdict::Refused(Refusal::Backlog));
    assert!(matches!(bench.ask(&pressed(1, "ann")).await, Verdict::Repeated(_)));
    assert_eq!(bench.counters().await, [(4, 1, 0)]);
    // One that hangs says nothing: the middle one counts.
    bench.buys(3, "cid", 0, 1).await;
    bench.buys(4, "dan", 0, 1).await;
    let middle = i64::try_from(bench.ready().await.0.waiting_ms).unwrap();
    let first = (bench.now() - bench.record(1).await.admitted_at).num_milliseconds();
    assert!(middle + 100 <= first, "the middle one has waited {middle} ms, the first {first} ms");
}
