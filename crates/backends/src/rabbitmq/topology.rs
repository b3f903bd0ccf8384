//! The queues and exchanges, by name, and how they are declared. Declaring is idempotent, so everyone who connects
//! does it: whatever an operator deleted comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{SaleId, Shard};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ErrorKind, ExchangeKind};

use super::dial::bounded;

/// Names everything below one namespace.
#[derive(Clone, Debug)]
pub(super) struct Topology {
    namespace: Arc<str>,
    lanes: u8,
    /// Set once the broker has refused an explicit "no delivery limit": brokers before 4.0 have no limit and refuse
    /// the argument; later ones have a limit of 20 unless told otherwise.
    limit_refused: Arc<AtomicBool>,
}

impl Topology {
    pub(super) fn new(namespace: &str, lanes: u8) -> Self {
        Self { namespace: namespace.into(), lanes, limit_refused: Arc::default() }
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
        let mut channel = bounded(patience, connection.create_channel()).await?;
        for (exchange, kind) in [
            (self.orders(), ExchangeKind::Direct),
            (self.dead(), ExchangeKind::Fanout),
            (self.events(), ExchangeKind::Topic),
        ] {
            let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
            bounded(patience, channel.exchange_declare(exchange.into(), kind, options, FieldTable::default())).await?;
        }
        let dead_letters = std::iter::once((self.dead_letters(), self.dead(), String::new(), false));
        let lanes = self.shards().map(|shard| (self.lane(shard), self.orders(), shard.get().to_string(), true));
        for (queue, exchange, key, single_active) in dead_letters.chain(lanes) {
            if !self.limit_refused.load(Ordering::Relaxed) {
                match self.declare_queue(&channel, &queue, single_active, true, patience).await? {
                    Declared::Done => {}
                    Declared::ArgumentRefused => {
                        // The refusal has closed the channel.
                        self.limit_refused.store(true, Ordering::Relaxed);
                        channel = bounded(patience, connection.create_channel()).await?;
                    }
                }
            }
            if self.limit_refused.load(Ordering::Relaxed)
                && let Declared::ArgumentRefused =
                    self.declare_queue(&channel, &queue, single_active, false, patience).await?
            {
                return Err(format!("the queue {queue} exists with other arguments: move its messages, delete it"));
            }
            let bind = channel.queue_bind(
                queue.into(),
                exchange.into(),
                key.into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            );
            bounded(patience, bind).await?;
        }
        bounded(patience, channel.close(200, "OK".into())).await
    }

    async fn declare_queue(
        &self,
        channel: &Channel,
        queue: &str,
        single_active: bool,
        state_no_limit: bool,
        patience: Duration,
    ) -> Result<Declared, String> {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        if single_active {
            arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
        }
        if state_no_limit {
            arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(-1));
        }
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let declare = channel.queue_declare(queue.into(), options, arguments);
        match tokio::time::timeout(patience, declare).await {
            Err(_) => Err(format!("no answer within {} ms", patience.as_millis())),
            Ok(Ok(_)) => Ok(Declared::Done),
            Ok(Err(error)) if refuses_argument(&error) => Ok(Declared::ArgumentRefused),
            Ok(Err(error)) => Err(error.to_string()),
        }
    }
}

enum Declared {
    Done,
    ArgumentRefused,
}

fn refuses_argument(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error)
        if *error.kind() == AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED))
}

#[cfg(test)]
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
