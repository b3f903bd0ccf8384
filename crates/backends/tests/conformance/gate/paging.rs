//! All records of a sale, page by page.

use domain::ports::HOLD_MAX;
use domain::{Hold, JobId, JobRecord, Outcome, SaleState};

use super::bench::{Bench, route};

async fn pages(bench: &Bench, limit: usize) -> Vec<Vec<JobRecord>> {
    let (mut pages, mut from) = (Vec::new(), 0);
    loop {
        let page = bench.gate.records(bench.route, from, limit).await.unwrap().unwrap();
        pages.push(page.records);
        match page.next {
            Some(next) => from = next,
            None => return pages,
        }
    }
}

pub(super) async fn every_record_is_on_some_page(bench: Bench) {
    const JOBS: u16 = 3_000;
    bench.open(&[10_000], 1).await;
    assert_eq!(pages(&bench, 10).await, [[]], "nobody has bought anything");
    bench.buys(0, "ann", 0, 1).await;
    assert_eq!(pages(&bench, 10).await, [[bench.record(0).await]]);
    let holds: Vec<Hold> = (1..JOBS).map(|n| bench.effect(n, 1, &format!("buyer-{n}"), 1, Outcome::Placed)).collect();
    for some in holds.chunks(HOLD_MAX) {
        assert_eq!(bench.hold(some).await, some.len());
    }
    for limit in [0, 100, 1_000, usize::MAX] {
        let pages = pages(&bench, limit).await;
        // A server may answer more than was asked for, but not everything.
        assert!(pages.iter().all(|page| page.len() <= limit.clamp(1, 1_000) + 500), "{limit}");
        assert!(pages.len() > 2, "{} pages of {limit}", pages.len());
        let mut jobs: Vec<JobId> = pages.iter().flatten().map(|record| record.job).collect();
        jobs.sort();
        jobs.dedup();
        assert_eq!(jobs, (0..JOBS).map(|n| bench.job(n)).collect::<Vec<_>>(), "{limit}");
    }
    let one = pages(&bench, 100).await.concat().into_iter().find(|record| record.job == bench.job(77)).unwrap();
    assert_eq!(one, bench.record(77).await);
    assert_eq!(bench.gate.records(route(2, 0), 0, 1).await.unwrap(), None, "another sale");
}

pub(super) async fn a_gate_that_is_not_ready_shows_no_page(bench: Bench) {
    assert_eq!(bench.gate.records(bench.route, 0, 10).await.unwrap(), None, "never loaded");
    let rules = bench.rules(1, &[1], 1);
    assert!(bench.gate.begin_epoch(&rules).await.unwrap());
    assert!(bench.gate.follow(&rules, SaleState::Open).await.unwrap());
    bench.hold(&[bench.effect(1, 1, "ann", 1, Outcome::Placed)]).await;
    assert_eq!(bench.gate.records(bench.route, 0, 10).await.unwrap(), None, "loading");
    assert!(bench.gate.finish_epoch(bench.route, 1, &[0]).await.unwrap());
    assert_eq!(pages(&bench, 10).await, [[bench.record(1).await]]);
    assert!(bench.gate.begin_epoch(&bench.rules(2, &[1], 1)).await.unwrap());
    assert_eq!(bench.gate.records(bench.route, 0, 10).await.unwrap(), None, "loading again");
}
