//! What every process works with: locks, task pools, measures. One of each, handed to whoever needs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use domain::ports::{Entropy, LockStore};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::batch::Batch;
use crate::locks::{LockSettings, Locks};
use crate::monitor::Monitor;
use crate::pool::{Pools, TaskSettings};
use crate::process::Process;
use crate::retry::RetrySettings;

/// The `[performance]` section: measures of this process, on the operators' port and in the log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PerformanceSettings {
    /// Calls whose times are kept, over all operations together; the oldest go. 8 bytes each.
    pub max_records: usize,
    /// Seconds between two lines in the log, whose target is `seckill::performance`; 0: none.
    pub log_every_s: u32,
    /// The directory whose disk is watched: where the process runs, unless it says otherwise.
    pub data_dir: String,
}

impl Default for PerformanceSettings {
    fn default() -> Self {
        Self { max_records: 5_000, log_every_s: 60, data_dir: ".".to_owned() }
    }
}

/// The sections of the configuration that this is made by.
#[derive(Clone, Debug, Default)]
pub struct WorkSettings {
    /// `[locks]`
    pub locks: LockSettings,
    /// `[tasks]`
    pub tasks: TaskSettings,
    /// `[batch]`
    pub batch: Batch,
    /// `[retry]`
    pub retry: RetrySettings,
    /// `[performance]`
    pub performance: PerformanceSettings,
}

/// What a process works with.
pub struct Works {
    /// One at a time, over all processes.
    pub locks: Arc<Locks>,
    /// So many at a time, in this one.
    pub pools: Arc<Pools>,
    /// How long it takes.
    pub monitor: Arc<Monitor>,
    /// What it takes of the machine.
    pub process: Process,
    /// How operators' work on many things is cut.
    pub batch: Batch,
    /// How often a failure is tried again.
    pub retry: RetrySettings,
    log_every: Duration,
    logging: AtomicBool,
}

impl Works {
    /// With locks in `store`, and in `fallback` while that is away.
    pub fn new(
        store: Arc<dyn LockStore>,
        fallback: Option<Arc<dyn LockStore>>,
        entropy: Arc<dyn Entropy>,
        settings: WorkSettings,
    ) -> Arc<Self> {
        let WorkSettings { locks, tasks, batch, retry, performance } = settings;
        let monitor = Monitor::new(performance.max_records);
        Arc::new(Self {
            locks: Locks::new(store, fallback, entropy, locks, retry),
            pools: Pools::new(tasks, monitor.clone()),
            monitor,
            process: Process::new(performance.data_dir),
            batch,
            retry,
            log_every: Duration::from_secs(u64::from(performance.log_every_s)),
            logging: AtomicBool::new(false),
        })
    }

    /// One line in the log every minute, until stopped; only the first caller's.
    pub async fn log(&self, stop: CancellationToken) {
        if self.log_every.is_zero() || self.logging.swap(true, Relaxed) {
            return;
        }
        let mut ticks = tokio::time::interval(self.log_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ticks.tick().await; // at once, when there is nothing to say
        let mut said = Totals::default();
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            said = self.line(said);
        }
    }

    /// Says what has changed since `said`.
    fn line(&self, said: Totals) -> Totals {
        let (figures, process) = (self.monitor.figures(), self.process.figures());
        let now = Totals {
            calls: figures.iter().map(|one| one.count).sum(),
            failed: figures.iter().map(|one| one.count - one.succeeded).sum(),
        };
        let (calls, failed) = (now.calls - said.calls, now.failed - said.failed);
        let slowest = figures.iter().filter(|one| one.recorded > 0).max_by(|a, b| a.p99_ms.total_cmp(&b.p99_ms));
        let (slowest, p99_ms) = slowest.map_or(("none", 0.0), |one| (one.name.as_str(), one.p99_ms));
        let pools = self.pools.counts();
        let running: usize = pools.iter().map(|pool| pool.running).sum();
        let waiting: usize = pools.iter().map(|pool| pool.waiting).sum();
        let mib = |bytes: Option<u64>| bytes.unwrap_or_default() >> 20;
        let (memory_mib, disk_free_mib) = (mib(process.memory_bytes), mib(process.disk_free_bytes));
        let cpu_percent = process.cpu_percent.unwrap_or_default().round();
        info!(
            target: "seckill::performance", calls, failed, slowest, p99_ms, memory_mib, cpu_percent, disk_free_mib,
            tasks_running = running, tasks_waiting = waiting,
            "{calls} calls, {failed} failed; slowest: {slowest}, p99 {p99_ms:.1} ms; {memory_mib} MiB, {cpu_percent} % CPU, \
             {disk_free_mib} MiB of disk left"
        );
        now
    }
}

#[derive(Clone, Copy, Default)]
struct Totals {
    calls: u64,
    failed: u64,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use backends::SystemEntropy;
    use backends::embedded::EmbeddedLocks;
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    /// Counts the lines of one target.
    struct Lines(Arc<AtomicUsize>);

    impl Subscriber for Lines {
        fn enabled(&self, of: &Metadata<'_>) -> bool {
            of.target() == "seckill::performance"
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            if self.enabled(event.metadata()) {
                self.0.fetch_add(1, Relaxed);
            }
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[tokio::test(start_paused = true)]
    async fn one_performance_line_a_minute_says_what_has_happened_since_the_last() {
        let lines = Arc::new(AtomicUsize::new(0));
        let _listening = tracing::subscriber::set_default(Lines(lines.clone()));
        let settings = WorkSettings::default();
        let works = Works::new(Arc::new(EmbeddedLocks::default()), None, Arc::new(SystemEntropy), settings);
        let stop = CancellationToken::new();
        let logging = tokio::spawn({
            let (works, stop) = (works.clone(), stop.clone());
            async move { works.log(stop).await }
        });
        tokio::time::sleep(Duration::from_secs(200)).await;
        assert_eq!(lines.load(Relaxed), 3);
        works.log(stop.clone()).await; // answers at once: somebody logs already
        stop.cancel();
        logging.await.unwrap();

        let operation = works.monitor.operation("x");
        operation.note(Duration::from_millis(3), None);
        operation.note(Duration::from_millis(5), Some("away"));
        let said = works.line(Totals::default());
        assert_eq!((said.calls, said.failed), (2, 1));
    }
}
