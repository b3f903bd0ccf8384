//! The queue in memory: one lane per shard, dead letters, and an event bus that nobody outside listens to.
//!
//! Messages carry the same bytes as on a broker, so that whoever reads them is tested with the real thing.
//! [`state`] holds the messages, [`lane`] hands them out; nothing here outlives the process.

mod lane;
mod state;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::ports::{DeadLetter, DeadLetters, EventBus, Health, Lane, LetterFilter, Outage, OutboxRow, Queue};
use domain::{JobId, Reservation, Shard, encode_group};
use tokio::sync::Notify;

use self::lane::EmbeddedLane;
use self::state::{Message, QueueState};
use super::lock;

/// Messages kept, waiting or unacknowledged, over all lanes. At 64 reservations of 150 bytes each this is below one
/// gigabyte; above it the queue is closed and the gate takes nothing.
const GROUPS_MAX: usize = 100_000;

/// Dead letters kept. More than that many means that something is wrong with the program, not with a message.
const DEAD_LETTERS_MAX: usize = 10_000;

/// Announcements remembered for whoever wants to look; older ones are forgotten.
const ANNOUNCED_MAX: usize = 1_000;

/// The queue of one process.
pub struct EmbeddedQueue {
    inner: Arc<Inner>,
}

/// What the queue shares with its lanes.
#[derive(Default)]
struct Inner {
    state: Mutex<QueueState>,
    changed: Notify,
    /// As if the broker were away.
    shut: AtomicBool,
}

impl EmbeddedQueue {
    /// An empty queue.
    pub fn new() -> Self {
        Self { inner: Arc::default() }
    }

    /// A consumer of this shard's lane. The oldest living one gets everything; the next takes over when it is dropped.
    pub fn lane(&self, shard: Shard) -> Box<dyn Lane> {
        Box::new(EmbeddedLane::new(Arc::clone(&self.inner), shard))
    }

    /// Closes or opens the queue, as a broker does that is away and comes back. For drills and tests.
    pub fn shut(&self, shut: bool) {
        self.inner.shut.store(shut, Ordering::Release);
    }

    /// Puts any bytes on a lane, with the jobs that its header would name. For drills and tests of what becomes of a
    /// message that nobody can read.
    pub fn publish_bytes(&self, shard: Shard, body: Vec<u8>, jobs: Vec<JobId>) -> Result<(), Outage> {
        self.inner.accept(vec![Message::new(shard, body, jobs)])
    }

    /// The latest announcements, oldest first, at most 1,000.
    pub fn announced(&self) -> Vec<OutboxRow> {
        lock(&self.inner.state).announced.iter().cloned().collect()
    }
}

impl Default for EmbeddedQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    fn is_open(&self) -> bool {
        !self.shut.load(Ordering::Acquire) && lock(&self.state).groups() < GROUPS_MAX
    }

    /// Takes all of the messages or none.
    fn accept(&self, messages: Vec<Message>) -> Result<(), Outage> {
        self.reachable()?;
        let mut state = lock(&self.state);
        if state.groups() + messages.len() > GROUPS_MAX {
            return Err(Outage::NotSent(format!("the embedded queue is full: {GROUPS_MAX} groups")));
        }
        messages.into_iter().for_each(|message| state.push(message));
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    fn reachable(&self) -> Result<(), Outage> {
        if self.shut.load(Ordering::Acquire) {
            return Err(Outage::NotSent("the embedded queue is shut".to_owned()));
        }
        Ok(())
    }

    fn bury(&self, message: Message, why: &str) -> Result<(), Outage> {
        self.reachable()?;
        let mut state = lock(&self.state);
        if state.dead.len() >= DEAD_LETTERS_MAX {
            return Err(Outage::NotSent(format!("{DEAD_LETTERS_MAX} dead letters wait for an operator")));
        }
        state.dead.push_back((message, why.to_owned()));
        Ok(())
    }
}

#[async_trait]
impl Queue for EmbeddedQueue {
    fn is_open(&self) -> bool {
        self.inner.is_open()
    }

    async fn publish(&self, shard: Shard, group: &[Reservation]) -> Result<(), Outage> {
        let jobs = group.iter().map(|one| one.job).collect();
        self.publish_bytes(shard, encode_group(group), jobs)
    }

    async fn depth(&self) -> Result<u64, Outage> {
        self.inner.reachable()?;
        Ok(lock(&self.inner.state).jobs())
    }

    async fn consumers(&self) -> Result<u64, Outage> {
        self.inner.reachable()?;
        Ok(lock(&self.inner.state).consumers())
    }
}

#[async_trait]
impl EventBus for EmbeddedQueue {
    async fn announce(&self, rows: &[OutboxRow]) -> Result<usize, Outage> {
        self.inner.reachable()?;
        let mut state = lock(&self.inner.state);
        state.announced.extend(rows.iter().cloned());
        let forgotten = state.announced.len().saturating_sub(ANNOUNCED_MAX);
        state.announced.drain(..forgotten);
        Ok(rows.len())
    }
}

#[async_trait]
impl DeadLetters for EmbeddedQueue {
    async fn count(&self) -> Result<u64, Outage> {
        self.inner.reachable()?;
        Ok(lock(&self.inner.state).dead.len() as u64)
    }

    async fn list(&self, chosen: &LetterFilter, limit: usize) -> Result<Vec<DeadLetter>, Outage> {
        self.inner.reachable()?;
        let state = lock(&self.inner.state);
        let letters = state.dead.iter().map(|(message, why)| message.letter(why));
        Ok(letters.filter(|letter| chosen.chooses(letter)).take(limit).collect())
    }

    async fn replay(&self, chosen: &LetterFilter) -> Result<usize, Outage> {
        self.inner.reachable()?;
        let chosen = lock(&self.inner.state).take_dead(chosen);
        let messages = chosen.iter().map(|(message, _)| message.clone()).collect();
        match self.inner.accept(messages) {
            Ok(()) => Ok(chosen.len()),
            Err(outage) => {
                lock(&self.inner.state).dead.extend(chosen);
                Err(outage)
            }
        }
    }

    async fn discard(&self, chosen: &LetterFilter) -> Result<usize, Outage> {
        self.inner.reachable()?;
        Ok(lock(&self.inner.state).take_dead(chosen).len())
    }
}

#[async_trait]
impl Health for EmbeddedQueue {
    fn name(&self) -> &'static str {
        "embedded queue"
    }

    async fn check(&self) -> Result<(), Outage> {
        self.inner.reachable()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[tokio::test]
    async fn a_full_queue_is_closed_and_says_that_nothing_was_sent() {
        let queue = EmbeddedQueue::new();
        for _ in 0..GROUPS_MAX {
            queue.publish_bytes(Shard::default(), Vec::new(), Vec::new()).unwrap();
        }
        assert!(!queue.is_open());
        assert!(matches!(queue.publish(Shard::default(), &[]).await, Err(Outage::NotSent(_))));

        let mut lane = queue.lane(Shard::default());
        let taken = lane.take(1).await.unwrap();
        assert!(!queue.is_open(), "an unacknowledged message still takes its place");
        lane.ack(&[taken[0].tag]).await.unwrap();
        assert!(queue.is_open());
    }

    #[tokio::test]
    async fn a_shut_queue_takes_nothing_and_keeps_what_it_has() {
        let queue = EmbeddedQueue::new();
        queue.publish_bytes(Shard::default(), vec![1], Vec::new()).unwrap();
        queue.shut(true);
        assert!(!queue.is_open());
        assert!(queue.check().await.is_err());
        assert!(matches!(queue.publish(Shard::default(), &[]).await, Err(Outage::NotSent(_))));
        assert!(queue.announce(&[]).await.is_err());
        queue.shut(false);
        assert!(queue.is_open());
        assert_eq!(queue.lane(Shard::default()).take(9).await.unwrap().len(), 1);
    }
}
