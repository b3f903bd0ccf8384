//! Keeps the gate in step with Postgres: loads again what the gate has lost, and repeats what it has missed.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use control::{Concurrency, Pools, Task, TaskPool, lock};
use domain::ports::{Clock, Condition, Gate, Operator, Outage, SaleStore};
use domain::{Route, Sale, SaleId, WarmSale, whole_ms};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::restock::finish_withdrawals;
use crate::warmup::{WarmError, Warmup};

/// How often sales are looked at. A sale that was lost is closed at once and open again about this much later.
const EVERY: Duration = Duration::from_millis(500);

/// A loading that takes longer than this has lost its leader, and another one starts over.
const LOADING_MAX_MS: u64 = 10_000;

/// Sales are kept in view this long after their end: the longest payment window and the day after it.
const KEEP_ENDED_S: u32 = 9 * 86_400;

/// The routes of every sale that is warm, shared by the tasks that look after them.
#[derive(Debug, Default)]
pub struct Routes(Mutex<Vec<Route>>);

impl Routes {
    /// As of the last look; the list outlives an absence of Postgres.
    pub fn all(&self) -> Vec<Route> {
        lock(&self.0).clone()
    }
}

/// Sales that are loaded again side by side: each may wait for the queue to drain, and all of them for the same one.
const LOADS_MAX: usize = 20;

/// Looks after every warm sale.
pub struct Keeper {
    /// Loads sales.
    pub warmup: Arc<Warmup>,
    /// What has to be in step.
    pub gate: Arc<dyn Gate>,
    /// With what.
    pub sales: Arc<dyn SaleStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Kept current, for the watch.
    pub routes: Arc<Routes>,
    /// How many sales may be loaded at once, over all processes.
    pub concurrency: Arc<Concurrency>,
    /// And in this one.
    pub pools: Arc<Pools>,
}

impl Keeper {
    /// Runs until stopped, and until what is being loaded is loaded. Several keepers do no harm: one of them gets the lock of
    /// a sale, and epochs decide should that be lost.
    pub async fn run(self, stop: CancellationToken) {
        let Self { warmup, gate, sales, clock, routes, concurrency, pools } = self;
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut postgres_is_away = false;
        let (looks, loads) = (pools.workers(), Loads::new(warmup, concurrency, pools.pool("rebuilds", LOADS_MAX)));
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let listed = match sales.sales(KEEP_ENDED_S).await {
                Ok(listed) => listed,
                Err(outage) => {
                    if !std::mem::replace(&mut postgres_is_away, true) {
                        warn!(%outage, "sales cannot be read; the gate goes on with what it has");
                    }
                    continue;
                }
            };
            postgres_is_away = false;
            let now = clock.now();
            let warm: Vec<Sale> = listed
                .into_iter()
                .filter(|sale| sale.epoch > 0 && now < WarmSale::new(sale, sale.epoch).forget_at)
                .collect();
            *lock(&routes.0) = warm.iter().map(Sale::route).collect();
            if let Err(outage) = finish_withdrawals(gate.as_ref(), sales.as_ref(), clock.now()).await {
                warn!(%outage, "withdrawals could not be looked at");
            }
            let (looks, loads, gate, sales) = (&looks, &loads, gate.as_ref(), sales.as_ref());
            let look = |sale: Sale| async move {
                let lost = looks.execute(look_after(gate, sales, &sale)).await;
                match lost {
                    Ok(None) => {}
                    // One that takes long keeps the others waiting for nothing.
                    Ok(Some(lost)) => loads.submit(&sale, lost),
                    Err(error) => not_looked_after(&sale, &error),
                }
            };
            join_all(warm.into_iter().map(look)).await;
        }
        loads.pool.close().await;
    }
}

fn not_looked_after(sale: &Sale, error: &dyn std::fmt::Display) {
    warn!(sale.id = %sale.id, %error, "sale {} could not be looked after; next try in a moment", sale.id);
}

/// Sales that are being loaded again, or wait for their turn: each of them once, however often it is missed meanwhile.
struct Loads {
    warmup: Arc<Warmup>,
    concurrency: Arc<Concurrency>,
    pool: Arc<TaskPool>,
    under_way: Arc<Mutex<HashSet<SaleId>>>,
}

impl Loads {
    fn new(warmup: Arc<Warmup>, concurrency: Arc<Concurrency>, pool: Arc<TaskPool>) -> Self {
        Self { warmup, concurrency, pool, under_way: Arc::default() }
    }

    fn submit(&self, sale: &Sale, lost: &'static str) {
        let Some(under_way) = UnderWay::begin(&self.under_way, &sale.id) else { return };
        let (warmup, concurrency, sale) = (self.warmup.clone(), self.concurrency.clone(), sale.clone());
        let load = async move {
            let _under_way = under_way;
            load_again(&warmup, &concurrency, &sale, lost).await
        };
        let _ = self.pool.submit(load); // or it is closed, and the process ends
    }
}

/// A sale's place among those, until this is dropped: also by a panic, or by a pool that refuses what waits.
struct UnderWay(Arc<Mutex<HashSet<SaleId>>>, SaleId);

impl UnderWay {
    fn begin(all: &Arc<Mutex<HashSet<SaleId>>>, id: &SaleId) -> Option<Self> {
        lock(all).insert(id.clone()).then(|| Self(all.clone(), id.clone()))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        lock(&self.0).remove(&self.1);
    }
}

async fn load_again(
    warmup: &Warmup,
    concurrency: &Concurrency,
    sale: &Sale,
    lost: &'static str,
) -> Result<(), WarmError> {
    let by = Operator { via: "keeper".to_owned(), reason: Some(lost.to_owned()) };
    match concurrency.attempt(Task::Rebuild, warmup.load_again(&sale.id, &by)).await {
        Err(_) => Ok(()),                          // others are being loaded; the next look finds it again
        Ok(Err(WarmError::Conflict(_))) => Ok(()), // somebody else is at it, or was faster
        Ok(Err(error)) => {
            not_looked_after(sale, &error);
            Err(error)
        }
        Ok(Ok(None)) => Ok(()), // it is well again
        Ok(Ok(Some(_))) => {
            info!(sale.id = %sale.id, lost, "sale {} was loaded again: {lost}", sale.id);
            metrics::counter!("seckill_rebuilds_total").increment(1);
            Ok(())
        }
    }
}

/// Why the gate has lost the sale, if it has.
async fn look_after(gate: &dyn Gate, sales: &dyn SaleStore, sale: &Sale) -> Result<Option<&'static str>, Outage> {
    let lost = match gate.condition(sale.route()).await? {
        Condition::Ready(counters, state) if counters.epoch == sale.epoch => {
            let follows = (state, counters.opens_at, counters.closes_at, counters.limit_per_buyer)
                == (sale.state, whole_ms(sale.opens_at), whole_ms(sale.closes_at), sale.limit_per_buyer);
            // Read again: the list may be older than the operator's last word.
            if !follows && let Some(sale) = sales.sale(&sale.id).await? {
                gate.follow(&WarmSale::new(&sale, sale.epoch), sale.state).await?;
            }
            return Ok(None);
        }
        // Somebody has begun a later epoch since Postgres was read.
        Condition::Ready(counters, _) if counters.epoch > sale.epoch => return Ok(None),
        Condition::Ready(..) => "the gate is in an older epoch",
        Condition::Stale { loading_for_ms: Some(ms), .. } if ms < LOADING_MAX_MS => return Ok(None),
        Condition::Stale { loading_for_ms: Some(_), .. } => "its loading was not finished",
        Condition::Stale { loading_for_ms: None, .. } => "the gate was restarted",
        Condition::Missing => "the gate has lost it",
    };
    Ok(Some(lost))
}

#[cfg(test)]
#[path = "keeper_tests.rs"]
mod tests;
