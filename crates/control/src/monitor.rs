//! How long each operation takes and how it ends: exact counts, and times from the last few thousand calls.
//!
//! Noting a call is three atomic additions and no lock, whoever else notes one at the same time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// Kinds of errors of one operation that are told apart; the rest is `other`.
const KINDS_MAX: usize = 12;

/// Operations that are told apart: their number has 15 bits in a record.
const OPERATIONS_MAX: usize = 1 << 15;

/// Microseconds in a record have 48 bits.
const MICROS: u64 = (1 << 48) - 1;

/// The measures of one process.
pub struct Monitor {
    /// The last calls, oldest overwritten: 1 + operation in the upper 16 bits, microseconds below; 0 is none.
    records: Box<[AtomicU64]>,
    noted: AtomicU64,
    operations: Mutex<Vec<Arc<Counts>>>,
}

struct Counts {
    number: u64,
    name: String,
    calls: AtomicU64,
    errors: [OnceLock<(&'static str, AtomicU64)>; KINDS_MAX],
    others: AtomicU64,
}

/// Notes the calls of one operation. Found once, kept.
#[derive(Clone)]
pub struct Operation {
    monitor: Arc<Monitor>,
    counts: Arc<Counts>,
}

/// What is known of one operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Its name: a route, `task …` or `lock …`.
    pub name: String,
    /// Calls since the start.
    pub count: u64,
    /// Those of them that ended well.
    pub succeeded: u64,
    /// The others, by kind.
    pub errors: BTreeMap<&'static str, u64>,
    /// `succeeded` of `count`, from 0 to 1.
    pub success_rate: f64,
    /// Calls that the times below are from: its share of the last few thousand.
    pub recorded: usize,
    /// Milliseconds of the quickest.
    pub min_ms: f64,
    /// Of all of them, on average.
    pub mean_ms: f64,
    /// Of the slowest.
    pub max_ms: f64,
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// Nine of ten took no longer.
    pub p90_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
}

impl Monitor {
    /// Keeps the times of the last `max_records` calls.
    pub fn new(max_records: usize) -> Arc<Self> {
        let records = (0..max_records.max(1)).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { records, noted: AtomicU64::new(0), operations: Mutex::default() })
    }

    /// The operation of this name, new or known.
    pub fn operation(self: &Arc<Self>, name: &str) -> Operation {
        let mut operations = self.operations();
        let known = operations.iter().find(|counts| counts.name == name).cloned();
        let counts = known.unwrap_or_else(|| {
            let counts = Arc::new(Counts {
                number: (operations.len() % OPERATIONS_MAX) as u64,
                name: name.to_owned(),
                calls: AtomicU64::new(0),
                errors: Default::default(),
                others: AtomicU64::new(0),
            });
            operations.push(counts.clone());
            counts
        });
        drop(operations);
        Operation { monitor: self.clone(), counts }
    }

    /// What is known of each operation that was called, by name.
    pub fn figures(&self) -> Vec<Figures> {
        let mut micros: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for record in &self.records {
            let record = record.load(Relaxed);
            if let Some(number) = (record >> 48).checked_sub(1) {
                micros.entry(number).or_default().push(record & MICROS);
            }
        }
        let operations: Vec<Arc<Counts>> = self.operations().clone();
        let mut figures: Vec<Figures> = operations
            .iter()
            .filter(|counts| counts.calls.load(Relaxed) > 0)
            .map(|counts| counts.figures(micros.remove(&counts.number).unwrap_or_default()))
            .collect();
        figures.sort_by(|one, other| one.name.cmp(&other.name));
        figures
    }

    fn operations(&self) -> MutexGuard<'_, Vec<Arc<Counts>>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Operation {
    /// A call ended after so long; `error` is the kind of error that it ended with, if it was one.
    pub fn note(&self, took: Duration, error: Option<&'static str>) {
        let Self { monitor, counts } = self;
        counts.calls.fetch_add(1, Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(MICROS).min(MICROS);
        let at = monitor.noted.fetch_add(1, Relaxed) % monitor.records.len() as u64;
        monitor.records[at as usize].store((counts.number + 1) << 48 | micros, Relaxed);
        if let Some(kind) = error {
            counts.failed(kind);
        }
    }
}

impl Counts {
    fn failed(&self, kind: &'static str) {
        for place in &self.errors {
            let (known, count) = place.get_or_init(|| (kind, AtomicU64::new(0)));
            if *known == kind {
                count.fetch_add(1, Relaxed);
                return;
            }
        }
        self.others.fetch_add(1, Relaxed);
    }

    fn figures(&self, mut micros: Vec<u64>) -> Figures {
        micros.sort_unstable();
        let ms = |micros: u64| micros as f64 / 1_000.0;
        // The smallest time that so many of a hundred did not exceed.
        let percentile = |of_100: usize| {
            let rank = (micros.len() * of_100).div_ceil(100).max(1);
            micros.get(rank - 1).copied().map_or(0.0, ms)
        };
        let mut errors: BTreeMap<&'static str, u64> =
            self.errors.iter().filter_map(OnceLock::get).map(|(kind, count)| (*kind, count.load(Relaxed))).collect();
        let others = self.others.load(Relaxed);
        if others > 0 {
            *errors.entry("other").or_default() += others;
        }
        let count = self.calls.load(Relaxed);
        let succeeded = count.saturating_sub(errors.values().sum());
        let sum: u64 = micros.iter().sum();
        Figures {
            name: self.name.clone(),
            count,
            succeeded,
            errors,
            success_rate: if count == 0 { 0.0 } else { succeeded as f64 / count as f64 },
            recorded: micros.len(),
            min_ms: micros.first().copied().map_or(0.0, ms),
            mean_ms: if micros.is_empty() { 0.0 } else { ms(sum) / micros.len() as f64 },
            max_ms: micros.last().copied().map_or(0.0, ms),
            p50_ms: percentile(50),
            p90_ms: percentile(90),
            p99_ms: percentile(99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_figures_of_a_known_series_are_right() {
        let monitor = Monitor::new(5_000);
        let (series, other) = (monitor.operation("series"), monitor.operation("other"));
        for took in (1..=100).rev() {
            series.note(ms(took), (took > 95).then_some(if took == 100 { "timeout" } else { "outage" }));
        }
        other.note(ms(7), None);
        monitor.operation("never called");
        let figures = monitor.figures();
        assert_eq!(
            figures[1],
            Figures {
                name: "series".to_owned(),
                count: 100,
                succeeded: 95,
                errors: BTreeMap::from([("outage", 4), ("timeout", 1)]),
                success_rate: 0.95,
                recorded: 100,
                min_ms: 1.0,
                mean_ms: 50.5,
                max_ms: 100.0,
                p50_ms: 50.0,
                p90_ms: 90.0,
                p99_ms: 99.0,
            }
        );
        let one = &figures[0];
        assert_eq!((figures.len(), one.name.as_str(), one.count, one.success_rate), (2, "other", 1, 1.0));
        assert_eq!([one.min_ms, one.mean_ms, one.max_ms, one.p50_ms, one.p99_ms], [7.0; 5]);
    }

    #[test]
    fn five_thousand_records_are_kept_in_all_and_every_call_is_counted() {
        let monitor = Monitor::new(5_000);
        let threads: Vec<_> = (0..4)
            .map(|_| monitor.operation("old"))
            .map(|old| std::thread::spawn(move || (0..5_000).for_each(|_| old.note(ms(9), None))))
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let new = monitor.operation("new");
        (0..4_000).for_each(|_| new.note(ms(1), Some("away")));
        let figures = monitor.figures();
        let counted: Vec<_> = figures.iter().map(|one| (one.name.as_str(), one.count, one.recorded)).collect();
        assert_eq!(counted, [("new", 4_000, 4_000), ("old", 20_000, 1_000)]);
        assert_eq!((figures[0].success_rate, figures[0].max_ms), (0.0, 1.0));
        (0..5_000).for_each(|_| new.note(ms(1), None));
        assert_eq!(monitor.figures()[1].recorded, 0, "the oldest have gone");
    }

    #[test]
    fn kinds_of_errors_are_bounded_too() {
        const KINDS: [&str; 14] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"];
        let monitor = Monitor::new(10);
        let operation = monitor.operation("x");
        KINDS.into_iter().chain(["a"]).for_each(|kind| operation.note(ms(1), Some(kind)));
        let errors = &monitor.figures()[0].errors;
        assert_eq!((errors.len(), errors["a"], errors["other"]), (KINDS_MAX + 1, 2, 2));
    }
}
