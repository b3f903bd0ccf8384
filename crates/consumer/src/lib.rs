//! Turns a job into an order, once, and tells the gate and the world about it.
//!
//! [`place`] takes what waits on a lane and writes it in one transaction, acknowledged only after the commit;
//! [`relay`] carries the outbox to the gate and to the events exchange; [`deadlines`] ends unpaid orders, [`payments`] what
//! came too late for one; [`retention`] clears what is long over, [`condense`] makes minutes of
//! old seconds. The rules of a placement are `domain`'s, the
//! transaction is the store's.

mod condense;
mod deadlines;
mod pace;
mod payments;
mod place;
mod relay;
mod retention;
mod tidy;

use std::sync::Arc;

use control::{Concurrency, Meter, Works};
use domain::ports::{
    Clock, EventBus, Gate, Lane, OrderLife, OrderStore, Outbox, PaymentProvider, Retention, SaleStore, Sink,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use retention::RetentionSettings;

/// Everything a consumer works with.
pub struct Consumer {
    /// The lanes it serves, one task each.
    pub lanes: Vec<Box<dyn Lane>>,
    /// Where orders are written.
    pub orders: Arc<dyn OrderStore>,
    /// What becomes of them.
    pub life: Arc<dyn OrderLife>,
    /// Who gives money back; `None` where somebody else does, from the rows that say so.
    pub payments: Option<Arc<dyn PaymentProvider>>,
    /// What was written with them.
    pub outbox: Arc<dyn Outbox>,
    /// Sales, to know which of them are over for good.
    pub sales: Arc<dyn SaleStore>,
    /// Forgets sales that are over.
    pub retention: Arc<dyn Retention>,
    /// When.
    pub kept: RetentionSettings,
    /// Where effects go.
    pub gate: Arc<dyn Gate>,
    /// Where events go.
    pub bus: Arc<dyn EventBus>,
    /// How much may be under way at once.
    pub concurrency: Arc<Concurrency>,
    /// Counts what becomes of jobs, under [`OUTCOMES`].
    pub meter: Arc<Meter>,
    /// The clock that latencies are measured by.
    pub clock: Arc<dyn Clock>,
    /// Task pools and measures.
    pub works: Arc<Works>,
}

/// The words that a consumer counts under.
pub const OUTCOMES: &[&str] = &[domain::activity::PLACED, domain::activity::REJECTED];

/// Their positions.
const PLACED: usize = 0;
const REJECTED: usize = 1;

impl Consumer {
    /// Works until stopped: the batch in hand is finished and acknowledged, the rest stays on the queue.
    pub async fn run(self, stop: CancellationToken) {
        // Seen from the start, so that the first one shows as an increase.
        metrics::counter!("seckill_job_retries_total", "stage" => "place").increment(0);
        metrics::counter!("seckill_dead_letters_total").increment(0);
        let tasks = TaskTracker::new();
        for lane in self.lanes {
            tasks.spawn(place::serve(lane, self.orders.clone(), self.clock.clone(), self.meter.clone(), stop.clone()));
        }
        tasks.spawn(deadlines::serve(self.life.clone(), stop.clone()));
        let pools = &self.works.pools;
        let cashier = Arc::new(payments::Cashier {
            life: self.life,
            gate: self.gate.clone(),
            provider: self.payments,
            concurrency: self.concurrency,
            deciding: pools.pool("payments", payments::AT_ONCE),
            giving_back: pools.pool("refunds", payments::AT_ONCE),
        });
        tasks.spawn(payments::decide(cashier.clone(), stop.clone()));
        tasks.spawn(payments::give_back(cashier, stop.clone()));
        let to_gate = Arc::new(relay::ToGate::new(self.gate, self.sales, self.clock));
        let to_world = Arc::new(relay::ToWorld(self.bus));
        tasks.spawn(relay::serve(self.outbox.clone(), Sink::Gate, to_gate, stop.clone()));
        tasks.spawn(relay::serve(self.outbox.clone(), Sink::Events, to_world, stop.clone()));
        tasks.spawn(retention::serve(self.retention, self.kept, stop.clone()));
        tasks.spawn(condense::serve(self.meter.store().clone(), stop.clone()));
        tasks.spawn(tidy::serve(self.outbox, stop.clone()));
        let meter = self.meter.clone();
        tasks.spawn(async move { meter.serve(stop).await });
        tasks.close();
        tasks.wait().await;
        self.meter.end().await; // what was placed meanwhile
    }
}
