//! The gate in memory, and the model of the Redis scripts.
//!
//! [`state`] says which sales there are and which of them can be trusted, [`sale`] decides purchases, [`effects`]
//! follows what became of them, [`aside`] keeps units for late payments and withdrawals, [`tokens`] counts what is in flight. All of that is plain data with
//! methods that are told the time; only this file knows the lock and the clock.

mod aside;
mod check;
mod concurrency;
mod effects;
mod sale;
mod state;
mod tokens;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::ports::{Clock, Condition, Gate, Health, Held, JobLookup, Leased, Outage, RecordPage, Reserved, Withdrawn};
use domain::{
    Attempt, Hold, ItemIndex, JobId, Reservation, Route, SaleState, StockEffect, Timestamp, Verdict, WarmSale,
    Withdrawal, from_ms,
};

use self::state::GateState;
use super::lock;

/// The gate of one process.
pub struct EmbeddedGate {
    clock: Arc<dyn Clock>,
    state: Mutex<GateState>,
}

impl EmbeddedGate {
    /// A gate without any sale.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Forgets every sale, as a Redis server does that comes back without its data. For drills and tests.
    pub fn lose_everything(&self) {
        *lock(&self.state) = GateState::default();
    }

    /// The clock to the millisecond: no decision sees a finer one.
    fn now(&self) -> Timestamp {
        from_ms(self.clock.now().timestamp_millis())
    }
}

#[async_trait]
impl Gate for EmbeddedGate {
    async fn admit(&self, route: Route, attempts: &[Attempt], confirmed: &[JobId]) -> Result<Vec<Verdict>, Outage> {
        Ok(lock(&self.state).admit(route, attempts, confirmed, self.now()))
    }

    async fn mark_queued(&self, route: Route, confirmed: &[JobId]) -> Result<(), Outage> {
        lock(&self.state).mark_queued(route, confirmed, self.now());
        Ok(())
    }

    async fn claim_overdue(&self, route: Route, limit: usize) -> Result<Vec<Reservation>, Outage> {
        Ok(lock(&self.state).claim_overdue(route, limit, self.now()))
    }

    async fn hold(&self, route: Route, holds: &[Hold], version: Option<(ItemIndex, i64)>) -> Result<Held, Outage> {
        Ok(lock(&self.state).hold(route, holds, version, self.now()))
    }

    async fn reserve(&self, job: JobId, rev: u32) -> Result<Reserved, Outage> {
        Ok(lock(&self.state).reserve(job, rev, self.now()))
    }

    async fn withdraw(&self, withdrawal: &Withdrawal) -> Result<Withdrawn, Outage> {
        Ok(lock(&self.state).withdraw(withdrawal, self.now()))
    }

    async fn restock(&self, route: Route, effect: &StockEffect, version: Option<i64>) -> Result<Held, Outage> {
        Ok(lock(&self.state).restock(route, effect, version, self.now()))
    }

    async fn records(&self, route: Route, from: u64, limit: usize) -> Result<Option<RecordPage>, Outage> {
        Ok(lock(&self.state).records(route, from, limit, self.now()))
    }

    async fn jobs(&self, _route: Route, jobs: &[JobId]) -> Result<Vec<JobLookup>, Outage> {
        let (mut state, now) = (lock(&self.state), self.now());
        Ok(jobs.iter().map(|job| state.job(*job, now)).collect())
    }

    async fn begin_epoch(&self, sale: &WarmSale) -> Result<bool, Outage> {
        Ok(lock(&self.state).begin_epoch(sale, self.now()))
    }

    async fn finish_epoch(&self, route: Route, epoch: u32, versions: &[i64]) -> Result<bool, Outage> {
        Ok(lock(&self.state).finish_epoch(route, epoch, versions, self.now()))
    }

    async fn follow(&self, sale: &WarmSale, state: SaleState) -> Result<bool, Outage> {
        Ok(lock(&self.state).follow(sale, state, self.now()))
    }

    async fn lease(&self, route: Route) -> Result<Leased, Outage> {
        Ok(lock(&self.state).lease(route, self.now()))
    }

    async fn condition(&self, route: Route) -> Result<Condition, Outage> {
        Ok(lock(&self.state).condition(route, self.now()))
    }
}

#[async_trait]
impl Health for EmbeddedGate {
    fn name(&self) -> &'static str {
        "embedded gate"
    }

    async fn check(&self) -> Result<(), Outage> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use std::sync::atomic::{AtomicI64, Ordering};

    use domain::{SaleNumber, Shard};

    use super::*;

    #[derive(Default)]
    struct ByHand(AtomicI64);

    impl Clock for ByHand {
        fn now(&self) -> Timestamp {
            from_ms(self.0.load(Ordering::SeqCst))
        }
    }

    #[tokio::test]
    async fn a_sale_is_forgotten_when_its_time_has_come_and_not_while_its_orders_change() {
        let clock = Arc::new(ByHand::default());
        let gate = EmbeddedGate::new(clock.clone());
        let route = Route { sale: SaleNumber::new(1).unwrap(), shard: Shard::default() };
        let sale = WarmSale {
            route,
            epoch: 1,
            opens_at: from_ms(0),
            closes_at: from_ms(500),
            forget_at: from_ms(1_000),
            limit_per_buyer: 1,
            stock: vec![domain::ItemStock { units: 1, rev: 0 }],
            reloaded: false,
        };
        let is_there = async || gate.condition(route).await.unwrap() != Condition::Missing;
        assert!(gate.begin_epoch(&sale).await.unwrap());
        clock.0.store(999, Ordering::SeqCst);
        assert!(is_there().await);
        assert_eq!(gate.hold(route, &[], None).await.unwrap(), Held::Applied(0));
        clock.0.store(24 * 3_600 * 1_000, Ordering::SeqCst);
        assert!(is_there().await, "a day after its last change");
        clock.0.store(26 * 3_600 * 1_000, Ordering::SeqCst);
        assert!(!is_there().await);

        assert!(gate.begin_epoch(&WarmSale { forget_at: from_ms(i64::MAX >> 16), ..sale }).await.unwrap());
        gate.lose_everything();
        assert!(!is_there().await);
    }
}
