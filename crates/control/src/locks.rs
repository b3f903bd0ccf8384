//! One at a time, over all processes: work on a subject that would be wasted if two did it.
//!
//! First a lock in this process, so that of many tasks here one asks outside; then a lock in Redis, or in Postgres while
//! Redis is away, renewed while the work runs. What is done under a lock has to be safe without it.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use domain::ports::{Entropy, LockStore, LockToken, Outage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::fallback::Fallback;
use crate::lock_map::LockMap;
use crate::retry::{RetrySettings, retry};
use crate::shared::Counted;

/// The `[locks]` section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LockSettings {
    /// Seconds after which a lock that its holder has not renewed is anybody's. It is renewed after each third of it.
    pub timeout_s: u32,
    /// Locks that one process remembers. Of more, the oldest that nobody holds are forgotten.
    pub max_here: usize,
    /// Seconds after which a process forgets a lock that nobody used.
    pub idle_s: u32,
}

impl Default for LockSettings {
    fn default() -> Self {
        Self { timeout_s: 30, max_here: 2_000, idle_s: 300 }
    }
}

/// Between two looks at a lock that another process holds; up to half as much again is added, so that those who wait do
/// not all look at once.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Why work was not begun.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotLocked {
    /// Somebody else was at it all the time.
    #[error("somebody else is at it")]
    Busy,
    /// Nobody can be asked.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// The locks of one process.
pub struct Locks {
    store: Arc<dyn LockStore>,
    fallback: Option<Arc<dyn LockStore>>,
    entropy: Arc<dyn Entropy>,
    here: Arc<LockMap>,
    settings: LockSettings,
    retry: RetrySettings,
    /// Redis away; what is done instead.
    away: Fallback,
    held: AtomicUsize,
    waiting: AtomicUsize,
    timeouts: AtomicU64,
    lost: AtomicU64,
    fallbacks: AtomicU64,
}

/// How the locks are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockStats {
    /// Locks held by all processes; `null` while nobody can be asked.
    pub active: Option<u64>,
    /// Those of them that this process holds.
    pub held_here: usize,
    /// Tasks of this process that wait for one.
    pub waiting: usize,
    /// Waits of this process that ended without the lock, since the start.
    pub timeouts: u64,
    /// Locks that this process lost while it worked, since the start.
    pub lost: u64,
    /// Times that Postgres was asked for one because Redis was away, since the start.
    pub fallbacks: u64,
    /// Is that so now?
    pub fallback: bool,
    /// Names that this process remembers.
    pub remembered: usize,
    /// Seconds after which a lock that is not renewed is anybody's.
    pub timeout_s: u32,
}

impl Locks {
    /// In `store`; in `fallback` while that is away.
    pub fn new(
        store: Arc<dyn LockStore>,
        fallback: Option<Arc<dyn LockStore>>,
        entropy: Arc<dyn Entropy>,
        settings: LockSettings,
        retry: RetrySettings,
    ) -> Arc<Self> {
        // Seen from the start, so that the first one shows as an increase.
        for name in ["seckill_lock_timeouts_total", "seckill_locks_lost_total"] {
            metrics::counter!(name).increment(0);
        }
        let instead = if fallback.is_some() { "the database keeps them" } else { "nobody keeps any" };
        Arc::new(Self {
            store,
            away: Fallback::new("locks", instead),
            fallback,
            entropy,
            here: LockMap::new(settings.max_here, Duration::from_secs(u64::from(settings.idle_s))),
            settings,
            retry,
            held: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            timeouts: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            fallbacks: AtomicU64::new(0),
        })
    }

    /// Does `work` on a subject while nobody else does the same operation on it, waiting no longer than `wait` for that. The
    /// token given to the work is cancelled when the lock is lost on the way: somebody else may begin then.
    pub async fn with<T, F: Future<Output = T>>(
        self: &Arc<Self>,
        subject: &str,
        operation: &'static str,
        wait: Duration,
        work: impl FnOnce(CancellationToken) -> F,
    ) -> Result<T, NotLocked> {
        self.with_for(subject, operation, (self.ttl(), wait), work).await
    }

    /// The same with a lock that is anybody's after `ttl`, if that is shorter than usual: where nobody should wait long for
    /// a holder that has died.
    pub async fn with_for<T, F: Future<Output = T>>(
        self: &Arc<Self>,
        subject: &str,
        operation: &'static str,
        (ttl, wait): (Duration, Duration),
        work: impl FnOnce(CancellationToken) -> F,
    ) -> Result<T, NotLocked> {
        let ttl = ttl.min(self.ttl());
        let (name, until) = (format!("{subject}:{operation}"), Instant::now() + wait);
        let waiting = Counted::up(&self.waiting);
        let Ok(_here) = self.here.lock(&name, wait).await else { return Err(self.busy(wait)) };
        let Some(mut lease) = self.lease(name, ttl, until).await? else { return Err(self.busy(wait)) };
        drop(waiting);
        metrics::counter!("seckill_locks_total", "operation" => operation).increment(1);
        let _held = Counted::up(&self.held);
        let lost = CancellationToken::new();
        let outcome = {
            let (mut work, mut kept) = (pin!(work(lost.clone())), pin!(lease.keep(&lost)));
            tokio::select! {
                biased;
                outcome = &mut work => outcome,
                never = &mut kept => match never {},
            }
        };
        lease.end().await;
        Ok(outcome)
    }

    /// The figures; asks the store.
    pub async fn stats(&self) -> LockStats {
        // A look asks for no lock: it may end the outage, and does not count as one.
        let active = match (self.store.active().await, &self.fallback) {
            (Ok(active), _) => {
                self.away.not_needed();
                Some(active)
            }
            (Err(_), Some(fallback)) => fallback.active().await.ok(),
            (Err(_), None) => None,
        };
        LockStats {
            active,
            held_here: self.held.load(Relaxed),
            waiting: self.waiting.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            lost: self.lost.load(Relaxed),
            fallbacks: self.fallbacks.load(Relaxed),
            fallback: self.away.under_way(),
            remembered: self.here.len(),
            timeout_s: self.settings.timeout_s,
        }
    }

    fn ttl(&self) -> Duration {
        Duration::from_secs(u64::from(self.settings.timeout_s.max(1)))
    }

    fn busy(&self, wait: Duration) -> NotLocked {
        // Whoever did not want to wait has not waited too long.
        if !wait.is_zero() {
            self.timeouts.fetch_add(1, Relaxed);
            metrics::counter!("seckill_lock_timeouts_total").increment(1);
        }
        NotLocked::Busy
    }

    /// Takes the lock, looking again and again until then; `None` when somebody else held it all the time.
    async fn lease(self: &Arc<Self>, name: String, ttl: Duration, until: Instant) -> Result<Option<Lease>, Outage> {
        let token = LockToken::new([self.entropy.six(), self.entropy.six()]);
        let mut lease =
            Lease { locks: self.clone(), name, token, ttl, in_fallback: false, sure_until: until, perhaps: [false; 2] };
        loop {
            lease.sure_until = Instant::now() + ttl;
            if lease.take().await? {
                return Ok(Some(lease));
            }
            let now = Instant::now();
            if now >= until {
                return Ok(None);
            }
            let look_after = LOOK_EVERY + LOOK_EVERY.mul_f64(f64::from(self.entropy.six()[5]) / 512.0);
            sleep(look_after.min(until - now)).await;
        }
    }

    /// The store's answer, after noting whether it gave one.
    fn answer_of<T>(&self, answer: Result<T, Outage>) -> Result<T, Outage> {
        match &answer {
            Ok(_) => self.away.not_needed(),
            Err(outage) => {
                self.away.taken(outage);
                self.fallbacks.fetch_add(1, Relaxed);
            }
        }
        answer
    }
}

/// Where a lock may be.
const STORE: usize = 0;
const FALLBACK: usize = 1;

/// A lock that is ours for a while, or is being asked for.
struct Lease {
    locks: Arc<Locks>,
    name: String,
    token: LockToken,
    ttl: Duration,
    in_fallback: bool,
    sure_until: Instant,
    /// The places that may have it as ours, also without having said so.
    perhaps: [bool; 2],
}

impl Lease {
    /// Renews it after each third of its time, and cancels `lost` when it is not ours any more.
    async fn keep(&mut self, lost: &CancellationToken) -> Infallible {
        let third = self.ttl / 3;
        let mut pause = third;
        loop {
            sleep(pause).await;
            let asked = Instant::now();
            match self.renew().await {
                Ok(true) => {
                    self.sure_until = asked + self.ttl;
                    pause = third;
                    continue;
                }
                // Nobody answers: it is ours until its time is over.
                Err(_) if Instant::now() < self.sure_until => {
                    pause = (third / 10).min(self.sure_until - Instant::now());
                    continue;
                }
                Ok(false) | Err(_) => {}
            }
            warn!(lock = self.name, "the lock {} was lost while it was needed", self.name);
            self.locks.lost.fetch_add(1, Relaxed);
            metrics::counter!("seckill_locks_lost_total").increment(1);
            lost.cancel();
            std::future::pending::<Infallible>().await;
        }
    }

    /// Takes it where locks are kept now. `false`: somebody else has it.
    async fn take(&mut self) -> Result<bool, Outage> {
        let locks = self.locks.clone();
        let in_store = self.acquire(STORE, locks.store.as_ref()).await;
        match (locks.answer_of(in_store), &locks.fallback) {
            (Err(_), Some(fallback)) => {
                let taken = self.acquire(FALLBACK, fallback.as_ref()).await?;
                self.in_fallback = taken;
                Ok(taken)
            }
            (answer, _) => answer,
        }
    }

    /// Taking a lock that is ours already is harmless, so what the last answer says is sure.
    async fn acquire(&mut self, place: usize, store: &dyn LockStore) -> Result<bool, Outage> {
        // From before it is asked for: whoever goes away in the middle, or hears nothing, may have it all the same.
        let before = std::mem::replace(&mut self.perhaps[place], true);
        let answer = store.acquire(&self.name, &self.token, self.ttl).await;
        match &answer {
            Ok(taken) => self.perhaps[place] = *taken,
            Err(Outage::NotSent(_)) => self.perhaps[place] = before,
            Err(Outage::Unknown(_)) => {}
        }
        answer
    }

    async fn renew(&mut self) -> Result<bool, Outage> {
        let locks = self.locks.clone();
        let Some(fallback) = &locks.fallback else {
            return locks.answer_of(locks.store.renew(&self.name, &self.token, self.ttl).await);
        };
        // One that is kept in the other place moves: whoever begins now looks here.
        let asked = if self.in_fallback {
            self.acquire(STORE, locks.store.as_ref()).await
        } else {
            locks.store.renew(&self.name, &self.token, self.ttl).await
        };
        match locks.answer_of(asked) {
            Ok(ours) => {
                if std::mem::take(&mut self.in_fallback) {
                    self.release(FALLBACK).await;
                }
                Ok(ours)
            }
            Err(_) if self.in_fallback => fallback.renew(&self.name, &self.token, self.ttl).await,
            Err(_) => {
                self.in_fallback = self.acquire(FALLBACK, fallback.as_ref()).await?;
                Ok(self.in_fallback)
            }
        }
    }

    /// Ends it; in the background where that needs another attempt, or where nobody waits for it.
    async fn end(mut self) {
        self.release(if self.in_fallback { FALLBACK } else { STORE }).await;
    }

    async fn release(&mut self, place: usize) {
        let Some(store) = self.place(place) else { return };
        self.perhaps[place] = store.release(&self.name, &self.token).await.is_err();
    }

    fn place(&self, place: usize) -> Option<Arc<dyn LockStore>> {
        if place == FALLBACK { self.locks.fallback.clone() } else { Some(self.locks.store.clone()) }
    }
}

/// Work that was given up half way holds no lock, nor does a lock stay where it was asked for without an answer.
impl Drop for Lease {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        for place in [STORE, FALLBACK].into_iter().filter(|place| self.perhaps[*place]) {
            let Some(store) = self.place(place) else { continue };
            let (name, token, settings) = (self.name.clone(), self.token.clone(), self.locks.retry);
            runtime.spawn(async move {
                // Or its time ends it.
                let _ = retry(settings, || store.release(&name, &token)).await;
            });
        }
    }
}

#[cfg(test)]
#[path = "locks_tests.rs"]
mod tests;
