//! The queue, the events and the dead letters on RabbitMQ (3.10 and later, quorum queues).
//!
//! Publishing and consuming never share a connection: a broker short of memory stops reading from publishers, and
//! acknowledgements must still reach it. Connections are rebuilt here, for ever, and not by the library.
//!
//! ```text
//! N.orders  direct  ─ shard ─►  N.orders.<shard>   quorum, single active consumer
//! N.dead    fanout  ─────────►  N.dead-letters     quorum
//! N.events  topic   ─ sale.<sale id>.orders ─►  whoever binds a queue; nobody has to
//! ```

mod confirms;
mod dead_letters;
mod dial;
mod events;
mod gate;
mod guest;
mod lane;
mod message;
mod settings;
mod supervisor;
mod topology;

use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{Health, Lane, Outage, Queue};
use domain::{JobId, Reservation, Shard, encode_group};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use tokio::sync::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::dial::{Dialer, OnDemand, bounded};
pub use self::guest::lets_guest_in;
use self::lane::RabbitLane;
use self::message::Outgoing;
pub use self::settings::RabbitSettings;
use self::supervisor::Link;

/// Reservations in one message, at most: their ids have to fit into one frame of headers (128 KiB by default, about
/// 37 bytes each). Larger groups become several messages.
const GROUP_MAX: usize = 1_000;

/// The broker: [`Queue`], [`EventBus`](domain::ports::EventBus), [`DeadLetters`](domain::ports::DeadLetters) and
/// [`Health`]. Stops when it and its lanes have been dropped.
pub struct RabbitMq {
    link: Arc<Link>,
    /// For depth and dead letters: rare, short, and apart from the purchase path.
    admin: Mutex<OnDemand>,
    /// One operation on the dead letters at a time: two would hide messages from each other.
    dead_letters: Mutex<()>,
    supervised: Arc<DropGuard>,
}

impl RabbitMq {
    /// Answers at once and connects in the background, now and whenever the connection is lost. `lanes` is the number
    /// of shards. Must be called within a tokio runtime. Fails only on settings that can never work.
    pub fn connect(settings: RabbitSettings, lanes: u8) -> Result<Arc<Self>, String> {
        if lanes == 0 || lanes > Shard::MAX + 1 {
            return Err(format!("a queue has 1 to {} lanes", Shard::MAX + 1));
        }
        let dialer = Dialer::new(&settings, "publish")?;
        let admin = Mutex::new(OnDemand::new(&settings, "admin")?);
        let link = Arc::new(Link::new(settings, lanes));
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&link).supervise(dialer, stop.clone()));
        Ok(Arc::new(Self { link, admin, dead_letters: Mutex::new(()), supervised: Arc::new(stop.drop_guard()) }))
    }

    /// The lane of a shard, on a connection of its own that opens with the first `take`.
    pub fn lane(&self, shard: Shard) -> Box<dyn Lane> {
        Box::new(RabbitLane::new(shard, Arc::clone(&self.link), Arc::clone(&self.supervised)))
    }
}

impl RabbitMq {
    /// Each lane as the broker sees it.
    async fn lanes(&self) -> Result<Vec<lapin::Queue>, Outage> {
        let patience = self.link.settings.connect_timeout();
        let channel = self.admin.lock().await.channel().await.map_err(Outage::NotSent)?;
        let mut lanes = Vec::new();
        for shard in self.link.topology.shards() {
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let declare = channel.queue_declare(self.link.topology.lane(shard).into(), options, FieldTable::default());
            lanes.push(bounded(patience, declare).await.map_err(Outage::NotSent)?);
        }
        Ok(lanes)
    }
}

#[async_trait]
impl Queue for RabbitMq {
    fn is_open(&self) -> bool {
        self.link.gate.is_open()
    }

    async fn publish(&self, shard: Shard, group: &[Reservation]) -> Result<(), Outage> {
        let Link { topology, gate, orders, .. } = &*self.link;
        if !topology.has(shard) {
            return Err(Outage::NotSent(format!("there is no lane {}", shard.get())));
        }
        let deadline = self.link.deadline();
        for (part, reservations) in group.chunks(GROUP_MAX).enumerate() {
            gate.check().map_err(|outage| after_part(part, outage))?;
            let jobs: Vec<JobId> = reservations.iter().map(|one| one.job).collect();
            let message = Outgoing::group(topology, shard, &jobs, encode_group(reservations));
            orders.publish(message, deadline).await.map_err(|outage| after_part(part, outage))?;
        }
        Ok(())
    }

    async fn depth(&self) -> Result<u64, Outage> {
        Ok(self.lanes().await?.iter().map(|lane| u64::from(lane.message_count())).sum())
    }

    async fn consumers(&self) -> Result<u64, Outage> {
        Ok(self.lanes().await?.iter().map(|lane| u64::from(lane.consumer_count())).min().unwrap_or_default())
    }
}

/// Of a group that was sent in parts, something may have arrived.
fn after_part(part: usize, outage: Outage) -> Outage {
    match outage {
        Outage::NotSent(why) if part > 0 => Outage::Unknown(why),
        outage => outage,
    }
}

#[async_trait]
impl Health for RabbitMq {
    fn name(&self) -> &'static str {
        "rabbitmq"
    }

    /// What the last probe found, less than a second ago: the gate makes a round trip all the time.
    async fn check(&self) -> Result<(), Outage> {
        self.link.gate.check()
    }
}
