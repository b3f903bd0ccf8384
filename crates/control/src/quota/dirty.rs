//! Subjects whose counter at the gate may differ from what it should be.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{QuotaKey, QuotaUse};

/// Subjects remembered: far more than use a quota in the moments that this is for. Further ones are found when their next
/// batch is written.
const KEYS_MAX: usize = 100_000;

/// Lost answers remembered for each: a gate that gives none is soon not asked any more.
const DOUBTFUL_MAX: usize = 1_000;

/// A bounded map that costs one look at a number while it is empty: each subject, with the uses that the gate may have
/// counted although somebody else has.
#[derive(Default)]
pub(super) struct Dirty {
    keys: Mutex<HashMap<QuotaKey, Vec<QuotaUse>>>,
    count: AtomicUsize,
}

impl Dirty {
    /// More is written of these than their counters know.
    pub(super) fn note(&self, keys: impl IntoIterator<Item = QuotaKey>) {
        let mut keys = keys.into_iter().peekable();
        if keys.peek().is_none() {
            return;
        }
        self.change(|known| {
            for key in keys {
                if known.len() < KEYS_MAX {
                    known.entry(key).or_default();
                }
            }
        });
    }

    /// The gate may have counted these and must not have.
    pub(super) fn doubt(&self, key: &QuotaKey, uses: Vec<QuotaUse>) {
        self.change(|known| {
            if known.len() < KEYS_MAX {
                let doubtful = known.entry(key.clone()).or_default();
                doubtful.extend(uses);
                doubtful.truncate(DOUBTFUL_MAX);
            }
        });
    }

    pub(super) fn has(&self, key: &QuotaKey) -> bool {
        self.count.load(Ordering::Relaxed) > 0 && self.lock().contains_key(key)
    }

    /// It is being looked after; what is noted meanwhile counts anew.
    pub(super) fn take(&self, key: &QuotaKey) -> Vec<QuotaUse> {
        let mut doubtful = None;
        self.change(|known| doubtful = known.remove(key));
        doubtful.unwrap_or_default()
    }

    pub(super) fn all(&self) -> Vec<QuotaKey> {
        if self.count.load(Ordering::Relaxed) == 0 { Vec::new() } else { self.lock().keys().cloned().collect() }
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<QuotaKey, Vec<QuotaUse>>)) {
        let mut known = self.lock();
        change(&mut known);
        self.count.store(known.len(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<QuotaKey, Vec<QuotaUse>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
