//! The counters of one sale in one process.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use domain::{Activity, Latencies, Levels, Role, Stage};

use crate::lock;

/// Counts without a lock.
pub struct Tally {
    /// By the position of the word.
    counts: Box<[AtomicU64]>,
    /// By stage and bucket.
    stages: [[AtomicU64; Latencies::BUCKETS]; Stage::ALL.len()],
    levels: Mutex<Told>,
    /// Takings in a row that found nothing.
    still: AtomicU32,
}

/// The latest levels.
#[derive(Default)]
struct Told {
    latest: Option<Levels>,
    /// Have they changed since they were taken?
    fresh: bool,
}

impl Tally {
    pub(super) fn new(words: usize) -> Self {
        let zero = |_| AtomicU64::new(0);
        Self {
            counts: (0..words).map(zero).collect(),
            stages: std::array::from_fn(|_| std::array::from_fn(zero)),
            levels: Mutex::default(),
            still: AtomicU32::new(0),
        }
    }

    /// One more of the word at this position.
    pub fn count(&self, word: usize) {
        if let Some(count) = self.counts.get(word) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// A stage took so long.
    pub fn took(&self, stage: Stage, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.stages[stage as usize][Latencies::bucket(micros)].fetch_add(1, Relaxed);
    }

    /// The units are there now. Not for the path of a purchase.
    pub fn level(&self, levels: Levels) {
        let mut told = lock(&self.levels);
        let same = told.latest.as_ref().is_some_and(|latest| latest.agrees(&levels));
        told.fresh |= !same;
        told.latest = Some(match told.latest.take() {
            Some(latest) => latest.and(levels),
            None => levels,
        });
    }

    /// Since the last call.
    pub(super) fn take(&self, role: Role, words: &[&str]) -> Activity {
        let mut activity = Activity::default();
        let counts = match role {
            Role::Gateway => &mut activity.answers,
            Role::Consumer => &mut activity.jobs,
        };
        for (count, word) in self.counts.iter().zip(words) {
            if let Some(count) = taken(count) {
                counts.insert((*word).to_owned(), count);
            }
        }
        for (stage, buckets) in Stage::ALL.into_iter().zip(&self.stages) {
            let mut latencies = Latencies::default();
            for (bucket, count) in buckets.iter().enumerate() {
                latencies.count(bucket, taken(count).unwrap_or(0));
            }
            if !latencies.is_empty() {
                activity.latencies.insert(stage, latencies);
            }
        }
        let mut told = lock(&self.levels);
        if std::mem::take(&mut told.fresh) {
            activity.levels.clone_from(&told.latest);
        }
        let still = if activity.is_empty() { self.still_for().saturating_add(1) } else { 0 };
        self.still.store(still, Relaxed);
        activity
    }

    /// How many times in a row nothing was taken.
    pub(super) fn still_for(&self) -> u32 {
        self.still.load(Relaxed)
    }
}

/// Takes the count where there is one. Whoever adds meanwhile is counted now or the next time.
fn taken(count: &AtomicU64) -> Option<u64> {
    (count.load(Relaxed) > 0).then(|| count.swap(0, Relaxed))
}
