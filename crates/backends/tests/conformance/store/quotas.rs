//! What was used of quotas.

use chrono::{NaiveDate, TimeDelta};
use domain::{QuotaEvent, QuotaKey, QuotaKind, QuotaTaken, QuotaUsage, QuotaUse};

use super::bench::{Bench, now, wants};

fn day() -> NaiveDate {
    now().date_naive()
}

fn key(kind: QuotaKind, subject: &str) -> QuotaKey {
    QuotaKey { kind, subject: subject.to_owned(), day: day() }
}

fn used(subject: &str, id: &str, units: u32) -> QuotaUse {
    QuotaUse { key: key(QuotaKind::Requests, subject), id: id.to_owned(), attempt: String::new(), units, at: now() }
}

fn event(subject: &str, id: &str, units: u32, generation: &str) -> QuotaEvent {
    QuotaEvent { of: used(subject, id, units), generation: generation.to_owned() }
}

impl Bench {
    async fn written(&self, subject: &str) -> Vec<(String, u64)> {
        let written = self.quotas.written(&key(QuotaKind::Requests, subject)).await.unwrap();
        written.into_iter().map(|QuotaUsage { generation, used }| (generation, used)).collect()
    }

    async fn used_today(&self, key: &QuotaKey) -> u64 {
        self.quotas.used(key, now() - TimeDelta::hours(2), now() + TimeDelta::hours(2)).await.unwrap()
    }
}

pub(super) async fn a_batch_is_added_up_and_each_use_counts_once(bench: Bench) {
    let batch =
        [event("app", "1", 1, "g"), event("web", "1", 2, "g"), event("app", "2", 3, "g"), event("app", "1", 1, "g")];
    for _ in 0..2 {
        assert_eq!(bench.quotas.write(&batch).await.unwrap(), []);
        assert_eq!(bench.written("app").await, [("g".to_owned(), 4)]);
    }
    bench.quotas.write(&[event("app", "2", 3, "g"), event("app", "3", 1, "g")]).await.unwrap();
    assert_eq!(bench.used_today(&key(QuotaKind::Requests, "app")).await, 5);
    assert_eq!(bench.used_today(&key(QuotaKind::Requests, "web")).await, 2);
    assert_eq!(bench.used_today(&key(QuotaKind::Purchases, "app")).await, 0);
    bench.quotas.write(&[]).await.unwrap();
}

pub(super) async fn what_another_generation_has_written_is_said(bench: Bench) {
    bench.quotas.write(&[event("app", "1", 1, "g"), event("web", "1", 1, "g")]).await.unwrap();
    let shared = bench.quotas.write(&[event("app", "2", 1, "h"), event("web", "2", 1, "g")]).await.unwrap();
    assert_eq!(shared, [key(QuotaKind::Requests, "app")]);
    assert_eq!(bench.quotas.write(&[event("app", "3", 1, "g")]).await.unwrap(), shared, "whichever it is");
    assert_eq!(bench.written("app").await, [("g".to_owned(), 2), ("h".to_owned(), 1)]);
}

pub(super) async fn racing_batches_lose_nothing(bench: Bench) {
    let batches = (0..20).map(|n| {
        let bench = bench.clone();
        tokio::spawn(async move {
            // Every batch overlaps the next one, in the other order.
            let mut batch: Vec<_> = (0..10)
                .map(|m| event(if m % 2 == 0 { "app" } else { "web" }, &(n * 5 + m).to_string(), 1, "g"))
                .collect();
            if n % 2 == 1 {
                batch.reverse();
            }
            for _ in 0..20 {
                if bench.quotas.write(&batch).await.is_ok() {
                    return;
                }
            }
            panic!("a batch was not written in twenty attempts");
        })
    });
    for written in futures_util::future::join_all(batches).await {
        written.unwrap();
    }
    // Ids 0 to 104. Batches begin at 0, 5, 10, …: an id belongs to "app" by its place in its batch, so it may count for both.
    let ids = |even: usize| {
        let ids: std::collections::BTreeSet<usize> =
            (0..20).flat_map(|n| (0..10).filter(move |m| m % 2 == even).map(move |m| n * 5 + m)).collect();
        ids.len() as u64
    };
    assert_eq!(bench.written("app").await, [("g".to_owned(), ids(0))]);
    assert_eq!(bench.written("web").await, [("g".to_owned(), ids(1))]);
}

pub(super) async fn without_the_gate_exactly_the_limit_is_let_through(bench: Bench) {
    bench.quotas.write(&[event("app", "before", 4, "g")]).await.unwrap();
    let takes = (0..40).map(|n| {
        let bench = bench.clone();
        tokio::spawn(async move { bench.quotas.take_directly(&used("app", &n.to_string(), 1), 7).await.unwrap() })
    });
    let taken: Vec<QuotaTaken> =
        futures_util::future::join_all(takes).await.into_iter().map(|taken| taken.unwrap()).collect();
    let allowed = taken.iter().filter(|taken| matches!(taken, QuotaTaken::Allowed { .. })).count();
    assert_eq!(allowed, 3, "{taken:?}");
    let winner = taken.iter().position(|taken| matches!(taken, QuotaTaken::Allowed { .. })).unwrap();
    let again = bench.quotas.take_directly(&used("app", &winner.to_string(), 1), 7).await.unwrap();
    assert_eq!(again, QuotaTaken::Before { remaining: 0, generation: String::new(), held: false });
    assert_eq!(bench.written("app").await, [(String::new(), 3), ("g".to_owned(), 4)]);
    let other = bench.quotas.take_directly(&used("web", "1", 2), 2).await.unwrap();
    assert_eq!(other, QuotaTaken::Allowed { remaining: 0, generation: QuotaUsage::DIRECT.to_owned() });
}

pub(super) async fn purchases_are_never_fewer_than_the_orders_of_the_day(bench: Bench) {
    let sale = bench.open("s", &[4], 10).await;
    bench.outcomes(&[wants(&sale, 1, "ann", 0, 3), wants(&sale, 2, "ann", 0, 2), wants(&sale, 3, "bob", 0, 1)]).await;
    let ann = key(QuotaKind::Purchases, "ann");
    assert_eq!(bench.used_today(&ann).await, 3, "what was placed, not what was refused");
    let yesterday = bench.quotas.used(&ann, now() - TimeDelta::days(2), now() - TimeDelta::days(1)).await.unwrap();
    assert_eq!(yesterday, 0);
    let of = QuotaUse { key: ann.clone(), id: "j".to_owned(), attempt: String::new(), units: 5, at: now() };
    bench.quotas.write(&[QuotaEvent { of, generation: "g".to_owned() }]).await.unwrap();
    assert_eq!(bench.used_today(&ann).await, 5);
    assert_eq!(bench.used_today(&key(QuotaKind::Requests, "ann")).await, 0);
}

pub(super) async fn days_that_are_over_are_swept(bench: Bench) {
    let mut old = event("app", "1", 1, "g");
    old.of.key.day = day() - TimeDelta::days(2);
    bench.quotas.write(&[old.clone(), event("app", "1", 2, "g")]).await.unwrap();
    assert_eq!(bench.quotas.sweep(day() - TimeDelta::days(1), 100).await.unwrap(), 2);
    assert_eq!(bench.quotas.sweep(day() - TimeDelta::days(1), 100).await.unwrap(), 0);
    assert_eq!(bench.quotas.written(&old.of.key).await.unwrap(), []);
    assert_eq!(bench.written("app").await, [("g".to_owned(), 2)]);
}
