//! What could not be read or placed, and what operators do about it.

use domain::ports::{DeadLetter, Lane};
use domain::{JobId, decode_group};

use super::bench::{Bench, group, is_quiet, tags, take};
use crate::support::eventually;

impl Bench {
    /// Brings each group to the dead letters, one message each; answers the message ids.
    async fn bury(&self, lane: &mut Box<dyn Lane>, numbers: std::ops::Range<u16>) -> Vec<String> {
        let count = usize::from(numbers.end - numbers.start);
        for n in numbers {
            self.publish(&group(n..n + 1)).await;
        }
        let taken = take(lane, count).await;
        for delivery in &taken {
            lane.dead_letter(delivery, "cannot be placed: no such item").await.unwrap();
        }
        lane.ack(&tags(&taken)).await.unwrap();
        self.listed(count).await;
        taken.into_iter().map(|delivery| delivery.message_id).collect()
    }

    /// The dead letters, once there are so many.
    async fn listed(&self, count: usize) -> Vec<DeadLetter> {
        eventually(&format!("{count} dead letters"), || async { self.dead.list(100).await.unwrap().len() == count })
            .await;
        self.dead.list(100).await.unwrap()
    }
}

fn ids(letters: &[DeadLetter]) -> Vec<&str> {
    letters.iter().map(|letter| letter.message_id.as_str()).collect()
}

pub(super) async fn a_dead_letter_stays_until_an_operator_decides(bench: Bench) {
    assert!(bench.dead.list(10).await.unwrap().is_empty());
    let mut lane = bench.first_lane();
    let buried = bench.bury(&mut lane, 0..3).await;
    for _ in 0..2 {
        let letters = bench.listed(3).await;
        assert_eq!(ids(&letters), buried, "oldest first");
        for (letter, n) in letters.iter().zip(0..) {
            assert_eq!(letter.why, "cannot be placed: no such item");
            assert_eq!(letter.jobs, group(n..n + 1).iter().map(|one| one.job).collect::<Vec<JobId>>());
            assert_eq!(decode_group(&letter.body).unwrap(), group(n..n + 1));
        }
    }
    assert_eq!(ids(&bench.dead.list(2).await.unwrap()), buried[..2]);
    assert!(bench.dead.list(0).await.unwrap().is_empty());
    is_quiet(&mut lane).await;
}

pub(super) async fn a_replayed_dead_letter_goes_back_to_its_lane(bench: Bench) {
    let mut lane = bench.first_lane();
    let buried = bench.bury(&mut lane, 0..3).await;
    assert_eq!(bench.dead.replay(Some("nobody")).await.unwrap(), 0);
    assert_eq!(bench.dead.replay(Some(&buried[1])).await.unwrap(), 1);
    let taken = take(&mut lane, 1).await;
    assert_eq!(decode_group(&taken[0].body).unwrap(), group(1..2));
    assert_eq!(taken[0].jobs, [group(1..2)[0].job]);
    lane.ack(&tags(&taken)).await.unwrap();
    assert_eq!(ids(&bench.listed(2).await), [buried[0].as_str(), &buried[2]]);
}

pub(super) async fn a_discarded_dead_letter_is_gone(bench: Bench) {
    let mut lane = bench.first_lane();
    let buried = bench.bury(&mut lane, 0..3).await;
    assert!(bench.dead.discard(Some("nobody")).await.unwrap().is_empty());
    let discarded = bench.dead.discard(Some(&buried[0])).await.unwrap();
    assert_eq!(ids(&discarded), buried[..1]);
    assert_eq!(discarded[0].jobs, [group(0..1)[0].job]);
    assert_eq!(ids(&bench.listed(2).await), buried[1..]);
    is_quiet(&mut lane).await;
}

pub(super) async fn every_dead_letter_can_be_chosen_at_once(bench: Bench) {
    let mut lane = bench.first_lane();
    bench.bury(&mut lane, 0..4).await;
    assert_eq!(bench.dead.replay(None).await.unwrap(), 4);
    let taken = take(&mut lane, 4).await;
    let jobs: Vec<JobId> = taken.iter().flat_map(|delivery| delivery.jobs.clone()).collect();
    assert_eq!(jobs, group(0..4).iter().map(|one| one.job).collect::<Vec<_>>());
    lane.ack(&tags(&taken)).await.unwrap();
    bench.listed(0).await;

    let buried = bench.bury(&mut lane, 4..6).await;
    assert_eq!(ids(&bench.dead.discard(None).await.unwrap()), buried);
    bench.listed(0).await;
    assert_eq!(bench.dead.replay(None).await.unwrap(), 0);
}
