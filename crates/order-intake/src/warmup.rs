//! Loads a sale into the gate: for the first time, or again after the gate has lost it. Both are the same steps.
//!
//! 1. Postgres begins the next epoch.
//! 2. The gate forgets the sale, shuts its doors and counts the whole stock as free.
//! 3. The queue drains, for a short while: what is on it still becomes orders, which are counted in the next step.
//! 4. Every order of the sale is applied as a hold. An order that commits meanwhile sends its own hold; whichever
//!    comes second changes nothing.
//! 5. The stock is read again: a restock of a moment ago may have told the gate before it forgot.
//! 6. The gate follows the sale's state and opens its doors.
//!
//! The gate is shut before Postgres is read, so no effect can fall between the two. A leader that dies on the way
//! leaves the doors shut, and the next one starts over with a later epoch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use control::{Locks, NotLocked};
use domain::ports::{Changed, Condition, Gate, HOLD_MAX, Operator, Outage, Queue, SaleStore};
use domain::{ItemId, ItemIndex, Patch, Sale, SaleId, SaleState, StockEffect, WarmSale};
use tracing::{info, warn};

/// The longest wait for the queue to drain before orders are counted. What is still queued after that is placed as
/// usual; the gate then may have admitted someone else for the same unit, who is refused.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// Between two looks at the queue.
const DRAIN_POLL: Duration = Duration::from_millis(50);

/// An operator waits this long for somebody else who is loading the same sale; the keeper does not wait.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// A loader that has died keeps the others from beginning for this long: no longer than they would wait for it anyway.
const LOCK_TTL: Duration = Duration::from_secs(10);

/// Loads sales into the gate and makes the gate follow the operator.
pub struct Warmup {
    gate: Arc<dyn Gate>,
    sales: Arc<dyn SaleStore>,
    queue: Arc<dyn Queue>,
    locks: Option<Arc<Locks>>,
}

/// A sale is in the gate.
#[derive(Clone, Debug)]
pub struct Warmed {
    /// Its epoch.
    pub epoch: u32,
    /// Was it loaded just now? `false`: it was there already, and nothing was changed.
    pub fresh: bool,
    /// Free units of each item.
    pub free: Vec<(ItemId, i64)>,
}

/// A sale could not be warmed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WarmError {
    /// There is no such sale.
    #[error("there is no such sale")]
    NotFound,
    /// Not as things are.
    #[error("{0}")]
    Conflict(String),
    /// A dependency is away. Warming again starts over and does no harm.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl Warmup {
    /// Between this gate, these sales and this queue.
    pub fn new(gate: Arc<dyn Gate>, sales: Arc<dyn SaleStore>, queue: Arc<dyn Queue>) -> Arc<Self> {
        Arc::new(Self { gate, sales, queue, locks: None })
    }

    /// The same, and only one of all processes loads a sale at a time. Epochs decide between several as well: the lock
    /// saves their work.
    pub fn locked(
        gate: Arc<dyn Gate>,
        sales: Arc<dyn SaleStore>,
        queue: Arc<dyn Queue>,
        locks: Arc<Locks>,
    ) -> Arc<Self> {
        Arc::new(Self { gate, sales, queue, locks: Some(locks) })
    }

    /// Does `load` while nobody else loads this sale. Whoever loses the lock on the way stops: somebody else has begun.
    async fn alone<T, F: Future<Output = Result<T, WarmError>>>(
        &self,
        id: &SaleId,
        wait: Duration,
        load: impl FnOnce() -> F,
    ) -> Result<T, WarmError> {
        let busy = || WarmError::Conflict(format!("sale {id} is being loaded by somebody else"));
        let Some(locks) = &self.locks else { return load().await };
        let loading = locks.with_for(id.as_str(), "load", (LOCK_TTL, wait), |lost| async move {
            lost.run_until_cancelled_owned(load()).await
        });
        match loading.await {
            Ok(loaded) => loaded.unwrap_or_else(|| Err(busy())),
            Err(NotLocked::Busy) => Err(busy()),
            Err(NotLocked::Outage(outage)) => Err(outage.into()),
        }
    }

    /// Loads a sale that is not in the gate; leaves one that is as it is.
    pub async fn warm(&self, id: &SaleId, by: &Operator) -> Result<Warmed, WarmError> {
        self.alone(id, LOCK_WAIT, || self.warm_alone(id, by)).await
    }

    async fn warm_alone(&self, id: &SaleId, by: &Operator) -> Result<Warmed, WarmError> {
        let sale = self.sales.sale(id).await?.ok_or(WarmError::NotFound)?;
        if sale.state == SaleState::Closed {
            return Err(WarmError::Conflict(format!("sale {id} is closed")));
        }
        if let Condition::Ready(counters, _) = self.gate.condition(sale.route()).await?
            && counters.epoch == sale.epoch
        {
            let free = free_of(&sale, counters.items.iter().map(|item| item.free));
            return Ok(Warmed { epoch: sale.epoch, fresh: false, free });
        }
        self.load(&sale, by).await
    }

    /// Loads a sale again under a new epoch, whatever the gate has of it: the repair of any difference.
    pub async fn rebuild(&self, id: &SaleId, by: &Operator) -> Result<Warmed, WarmError> {
        let sale = self.sales.sale(id).await?.ok_or(WarmError::NotFound)?;
        if sale.epoch == 0 {
            return Err(WarmError::Conflict(format!("sale {id} was never warmed")));
        }
        self.alone(id, LOCK_WAIT, || self.load(&sale, by)).await
    }

    /// Changes the state of a sale, in Postgres first; the gate follows at once, or when it is back.
    pub async fn change(&self, id: &SaleId, state: SaleState, by: &Operator) -> Result<Changed, Outage> {
        let changed = self.sales.set_state(id, state, by).await?;
        self.follow(&changed).await;
        Ok(changed)
    }

    /// Changes the rules of a sale, likewise.
    pub async fn patch(&self, id: &SaleId, patch: &Patch, by: &Operator) -> Result<Changed, Outage> {
        let changed = self.sales.patch(id, patch, by).await?;
        self.follow(&changed).await;
        Ok(changed)
    }

    async fn follow(&self, changed: &Changed) {
        let Changed::Done(sale) = changed else { return };
        if sale.epoch == 0 {
            return; // never warmed: the gate does not know it
        }
        match self.gate.follow(&WarmSale::new(sale, sale.epoch), sale.state).await {
            Ok(true) => {}
            Ok(false) => info!(sale.id = %sale.id, "the gate is in another epoch; the keeper will bring it along"),
            Err(outage) => warn!(sale.id = %sale.id, %outage, "the gate is away; the keeper will bring it along"),
        }
    }

    /// Loads a sale that the gate has lost, unless somebody is at it: then there is nothing to do but to look again.
    /// `None` when somebody has loaded it since it was missed: a new epoch would shut a sale that is well.
    pub(crate) async fn load_again(&self, id: &SaleId, by: &Operator) -> Result<Option<Warmed>, WarmError> {
        let load = || async {
            let sale = self.sales.sale(id).await?.ok_or(WarmError::NotFound)?;
            match self.gate.condition(sale.route()).await? {
                Condition::Ready(counters, _) if counters.epoch >= sale.epoch => Ok(None),
                _ => self.load(&sale, by).await.map(Some),
            }
        };
        self.alone(id, Duration::ZERO, load).await
    }

    /// Loads the sale under a new epoch, whatever the gate has of it now.
    async fn load(&self, sale: &Sale, by: &Operator) -> Result<Warmed, WarmError> {
        let started = Instant::now();
        let epoch = self.sales.next_epoch(&sale.id, by).await?.ok_or(WarmError::NotFound)?;
        let superseded = || WarmError::Conflict(format!("sale {} is being loaded by somebody else", sale.id));
        // Read again: from now on price and stock are fixed, and what was changed a moment ago counts.
        let reloaded = sale.epoch > 0;
        let sale = &self.sales.sale(&sale.id).await?.ok_or(WarmError::NotFound)?;
        if !self.gate.begin_epoch(&WarmSale { reloaded, ..WarmSale::new(sale, epoch) }).await? {
            return Err(superseded());
        }
        if reloaded {
            self.drain().await;
        }
        let versions = self.sales.versions(sale.number).await?;
        let Some(orders) = self.load_holds(sale, epoch).await? else { return Err(superseded()) };
        // Read again: the operator may have paused, closed or changed the sale in the meantime.
        let sale = self.sales.sale(&sale.id).await?.ok_or(WarmError::NotFound)?;
        // So has the stock perhaps, and told a gate that has been forgotten since.
        for (item, stock) in (0..).map(ItemIndex::new).zip(WarmSale::new(&sale, epoch).stock) {
            self.gate.restock(sale.route(), &StockEffect { item, stock, ends: None }, None).await?;
        }
        let followed = self.gate.follow(&WarmSale::new(&sale, epoch), sale.state).await?;
        if !followed || !self.gate.finish_epoch(sale.route(), epoch, &versions).await? {
            return Err(superseded());
        }
        let Condition::Ready(counters, _) = self.gate.condition(sale.route()).await? else {
            return Err(WarmError::Outage(Outage::Unknown("the gate lost the sale again".to_owned())));
        };
        metrics::counter!("seckill_epochs_total").increment(1);
        info!(sale.id = %sale.id, epoch, orders, ms = started.elapsed().as_millis() as u64,
              "sale {} is loaded: epoch {epoch}, {orders} orders counted", sale.id);
        let free = free_of(&sale, counters.items.iter().map(|item| item.free));
        Ok(Warmed { epoch, fresh: true, free })
    }

    /// `None` when somebody else has begun a later epoch.
    async fn load_holds(&self, sale: &Sale, epoch: u32) -> Result<Option<usize>, Outage> {
        let mut orders = 0;
        let mut after = None;
        loop {
            let page = self.sales.holds(sale.number, after, HOLD_MAX).await?;
            // With each page the gate hears that its loader is alive.
            if !self.gate.follow(&WarmSale::new(sale, epoch), sale.state).await? {
                return Ok(None);
            }
            let Some(last) = page.last() else { return Ok(Some(orders)) };
            after = Some(last.job);
            orders += page.len();
            self.gate.hold(sale.route(), &page, None).await?;
        }
    }

    async fn drain(&self) {
        let started = Instant::now();
        while started.elapsed() < DRAIN_MAX {
            match self.queue.depth().await {
                Ok(0) => return,
                Ok(_) => tokio::time::sleep(DRAIN_POLL).await,
                Err(outage) => {
                    warn!(%outage, "the queue cannot be asked how long it is; loading goes on");
                    return;
                }
            }
        }
        warn!("the queue did not drain within {} s; loading goes on", DRAIN_MAX.as_secs());
    }
}

fn free_of(sale: &Sale, free: impl Iterator<Item = i64>) -> Vec<(ItemId, i64)> {
    sale.items.iter().map(|item| item.id.clone()).zip(free).collect()
}
