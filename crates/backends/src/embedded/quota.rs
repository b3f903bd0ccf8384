//! The port [`QuotaGate`] in memory.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use async_trait::async_trait;
use domain::ports::{Outage, QuotaGate};
use domain::{QuotaKey, QuotaSeed, QuotaTaken, QuotaUsage, QuotaUse, Timestamp};

use super::lock;

/// Counters of one process.
#[derive(Default)]
pub struct EmbeddedQuotas(Mutex<HashMap<QuotaKey, Counter>>);

struct Counter {
    generation: String,
    /// Units known of other generations.
    base: u64,
    /// Units counted here.
    counted: u64,
    ids: HashSet<String>,
}

impl EmbeddedQuotas {
    /// Forgets everything, as a server that was restarted without its data.
    pub fn forget(&self) {
        lock(&self.0).clear();
    }
}

#[async_trait]
impl QuotaGate for EmbeddedQuotas {
    async fn take(
        &self,
        one: &QuotaUse,
        limit: u64,
        _ends_at: Timestamp,
        seed: Option<&QuotaSeed>,
    ) -> Result<QuotaTaken, Outage> {
        let mut counters = lock(&self.0);
        if !counters.contains_key(&one.key) {
            let Some(QuotaSeed { used, generation }) = seed else { return Ok(QuotaTaken::Unseeded) };
            // The first of a new day: those of the days before are over, but for the hours in which zones differ.
            counters.retain(|key, _| (one.key.day - key.day).num_days() <= 1);
            let counter = Counter { generation: generation.clone(), base: *used, counted: 0, ids: HashSet::new() };
            counters.insert(one.key.clone(), counter);
        }
        let Some(counter) = counters.get_mut(&one.key) else { return Ok(QuotaTaken::Unseeded) };
        let remaining = limit.saturating_sub(counter.base + counter.counted);
        if counter.ids.contains(&one.id) {
            return Ok(QuotaTaken::Before { remaining });
        }
        let units = u64::from(one.units);
        if units > remaining {
            return Ok(QuotaTaken::Exceeded { remaining });
        }
        counter.counted += units;
        counter.ids.insert(one.id.clone());
        Ok(QuotaTaken::Allowed { remaining: remaining - units, generation: counter.generation.clone() })
    }

    async fn give_back(&self, one: &QuotaUse) -> Result<bool, Outage> {
        let mut counters = lock(&self.0);
        let Some(counter) = counters.get_mut(&one.key) else { return Ok(false) };
        let counted = counter.ids.remove(&one.id);
        if counted {
            counter.counted = counter.counted.saturating_sub(u64::from(one.units));
        }
        Ok(counted)
    }

    async fn raise(&self, key: &QuotaKey, written: &[QuotaUsage]) -> Result<(), Outage> {
        if let Some(counter) = lock(&self.0).get_mut(key) {
            let others = written.iter().filter(|one| one.generation != counter.generation).map(|one| one.used).sum();
            counter.base = counter.base.max(others);
        }
        Ok(())
    }

    async fn counted(&self, key: &QuotaKey) -> Result<Option<u64>, Outage> {
        Ok(lock(&self.0).get(key).map(|counter| counter.base + counter.counted))
    }
}
