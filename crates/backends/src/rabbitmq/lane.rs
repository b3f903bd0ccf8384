//! Consumes one lane, on a connection of its own: a broker that blocks publishers still takes our acknowledgements.
//!
//! Every error ends the connection. The next [`Lane::take`] opens another one; tags of the old one mean nothing then.
//!
//! A consumer that has been idle for a while subscribes anew, because silence is not always emptiness: a broker (seen
//! with 3.10) that finds a deleted queue declared again moves the consumer over without a word, and then keeps what it
//! should deliver to it. Closing the channel gives those messages back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Shard;
use domain::ports::{Delivery, DeliveryTag, Lane, Outage};
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::DropGuard;
use tracing::info;

use super::dial::{Dialer, backoff, bounded};
use super::message::{self, Outgoing};
use super::supervisor::Link;

/// Idle for so long, with nothing waiting for its acknowledgement, a consumer subscribes anew. Well below the 30 s after
/// which a confirmed reservation without an order is published again.
const IDLE_MAX: Duration = Duration::from_secs(10);

/// One lane of the queue on RabbitMQ.
pub(super) struct RabbitLane {
    shard: Shard,
    dialer: Result<Dialer, String>,
    link: Arc<Link>,
    /// Keeps the publishing side alive for dead letters.
    _supervised: Arc<DropGuard>,
    generation: u64,
    failures: u32,
    open: Option<Open>,
}

/// A consumer at work.
struct Open {
    consumer: Consumer,
    channel: Channel,
    unacked: Unacked,
    idle_since: Instant,
    /// Last, so that it is dropped after what lives on it.
    connection: Connection,
}

impl RabbitLane {
    pub(super) fn new(shard: Shard, link: Arc<Link>, supervised: Arc<DropGuard>) -> Self {
        let dialer = Dialer::new(&link.settings, "consume");
        Self { shard, dialer, link, _supervised: supervised, generation: 0, failures: 0, open: None }
    }

    async fn connect(&mut self) -> Result<Open, String> {
        if !self.link.topology.has(self.shard) {
            return Err(format!("there is no lane {}", self.shard.get()));
        }
        let connection = self.dialer.as_mut().map_err(|error| error.clone())?.dial().await?;
        self.subscribe(connection).await
    }

    async fn subscribe(&self, connection: Connection) -> Result<Open, String> {
        let (settings, topology) = (&self.link.settings, &self.link.topology);
        let patience = settings.connect_timeout();
        topology.declare(&connection, patience).await?;
        let channel = bounded(patience, connection.create_channel()).await?;
        bounded(patience, channel.basic_qos(settings.prefetch, BasicQosOptions::default())).await?;
        let (queue, options) = (topology.lane(self.shard), BasicConsumeOptions::default());
        let consume = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        let consumer = bounded(patience, consume).await?;
        Ok(Open { consumer, channel, unacked: Unacked::default(), idle_since: Instant::now(), connection })
    }

    /// The open consumer, or a new one; waits before it tries again after a failure.
    async fn ensure_open(&mut self) -> Result<(), Outage> {
        if self.open.is_some() {
            return Ok(());
        }
        if self.failures > 0 {
            sleep(backoff(self.failures - 1)).await;
        }
        // Counted first: an attempt that is cancelled half-way is no success.
        self.failures = self.failures.saturating_add(1);
        let open = self.connect().await.map_err(Outage::NotSent)?;
        self.begin(open);
        info!(shard = self.shard.get(), generation = self.generation, "consuming the lane");
        Ok(())
    }

    /// Gives back what the broker may be keeping for us, and subscribes again.
    async fn renew(&mut self) -> Result<(), Outage> {
        let Some(Open { channel, connection, .. }) = self.open.take() else { return Ok(()) };
        let close = bounded(self.link.settings.connect_timeout(), channel.close(200, "OK".into()));
        close.await.map_err(|error| self.lost(error))?;
        let open = self.subscribe(connection).await.map_err(|error| self.lost(error))?;
        self.begin(open);
        Ok(())
    }

    fn begin(&mut self, open: Open) {
        self.failures = 0;
        self.generation += 1;
        self.open = Some(open);
    }

    /// Waits for one delivery; renews the subscription when none has come for long.
    async fn first(&mut self) -> Result<Option<lapin::Result<lapin::message::Delivery>>, Outage> {
        loop {
            self.ensure_open().await?;
            let Some(open) = self.open.as_mut() else { return Ok(None) };
            let idle = open.unacked.is_empty().then_some(open.idle_since + IDLE_MAX);
            let next = open.consumer.next();
            match idle {
                None => return Ok(next.await),
                Some(until) => match timeout_at(until, next).await {
                    Ok(next) => return Ok(next),
                    Err(_) => self.renew().await?,
                },
            }
        }
    }

    fn lost(&mut self, why: String) -> Outage {
        self.open = None;
        self.failures = self.failures.max(1);
        Outage::Unknown(why)
    }
}

#[async_trait]
impl Lane for RabbitLane {
    async fn take(&mut self, max: usize) -> Result<Vec<Delivery>, Outage> {
        let mut next = self.first().await?;
        let generation = self.generation;
        let Some(open) = self.open.as_mut() else { return Err(self.lost("the lane is not open".into())) };
        open.idle_since = Instant::now();
        let (mut taken, mut reservations) = (Vec::new(), 0);
        loop {
            match next {
                Some(Ok(delivery)) => {
                    open.unacked.taken(delivery.delivery_tag);
                    let delivery = received(generation, delivery);
                    reservations += delivery.jobs.len().max(1);
                    taken.push(delivery);
                }
                // What was taken from a consumer that has just ended will come again; it is not worth starting on.
                Some(Err(error)) => return Err(self.lost(error.to_string())),
                None => return Err(self.lost("the broker cancelled the consumer".into())),
            }
            if reservations >= max {
                return Ok(taken);
            }
            match open.consumer.next().now_or_never() {
                Some(more) => next = more,
                None => return Ok(taken),
            }
        }
    }

    async fn ack(&mut self, deliveries: &[DeliveryTag]) -> Result<(), Outage> {
        let current = deliveries.iter().filter(|one| one.generation == self.generation).map(|one| one.tag);
        let Some(open) = self.open.as_mut() else { return Ok(()) };
        let acks = open.unacked.settle(current);
        open.idle_since = Instant::now();
        let patience = self.link.settings.connect_timeout();
        let mut failed = None;
        for Ack { tag, multiple } in acks {
            if let Err(error) = bounded(patience, open.channel.basic_ack(tag, BasicAckOptions { multiple })).await {
                failed = Some(error);
                break;
            }
        }
        failed.map_or(Ok(()), |error| Err(self.lost(error)))
    }

    async fn dead_letter(&mut self, delivery: &Delivery, why: &str) -> Result<(), Outage> {
        let Delivery { message_id, jobs, body, .. } = delivery;
        let copy = Outgoing::dead(&self.link.topology, message_id, jobs, body.clone(), why);
        // The lane begins anew: the delivery, and whatever was taken with it, comes again and is not kept by the broker.
        let kept = self.link.side.publish(copy, self.link.deadline()).await;
        kept.map_err(|outage| self.lost(outage.to_string()))
    }
}

fn received(generation: u64, delivery: lapin::message::Delivery) -> Delivery {
    Delivery {
        tag: DeliveryTag { generation, tag: delivery.delivery_tag },
        redelivered: delivery.redelivered,
        message_id: message::message_id(&delivery.properties),
        jobs: message::jobs(&delivery.properties),
        body: delivery.data,
    }
}

/// Tags that were given out and not acknowledged. At most a prefetch of them.
#[derive(Default)]
struct Unacked(BTreeSet<u64>);

/// One acknowledgement to send; with `multiple` it covers all earlier tags too.
#[derive(Debug, PartialEq, Eq)]
struct Ack {
    tag: u64,
    multiple: bool,
}

impl Unacked {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn taken(&mut self, tag: u64) {
        self.0.insert(tag);
    }

    /// The fewest acknowledgements for these tags. Unknown ones, and ones acknowledged before, are left out: the
    /// broker closes the channel over them.
    fn settle(&mut self, tags: impl Iterator<Item = u64>) -> Vec<Ack> {
        let done: BTreeSet<u64> = tags.filter(|tag| self.0.remove(tag)).collect();
        let Some(&last) = done.last() else { return Vec::new() };
        // Below the first tag that stays open, everything is done: now, or before.
        let first_open = self.0.first().copied().unwrap_or(last + 1);
        let covered = done.range(..first_open).next_back().map(|&tag| Ack { tag, multiple: true });
        let singles = done.range(first_open..).map(|&tag| Ack { tag, multiple: false });
        covered.into_iter().chain(singles).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(tags: std::ops::RangeInclusive<u64>) -> Unacked {
        Unacked(tags.collect())
    }

    #[test]
    fn a_run_from_the_lowest_tag_is_one_acknowledgement() {
        let mut unacked = taken(1..=9);
        assert_eq!(unacked.settle([3, 1, 2].into_iter()), [Ack { tag: 3, multiple: true }]);
        let beyond = unacked.settle([4, 6, 7].into_iter());
        assert_eq!(
            beyond,
            [Ack { tag: 4, multiple: true }, Ack { tag: 6, multiple: false }, Ack { tag: 7, multiple: false }]
        );
        assert_eq!(unacked.settle([5, 8].into_iter()), [Ack { tag: 8, multiple: true }]);
        assert_eq!(unacked.settle([9].into_iter()), [Ack { tag: 9, multiple: true }]);
    }

    #[test]
    fn an_acknowledgement_never_covers_what_is_still_open() {
        let mut unacked = taken(1..=3);
        assert_eq!(unacked.settle([3].into_iter()), [Ack { tag: 3, multiple: false }]);
        assert_eq!(unacked.settle([2].into_iter()), [Ack { tag: 2, multiple: false }]);
    }

    #[test]
    fn unknown_and_repeated_tags_are_left_out() {
        let mut unacked = taken(1..=2);
        assert_eq!(unacked.settle([7].into_iter()), []);
        assert_eq!(unacked.settle([1, 1].into_iter()), [Ack { tag: 1, multiple: true }]);
        assert_eq!(unacked.settle([1].into_iter()), []);
    }
}
