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
pub(super) struct Dirty {
    keys_max: usize,
    keys: Mutex<HashMap<QuotaKey, Vec<QuotaUse>>>,
    count: AtomicUsize,
}

impl Default for Dirty {
    fn default() -> Self {
        Self { keys_max: KEYS_MAX, keys: Mutex::default(), count: AtomicUsize::new(0) }
    }
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
                if known.len() < self.keys_max || known.contains_key(&key) {
                    known.entry(key).or_default();
                }
            }
        });
    }

    /// The gate may have counted these and must not have.
    pub(super) fn doubt(&self, key: &QuotaKey, uses: Vec<QuotaUse>) {
        self.change(|known| {
            if known.len() < self.keys_max || known.contains_key(key) {
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

#[cfg(test)]
mod tests {
    use domain::QuotaKind;

    use super::*;

    #[test]
    fn a_full_map_still_takes_doubts_about_subjects_that_it_knows() {
        let key = |subject: &str| QuotaKey {
            kind: QuotaKind::Requests,
            subject: subject.to_owned(),
            day: chrono::NaiveDate::default(),
        };
        let doubt = |subject: &str| {
            let at = domain::from_ms(0);
            vec![QuotaUse { key: key(subject), id: "1".to_owned(), attempt: String::new(), units: 1, at }]
        };
        let dirty = Dirty { keys_max: 1, ..Dirty::default() };
        dirty.note([key("app")]);
        dirty.doubt(&key("app"), doubt("app"));
        dirty.doubt(&key("web"), doubt("web"));
        assert_eq!(dirty.take(&key("app")), doubt("app"));
        assert!(!dirty.has(&key("web")), "there is no room for another one");
    }
}
