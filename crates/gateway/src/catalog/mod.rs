//! All sales and what the gate last said of them, in memory: pages, phases and look-ups need no network.
//!
//! Nothing here decides about a unit. When Postgres or the gate is away, the last known stays.

mod refresh;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::{ArcSwap, Guard};
use chrono::TimeDelta;
use control::{Meter, Tally};
use domain::ports::{Clock, Gate, OrderStore, SaleStore};
use domain::{GateCounters, ItemBooks, ItemIndex, Phase, Sale, SaleId, SaleNumber, SaleState, Timestamp};

use crate::problem::{Code, Problem};

/// Fewer waiting orders are no backlog, whatever holds them up.
const BACKLOG_MIN: u64 = 100;

/// What all handlers read from.
pub struct Catalog {
    view: ArcSwap<View>,
    /// What the ledger said when it was last read.
    ledgers: ArcSwap<HashMap<SaleNumber, Ledger>>,
    /// One refresh at a time: an older reading must not replace a newer one.
    turn: tokio::sync::Mutex<()>,
    gate: Arc<dyn Gate>,
    orders: Arc<dyn OrderStore>,
    sales: Arc<dyn SaleStore>,
    clock: Arc<dyn Clock>,
    meter: Arc<Meter>,
}

/// What is kept of a sale's ledger between two readings.
#[derive(Clone, Default)]
struct Ledger {
    /// By position: the latest deadline of an unpaid order.
    held_until: Vec<Option<Timestamp>>,
    /// Since when its books do not balance.
    differs_since: Option<Timestamp>,
    /// Was that said?
    alarmed: bool,
    /// All of it, and when it was read.
    books: Option<Dated<Arc<[ItemBooks]>>>,
}

/// Something that was read, and when.
#[derive(Clone, Debug)]
pub struct Dated<T> {
    /// It.
    pub value: T,
    /// When.
    pub read: Instant,
}

impl<T> Dated<T> {
    /// Read just now.
    pub fn now(value: T) -> Self {
        Self { value, read: Instant::now() }
    }
}

/// Everything as of one refresh.
#[derive(Default)]
pub struct View {
    /// Have the sales been read at least once?
    loaded: bool,
    /// What to add to our clock to get the gate's, which decides about windows.
    ahead: TimeDelta,
    /// Newest first.
    listed: Vec<Arc<Listed>>,
    by_id: HashMap<SaleId, Arc<Listed>>,
    by_number: HashMap<SaleNumber, Arc<Listed>>,
}

/// One sale.
#[derive(Clone)]
pub struct Listed {
    /// As Postgres has it.
    pub sale: Sale,
    /// As the gate had it when it last answered.
    pub counters: Option<GateCounters>,
    /// When that was.
    pub counted: Option<Instant>,
    /// Counts what is asked of it.
    pub tally: Arc<Tally>,
}

impl Listed {
    /// Units of the item at this position that are for sale; all of them before the sale was warmed.
    pub fn free(&self, position: usize) -> i64 {
        free(&self.sale, self.counters.as_ref(), position)
    }

    /// Do accepted orders wait for longer than this for Postgres, as of the last look? 0: never.
    pub fn has_backlog(&self, age_max_s: u32) -> bool {
        let age_max_ms = u64::from(age_max_s) * 1_000;
        let waits = |counters: &GateCounters| BACKLOG_MIN <= counters.waiting_jobs && age_max_ms < counters.waiting_ms;
        age_max_s > 0 && self.counters.as_ref().is_some_and(waits)
    }

    /// May shoppers know of it? Not of a draft, and not of the sale that dry runs buy from.
    fn is_public(&self) -> bool {
        self.sale.state != SaleState::Draft && !self.sale.id.is_of_dry_runs()
    }

    /// What a shopper sees.
    pub fn phase(&self, now: Timestamp) -> Phase {
        phase(&self.sale, self.counters.as_ref(), now)
    }
}

fn free(sale: &Sale, counters: Option<&GateCounters>, position: usize) -> i64 {
    let stock = sale.items.get(position).map_or(0, |item| item.stock);
    counters.and_then(|counters| counters.items.get(position)).map_or(stock, |item| item.free)
}

/// What a shopper sees of a sale of which the gate last said this.
pub fn phase(sale: &Sale, counters: Option<&GateCounters>, now: Timestamp) -> Phase {
    sale.phase(now, (0..sale.items.len()).map(|position| free(sale, counters, position)).sum())
}

impl View {
    fn new(loaded: bool, ahead: TimeDelta, listed: Vec<Arc<Listed>>) -> Self {
        let by_id = listed.iter().map(|one| (one.sale.id.clone(), one.clone())).collect();
        let by_number = listed.iter().map(|one| (one.sale.number, one.clone())).collect();
        Self { loaded, ahead, listed, by_id, by_number }
    }

    /// The sales that shoppers see, newest first.
    pub fn public(&self) -> impl Iterator<Item = &Listed> {
        self.listed.iter().map(Arc::as_ref).filter(|listed| listed.is_public())
    }
}

impl Catalog {
    pub fn new(
        gate: Arc<dyn Gate>,
        orders: Arc<dyn OrderStore>,
        sales: Arc<dyn SaleStore>,
        clock: Arc<dyn Clock>,
        meter: Arc<Meter>,
    ) -> Arc<Self> {
        let (view, ledgers, turn) = Default::default();
        Arc::new(Self { view, ledgers, turn, gate, orders, sales, clock, meter })
    }

    /// Have the sales been read at least once?
    pub fn is_loaded(&self) -> bool {
        self.view.load().loaded
    }

    /// As of the last refresh; an error before the first.
    pub fn view(&self) -> Result<Guard<Arc<View>>, Problem> {
        let view = self.view.load();
        if view.loaded { Ok(view) } else { Err(Problem::new(Code::NotReady, "The sales have not been read yet.")) }
    }

    /// Now, by the clock that decides about windows, as well as we know it.
    pub fn now(&self) -> Timestamp {
        self.clock.now() + self.view.load().ahead
    }

    /// A sale that shoppers may know of. A text that is no sale id is the id of no sale.
    pub fn public(&self, id: &str) -> Result<Arc<Listed>, Problem> {
        let view = self.view()?;
        let listed = view.by_id.get(id).filter(|listed| listed.is_public());
        listed.cloned().ok_or_else(|| id.parse().map_or_else(|_| Problem::not_found(), |id| Problem::no_sale(&id)))
    }

    /// Lets `count` count for a sale, where there is one of this id; for what was refused before anybody looked for it.
    pub fn with_tally(&self, id: &str, count: impl FnOnce(&Tally)) {
        if let Some(listed) = self.view.load().by_id.get(id) {
            count(&listed.tally);
        }
    }

    /// A sale as of the last refresh, drafts too.
    pub fn listed(&self, id: &SaleId) -> Option<Arc<Listed>> {
        self.view.load().by_id.get(id).cloned()
    }

    /// The ledger of a sale as it was last read.
    pub fn books(&self, sale: SaleNumber) -> Option<Dated<Arc<[ItemBooks]>>> {
        self.ledgers.load().get(&sale)?.books.clone()
    }

    /// The sale of this number, as a job id names it.
    pub fn numbered(&self, number: SaleNumber) -> Result<Arc<Listed>, Problem> {
        self.view()?.by_number.get(&number).cloned().ok_or_else(Problem::not_found)
    }

    /// Until when units of this item may come back from unpaid orders, as of the last reading of the ledger.
    pub fn held_until(&self, sale: &Sale, item: ItemIndex) -> Option<Timestamp> {
        let until = *self.ledgers.load().get(&sale.number)?.held_until.get(usize::from(item.get()))?;
        until.filter(|until| self.now() < *until)
    }

    /// Orders admitted and not settled over all sales, as of the last refresh.
    pub fn in_flight(&self) -> u64 {
        let view = self.view.load();
        view.listed.iter().filter_map(|listed| listed.counters.as_ref()).map(|counters| counters.waiting_jobs).sum()
    }

    /// What the gate last said of this sale.
    pub fn counters(&self, number: SaleNumber) -> Option<GateCounters> {
        self.view.load().by_number.get(&number).and_then(|listed| listed.counters.clone())
    }
}
