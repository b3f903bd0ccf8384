//! Locks of two processes on one store, with the clock stopped.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use backends::SystemEntropy;
use backends::embedded::EmbeddedLocks;

use super::*;

const NO_WAIT: Duration = Duration::ZERO;

/// A store that goes away at a word, and counts what it is asked.
#[derive(Default)]
struct Store {
    locks: EmbeddedLocks,
    away: AtomicBool,
    /// Does what it is asked, and nobody hears of it.
    mute: AtomicBool,
    /// Does not answer before this is false.
    stuck: AtomicBool,
    asked: AtomicUsize,
    taken: Mutex<Vec<LockToken>>,
}

impl Store {
    fn ask(&self) -> Result<&EmbeddedLocks, Outage> {
        self.asked.fetch_add(1, Relaxed);
        if self.away.load(Relaxed) {
            return Err(Outage::Unknown("it is away".to_owned()));
        }
        Ok(&self.locks)
    }
}

#[async_trait]
impl LockStore for Store {
    async fn acquire(&self, name: &str, token: &LockToken, ttl: Duration) -> Result<bool, Outage> {
        let taken = self.ask()?.acquire(name, token, ttl).await?;
        if taken {
            self.taken.lock().unwrap().push(token.clone());
        }
        while self.stuck.load(Relaxed) {
            sleep(Duration::from_millis(1)).await;
        }
        if self.mute.load(Relaxed) {
            return Err(Outage::Unknown("no answer".to_owned()));
        }
        Ok(taken)
    }
    async fn renew(&self, name: &str, token: &LockToken, ttl: Duration) -> Result<bool, Outage> {
        self.ask()?.renew(name, token, ttl).await
    }
    async fn release(&self, name: &str, token: &LockToken) -> Result<bool, Outage> {
        self.ask()?.release(name, token).await
    }
    async fn active(&self) -> Result<u64, Outage> {
        self.ask()?.active().await
    }
}

/// Redis, Postgres, and the locks of two processes.
fn two() -> (Arc<Store>, Arc<Store>, [Arc<Locks>; 2]) {
    let (redis, postgres) = (Arc::new(Store::default()), Arc::new(Store::default()));
    let locks = [0, 1].map(|_| {
        Locks::new(
            redis.clone(),
            Some(postgres.clone()),
            Arc::new(SystemEntropy),
            LockSettings::default(),
            RetrySettings::default(),
        )
    });
    (redis, postgres, locks)
}

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_lock_excludes_is_renewed_while_the_work_runs_and_is_nobodys_after_its_time() {
    let (redis, _, [one, other]) = two();
    let works = tokio::spawn({
        let one = one.clone();
        async move { one.with("s1", "load", NO_WAIT, |lost| async move { (seconds(100).await, lost.is_cancelled()) }).await }
    });
    seconds(95).await; // three times its time: it was renewed
    assert!(matches!(other.with("s1", "load", NO_WAIT, |_| async {}).await, Err(NotLocked::Busy)));
    assert!(matches!(one.with("s1", "load", NO_WAIT, |_| async {}).await, Err(NotLocked::Busy)), "the same in process");
    assert!(other.with("s1", "cancel", NO_WAIT, |_| async {}).await.is_ok(), "another operation");
    assert!(other.with("s2", "load", NO_WAIT, |_| async {}).await.is_ok(), "another subject");
    let stats = one.stats().await;
    assert_eq!((stats.active, stats.held_here, stats.timeout_s), (Some(1), 1, 30));
    let started = Instant::now();
    other.with("s1", "load", Duration::from_secs(9), |_| async {}).await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(5_200), "it was ended with the work, and the other looked again");
    assert!(matches!(works.await.unwrap(), Ok(((), false))));
    assert_eq!(redis.active().await.unwrap(), 0);

    // A holder that died: its token is known here only to show that a foreign one ends nothing.
    let dead = LockToken::new([[1; 6], [2; 6]]);
    assert!(redis.acquire("s1:load", &dead, Duration::from_secs(30)).await.unwrap());
    assert!(!redis.release("s1:load", &LockToken::new([[3; 6], [4; 6]])).await.unwrap());
    assert!(matches!(one.with("s1", "load", Duration::from_secs(29), |_| async {}).await, Err(NotLocked::Busy)));
    assert_eq!(one.stats().await.timeouts, 1);
    one.with("s1", "load", Duration::from_secs(2), |_| async {}).await.unwrap();
    assert!(!redis.renew("s1:load", &dead, Duration::from_secs(30)).await.unwrap(), "it is not its own any more");
}

#[tokio::test(start_paused = true)]
async fn of_many_tasks_in_a_process_one_asks_outside() {
    let (redis, _, [one, _]) = two();
    let tasks = (0..100).map(|_| {
        let one = one.clone();
        tokio::spawn(async move { one.with("o1", "cancel", NO_WAIT, |_| seconds(1)).await.is_ok() })
    });
    let done = futures_util::future::join_all(tasks).await.into_iter().filter(|done| *done.as_ref().unwrap()).count();
    assert_eq!((done, redis.asked.load(Relaxed)), (1, 2), "taken and ended once");
}

#[tokio::test(start_paused = true)]
async fn whoever_lost_its_lock_is_told_and_ends_nothing_of_the_next() {
    let (redis, _, [one, _]) = two();
    let next = LockToken::new([[1; 6], [2; 6]]);
    let told = one
        .with("s1", "load", NO_WAIT, |lost| {
            let (redis, next) = (redis.clone(), next.clone());
            async move {
                let token = redis.taken.lock().unwrap()[0].clone();
                assert!(redis.release("s1:load", &token).await.unwrap());
                assert!(redis.acquire("s1:load", &next, Duration::from_secs(30)).await.unwrap());
                tokio::time::timeout(Duration::from_secs(11), lost.cancelled()).await.is_ok()
            }
        })
        .await;
    assert!(told.unwrap());
    assert_eq!(one.stats().await.lost, 1);
    assert!(redis.renew("s1:load", &next, Duration::from_secs(30)).await.unwrap(), "the next one has it still");
}

#[tokio::test(start_paused = true)]
async fn without_redis_the_database_keeps_the_locks_and_redis_again_when_it_is_back() {
    let (redis, postgres, [one, other]) = two();
    let works = tokio::spawn({
        let one = one.clone();
        async move { one.with("s1", "load", NO_WAIT, |lost| async move { (seconds(60).await, lost.is_cancelled()) }).await }
    });
    seconds(1).await;
    redis.away.store(true, Relaxed);
    seconds(10).await; // the lock has moved
    assert!(matches!(other.with("s1", "load", NO_WAIT, |_| async {}).await, Err(NotLocked::Busy)));
    assert!(other.with("s2", "load", NO_WAIT, |_| async {}).await.is_ok());
    let stats = other.stats().await;
    assert_eq!((stats.active, stats.fallback, stats.fallbacks), (Some(1), true, 2), "each that was asked of it");
    redis.away.store(false, Relaxed);
    seconds(20).await; // it has moved back
    assert_eq!((redis.active().await.unwrap(), postgres.active().await.unwrap()), (1, 0));
    assert!(matches!(other.with("s1", "load", NO_WAIT, |_| async {}).await, Err(NotLocked::Busy)));
    assert!(!other.stats().await.fallback, "it ended by itself");
    assert!(matches!(works.await.unwrap(), Ok(((), false))), "the lock was never lost");

    redis.away.store(true, Relaxed);
    postgres.away.store(true, Relaxed);
    assert!(matches!(one.with("s1", "load", NO_WAIT, |_| async {}).await, Err(NotLocked::Outage(_))));
}

#[tokio::test(start_paused = true)]
async fn work_that_is_given_up_leaves_no_lock() {
    let (redis, _, [one, other]) = two();
    let mut stuck = Box::pin(one.with("s1", "load", NO_WAIT, |_| std::future::pending::<()>()));
    assert!(futures_util::poll!(&mut stuck).is_pending());
    assert_eq!((redis.active().await.unwrap(), one.stats().await.held_here), (1, 1));
    drop(stuck);
    other.with("s1", "load", Duration::from_secs(1), |_| async {}).await.unwrap();
    assert_eq!((redis.active().await.unwrap(), one.stats().await.held_here), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_was_taken_while_nobody_heard_of_it_is_ended_with_the_other_one() {
    let (redis, postgres, [one, other]) = two();
    redis.mute.store(true, Relaxed);
    one.with("s1", "load", NO_WAIT, |_| async {
        assert_eq!((redis.active().await.unwrap(), postgres.active().await.unwrap()), (1, 1));
    })
    .await
    .unwrap();
    redis.mute.store(false, Relaxed);
    other.with("s1", "load", Duration::from_secs(1), |_| async {}).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!((redis.active().await.unwrap(), postgres.active().await.unwrap()), (0, 0));

    // Nor when the database has given it to somebody else, or does not answer either.
    redis.mute.store(true, Relaxed);
    let foreign = LockToken::new([[1; 6], [2; 6]]);
    assert!(postgres.acquire("s1:load", &foreign, Duration::from_secs(30)).await.unwrap());
    assert!(matches!(one.with("s1", "load", NO_WAIT, |_| async {}).await, Err(NotLocked::Busy)));
    postgres.away.store(true, Relaxed);
    assert!(matches!(one.with("s2", "load", NO_WAIT, |_| async {}).await, Err(NotLocked::Outage(_))));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(redis.active().await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_away_while_it_asks_for_a_lock_leaves_none() {
    let (redis, _, [one, other]) = two();
    redis.stuck.store(true, Relaxed);
    let mut asking = Box::pin(one.with("s1", "load", NO_WAIT, |_| async {}));
    assert!(futures_util::poll!(&mut asking).is_pending());
    assert_eq!(redis.active().await.unwrap(), 1);
    drop(asking);
    redis.stuck.store(false, Relaxed);
    other.with("s1", "load", Duration::from_secs(1), |_| async {}).await.unwrap();
    assert_eq!(redis.active().await.unwrap(), 0);
}
