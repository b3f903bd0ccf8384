//! What could not be read or placed, and what operators do about it.

use domain::ports::{DeadLetter, Lane, LetterFilter};
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
        eventually(&format!("{count} dead letters"), || async {
            self.dead.list(&all(), 100).await.unwrap().len() == count
        })
        .await;
        self.dead.list(&all(), 100).await.unwrap()
    }
}

fn all() -> LetterFilter {
    LetterFilter::default()
}

fn with_id(id: &str) -> LetterFilter {
    LetterFilter { message_ids: vec![id.to_owned()], ..all() }
}

fn ids(letters: &[DeadLetter]) -> Vec<&str> {
    letters.iter().map(|letter| letter.message_id.as_str()).collect()
}

pub(super) async fn a_dead_letter_stays_until_an_operator_decides(bench: Bench) {
    assert!(bench.dead.list(&all(), 10).await.unwrap().is_empty());
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
    assert_eq!(ids(&bench.dead.list(&all(), 2).await.unwrap()), buried[..2]);
    assert!(bench.dead.list(&all(), 0).await.unwrap().is_empty());
    is_quiet(&mut lane).await;
}

pub(super) async fn a_replayed_dead_letter_goes_back_to_its_lane(bench: Bench) {
    let mut lane = bench.first_lane();
    let buried = bench.bury(&mut lane, 0..3).await;
    assert_eq!(bench.dead.replay(&with_id("nobody")).await.unwrap(), 0);
    assert_eq!(bench.dead.replay(&with_id(&buried[1])).await.unwrap(), 1);
    let taken = take(&mut lane, 1).await;
    assert_eq!(decode_group(&taken[0].body).unwrap(), group(1..2));
    assert_eq!(taken[0].jobs, [group(1..2)[0].job]);
    lane.ack(&tags(&taken)).await.unwrap();
    assert_eq!(ids(&bench.listed(2).await), [buried[0].as_str(), &buried[2]]);
}

pub(super) async fn a_discarded_dead_letter_is_gone(bench: Bench) {
    let mut lane = bench.first_lane();
    let buried = bench.bury(&mut lane, 0..3).await;
    assert_eq!(bench.dead.discard(&with_id("nobody")).await.unwrap(), 0);
    assert_eq!(bench.dead.discard(&with_id(&buried[0])).await.unwrap(), 1);
    assert_eq!(ids(&bench.listed(2).await), buried[1..]);
    is_quiet(&mut lane).await;
}

pub(super) async fn every_dead_letter_can_be_chosen_at_once(bench: Bench) {
    let mut lane = bench.first_lane();
    bench.bury(&mut lane, 0..4).await;
    assert_eq!(bench.dead.replay(&all()).await.unwrap(), 4);
    let taken = take(&mut lane, 4).await;
    let jobs: Vec<JobId> = taken.iter().flat_map(|delivery| delivery.jobs.clone()).collect();
    assert_eq!(jobs, group(0..4).iter().map(|one| one.job).collect::<Vec<_>>());
    lane.ack(&tags(&taken)).await.unwrap();
    bench.listed(0).await;

    bench.bury(&mut lane, 4..6).await;
    assert_eq!(bench.dead.discard(&all()).await.unwrap(), 2);
    bench.listed(0).await;
    assert_eq!(bench.dead.replay(&all()).await.unwrap(), 0);
}

pub(super) async fn dead_letters_are_chosen_by_sale_job_and_reason(bench: Bench) {
    let mut lane = bench.first_lane();
    let buried = bench.bury(&mut lane, 0..3).await;
    let one = group(1..2)[0].job;
    let chosen = async |filter: LetterFilter| ids(&bench.dead.list(&filter, 10).await.unwrap()).join(" ");
    assert_eq!(chosen(LetterFilter { job: Some(one), ..all() }).await, buried[1]);
    assert_eq!(chosen(LetterFilter { sale: Some(one.route().sale), ..all() }).await, buried.join(" "));
    assert_eq!(chosen(LetterFilter { sale: domain::SaleNumber::new(999_999), ..all() }).await, "");
    assert_eq!(chosen(LetterFilter { why: Some("no such item".to_owned()), ..all() }).await, buried.join(" "));
    assert_eq!(chosen(LetterFilter { why: Some("another".to_owned()), ..all() }).await, "");
    let both = LetterFilter { job: Some(one), why: Some("no such".to_owned()), ..all() };
    assert_eq!(bench.dead.discard(&both).await.unwrap(), 1);
    assert_eq!(ids(&bench.listed(2).await), [buried[0].as_str(), &buried[2]]);
}
