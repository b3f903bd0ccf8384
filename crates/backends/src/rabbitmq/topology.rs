//! The queues and exchanges, by name, and how they are declared. Declaring is idempotent, so everyone who connects
//! does it: whatever an operator deleted comes back.

use std::sync::Arc;
use std::time::Duration;

use domain::{SaleId, Shard};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ExchangeKind};

use super::dial::bounded;

/// Deliveries of one message before the broker drops it: never, in practice. Dropping is not the broker's to decide,
/// as one bad message would take its redelivered neighbours with it. Left out, brokers since 4.0 drop after 20; the -1
/// they read as "no limit" makes older ones drop at the first redelivery, without a word. This is right for all of
/// them, and lets a queue outlive an upgrade of its broker.
const DELIVERY_LIMIT: i32 = i32::MAX;

/// Names everything below one namespace.
#[derive(Clone, Debug)]
pub(super) struct Topology {
    namespace: Arc<str>,
    lanes: u8,
}

impl Topology {
    pub(super) fn new(namespace: &str, lanes: u8) -> Self {
        Self { namespace: namespace.into(), lanes }
    }

    /// All lanes that exist.
    pub(super) fn shards(&self) -> impl Iterator<Item = Shard> + use<> {
        (0..self.lanes).filter_map(Shard::new)
    }

    /// Is there a lane for it?
    pub(super) fn has(&self, shard: Shard) -> bool {
        shard.get() < self.lanes
    }

    /// Direct; the routing key is the shard.
    pub(super) fn orders(&self) -> String {
        format!("{}.orders", self.namespace)
    }

    /// The lane's queue.
    pub(super) fn lane(&self, shard: Shard) -> String {
        format!("{}.orders.{}", self.namespace, shard.get())
    }

    /// Fanout; whatever it is given ends among the dead letters.
    pub(super) fn dead(&self) -> String {
        format!("{}.dead", self.namespace)
    }

    /// The queue of the dead letters.
    pub(super) fn dead_letters(&self) -> String {
        format!("{}.dead-letters", self.namespace)
    }

    /// Topic; nobody has to listen.
    pub(super) fn events(&self) -> String {
        format!("{}.events", self.namespace)
    }

    /// Where events of a sale go. A '.' would be a word boundary of the topic.
    pub(super) fn events_key(sale: &SaleId) -> String {
        format!("sale.{}.orders", sale.as_str().replace('.', "_"))
    }

    /// Declares all of it, each step within `patience`.
    pub(super) async fn declare(&self, connection: &Connection, patience: Duration) -> Result<(), String> {
        let channel = bounded(patience, connection.create_channel()).await?;
        for (exchange, kind) in [
            (self.orders(), ExchangeKind::Direct),
            (self.dead(), ExchangeKind::Fanout),
            (self.events(), ExchangeKind::Topic),
        ] {
            let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
            bounded(patience, channel.exchange_declare(exchange.into(), kind, options, FieldTable::default())).await?;
        }
        declare_queue(&channel, self.dead_letters(), false, patience).await?;
        bind(&channel, self.dead_letters(), self.dead(), String::new(), patience).await?;
        for shard in self.shards() {
            declare_queue(&channel, self.lane(shard), true, patience).await?;
            bind(&channel, self.lane(shard), self.orders(), shard.get().to_string(), patience).await?;
        }
        bounded(patience, channel.close(200, "OK".into())).await
    }
}

async fn declare_queue(
    channel: &Channel,
    queue: String,
    single_active: bool,
    patience: Duration,
) -> Result<(), String> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(DELIVERY_LIMIT));
    if single_active {
        arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    }
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let declared = bounded(patience, channel.queue_declare(queue.as_str().into(), options, arguments)).await;
    // Most likely it exists with other arguments; only an operator can move its messages and delete it.
    declared.map(|_| ()).map_err(|error| format!("cannot declare the queue {queue}: {error}"))
}

async fn bind(
    channel: &Channel,
    queue: String,
    exchange: String,
    key: String,
    patience: Duration,
) -> Result<(), String> {
    let options = QueueBindOptions::default();
    let bind = channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default());
    bounded(patience, bind).await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_in_a_sale_id_is_not_a_word_boundary_of_the_topic() {
        let sale: SaleId = "spring.2031".parse().unwrap();
        assert_eq!(Topology::events_key(&sale), "sale.spring_2031.orders");
    }

    #[test]
    fn a_shard_beyond_the_lanes_has_no_queue() {
        let topology = Topology::new("n", 2);
        assert_eq!(topology.shards().map(Shard::get).collect::<Vec<_>>(), [0, 1]);
        assert!(!topology.has(Shard::new(2).unwrap()));
    }
}
