//! One consumer of a lane.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Shard;
use domain::ports::{Delivery, DeliveryTag, Lane, Outage};

use super::Inner;
use super::state::Message;
use crate::embedded::lock;

/// Dropping it gives back what it has not acknowledged, as a broker does with a closed connection.
pub(super) struct EmbeddedLane {
    queue: Arc<Inner>,
    shard: Shard,
    generation: u64,
}

impl EmbeddedLane {
    pub(super) fn new(queue: Arc<Inner>, shard: Shard) -> Self {
        let generation = lock(&queue.state).join(shard);
        Self { queue, shard, generation }
    }
}

#[async_trait]
impl Lane for EmbeddedLane {
    async fn take(&mut self, max: usize) -> Result<Vec<Delivery>, Outage> {
        loop {
            let mut changed = std::pin::pin!(self.queue.changed.notified());
            // Listen first, look second: a message between the two would otherwise be waited for in vain.
            changed.as_mut().enable();
            let deliveries = lock(&self.queue.state).hand_out(self.shard, self.generation, max);
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            changed.await;
        }
    }

    async fn ack(&mut self, deliveries: &[DeliveryTag]) -> Result<(), Outage> {
        lock(&self.queue.state).ack(self.shard, self.generation, deliveries);
        Ok(())
    }

    async fn dead_letter(&mut self, delivery: &Delivery, why: &str) -> Result<(), Outage> {
        self.queue.bury(Message::of(self.shard, delivery), why)
    }
}

impl Drop for EmbeddedLane {
    fn drop(&mut self) {
        lock(&self.queue.state).leave(self.shard, self.generation);
        self.queue.changed.notify_waiters();
    }
}
