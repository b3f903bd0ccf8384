//! What a buyer costs does not depend on how many came before. On a Redis of our own, whose counters are nobody else's.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use backends::redis::{RedisGate, RedisSettings};
use domain::ports::{Gate, Held};
use domain::{
    Admissible, Attempt, Hold, ItemIndex, ItemStock, JobId, Outcome, Quantity, Refusal, Route, SaleNumber, SaleState,
    Shard, Verdict, WarmSale, from_ms,
};
use redis::aio::MultiplexedConnection;

/// Buyers in one call.
const GROUP: u32 = 64;

struct Shelf {
    gate: Arc<RedisGate>,
    connection: MultiplexedConnection,
    _server: xtask::services::Redis,
    dir: std::path::PathBuf,
}

fn route() -> Route {
    Route { sale: SaleNumber::new(1).unwrap(), shard: Shard::new(0).unwrap() }
}

fn job(n: u32) -> JobId {
    let [a, b, c, d] = n.to_be_bytes();
    JobId::new(1_795_000_000_000, route(), [0, 0, a, b, c, d])
}

/// 36 bytes, as a UUID has.
fn buyer(n: u32) -> String {
    format!("0b54c1ca-5d8f-4b5c-9e54-{n:012}")
}

fn attempt(n: u32) -> Attempt {
    Attempt {
        job: job(n),
        buyer: buyer(n).parse().unwrap(),
        channel: String::new(),
        item: Some(ItemIndex::new(0)),
        quantity: Quantity::try_from(1).unwrap(),
        admissible: Admissible::Yes,
    }
}

fn placed(n: u32) -> Hold {
    Hold {
        job: job(n),
        rev: 1,
        buyer: Some(buyer(n).parse().unwrap()),
        item: Some(ItemIndex::new(0)),
        quantity: 1,
        units: 1,
        outcome: Outcome::Placed,
        at: from_ms(1_795_000_100_000),
    }
}

impl Shelf {
    /// A sale with so many units, open, on a server of its own.
    async fn with(stock: i64) -> Self {
        let dir = std::env::temp_dir().join(format!("growth{}", uuid::Uuid::new_v4().simple()));
        let server = xtask::services::Redis::start(&dir, None).unwrap();
        let settings = RedisSettings { url: server.url(), response_timeout_ms: 10_000, ..RedisSettings::default() };
        let gate = RedisGate::connect(&settings).await.unwrap();
        let client = redis::Client::open(server.url()).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        let now = chrono::Utc::now();
        let hour = chrono::TimeDelta::hours(1);
        let sale = WarmSale {
            route: route(),
            epoch: 1,
            opens_at: now - hour,
            closes_at: now + hour,
            forget_at: now + hour * 2,
            limit_per_buyer: 1,
            stock: vec![ItemStock { units: stock, rev: 0 }],
            reloaded: false,
        };
        assert!(gate.begin_epoch(&sale).await.unwrap());
        assert!(gate.follow(&sale, SaleState::Open).await.unwrap());
        assert!(gate.finish_epoch(route(), 1, &[0]).await.unwrap());
        Self { gate, connection, _server: server, dir }
    }

    /// These buyers are admitted, confirmed, and get their orders: in groups, each marked with the next.
    async fn sell(&self, buyers: Range<u32>) {
        let mut marks: Vec<JobId> = Vec::new();
        for from in buyers.clone().step_by(GROUP as usize) {
            let group: Vec<u32> = (from..(from + GROUP).min(buyers.end)).collect();
            let attempts: Vec<Attempt> = group.iter().copied().map(attempt).collect();
            let verdicts = self.gate.admit(route(), &attempts, &marks).await.unwrap();
            assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Admitted(_))), "{verdicts:?}");
            marks = group.iter().copied().map(job).collect();
        }
        self.gate.mark_queued(route(), &marks).await.unwrap();
        let all: Vec<Hold> = buyers.map(placed).collect();
        for (version, some) in (2..).zip(all.chunks(500)) {
            let held = self.gate.hold(route(), some, Some((ItemIndex::new(0), version))).await.unwrap();
            assert_eq!(held, Held::Applied(some.len()));
        }
    }

    /// How often each command ran on the server, those in scripts included; not what connections ask in between.
    async fn commands(&self) -> BTreeMap<String, u64> {
        let info: String =
            redis::cmd("INFO").arg("commandstats").query_async(&mut self.connection.clone()).await.unwrap();
        let line = |line: &str| {
            let (name, counts) = line.strip_prefix("cmdstat_")?.split_once(':')?;
            let calls = counts.strip_prefix("calls=")?.split(',').next()?.parse().ok()?;
            let ours = !["info", "ping", "auth", "hello", "memory|usage", "dbsize", "client|setinfo"].contains(&name);
            ours.then(|| (name.to_owned(), calls))
        };
        info.lines().filter_map(line).collect()
    }

    /// What one whole group costs now, in commands.
    async fn cost_of(&self, buyers: Range<u32>) -> BTreeMap<String, u64> {
        let before = self.commands().await;
        self.sell(buyers).await;
        let after = self.commands().await;
        let spent = |(name, calls): (String, u64)| {
            let spent = calls - before.get(&name).copied().unwrap_or(0);
            (spent > 0).then_some((name, spent))
        };
        after.into_iter().filter_map(spent).collect()
    }

    /// Keys on the server, and bytes of the sale's own as Redis counts them.
    async fn size(&self) -> (usize, usize) {
        let mut connection = self.connection.clone();
        let mut bytes = 0;
        for name in ["sale", "jobs", "buyers", "check"] {
            let key = format!("seckill:{{{}}}:{name}", route());
            let usage: Option<usize> = redis::cmd("MEMORY")
                .arg("USAGE")
                .arg(key)
                .arg("SAMPLES")
                .arg(0)
                .query_async(&mut connection)
                .await
                .unwrap();
            bytes += usage.unwrap_or(0);
        }
        (redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap(), bytes)
    }

    /// Bytes that the server has taken for its data.
    async fn dataset(&self) -> u64 {
        let info: String = redis::cmd("INFO").arg("memory").query_async(&mut self.connection.clone()).await.unwrap();
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory_dataset:"));
        line.and_then(|bytes| bytes.trim().parse().ok()).expect("Redis says how much it holds")
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_costs_redis_the_same_after_twenty_thousand_buyers_as_after_a_thousand() {
    let shelf = Shelf::with(1_000_000).await;
    shelf.sell(0..1_024).await;
    let early = shelf.cost_of(1_024..1_088).await;
    shelf.sell(1_088..20_032).await;
    let late = shelf.cost_of(20_032..20_096).await;
    assert_eq!(early, late, "commands of one group of {GROUP}");
    let all: u64 = late.values().sum();
    eprintln!("{all} commands for {GROUP} buyers: {late:?}");
    assert_eq!(late["evalsha"], 3, "admit, mark, hold");
    assert!(all <= COMMANDS_MAX, "{all} commands for {GROUP} buyers: {late:?}");
}

/// Commands for one group, from the first call to its effects: some for each buyer, and a few for each call.
const COMMANDS_MAX: u64 = 5 * GROUP as u64;

#[tokio::test(flavor = "multi_thread")]
async fn an_admitted_buyer_takes_at_most_300_bytes_of_redis_at_rest_and_a_refused_one_none() {
    const BUYERS: u32 = 20_000;
    let shelf = Shelf::with(i64::from(BUYERS)).await;
    shelf.sell(0..1_000).await;
    let (_, first) = shelf.size().await;
    let before = shelf.dataset().await;
    shelf.sell(1_000..BUYERS).await;
    let (keys, bytes) = shelf.size().await;
    let each = bytes / BUYERS as usize;
    let taken = (shelf.dataset().await.saturating_sub(before)) / u64::from(BUYERS - 1_000);
    eprintln!("bytes of each: {} of 1,000, {each} of {BUYERS}; {taken} by the server's own count", first / 1_000);
    assert!(each <= 300, "{each} bytes for each of {BUYERS}");
    assert!(taken <= 300, "{taken} bytes of the server for each");
    assert!(keys <= 5, "{keys} keys: more than the sale, its jobs and buyers, and two counters of tokens");

    for from in (BUYERS..BUYERS + 5_120).step_by(GROUP as usize) {
        let attempts: Vec<Attempt> = (from..from + GROUP).map(attempt).collect();
        let verdicts = shelf.gate.admit(route(), &attempts, &[]).await.unwrap();
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Refused(Refusal::SoldOut)), "{verdicts:?}");
    }
    // Those who hold one already are refused too, with another token.
    let again: Vec<Attempt> = (0..GROUP).map(|n| Attempt { job: job(1_000_000 + n), ..attempt(n) }).collect();
    let verdicts = shelf.gate.admit(route(), &again, &[]).await.unwrap();
    assert!(
        verdicts.iter().all(|verdict| matches!(verdict, Verdict::Refused(Refusal::LimitReached { .. }))),
        "{verdicts:?}"
    );
    assert_eq!(shelf.size().await, (keys, bytes), "5,184 refusals left something");
}
