//! Quotas on the in-process backends.

use std::sync::Arc;

use async_trait::async_trait;
use control::{Live, QuotaLimits, QuotaParts, QuotaSettings, Quotas};
use domain::ports::{Outage, QuotaGate, QuotaStore};
use domain::{QuotaEnd, QuotaEvent, QuotaKey, QuotaSeed, QuotaTaken, QuotaUsage, QuotaUse, Timestamp};

use crate::world::{Faulty, TestClock, TestEntropy};

/// Quotas on the backends of a test.
pub fn quotas(world: &Arc<Faulty>, clock: Arc<TestClock>, settings: QuotaSettings) -> Arc<Quotas> {
    let limits = QuotaLimits {
        purchases_per_buyer_and_day: settings.purchases_per_buyer_and_day,
        requests_per_client_and_day: settings.requests_per_client_and_day,
    };
    let limits = Live::new("quotas", world.store.clone(), limits);
    let entropy = Arc::new(TestEntropy::default());
    let parts = QuotaParts { gate: world.clone(), store: world.clone(), clock, entropy, limits };
    Quotas::start(settings, parts).unwrap()
}

#[async_trait]
impl QuotaGate for Faulty {
    async fn take(
        &self,
        one: &QuotaUse,
        limit: u64,
        ends_at: Timestamp,
        seed: Option<&QuotaSeed>,
    ) -> Result<QuotaTaken, Outage> {
        self.reach(&self.faults.gate_away)?;
        self.quotas.take(one, limit, ends_at, seed).await
    }
    async fn end(&self, one: &QuotaUse, end: QuotaEnd) -> Result<bool, Outage> {
        self.reach(&self.faults.gate_away)?;
        self.quotas.end(one, end).await
    }
    async fn raise(&self, key: &QuotaKey, written: &[QuotaUsage]) -> Result<(), Outage> {
        self.reach(&self.faults.gate_away)?;
        self.quotas.raise(key, written).await
    }
    async fn counted(&self, key: &QuotaKey) -> Result<Option<u64>, Outage> {
        self.reach(&self.faults.gate_away)?;
        self.quotas.counted(key).await
    }
}

#[async_trait]
impl QuotaStore for Faulty {
    async fn write(&self, events: &[QuotaEvent]) -> Result<Vec<QuotaKey>, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.write(events).await
    }
    async fn written(&self, key: &QuotaKey) -> Result<Vec<QuotaUsage>, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.written(key).await
    }
    async fn used(&self, key: &QuotaKey, from: Timestamp, until: Timestamp) -> Result<u64, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.used(key, from, until).await
    }
    async fn take_directly(&self, one: &QuotaUse, limit: u64) -> Result<QuotaTaken, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.take_directly(one, limit).await
    }
    async fn sweep(&self, before: chrono::NaiveDate, limit: usize) -> Result<u64, Outage> {
        self.store.sweep(before, limit).await
    }
}
