//! The in-process backends with a clock that tests set and faults that tests cause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use backends::embedded::{Embedded, EmbeddedGate, EmbeddedLimits, EmbeddedQueue, EmbeddedQuotas, EmbeddedStore};
use domain::ports::{
    ActivityStore, Changed, Clock, Condition, Entropy, Gate, Health, Held, JobLookup, Leased, NotedActivity, Operator,
    OrderArchive, OrderHistory, OrderPage, OrderStore, Outage, PlaceError, Placement, Queue, RecordPage, Reserved,
    Restocked, SaleStore, Seen, SharedLimit, SharedLimits, Spent, Unplaced, Withdrawn,
};
use domain::{
    ActivityRow, Attempt, BuyerId, Hold, Instance, ItemIndex, ItemTotals, JobId, NewSale, OrderStatus, OrderView,
    Patch, RefusedReason, Reservation, Restock, RestockId, Route, Sale, SaleId, SaleNumber, SaleState, Shard,
    StockEffect, Timestamp, Verdict, WarmSale, Withdrawal,
};

/// Stands still until it is told to go on.
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(chrono::Utc::now().timestamp_millis())))
    }

    pub fn go_on(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        domain::from_ms(self.0.load(Ordering::SeqCst))
    }
}

/// Counts: what tests need is that two draws differ.
#[derive(Default)]
pub struct TestEntropy(AtomicU64);

impl Entropy for TestEntropy {
    fn six(&self) -> [u8; 6] {
        let bytes = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        [bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]
    }
}

/// What goes wrong at the moment.
#[derive(Default)]
pub struct Faults {
    /// The gate answers nothing.
    pub gate_away: AtomicBool,
    /// Calls of the shared limits; they are away with the gate.
    pub limit_calls: AtomicU64,
    /// The gate decides, and its answer is lost.
    pub admit_unanswered: AtomicBool,
    /// Whoever reads records next panics.
    pub records_panic: AtomicBool,
    /// The broker takes messages, and its confirms are lost.
    pub unconfirmed: AtomicBool,
    /// The broker takes nothing.
    pub broker_away: AtomicBool,
    /// The database answers nothing.
    pub store_away: AtomicBool,
    /// Counts the questions about activity.
    pub activity_read: AtomicU64,
    /// Counts the questions to the gate about purchases.
    pub asked: AtomicU64,
}

/// The backends, each behind the faults.
#[derive(Clone)]
pub struct Faulty {
    pub gate: Arc<EmbeddedGate>,
    pub queue: Arc<EmbeddedQueue>,
    pub store: Arc<EmbeddedStore>,
    pub limits: Arc<EmbeddedLimits>,
    pub quotas: Arc<EmbeddedQuotas>,
    pub faults: Arc<Faults>,
}

impl Faulty {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let limits = Arc::new(EmbeddedLimits::new(clock.clone()));
        let Embedded { gate, queue, store, quotas } = Embedded::new(clock);
        Arc::new(Self { gate, queue, store, limits, quotas, faults: Arc::default() })
    }

    pub fn reach(&self, fault: &AtomicBool) -> Result<(), Outage> {
        if fault.load(Ordering::SeqCst) { Err(Outage::NotSent("a test took it away".to_owned())) } else { Ok(()) }
    }
}

#[async_trait]
impl Gate for Faulty {
    async fn admit(&self, route: Route, attempts: &[Attempt], marks: &[JobId]) -> Result<Vec<Verdict>, Outage> {
        self.faults.asked.fetch_add(attempts.len() as u64, Ordering::SeqCst);
        self.reach(&self.faults.gate_away)?;
        let verdicts = self.gate.admit(route, attempts, marks).await;
        if self.faults.admit_unanswered.load(Ordering::SeqCst) {
            return Err(Outage::Unknown("a test lost the answer".to_owned()));
        }
        verdicts
    }
    async fn mark_queued(&self, route: Route, marks: &[JobId]) -> Result<(), Outage> {
        self.reach(&self.faults.gate_away)?;
        self.gate.mark_queued(route, marks).await
    }
    async fn claim_overdue(&self, route: Route, limit: usize) -> Result<Vec<Reservation>, Outage> {
        self.gate.claim_overdue(route, limit).await
    }
    async fn hold(&self, route: Route, holds: &[Hold], version: Option<(ItemIndex, i64)>) -> Result<Held, Outage> {
        self.gate.hold(route, holds, version).await
    }
    async fn reserve(&self, job: JobId, rev: u32) -> Result<Reserved, Outage> {
        self.gate.reserve(job, rev).await
    }
    async fn withdraw(&self, withdrawal: &Withdrawal) -> Result<Withdrawn, Outage> {
        self.reach(&self.faults.gate_away)?;
        self.gate.withdraw(withdrawal).await
    }
    async fn restock(&self, route: Route, effect: &StockEffect, version: Option<i64>) -> Result<Held, Outage> {
        self.gate.restock(route, effect, version).await
    }
    async fn records(&self, route: Route, from: u64, limit: usize) -> Result<Option<RecordPage>, Outage> {
        self.reach(&self.faults.gate_away)?;
        assert!(!self.faults.records_panic.swap(false, Ordering::SeqCst), "a test wants a panic");
        self.gate.records(route, from, limit).await
    }
    async fn jobs(&self, route: Route, jobs: &[JobId]) -> Result<Vec<JobLookup>, Outage> {
        self.reach(&self.faults.gate_away)?;
        self.gate.jobs(route, jobs).await
    }
    async fn begin_epoch(&self, sale: &WarmSale) -> Result<bool, Outage> {
        self.reach(&self.faults.gate_away)?;
        self.gate.begin_epoch(sale).await
    }
    async fn finish_epoch(&self, route: Route, epoch: u32, versions: &[i64]) -> Result<bool, Outage> {
        self.gate.finish_epoch(route, epoch, versions).await
    }
    async fn follow(&self, sale: &WarmSale, state: SaleState) -> Result<bool, Outage> {
        self.reach(&self.faults.gate_away)?;
        self.gate.follow(sale, state).await
    }
    async fn lease(&self, route: Route) -> Result<Leased, Outage> {
        self.reach(&self.faults.gate_away)?;
        self.gate.lease(route).await
    }
    async fn condition(&self, route: Route) -> Result<Condition, Outage> {
        self.reach(&self.faults.gate_away)?;
        self.gate.condition(route).await
    }
}

#[async_trait]
impl SharedLimits for Faulty {
    async fn spend(&self, limits: &[SharedLimit]) -> Result<Spent, Outage> {
        self.reach(&self.faults.gate_away)?;
        self.faults.limit_calls.fetch_add(1, Ordering::SeqCst);
        self.limits.spend(limits).await
    }
}

#[async_trait]
impl Queue for Faulty {
    fn is_open(&self) -> bool {
        self.reach(&self.faults.broker_away).is_ok() && self.queue.is_open()
    }
    async fn publish(&self, shard: Shard, group: &[Reservation]) -> Result<(), Outage> {
        self.queue.publish(shard, group).await?;
        if self.faults.unconfirmed.load(Ordering::SeqCst) {
            return Err(Outage::Unknown("a test lost the confirm".to_owned()));
        }
        Ok(())
    }
    async fn depth(&self) -> Result<u64, Outage> {
        self.queue.depth().await
    }
    async fn consumers(&self) -> Result<u64, Outage> {
        self.queue.consumers().await
    }
}

#[async_trait]
impl OrderStore for Faulty {
    async fn place(&self, batch: &[Reservation]) -> Result<Vec<Placement>, PlaceError> {
        self.store.place(batch).await
    }
    async fn refuse(&self, jobs: &[Unplaced], reason: RefusedReason) -> Result<Vec<Placement>, Outage> {
        self.store.refuse(jobs, reason).await
    }
    async fn hold(&self, job: JobId) -> Result<Option<Hold>, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.hold(job).await
    }
    async fn order(&self, order: JobId, buyer: &BuyerId) -> Result<Option<OrderView>, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.order(order, buyer).await
    }
    async fn orders_of(&self, buyer: &BuyerId, sale: Option<&SaleId>) -> Result<Vec<OrderView>, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.orders_of(buyer, sale).await
    }
    async fn totals(&self, sale: SaleNumber, seen: &[i64]) -> Result<Vec<ItemTotals>, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.totals(sale, seen).await
    }
}

#[async_trait]
impl OrderArchive for Faulty {
    async fn page(
        &self,
        sale: &SaleId,
        status: Option<OrderStatus>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<OrderPage, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.page(sale, status, after, limit).await
    }
    async fn history(&self, order: JobId) -> Result<OrderHistory, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.history(order).await
    }
}

#[async_trait]
impl SaleStore for Faulty {
    async fn create(&self, sale: &NewSale, by: &Operator) -> Result<Option<Sale>, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.create(sale, by).await
    }
    async fn sales(&self, keep_ended_s: u32) -> Result<Vec<Sale>, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.sales(keep_ended_s).await
    }
    async fn sale(&self, id: &SaleId) -> Result<Option<Sale>, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.sale(id).await
    }
    async fn set_state(&self, id: &SaleId, state: SaleState, by: &Operator) -> Result<Changed, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.set_state(id, state, by).await
    }
    async fn patch(&self, id: &SaleId, patch: &Patch, by: &Operator) -> Result<Changed, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.patch(id, patch, by).await
    }
    async fn next_epoch(&self, id: &SaleId, by: &Operator) -> Result<Option<u32>, Outage> {
        self.store.next_epoch(id, by).await
    }
    async fn restock(&self, sale: &SaleId, restock: &Restock, by: &Operator) -> Result<Restocked, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.restock(sale, restock, by).await
    }
    async fn end_withdrawal(&self, sale: &SaleId, id: &RestockId, taken: bool) -> Result<Restocked, Outage> {
        self.store.end_withdrawal(sale, id, taken).await
    }
    async fn open_withdrawals(&self, older_than_s: u32) -> Result<Vec<Withdrawal>, Outage> {
        self.store.open_withdrawals(older_than_s).await
    }
    async fn versions(&self, sale: SaleNumber) -> Result<Vec<i64>, Outage> {
        self.store.versions(sale).await
    }
    async fn holds(&self, sale: SaleNumber, after: Option<JobId>, limit: usize) -> Result<Vec<Hold>, Outage> {
        self.store.holds(sale, after, limit).await
    }
}

#[async_trait]
impl ActivityStore for Faulty {
    async fn note(&self, by: &Instance, rows: &[ActivityRow]) -> Result<(), Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.note(by, rows).await
    }
    async fn activity(&self, sale: SaleNumber, after: i64, limit: usize) -> Result<Vec<NotedActivity>, Outage> {
        self.reach(&self.faults.store_away)?;
        self.faults.activity_read.fetch_add(1, Ordering::SeqCst);
        self.store.activity(sale, after, limit).await
    }
    async fn instances(&self, within_s: u32) -> Result<Vec<Seen>, Outage> {
        self.reach(&self.faults.store_away)?;
        self.store.instances(within_s).await
    }
    async fn condense(&self, older_than_s: u32, limit: usize) -> Result<u64, Outage> {
        self.store.condense(older_than_s, limit).await
    }
}

#[async_trait]
impl Health for Faulty {
    fn name(&self) -> &'static str {
        "embedded"
    }
    async fn check(&self) -> Result<(), Outage> {
        self.reach(&self.faults.gate_away)?;
        self.reach(&self.faults.store_away)
    }
}
