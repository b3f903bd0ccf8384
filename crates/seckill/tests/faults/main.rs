//! What survives: processes killed, servers restarted, all under load. Each test has servers of its own to break.
//!
//! Run with `--test-threads=1`: three servers and a crowd at a time are enough for a small machine.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

use std::collections::HashSet;
use std::time::Duration;

use common::{Servers, TestShop, client::Seen};
use xtask::services::Services;

/// Buyers who press at the same time.
const CONNECTIONS: usize = 100;

/// Between two buyers of one connection: some twelve hundred presses a second, so that a sale of 6,000 units meets its
/// fault in the middle.
const PAUSE: Duration = Duration::from_millis(80);

/// Servers that a test may break, and a shop on them.
struct Breakable {
    services: Services,
    shop: TestShop,
    _dir: Dir,
}

struct Dir(std::path::PathBuf);

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Breakable {
    async fn start(gateways: usize) -> Self {
        let dir = Dir(std::env::temp_dir().join(format!("seckill-faults-{}", uuid::Uuid::new_v4().simple())));
        let path = dir.0.clone();
        let services = tokio::task::spawn_blocking(move || Services::start(path).unwrap()).await.unwrap();
        let servers =
            Servers { redis: services.redis.url(), amqp: services.rabbitmq.url(), postgres: services.postgres.url() };
        let shop = TestShop::start_on(servers, gateways, 1, "").await;
        Self { services, shop, _dir: dir }
    }

    /// A sale of `stock` units and a crowd of `buyers` who do not give up. The fault happens while they press: it begins
    /// when a quarter is sold, and they have not finished when it is over.
    async fn crowd_with<F>(&mut self, stock: i64, buyers: u32, fault: F) -> Seen
    where
        F: AsyncFnOnce(&mut Self),
    {
        self.shop.sale("s1", 1, &[stock]).await;
        let bodies = self.shop.mint("s1", buyers, &[]);
        let client = self.shop.client.clone();
        let crowd = tokio::spawn(async move { client.stubborn_crowd("s1", bodies, CONNECTIONS, PAUSE).await });
        loop {
            let sold = self.shop.live_orders("s1").await;
            if sold >= stock / 4 {
                assert!(sold < stock, "the fault comes too late: everything is sold");
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        fault(self).await;
        assert!(!crowd.is_finished(), "the crowd was faster than the fault");
        crowd.await.unwrap()
    }

    /// Everything sold, nothing twice, nothing lost, nobody refused late, books at zero; then the shop is closed.
    async fn sold_out_cleanly(self, stock: i64, buyers: usize, seen: Seen) {
        let accepted: HashSet<&String> = seen.accepted.iter().collect();
        assert_eq!(accepted.len(), seen.accepted.len(), "each buyer has a job of their own");
        self.shop.settled("s1").await;
        let refused_late: i64 = sqlx::query_scalar("select count(*) from orders where status = 'rejected'")
            .fetch_one(&self.shop.db)
            .await
            .unwrap();
        assert_eq!(refused_late, 0, "nothing was lost, so nobody may be refused after a 202");
        self.sold_out(stock, buyers, seen).await;
    }

    /// As `sold_out_cleanly`, where Redis has lost data: a job that was accepted from lost stock may end refused, with
    /// that reason.
    async fn sold_out_cleanly_or_refused_late(self, stock: i64, buyers: usize, seen: Seen) {
        self.shop.settled("s1").await;
        let reasons: Vec<Option<String>> =
            sqlx::query_scalar("select distinct reason from orders where status = 'rejected'")
                .fetch_all(&self.shop.db)
                .await
                .unwrap();
        assert!(reasons.iter().all(|reason| reason.as_deref() == Some("sold-out")), "{reasons:?}");
        self.sold_out(stock, buyers, seen).await;
    }

    async fn sold_out(self, stock: i64, buyers: usize, seen: Seen) {
        self.shop.audit("s1", &seen.accepted).await;
        assert_eq!(self.shop.live_orders("s1").await, stock);
        assert_eq!(self.shop.settled("s1").await["items"][0]["free"], 0);
        let answered = seen.accepted.len() + seen.refused.values().sum::<usize>();
        assert_eq!(answered, buyers, "every buyer got a final answer: {:?}", seen.refused);
        assert!(seen.refused.keys().all(|code| code == "sold-out"), "{:?}", seen.refused);
        self.shop.close().await;
        self.services.stop();
    }
}

/// Fault matrix A3 to A6: whatever instruction it dies at, what was answered 202 has its order.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_in_the_middle_of_a_burst_loses_no_accepted_order_and_locks_nobody_out() {
    let mut all = Breakable::start(2).await;
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            for _ in 0..3 {
                all.shop.gateways[0].kill9();
                tokio::time::sleep(Duration::from_millis(300)).await;
                all.shop.gateways[0].start_again();
                all.shop.client.ready(0).await;
            }
        })
        .await;
    all.sold_out_cleanly(6_000, 12_000, seen).await;
}

/// Fault matrix A9 to A14.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_killed_in_the_middle_of_a_batch_places_every_order_once() {
    let mut all = Breakable::start(1).await;
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            for _ in 0..5 {
                all.shop.consumers[0].kill9();
                tokio::time::sleep(Duration::from_millis(100)).await;
                all.shop.consumers[0].start_again();
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        })
        .await;
    all.sold_out_cleanly(6_000, 12_000, seen).await;
}

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
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            let client = redis::Client::open(all.services.redis.url()).unwrap();
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            for _ in 0..10 {
                let () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut connection).await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let () = redis::cmd("FLUSHALL").query_async(&mut connection).await.unwrap();
        })
        .await;
    all.sold_out_cleanly_or_refused_late(6_000, 12_000, seen).await;
}

/// Fault matrix B1, B2.
#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_killed_and_restarted_during_a_sale_loses_nothing_and_nobody_is_restarted() {
    let mut all = Breakable::start(2).await;
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            all.services.rabbitmq.kill9();
            tokio::time::sleep(Duration::from_secs(1)).await;
            all.services.rabbitmq.start_again().unwrap();
        })
        .await;
    assert!(all.shop.gateways.iter_mut().all(|gateway| gateway.is_running()));
    assert!(all.shop.consumers[0].is_running());
    all.sold_out_cleanly(6_000, 12_000, seen).await;
}

/// Fault matrix D1, D2: buyers do not even notice.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_and_restarted_during_a_sale_loses_nothing_and_buyers_go_on() {
    let mut all = Breakable::start(2).await;
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            all.services.postgres.kill9();
            tokio::time::sleep(Duration::from_secs(1)).await;
            all.services.postgres.start_again().unwrap();
        })
        .await;
    assert!(all.shop.gateways.iter_mut().all(|gateway| gateway.is_running()));
    assert!(all.shop.consumers[0].is_running());
    let letters = all.shop.run(&["dlq", "list", "-o", "json"]).unwrap();
    assert_eq!(letters.trim(), "[]", "nothing was dead-lettered");
    all.sold_out_cleanly(6_000, 12_000, seen).await;
}

/// Fault matrix A19.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_ends_within_ten_seconds_and_loses_no_accepted_request() {
    let mut all = Breakable::start(2).await;
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            for _ in 0..2 {
                let (took, well) = all.shop.gateways[0].terminate();
                assert!(well && took < Duration::from_secs(10), "the gateway took {took:?}");
                all.shop.gateways[0].start_again();
                all.shop.client.ready(0).await;
                let (took, well) = all.shop.consumers[0].terminate();
                assert!(well && took < Duration::from_secs(10), "the consumer took {took:?}");
                all.shop.consumers[0].start_again();
            }
        })
        .await;
    all.sold_out_cleanly(6_000, 12_000, seen).await;
}
