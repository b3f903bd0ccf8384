//! Writes uses after they were answered: a bounded channel, and workers that empty it in batches.
//!
//! What a worker has taken from the channel lies in a slot outside the worker. A worker that panics or is aborted is
//! replaced, and its successor begins with what lies in the slot; a batch that was written and not yet cleared is written
//! again, which changes nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::QuotaEvent;
use domain::ports::{Clock, QuotaStore};
use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::Writing;
use super::dirty::Dirty;
use super::stats::{Counts, QuotaHealth};

/// After all attempts have failed, a batch is tried again this often, until it is written.
const KEPT_RETRY: Duration = Duration::from_secs(1);

/// Uses whose answer was lost and that wait to be written for certain; those under way may come on top.
const DOUBTFUL_MAX: usize = 1_000;

/// A worker that keeps panicking is not replaced faster than this.
const REPLACE_AFTER: Duration = Duration::from_millis(20);

pub(super) struct Writer {
    shared: Arc<Shared>,
    supervisor: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    settings: Writing,
    sender: mpsc::Sender<QuotaEvent>,
    receiver: AsyncMutex<mpsc::Receiver<QuotaEvent>>,
    slots: Vec<Slot>,
    /// Uses that may be written already, and have to be.
    doubtful: Mutex<Vec<QuotaEvent>>,
    store: Arc<dyn QuotaStore>,
    clock: Arc<dyn Clock>,
    counts: Arc<Counts>,
    dirty: Arc<Dirty>,
    closing: CancellationToken,
    replaced: AtomicU64,
    /// Something lies in `doubtful`: no use may come that would wake a worker.
    doubted: Notify,
}

#[derive(Default)]
struct Slot {
    batch: Mutex<Vec<QuotaEvent>>,
    worker: Mutex<Option<AbortHandle>>,
    /// The last attempt to write it failed.
    failing: AtomicBool,
}

impl Writer {
    /// Starts the workers. Has to be called inside the runtime that will do their work.
    pub(super) fn start(
        settings: Writing,
        store: Arc<dyn QuotaStore>,
        clock: Arc<dyn Clock>,
        counts: Arc<Counts>,
        dirty: Arc<Dirty>,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(settings.channel_size);
        let shared = Arc::new(Shared {
            sender,
            receiver: AsyncMutex::new(receiver),
            slots: (0..settings.worker_count).map(|_| Slot::default()).collect(),
            doubtful: Mutex::default(),
            settings,
            store,
            clock,
            counts,
            dirty,
            closing: CancellationToken::new(),
            replaced: AtomicU64::new(0),
            doubted: Notify::new(),
        });
        let supervisor = Mutex::new(Some(tokio::spawn(shared.clone().supervise())));
        Self { shared, supervisor }
    }

    /// Leaves events to the workers: all of them, or none where there is no room.
    pub(super) fn leave(&self, events: Vec<QuotaEvent>) -> Result<(), Vec<QuotaEvent>> {
        if self.shared.closing.is_cancelled() {
            return Err(events);
        }
        let Ok(room) = self.shared.sender.try_reserve_many(events.len()) else { return Err(events) };
        room.zip(events).for_each(|(place, event)| place.send(event));
        Ok(())
    }

    /// Leaves events to the workers that may be written already, unless they have been told to end.
    pub(super) fn doubt(&self, events: Vec<QuotaEvent>) -> Result<(), usize> {
        if self.shared.closing.is_cancelled() {
            return Err(events.len());
        }
        lock(&self.shared.doubtful).extend(events);
        self.shared.doubted.notify_one();
        Ok(())
    }

    /// So many answers are lost that nothing more is written before its answer: it could become a doubt as well.
    pub(super) fn has_doubts(&self) -> bool {
        lock(&self.shared.doubtful).len() >= DOUBTFUL_MAX
    }

    pub(super) fn health(&self) -> QuotaHealth {
        let Shared { settings, sender, slots, counts, replaced, doubtful, .. } = &*self.shared;
        let doubtful = lock(doubtful).len();
        let alive = |slot: &&Slot| lock(&slot.worker).as_ref().is_some_and(|worker| !worker.is_finished());
        QuotaHealth {
            workers_alive: slots.iter().filter(alive).count(),
            workers: settings.worker_count,
            workers_replaced: replaced.load(Ordering::Relaxed),
            channel_fill: settings.channel_size - sender.capacity(),
            channel_size: settings.channel_size,
            in_batches: doubtful + slots.iter().map(|slot| lock(&slot.batch).len()).sum::<usize>(),
            last_flush_at: counts.last_flush_at(),
            writing: slots.iter().all(|slot| !slot.failing.load(Ordering::Relaxed)),
        }
    }

    pub(super) fn abort_worker(&self, at: usize) {
        if let Some(worker) = self.shared.slots.get(at).and_then(|slot| lock(&slot.worker).clone()) {
            worker.abort();
        }
    }

    /// Takes no more, writes what waits, and ends; answers how many could not be written within `limit`.
    pub(super) async fn close(&self, limit: Duration) -> usize {
        self.shared.closing.cancel();
        let Some(mut supervisor) = lock(&self.supervisor).take() else { return 0 };
        if tokio::time::timeout(limit, &mut supervisor).await.is_err() {
            supervisor.abort();
        }
        let health = self.health();
        health.channel_fill + health.in_batches
    }
}

impl Shared {
    /// Keeps a worker at each slot until all have ended by themselves.
    async fn supervise(self: Arc<Self>) {
        let mut workers = JoinSet::new();
        let mut places = std::collections::HashMap::new();
        let spawn = |workers: &mut JoinSet<()>, places: &mut std::collections::HashMap<_, _>, at: usize| {
            let worker = workers.spawn(self.clone().work(at));
            places.insert(worker.id(), at);
            *lock(&self.slots[at].worker) = Some(worker);
        };
        (0..self.slots.len()).for_each(|at| spawn(&mut workers, &mut places, at));
        while let Some(ended) = workers.join_next_with_id().await {
            let error = match ended {
                Ok((id, ())) => {
                    places.remove(&id);
                    continue;
                }
                Err(error) => error,
            };
            let Some(at) = places.remove(&error.id()) else { continue };
            self.replaced.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("seckill_quota_workers_replaced_total").increment(1);
            warn!(worker = at, %error, "a worker that writes quotas has died and is replaced; its batch is kept");
            tokio::time::sleep(REPLACE_AFTER).await;
            spawn(&mut workers, &mut places, at);
        }
    }

    async fn work(self: Arc<Self>, at: usize) {
        let slot = &self.slots[at];
        // What a predecessor has left is written at once.
        let mut due = Instant::now();
        loop {
            // Nothing is lost between the two: no worker can be stopped here.
            lock(&slot.batch).append(&mut lock(&self.doubtful));
            let room = self.settings.batch_size.saturating_sub(lock(&slot.batch).len());
            let waiting = room < self.settings.batch_size;
            if room == 0 || (waiting && due <= Instant::now()) {
                self.flush(slot).await;
                continue;
            }
            let received = tokio::select! {
                received = self.receive(slot, room) => Some(received),
                () = tokio::time::sleep_until(due), if waiting => None,
                () = self.doubted.notified() => None,
                // Look again, and find the channel closed.
                () = self.closing.cancelled(), if !self.closing.is_cancelled() => None,
            };
            match received {
                Some(0) => {
                    // Closed and empty.
                    lock(&slot.batch).append(&mut lock(&self.doubtful));
                    if lock(&slot.batch).is_empty() {
                        return;
                    }
                    self.flush(slot).await;
                }
                Some(_) if !waiting => due = Instant::now() + self.settings.flush_interval,
                _ => {}
            }
        }
    }

    /// Moves what waits from the channel to the slot, with nothing in between where a worker could be stopped.
    async fn receive(&self, slot: &Slot, room: usize) -> usize {
        let mut receiver = self.receiver.lock().await;
        if self.closing.is_cancelled() {
            receiver.close();
        }
        let mut received = Vec::with_capacity(room);
        let count = receiver.recv_many(&mut received, room).await;
        lock(&slot.batch).append(&mut received);
        count
    }

    /// Writes the slot's batch, however long that takes.
    async fn flush(&self, slot: &Slot) {
        let mut attempt = 0_u32;
        loop {
            let batch = lock(&slot.batch).clone();
            let failure = match self.store.write(&batch).await {
                Ok(shared) => {
                    lock(&slot.batch).clear();
                    slot.failing.store(false, Ordering::Relaxed);
                    self.counts.written(batch.len(), self.clock.now());
                    self.counts.batch();
                    self.dirty.note(shared);
                    if attempt >= self.settings.retry_attempts {
                        info!(uses = batch.len(), "usage of quotas is written again");
                    }
                    return;
                }
                Err(outage) => outage,
            };
            attempt += 1;
            slot.failing.store(true, Ordering::Relaxed);
            if attempt == self.settings.retry_attempts {
                self.counts.failed(batch.len());
                warn!(uses = batch.len(), outage = %failure, "usage of quotas cannot be written; it is kept and tried again");
            } else {
                debug!(outage = %failure, attempt, "a batch of quotas was not written");
            }
            let kept = attempt >= self.settings.retry_attempts;
            tokio::time::sleep(if kept { KEPT_RETRY } else { self.settings.retry_delay }).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
