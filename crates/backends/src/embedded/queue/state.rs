//! The messages, and who has which.

use std::collections::{BTreeMap, HashMap, VecDeque};

use domain::ports::{DeadLetter, Delivery, DeliveryTag, LetterFilter, OutboxRow};
use domain::{JobId, Shard};

/// One message, as it stays through deliveries, death and replay.
#[derive(Clone)]
pub(super) struct Message {
    shard: Shard,
    message_id: String,
    body: Vec<u8>,
    jobs: Vec<JobId>,
    redelivered: bool,
}

impl Message {
    pub(super) fn new(shard: Shard, body: Vec<u8>, jobs: Vec<JobId>) -> Self {
        Self { shard, message_id: uuid::Uuid::now_v7().to_string(), body, jobs, redelivered: false }
    }

    /// The message that a delivery was made of.
    pub(super) fn of(shard: Shard, delivery: &Delivery) -> Self {
        let Delivery { message_id, body, jobs, .. } = delivery.clone();
        Self { shard, message_id, body, jobs, redelivered: false }
    }

    pub(super) fn letter(&self, why: &str) -> DeadLetter {
        let Self { message_id, jobs, body, .. } = self.clone();
        DeadLetter { message_id, why: why.to_owned(), jobs, body }
    }

    /// What the message counts for; one that names no job is still a message.
    fn weight(&self) -> usize {
        self.jobs.len().max(1)
    }
}

/// One shard's messages and consumers.
#[derive(Default)]
struct LaneState {
    ready: VecDeque<Message>,
    /// Handed out and not acknowledged, by tag. All of them belong to the active consumer.
    unacked: BTreeMap<u64, Message>,
    /// In the order in which they came; the first is the active one.
    consumers: VecDeque<u64>,
    last_tag: u64,
}

/// All of the queue.
#[derive(Default)]
pub(super) struct QueueState {
    lanes: HashMap<Shard, LaneState>,
    last_consumer: u64,
    pub(super) dead: VecDeque<(Message, String)>,
    pub(super) announced: VecDeque<OutboxRow>,
}

impl QueueState {
    /// Messages waiting or handed out.
    pub(super) fn groups(&self) -> usize {
        self.lanes.values().map(|lane| lane.ready.len() + lane.unacked.len()).sum()
    }

    /// Reservations waiting or handed out: what is handed out is not placed yet, and whoever waits for the queue to
    /// drain waits for that too.
    pub(super) fn jobs(&self) -> u64 {
        let all = self.lanes.values().flat_map(|lane| lane.ready.iter().chain(lane.unacked.values()));
        all.map(|message| message.weight() as u64).sum()
    }

    /// Consumers of the lane that has the fewest; 0 while there is no lane.
    pub(super) fn consumers(&self) -> u64 {
        self.lanes.values().map(|lane| lane.consumers.len() as u64).min().unwrap_or_default()
    }

    pub(super) fn push(&mut self, message: Message) {
        self.lanes.entry(message.shard).or_default().ready.push_back(message);
    }

    /// A new consumer's generation.
    pub(super) fn join(&mut self, shard: Shard) -> u64 {
        self.last_consumer += 1;
        self.lanes.entry(shard).or_default().consumers.push_back(self.last_consumer);
        self.last_consumer
    }

    /// A consumer goes away; what it has not acknowledged returns to where it was.
    pub(super) fn leave(&mut self, shard: Shard, consumer: u64) {
        let lane = self.lanes.entry(shard).or_default();
        let was_active = lane.consumers.front() == Some(&consumer);
        lane.consumers.retain(|other| *other != consumer);
        if was_active {
            for (_, mut message) in std::mem::take(&mut lane.unacked).into_iter().rev() {
                message.redelivered = true;
                lane.ready.push_front(message);
            }
        }
    }

    /// Hands out what is ready, up to about `max` reservations, if `consumer` is the active one.
    pub(super) fn hand_out(&mut self, shard: Shard, consumer: u64, max: usize) -> Vec<Delivery> {
        let lane = self.lanes.entry(shard).or_default();
        if lane.consumers.front() != Some(&consumer) {
            return Vec::new();
        }
        let mut deliveries = Vec::new();
        let mut jobs = 0;
        while jobs < max.max(1)
            && let Some(message) = lane.ready.pop_front()
        {
            jobs += message.weight();
            lane.last_tag += 1;
            let Message { message_id, body, jobs, redelivered, .. } = message.clone();
            let tag = DeliveryTag { generation: consumer, tag: lane.last_tag };
            deliveries.push(Delivery { tag, redelivered, message_id, body, jobs });
            lane.unacked.insert(lane.last_tag, message);
        }
        deliveries
    }

    /// Forgets what was handed out to `consumer` under these tags; other tags mean nothing.
    pub(super) fn ack(&mut self, shard: Shard, consumer: u64, tags: &[DeliveryTag]) {
        let lane = self.lanes.entry(shard).or_default();
        for tag in tags.iter().filter(|tag| tag.generation == consumer) {
            lane.unacked.remove(&tag.tag);
        }
    }

    /// Takes out the chosen dead letters.
    pub(super) fn take_dead(&mut self, chosen: &LetterFilter) -> Vec<(Message, String)> {
        let (chosen, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.dead).into_iter().partition(|(message, why)| chosen.chooses(&message.letter(why)));
        self.dead = kept.into();
        chosen
    }
}
