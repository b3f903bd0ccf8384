//! A meter on a store that goes away, loses answers and comes back.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use async_trait::async_trait;
use backends::embedded::Embedded;
use domain::ports::{NotedActivity, Outage, SaleStore, Seen};
use domain::{Levels, NewSale, Stage, Timestamp};

use super::*;

const WORDS: &[&str] = &["accepted", "repeated", "sold-out"];

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        from_ms(self.0.load(Ordering::SeqCst))
    }
}

struct Unsteady {
    store: Arc<dyn ActivityStore>,
    away: AtomicBool,
    unanswered: AtomicBool,
}

#[async_trait]
impl ActivityStore for Unsteady {
    async fn note(&self, by: &Instance, rows: &[ActivityRow]) -> Result<(), Outage> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Outage::NotSent("a test took it away".to_owned()));
        }
        self.store.note(by, rows).await?;
        if self.unanswered.load(Ordering::SeqCst) {
            return Err(Outage::Unknown("a test lost the answer".to_owned()));
        }
        Ok(())
    }
    async fn activity(&self, sale: SaleNumber, after: i64, limit: usize) -> Result<Vec<NotedActivity>, Outage> {
        self.store.activity(sale, after, limit).await
    }
    async fn instances(&self, within_s: u32) -> Result<Vec<Seen>, Outage> {
        self.store.instances(within_s).await
    }
    async fn condense(&self, older_than_s: u32, limit: usize) -> Result<u64, Outage> {
        self.store.condense(older_than_s, limit).await
    }
}

struct Bench {
    meter: Arc<Meter>,
    store: Arc<Unsteady>,
    clock: Arc<TestClock>,
    sale: SaleNumber,
}

impl Bench {
    async fn new() -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(1_795_000_000_300)));
        let embedded = Embedded::new(clock.clone()).store;
        let new: NewSale = serde_json::from_str(
            r#"{"id":"s","title":"S","opensAt":"2031-01-01T00:00:00Z","closesAt":"2031-01-02T00:00:00Z",
                "items":[{"id":"a","title":"A","price":{"amount":1,"currency":"CNY"},"stock":1}]}"#,
        )
        .unwrap();
        let sale = embedded.create(&new, &Default::default()).await.unwrap().unwrap().number;
        let store = Arc::new(Unsteady { store: embedded, away: false.into(), unanswered: false.into() });
        let meter = Meter::new(store.clone(), clock.clone(), Role::Gateway, "0123456789", WORDS);
        Self { meter, store, clock, sale }
    }

    async fn a_second_passes(&self) {
        self.clock.0.fetch_add(1_000, Ordering::SeqCst);
        self.meter.write().await;
    }

    async fn rows(&self) -> Vec<ActivityRow> {
        let noted = self.store.activity(self.sale, 0, 100_000).await.unwrap();
        noted.into_iter().map(|noted| noted.row).collect()
    }

    async fn sum(&self) -> Activity {
        let mut sum = Activity::default();
        self.rows().await.iter().for_each(|row| sum.add(&row.activity));
        sum
    }
}

#[tokio::test]
async fn a_second_in_which_something_happened_is_one_row_and_a_still_one_is_none() {
    let bench = Bench::new().await;
    let tally = bench.meter.tally(bench.sale);
    tally.count(0);
    tally.count(2);
    tally.count(2);
    tally.count(99);
    tally.took(Stage::Answer, Duration::from_millis(3));
    bench.a_second_passes().await;
    bench.a_second_passes().await;
    tally.count(1);
    bench.a_second_passes().await;
    let rows = bench.rows().await;
    let seen: Vec<_> = rows.iter().map(|row| (row.at.timestamp() - 1_795_000_000, row.activity.asked())).collect();
    assert_eq!(seen, [(1, 3), (3, 1)]);
    assert_eq!((rows[0].instance.as_str(), rows[0].activity.accepted()), ("gateway-01234567", 1));
    assert_eq!(rows[0].activity.refused().collect::<Vec<_>>(), [("sold-out", 2)]);
    let p50 = rows[0].activity.latencies[&Stage::Answer].quantile_ms(0.5).unwrap();
    assert!((2.5..3.6).contains(&p50), "{p50}");
    let alive = bench.store.instances(10).await.unwrap();
    assert_eq!((alive.len(), alive[0].id.as_str()), (1, "gateway-01234567"));
}

#[tokio::test]
async fn what_could_not_be_written_is_written_later_and_what_had_no_answer_counts_once() {
    let bench = Bench::new().await;
    let tally = bench.meter.tally(bench.sale);
    for fault in [&bench.store.unanswered, &bench.store.away] {
        fault.store(true, Ordering::SeqCst);
        for _ in 0..5 {
            tally.count(2);
            bench.a_second_passes().await;
        }
        fault.store(false, Ordering::SeqCst);
        bench.a_second_passes().await;
    }
    assert_eq!((bench.rows().await.len(), bench.sum().await.asked()), (10, 10));
    // A clock that stands still, or goes back, gives no second twice.
    bench.clock.0.fetch_sub(3_000, Ordering::SeqCst);
    for _ in 0..3 {
        tally.count(2);
        bench.meter.write().await;
    }
    assert_eq!((bench.rows().await.len(), bench.sum().await.asked()), (13, 13));
}

#[tokio::test]
async fn hours_without_a_store_are_bounded_in_memory_and_lose_no_count() {
    let bench = Bench::new().await;
    let tally = bench.meter.tally(bench.sale);
    bench.store.away.store(true, Ordering::SeqCst);
    let seconds = WAITING_MAX as u64 + 500;
    for _ in 0..seconds {
        tally.count(2);
        bench.a_second_passes().await;
    }
    assert_eq!(bench.meter.writer.lock().await.waiting.len(), WAITING_MAX);
    bench.store.away.store(false, Ordering::SeqCst);
    bench.a_second_passes().await;
    bench.a_second_passes().await;
    assert_eq!((bench.rows().await.len(), bench.sum().await.asked()), (WAITING_MAX + 1, seconds));
}

#[tokio::test]
async fn nothing_that_is_counted_while_it_is_written_is_lost_or_counted_twice() {
    let bench = Bench::new().await;
    let counting: Vec<_> = (0..2)
        .map(|_| {
            let tally = bench.meter.tally(bench.sale);
            std::thread::spawn(move || (0..200_000).for_each(|_| tally.count(2)))
        })
        .collect();
    while counting.iter().any(|thread| !thread.is_finished()) {
        bench.a_second_passes().await;
    }
    bench.a_second_passes().await;
    assert_eq!(bench.sum().await.asked(), 400_000);
}

#[tokio::test]
async fn levels_are_written_when_they_change_and_counters_go_with_their_sale() {
    let bench = Bench::new().await;
    let tally = bench.meter.tally(bench.sale);
    let levels = |free: i64, second: i64| {
        let item = domain::ItemLevels { free, none_since: (free == 0).then(|| from_ms(second)), ..Default::default() };
        Levels { at: from_ms(second), items: vec![item] }
    };
    for (second, free) in [(1, 5), (2, 5), (3, 0), (4, 0)] {
        tally.level(levels(free, second));
        bench.a_second_passes().await;
    }
    let rows = bench.rows().await;
    assert_eq!(rows.len(), 2);
    let last = rows[1].activity.levels.as_ref().unwrap();
    assert_eq!((last.items[0].free, last.items[0].none_since), (0, Some(from_ms(3))));

    let quiet = async || {
        for _ in 0..STILL_MAX + 5 {
            bench.a_second_passes().await;
        }
        bench.meter.tallies.load().len()
    };
    assert_eq!(quiet().await, 1, "somebody holds it");
    drop(tally);
    assert_eq!(quiet().await, 0);
    // Whoever found it just before it was forgotten is counted all the same.
    let late = Arc::new(Tally::new(WORDS.len()));
    late.count(2);
    bench.meter.writer.lock().await.forgotten.push((bench.sale, late));
    bench.a_second_passes().await;
    assert_eq!(bench.sum().await.asked(), 1);
}
