use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use async_trait::async_trait;
use backends::embedded::{Embedded, EmbeddedGate, EmbeddedStore};
use domain::ports::{Clock, Concurrency as Port};
use domain::{Timestamp, from_ms};

use super::*;

#[derive(Default)]
struct ByHand(AtomicI64);

impl Clock for ByHand {
    fn now(&self) -> Timestamp {
        from_ms(self.0.load(Ordering::SeqCst))
    }
}

/// Counts the round trips of tasks, and takes the answers of so many: what was asked for is done, but
/// nobody hears of it. So many releases are not done.
struct Counting(Arc<EmbeddedGate>, AtomicUsize, AtomicUsize, AtomicUsize);

impl Counting {
    fn heard<T>(&self, answer: T) -> Result<T, Outage> {
        match self.2.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Err(Outage::Unknown("no answer".to_owned())),
            Err(_) => Ok(answer),
        }
    }
}

#[async_trait]
impl Port for Counting {
    async fn obey(&self, version: i64, rules: &ConcurrencyRules, force: bool) -> Result<Obeyed, Outage> {
        self.0.obey(version, rules, force).await
    }
    async fn acquire(&self, task: &str, token: &str) -> Result<Acquired, Outage> {
        self.1.fetch_add(1, Ordering::SeqCst);
        let acquired = self.0.acquire(task, token).await?;
        tokio::task::yield_now().await; // on its way back
        self.heard(acquired)
    }
    async fn renew(&self, task: &str, token: &str) -> Result<(), Outage> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.renew(task, token).await
    }
    async fn release(&self, task: &str, token: &str) -> Result<(), Outage> {
        self.1.fetch_add(1, Ordering::SeqCst);
        if self.3.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(Outage::NotSent("away".to_owned()));
        }
        self.0.release(task, token).await
    }
    async fn usage(&self) -> Result<ConcurrencyUsage, Outage> {
        self.0.usage().await
    }
    async fn stats(&self) -> Result<BTreeMap<String, u64>, Outage> {
        self.0.stats().await
    }
}

struct Bench {
    clock: Arc<ByHand>,
    store: Arc<EmbeddedStore>,
    port: Arc<Counting>,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(ByHand::default());
        clock.0.store(1_795_000_000_000, Ordering::SeqCst);
        let Embedded { gate, store, .. } = Embedded::new(clock.clone());
        Self {
            clock,
            store,
            port: Arc::new(Counting(gate, AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0))),
        }
    }

    fn instance(&self, name: &str, wait_s: u32) -> Arc<Concurrency> {
        let settings = ConcurrencySettings { wait_s, ..ConcurrencySettings::default() };
        Concurrency::new(self.store.clone(), self.port.clone(), &settings, name)
    }

    async fn limited(&self, max: u32, wait_s: u32) -> Arc<Concurrency> {
        let one = self.instance("one", wait_s);
        one.change(&Operator::default(), &tasks(max)).await.unwrap();
        one
    }

    fn trips(&self) -> usize {
        self.port.1.load(Ordering::SeqCst)
    }

    fn lose_answers(&self, answers: usize) {
        self.port.2.store(answers, Ordering::SeqCst);
    }

    async fn running(&self) -> Option<u64> {
        self.port.usage().await.unwrap().task_types.get("publish").copied()
    }
}

fn tasks(max: u32) -> ConcurrencyPatch {
    let task_type_max = BTreeMap::from([("publish".to_owned(), max)]);
    ConcurrencyPatch { task_type_max, ..ConcurrencyPatch::default() }
}

#[tokio::test]
async fn an_unlimited_task_makes_no_round_trip() {
    let bench = Bench::new();
    let one = bench.instance("one", 0);
    assert_eq!(one.run(Task::Publish, async { 7 }).await, Ok(7));
    one.change(&Operator::default(), &tasks(1)).await.unwrap();
    let off = ConcurrencyPatch { enabled: Some(false), ..ConcurrencyPatch::default() };
    one.change(&Operator::default(), &off).await.unwrap();
    assert_eq!(one.attempt(Task::Publish, async { 8 }).await, Ok(8));
    assert_eq!(bench.trips(), 0);
}

#[tokio::test]
async fn as_many_tasks_run_as_may_and_the_next_one_waits_for_a_token() {
    let bench = Bench::new();
    let one = bench.limited(2, 30).await;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let work = || {
        let (one, running, most) = (one.clone(), running.clone(), most.clone());
        tokio::spawn(async move {
            let work = async {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                running.fetch_sub(1, Ordering::SeqCst);
            };
            one.run(Task::Publish, work).await.unwrap();
        })
    };
    futures_util::future::join_all((0..6).map(|_| work())).await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
    assert_eq!(bench.running().await, Some(0), "each token was given back");
    let stats = one.stats().await.unwrap();
    assert_eq!((stats["acquired:task_type:publish"], stats["acquired:total"], stats["released:total"]), (6, 6, 6));
}

#[tokio::test]
async fn whoever_waits_in_vain_is_told_and_a_loop_does_not_wait() {
    let bench = Bench::new();
    let one = bench.limited(1, 1).await;
    assert_eq!(bench.port.acquire("publish", "someone else's").await.unwrap(), Acquired::Taken);
    let begun = Instant::now();
    assert_eq!(one.attempt(Task::Publish, async { 1 }).await, Err(Busy(Task::Publish)));
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(one.run(Task::Publish, async { 1 }).await, Err(Busy(Task::Publish)));
    assert!(begun.elapsed() >= Duration::from_secs(1));
    // Another type of task is not held up.
    assert_eq!(one.attempt(Task::Refund, async { 1 }).await, Ok(1));
}

#[tokio::test]
async fn a_token_that_nobody_gives_back_ends_by_itself_and_a_dropped_one_at_once() {
    let bench = Bench::new();
    let one = bench.limited(1, 0).await;
    assert_eq!(bench.port.acquire("publish", "of a process that was killed").await.unwrap(), Acquired::Taken);
    assert!(one.attempt(Task::Publish, async {}).await.is_err());
    bench.clock.0.fetch_add(300_000, Ordering::SeqCst);
    assert_eq!(bench.running().await, Some(0));
    assert!(one.attempt(Task::Publish, async {}).await.is_ok());

    let dropped = tokio::spawn({
        let one = one.clone();
        async move { one.run(Task::Publish, std::future::pending::<()>()).await }
    });
    while bench.running().await != Some(1) {
        tokio::task::yield_now().await;
    }
    dropped.abort();
    while bench.running().await != Some(0) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_token_that_was_taken_while_nobody_heard_of_it_does_not_keep_the_next_task_waiting() {
    let bench = Bench::new();
    let one = bench.limited(1, 0).await;
    bench.lose_answers(1);
    let running = one.attempt(Task::Publish, bench.running()).await;
    assert_eq!(running, Ok(Some(1)), "the work is done, and counts");
    assert_eq!(bench.running().await, Some(0), "given back with it");
    assert_eq!(one.attempt(Task::Publish, async {}).await, Ok(()));

    // Whoever goes away before the answer is there.
    let mut asking = Box::pin(one.attempt(Task::Publish, async {}));
    assert!(futures_util::poll!(&mut asking).is_pending());
    assert_eq!(bench.running().await, Some(1));
    drop(asking);
    let begun = Instant::now();
    while bench.running().await != Some(0) {
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody gives it back");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_given_back_is_given_back_later() {
    let bench = Bench::new();
    let one = bench.limited(1, 0).await;
    bench.port.3.store(3, Ordering::SeqCst);
    assert_eq!(one.attempt(Task::Publish, async {}).await, Ok(()));
    assert_eq!(bench.running().await, Some(1));
    let begun = Instant::now();
    while bench.running().await != Some(0) {
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody gives it back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_long_task_renews_its_token_also_one_that_was_lost() {
    let bench = Bench::new();
    let one = bench.limited(1, 0).await;
    one.change(&Operator::default(), &ConcurrencyPatch { timeout: Some(1), ..ConcurrencyPatch::default() })
        .await
        .unwrap();
    let task = tokio::spawn({
        let one = one.clone();
        async move { one.run(Task::Publish, tokio::time::sleep(Duration::from_secs(2))).await }
    });
    while bench.running().await != Some(1) {
        tokio::task::yield_now().await;
    }
    // Its life ends, and so do all its sets; the renewal brings it back.
    bench.clock.0.fetch_add(2_000, Ordering::SeqCst);
    assert_eq!(bench.running().await, Some(0));
    while bench.running().await != Some(1) {
        assert!(!task.is_finished(), "it was never renewed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    task.await.unwrap().unwrap();
    assert_eq!(bench.running().await, Some(0));
}

#[tokio::test]
async fn what_the_scripts_have_forgotten_or_somebody_has_written_there_is_told_again() {
    let bench = Bench::new();
    let one = bench.limited(3, 0).await;
    bench.port.0.lose_everything();
    assert_eq!(bench.running().await, None, "the default limits no tasks");
    one.tell().await.unwrap();
    assert_eq!(bench.running().await, Some(0));

    // Another instance that has not heard of the change does not undo it.
    let stale = bench.instance("two", 0);
    stale.tell().await.unwrap();
    assert_eq!(bench.running().await, Some(0));
    assert_eq!(stale.live.version(), 1, "it has heard of it now");

    // Rules of a database that has been replaced are not obeyed for ever.
    bench.port.obey(99, &ConcurrencyRules::default(), false).await.unwrap();
    one.tell().await.unwrap();
    assert_eq!(bench.running().await, Some(0));
}
