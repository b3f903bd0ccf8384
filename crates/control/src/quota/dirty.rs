//! Subjects whose counter at the gate may be behind what is written.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::QuotaKey;

/// Subjects remembered: far more than use a quota in the moments that this is for. Further ones are found when their next
/// batch is written.
const KEYS_MAX: usize = 100_000;

/// A bounded set that costs one look at a number while it is empty.
#[derive(Default)]
pub(super) struct Dirty {
    keys: Mutex<HashSet<QuotaKey>>,
    count: AtomicUsize,
}

impl Dirty {
    pub(super) fn note(&self, keys: impl IntoIterator<Item = QuotaKey>) {
        let mut known = self.lock();
        for key in keys {
            if known.len() < KEYS_MAX {
                known.insert(key);
            }
        }
        self.count.store(known.len(), Ordering::Relaxed);
    }

    pub(super) fn has(&self, key: &QuotaKey) -> bool {
        self.count.load(Ordering::Relaxed) > 0 && self.lock().contains(key)
    }

    pub(super) fn clean(&self, key: &QuotaKey) {
        let mut known = self.lock();
        known.remove(key);
        self.count.store(known.len(), Ordering::Relaxed);
    }

    pub(super) fn all(&self) -> Vec<QuotaKey> {
        if self.count.load(Ordering::Relaxed) == 0 { Vec::new() } else { self.lock().iter().cloned().collect() }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<QuotaKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
