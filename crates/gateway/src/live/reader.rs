//! Asks the stores once a second what is new of a sale. Each is asked by itself: one that does not answer holds up no other.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use control::lock;
use domain::SaleNumber;
use domain::ports::{ActivityStore, Outage, Seen};
use tokio::time::{Interval, MissedTickBehavior, timeout};

use super::bodies::HistoryBody;
use super::past::Past;
use super::whole::{PAGE, whole};
use crate::catalog::Dated;
use crate::edge::Edge;

/// Between two questions.
const EVERY: Duration = Duration::from_secs(1);

/// A store that takes longer is asked again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Instances that were alive so long ago are told: long enough to see that one is gone.
const GONE_AFTER_S: u32 = 120;

/// What is known of one sale.
#[derive(Default)]
pub(super) struct Readings {
    past: Mutex<Past>,
    past_read: Mutex<Option<Instant>>,
    instances: Mutex<Option<Dated<Vec<Seen>>>>,
    dead_letters: Mutex<Option<Dated<u64>>>,
}

impl Readings {
    /// Has the past been read?
    pub(super) fn is_known(&self) -> bool {
        lock(&self.past_read).is_some()
    }

    /// Looks at the past, with the moment of the last reading; `None` before the first.
    pub(super) fn past<T>(&self, look: impl FnOnce(&Past, Instant) -> T) -> Option<T> {
        let read = (*lock(&self.past_read))?;
        Some(look(&lock(&self.past), read))
    }

    /// As it is told.
    pub(super) fn history(&self) -> HistoryBody {
        HistoryBody::new(&lock(&self.past))
    }

    pub(super) fn instances(&self) -> Option<Dated<Vec<Seen>>> {
        lock(&self.instances).clone()
    }

    pub(super) fn dead_letters(&self) -> Option<Dated<u64>> {
        lock(&self.dead_letters).clone()
    }
}

/// Reads for ever.
pub(super) async fn read(edge: Arc<Edge>, sale: SaleNumber, readings: Arc<Readings>) {
    tokio::join!(
        read_past(&edge, sale, &readings),
        read_instances(&edge, &readings),
        read_dead_letters(&edge, &readings),
    );
}

fn ticks() -> Interval {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn read_past(edge: &Edge, sale: SaleNumber, readings: &Readings) {
    let (mut ticks, store) = (ticks(), edge.meter.store().as_ref());
    loop {
        ticks.tick().await;
        let is_known = readings.is_known();
        let reading =
            async { if is_known { follow(store, sale, readings).await } else { begin(store, sale, readings).await } };
        if let Ok(Ok(())) = timeout(PATIENCE, reading).await {
            *lock(&readings.past_read) = Some(Instant::now());
        }
    }
}

async fn read_instances(edge: &Edge, readings: &Readings) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        if let Ok(Ok(seen)) = timeout(PATIENCE, edge.meter.store().instances(GONE_AFTER_S)).await {
            *lock(&readings.instances) = Some(Dated::now(seen));
        }
    }
}

async fn read_dead_letters(edge: &Edge, readings: &Readings) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        if let Ok(Ok(count)) = timeout(PATIENCE, edge.dead_letters.count()).await {
            *lock(&readings.dead_letters) = Some(Dated::now(count));
        }
    }
}

/// All of it.
async fn begin(store: &dyn ActivityStore, sale: SaleNumber, readings: &Readings) -> Result<(), Outage> {
    let now = Instant::now();
    let rows = whole(store, sale).await?;
    lock(&readings.past).begin(rows, now);
    Ok(())
}

/// What is new, and once more what may have come late.
async fn follow(store: &dyn ActivityStore, sale: SaleNumber, readings: &Readings) -> Result<(), Outage> {
    let mut after = lock(&readings.past).after();
    loop {
        let (page, now) = (store.activity(sale, after, PAGE).await?, Instant::now());
        let full = page.len() == PAGE;
        after = page.last().map_or(after, |last| last.id);
        lock(&readings.past).add(page, now);
        if !full {
            return Ok(());
        }
    }
}
