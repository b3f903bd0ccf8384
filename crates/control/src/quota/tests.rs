use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use backends::embedded::{Embedded, EmbeddedQuotas, EmbeddedStore};
use backends::{SystemClock, SystemEntropy};
use domain::QuotaUsage;
use domain::ports::SettingStore;

use super::*;

/// A store that can be away, panic, or lose its answers.
struct Faulty {
    store: Arc<EmbeddedStore>,
    away: AtomicBool,
    answers_lost: AtomicBool,
    panics: AtomicU64,
    statements: AtomicU64,
    /// Readers of what was used: now, and the most at once.
    reading: AtomicU64,
    reading_most: AtomicU64,
}

#[async_trait]
impl QuotaStore for Faulty {
    async fn write(&self, events: &[QuotaEvent]) -> Result<Vec<QuotaKey>, Outage> {
        tokio::task::yield_now().await;
        if self.away.load(Ordering::SeqCst) {
            return Err(Outage::NotSent("away".to_owned()));
        }
        // Only workers write several at once: nobody's request shall panic.
        let panics = |left: u64| left.checked_sub(1).filter(|_| events.len() > 1);
        if self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, panics).is_ok() {
            panic!("a test wants a panic");
        }
        self.statements.fetch_add(1, Ordering::SeqCst);
        let written = self.store.write(events).await;
        tokio::task::yield_now().await;
        if self.answers_lost.load(Ordering::SeqCst) {
            return Err(Outage::Unknown("lost".to_owned()));
        }
        written
    }
    async fn written(&self, key: &QuotaKey) -> Result<Vec<QuotaUsage>, Outage> {
        self.store.written(key).await
    }
    async fn used(&self, key: &QuotaKey, from: Timestamp, until: Timestamp) -> Result<u64, Outage> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Outage::NotSent("away".to_owned()));
        }
        let now = self.reading.fetch_add(1, Ordering::SeqCst) + 1;
        self.reading_most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.reading.fetch_sub(1, Ordering::SeqCst);
        self.store.used(key, from, until).await
    }
    async fn take_directly(&self, one: &QuotaUse, limit: u64) -> Result<QuotaTaken, Outage> {
        self.store.take_directly(one, limit).await
    }
    async fn sweep(&self, before: NaiveDate, limit: usize) -> Result<u64, Outage> {
        self.store.sweep(before, limit).await
    }
}

struct World {
    gate: Arc<EmbeddedQuotas>,
    store: Arc<Faulty>,
    settings: Arc<dyn SettingStore>,
}

impl World {
    fn new() -> Self {
        let Embedded { store, quotas, .. } = Embedded::new(Arc::new(SystemClock));
        let settings = store.clone();
        let store = Arc::new(Faulty {
            store,
            away: AtomicBool::default(),
            answers_lost: AtomicBool::default(),
            panics: AtomicU64::default(),
            statements: AtomicU64::default(),
            reading: AtomicU64::default(),
            reading_most: AtomicU64::default(),
        });
        Self { gate: quotas, store, settings }
    }

    /// One more gateway.
    fn quotas(&self, settings: &str) -> Arc<Quotas> {
        let settings: QuotaSettings = serde_json::from_str(settings).unwrap();
        let limits = QuotaLimits {
            purchases_per_buyer_and_day: settings.purchases_per_buyer_and_day,
            requests_per_client_and_day: settings.requests_per_client_and_day,
        };
        let parts = QuotaParts {
            gate: self.gate.clone(),
            store: self.store.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            limits: Live::new("quotas", self.settings.clone(), limits),
        };
        Quotas::start(settings, parts).unwrap()
    }

    async fn written(&self, quotas: &Quotas, client: &str) -> u64 {
        let key = QuotaKey { kind: QuotaKind::Requests, subject: client.to_owned(), day: quotas.today() };
        self.store.store.written(&key).await.unwrap().iter().map(|usage| usage.used).sum()
    }
}

async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn waiting(quotas: &Quotas) -> u64 {
    let health = quotas.health();
    (health.channel_fill + health.in_batches) as u64
}

/// Must hold whenever nothing is under way.
fn adds_up(quotas: &Quotas) {
    let counts = quotas.statistics();
    assert_eq!(counts.total, counts.processed + counts.dropped + waiting(quotas), "{counts:?} {:?}", quotas.health());
}

/// Asks again while it is told that its request cannot be counted, as a client would.
async fn insist(quotas: &Quotas, client: &str) {
    while let Err(NotAllowed::Away(_)) = quotas.request(client).await {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_uses_are_all_written_while_workers_are_killed_and_the_store_goes_away() {
    const USES: u64 = 100_000;
    const CLIENTS: u64 = 50;
    let world = World::new();
    let quotas = world.quotas(r#"{"requests_per_client_and_day":1000000,"retry_delay_ms":5,"flush_interval_ms":50}"#);
    let done = CancellationToken::new();
    let trouble = tokio::spawn({
        let (quotas, store, done) = (quotas.clone(), world.store.clone(), done.clone());
        async move {
            for round in 0_u64.. {
                // However quick the machine is, its workers have died often before this ends.
                if done.is_cancelled() && quotas.health().workers_replaced >= 20 {
                    break;
                }
                quotas.abort_worker((round % 3) as usize);
                match round {
                    20 => store.away.store(true, Ordering::SeqCst),
                    60 => store.away.store(false, Ordering::SeqCst),
                    _ if round % 7 == 0 => store.panics.store(1, Ordering::SeqCst),
                    _ if round % 11 == 0 => store.answers_lost.store(true, Ordering::SeqCst),
                    _ if round % 11 == 1 => store.answers_lost.store(false, Ordering::SeqCst),
                    _ => {}
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            store.away.store(false, Ordering::SeqCst);
            store.answers_lost.store(false, Ordering::SeqCst);
            store.panics.store(0, Ordering::SeqCst);
        }
    });
    let clients = (0..CLIENTS).map(|n| {
        let quotas = quotas.clone();
        tokio::spawn(async move {
            for _ in 0..USES / CLIENTS {
                insist(&quotas, &format!("app-{n}")).await;
            }
        })
    });
    for client in futures_util::future::join_all(clients).await {
        client.unwrap();
    }
    done.cancel();
    trouble.await.unwrap();
    eventually("everything is written", async || waiting(&quotas) == 0).await;
    adds_up(&quotas);
    for n in 0..CLIENTS {
        assert_eq!(world.written(&quotas, &format!("app-{n}")).await, USES / CLIENTS, "of client {n}");
        assert_eq!(quotas.used(QuotaKind::Requests, &format!("app-{n}")).await.unwrap(), USES / CLIENTS);
    }
    let (counts, health) = (quotas.statistics(), quotas.health());
    assert!(health.workers_replaced >= 20 && counts.batches > 0, "{counts:?} {health:?}");
    eventually("all workers live", async || quotas.health().is_healthy()).await;
    println!("{counts:?} {health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn uses_are_added_up_and_written_in_batches_by_size_and_by_time() {
    let world = World::new();
    let quotas = world
        .quotas(r#"{"requests_per_client_and_day":1000,"worker_count":1,"batch_size":10,"flush_interval_ms":60000}"#);
    for _ in 0..9 {
        quotas.request("app").await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.written(&quotas, "app").await, 0, "nine wait for the tenth");
    assert_eq!(quotas.used(QuotaKind::Requests, "app").await.unwrap(), 9, "and count already");
    quotas.request("app").await.unwrap();
    eventually("a full batch is written", async || world.written(&quotas, "app").await == 10).await;
    assert_eq!((quotas.statistics().batches, world.store.statements.load(Ordering::SeqCst)), (1, 1));
    quotas.request("app").await.unwrap();
    assert_eq!(quotas.close(Duration::from_secs(5)).await, 0);
    assert_eq!(world.written(&quotas, "app").await, 11, "nothing is lost at the end");
    adds_up(&quotas);

    let quick = world.quotas(r#"{"requests_per_client_and_day":1000,"flush_interval_ms":20}"#);
    quick.request("app").await.unwrap();
    eventually("time writes a batch that is not full", async || world.written(&quick, "app").await == 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_too_many_wait_a_use_is_written_before_its_answer() {
    let world = World::new();
    let quotas = world.quotas(
        r#"{"requests_per_client_and_day":1000,"worker_count":1,"channel_size":5,"batch_size":100,"flush_interval_ms":60000}"#,
    );
    let key = QuotaKey { kind: QuotaKind::Requests, subject: "app".to_owned(), day: quotas.today() };
    let event = |id: usize| QuotaEvent {
        of: QuotaUse { key: key.clone(), id: id.to_string(), attempt: String::new(), units: 1, at: SystemClock.now() },
        generation: "g".to_owned(),
    };
    quotas.consume_batch((0..6).map(event).collect()).await.unwrap();
    assert_eq!(world.written(&quotas, "app").await, 6, "a batch that finds no room is one statement");
    assert_eq!((quotas.statistics().fallbacks, world.store.statements.load(Ordering::SeqCst)), (6, 1));
    quotas.consume_sync(event(6)).await.unwrap();
    assert_eq!(world.written(&quotas, "app").await, 7);
    quotas.consume(event(6)).await.unwrap();
    assert_eq!(quotas.close(Duration::from_secs(5)).await, 0);
    assert_eq!(world.written(&quotas, "app").await, 7, "an event counts once");
    quotas.consume(event(7)).await.unwrap();
    assert_eq!(world.written(&quotas, "app").await, 8, "who comes late is written at once");
    adds_up(&quotas);
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_each_use_is_written_before_its_answer() {
    let world = World::new();
    let quotas = world.quotas(r#"{"requests_per_client_and_day":3,"enabled":false}"#);
    for written in 1..=3 {
        quotas.request("app").await.unwrap();
        assert_eq!(world.written(&quotas, "app").await, written);
    }
    assert!(matches!(quotas.request("app").await, Err(NotAllowed::Exceeded { limit: 3, .. })));
    assert!(quotas.health().is_healthy());
    adds_up(&quotas);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_is_replaced_and_its_batch_is_written() {
    let world = World::new();
    let quotas = world.quotas(
        r#"{"requests_per_client_and_day":1000,"worker_count":1,"batch_size":4,"retry_delay_ms":10,"flush_interval_ms":60000}"#,
    );
    world.store.panics.store(3, Ordering::SeqCst);
    for _ in 0..4 {
        quotas.request("app").await.unwrap();
    }
    eventually("its third successor writes", async || world.written(&quotas, "app").await == 4).await;
    for _ in 0..3 {
        quotas.request("app").await.unwrap();
    }
    eventually("the worker has them", async || quotas.health().in_batches == 3).await;
    quotas.abort_worker(0);
    eventually("what lay in its hands is written", async || world.written(&quotas, "app").await == 7).await;
    assert_eq!(quotas.health().workers_replaced, 4);
    eventually("it lives", async || quotas.health().is_healthy()).await;
    adds_up(&quotas);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_once_through_two_gateways_let_exactly_three_through() {
    let world = World::new();
    let gateways = [(); 2].map(|()| world.quotas(r#"{"requests_per_client_and_day":3,"flush_interval_ms":20}"#));
    let uses = (0..1_000).map(|n| {
        let quotas = gateways[n % 2].clone();
        tokio::spawn(async move { quotas.request("app").await.is_ok() })
    });
    let allowed = futures_util::future::join_all(uses).await.into_iter().filter(|one| *one.as_ref().unwrap()).count();
    assert_eq!(allowed, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_that_was_lost_begins_with_what_is_written_and_learns_the_rest() {
    let world = World::new();
    let slow = world.quotas(r#"{"requests_per_client_and_day":10,"flush_interval_ms":60000}"#);
    let quick = world.quotas(r#"{"requests_per_client_and_day":10,"flush_interval_ms":10}"#);
    for _ in 0..3 {
        slow.request("app").await.unwrap();
        quick.request("app").await.unwrap();
    }
    eventually("one gateway has written", async || world.written(&quick, "app").await == 3).await;
    world.gate.forget();
    quick.request("app").await.unwrap();
    assert_eq!(quick.used(QuotaKind::Requests, "app").await.unwrap(), 4, "the other one's three are on their way");
    assert_eq!(slow.close(Duration::from_secs(5)).await, 0);
    let stop = CancellationToken::new();
    let keeping = [&slow, &quick].map(|quotas| {
        let (quotas, stop) = (quotas.clone(), stop.clone());
        tokio::spawn(async move { quotas.keep(stop).await })
    });
    eventually("they have arrived", async || quick.used(QuotaKind::Requests, "app").await.unwrap() == 7).await;
    stop.cancel();
    futures_util::future::join_all(keeping).await;
    for _ in 0..3 {
        quick.request("app").await.unwrap();
    }
    assert!(matches!(quick.request("app").await, Err(NotAllowed::Exceeded { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_whose_answer_was_lost_is_written_though_no_other_comes() {
    let world = World::new();
    let quotas = world.quotas(r#"{"worker_count":1,"channel_size":1,"flush_interval_ms":60000,"retry_delay_ms":5}"#);
    eventually("the worker waits", async || quotas.health().is_healthy()).await;
    tokio::task::yield_now().await;
    let key = QuotaKey { kind: QuotaKind::Requests, subject: "app".to_owned(), day: quotas.today() };
    let event = |id: usize| QuotaEvent {
        of: QuotaUse { key: key.clone(), id: id.to_string(), attempt: String::new(), units: 1, at: SystemClock.now() },
        generation: "g".to_owned(),
    };
    world.store.answers_lost.store(true, Ordering::SeqCst);
    quotas.consume_batch(vec![event(1), event(2)]).await.unwrap();
    world.store.answers_lost.store(false, Ordering::SeqCst);
    eventually("a worker makes sure", async || quotas.statistics().processed == 2).await;
    assert_eq!(world.written(&quotas, "app").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_counters_that_begin_at_once_read_the_store_a_few_at_a_time() {
    let world = World::new();
    let quotas = world.quotas(r#"{"requests_per_client_and_day":1}"#);
    let uses = (0..200).map(|n| {
        let quotas = quotas.clone();
        tokio::spawn(async move { quotas.request(&format!("app-{n}")).await.is_ok() })
    });
    assert!(futures_util::future::join_all(uses).await.into_iter().all(|allowed| allowed.unwrap()));
    let most = world.store.reading_most.load(Ordering::SeqCst);
    assert!((1..=SEEDS_MAX as u64).contains(&most), "{most} at once");
}

/// Two gateways have the same token: what the second one counted "before" is admitted first.
#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_counts_whichever_of_two_tries_was_admitted() {
    let world = World::new();
    let gateways = [(); 2].map(|()| world.quotas(r#"{"purchases_per_buyer_and_day":9,"enabled":false}"#));
    let buyer: BuyerId = "ann".parse().unwrap();
    let route = domain::Route { sale: domain::SaleNumber::new(1).unwrap(), shard: domain::Shard::default() };
    let key = QuotaKey { kind: QuotaKind::Purchases, subject: "ann".to_owned(), day: gateways[0].today() };
    for (n, other_ends) in [1_u8, 2, 3].into_iter().zip(["repeated", "denied", "unknown"]) {
        let job = JobId::new(1, route, [n; 6]);
        let first = gateways[0].purchase(&buyer, job, 1).await.unwrap().unwrap();
        let second = gateways[1].purchase(&buyer, job, 1).await.unwrap().unwrap();
        let now = SystemClock.now();
        let record = JobRecord {
            job,
            buyer: Some(buyer.clone()),
            item: None,
            quantity: 1,
            units: 1,
            rev: 0,
            state: domain::JobState::Queued,
            admitted_at: now,
            updated_at: now,
        };
        if other_ends == "denied" {
            gateways[0].denied(first.clone()).await;
        }
        gateways[1].accepted(second, &record, false).await;
        match other_ends {
            "repeated" => gateways[0].accepted(first, &record, true).await,
            "unknown" => gateways[0].unknown(first).await,
            _ => {}
        }
        let written: u64 = world.store.store.written(&key).await.unwrap().iter().map(|one| one.used).sum();
        assert_eq!(written, u64::from(n), "{other_ends}");
        assert_eq!(gateways[0].used(QuotaKind::Purchases, "ann").await.unwrap(), u64::from(n), "{other_ends}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_begins_where_the_operator_says() {
    let world = World::new();
    let china = world.quotas(r#"{"utc_offset_minutes":480}"#);
    let utc = world.quotas("{}");
    let (late, early) = ("2026-11-20T15:59:59Z".parse().unwrap(), "2026-11-20T16:00:00Z".parse().unwrap());
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    assert_eq!((china.day_of(late), china.day_of(early)), (day("2026-11-20"), day("2026-11-21")));
    assert_eq!(utc.day_of(early), day("2026-11-20"));
    assert_eq!(china.bounds(day("2026-11-21")).0, early);
    assert_eq!(china.bounds(day("2026-11-20")).1, early);
}
