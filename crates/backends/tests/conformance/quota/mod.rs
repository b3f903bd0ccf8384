//! The port `QuotaGate`: in memory, and in Redis.

mod counting;

use std::sync::Arc;

use backends::embedded::EmbeddedQuotas;
use backends::redis::{RedisGate, RedisSettings};
use chrono::NaiveDate;
use domain::ports::QuotaGate;
use domain::{QuotaKey, QuotaKind, QuotaSeed, QuotaTaken, QuotaUse, Timestamp};

use crate::support::{required, unique};

mod counts {
    crate::suite!(crate::quota::counting: embedded by crate::quota::embedded, redis by crate::quota::redis; [
        a_use_counts_once_and_only_within_the_limit,
        a_counter_begins_with_its_seed_and_not_again,
        what_was_not_used_is_given_back_once,
        a_use_counts_while_one_of_its_tries_may_have_made_it,
        a_counter_learns_of_other_generations_and_never_forgets,
        a_hundred_at_once_share_three,
        subjects_kinds_and_days_do_not_touch_each_other,
    ]);
}

async fn embedded<F: Future<Output = ()>>(scenario: fn(Bench) -> F) {
    scenario(Bench { gate: Arc::new(EmbeddedQuotas::default()) }).await;
}

async fn redis<F: Future<Output = ()>>(scenario: fn(Bench) -> F) {
    scenario(Bench { gate: redis_gate(unique("quota")).await }).await;
}

async fn redis_gate(namespace: String) -> Arc<RedisGate> {
    let url = required("REDIS_URL");
    let settings = RedisSettings { url, namespace, response_timeout_ms: 5_000, ..RedisSettings::default() };
    RedisGate::connect(&settings).await.unwrap()
}

#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) gate: Arc<dyn QuotaGate>,
}

/// Today, so that what Redis keeps expires; the same in every scenario.
pub(crate) fn now() -> Timestamp {
    chrono::Utc::now()
}

fn today() -> NaiveDate {
    now().date_naive()
}

pub(crate) fn key(kind: QuotaKind, subject: &str) -> QuotaKey {
    QuotaKey { kind, subject: subject.to_owned(), day: today() }
}

pub(crate) fn used(kind: QuotaKind, subject: &str, id: &str, units: u32) -> QuotaUse {
    QuotaUse { key: key(kind, subject), id: id.to_owned(), attempt: "a".to_owned(), units, at: now() }
}

pub(crate) fn seed(used: u64, generation: &str) -> QuotaSeed {
    QuotaSeed { used, generation: generation.to_owned() }
}

impl Bench {
    /// A purchase of `ann` within a limit of `limit`.
    async fn take(&self, id: &str, units: u32, limit: u64, seed: Option<QuotaSeed>) -> QuotaTaken {
        self.take_as(&used(QuotaKind::Purchases, "ann", id, units), limit, seed).await
    }

    async fn take_as(&self, one: &QuotaUse, limit: u64, seed: Option<QuotaSeed>) -> QuotaTaken {
        let ends_at = now() + chrono::TimeDelta::minutes(10);
        self.gate.take(one, limit, ends_at, seed.as_ref()).await.unwrap()
    }

    async fn counted(&self) -> Option<u64> {
        self.gate.counted(&key(QuotaKind::Purchases, "ann")).await.unwrap()
    }
}

/// A server that was restarted may have come back with older counts: no counter of another run is believed.
#[tokio::test]
async fn a_counter_of_another_run_of_redis_begins_again() {
    let namespace = unique("quota");
    let bench = Bench { gate: redis_gate(namespace.clone()).await };
    assert!(matches!(bench.take("1", 3, 10, Some(seed(0, "g"))).await, QuotaTaken::Allowed { .. }));
    let client = redis::Client::open(required("REDIS_URL")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let counter = format!("{namespace}:quota:{{purchases:ann}}:{}:used", today());
    let _: i64 = redis::cmd("HSET").arg(counter).arg("run").arg("another").query_async(&mut connection).await.unwrap();
    assert_eq!(bench.take("2", 1, 10, None).await, QuotaTaken::Unseeded);
    assert_eq!(bench.counted().await, None, "nor is it shown");
    let old = used(QuotaKind::Purchases, "ann", "1", 3);
    assert!(!bench.gate.end(&old, domain::QuotaEnd::NotMade).await.unwrap());
    assert!(matches!(bench.take("2", 1, 10, Some(seed(7, "h"))).await, QuotaTaken::Allowed { remaining: 2, .. }));
}

/// Each buyer who is only ever refused would leave one for a day.
#[tokio::test]
async fn an_empty_counter_is_soon_forgotten_and_one_that_is_used_again_is_not() {
    let namespace = unique("quota");
    let bench = Bench { gate: redis_gate(namespace.clone()).await };
    let client = redis::Client::open(required("REDIS_URL")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let counter = format!("{namespace}:quota:{{purchases:ann}}:{}:used", today());
    let mut left_ms = async || -> i64 { redis::cmd("PTTL").arg(&counter).query_async(&mut connection).await.unwrap() };
    let one = used(QuotaKind::Purchases, "ann", "1", 1);
    for _ in 0..2 {
        assert!(matches!(bench.take_as(&one, 5, Some(seed(0, "g"))).await, QuotaTaken::Allowed { .. }));
        assert!(left_ms().await > 120_000);
        assert!(bench.gate.end(&one, domain::QuotaEnd::NotMade).await.unwrap());
        assert!((1..=60_000).contains(&left_ms().await));
    }
}
