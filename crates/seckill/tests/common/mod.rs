//! A shop on real services, made for one test: a database, a namespace and processes of its own.
//!
//! Every test that sells ends with [`TestShop::audit`]: nothing oversold, no allowance exceeded, no accepted job lost, the ledger
//! at zero, no buyer marked without an order.
#![allow(dead_code, clippy::unwrap_used)] // each test binary uses its own part of this, and may end by panicking

pub mod client;
pub mod crowd;
pub mod process;
pub mod proxy;
pub mod tap;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::PgPool;

pub use client::Client;
pub use process::Running;

/// Where the servers are.
#[derive(Clone)]
pub struct Servers {
    pub redis: String,
    pub amqp: String,
    pub postgres: String,
}

impl Servers {
    /// The servers that `cargo xtask test` has started.
    pub fn shared() -> Self {
        let url = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("set {name}, or run cargo xtask test"));
        Self { redis: url("REDIS_URL"), amqp: url("AMQP_URL"), postgres: url("DATABASE_URL") }
    }
}

pub const ADMIN_KEY: &str = "an-operators-key-for-tests-only";
pub const BUYERS_SECRET: &str = "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0";
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TOKEN_SECRET: &str = "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0";

pub struct TestShop {
    pub client: Client,
    pub gateways: Vec<Running>,
    pub consumers: Vec<Running>,
    pub db: PgPool,
    pub servers: Servers,
    pub namespace: String,
    /// Further environment of gateways that are added from now on.
    pub gateway_env: Vec<(&'static str, String)>,
    /// Likewise of consumers.
    pub consumer_env: Vec<(&'static str, String)>,
    admin: PgPool,
    dir: PathBuf,
}

impl TestShop {
    /// On the shared servers.
    pub async fn start(gateways: usize, consumers: usize) -> Self {
        Self::start_on(Servers::shared(), gateways, consumers, "").await
    }

    /// On these servers, with further lines of configuration.
    pub async fn start_on(servers: Servers, gateways: usize, consumers: usize, extra: &str) -> Self {
        let namespace = format!("t{}", uuid::Uuid::new_v4().simple());
        let admin = PgPool::connect(&servers.postgres).await.expect("Postgres answers");
        sqlx::query(sqlx::AssertSqlSafe(format!("create database {namespace}"))).execute(&admin).await.unwrap();
        let database = {
            let (server, _) = servers.postgres.rsplit_once('/').expect("a URL with a database");
            format!("{server}/{namespace}")
        };
        let dir = std::env::temp_dir().join(&namespace);
        std::fs::create_dir_all(&dir).unwrap();
        let config = format!(
            r#"
profile = "demo"
namespace = "{namespace}"
[redis]
url = "{redis}"
[rabbitmq]
url = "{amqp}"
[postgres]
url = "{database}"
[secrets]
admin_key = "{ADMIN_KEY}"
webhook_secrets = ["{WEBHOOK_SECRET}"]
[[secrets.token_keys]]
id = "t1"
secret = "{TOKEN_SECRET}"
[buyers]
hs256_secret = "{BUYERS_SECRET}"
{extra}
"#,
            redis = servers.redis,
            amqp = servers.amqp,
        );
        // Unless a test says otherwise, every client is 127.0.0.1 and presses as often as it likes.
        let config = if extra.contains("[limits]") {
            config
        } else {
            config
                + "[limits]\nper_ip = { enabled = false }\norder_per_buyer = { enabled = false }\ntoken_per_buyer = { enabled = false }\nstatus = { enabled = false }\n"
        };
        std::fs::write(dir.join("seckill.toml"), config).unwrap();
        let mut shop = Self {
            client: Client::new(),
            gateways: Vec::new(),
            consumers: Vec::new(),
            db: PgPool::connect(&database).await.unwrap_or_else(|why| panic!("{why}")),
            servers,
            namespace,
            gateway_env: Vec::new(),
            consumer_env: Vec::new(),
            admin,
            dir,
        };
        shop.run(&["migrate"]).expect("the schema is created");
        for _ in 0..gateways {
            shop.add_gateway().await;
        }
        for _ in 0..consumers {
            shop.add_consumer();
        }
        shop
    }

    pub async fn add_gateway(&mut self) {
        let (buyers, operators) = (xtask::services::free_port().unwrap(), xtask::services::free_port().unwrap());
        let arguments =
            ["gateway", "--listen", &format!("127.0.0.1:{buyers}"), "--operators", &format!("127.0.0.1:{operators}")];
        let gateway = Running::start(&self.dir, "gateway", &arguments, &self.gateway_env, buyers, operators);
        self.client.bases.push(gateway.url());
        self.client.operators.push(gateway.operators_url());
        self.gateways.push(gateway);
        self.client.ready(self.gateways.len() - 1).await;
    }

    pub fn add_consumer(&mut self) {
        let status = xtask::services::free_port().unwrap();
        let arguments = ["consumer", "--status", &format!("127.0.0.1:{status}")];
        self.consumers.push(Running::start(&self.dir, "consumer", &arguments, &self.consumer_env, status, status));
    }

    /// A command of the program; its standard output, or its error text.
    pub fn run(&self, arguments: &[&str]) -> Result<String, String> {
        process::run(&self.dir, arguments)
    }

    pub fn config_dir(&self) -> &std::path::Path {
        &self.dir
    }

    /// A sale that is open from now, one item `item-<n>` for each stock.
    pub async fn sale(&self, id: &str, limit: u16, stock: &[i64]) {
        self.sale_between(id, limit, stock, -1_000, 600_000).await;
    }

    /// A sale that opens and closes so many milliseconds from now.
    pub async fn sale_between(&self, id: &str, limit: u16, stock: &[i64], opens_ms: i64, closes_ms: i64) {
        self.sale_with(id, limit, stock, opens_ms, closes_ms, 900).await;
    }

    /// A sale that is open from now, and whose orders wait for their payment for so many seconds.
    pub async fn sale_paid_within(&self, id: &str, limit: u16, stock: &[i64], payment_window_s: u32) {
        self.sale_with(id, limit, stock, -1_000, 600_000, payment_window_s).await;
    }

    async fn sale_with(
        &self,
        id: &str,
        limit: u16,
        stock: &[i64],
        opens_ms: i64,
        closes_ms: i64,
        payment_window_s: u32,
    ) {
        let now = chrono::Utc::now();
        let items: Vec<Value> = stock
            .iter()
            .enumerate()
            .map(|(at, stock)| {
                json!({ "id": format!("item-{at}"), "title": "An item", "stock": stock,
                        "price": { "amount": 1999, "currency": "CNY" } })
            })
            .collect();
        let body = json!({
            "id": id, "title": "A sale", "limitPerBuyer": limit, "items": items, "paymentWindowSeconds": payment_window_s,
            "opensAt": now + chrono::TimeDelta::milliseconds(opens_ms),
            "closesAt": now + chrono::TimeDelta::milliseconds(closes_ms),
        });
        let created = self.client.operate("POST", "/admin/v1/sales", Some(body)).await;
        assert_eq!(created.status, 201, "{created:?}");
        for action in ["warm", "open"] {
            let done = self.client.operate("POST", &format!("/admin/v1/sales/{id}/{action}"), None).await;
            assert_eq!(done.status, 200, "{done:?}");
        }
        // Every gateway reads the catalogue once a second.
        for gateway in 0..self.client.bases.len() {
            eventually("the sale is known to every gateway", Duration::from_secs(5), || async {
                self.client.get_on(gateway, &format!("/api/v1/sales/{id}")).await.status == 200
            })
            .await;
        }
    }

    /// Ready request bodies, one for each buyer.
    pub fn mint(&self, sale: &str, buyers: u32, more: &[&str]) -> Vec<String> {
        let buyers = buyers.to_string();
        let mut arguments = vec!["tokens", "mint", "--sale", sale, "--buyers", &buyers];
        arguments.extend(more);
        self.run(&arguments).expect("tokens are minted").lines().map(str::to_owned).collect()
    }

    pub async fn ledger(&self, sale: &str) -> Value {
        self.client.operate("GET", &format!("/admin/v1/sales/{sale}/ledger"), None).await.json
    }

    /// Waits until nothing is in flight and the books balance.
    pub async fn settled(&self, sale: &str) -> Value {
        let started = Instant::now();
        loop {
            let ledger = self.ledger(sale).await;
            let at_rest = ledger["items"].as_array().is_some_and(|items| {
                items.iter().all(|item| item["unpublished"] == 0 && item["queued"] == 0 && item["difference"] == 0)
            });
            if at_rest {
                return ledger;
            }
            assert!(started.elapsed() < Duration::from_secs(45), "not settled after 45 s: {ledger}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The sum of a metric over its series that contain `with`, on a process that serves metrics at `url`.
    pub async fn metric(&self, url: &str, name: &str, with: &str) -> f64 {
        let answer = self.client.http.get(format!("{url}/metrics")).bearer_auth(ADMIN_KEY).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let series = text.lines().filter(|line| line.starts_with(name) && line.contains(with));
        series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// Live orders of a sale.
    pub async fn live_orders(&self, sale: &str) -> i64 {
        let sql = "select count(*) from orders where sale_id = $1 and status in ('pending_payment', 'paid')";
        sqlx::query_scalar(sql).bind(sale).fetch_one(&self.db).await.unwrap()
    }

    /// The promises, checked in the database, in Redis and against what clients saw. `accepted`: the job of every 202.
    pub async fn audit(&self, sale: &str, accepted: &[String]) {
        let ledger = self.settled(sale).await;
        let oversold: i64 = sqlx::query_scalar(
            "select count(*) from sale_items i where i.sale_id = $1 and i.sold <> (select coalesce(sum(quantity), 0)
               from orders o where o.sale_id = i.sale_id and o.item_id = i.item_id and o.status in ('pending_payment', 'paid'))
               or i.sale_id = $1 and i.sold > i.stock",
        )
        .bind(sale)
        .fetch_one(&self.db)
        .await
        .unwrap();
        assert_eq!(oversold, 0, "G1: stock and live orders disagree: {ledger}");
        let above: i64 = sqlx::query_scalar(
            "select count(*) from (select buyer_id from orders o join sales s on s.id = o.sale_id
               where o.sale_id = $1 and o.status in ('pending_payment', 'paid')
               group by buyer_id, s.limit_per_buyer having sum(quantity) > s.limit_per_buyer) too_many",
        )
        .bind(sale)
        .fetch_one(&self.db)
        .await
        .unwrap();
        assert_eq!(above, 0, "G2: a buyer holds more than the limit");
        let jobs: Vec<uuid::Uuid> = accepted.iter().map(|job| job.parse().unwrap()).collect();
        let missing: Vec<uuid::Uuid> = sqlx::query_scalar(
            "select job from unnest($1::uuid[]) as accepted(job) where not exists (select from orders where id = job)",
        )
        .bind(&jobs)
        .fetch_all(&self.db)
        .await
        .unwrap();
        assert!(missing.is_empty(), "G3: accepted and lost: {missing:?}");
        let holders: i64 = sqlx::query_scalar(
            "select count(distinct buyer_id) from orders where sale_id = $1 and status in ('pending_payment', 'paid')",
        )
        .bind(sale)
        .fetch_one(&self.db)
        .await
        .unwrap();
        let (marked, checked) = self.marks(sale).await;
        assert_eq!(marked, holders, "buyers marked in Redis and buyers with an order");
        assert_eq!(checked, 0, "reservations still watched");
    }

    /// Buyers that Redis has marked, and reservations that it watches.
    pub async fn marks(&self, sale: &str) -> (i64, i64) {
        let number: i32 =
            sqlx::query_scalar("select number from sales where id = $1").bind(sale).fetch_one(&self.db).await.unwrap();
        let key = |name: &str| format!("{}:{{{number}.0}}:{name}", self.namespace);
        let client = redis::Client::open(self.servers.redis.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let marked = redis::cmd("HLEN").arg(key("buyers")).query_async(&mut connection).await.unwrap();
        let checked = redis::cmd("ZCARD").arg(key("check")).query_async(&mut connection).await.unwrap();
        (marked, checked)
    }

    /// Redis loses this sale, and nothing else.
    pub async fn lose(&self, sale: &str) {
        let number: i32 =
            sqlx::query_scalar("select number from sales where id = $1").bind(sale).fetch_one(&self.db).await.unwrap();
        let keys = ["sale", "jobs", "buyers", "check"].map(|name| format!("{}:{{{number}.0}}:{name}", self.namespace));
        let client = redis::Client::open(self.servers.redis.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let _: i64 = redis::cmd("DEL").arg(&keys).query_async(&mut connection).await.unwrap();
    }

    /// How long Redis still keeps the jobs of a sale, in seconds.
    pub async fn jobs_kept_s(&self, sale: &str) -> i64 {
        let number: i32 =
            sqlx::query_scalar("select number from sales where id = $1").bind(sale).fetch_one(&self.db).await.unwrap();
        let client = redis::Client::open(self.servers.redis.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let key = format!("{}:{{{number}.0}}:jobs", self.namespace);
        redis::cmd("TTL").arg(key).query_async(&mut connection).await.unwrap()
    }

    /// Stops everything and removes what the test made.
    pub async fn close(mut self) {
        self.gateways.clear();
        self.consumers.clear();
        self.db.close().await;
        let sql = format!("drop database {} with (force)", self.namespace);
        let _ = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&self.admin).await;
        let _ = std::fs::remove_dir_all(&self.dir);
        delete_queues(&self.servers.amqp, &self.namespace).await;
    }
}

async fn delete_queues(amqp: &str, namespace: &str) {
    let connection = lapin::Connection::connect(amqp, lapin::ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    for queue in ["orders.0", "dead-letters"] {
        let name = format!("{namespace}.{queue}");
        let _ = channel.queue_delete(name.as_str().into(), Default::default()).await;
    }
    let _ = connection.close(200, "done".into()).await;
}

/// Polls until it is so, or fails with `what`.
pub async fn eventually(what: &str, within: Duration, check: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !check().await {
        assert!(started.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
