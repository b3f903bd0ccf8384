//! A queue with two lanes and nothing in it.

use std::sync::Arc;
use std::time::Duration;

use backends::SystemClock;
use backends::embedded::Embedded;
use backends::rabbitmq::{RabbitMq, RabbitSettings};
use domain::ports::{DeadLetters, Delivery, DeliveryTag, EventBus, Health, Lane, Queue};
use domain::{ItemIndex, JobId, Quantity, Reservation, Route, SaleNumber, Shard, from_ms};
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};

use crate::support::{eventually, finish, required, unique};

const LANES: u8 = 2;

/// Long enough for anything that is on its way to arrive.
const QUIET: Duration = Duration::from_millis(300);

/// Runs a scenario in process.
pub(super) async fn embedded<F: Future<Output = ()>>(scenario: fn(Bench) -> F) {
    let queue = Embedded::new(Arc::new(SystemClock)).queue;
    let lanes = queue.clone();
    let lane = Arc::new(move |shard| lanes.lane(shard));
    scenario(Bench { queue: queue.clone(), bus: queue.clone(), dead: queue.clone(), health: queue, lane }).await;
}

/// Runs a scenario on RabbitMQ, under names that are removed at the end.
pub(super) async fn rabbitmq<F: Future<Output = ()> + Send + 'static>(scenario: fn(Bench) -> F) {
    let url = required("AMQP_URL");
    let namespace = unique("conformance-");
    let settings = RabbitSettings {
        url: url.clone(),
        namespace: namespace.clone(),
        confirm_timeout_ms: 10_000, // a busy test machine is not what is tested
        connect_timeout_ms: 10_000,
        ..RabbitSettings::default()
    };
    let rabbit = RabbitMq::connect(settings, LANES).unwrap();
    eventually("the broker takes messages", || async { rabbit.is_open() }).await;
    let lanes = rabbit.clone();
    let lane = Arc::new(move |shard| lanes.lane(shard));
    let bench = Bench { queue: rabbit.clone(), bus: rabbit.clone(), dead: rabbit.clone(), health: rabbit, lane };
    let outcome = finish(scenario(bench)).await;
    remove(&url, &namespace).await;
    outcome.unwrap_or_else(|panic| panic.resume());
}

async fn remove(url: &str, namespace: &str) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    for queue in ["orders.0", "orders.1", "dead-letters"] {
        let name = format!("{namespace}.{queue}");
        channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    }
    for exchange in ["orders", "dead", "events"] {
        let name = format!("{namespace}.{exchange}");
        channel.exchange_delete(name.into(), ExchangeDeleteOptions::default()).await.unwrap();
    }
    connection.close(200, "done".into()).await.unwrap();
}

#[derive(Clone)]
pub(super) struct Bench {
    pub(super) queue: Arc<dyn Queue>,
    pub(super) bus: Arc<dyn EventBus>,
    pub(super) dead: Arc<dyn DeadLetters>,
    pub(super) health: Arc<dyn Health>,
    pub(super) lane: Arc<dyn Fn(Shard) -> Box<dyn Lane> + Send + Sync>,
}

pub(super) fn shard(shard: u8) -> Shard {
    Shard::new(shard).unwrap()
}

/// The `n`th reservation of a shard.
pub(super) fn reservation(at: Shard, n: u16) -> Reservation {
    let [high, low] = n.to_be_bytes();
    let route = Route { sale: SaleNumber::new(1).unwrap(), shard: at };
    Reservation {
        job: JobId::new(1_795_000_000_000, route, [0, 0, 0, 0, high, low]),
        buyer: format!("buyer-{n}").parse().unwrap(),
        item: ItemIndex::new((n % 3) as u8),
        quantity: Quantity::try_from(u64::from(n % 5) + 1).unwrap(),
        admitted_at: from_ms(1_795_000_000_000 + i64::from(n)),
    }
}

/// Reservations `numbers` of the first shard.
pub(super) fn group(numbers: std::ops::Range<u16>) -> Vec<Reservation> {
    numbers.map(|n| reservation(shard(0), n)).collect()
}

pub(super) fn tags(deliveries: &[Delivery]) -> Vec<DeliveryTag> {
    deliveries.iter().map(|delivery| delivery.tag).collect()
}

impl Bench {
    pub(super) fn first_lane(&self) -> Box<dyn Lane> {
        (self.lane)(shard(0))
    }

    pub(super) async fn publish(&self, group: &[Reservation]) {
        self.queue.publish(shard(0), group).await.unwrap();
    }
}

/// Takes until there are `messages`.
pub(super) async fn take(lane: &mut Box<dyn Lane>, messages: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < messages {
        let more = tokio::time::timeout(Duration::from_secs(10), lane.take(1_000)).await;
        taken.extend(more.expect("a message within ten seconds").unwrap());
    }
    assert_eq!(taken.len(), messages);
    taken
}

/// Nothing arrives for a while.
pub(super) async fn is_quiet(lane: &mut Box<dyn Lane>) {
    if let Ok(taken) = tokio::time::timeout(QUIET, lane.take(1_000)).await {
        panic!("nothing was expected: {taken:?}");
    }
}
