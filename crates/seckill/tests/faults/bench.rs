//! Servers that a test may break, a shop on them, and a crowd with a fault in the middle.

use std::collections::HashSet;
use std::time::Duration;

use xtask::services::Services;

use crate::common::crowd::{Crowd, Seen};
use crate::common::proxy::Proxy;
use crate::common::{Servers, TestShop};

/// Buyers who press at the same time.
const CONNECTIONS: usize = 100;

/// Between two buyers of one connection: some twelve hundred presses a second, so that a sale of 6,000 units meets its
/// fault in the middle.
const PAUSE: Duration = Duration::from_millis(80);

/// A sale of one item, and who wants it.
#[derive(Clone, Copy, Debug)]
pub struct Rush {
    pub sale: &'static str,
    pub stock: i64,
    pub buyers: u32,
    pub connections: usize,
    pub pause: Duration,
    /// The fault begins when so many are sold.
    pub fault_at: i64,
}

impl Rush {
    pub fn new(sale: &'static str, stock: i64, buyers: u32) -> Self {
        Self { sale, stock, buyers, connections: CONNECTIONS, pause: PAUSE, fault_at: stock / 4 }
    }
}

/// May a job that was answered 202 end refused?
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RefusedLate {
    Never,
    /// Redis has lost data: with the reason `sold-out`, and counted by the consumers.
    SoldOut,
}

/// Servers that a test may break, and a shop on them.
pub struct Breakable {
    pub services: Services,
    pub shop: TestShop,
    /// Between gateways and RabbitMQ, where a test wants one.
    pub proxy: Option<Proxy>,
    _dir: Dir,
}

struct Dir(std::path::PathBuf);

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Breakable {
    /// With so many gateways, and one consumer.
    pub async fn start(gateways: usize) -> Self {
        Self::start_with(gateways, 1).await
    }

    pub async fn start_with(gateways: usize, consumers: usize) -> Self {
        let dir = Dir(std::env::temp_dir().join(format!("seckill-faults-{}", uuid::Uuid::new_v4().simple())));
        let path = dir.0.clone();
        let services = tokio::task::spawn_blocking(move || Services::start(path).unwrap()).await.unwrap();
        let servers =
            Servers { redis: services.redis.url(), amqp: services.rabbitmq.url(), postgres: services.postgres.url() };
        let shop = TestShop::start_on(servers, gateways, consumers, "").await;
        Self { services, shop, proxy: None, _dir: dir }
    }

    /// As `start`; gateways reach RabbitMQ through a proxy, and nobody else does.
    pub async fn start_behind_a_proxy(gateways: usize) -> Self {
        let mut all = Self::start(0).await;
        let proxy = Proxy::start(all.services.rabbitmq.port()).await;
        let direct = format!(":{}/", all.services.rabbitmq.port());
        let url = all.services.rabbitmq.url().replace(&direct, &format!(":{}/", proxy.port));
        all.shop.gateway_env = vec![("SECKILL__RABBITMQ__URL", url)];
        all.proxy = Some(proxy);
        for _ in 0..gateways {
            all.shop.add_gateway().await;
        }
        all
    }

    /// A sale `s1` of `stock` units and a crowd of `buyers` who do not give up. The fault happens while they press: it
    /// begins when a quarter is sold, and they have not finished when it is over.
    pub async fn crowd_with<F>(&mut self, stock: i64, buyers: u32, fault: F) -> Seen
    where
        F: AsyncFnOnce(&mut Self),
    {
        self.rush_with(Rush::new("s1", stock, buyers), async |all, _| fault(all).await).await
    }

    /// As `crowd_with`; the fault can see what the crowd sees.
    pub async fn rush_with<F>(&mut self, rush: Rush, fault: F) -> Seen
    where
        F: AsyncFnOnce(&mut Self, &Crowd),
    {
        self.shop.sale(rush.sale, 1, &[rush.stock]).await;
        let bodies = self.shop.mint(rush.sale, rush.buyers, &[]);
        let crowd = self.shop.client.stubborn_crowd(rush.sale, bodies, rush.connections, rush.pause);
        loop {
            let sold = self.shop.live_orders(rush.sale).await;
            if sold >= rush.fault_at {
                assert!(sold < rush.stock, "the fault comes too late: everything is sold");
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        fault(self, &crowd).await;
        assert!(!crowd.is_finished(), "the crowd was faster than the fault");
        crowd.end().await
    }

    /// Everything sold, nothing twice, nothing lost, nobody refused late, books at zero; then the shop is closed.
    pub async fn sold_out_cleanly(self, stock: i64, buyers: u32, seen: Seen) {
        self.sold_out(Rush::new("s1", stock, buyers), &seen, RefusedLate::Never).await;
        self.close().await;
    }

    /// As `sold_out_cleanly`, where Redis has lost data.
    pub async fn sold_out_cleanly_or_refused_late(self, stock: i64, buyers: u32, seen: Seen) {
        self.sold_out(Rush::new("s1", stock, buyers), &seen, RefusedLate::SoldOut).await;
        self.close().await;
    }

    /// Everything is sold and the books are at zero, 45 s after the last answer at the latest; answers how many were
    /// refused after a 202.
    pub async fn sold_out(&self, rush: Rush, seen: &Seen, late: RefusedLate) -> i64 {
        self.shop.settled(rush.sale).await;
        let rejected: Vec<Option<String>> =
            sqlx::query_scalar("select reason from orders where sale_id = $1 and status = 'rejected'")
                .bind(rush.sale)
                .fetch_all(&self.shop.db)
                .await
                .unwrap();
        match late {
            RefusedLate::Never => {
                let accepted: HashSet<&String> = seen.accepted.iter().collect();
                assert_eq!(accepted.len(), seen.accepted.len(), "each buyer has a job of their own");
                assert!(rejected.is_empty(), "nothing was lost, so nobody may be refused after a 202: {rejected:?}");
            }
            RefusedLate::SoldOut => {
                assert!(rejected.iter().all(|reason| reason.as_deref() == Some("sold-out")), "{rejected:?}");
            }
        }
        self.shop.audit(rush.sale, &seen.accepted).await;
        assert_eq!(self.shop.live_orders(rush.sale).await, rush.stock);
        assert_eq!(self.shop.ledger(rush.sale).await["items"][0]["free"], 0);
        let answered = seen.accepted.len() + seen.refused.values().sum::<usize>();
        assert_eq!(answered, rush.buyers as usize, "every buyer got a final answer: {:?}", seen.refused);
        assert!(seen.refused.keys().all(|code| code == "sold-out"), "{:?}", seen.refused);
        rejected.len() as i64
    }

    /// The process ids of everything that is ours.
    pub fn pids(&self) -> Vec<u32> {
        self.shop.gateways.iter().chain(&self.shop.consumers).map(|process| process.pid()).collect()
    }

    /// Nobody was restarted, and nobody has died.
    pub fn still_there(&mut self, pids: &[u32]) {
        assert_eq!(self.pids(), pids, "nobody was restarted");
        let mut all = self.shop.gateways.iter_mut().chain(&mut self.shop.consumers);
        assert!(all.all(|process| process.is_running()));
    }

    pub async fn no_dead_letters(&self) {
        let letters = self.shop.run(&["dlq", "list", "-o", "json"]).unwrap();
        assert_eq!(letters.trim(), "[]", "nothing was dead-lettered");
    }

    /// Stops everything.
    pub async fn close(self) {
        self.shop.close().await;
        self.services.stop();
    }
}
