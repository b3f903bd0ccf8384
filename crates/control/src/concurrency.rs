//! How much may be under way at once: the operators' rules, told to whoever enforces them, and tokens for tasks.
//!
//! Purchases take their tokens in the gate, in the step that takes the units; nothing here is on their way. Postgres keeps
//! the rules, the scripts obey their own copy: it is written before a change is answered, and looked after by everybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::ports::{Acquired, Concurrency as Port, ConcurrencyUsage, Obeyed, Operator, Outage, SettingStore};
use domain::{ConcurrencyPatch, ConcurrencyRules, WrongLimit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::live::{ChangeError, Live};
use crate::retry::Backoff;

/// Between two looks at the rules: what Redis has forgotten is told again so soon, and what was changed elsewhere is known
/// so soon to whoever asks before a round trip.
const EVERY: Duration = Duration::from_millis(400);

/// Between two tries of a task that waits for a token.
const TRY_EVERY: Duration = Duration::from_millis(200);

/// The `[concurrency]` section.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConcurrencySettings {
    /// First part of the keys in Redis that rules and tokens are kept under: letters, digits, `:`, `-` and `_`, at most 64.
    /// Not set: `concurrency`, as the requirements have it, or `<namespace>:concurrency` where `namespace` is not the
    /// default, so that two installations on one Redis do not count each other's orders.
    pub prefix: Option<String>,
    /// Seconds that a task which an operator has asked for waits for its token, before it is told to try again: 30, as the
    /// requirements have it. A task that comes by itself does not wait; it comes again.
    pub wait_s: u32,
}

impl Default for ConcurrencySettings {
    fn default() -> Self {
        Self { prefix: None, wait_s: 30 }
    }
}

/// A type of background task, by its name in the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Publishing overdue reservations again.
    Publish,
    /// Replaying dead letters.
    BatchPublish,
    /// Loading a sale into the gate.
    Rebuild,
    /// Holding gate and database against each other.
    Reconcile,
    /// Giving money back.
    Refund,
}

impl Task {
    /// Its name in `task_type_max`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::BatchPublish => "batch_publish",
            Self::Rebuild => "rebuild",
            Self::Reconcile => "reconcile",
            Self::Refund => "refund",
        }
    }
}

/// As many tasks of this type run as may. Nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as many {} tasks as may are running", .0.as_str())]
pub struct Busy(pub Task);

/// The rules, and the tasks that they govern. One for each process.
pub struct Concurrency {
    live: Arc<Live<ConcurrencyRules>>,
    port: Arc<dyn Port>,
    wait: Duration,
    /// Tells the tokens of this process from all others'.
    instance: String,
    tokens: AtomicU64,
}

impl Concurrency {
    /// Between the rules in this store and whoever enforces them. `instance` has to be this process' alone.
    pub fn new(
        store: Arc<dyn SettingStore>,
        port: Arc<dyn Port>,
        settings: &ConcurrencySettings,
        instance: impl Into<String>,
    ) -> Arc<Self> {
        let live = Live::new("concurrency", store, ConcurrencyRules::default());
        let wait = Duration::from_secs(u64::from(settings.wait_s));
        Arc::new(Self { live, port, wait, instance: instance.into(), tokens: AtomicU64::new(0) })
    }

    /// The rules as the store has them; while it is away, as they were last known.
    pub async fn rules(&self) -> Arc<ConcurrencyRules> {
        if let Err(outage) = self.live.refresh().await {
            debug!(%outage, "the concurrency rules are shown as they were last known");
        }
        self.live.get()
    }

    /// Changes a part of the rules. When this answers, every purchase obeys them, on every instance.
    pub async fn change(&self, by: &Operator, patch: &ConcurrencyPatch) -> Result<ConcurrencyRules, RulesError> {
        let change = self.live.change(by, |rules| rules.patched(patch)).await;
        self.told(change).await
    }

    /// Back to the default.
    pub async fn reset(&self, by: &Operator) -> Result<ConcurrencyRules, RulesError> {
        let change = self.live.change(by, |_| Ok(ConcurrencyRules::default())).await;
        self.told(change).await
    }

    async fn told(
        &self,
        change: Result<(ConcurrencyRules, ConcurrencyRules), ChangeError<WrongLimit>>,
    ) -> Result<ConcurrencyRules, RulesError> {
        let (_, after) = change.map_err(|error| match error {
            ChangeError::Refused(wrong) => RulesError::Wrong(wrong),
            ChangeError::Outage(outage) => RulesError::Unwritten(outage),
        })?;
        self.tell().await.map_err(RulesError::Untold)?;
        info!(rules = ?after, "the concurrency rules were changed");
        Ok(after)
    }

    /// Tells the scripts the rules as they are known here.
    async fn tell(&self) -> Result<(), Outage> {
        let (version, rules) = self.live.versioned();
        match self.port.obey(version, &rules, false).await? {
            Obeyed::Kept => {}
            Obeyed::Written => debug!(version, "the scripts were told the concurrency rules"),
            // A change is in the store before it is told. What is not there is from another life of the store.
            Obeyed::Newer(told) => {
                self.live.refresh().await?;
                let (version, rules) = self.live.versioned();
                if version < told {
                    self.port.obey(version, &rules, true).await?;
                }
            }
        }
        Ok(())
    }

    /// Follows the store and keeps the scripts told, until stopped.
    pub async fn follow(&self, stop: CancellationToken) {
        let mut away = false;
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            // Without Postgres the scripts are still told what was last known: Redis may have lost it meanwhile.
            let read = self.live.refresh().await.map(|_| ());
            let outage = read.and(self.tell().await).err();
            if let Some(outage) = outage.as_ref().filter(|_| !away) {
                warn!(%outage, "the concurrency rules cannot be followed; the last ones hold");
            }
            away = outage.is_some();
        }
    }

    /// Live tokens of what is limited.
    pub async fn usage(&self) -> Result<ConcurrencyUsage, Outage> {
        self.port.usage().await
    }

    /// Tokens taken and given back in the last 24 hours, by name.
    pub async fn stats(&self) -> Result<std::collections::BTreeMap<String, u64>, Outage> {
        self.port.stats().await
    }

    /// Does the work if a token is to be had now. For loops, which come by again.
    pub async fn attempt<F: Future>(&self, task: Task, work: F) -> Result<F::Output, Busy> {
        self.with_token(task, Duration::ZERO, work).await
    }

    /// Does the work as soon as a token is to be had, and gives up after [`ConcurrencySettings::wait_s`]. For what
    /// somebody waits for.
    pub async fn run<F: Future>(&self, task: Task, work: F) -> Result<F::Output, Busy> {
        self.with_token(task, self.wait, work).await
    }

    async fn with_token<F: Future>(&self, task: Task, patience: Duration, work: F) -> Result<F::Output, Busy> {
        if self.live.get().task_max(task.as_str()).is_none() {
            return Ok(work.await);
        }
        let Some(token) = self.token(task, patience).await? else { return Ok(work.await) };
        tokio::pin!(work);
        let done = loop {
            // Three chances to be renewed in one life.
            let renew = Duration::from_secs(u64::from(self.live.get().timeout)) / 3;
            tokio::select! {
                done = &mut work => break done,
                () = tokio::time::sleep(renew) => token.renew().await,
            }
        };
        token.release().await;
        Ok(done)
    }

    /// `None`: none is needed, or nobody can be asked. One that was asked for without an answer counts as ours: the task
    /// runs, and if it was taken it is given back with the task.
    async fn token(&self, task: Task, patience: Duration) -> Result<Option<Token>, Busy> {
        let number = self.tokens.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", self.instance);
        // From before it is asked for: whoever goes away in the middle, or hears nothing, may have it all the same.
        let life = Duration::from_secs(u64::from(self.live.get().timeout));
        let mut token = Token { port: self.port.clone(), task, name, life, is_held: true };
        let until = Instant::now() + patience;
        loop {
            match self.port.acquire(task.as_str(), &token.name).await {
                Ok(Acquired::Taken) => return Ok(Some(token)),
                Ok(Acquired::Unlimited) => {
                    token.is_held = false;
                    return Ok(None);
                }
                Ok(Acquired::Busy) if Instant::now() < until => tokio::time::sleep(TRY_EVERY).await,
                Ok(Acquired::Busy) => {
                    token.is_held = false;
                    metrics::counter!("seckill_tasks_busy_total", "type" => task.as_str()).increment(1);
                    return Err(Busy(task));
                }
                // The limit is a courtesy, the work is not: it goes on without.
                Err(outage) => {
                    metrics::counter!("seckill_tasks_unchecked_total", "type" => task.as_str()).increment(1);
                    debug!(%outage, task = task.as_str(), "a task runs without asking for a token");
                    token.is_held = matches!(outage, Outage::Unknown(_));
                    return Ok(token.is_held.then_some(token));
                }
            }
        }
    }
}

/// Why the rules were not changed, or not yet everywhere.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RulesError {
    /// They make no sense.
    #[error(transparent)]
    Wrong(WrongLimit),
    /// The store gave no answer.
    #[error("not written: {0}")]
    Unwritten(Outage),
    /// They are changed, and will be obeyed when the scripts can be told.
    #[error("not told: {0}")]
    Untold(Outage),
}

/// A task's token, until it is released or dropped.
struct Token {
    port: Arc<dyn Port>,
    task: Task,
    name: String,
    /// After which it ends by itself.
    life: Duration,
    is_held: bool,
}

impl Token {
    async fn renew(&self) {
        if let Err(outage) = self.port.renew(self.task.as_str(), &self.name).await {
            debug!(%outage, "a token was not renewed; it is tried again before it ends");
        }
    }

    async fn release(mut self) {
        match self.port.release(self.task.as_str(), &self.name).await {
            Ok(()) => self.is_held = false,
            Err(outage) => debug!(%outage, "a token was not given back; it is tried again"),
        }
    }
}

impl Drop for Token {
    /// Whoever asked has gone in the middle, or nobody answered: given back in the background, as soon as that can be.
    fn drop(&mut self) {
        if !self.is_held {
            return;
        }
        let (port, task, name, life) = (self.port.clone(), self.task, std::mem::take(&mut self.name), self.life);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(life, async move {
                let mut backoff = Backoff::default();
                while port.release(task.as_str(), &name).await.is_err() {
                    tokio::time::sleep(backoff.wait()).await;
                }
            }));
        }
    }
}

#[cfg(test)]
#[path = "concurrency_tests.rs"]
mod tests;
