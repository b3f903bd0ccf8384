//! From a publish to its acknowledgement.

use std::collections::BTreeSet;

use domain::ports::{DeliveryTag, OutboxRow};
use domain::{JobId, decode_group};

use super::bench::{Bench, group, is_quiet, reservation, shard, tags, take};
use crate::support::eventually;

pub(super) async fn what_is_published_arrives_once_in_order_and_as_it_was(bench: Bench) {
    assert!(bench.queue.is_open());
    bench.health.check().await.unwrap();
    let groups = [group(0..3), group(3..4), group(4..68)];
    for group in &groups {
        bench.publish(group).await;
    }
    let mut lane = bench.first_lane();
    let deliveries = take(&mut lane, 3).await;
    for (delivery, group) in deliveries.iter().zip(&groups) {
        assert_eq!(decode_group(&delivery.body).unwrap(), *group);
        assert_eq!(delivery.jobs, group.iter().map(|one| one.job).collect::<Vec<JobId>>());
        assert!(!delivery.redelivered);
    }
    let ids: BTreeSet<_> = deliveries.iter().map(|delivery| &delivery.message_id).collect();
    assert_eq!(ids.len(), 3, "a message id is its own");

    lane.ack(&tags(&deliveries)).await.unwrap();
    is_quiet(&mut lane).await;
    drop(lane);
    is_quiet(&mut bench.first_lane()).await;
}

pub(super) async fn a_lane_waits_for_the_first_and_takes_what_has_arrived(bench: Bench) {
    let mut lane = bench.first_lane();
    let waiting = tokio::spawn(async move {
        let taken = take(&mut lane, 1).await;
        (lane, taken)
    });
    bench.publish(&group(0..1)).await;
    let (mut lane, first) = waiting.await.unwrap();
    lane.ack(&tags(&first)).await.unwrap();

    for n in 0..5 {
        bench.publish(&group(10 * n..10 * n + 10)).await;
    }
    let mut seen = Vec::new();
    while seen.len() < 50 {
        let taken = lane.take(25).await.unwrap();
        let jobs: Vec<JobId> = taken.iter().flat_map(|delivery| delivery.jobs.clone()).collect();
        assert!((1..=34).contains(&jobs.len()), "at most 25, or the message that reaches them: {}", jobs.len());
        seen.extend(jobs);
        lane.ack(&tags(&taken)).await.unwrap();
    }
    assert_eq!(seen, group(0..50).iter().map(|one| one.job).collect::<Vec<_>>());
}

pub(super) async fn what_was_not_acknowledged_comes_again(bench: Bench) {
    for n in 0..4 {
        bench.publish(&group(n..n + 1)).await;
    }
    let mut lane = bench.first_lane();
    let taken = take(&mut lane, 4).await;
    lane.ack(&[taken[2].tag]).await.unwrap();
    drop(lane);

    let mut lane = bench.first_lane();
    let again = take(&mut lane, 3).await;
    for (delivery, before) in again.iter().zip([&taken[0], &taken[1], &taken[3]]) {
        assert!(delivery.redelivered);
        assert_eq!((&delivery.message_id, &delivery.body), (&before.message_id, &before.body));
    }
    lane.ack(&tags(&again)).await.unwrap();
    is_quiet(&mut lane).await;
}

pub(super) async fn one_consumer_at_a_time_and_the_next_takes_over(bench: Bench) {
    let (mut first, mut second) = (bench.first_lane(), bench.first_lane());
    bench.publish(&group(0..1)).await;
    let taken = take(&mut first, 1).await;
    is_quiet(&mut second).await;
    bench.publish(&group(1..2)).await;
    is_quiet(&mut second).await;
    first.ack(&tags(&taken)).await.unwrap();
    drop(first);
    let taken = take(&mut second, 1).await;
    assert_eq!(decode_group(&taken[0].body).unwrap(), group(1..2));
    second.ack(&tags(&taken)).await.unwrap();
}

pub(super) async fn tags_that_mean_nothing_are_ignored(bench: Bench) {
    bench.publish(&group(0..1)).await;
    bench.publish(&group(1..2)).await;
    let mut lane = bench.first_lane();
    let stale = tags(&take(&mut lane, 2).await);
    drop(lane);

    let mut lane = bench.first_lane();
    lane.ack(&stale).await.unwrap();
    let taken = take(&mut lane, 2).await;
    let older = DeliveryTag { generation: taken[0].tag.generation - 1, tag: taken[0].tag.tag };
    let unknown = DeliveryTag { tag: taken[1].tag.tag + 1_000, ..taken[1].tag };
    lane.ack(&[older, unknown]).await.unwrap();
    lane.ack(&tags(&taken[..1])).await.unwrap();
    lane.ack(&tags(&taken[..1])).await.unwrap(); // twice
    lane.ack(&[]).await.unwrap();
    drop(lane);

    let mut lane = bench.first_lane();
    let left = take(&mut lane, 1).await;
    assert_eq!(left[0].message_id, taken[1].message_id);
    lane.ack(&tags(&left)).await.unwrap();
    is_quiet(&mut lane).await;
}

pub(super) async fn shards_have_lanes_of_their_own(bench: Bench) {
    let theirs = [reservation(shard(1), 7)];
    bench.queue.publish(shard(1), &theirs).await.unwrap();
    is_quiet(&mut bench.first_lane()).await;
    let mut lane = (bench.lane)(shard(1));
    let taken = take(&mut lane, 1).await;
    assert_eq!(decode_group(&taken[0].body).unwrap(), theirs);
    lane.ack(&tags(&taken)).await.unwrap();
}

pub(super) async fn the_depth_is_what_waits(bench: Bench) {
    assert_eq!(bench.queue.depth().await.unwrap(), 0);
    for n in 0..5 {
        bench.publish(&group(n..n + 1)).await;
    }
    bench.queue.publish(shard(1), &[reservation(shard(1), 9)]).await.unwrap();
    eventually("six wait", || async { bench.queue.depth().await.unwrap() == 6 }).await;
    for (lane, messages) in [(0, 5), (1, 1)] {
        let mut lane = (bench.lane)(shard(lane));
        let taken = take(&mut lane, messages).await;
        lane.ack(&tags(&taken)).await.unwrap();
    }
    eventually("none wait", || async { bench.queue.depth().await.unwrap() == 0 }).await;
}

pub(super) async fn consumers_are_counted_where_they_are_fewest(bench: Bench) {
    assert_eq!(bench.queue.consumers().await.unwrap(), 0);
    let mut lanes = Vec::new();
    for (to, count) in [(0, 1), (0, 2), (1, 1)] {
        // A lane is there once it has been asked; the second of a shard waits for the first to go.
        for _ in 0..count {
            bench.queue.publish(shard(to), &[reservation(shard(to), 1)]).await.unwrap();
        }
        let mut lane = (bench.lane)(shard(to));
        let asked = tokio::time::timeout(std::time::Duration::from_secs(1), lane.take(1)).await;
        assert_eq!(asked.is_ok(), count == 1);
        lanes.push(lane);
    }
    eventually("one each", || async { bench.queue.consumers().await.unwrap() == 1 }).await;
    drop(lanes.split_off(1));
    drop(lanes);
    eventually("nobody", || async { bench.queue.consumers().await.unwrap() == 0 }).await;
}

pub(super) async fn a_thousand_publishes_at_once_all_arrive(bench: Bench) {
    let publishes: Vec<_> = (0..1_000)
        .map(|n| {
            let bench = bench.clone();
            tokio::spawn(async move { bench.publish(&group(n..n + 1)).await })
        })
        .collect();
    for publish in publishes {
        publish.await.unwrap();
    }
    let mut lane = bench.first_lane();
    let mut jobs = BTreeSet::new();
    while jobs.len() < 1_000 {
        let taken = lane.take(300).await.unwrap();
        for delivery in &taken {
            assert!(!delivery.redelivered);
            assert!(delivery.jobs.iter().all(|job| jobs.insert(*job)), "once is enough");
        }
        lane.ack(&tags(&taken)).await.unwrap();
    }
    is_quiet(&mut lane).await;
}

pub(super) async fn announcements_are_taken_in_order(bench: Bench) {
    let row = |id| OutboxRow {
        id,
        route: group(0..1)[0].job.route(),
        sale: "sale.1".parse().unwrap(),
        version: None,
        body: format!("{{\"schema\":1,\"id\":{id}}}"),
    };
    assert_eq!(bench.bus.announce(&[]).await.unwrap(), 0);
    let rows: Vec<OutboxRow> = (1..=50).map(row).collect();
    assert_eq!(bench.bus.announce(&rows).await.unwrap(), 50, "nobody has to listen");
}
