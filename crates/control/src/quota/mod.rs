//! Quotas: how much of something one subject may use in a day.
//!
//! A use is checked and counted in one step at the [`QuotaGate`], for all gateways together, so that what is not written yet
//! counts as well. What was counted is then written to the [`QuotaStore`]: by [`writer`], in batches, after the answer; or,
//! where that is switched off or too many wait, before it. While the gate is away the store counts; see
//! [`domain::QuotaUsage`] for how the two come together again.

mod dirty;
mod settings;
mod stats;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use domain::ports::{Clock, Entropy, Outage, QuotaGate, QuotaStore};
use domain::{BuyerId, JobId, QuotaEvent, QuotaKey, QuotaKind, QuotaSeed, QuotaTaken, QuotaUse, Timestamp};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

pub use self::settings::{QuotaLimits, QuotaPreset, QuotaSettings, Writing};
pub use self::stats::{QuotaHealth, QuotaStatistics};

use self::dirty::Dirty;
use self::stats::Counts;
use self::writer::Writer;
use crate::Live;

/// A counter waits this long for what was used before. Then it begins with nothing, and learns the rest when it is written
/// next: a store that is away does not stop buyers.
const STORE_MAX: Duration = Duration::from_secs(1);

/// Counters that may be behind are told this often.
const RAISE_EVERY: Duration = Duration::from_millis(500);

/// What is older than yesterday is forgotten this often, at most so many rows at once.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
const SWEEP_MAX: usize = 10_000;

/// What quotas stand on.
pub struct QuotaParts {
    /// Counts.
    pub gate: Arc<dyn QuotaGate>,
    /// Keeps.
    pub store: Arc<dyn QuotaStore>,
    /// Divides days.
    pub clock: Arc<dyn Clock>,
    /// Names uses.
    pub entropy: Arc<dyn Entropy>,
    /// The limits that operators change.
    pub limits: Arc<Live<QuotaLimits>>,
}

/// The quotas of one process.
pub struct Quotas {
    gate: Arc<dyn QuotaGate>,
    store: Arc<dyn QuotaStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: Arc<Live<QuotaLimits>>,
    settings: QuotaSettings,
    writing: Writing,
    /// `None` where each use is written before its answer.
    writer: Option<Writer>,
    counts: Arc<Counts>,
    dirty: Arc<Dirty>,
    /// The gate did not answer the last use.
    gate_away: AtomicBool,
}

/// Why a use is not allowed.
#[derive(Clone, Debug)]
pub enum NotAllowed {
    /// The quota is used up.
    Exceeded {
        /// Which.
        kind: QuotaKind,
        /// Units in a day.
        limit: u64,
        /// When the next day begins.
        resets_at: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// It can be neither counted nor written at the moment. Nothing was used.
    Away(Outage),
}

impl Quotas {
    /// Starts the workers. Has to be called inside the runtime that will do their work. The error names a setting.
    pub fn start(settings: QuotaSettings, parts: QuotaParts) -> Result<Arc<Self>, String> {
        let writing = settings.writing()?;
        let QuotaParts { gate, store, clock, entropy, limits } = parts;
        let (counts, dirty) = (Arc::new(Counts::new()), Arc::<Dirty>::default());
        let writer = writing
            .enabled
            .then(|| Writer::start(writing, store.clone(), clock.clone(), counts.clone(), dirty.clone()));
        let gate_away = AtomicBool::new(false);
        Ok(Arc::new(Self { gate, store, clock, entropy, limits, settings, writing, writer, counts, dirty, gate_away }))
    }

    /// The limits that operators change.
    pub fn limits(&self) -> &Arc<Live<QuotaLimits>> {
        &self.limits
    }

    /// How usage is written.
    pub fn writing(&self) -> &Writing {
        &self.writing
    }

    /// As configured.
    pub fn settings(&self) -> &QuotaSettings {
        &self.settings
    }

    /// Is anything of this kind counted?
    pub fn counts(&self, kind: QuotaKind) -> bool {
        self.limits.get().of(kind) > 0
    }

    /// One request of an API client: checked, counted, and left to be written. Without the gate, the store counts.
    pub async fn request(&self, client: &str) -> Result<(), NotAllowed> {
        let limit = self.limits.get().of(QuotaKind::Requests);
        if limit == 0 {
            return Ok(());
        }
        let one = self.new_use(QuotaKind::Requests, client, self.fresh_id(), 1);
        let taken = match self.take(&one, limit).await {
            Ok(taken) => taken,
            Err(outage) => {
                if matches!(outage, Outage::Unknown(_)) {
                    self.dirty.doubt(&one.key, vec![one.clone()]);
                }
                return self.request_directly(&one, limit, outage).await;
            }
        };
        match taken {
            QuotaTaken::Allowed { generation, .. } => {
                let event = QuotaEvent { of: one.clone(), generation };
                if let Err(outage) = self.consume(event).await {
                    // A request that cannot be written is not made: what was let through is what was counted.
                    if matches!(outage, Outage::NotSent(_)) {
                        let _ = self.gate.give_back(&one).await;
                    }
                    return Err(NotAllowed::Away(outage));
                }
                Ok(())
            }
            QuotaTaken::Before { .. } => Ok(()),
            QuotaTaken::Exceeded { .. } => Err(self.exceeded(&one, limit)),
            QuotaTaken::Unseeded => Err(NotAllowed::Away(Outage::NotSent("the counter cannot begin".to_owned()))),
        }
    }

    async fn request_directly(&self, one: &QuotaUse, limit: u64, outage: Outage) -> Result<(), NotAllowed> {
        if !self.gate_away.swap(true, Ordering::Relaxed) {
            warn!(%outage, "requests are counted by Postgres until Redis answers again");
        }
        let taken = self.store.take_directly(one, limit).await.map_err(NotAllowed::Away)?;
        match taken {
            QuotaTaken::Exceeded { .. } => Err(self.exceeded(one, limit)),
            QuotaTaken::Allowed { .. } => {
                self.counts.direct();
                self.dirty.note([one.key.clone()]);
                Ok(())
            }
            QuotaTaken::Before { .. } | QuotaTaken::Unseeded => Ok(()),
        }
    }

    /// A purchase of a buyer, before the gate decides on it. Whatever it decides is then told by [`Quotas::purchased`] or
    /// [`Quotas::not_purchased`]. `None`: it had been counted before, or nothing is counted.
    pub async fn purchase(&self, buyer: &BuyerId, job: JobId, units: u16) -> Result<Option<QuotaEvent>, NotAllowed> {
        let limit = self.limits.get().of(QuotaKind::Purchases);
        if limit == 0 {
            return Ok(None);
        }
        let one = self.new_use(QuotaKind::Purchases, buyer.as_str(), job.to_string(), u32::from(units));
        match self.take(&one, limit).await.map_err(NotAllowed::Away)? {
            QuotaTaken::Allowed { generation, .. } => Ok(Some(QuotaEvent { of: one, generation })),
            QuotaTaken::Before { .. } => Ok(None),
            QuotaTaken::Exceeded { .. } => Err(self.exceeded(&one, limit)),
            QuotaTaken::Unseeded => Err(NotAllowed::Away(Outage::NotSent("the counter cannot begin".to_owned()))),
        }
    }

    /// The purchase was accepted, or may have been. It cannot be refused any more: where it cannot be written, that is
    /// counted and said, and its order is what the next counter begins with.
    pub async fn purchased(&self, event: QuotaEvent) {
        if let Err(outage) = self.consume(event).await {
            debug!(%outage, "a purchase is not written as usage; its order will be counted");
        }
    }

    /// The purchase was refused, or is an old one that was sent again: nothing was used.
    pub async fn not_purchased(&self, event: QuotaEvent) {
        if let Err(outage) = self.gate.give_back(&event.of).await {
            debug!(%outage, "a use that was not made stays counted until the day is over");
        }
    }

    /// Checks and counts in one step at the gate, which is told what was used before where it knows nothing.
    pub async fn take(&self, one: &QuotaUse, limit: u64) -> Result<QuotaTaken, Outage> {
        if self.dirty.has(&one.key) {
            // Where the store does not answer, it is told later: a store that is away does not stop buyers.
            let _ = self.raise(&one.key).await;
        }
        let (starts_at, ends_at) = self.bounds(one.key.day);
        let taken = match self.gate.take(one, limit, ends_at, None).await? {
            QuotaTaken::Unseeded => {
                let seed = self.seed(&one.key, starts_at, ends_at).await;
                self.gate.take(one, limit, ends_at, Some(&seed)).await?
            }
            taken => taken,
        };
        if self.gate_away.swap(false, Ordering::Relaxed) {
            info!("requests are counted by Redis again");
        }
        Ok(taken)
    }

    /// What a counter begins with. Uses that are written while it is read are not in it: their generation is another one,
    /// and the counter learns of it.
    async fn seed(&self, key: &QuotaKey, from: Timestamp, until: Timestamp) -> QuotaSeed {
        let used = tokio::time::timeout(STORE_MAX, self.store.used(key, from, until)).await;
        let used = match used {
            Ok(Ok(used)) => used,
            Ok(Err(_)) | Err(_) => {
                metrics::counter!("seckill_quota_unseeded_total").increment(1);
                self.dirty.note([key.clone()]);
                0
            }
        };
        QuotaSeed { used, generation: self.fresh_id() }
    }

    /// Writes a counted use: after the answer, or before it where that is switched off or too many wait. The error says
    /// that it is not written and will not be.
    pub async fn consume(&self, event: QuotaEvent) -> Result<(), Outage> {
        self.consume_batch(vec![event]).await
    }

    /// Writes a counted use before the answer.
    pub async fn consume_sync(&self, event: QuotaEvent) -> Result<(), Outage> {
        self.counts.taken(1);
        self.write_now(&[event]).await
    }

    /// Writes counted uses together: all through the channel, or all in one statement.
    pub async fn consume_batch(&self, events: Vec<QuotaEvent>) -> Result<(), Outage> {
        self.counts.taken(events.len());
        let Some(writer) = &self.writer else { return self.write_now(&events).await };
        match writer.leave(events) {
            Ok(()) => Ok(()),
            Err(events) => {
                self.counts.fallback(events.len());
                if writer.has_doubts() {
                    self.counts.dropped(events.len());
                    return Err(Outage::NotSent("too many answers of the store were lost".to_owned()));
                }
                match self.store.write(&events).await {
                    // It may be written already: it can only be made sure that it is.
                    Err(Outage::Unknown(why)) => writer.doubt(events).map_err(|count| {
                        self.counts.dropped(count);
                        Outage::Unknown(why)
                    }),
                    answered => self.note_written(events.len(), answered),
                }
            }
        }
    }

    async fn write_now(&self, events: &[QuotaEvent]) -> Result<(), Outage> {
        self.note_written(events.len(), self.store.write(events).await)
    }

    fn note_written(&self, count: usize, answered: Result<Vec<QuotaKey>, Outage>) -> Result<(), Outage> {
        match answered {
            Ok(shared) => {
                self.counts.written(count, self.clock.now());
                self.dirty.note(shared);
                Ok(())
            }
            Err(outage) => {
                self.counts.dropped(count);
                Err(outage)
            }
        }
    }

    /// Tells the gate's counter what is written of other generations, and takes back what it has counted in vain.
    async fn raise(&self, key: &QuotaKey) -> Result<(), Outage> {
        let mut doubtful = self.dirty.take(key);
        let raised = async {
            while let Some(one) = doubtful.last() {
                self.gate.give_back(one).await?;
                doubtful.pop();
            }
            let late = |_| Outage::NotSent("the store did not answer in time".to_owned());
            let written = tokio::time::timeout(STORE_MAX, self.store.written(key)).await.map_err(late)??;
            self.gate.raise(key, &written).await
        };
        raised.await.inspect_err(|_| self.dirty.doubt(key, doubtful))
    }

    /// Keeps counters up and old days out, until stopped.
    pub async fn keep(&self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(RAISE_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut swept = tokio::time::Instant::now();
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            for key in self.dirty.all() {
                if let Err(outage) = self.raise(&key).await {
                    debug!(%outage, "a counter is told later what is written");
                    break;
                }
            }
            if let Some(writer) = &self.writer {
                let health = writer.health();
                metrics::gauge!("seckill_quota_waiting").set((health.channel_fill + health.in_batches) as f64);
            }
            if swept.elapsed() >= SWEEP_EVERY {
                swept = tokio::time::Instant::now();
                if let Some(yesterday) = self.today().pred_opt() {
                    let _ = self.store.sweep(yesterday, SWEEP_MAX).await;
                }
            }
        }
    }

    /// Writes what waits and takes no more; answers how many uses could not be written within `limit`.
    pub async fn close(&self, limit: Duration) -> usize {
        let Some(writer) = &self.writer else { return 0 };
        let left = writer.close(limit).await;
        if left > 0 {
            warn!(uses = left, "stopped with usage of quotas that could not be written; Redis still counts it");
        }
        left
    }

    /// What became of the uses of this process.
    pub fn statistics(&self) -> QuotaStatistics {
        self.counts.statistics()
    }

    /// How the workers of this process are.
    pub fn health(&self) -> QuotaHealth {
        self.writer.as_ref().map_or_else(
            || QuotaHealth {
                workers_alive: 0,
                workers: 0,
                workers_replaced: 0,
                channel_fill: 0,
                channel_size: 0,
                in_batches: 0,
                last_flush_at: self.counts.last_flush_at(),
                writing: true,
            },
            Writer::health,
        )
    }

    /// Ends a worker in the middle of whatever it does, as a drill. It is replaced.
    pub fn abort_worker(&self, at: usize) {
        if let Some(writer) = &self.writer {
            writer.abort_worker(at);
        }
    }

    /// Units that a subject has used today: as the gate counts, or, without it, as far as they are written.
    pub async fn used(&self, kind: QuotaKind, subject: &str) -> Result<u64, Outage> {
        let key = QuotaKey { kind, subject: subject.to_owned(), day: self.today() };
        if let Ok(Some(counted)) = self.gate.counted(&key).await {
            return Ok(counted);
        }
        let (from, until) = self.bounds(key.day);
        self.store.used(&key, from, until).await
    }

    /// The day that counts now.
    pub fn today(&self) -> NaiveDate {
        self.day_of(self.clock.now())
    }

    /// When it ends.
    pub fn resets_at(&self) -> Timestamp {
        self.bounds(self.today()).1
    }

    fn offset(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.settings.utc_offset_minutes))
    }

    fn day_of(&self, at: Timestamp) -> NaiveDate {
        (at + self.offset()).date_naive()
    }

    fn bounds(&self, day: NaiveDate) -> (Timestamp, Timestamp) {
        let starts_at = day.and_time(chrono::NaiveTime::MIN).and_utc() - self.offset();
        (starts_at, starts_at + TimeDelta::days(1))
    }

    fn new_use(&self, kind: QuotaKind, subject: &str, id: String, units: u32) -> QuotaUse {
        let at = self.clock.now();
        QuotaUse { key: QuotaKey { kind, subject: subject.to_owned(), day: self.day_of(at) }, id, units, at }
    }

    /// Ours, never the caller's: a client that chose its request's id could make many requests count as one.
    fn fresh_id(&self) -> String {
        [self.entropy.six(), self.entropy.six()].as_flattened().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn exceeded(&self, one: &QuotaUse, limit: u64) -> NotAllowed {
        let kind = one.key.kind;
        metrics::counter!("seckill_quota_refused_total", "kind" => kind.as_str()).increment(1);
        NotAllowed::Exceeded { kind, limit, resets_at: self.bounds(one.key.day).1, now: one.at }
    }
}
