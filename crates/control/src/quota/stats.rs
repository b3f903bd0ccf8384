//! What became of the uses that one process has taken.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use domain::{Timestamp, from_ms};
use metrics::{Counter, counter};

/// Counts, since the process began. `total` is `processed`, `dropped` and what still waits, together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaStatistics {
    /// Uses to be written.
    pub total: u64,
    /// Written.
    pub processed: u64,
    /// Times that a use was in a batch which failed all its attempts. It is kept and tried again.
    pub failed: u64,
    /// Not written and given up: the use was refused, or its order will be counted instead.
    pub dropped: u64,
    /// Batches written.
    pub batches: u64,
    /// Written before the answer, because too many waited.
    pub fallbacks: u64,
    /// Counted by Postgres alone, because Redis was away. They are among `processed`.
    pub direct: u64,
}

/// How the workers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaHealth {
    /// Workers that live.
    pub workers_alive: usize,
    /// Workers that there should be; 0 where each use is written before its answer.
    pub workers: usize,
    /// Workers that were replaced since the process began.
    pub workers_replaced: u64,
    /// Uses that wait in the channel.
    pub channel_fill: usize,
    /// Uses that may.
    pub channel_size: usize,
    /// Uses in batches that are not written yet.
    pub in_batches: usize,
    /// When a batch was last written.
    pub last_flush_at: Option<Timestamp>,
    /// Did the last attempt of every worker succeed?
    pub writing: bool,
}

impl QuotaHealth {
    /// All workers live, what they write arrives, and there is room for more.
    pub fn is_healthy(&self) -> bool {
        self.workers_alive == self.workers
            && self.writing
            && (self.workers == 0 || self.channel_fill < self.channel_size)
    }
}

/// The counters behind [`QuotaStatistics`], each also a metric.
pub(super) struct Counts {
    total: One,
    processed: One,
    failed: One,
    dropped: One,
    batches: One,
    fallbacks: One,
    direct: One,
    last_flush_ms: AtomicI64,
}

pub(super) struct One(AtomicU64, Counter);

impl One {
    fn event(result: &'static str) -> Self {
        Self(AtomicU64::new(0), counter!("seckill_quota_events_total", "result" => result))
    }

    pub(super) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
        self.1.increment(count as u64);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counts {
    pub(super) fn new() -> Self {
        Self {
            total: One::event("taken"),
            processed: One::event("processed"),
            failed: One::event("failed"),
            dropped: One::event("dropped"),
            batches: One(AtomicU64::new(0), counter!("seckill_quota_batches_total")),
            fallbacks: One::event("fallback"),
            direct: One::event("direct"),
            last_flush_ms: AtomicI64::new(0),
        }
    }

    pub(super) fn taken(&self, count: usize) {
        self.total.add(count);
    }

    pub(super) fn written(&self, count: usize, now: Timestamp) {
        self.processed.add(count);
        self.last_flush_ms.store(now.timestamp_millis(), Ordering::Relaxed);
    }

    pub(super) fn batch(&self) {
        self.batches.add(1);
    }

    pub(super) fn failed(&self, count: usize) {
        self.failed.add(count);
    }

    pub(super) fn dropped(&self, count: usize) {
        self.dropped.add(count);
    }

    pub(super) fn fallback(&self, count: usize) {
        self.fallbacks.add(count);
    }

    pub(super) fn direct(&self) {
        self.total.add(1);
        self.processed.add(1);
        self.direct.add(1);
    }

    pub(super) fn last_flush_at(&self) -> Option<Timestamp> {
        Some(self.last_flush_ms.load(Ordering::Relaxed)).filter(|ms| *ms > 0).map(from_ms)
    }

    pub(super) fn statistics(&self) -> QuotaStatistics {
        QuotaStatistics {
            total: self.total.get(),
            processed: self.processed.get(),
            failed: self.failed.get(),
            dropped: self.dropped.get(),
            batches: self.batches.get(),
            fallbacks: self.fallbacks.get(),
            direct: self.direct.get(),
        }
    }
}
