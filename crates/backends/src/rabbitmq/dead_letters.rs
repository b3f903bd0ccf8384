//! Dead letters for operators: counted, looked at, sent back to their lane, or removed.
//!
//! All but the count walk the queue with single gets on a channel of their own; what is not settled returns to the queue when
//! that channel is closed.

use async_trait::async_trait;
use domain::Shard;
use domain::ports::{DeadLetter, DeadLetters, LetterFilter, Outage};
use lapin::Channel;
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions, QueueDeclareOptions};
use lapin::types::FieldTable;

use super::RabbitMq;
use super::dial::bounded;
use super::message::{self, Outgoing};

/// Most that one listing answers: a page for a person.
const LIST_MAX: usize = 1_000;

/// Most that one call walks over; an operator with more repeats the call. Bounds the messages that the broker holds for
/// our channel.
const WALK_MAX: usize = 10_000;

/// A walk along the queue, from its oldest message.
struct Walk<'a> {
    rabbit: &'a RabbitMq,
    channel: Channel,
    left: usize,
}

impl<'a> Walk<'a> {
    async fn begin(rabbit: &'a RabbitMq) -> Result<Self, Outage> {
        let channel = rabbit.admin.lock().await.channel().await.map_err(Outage::NotSent)?;
        Ok(Self { rabbit, channel, left: WALK_MAX })
    }

    /// The next one chosen, and how to settle it.
    async fn next(&mut self, chosen: &LetterFilter) -> Result<Option<(u64, DeadLetter)>, Outage> {
        while self.left > 0 {
            self.left -= 1;
            let queue = self.rabbit.link.topology.dead_letters();
            let get = self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: false });
            let got = bounded(self.rabbit.link.settings.connect_timeout(), get).await.map_err(Outage::NotSent)?;
            let Some(BasicGetMessage { delivery, .. }) = got else { return Ok(None) };
            let letter = message::dead_letter(&delivery.properties, delivery.data);
            if chosen.chooses(&letter) {
                return Ok(Some((delivery.delivery_tag, letter)));
            }
        }
        Ok(None)
    }

    async fn settle(&self, tag: u64) -> Result<(), Outage> {
        let ack = self.channel.basic_ack(tag, BasicAckOptions::default());
        bounded(self.rabbit.link.settings.connect_timeout(), ack).await.map_err(Outage::Unknown)
    }

    /// Returns what was not settled. Acknowledgements have no answer; the answer to closing comes after them.
    async fn end(self) -> Result<(), Outage> {
        let close = self.channel.close(200, "OK".into());
        bounded(self.rabbit.link.settings.connect_timeout(), close).await.map_err(Outage::Unknown)
    }
}

impl RabbitMq {
    async fn replay_one(&self, letter: &DeadLetter) -> Result<(), Outage> {
        let topology = &self.link.topology;
        let shard = letter.jobs.first().map_or(Shard::default(), |job| job.route().shard);
        if !topology.has(shard) {
            return Err(Outage::NotSent(format!("there is no lane {} for {}", shard.get(), letter.message_id)));
        }
        let (id, body) = (letter.message_id.clone(), letter.body.clone());
        let message = Outgoing::reservations(topology, shard, &letter.jobs, id, body);
        self.link.side.publish(message, self.link.deadline()).await
    }
}

#[async_trait]
impl DeadLetters for RabbitMq {
    async fn count(&self) -> Result<u64, Outage> {
        let channel = self.admin.lock().await.channel().await.map_err(Outage::NotSent)?;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = self.link.topology.dead_letters();
        let declare = channel.queue_declare(queue.into(), options, FieldTable::default());
        let declared = bounded(self.link.settings.connect_timeout(), declare).await.map_err(Outage::NotSent)?;
        Ok(u64::from(declared.message_count()))
    }

    async fn list(&self, chosen: &LetterFilter, limit: usize) -> Result<Vec<DeadLetter>, Outage> {
        let _alone = self.dead_letters.lock().await;
        let mut walk = Walk::begin(self).await?;
        let mut listed = Vec::new();
        while listed.len() < limit.min(LIST_MAX)
            && let Some((_, letter)) = walk.next(chosen).await?
        {
            listed.push(letter);
        }
        walk.end().await?;
        Ok(listed)
    }

    async fn replay(&self, chosen: &LetterFilter) -> Result<usize, Outage> {
        let _alone = self.dead_letters.lock().await;
        let mut walk = Walk::begin(self).await?;
        let mut replayed = 0;
        while let Some((tag, letter)) = walk.next(chosen).await? {
            // Confirmed first: a crash in between leaves it in both places, which the job ids make harmless.
            self.replay_one(&letter).await?;
            walk.settle(tag).await?;
            replayed += 1;
        }
        walk.end().await?;
        Ok(replayed)
    }

    async fn discard(&self, chosen: &LetterFilter) -> Result<usize, Outage> {
        let _alone = self.dead_letters.lock().await;
        let mut walk = Walk::begin(self).await?;
        let mut discarded = 0;
        while let Some((tag, _)) = walk.next(chosen).await? {
            walk.settle(tag).await?;
            discarded += 1;
        }
        walk.end().await?;
        Ok(discarded)
    }
}
