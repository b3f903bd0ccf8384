//! What the gate says when it has lost a sale, is being loaded, or is asked by somebody of another epoch.

use domain::ports::{Condition, Held, JobLookup};
use domain::{Outcome, Refusal, SaleState};

use super::bench::Bench;

async fn is_shut(bench: &Bench) {
    bench.is_refused(1, "ann", 0, 1, Refusal::NotReady).await;
    assert_eq!(bench.gate.job(bench.job(1)).await.unwrap(), JobLookup::NotReady);
    assert!(bench.gate.claim_overdue(bench.route, 10).await.unwrap().is_empty());
    bench.gate.mark_queued(bench.route, &[bench.job(1)]).await.unwrap();
}

pub(super) async fn a_sale_that_is_not_there_admits_nobody_and_cannot_know(bench: Bench) {
    assert_eq!(bench.gate.condition(bench.route).await.unwrap(), Condition::Missing);
    is_shut(&bench).await;
    let hold = bench.effect(1, 1, "ann", 1, Outcome::Placed);
    assert_eq!(bench.gate.hold(bench.route, &[hold], None).await.unwrap(), Held::NotReady);
    let rules = bench.rules(1, &[1], 1);
    assert!(!bench.gate.follow(&rules, SaleState::Open).await.unwrap());
    assert!(!bench.gate.finish_epoch(bench.route, 1, &[0]).await.unwrap());
    assert_eq!(bench.gate.condition(bench.route).await.unwrap(), Condition::Missing);
}

pub(super) async fn a_sale_that_is_loading_takes_holds_and_admits_nobody(bench: Bench) {
    let rules = bench.rules(7, &[5, 6], 2);
    assert!(bench.gate.begin_epoch(&rules).await.unwrap());
    assert!(bench.gate.follow(&rules, SaleState::Open).await.unwrap());
    bench.pass(std::time::Duration::from_millis(30)).await;
    let Condition::Stale { epoch: 7, loading_for_ms: Some(ms) } = bench.gate.condition(bench.route).await.unwrap()
    else {
        panic!("it is loading");
    };
    assert!((30..5_000).contains(&ms), "{ms} ms");
    is_shut(&bench).await;

    assert_eq!(bench.hold(&[bench.effect(2, 1, "bob", 2, Outcome::Placed)]).await, 1);
    assert!(matches!(bench.gate.job(bench.job(2)).await.unwrap(), JobLookup::Found(_)), "what is loaded can be read");
    let absent = bench.gate.job(bench.job(3)).await.unwrap();
    assert_eq!(absent, JobLookup::NotReady, "what is missing may still be loaded");
    assert!(bench.gate.finish_epoch(bench.route, 7, &[4, 9]).await.unwrap());
    let (counters, state) = bench.ready().await;
    assert_eq!((counters.epoch, counters.waiting_jobs, state), (7, 0, SaleState::Open));
    assert_eq!(counters.items.iter().map(|item| (item.free, item.version)).collect::<Vec<_>>(), [(3, 4), (6, 9)]);
    bench.is_refused(3, "bob", 1, 1, Refusal::LimitReached { limit: 2, job: bench.job(2) }).await;
    bench.buys(4, "ann", 1, 2).await;
}

pub(super) async fn an_epoch_begins_once_and_a_later_one_forgets_everything(bench: Bench) {
    bench.load(&bench.rules(3, &[5], 1), SaleState::Open).await;
    bench.buys(1, "ann", 0, 1).await;
    bench.buys(2, "bob", 0, 1).await;
    bench.queued(2).await;
    for epoch in [1, 2, 3] {
        assert!(!bench.gate.begin_epoch(&bench.rules(epoch, &[9], 9)).await.unwrap(), "epoch {epoch}");
        assert_eq!(bench.counters().await, [(3, 1, 1)]);
    }
    bench.load(&bench.rules(4, &[2, 1], 1), SaleState::Open).await;
    assert_eq!(bench.counters().await, [(2, 0, 0), (1, 0, 0)]);
    assert_eq!(bench.ready().await.0.waiting_jobs, 0);
    assert_eq!(bench.gate.job(bench.job(1)).await.unwrap(), JobLookup::Absent);
    bench.buys(3, "ann", 0, 1).await;

    // An epoch that is still loading is overtaken in the same way.
    assert!(bench.gate.begin_epoch(&bench.rules(5, &[2], 1)).await.unwrap());
    assert!(!bench.gate.begin_epoch(&bench.rules(5, &[3], 1)).await.unwrap());
    assert!(bench.gate.begin_epoch(&bench.rules(6, &[4], 1)).await.unwrap());
    assert!(!bench.gate.finish_epoch(bench.route, 5, &[0]).await.unwrap());
    assert!(bench.gate.finish_epoch(bench.route, 6, &[0]).await.unwrap());
    assert_eq!(bench.counters().await, [(4, 0, 0)]);
    assert_eq!(bench.ready().await.1, SaleState::Draft, "nobody has said that it is open");
}

pub(super) async fn an_older_epoch_can_neither_finish_nor_lead(bench: Bench) {
    bench.load(&bench.rules(2, &[5], 1), SaleState::Open).await;
    let before = bench.ready().await;
    for epoch in [1, 3] {
        assert!(!bench.gate.follow(&bench.rules(epoch, &[5], 9), SaleState::Closed).await.unwrap());
        assert!(!bench.gate.finish_epoch(bench.route, epoch, &[99]).await.unwrap());
    }
    let after = bench.ready().await;
    assert_eq!((after.0.items, after.1), (before.0.items, before.1));
    bench.is_refused(1, "ann", 0, 2, Refusal::QuantityAboveLimit { limit: 1 }).await;

    // Its holds count all the same: an effect is true in every epoch.
    assert_eq!(bench.hold(&[bench.effect(1, 1, "ann", 1, Outcome::Placed)]).await, 1);
    assert_eq!(bench.counters().await, [(4, 0, 0)]);
}

pub(super) async fn what_was_accepted_before_a_loss_is_not_denied_while_it_may_be_on_its_way(bench: Bench) {
    bench.load(&bench.rules(1, &[1], 1), SaleState::Open).await;
    bench.buys(1, "ann", 0, 1).await;
    let reloaded = domain::WarmSale { reloaded: true, ..bench.rules(2, &[1], 1) };
    bench.load(&reloaded, SaleState::Open).await;
    bench.pass(domain::ports::LEASE.to_std().unwrap()).await; // and nobody is admitted before

    // Somebody else takes the unit; whether job 1 was accepted before the loss cannot be said yet.
    bench.buys(2, "bob", 0, 1).await;
    bench.is_refused(1, "ann", 0, 1, Refusal::NotReady).await;
    assert_eq!(bench.gate.job(bench.job(1)).await.unwrap(), JobLookup::NotReady);

    // After a while nothing can be on its way any more.
    bench.pass((domain::SETTLING + chrono::TimeDelta::milliseconds(100)).to_std().unwrap()).await;
    bench.is_refused(1, "ann", 0, 1, Refusal::SoldOut).await;
    assert_eq!(bench.gate.job(bench.job(1)).await.unwrap(), JobLookup::Absent);
}
