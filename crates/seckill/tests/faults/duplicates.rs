//! A broker may deliver anything twice, late and in any order: here all of it at once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::{Reservation, decode_group, encode_group};
use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::AMQPValue;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

use crate::bench::{Breakable, RefusedLate, Rush};

/// One message as it was found.
struct Found {
    group: Vec<Reservation>,
    properties: BasicProperties,
}

/// Numbers that a printed seed repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

/// Everything that waits on a queue, taken away from it. As a consumer: a queue with a single active one knows no other
/// way.
async fn drained(broker: &Connection, queue: &str) -> Vec<Found> {
    let channel = broker.create_channel().await.unwrap();
    let mut consumer =
        channel.basic_consume(queue.into(), "".into(), Default::default(), Default::default()).await.unwrap();
    let mut found = Vec::new();
    while let Ok(delivery) = tokio::time::timeout(Duration::from_secs(1), consumer.next()).await {
        let delivery = delivery.unwrap().unwrap();
        channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default()).await.unwrap();
        found.push(Found { group: decode_group(&delivery.data).unwrap(), properties: delivery.properties });
    }
    channel.close(200, "done".into()).await.unwrap();
    found
}

/// Each group once as it was, and its jobs a second time in other groups: halves, or two groups in one.
fn twice(found: &[Found], dice: &mut Dice) -> Vec<Vec<Reservation>> {
    let mut groups: Vec<Vec<Reservation>> = found.iter().map(|one| one.group.clone()).collect();
    let mut again = groups.clone();
    dice.shuffle(&mut again);
    while let Some(mut group) = again.pop() {
        match dice.below(3) {
            0 if group.len() > 1 => groups.push(group.split_off(group.len() / 2)), // the rest follows below
            1 => group.extend(again.pop().unwrap_or_default()),
            _ => {}
        }
        dice.shuffle(&mut group);
        groups.push(group);
    }
    dice.shuffle(&mut groups);
    groups
}

async fn publish(channel: &Channel, exchange: &str, group: &[Reservation], like: &BasicProperties) {
    let jobs: Vec<String> = group.iter().map(|one| one.job.to_string()).collect();
    let mut headers = like.headers().clone().unwrap_or_default();
    headers.insert("jobs".into(), AMQPValue::LongString(jobs.join(",").into()));
    let id = uuid::Uuid::new_v4().to_string();
    let properties = like.clone().with_headers(headers).with_message_id(id.as_str().into());
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let body = encode_group(group);
    let sent = channel.basic_publish(exchange.into(), "0".into(), options, &body, properties);
    assert!(sent.await.unwrap().await.unwrap().is_ack());
}

/// Fault matrix B7, B8: nothing but the job id says what is new.
#[tokio::test(flavor = "multi_thread")]
async fn every_message_delivered_twice_regrouped_and_shuffled_makes_one_order_each() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    eprintln!("seed {seed}");
    let mut all = Breakable::start_with(1, 0).await;
    let rush = Rush::new("s1", 3_000, 4_000);
    all.shop.sale(rush.sale, 1, &[rush.stock]).await;
    let bodies = all.shop.mint(rush.sale, rush.buyers, &[]);
    let seen = all.shop.client.crowd(rush.sale, bodies, rush.connections).await;
    assert_eq!((seen.accepted.len(), seen.broken), (3_000, 0));

    let broker = Connection::connect(&all.services.rabbitmq.url(), ConnectionProperties::default()).await.unwrap();
    let found = drained(&broker, &format!("{}.orders.0", all.shop.namespace)).await;
    let jobs: usize = found.iter().map(|one| one.group.len()).sum();
    assert!(jobs >= 3_000, "only {jobs} jobs wait");
    let channel = broker.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let groups = twice(&found, &mut Dice(seed));
    assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), 2 * jobs);
    eprintln!("{} messages with {jobs} jobs become {}", found.len(), groups.len());
    for group in &groups {
        publish(&channel, &format!("{}.orders", all.shop.namespace), group, &found[0].properties).await;
    }

    all.shop.add_consumer();
    all.shop.add_consumer();
    all.sold_out(rush, &seen, RefusedLate::Never).await;
    let (mut placed, mut repeated) = (0.0, 0.0);
    // The last of the duplicates may come after the last order.
    let started = std::time::Instant::now();
    while repeated < jobs as f64 {
        assert!(started.elapsed() < Duration::from_secs(30), "{repeated} of {jobs} duplicates were met");
        tokio::time::sleep(Duration::from_millis(100)).await;
        (placed, repeated) = (0.0, 0.0);
        for consumer in &all.shop.consumers {
            placed += all.shop.metric(&consumer.url(), "seckill_jobs_total", "placed").await;
            repeated += all.shop.metric(&consumer.url(), "seckill_jobs_total", "repeated").await;
        }
    }
    assert_eq!(placed, 3_000.0);
    all.sold_out(rush, &seen, RefusedLate::Never).await;
    all.no_dead_letters().await;
    broker.close(200, "done".into()).await.unwrap();
    all.close().await;
}
