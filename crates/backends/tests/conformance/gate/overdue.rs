//! The check index: what was admitted is watched until its effect has arrived.

use std::time::Duration;

use domain::Outcome;

use super::bench::Bench;

impl Bench {
    /// The jobs that are claimed, by number.
    async fn claimed(&self, limit: usize) -> Vec<u16> {
        let claimed = self.gate.claim_overdue(self.route, limit).await.unwrap();
        let number = |job: domain::JobId| (0..100).find(|n| self.job(*n) == job).unwrap();
        claimed.iter().map(|reservation| number(reservation.job)).collect()
    }
}

pub(super) async fn an_unconfirmed_reservation_is_overdue_after_two_seconds_and_again(bench: Bench) {
    bench.open(&[10], 3).await;
    let record = bench.buys(1, "ann", 0, 2).await;
    assert!(bench.claimed(10).await.is_empty());
    bench.pass(Duration::from_millis(1_500)).await;
    assert!(bench.claimed(10).await.is_empty());
    bench.pass(Duration::from_millis(500)).await;
    let claimed = bench.gate.claim_overdue(bench.route, 10).await.unwrap();
    assert_eq!(claimed, [record.reservation().unwrap()]);
    assert!(bench.claimed(10).await.is_empty(), "claimed is claimed");
    bench.pass(Duration::from_millis(2_000)).await;
    assert_eq!(bench.claimed(10).await, [1]);
    assert_eq!(bench.counters().await, [(8, 2, 0)], "claiming moves no units");
}

pub(super) async fn a_confirmed_reservation_is_given_thirty_seconds(bench: Bench) {
    bench.open(&[10], 3).await;
    bench.buys(1, "ann", 0, 1).await;
    bench.queued(1).await;
    bench.pass(Duration::from_millis(3_000)).await;
    assert!(bench.claimed(10).await.is_empty());
    bench.pass(Duration::from_millis(27_000)).await;
    assert_eq!(bench.claimed(10).await, [1]);
    bench.pass(Duration::from_millis(2_100)).await;
    assert!(bench.claimed(10).await.is_empty(), "the next patience is as long");
}

pub(super) async fn the_oldest_are_claimed_first_and_only_as_many_as_asked_for(bench: Bench) {
    bench.open(&[10], 1).await;
    for n in [3, 1, 2] {
        bench.buys(n, &format!("buyer-{n}"), 0, 1).await;
        bench.pass(Duration::from_millis(5)).await;
    }
    bench.pass(Duration::from_millis(2_000)).await;
    assert_eq!(bench.claimed(2).await, [3, 1]);
    assert_eq!(bench.claimed(2).await, [2]);
    assert!(bench.claimed(2).await.is_empty());
}

pub(super) async fn what_has_its_effect_is_not_watched(bench: Bench) {
    bench.open(&[10], 1).await;
    bench.buys(1, "ann", 0, 1).await;
    bench.buys(2, "bob", 0, 1).await;
    bench.hold(&[bench.effect(1, 1, "ann", 1, Outcome::Placed)]).await;
    assert_eq!(bench.ready().await.0.waiting_jobs, 1);
    bench.pass(Duration::from_millis(2_000)).await;
    assert_eq!(bench.claimed(10).await, [2]);
}
