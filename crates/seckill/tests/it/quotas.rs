//! Quotas over several gateways, on real services.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backends::postgres::{Postgres, PostgresSettings};
use backends::redis::{RedisGate, RedisSettings};
use backends::{SystemClock, SystemEntropy};
use control::{Live, NotAllowed, QuotaLimits, QuotaParts, QuotaSettings, Quotas};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::common::client::Answer;
use crate::common::proxy::{Proxy, Way};
use crate::common::{Servers, TestShop, eventually};

impl TestShop {
    /// A request of an API client.
    async fn requests(&self, gateway: usize, client: &str) -> Answer {
        let claims = json!({ "sub": "ann", "client_id": client, "exp": chrono::Utc::now().timestamp() + 600 });
        let key = jsonwebtoken::EncodingKey::from_secret(&[0xb0; 32]);
        let login = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
        let request = self.client.http.get(format!("{}/api/v1/me/orders", self.client.bases[gateway]));
        self.client.send(request.bearer_auth(login)).await.unwrap()
    }

    /// A purchase, repeated while it cannot be decided.
    async fn buys(&self, gateway: usize, body: &str) -> Answer {
        loop {
            let answer = self.client.buy(gateway, "s1", body).await;
            if answer.status != 503 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn quota_used(&self, kind: &str, subject: &str) -> Value {
        let path = format!("/admin/v1/quotas?kind={kind}&subject={subject}");
        self.client.operate("GET", &path, None).await.json["usage"]["used"].clone()
    }

    async fn quota_written(&self, subject: &str) -> i64 {
        let sql = "select coalesce(sum(used), 0)::bigint from quota_usage where subject = $1";
        sqlx::query_scalar(sql).bind(subject).fetch_one(&self.db).await.unwrap()
    }

    /// Redis loses what it has counted.
    async fn lose_quotas(&self) {
        let client = redis::Client::open(self.servers.redis.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let pattern = format!("{}:quota:*", self.namespace);
        let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await.unwrap();
        assert!(!keys.is_empty());
        let _: i64 = redis::cmd("DEL").arg(&keys).query_async(&mut connection).await.unwrap();
    }
}

fn port(url: &str) -> u16 {
    let address = url.rsplit('@').next().unwrap().split('/').next().unwrap();
    address.rsplit(':').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_uses_of_a_quota_of_three_through_two_gateways_let_exactly_three_through() {
    let quotas = "[quotas]\npurchases_per_buyer_and_day = 3\nrequests_per_client_and_day = 3\n";
    let mut shop = TestShop::start_on(Servers::shared(), 0, 1, quotas).await;
    // A busy test machine is not what is tested.
    shop.gateway_env.push(("SECKILL__REDIS__RESPONSE_TIMEOUT_MS", "10000".to_owned()));
    for _ in 0..2 {
        shop.add_gateway().await;
    }
    // Only the quota is to refuse here.
    let rules = json!({ "account_max": 0 });
    assert_eq!(shop.client.operate("PUT", "/api/v1/concurrency/config", Some(rules)).await.status, 200);
    shop.sale("s1", 1_000, &[1_000]).await;
    let bodies = shop.mint("s1", 1, &["--per-buyer", "1000"]);
    assert_eq!(bodies.len(), 1_000);
    let answers: Vec<Answer> = stream::iter(bodies.iter().enumerate())
        .map(|(n, body)| shop.buys(n % 2, body))
        .buffer_unordered(64)
        .collect()
        .await;
    let accepted: Vec<String> = answers.iter().filter(|answer| answer.status == 202).map(Answer::job).collect();
    assert_eq!(accepted.len(), 3);
    let refused = answers.iter().filter(|answer| answer.code() == "quota-exceeded").count();
    assert_eq!(refused, 997);
    let refusal = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(refusal.json["quota"], "purchases");
    assert!(refusal.json["resetsAt"].is_string() && refusal.retry_after.is_some_and(|seconds| seconds > 0));

    let answers: Vec<Answer> =
        stream::iter(0..1_000).map(|n| shop.requests(n % 2, "app")).buffer_unordered(64).collect().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 3);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.code() == "quota-exceeded"));

    // A limit changed on one gateway is obeyed by the other within a second.
    let changed = shop.client.operate("PUT", "/admin/v1/quotas", Some(json!({ "requestsPerClientAndDay": 4 }))).await;
    assert_eq!(changed.json["before"]["requestsPerClientAndDay"], 3, "{changed:?}");
    let asked = Instant::now();
    eventually("the other gateway lets one more through", Duration::from_secs(5), async || {
        shop.requests(1, "app").await.status == 200
    })
    .await;
    println!("obeyed after {:?}", asked.elapsed());
    assert_eq!(shop.requests(0, "app").await.code(), "quota-exceeded");
    shop.audit("s1", &accepted).await;
    shop.close().await;
}

/// What a `kill -9` loses: of requests, the rows of what waited in the channel and in batches; Redis has them counted.
/// Of purchases nothing: their orders are counted.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_gateway_had_not_written_is_bounded_and_still_counts() {
    let quotas = "[quotas]\npurchases_per_buyer_and_day = 3\nrequests_per_client_and_day = 200\n\
        channel_size = 40\nbatch_size = 10\nworker_count = 2\nflush_interval_ms = 60000\n";
    const BOUND: i64 = 40 + 2 * 10;
    let mut shop = TestShop::start_on(Servers::shared(), 2, 1, quotas).await;
    shop.sale("s1", 10, &[10]).await;
    let bodies = shop.mint("s1", 1, &["--per-buyer", "4"]);
    let mut accepted = Vec::new();
    for body in &bodies[..2] {
        accepted.push(shop.client.insist(1, "s1", body).await.job());
    }
    for _ in 0..150 {
        assert_eq!(shop.requests(1, "app").await.status, 200);
    }
    shop.gateways[1].kill9();
    let written = shop.quota_written("app").await;
    println!("150 requests were counted, {written} of them are written: {} lost, at most {BOUND}", 150 - written);
    assert!((150 - BOUND..150).contains(&written), "{written}");
    assert_eq!(shop.quota_used("requests", "app").await, 150, "Redis counts what was not written");
    for _ in 0..50 {
        assert_eq!(shop.requests(0, "app").await.status, 200);
    }
    assert_eq!(shop.requests(0, "app").await.code(), "quota-exceeded");

    shop.settled("s1").await;
    shop.lose_quotas().await;
    accepted.push(shop.client.insist(0, "s1", &bodies[2]).await.job());
    assert_eq!(shop.client.buy(0, "s1", &bodies[3]).await.code(), "quota-exceeded", "two orders are known");
    for (body, job) in bodies.iter().zip(&accepted) {
        assert_eq!(shop.client.insist(0, "s1", body).await.job(), *job, "an admitted token is answered");
    }
    shop.audit("s1", &accepted).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_postgres_lets_exactly_the_rest_through_and_redis_knows_it_afterwards() {
    let mut servers = Servers::shared();
    let way = Proxy::start(port(&servers.redis)).await;
    let direct = servers.redis.clone();
    servers.redis = direct.replace(&format!(":{}/", port(&direct)), &format!(":{}/", way.port));
    let quotas = "[quotas]\nrequests_per_client_and_day = 30\nflush_interval_ms = 50\n";
    let mut shop = TestShop::start_on(servers, 0, 0, quotas).await;
    // A busy test machine is not what is tested: Redis is away only while it is made to be.
    shop.gateway_env.push(("SECKILL__REDIS__RESPONSE_TIMEOUT_MS", "3000".to_owned()));
    shop.add_gateway().await;
    shop.add_gateway().await;
    for n in 0..10 {
        assert_eq!(shop.requests(n % 2, "app").await.status, 200);
    }
    eventually("they are written", Duration::from_secs(5), async || shop.quota_written("app").await == 10).await;
    way.make(Way::Mute);
    let answers: Vec<Answer> =
        stream::iter(0..10).map(|n| shop.requests(n % 2, "app")).buffer_unordered(4).collect().await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(shop.quota_written("app").await, 20, "each was written before its answer");
    way.make(Way::Open);
    // While one of them still asks Postgres, the other's newest uses are not seen there: both have to be back.
    for (n, gateway) in shop.gateways.iter().enumerate() {
        eventually("it says that Redis counts again", Duration::from_secs(15), async || {
            shop.requests(n, "another").await;
            gateway.log().contains("quotas can be asked again")
        })
        .await;
    }
    // Both gateways find Redis again, and tell it what was counted without it.
    eventually("the counter knows all of them", Duration::from_secs(15), async || {
        shop.quota_used("requests", "app").await == 20
    })
    .await;
    let answers: Vec<Answer> =
        stream::iter(0..60).map(|n| shop.requests(n % 2, "app")).buffer_unordered(8).collect().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 10);
    for gateway in &shop.gateways {
        let log = gateway.log();
        assert_eq!(log.matches("requests are counted by Postgres").count(), 1, "said once: {log}");
        assert_eq!(log.matches("quotas can be asked again").count(), 1, "{log}");
    }
    shop.close().await;
}

/// `QUOTA_USES=100000 QUOTA_AWAY_S=20` is the full size.
#[tokio::test(flavor = "multi_thread")]
async fn every_use_is_written_although_workers_are_killed_and_postgres_is_away() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (uses, away_s): (u64, u64) = (number("QUOTA_USES", 10_000), number("QUOTA_AWAY_S", 3));
    let shop = TestShop::start(0, 0).await;
    let database: String = sqlx::query_scalar("select current_database()").fetch_one(&shop.db).await.unwrap();
    let (server, _) = shop.servers.postgres.rsplit_once('/').unwrap();
    let way = Proxy::start(port(&shop.servers.postgres)).await;
    let url = format!("{server}/{database}").replace(&format!(":{}/", port(server)), &format!(":{}/", way.port));
    let gateways = [&gateway(&shop, &url).await, &gateway(&shop, &url).await];

    const CLIENTS: u64 = 20;
    let began = Instant::now();
    let sending = stream::iter(0..uses).for_each_concurrent(100, |n| {
        let quotas = gateways[(n % 2) as usize];
        async move {
            // Asks again while it is told that its request cannot be counted, as a client would.
            while let Err(refused) = quotas.request(&format!("app-{}", n % CLIENTS)).await {
                assert!(matches!(refused, NotAllowed::Away(_)), "{refused:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    let trouble = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        way.make(Way::Mute);
        for round in 0..away_s * 20 {
            gateways[(round % 2) as usize].abort_worker((round % 3) as usize);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        way.make(Way::Open);
    };
    tokio::join!(sending, trouble);
    for quotas in gateways {
        assert_eq!(quotas.close(Duration::from_secs(20)).await, 0);
        let (counts, health) = (quotas.statistics(), quotas.health());
        println!("{counts:?} {health:?}");
        assert_eq!(counts.total, counts.processed + counts.dropped);
        assert!(health.workers_replaced > 0);
    }
    println!("{uses} uses with Postgres away for {away_s} s took {:?}", began.elapsed());
    let written: i64 =
        sqlx::query_scalar("select sum(used)::bigint from quota_usage").fetch_one(&shop.db).await.unwrap();
    assert_eq!(written, uses as i64, "what was accepted is what is written");
    for n in 0..CLIENTS {
        let used = gateways[0].used(domain::QuotaKind::Requests, &format!("app-{n}")).await.unwrap();
        assert_eq!(used, uses / CLIENTS, "and what Redis counts");
    }
    shop.close().await;
}

async fn gateway(shop: &TestShop, postgres: &str) -> Arc<Quotas> {
    let settings = QuotaSettings { requests_per_client_and_day: 1 << 40, ..QuotaSettings::default() };
    let redis = RedisSettings {
        url: shop.servers.redis.clone(),
        namespace: shop.namespace.clone(),
        response_timeout_ms: 10_000, // a busy test machine is not what is tested
        ..RedisSettings::default()
    };
    // It is the outage that is tested, not how long it takes to be found.
    let settings_of_store = PostgresSettings {
        url: postgres.to_owned(),
        acquire_timeout_ms: 500,
        statement_timeout_ms: 500,
        lock_timeout_ms: 500,
        ..PostgresSettings::default()
    };
    let store = Postgres::connect(&settings_of_store).await.unwrap();
    let limits = QuotaLimits { purchases_per_buyer_and_day: 0, requests_per_client_and_day: 1 << 40 };
    let parts = QuotaParts {
        gate: RedisGate::connect(&redis).await.unwrap(),
        store: store.clone(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        limits: Live::new("quotas", store, limits),
    };
    Quotas::start(settings, parts).unwrap()
}
