//! Counts what a process sees of each sale, and writes it down once a second.
//!
//! Whoever counts adds to an atomic of a [`Tally`] that was found before: no lock, no memory, no name. Once a second a
//! [`Meter`] takes what has come together and writes one row for each sale of which there is something. While the store
//! is away rows wait, and when too many wait the counters keep counting: what is lost is at most what a killed process
//! had not written, the last second.

mod tally;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::ports::{ActivityStore, Clock};
use domain::{Activity, ActivityRow, Instance, Role, SaleNumber, from_ms};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use self::tally::Tally;
use crate::lock;

/// How often is written.
const EVERY: Duration = Duration::from_secs(1);

/// Rows that wait while the store is away: a quarter of an hour of five sales, some two megabytes. Above it seconds are
/// told apart no more, and nothing is lost.
const WAITING_MAX: usize = 4_500;

/// Rows in one statement.
const BATCH_MAX: usize = 500;

/// Counters that nobody holds are forgotten after so many seconds in which nothing was counted.
const STILL_MAX: u32 = 600;

/// At the end of the process the last second is written, or given up after this long.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The counters of one process.
pub struct Meter {
    instance: Instance,
    words: &'static [&'static str],
    tallies: ArcSwap<HashMap<SaleNumber, Arc<Tally>>>,
    /// Of whoever adds or removes a tally.
    turn: Mutex<()>,
    writer: tokio::sync::Mutex<Writer>,
    store: Arc<dyn ActivityStore>,
    clock: Arc<dyn Clock>,
}

/// What is taken and not written.
struct Writer {
    waiting: VecDeque<ActivityRow>,
    /// Milliseconds after a whole second at which this process writes.
    phase_ms: i64,
    /// The latest second that rows were taken of: each second is written once.
    last_s: i64,
    away: bool,
    /// Counters that were forgotten a second ago: somebody may have found them just before.
    forgotten: Vec<(SaleNumber, Arc<Tally>)>,
}

impl Meter {
    /// For a process that counts under these words. `run` names this run of it.
    pub fn new(
        store: Arc<dyn ActivityStore>,
        clock: Arc<dyn Clock>,
        role: Role,
        run: &str,
        words: &'static [&'static str],
    ) -> Arc<Self> {
        let instance = Instance { id: format!("{}-{}", role.as_str(), run.get(..8).unwrap_or(run)), role };
        let phase_ms = clock.now().timestamp_millis().rem_euclid(1_000);
        let writer =
            Writer { waiting: VecDeque::new(), phase_ms, last_s: i64::MIN, away: false, forgotten: Vec::new() };
        let (tallies, turn, writer) = (ArcSwap::default(), Mutex::default(), tokio::sync::Mutex::new(writer));
        Arc::new(Self { instance, words, tallies, turn, writer, store, clock })
    }

    /// The counters of this sale, new or known.
    pub fn tally(&self, sale: SaleNumber) -> Arc<Tally> {
        if let Some(tally) = self.tallies.load().get(&sale) {
            return tally.clone();
        }
        let _turn = lock(&self.turn);
        let mut tallies = HashMap::clone(&self.tallies.load());
        let tally = tallies.entry(sale).or_insert_with(|| Arc::new(Tally::new(self.words.len()))).clone();
        self.tallies.store(Arc::new(tallies));
        tally
    }

    /// Where it is written.
    pub fn store(&self) -> &Arc<dyn ActivityStore> {
        &self.store
    }

    /// Writes once a second until `stop`, and then what is left.
    pub async fn serve(&self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.write().await;
        }
        self.end().await;
    }

    /// Writes what is left, for whoever counted after the end of [`Meter::serve`].
    pub async fn end(&self) {
        if tokio::time::timeout(LAST_WORDS, self.write()).await.is_err() {
            warn!("the last second of activity was not written in time");
        }
    }

    async fn write(&self) {
        let mut writer = self.writer.lock().await;
        self.take(&mut writer);
        loop {
            let batch: Vec<ActivityRow> = writer.waiting.iter().take(BATCH_MAX).cloned().collect();
            if let Err(outage) = self.store.note(&self.instance, &batch).await {
                if !std::mem::replace(&mut writer.away, true) {
                    warn!(%outage, "activity cannot be written; it is kept until it can");
                }
                return;
            }
            if std::mem::replace(&mut writer.away, false) {
                info!(rows = writer.waiting.len(), "activity is written again");
            }
            writer.waiting.drain(..batch.len());
            if writer.waiting.is_empty() {
                return;
            }
        }
    }

    /// Takes one row for each sale of which there is something.
    fn take(&self, writer: &mut Writer) {
        if writer.waiting.len() >= WAITING_MAX {
            return; // the counters keep it
        }
        // The nearest whole second of those at which this process writes, and never one twice: a row that was tried to
        // be written is never changed, so that it can be written again.
        let since_phase_ms = self.clock.now().timestamp_millis() - writer.phase_ms;
        let second = (since_phase_ms + 500).div_euclid(1_000).max(writer.last_s.saturating_add(1));
        let before = writer.waiting.len();
        // One that was forgotten may have been made anew since: its row of this second is one with the other's.
        let mut rows: BTreeMap<SaleNumber, Activity> = BTreeMap::new();
        for (sale, tally) in std::mem::take(&mut writer.forgotten) {
            rows.entry(sale).or_default().add(&tally.take(self.instance.role, self.words));
        }
        let tallies = self.tallies.load_full();
        let mut still = Vec::new();
        for (sale, tally) in tallies.iter() {
            let activity = tally.take(self.instance.role, self.words);
            if activity.is_empty() && tally.still_for() > STILL_MAX && Arc::strong_count(tally) == 1 {
                still.push(*sale);
            }
            rows.entry(*sale).or_default().add(&activity);
        }
        drop(tallies);
        let (at, instance) = (from_ms(second * 1_000), &self.instance.id);
        for (sale, activity) in rows.into_iter().filter(|(_, activity)| !activity.is_empty()) {
            writer.waiting.push_back(ActivityRow { sale, at, seconds: 1, instance: instance.clone(), activity });
        }
        if writer.waiting.len() > before {
            writer.last_s = second;
        }
        self.forget(&still, writer);
    }

    fn forget(&self, still: &[SaleNumber], writer: &mut Writer) {
        if still.is_empty() {
            return;
        }
        let _turn = lock(&self.turn);
        let mut tallies = HashMap::clone(&self.tallies.load());
        writer.forgotten = still.iter().filter_map(|sale| tallies.remove_entry(sale)).collect();
        self.tallies.store(Arc::new(tallies));
    }
}

#[cfg(test)]
mod tests;
