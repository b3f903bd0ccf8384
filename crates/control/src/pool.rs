//! Bounded work: so many tasks of a kind at once, each counted, and a close that loses none.

use std::collections::VecDeque;
use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use futures_util::FutureExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::monitor::{Monitor, Operation};
use crate::shared::{Counted, lock};

/// The `[tasks]` section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TaskSettings {
    /// Background tasks of one kind at once: loading sales again, payments, refunds, operators' work on dead letters.
    /// Each has a limit of its own besides, where what it works with takes less.
    pub max_concurrent: usize,
    /// Workers for the many small items of one batch, such as the sales that are looked at twice a second.
    pub workers: usize,
}

impl Default for TaskSettings {
    fn default() -> Self {
        Self { max_concurrent: 20, workers: 50 }
    }
}

/// Errors that are kept until somebody collects them; of more, the oldest go.
const ERRORS_MAX: usize = 100;

/// Tasks of one kind: at most so many at once, the others wait.
pub struct TaskPool {
    name: &'static str,
    max: usize,
    turns: Semaphore,
    tasks: TaskTracker,
    running: AtomicUsize,
    waiting: AtomicUsize,
    succeeded: AtomicU64,
    failed: AtomicU64,
    panicked: AtomicU64,
    errors: Mutex<VecDeque<String>>,
    operation: OnceLock<Operation>,
}

/// How a pool is, and what it has done since the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolCounts {
    /// Its name.
    pub name: &'static str,
    /// Tasks at once.
    pub max: usize,
    /// Running now.
    pub running: usize,
    /// Waiting for their turn.
    pub waiting: usize,
    /// Ended well.
    pub succeeded: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Ended by a panic, which is a bug.
    pub panicked: u64,
}

/// Why a task has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed<E> {
    /// The pool takes no more work.
    #[error("no more work is taken")]
    Closed,
    /// It panicked, saying this.
    #[error("it panicked: {0}")]
    Panicked(String),
    /// Its own error.
    #[error("{0}")]
    Error(E),
}

/// The pool takes no more work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no more work is taken")]
pub struct Closed;

impl TaskPool {
    /// Tasks called `name` in the measures, at most `max` at once.
    pub fn new(name: &'static str, max: usize) -> Arc<Self> {
        let max = max.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            name,
            max,
            turns: Semaphore::new(max),
            tasks: TaskTracker::new(),
            running: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
            errors: Mutex::default(),
            operation: OnceLock::new(),
        })
    }

    /// Does `work` when it is its turn, and answers what came of it. It ends with its caller.
    pub async fn execute<T, E: Display>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, Failed<E>> {
        if self.turns.is_closed() {
            return Err(Failed::Closed);
        }
        // Counted from here on, so that a close waits for it.
        let _known = self.tasks.token();
        let turn = {
            let _waiting = Counted::up(&self.waiting);
            self.turns.acquire().await.map_err(|_| Failed::Closed)?
        };
        let running = Counted::up(&self.running);
        let started = Instant::now();
        let outcome = AssertUnwindSafe(work).catch_unwind().await;
        drop((running, turn));
        let outcome = match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Failed::Error(error)),
            Err(panic) => Err(Failed::Panicked(said(panic.as_ref()))),
        };
        self.note(&outcome, started);
        outcome
    }

    /// Begins `work` in the background. What went wrong is counted, and kept for [`TaskPool::take_errors`].
    pub fn submit<E: Display + Send>(
        self: &Arc<Self>,
        work: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Result<(), Closed> {
        if self.turns.is_closed() {
            return Err(Closed);
        }
        let pool = self.clone();
        self.tasks.spawn(async move {
            let _ = pool.execute(work).await;
        });
        Ok(())
    }

    /// The errors since the last call, oldest first, at most 100.
    pub fn take_errors(&self) -> Vec<String> {
        std::mem::take(&mut *self.errors()).into()
    }

    /// How it is.
    pub fn counts(&self) -> PoolCounts {
        PoolCounts {
            name: self.name,
            max: self.max,
            running: self.running.load(Relaxed),
            waiting: self.waiting.load(Relaxed),
            succeeded: self.succeeded.load(Relaxed),
            failed: self.failed.load(Relaxed),
            panicked: self.panicked.load(Relaxed),
        }
    }

    /// Takes no more work, refuses what waits for its turn, and waits for what runs. Answers the errors that nobody has
    /// collected.
    pub async fn close(&self) -> Vec<String> {
        self.turns.close();
        self.tasks.close();
        self.tasks.wait().await;
        self.take_errors()
    }

    fn note<T, E: Display>(&self, outcome: &Result<T, Failed<E>>, started: Instant) {
        let (count, word) = match outcome {
            Ok(_) => (&self.succeeded, "succeeded"),
            Err(Failed::Panicked(_)) => (&self.panicked, "panicked"),
            Err(_) => (&self.failed, "failed"),
        };
        count.fetch_add(1, Relaxed);
        metrics::counter!("seckill_tasks_total", "pool" => self.name, "outcome" => word).increment(1);
        if let Some(operation) = self.operation.get() {
            operation.note(started.elapsed(), outcome.is_err().then_some(word));
        }
        if let Err(error) = outcome {
            let mut errors = self.errors();
            if errors.len() == ERRORS_MAX {
                errors.pop_front();
            }
            errors.push_back(error.to_string());
        }
    }

    fn errors(&self) -> MutexGuard<'_, VecDeque<String>> {
        lock(&self.errors)
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "nothing".to_owned())
}

/// The pools of a process, each made when it is first asked for.
pub struct Pools {
    settings: TaskSettings,
    monitor: Arc<Monitor>,
    pools: Mutex<Vec<Arc<TaskPool>>>,
}

impl Pools {
    /// None yet.
    pub fn new(settings: TaskSettings, monitor: Arc<Monitor>) -> Arc<Self> {
        Arc::new(Self { settings, monitor, pools: Mutex::default() })
    }

    /// The pool `name`, with as many tasks at once as the settings say, and no more than `most`.
    pub fn pool(&self, name: &'static str, most: usize) -> Arc<TaskPool> {
        self.find(name, self.settings.max_concurrent.min(most))
    }

    /// The pool for the small items of batches.
    pub fn workers(&self) -> Arc<TaskPool> {
        self.find("workers", self.settings.workers)
    }

    /// How each of them is.
    pub fn counts(&self) -> Vec<PoolCounts> {
        self.pools().iter().map(|pool| pool.counts()).collect()
    }

    fn find(&self, name: &'static str, max: usize) -> Arc<TaskPool> {
        let mut pools = self.pools();
        if let Some(pool) = pools.iter().find(|pool| pool.name == name) {
            return pool.clone();
        }
        let pool = TaskPool::new(name, max);
        let _ = pool.operation.set(self.monitor.operation(&format!("task {name}")));
        pools.push(pool.clone());
        pool
    }

    fn pools(&self) -> MutexGuard<'_, Vec<Arc<TaskPool>>> {
        lock(&self.pools)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bounded_tasks_are_counted_their_failures_collected_and_a_close_waits_for_what_runs() {
        let pool = TaskPool::new("test", 20);
        let most = Arc::new(AtomicUsize::new(0));
        for n in 0..100 {
            let (most, inner) = (most.clone(), pool.clone());
            let work = async move {
                most.fetch_max(inner.counts().running, Relaxed);
                tokio::time::sleep(Duration::from_millis(100)).await;
                assert!(n != 50, "task 50 is a bug");
                if n % 10 == 3 { Err(format!("task {n} failed")) } else { Ok(()) }
            };
            pool.submit(work).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let counts = pool.counts();
        assert_eq!((counts.running, counts.waiting), (20, 80));
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(pool.counts().running, 20);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let counts = pool.counts();
        assert_eq!((counts.succeeded, counts.failed, counts.panicked), (89, 10, 1));
        assert_eq!((counts.running, counts.waiting, most.load(Relaxed)), (0, 0, 20));
        let errors = pool.take_errors();
        assert_eq!(errors.len(), 11);
        assert!(errors.contains(&"task 33 failed".to_owned()), "{errors:?}");
        assert!(errors.iter().any(|error| error.contains("task 50 is a bug")), "{errors:?}");
        assert!(pool.take_errors().is_empty());

        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..30 {
            let done = done.clone();
            let work = async move {
                tokio::time::sleep(Duration::from_secs(3)).await;
                done.fetch_add(1, Relaxed);
                Ok::<(), String>(())
            };
            pool.submit(work).unwrap();
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let started = Instant::now();
        assert!(pool.close().await.is_empty());
        assert_eq!((started.elapsed(), done.load(Relaxed)), (Duration::from_secs(2), 20), "what waited was refused");
        assert_eq!(pool.submit(async { Ok::<(), String>(()) }), Err(Closed));
        assert_eq!(pool.execute(async { Ok::<(), String>(()) }).await, Err(Failed::Closed));
    }

    #[tokio::test]
    async fn a_task_that_is_given_up_leaves_its_place() {
        let pool = TaskPool::new("test", 1);
        let mut stuck = Box::pin(pool.execute(std::future::pending::<Result<(), String>>()));
        assert!(futures_util::poll!(&mut stuck).is_pending());
        assert_eq!(pool.counts().running, 1);
        drop(stuck);
        assert_eq!(pool.counts().running, 0);
        assert_eq!(pool.execute(async { Ok::<_, String>(7) }).await, Ok(7));
    }

    #[test]
    fn a_pool_is_made_once_and_keeps_to_the_smaller_of_both_limits() {
        let pools = Pools::new(TaskSettings::default(), Monitor::new(10));
        let [one, same] = [pools.pool("a", 8), pools.pool("a", 8)];
        assert!(Arc::ptr_eq(&one, &same));
        pools.pool("b", 100);
        pools.workers();
        let counts = pools.counts();
        assert_eq!(
            counts.iter().map(|pool| (pool.name, pool.max)).collect::<Vec<_>>(),
            [("a", 8), ("b", 20), ("workers", 50)]
        );
    }
}
