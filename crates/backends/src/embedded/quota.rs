//! The port [`QuotaGate`] in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use domain::ports::{Outage, QuotaGate};
use domain::{QuotaEnd, QuotaKey, QuotaSeed, QuotaTaken, QuotaUsage, QuotaUse, Timestamp};

use super::lock;

/// One use.
struct Counted {
    units: u32,
    /// Those that hold it.
    tries: Vec<String>,
    /// There were others, and nobody knows how they ended.
    open: bool,
}

/// Tries that one use remembers, as in `quota_take.lua`.
const TRIES_MAX: usize = 16;

/// Counters of one process.
#[derive(Default)]
pub struct EmbeddedQuotas(Mutex<HashMap<QuotaKey, Counter>>);

struct Counter {
    generation: String,
    /// Units known of other generations.
    base: u64,
    /// Units counted here.
    counted: u64,
    ids: HashMap<String, Counted>,
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
            let counter = Counter { generation: generation.clone(), base: *used, counted: 0, ids: HashMap::new() };
            counters.insert(one.key.clone(), counter);
        }
        let Some(counter) = counters.get_mut(&one.key) else { return Ok(QuotaTaken::Unseeded) };
        let remaining = limit.saturating_sub(counter.base + counter.counted);
        let generation = counter.generation.clone();
        if let Some(Counted { tries, open, .. }) = counter.ids.get_mut(&one.id) {
            let held = tries.iter().any(|attempt| *attempt != one.attempt);
            let again = tries.contains(&one.attempt);
            if !again && tries.len() < TRIES_MAX {
                tries.push(one.attempt.clone());
            }
            if again && !held && !*open {
                return Ok(QuotaTaken::Allowed { remaining, generation });
            }
            return Ok(QuotaTaken::Before { remaining, generation, held });
        }
        let units = u64::from(one.units);
        if units > remaining {
            return Ok(QuotaTaken::Exceeded { remaining });
        }
        counter.counted += units;
        let counted = Counted { units: one.units, tries: vec![one.attempt.clone()], open: false };
        counter.ids.insert(one.id.clone(), counted);
        Ok(QuotaTaken::Allowed { remaining: remaining - units, generation })
    }

    async fn end(&self, one: &QuotaUse, end: QuotaEnd) -> Result<bool, Outage> {
        let mut counters = lock(&self.0);
        let Some(counter) = counters.get_mut(&one.key) else { return Ok(false) };
        let Some(Counted { units, tries, open }) = counter.ids.get_mut(&one.id) else { return Ok(false) };
        let Some(at) = tries.iter().position(|attempt| *attempt == one.attempt) else { return Ok(false) };
        tries.remove(at);
        match end {
            QuotaEnd::NotMade => {}
            QuotaEnd::Denied => *open = false,
            QuotaEnd::Unknown => *open = true,
        }
        if *open || !tries.is_empty() {
            return Ok(false);
        }
        counter.counted = counter.counted.saturating_sub(u64::from(*units));
        counter.ids.remove(&one.id);
        Ok(true)
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
