//! Asks for leases and reads the jobs, beside the requests.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::ports::{Gate, LEASE_USE, Lease, Leased};
use domain::{Route, SaleNumber, SaleState};
use futures_util::FutureExt as _;
use metrics::gauge;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tracing::debug;

use super::filter::Filter;
use super::{Known, SoldOut};
use crate::catalog::Catalog;

/// Between two looks: more than two in the time that a lease is used, so that one late answer leaves no gap.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// The jobs of a sale are read anew no sooner than this, and a sale with too many of them is looked at again after it.
const READ_EVERY: Duration = Duration::from_secs(5);

/// What the keeper remembers of a sale between two looks.
#[derive(Default)]
struct Remembered {
    filter: Option<Arc<Filter>>,
    /// Not read, and where there are too many jobs not looked at, before this moment.
    rest_until: Option<Instant>,
    is_reading: bool,
    has_too_many: bool,
}

type Read = (SaleNumber, Option<Filter>);

impl SoldOut {
    /// Looks after the leases, for ever.
    pub async fn keep(&self, catalog: &Catalog, gate: Arc<dyn Gate>) {
        if self.settings.from_per_s == 0 {
            return;
        }
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut remembered: HashMap<SaleNumber, Remembered> = HashMap::new();
        let mut reading: JoinSet<Read> = JoinSet::new();
        loop {
            ticks.tick().await;
            while let Some(done) = reading.try_join_next() {
                let Ok((sale, filter)) = done else { continue }; // nobody aborts one
                if let Some(one) = remembered.get_mut(&sale) {
                    one.is_reading = false;
                    one.filter = filter.map(Arc::new);
                }
            }
            self.look(catalog, &gate, &mut remembered, &mut reading).await;
        }
    }

    async fn look(
        &self,
        catalog: &Catalog,
        gate: &Arc<dyn Gate>,
        remembered: &mut HashMap<SaleNumber, Remembered>,
        reading: &mut JoinSet<Read>,
    ) {
        let Ok(view) = catalog.view() else { return };
        let open: Vec<(SaleNumber, Route)> = view
            .public()
            .filter(|listed| listed.sale.state == SaleState::Open && listed.sale.epoch > 0)
            .filter(|listed| catalog.now() < listed.sale.closes_at)
            .map(|listed| (listed.sale.number, listed.sale.route()))
            .collect();
        drop(view);
        self.follow(&open);
        remembered.retain(|sale, _| open.iter().any(|(number, _)| number == sale));
        let sales = self.sales.load_full();
        for (sale, route) in open {
            let Some(entry) = sales.get(&sale) else { continue };
            let refused = entry.refused.swap(0, Ordering::Relaxed);
            let one = remembered.entry(sale).or_default();
            if refused >= self.refusals_of_a_look() && !one.is_hopeless() {
                // Before it is asked: whenever the gate grants it, the lease lasts at least as long as we use it.
                let asked = Instant::now();
                if let Ok(Leased::Granted(lease)) = gate.lease(route).await {
                    let known = one.filter.as_ref().filter(|filter| filter.is_complete(&lease));
                    match known.cloned() {
                        Some(filter) => {
                            entry.known.store(Some(Arc::new(Known { until: asked + LEASE_USE, lease, filter })));
                        }
                        None => self.read(gate, (sale, route), lease, remembered, reading),
                    }
                }
            } else if refused == 0 && one.filter.is_some() && !one.is_reading {
                // Nobody asks any more: the memory is given back.
                one.filter = None;
                entry.known.store(None);
            }
        }
        let jobs: usize = remembered.values().filter_map(|one| one.filter.as_ref()).map(|filter| filter.len()).sum();
        gauge!("seckill_sold_out_jobs_known").set(jobs as f64);
    }

    /// Reads the jobs of a sale, unless that was done a moment ago or they are too many.
    fn read(
        &self,
        gate: &Arc<dyn Gate>,
        (sale, route): (SaleNumber, Route),
        lease: Lease,
        remembered: &mut HashMap<SaleNumber, Remembered>,
        reading: &mut JoinSet<Read>,
    ) {
        let others = remembered.iter().filter(|(number, _)| **number != sale);
        let taken: usize = others.filter_map(|(_, one)| one.filter.as_ref()).map(|filter| filter.len()).sum();
        let room = (self.settings.jobs_max as usize).saturating_sub(taken) as u64;
        let one = remembered.entry(sale).or_default();
        if one.is_reading || one.is_resting() {
            return;
        }
        one.rest_until = Some(Instant::now() + READ_EVERY);
        one.has_too_many = lease.jobs > room;
        if one.has_too_many {
            one.filter = None;
            debug!(jobs = lease.jobs, room, "too many jobs to answer sold-out from memory");
            return;
        }
        one.is_reading = true;
        let gate = gate.clone();
        reading.spawn(async move {
            // It always answers, a panic included: or this sale would be read by nobody any more.
            let read = AssertUnwindSafe(Filter::read(gate.as_ref(), route, &lease)).catch_unwind().await;
            (sale, read.ok().and_then(Result::ok).flatten())
        });
    }

    /// One entry for each sale that is open.
    fn follow(&self, open: &[(SaleNumber, Route)]) {
        let sales = self.sales.load();
        if sales.len() == open.len() && open.iter().all(|(number, _)| sales.contains_key(number)) {
            return;
        }
        let entry = |number: &SaleNumber| (*number, sales.get(number).cloned().unwrap_or_default());
        let fresh = open.iter().map(|(number, _)| entry(number)).collect();
        self.sales.store(Arc::new(fresh));
    }

    /// Refusals between two looks from which a lease is asked for.
    fn refusals_of_a_look(&self) -> u32 {
        let a_look = u64::from(self.settings.from_per_s) * LOOK_EVERY.as_millis() as u64 / 1_000;
        u32::try_from(a_look).unwrap_or(u32::MAX).max(1)
    }
}

impl Remembered {
    fn is_resting(&self) -> bool {
        self.rest_until.is_some_and(|until| Instant::now() < until)
    }

    /// A lease would hold up units for nothing.
    fn is_hopeless(&self) -> bool {
        self.has_too_many && self.is_resting()
    }
}
