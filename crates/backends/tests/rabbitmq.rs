//! The RabbitMQ backend against a real broker at `AMQP_URL`, behind a proxy that can cut the line. Every test has a
//! namespace of its own and removes it.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "rabbitmq/support.rs"]
mod support;

use std::time::Duration;

use backends::rabbitmq::RabbitMq;
use domain::ports::{DeadLetters, Delivery, DeliveryTag, EventBus, Health, LetterFilter, Outage, OutboxRow, Queue};
use domain::{Route, SaleNumber, Shard, decode_group};
use futures_util::future::join_all;
use lapin::options::{BasicGetOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};

use support::{Bench, Way, eventually, job, nothing_comes, reservation, shard, take_all};

fn tags(deliveries: &[Delivery]) -> Vec<DeliveryTag> {
    deliveries.iter().map(|one| one.tag).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_taken_in_order_and_gone_when_acknowledged() {
    let bench = Bench::start(1).await;
    let mut lane = bench.rabbit.lane(shard());
    for n in 0..5 {
        bench.rabbit.publish(shard(), &[reservation(2 * n), reservation(2 * n + 1)]).await.unwrap();
    }
    let taken = take_all(&mut lane, 5).await;
    let read: Vec<_> = taken.iter().flat_map(|one| decode_group(&one.body).unwrap()).collect();
    assert_eq!(read, (0..10).map(reservation).collect::<Vec<_>>());
    assert!(taken.iter().all(|one| !one.redelivered && one.jobs.len() == 2 && one.message_id.len() == 36));
    assert_eq!(taken[1].jobs, [job(2, shard()), job(3, shard())]);

    // Out of order, and one of them twice: the broker must not be asked for a tag it no longer knows.
    lane.ack(&[taken[4].tag, taken[1].tag]).await.unwrap();
    lane.ack(&tags(&taken)).await.unwrap();
    nothing_comes(&mut lane).await;
    drop(lane);
    nothing_comes(&mut bench.rabbit.lane(shard())).await;
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn take_stops_at_about_as_many_reservations_as_asked_for() {
    let bench = Bench::start(1).await;
    for n in 0..6 {
        bench.rabbit.publish(shard(), &[reservation(2 * n), reservation(2 * n + 1)]).await.unwrap();
    }
    let mut lane = bench.rabbit.lane(shard());
    let mut taken = lane.take(3).await.unwrap();
    assert!(taken.len() <= 2);
    // Let the rest arrive, so that only the limit can end the next one.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let second = lane.take(3).await.unwrap();
    assert_eq!(second.len(), 2);
    taken.extend(second);
    let missing = 6 - taken.len();
    taken.extend(take_all(&mut lane, missing).await);
    lane.ack(&tags(&taken)).await.unwrap();
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_publishes_at_once_are_all_confirmed_and_all_arrive_once() {
    let bench = Bench::start(1).await;
    let groups: Vec<_> = (0..1_000).map(|n| [reservation(n)]).collect();
    let confirmed = join_all(groups.iter().map(|group| bench.rabbit.publish(shard(), group))).await;
    assert!(confirmed.iter().all(Result::is_ok), "{:?}", confirmed.iter().find(|one| one.is_err()));
    bench.depth_becomes(1_000).await;

    let mut lane = bench.rabbit.lane(shard());
    let mut jobs = Vec::new();
    while jobs.len() < 1_000 {
        let taken = take_all(&mut lane, 1).await;
        jobs.extend(taken.iter().flat_map(|one| one.jobs.clone()));
        lane.ack(&tags(&taken)).await.unwrap();
    }
    jobs.sort();
    assert_eq!(jobs, (0..1_000).map(|n| job(n, shard())).collect::<Vec<_>>());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_acknowledged_comes_again_after_the_lane_is_dropped() {
    let bench = Bench::start(1).await;
    for n in 0..3 {
        bench.rabbit.publish(shard(), &[reservation(n)]).await.unwrap();
    }
    let mut lane = bench.rabbit.lane(shard());
    let taken = take_all(&mut lane, 3).await;
    lane.ack(&[taken[1].tag]).await.unwrap();
    drop(lane);

    let mut lane = bench.rabbit.lane(shard());
    let again = take_all(&mut lane, 2).await;
    assert!(again.iter().all(|one| one.redelivered));
    let jobs: Vec<_> = again.iter().flat_map(|one| one.jobs.clone()).collect();
    assert_eq!(jobs, [job(0, shard()), job(2, shard())]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_consumer_of_a_lane_is_active() {
    let bench = Bench::start(1).await;
    let (mut first, mut second) = (bench.rabbit.lane(shard()), bench.rabbit.lane(shard()));
    bench.rabbit.publish(shard(), &[reservation(1)]).await.unwrap();
    let taken = take_all(&mut first, 1).await;
    nothing_comes(&mut second).await;
    bench.rabbit.publish(shard(), &[reservation(2)]).await.unwrap();
    nothing_comes(&mut second).await;
    first.ack(&tags(&taken)).await.unwrap();
    drop(first);
    assert_eq!(take_all(&mut second, 1).await[0].jobs, [job(2, shard())]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_body_passes_through_with_the_jobs_of_its_header() {
    let bench = Bench::start(1).await;
    let mut headers = FieldTable::default();
    let jobs = format!("{},{}", job(1, shard()), job(2, shard()));
    headers.insert("jobs".into(), AMQPValue::LongString(jobs.into()));
    let properties = lapin::BasicProperties::default().with_headers(headers).with_message_id("odd".into());
    let exchange = format!("{}.orders", bench.namespace);
    let publish = bench.channel().await;
    publish
        .basic_publish(exchange.into(), "0".into(), BasicPublishOptions::default(), b"\x01{nonsense", properties)
        .await
        .unwrap();
    let mut lane = bench.rabbit.lane(shard());
    let taken = take_all(&mut lane, 1).await;
    assert!(decode_group(&taken[0].body).is_err());
    assert_eq!(taken[0].jobs, [job(1, shard()), job(2, shard())]);
    assert_eq!(taken[0].message_id, "odd");
    bench.end().await;
}

/// Two dead letters, `a` and `b`, of lane 1.
async fn two_dead_letters(rabbit: &RabbitMq) {
    let lane_one = Shard::new(1).unwrap();
    let mut lane = rabbit.lane(lane_one);
    for (n, id) in [(1, "a"), (2, "b")] {
        let delivery = Delivery {
            tag: DeliveryTag { generation: 1, tag: 1 },
            redelivered: true,
            message_id: id.into(),
            body: vec![n as u8],
            jobs: vec![job(n, lane_one)],
        };
        lane.dead_letter(&delivery, &format!("reason {n}")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_can_be_listed_replayed_and_discarded() {
    let bench = Bench::start(2).await;
    two_dead_letters(&bench.rabbit).await;

    // Listing leaves them where they are, more often than the 20 deliveries a broker grants by default.
    for _ in 0..25 {
        let listed = eventually(|| async {
            bench.rabbit.list(&LetterFilter::default(), 9).await.ok().filter(|all| all.len() == 2)
        })
        .await;
        assert_eq!((listed[0].message_id.as_str(), listed[0].why.as_str()), ("a", "reason 1"));
        assert_eq!((listed[1].jobs.clone(), listed[1].body.clone()), (vec![job(2, Shard::new(1).unwrap())], vec![2]));
    }
    assert_eq!(bench.rabbit.list(&LetterFilter::default(), 1).await.unwrap().len(), 1);

    // One goes back to the lane its job belongs to; the other stays.
    assert_eq!(bench.rabbit.replay(&with_id("unknown")).await.unwrap(), 0);
    assert_eq!(bench.rabbit.replay(&with_id("b")).await.unwrap(), 1);
    let mut lane = bench.rabbit.lane(Shard::new(1).unwrap());
    let taken = take_all(&mut lane, 1).await;
    assert_eq!((taken[0].message_id.as_str(), taken[0].body.as_slice()), ("b", &[2][..]));
    lane.ack(&tags(&taken)).await.unwrap();

    assert_eq!(bench.rabbit.discard(&LetterFilter::default()).await.unwrap(), 1);
    assert!(bench.rabbit.list(&LetterFilter::default(), 9).await.unwrap().is_empty());

    two_dead_letters(&bench.rabbit).await;
    assert_eq!(bench.rabbit.replay(&LetterFilter::default()).await.unwrap(), 2);
    assert_eq!(take_all(&mut lane, 2).await.len(), 2);
    bench.end().await;
}

fn with_id(id: &str) -> LetterFilter {
    LetterFilter { message_ids: vec![id.to_owned()], ..LetterFilter::default() }
}

fn row(id: i64) -> OutboxRow {
    let route = Route { sale: SaleNumber::new(1).unwrap(), shard: shard() };
    OutboxRow { id, route, sale: "spring.31".parse().unwrap(), version: None, body: format!("{{\"row\":{id}}}") }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_announced_in_order_and_nobody_has_to_listen() {
    let bench = Bench::start(1).await;
    let rows: Vec<OutboxRow> = (1..=200).map(row).collect();
    assert_eq!(bench.rabbit.announce(&rows).await.unwrap(), 200);
    assert_eq!(bench.rabbit.announce(&[]).await.unwrap(), 0);

    let channel = bench.channel().await;
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare("".into(), options, FieldTable::default()).await.unwrap();
    let (exchange, key) = (format!("{}.events", bench.namespace), "sale.*.orders");
    channel
        .queue_bind(
            queue.name().clone(),
            exchange.into(),
            key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();
    assert_eq!(bench.rabbit.announce(&rows).await.unwrap(), 200);
    for expected in &rows {
        let got = channel.basic_get(queue.name().clone(), BasicGetOptions { no_ack: true }).await.unwrap().unwrap();
        assert_eq!(got.delivery.properties.message_id().as_ref().unwrap().as_str(), expected.id.to_string());
        assert_eq!(got.delivery.data, expected.body.as_bytes());
        assert_eq!(got.delivery.routing_key.as_str(), "sale.spring_31.orders");
        assert_eq!(*got.delivery.properties.delivery_mode(), Some(2));
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_is_an_outage_and_comes_back() {
    let bench = Bench::start(1).await;
    let mut lane = bench.rabbit.lane(shard());
    nothing_comes(&mut lane).await;
    bench.delete_queue(bench.queue(shard())).await;
    // The consumer may have declared the queue again already; then there is nothing to be returned. The broker may also
    // have moved it to the new queue without a word, which it notices when it has been idle for long.
    let outcome = bench.rabbit.publish(shard(), &[reservation(1)]).await;
    assert!(matches!(outcome, Ok(()) | Err(Outage::Unknown(_))), "{outcome:?}");
    eventually(|| async { bench.rabbit.publish(shard(), &[reservation(2)]).await.ok() }).await;
    let taken = take_all(&mut lane, 1).await;
    assert!(taken.iter().any(|one| one.jobs == [job(2, shard())] || one.jobs == [job(1, shard())]));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publishes_to_a_deleted_queue_are_never_confirmed() {
    let bench = Bench::start(1).await;
    bench.delete_queue(bench.queue(shard())).await;
    let groups: Vec<_> = (0..50).map(|n| [reservation(n)]).collect();
    let outcomes = join_all(groups.iter().map(|group| bench.rabbit.publish(shard(), group))).await;
    assert!(outcomes.iter().any(|one| matches!(one, Err(Outage::Unknown(_)))), "{outcomes:?}");
    let confirmed = outcomes.iter().filter(|one| one.is_ok()).count() as u64;

    // Without anybody's help the queue is back and holds what was confirmed.
    eventually(|| async { bench.rabbit.publish(shard(), &[reservation(99)]).await.ok() }).await;
    eventually(|| async { (bench.rabbit.depth().await.ok()? > confirmed).then_some(()) }).await;
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_recover_from_cut_connections_without_a_restart() {
    let bench = Bench::start(1).await;
    let mut lane = bench.rabbit.lane(shard());
    bench.rabbit.publish(shard(), &[reservation(1)]).await.unwrap();
    let before = take_all(&mut lane, 1).await;

    for n in 2..5 {
        bench.proxy.set(Way::Cut);
        bench.shuts().await;
        assert!(matches!(bench.rabbit.publish(shard(), &[reservation(99)]).await, Err(Outage::NotSent(_))));
        assert!(matches!(bench.rabbit.announce(&[row(1)]).await, Err(Outage::NotSent(_))));
        assert!(bench.rabbit.check().await.is_err());
        bench.proxy.set(Way::Open);
        bench.opens().await;
        bench.rabbit.publish(shard(), &[reservation(n)]).await.unwrap();
    }
    // The broker is told once, then the lane works again; the old tag belongs to another message by now.
    assert!(lane.take(1).await.is_err());
    let again = take_all(&mut lane, 4).await;
    let jobs: Vec<_> = again.iter().flat_map(|one| one.jobs.clone()).collect();
    assert_eq!(jobs, [1, 2, 3, 4].map(|n| job(n, shard())));
    assert!(again[0].redelivered);
    lane.ack(&tags(&before)).await.unwrap();
    lane.ack(&tags(&again)).await.unwrap();
    drop(lane);
    nothing_comes(&mut bench.rabbit.lane(shard())).await;
    assert!(bench.rabbit.check().await.is_ok());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_broker_shuts_the_gate_and_leaves_publishes_unknown() {
    let bench = Bench::start(1).await;
    let group = [reservation(1)];
    let publish = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        bench.rabbit.publish(shard(), &group).await
    };
    bench.proxy.set(Way::Frozen);
    let (outcome, ()) = tokio::join!(publish, bench.shuts());
    assert!(matches!(outcome, Err(Outage::Unknown(_))), "{outcome:?}");
    assert!(matches!(bench.rabbit.publish(shard(), &group).await, Err(Outage::NotSent(_))));
    // Dials again and again into the silence before the line comes back.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!bench.rabbit.is_open());
    bench.proxy.set(Way::Cut);
    bench.proxy.set(Way::Open);
    bench.opens().await;
    bench.rabbit.publish(shard(), &group).await.unwrap();
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn depth_is_the_sum_over_all_lanes() {
    let bench = Bench::start(3).await;
    assert_eq!(bench.rabbit.depth().await.unwrap(), 0);
    for lane in [0, 1, 1, 2] {
        bench.rabbit.publish(Shard::new(lane).unwrap(), &[reservation(1), reservation(2)]).await.unwrap();
    }
    bench.depth_becomes(4).await;
    let beyond = bench.rabbit.publish(Shard::new(3).unwrap(), &[reservation(1)]).await;
    assert!(matches!(beyond, Err(Outage::NotSent(_))), "{beyond:?}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_group_travels_in_several_messages() {
    let bench = Bench::start(1).await;
    let group: Vec<_> = (0..2_500).map(reservation).collect();
    bench.rabbit.publish(shard(), &group).await.unwrap();
    bench.rabbit.publish(shard(), &[]).await.unwrap();
    let taken = take_all(&mut bench.rabbit.lane(shard()), 3).await;
    let read: Vec<_> = taken.iter().flat_map(|one| decode_group(&one.body).unwrap()).collect();
    assert_eq!(read, group);
    bench.end().await;
}
