//! Redis dies, forgets and goes back in time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use domain::{JobId, Route, SaleNumber, Shard};

use crate::bench::{Breakable, RefusedLate, Rush};
use crate::common::crowd::Seen;

/// Fault matrix C1, C2: scripts gone from its cache, up to a second of its log gone too.
#[tokio::test(flavor = "multi_thread")]
async fn redis_killed_and_restarted_during_a_sale_is_rebuilt_and_sells_exactly_its_stock() {
    let mut all = Breakable::start(2).await;
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            all.services.redis.kill9();
            tokio::time::sleep(Duration::from_millis(500)).await;
            all.services.redis.start_again().unwrap();
        })
        .await;
    assert!(all.shop.gateways.iter_mut().all(|gateway| gateway.is_running()), "nobody was restarted");
    all.sold_out_cleanly_or_refused_late(6_000, 12_000, seen).await;
}

/// Fault matrix C6, C7: data or scripts vanish while the server stays.
#[tokio::test(flavor = "multi_thread")]
async fn redis_flushed_during_a_sale_is_rebuilt_and_sells_exactly_its_stock() {
    let mut all = Breakable::start(2).await;
    let (pids, rush) = (all.pids(), Rush::new("s1", 6_000, 12_000));
    let mut flushed = Instant::now();
    let seen = all
        .rush_with(rush, async |all, _| {
            let client = redis::Client::open(all.services.redis.url()).unwrap();
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            for _ in 0..10 {
                let () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut connection).await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            flushed = Instant::now();
            flush_all(all).await;
        })
        .await;
    all.still_there(&pids);
    shut_and_open_again("FLUSHALL", &seen, flushed, flushed);
    all.refused_late_are_counted(rush, &seen).await;
    all.close().await;
}

/// Fault matrix C3, at its worst: what was admitted in between waits on the queue, and nobody is there to place it before
/// the sale is open again.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_comes_back_with_older_data_is_rebuilt_and_sells_exactly_its_stock() {
    let mut all = Breakable::start(2).await;
    let (pids, rush) = (all.pids(), Rush::new("s1", 6_000, 12_000));
    let (mut gone, mut back) = (Instant::now(), Instant::now());
    let seen = all
        .rush_with(rush, async |all, crowd| {
            all.shop.consumers[0].kill9();
            let accepted = || crowd.so_far(|seen| seen.accepted.len());
            let (saved, older) = (accepted(), all.save_a_copy());
            tokio::time::sleep(Duration::from_secs(2)).await;
            let forgotten = accepted() - saved;
            gone = Instant::now();
            all.rewind(&older);
            back = Instant::now();
            eprintln!("{forgotten} jobs were accepted that Redis has forgotten");
            assert!(forgotten > 1_200, "only {forgotten}");
            let (before, now) = (accepted(), Instant::now());
            // Until more has been sold than there is, together with what waits.
            while accepted() < before + 3_500 {
                assert!(now.elapsed() < Duration::from_secs(30), "{} accepted since then", accepted() - before);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            all.shop.consumers[0].start_again();
        })
        .await;
    assert_eq!(all.pids()[..2], pids[..2], "no gateway was restarted");
    shut_and_open_again("older data", &seen, gone, back);
    let late = all.refused_late_are_counted(rush, &seen).await;
    assert!(late > 0, "units were sold twice, so somebody has to be refused");
    all.close().await;
}

/// Orders of the large sale.
const MANY: u32 = 100_000;

/// The longest until a large sale is open again.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// Requirement of the rebuild: the time that it takes is bounded for the largest sale we promise.
#[tokio::test(flavor = "multi_thread")]
async fn a_sale_with_100_000_orders_is_open_again_within_ten_seconds_after_a_flush() {
    let all = Breakable::start(2).await;
    let free = 500;
    all.shop.sale("s1", 1, &[i64::from(MANY) + free]).await;
    all.place_many("s1").await;
    let bodies = all.shop.mint("s1", 600, &[]);
    flush_all(&all).await;
    let flushed = Instant::now();
    while all.shop.client.buy(0, "s1", &bodies[0]).await.status != 202 {
        assert!(flushed.elapsed() < OPEN_WITHIN, "still shut after {OPEN_WITHIN:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eprintln!("{MANY} orders: open again {:.2} s after FLUSHALL", flushed.elapsed().as_secs_f64());
    let seen = all.shop.client.crowd("s1", bodies, 50).await;
    assert_eq!((seen.accepted.len(), seen.refused.get("sold-out")), (500, Some(&100)));
    all.shop.audit("s1", &seen.accepted).await;
    assert_eq!(all.shop.live_orders("s1").await, i64::from(MANY) + free);
    all.close().await;
}

async fn flush_all(all: &Breakable) {
    let client = redis::Client::open(all.services.redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let () = redis::cmd("FLUSHALL").query_async(&mut connection).await.unwrap();
}

/// Prints how long it took until the first buyer was told to wait, and until somebody could buy again. `back`: Redis
/// answers again.
fn shut_and_open_again(what: &str, seen: &Seen, fault: Instant, back: Instant) {
    let shut = seen.first("not-ready", fault).expect("somebody was told to wait") - fault;
    let open = seen.longest_silence(fault).1 - back;
    eprintln!("{what}: the first 503 after {shut:.2?}, open again {open:.2?} after Redis answers");
    assert!(shut < Duration::from_secs(1), "the first 503 came after {shut:?}");
    assert!(open < OPEN_WITHIN, "open again after {open:?}");
}

impl Breakable {
    /// Exactly the stock is sold. Whoever was accepted for a unit that somebody else has got is refused, and counted.
    async fn refused_late_are_counted(&self, rush: Rush, seen: &Seen) -> i64 {
        let late = self.sold_out(rush, seen, RefusedLate::SoldOut).await;
        let counted = self.shop.metric(&self.shop.consumers[0].url(), "seckill_jobs_total", "refused").await;
        eprintln!("{late} were refused after a 202");
        assert_eq!(counted, late as f64);
        late
    }

    /// What Redis would find if it started now.
    fn save_a_copy(&self) -> PathBuf {
        let live = self.services.redis.dir().join("appendonlydir");
        let older = live.with_extension("older");
        // Stopped while it is copied, so that the copy ends with a whole command.
        let pid = self.services.redis.pid().unwrap().to_string();
        run("kill", &["-STOP", &pid]);
        copy(&live, &older);
        run("kill", &["-CONT", &pid]);
        older
    }

    /// Kills Redis, and starts it with the copy.
    fn rewind(&mut self, older: &Path) {
        let live = older.with_extension("");
        self.services.redis.kill9();
        std::fs::remove_dir_all(&live).unwrap();
        std::fs::rename(older, &live).unwrap();
        self.services.redis.start_again().unwrap();
        assert!(!live.with_extension("bad-1").exists(), "the older data was read");
    }

    /// Orders as the consumer would have written them, unknown to Redis.
    async fn place_many(&self, sale: &str) {
        let number: i32 = sqlx::query_scalar("select number from sales where id = $1")
            .bind(sale)
            .fetch_one(&self.shop.db)
            .await
            .unwrap();
        let route = Route { sale: SaleNumber::new(number as u32).unwrap(), shard: Shard::default() };
        let now_ms = chrono::Utc::now().timestamp_millis() as u64;
        let job = |n: u32| {
            let [_, _, a, b, c, d, e, f] = u64::from(n).to_be_bytes();
            JobId::new(now_ms - 60_000 + u64::from(n / 10), route, [a, b, c, d, e, f]).uuid()
        };
        let jobs: Vec<uuid::Uuid> = (0..MANY).map(job).collect();
        sqlx::query(
            "with placed as (
               insert into orders (id, sale_id, item_id, buyer_id, quantity, status, amount, currency, exclusive,
                                   admitted_at, expires_at)
               select job, $1, 'item-0', 'earlier-' || job, 1, 'pending_payment', 1999, 'CNY', true,
                      now(), now() + interval '1 hour'
               from unnest($2::uuid[]) as job returning 1)
             update sale_items set sold = (select count(*) from placed), version = version + 1 where sale_id = $1",
        )
        .bind(sale)
        .bind(&jobs)
        .execute(&self.shop.db)
        .await
        .unwrap();
    }
}

fn run(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
