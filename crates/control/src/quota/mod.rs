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
use domain::{
    BuyerId, JobId, JobRecord, QuotaEnd, QuotaEvent, QuotaKey, QuotaKind, QuotaSeed, QuotaTaken, QuotaUse, Timestamp,
};
use futures_util::{StreamExt as _, stream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

pub use self::settings::{QuotaLimits, QuotaPreset, QuotaSettings, Writing};
pub use self::stats::{QuotaHealth, QuotaStatistics};

use self::dirty::Dirty;
use self::stats::Counts;
use self::writer::Writer;
use crate::{Fallback, Live};

/// A counter waits this long for what was used before. Then it begins with nothing, and learns the rest when it is written
/// next: a store that is away does not stop buyers.
const STORE_MAX: Duration = Duration::from_secs(1);

/// Counters that look into the store at once, when they begin: at the start of a sale, each buyer's does. Others wait, and
/// begin with nothing where that takes too long.
const SEEDS_MAX: usize = 4;

/// Counters that are told at once what is written.
const RAISES_MAX: usize = 8;

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
    /// Counters that begin, and look into the store for it.
    seeds: Semaphore,
    fallback: Fallback,
}

/// A job this much older than a try, by two clocks that may differ, was admitted before it.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(10);

/// One try to make a purchase, counted at the gate. Has to be ended by one of [`Quotas::accepted`],
/// [`Quotas::not_made`], [`Quotas::denied`] and [`Quotas::unknown`].
#[derive(Clone, Debug)]
pub struct PurchaseTry {
    event: QuotaEvent,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// This try has had it counted.
    New,
    /// An earlier one has, and nobody knows how that ended.
    LeftOpen,
    /// Another one has, and may be under way, or has made it.
    Held,
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
        let seeds = Semaphore::new(SEEDS_MAX);
        let fallback = Fallback::new("quotas", "requests are counted by Postgres");
        Ok(Arc::new(Self {
            gate,
            store,
            clock,
            entropy,
            limits,
            settings,
            writing,
            writer,
            counts,
            dirty,
            seeds,
            fallback,
        }))
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
        let one = self.new_use(QuotaKind::Requests, client, self.fresh_id(), String::new(), 1);
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
            // Its id is fresh: where it was counted before, the call was sent twice.
            QuotaTaken::Allowed { generation, .. } | QuotaTaken::Before { generation, .. } => {
                let event = QuotaEvent { of: one.clone(), generation };
                if let Err(outage) = self.consume(event).await {
                    // A request that cannot be written is not made: what was let through is what was counted.
                    if matches!(outage, Outage::NotSent(_)) {
                        self.end(&one, QuotaEnd::NotMade).await;
                    }
                    return Err(NotAllowed::Away(outage));
                }
                Ok(())
            }
            QuotaTaken::Exceeded { .. } => Err(self.exceeded(&one, limit)),
            QuotaTaken::Unseeded => Err(NotAllowed::Away(Outage::NotSent("the counter cannot begin".to_owned()))),
        }
    }

    async fn request_directly(&self, one: &QuotaUse, limit: u64, outage: Outage) -> Result<(), NotAllowed> {
        self.fallback.taken(&outage);
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

    /// A try to purchase, before the gate decides on it. `None`: nothing is counted.
    pub async fn purchase(&self, buyer: &BuyerId, job: JobId, units: u16) -> Result<Option<PurchaseTry>, NotAllowed> {
        let limit = self.limits.get().of(QuotaKind::Purchases);
        if limit == 0 {
            return Ok(None);
        }
        // One token sent with two numbers of units is two uses, of which at most one is made.
        let id = format!("{job}:{units}");
        let one = self.new_use(QuotaKind::Purchases, buyer.as_str(), id, self.fresh_id(), u32::from(units));
        let taken = self.take(&one, limit).await.map_err(|outage| {
            if matches!(outage, Outage::Unknown(_)) {
                self.dirty.doubt(&one.key, vec![one.clone()]);
            }
            NotAllowed::Away(outage)
        })?;
        let (generation, standing) = match taken {
            QuotaTaken::Allowed { generation, .. } => (generation, Standing::New),
            QuotaTaken::Before { generation, held: false, .. } => (generation, Standing::LeftOpen),
            QuotaTaken::Before { generation, held: true, .. } => (generation, Standing::Held),
            QuotaTaken::Exceeded { .. } => return Err(self.exceeded(&one, limit)),
            QuotaTaken::Unseeded => {
                return Err(NotAllowed::Away(Outage::NotSent("the counter cannot begin".to_owned())));
            }
        };
        Ok(Some(PurchaseTry { event: QuotaEvent { of: one, generation }, standing }))
    }

    /// The token has a job: of this try, or, `repeated`, of another one or an earlier day. It cannot be refused any
    /// more: where it cannot be written, that is counted and said, and its order is what the next counter begins with.
    pub async fn accepted(&self, done: PurchaseTry, record: &JobRecord, repeated: bool) {
        let PurchaseTry { event, standing } = done;
        if repeated {
            // Another number of units was admitted, or what was counted before this counter began.
            let is_another = record.quantity > 0 && u32::from(record.quantity) != event.of.units;
            let is_older = record.admitted_at < event.of.at - CLOCKS_DIFFER;
            if is_another || (standing == Standing::New && is_older) {
                return self.end(&event.of, QuotaEnd::NotMade).await;
            }
            if standing == Standing::Held && is_older {
                return; // It was written then, and stays counted with whatever tries it has.
            }
        }
        if let Err(outage) = self.consume(event).await {
            debug!(%outage, "a purchase is not written as usage; its order will be counted");
        }
    }

    /// This try was not decided on.
    pub async fn not_made(&self, done: PurchaseTry) {
        self.end(&done.event.of, QuotaEnd::NotMade).await;
    }

    /// The gate has refused this try, and knows that no other one has been admitted.
    pub async fn denied(&self, done: PurchaseTry) {
        self.end(&done.event.of, QuotaEnd::Denied).await;
    }

    /// This try may have been admitted. It stays counted, and is written when somebody knows that it was.
    pub async fn unknown(&self, done: PurchaseTry) {
        self.end(&done.event.of, QuotaEnd::Unknown).await;
    }

    async fn end(&self, one: &QuotaUse, end: QuotaEnd) {
        if let Err(outage) = self.gate.end(one, end).await {
            debug!(%outage, "a use that was not made is given back later");
            if end != QuotaEnd::Unknown {
                self.dirty.doubt(&one.key, vec![one.clone()]);
            }
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
        self.fallback.not_needed();
        Ok(taken)
    }

    /// What a counter begins with. Uses that are written while it is read are not in it: their generation is another one,
    /// and the counter learns of it.
    async fn seed(&self, key: &QuotaKey, from: Timestamp, until: Timestamp) -> QuotaSeed {
        let read = async {
            let _turn = self.seeds.acquire().await;
            self.store.used(key, from, until).await
        };
        let used = tokio::time::timeout(STORE_MAX, read).await;
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
                self.gate.end(one, QuotaEnd::NotMade).await?;
                doubtful.pop();
            }
            let late = |_| Outage::NotSent("the store did not answer in time".to_owned());
            let written = tokio::time::timeout(STORE_MAX, self.store.written(key)).await.map_err(late)??;
            self.gate.raise(key, &written).await
        };
        raised.await.inspect_err(|_| self.dirty.doubt(key, doubtful))
    }

    /// Each that has begun ends: what it has in its hands must not be lost. After a failure no other begins.
    async fn raise_all(&self) {
        let failed = AtomicBool::new(false);
        stream::iter(self.dirty.all())
            .for_each_concurrent(RAISES_MAX, |key| {
                let failed = &failed;
                async move {
                    if failed.load(Ordering::Relaxed) {
                        return;
                    }
                    if let Err(outage) = self.raise(&key).await {
                        failed.store(true, Ordering::Relaxed);
                        debug!(%outage, "a counter is told later what is written");
                    }
                }
            })
            .await;
    }

    /// Keeps counters up and old days out, until stopped.
    pub async fn keep(&self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(RAISE_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut swept = tokio::time::Instant::now();
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.raise_all().await;
            if let Some(writer) = &self.writer {
                let health = writer.health();
                metrics::gauge!("seckill_quota_waiting").set((health.channel_fill + health.in_batches) as f64);
            }
            if swept.elapsed() >= SWEEP_EVERY {
                let Some(yesterday) = self.today().pred_opt() else { continue };
                // As many as it may: there are more, and the next round goes on.
                if !matches!(self.store.sweep(yesterday, SWEEP_MAX).await, Ok(rows) if rows >= SWEEP_MAX as u64) {
                    swept = tokio::time::Instant::now();
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

    fn new_use(&self, kind: QuotaKind, subject: &str, id: String, attempt: String, units: u32) -> QuotaUse {
        let at = self.clock.now();
        QuotaUse { key: QuotaKey { kind, subject: subject.to_owned(), day: self.day_of(at) }, id, attempt, units, at }
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
