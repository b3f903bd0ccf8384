//! A gateway on free ports, and whoever talks to it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use backends::SystemEntropy;
use backends::embedded::EmbeddedLocks;
use backends::payments::Demo;
use control::{Concurrency, ConcurrencySettings, WorkSettings, Works};
use domain::ports::{Clock as _, OrderStore as _};
use domain::webhook::{Signed, WebhookSecret};
use domain::{Hold, ItemIndex, TokenKey, TokenKeys, decode_group};
use gateway::{BuyerKeys, BuyerSettings, GatewayParts, GatewaySettings, SECONDS_BUCKETS, Webhooks};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use order_intake::{Intake, Warmup};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{Faulty, TestClock, TestEntropy};

pub const ADMIN_KEY: &str = "the-operators-key-of-these-tests";
pub const METRICS_KEY: &str = "the-metrics-key-of-these-tests";
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const LOGIN_SECRET: [u8; 32] = [7; 32];

/// A gateway of one test.
pub struct Shop {
    pub clock: Arc<TestClock>,
    pub world: Arc<Faulty>,
    pub buyers: SocketAddr,
    pub operators: SocketAddr,
    pub stop: CancellationToken,
    pub served: Option<tokio::task::JoinHandle<std::io::Result<()>>>,
    http: reqwest::Client,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The answer is this problem, in the form of the contract.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["requestId"], self.header("x-request-id"));
        for field in ["type", "title", "detail"] {
            assert!(self.json[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {self:?}");
        }
        assert!(self.json["retryable"].is_boolean());
        let waits = status == 503 || status == 429 || code == "sale-not-open";
        assert_eq!(self.header("retry-after").parse::<u64>().is_ok_and(|wait| wait > 0), waits, "{self:?}");
        self
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// No limits: a test that wants one sets it.
pub fn unlimited() -> GatewaySettings {
    serde_json::from_value(json!({ "workers": 1, "demo": true, "limits": {
        "per_ip": { "enabled": false }, "token_per_buyer": { "enabled": false },
        "order_per_buyer": { "enabled": false }, "status": { "enabled": false } } }))
    .unwrap()
}

pub fn prometheus() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS_BUCKETS).unwrap();
        let handle = builder.install_recorder().unwrap();
        gateway::describe_metrics();
        handle
    };
    RECORDER.get_or_init(install).clone()
}

fn token_keys() -> TokenKeys {
    TokenKeys::new(vec![TokenKey::new("t", &[9; 32]).unwrap()]).unwrap()
}

impl Shop {
    pub async fn start() -> Self {
        Self::start_with(unlimited()).await
    }

    pub async fn start_with(settings: GatewaySettings) -> Self {
        Self::start_as(settings, control::QuotaSettings::default(), ADMIN_KEY).await
    }

    pub async fn start_with_quotas(settings: GatewaySettings, settings_of_quotas: control::QuotaSettings) -> Self {
        Self::start_as(settings, settings_of_quotas, ADMIN_KEY).await
    }

    pub async fn start_with_key(settings: GatewaySettings, admin_key: &str) -> Self {
        Self::start_as(settings, control::QuotaSettings::default(), admin_key).await
    }

    async fn start_as(settings: GatewaySettings, settings_of_quotas: control::QuotaSettings, admin_key: &str) -> Self {
        let clock = TestClock::new();
        let world = Faulty::new(clock.clone());
        let hex = LOGIN_SECRET.map(|byte| format!("{byte:02x}")).concat();
        let logins = BuyerSettings {
            hs256_secret: Some(hex),
            channel_claim: Some("channel".to_owned()),
            ..BuyerSettings::default()
        };
        let secret: WebhookSecret = WEBHOOK_SECRET.parse().unwrap();
        let (provider, mut reported) = Demo::new(secret.clone(), clock.clone());
        let webhooks = Arc::new(Webhooks::new(vec![secret], world.store.clone(), clock.clone()));
        let locks = Arc::new(EmbeddedLocks::default());
        let works = Works::new(locks, None, Arc::new(SystemEntropy), WorkSettings::default());
        let parts = GatewayParts {
            works: works.clone(),
            intake: Intake::new(world.clone(), world.clone()),
            concurrency: Concurrency::new(
                world.store.clone(),
                world.gate.clone(),
                &ConcurrencySettings { wait_s: 1, ..ConcurrencySettings::default() },
                "shop",
            ),
            warmup: Warmup::locked(world.clone(), world.clone(), world.clone(), works.locks.clone()),
            gate: world.clone(),
            queue: world.clone(),
            orders: world.clone(),
            life: world.store.clone(),
            payments: Some(provider),
            webhooks: webhooks.clone(),
            sales: world.clone(),
            dead_letters: world.queue.clone(),
            setting_store: world.store.clone(),
            audit: world.store.clone(),
            shared_limits: world.clone(),
            quotas: crate::quota_world::quotas(&world, clock.clone(), settings_of_quotas),
            health: vec![world.clone()],
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy::default()),
            token_keys: token_keys(),
            buyers: BuyerKeys::from_settings(&logins).unwrap(),
            admin_key: admin_key.to_owned().into(),
            metrics_key: Some(METRICS_KEY.to_owned().into()),
            prometheus: prometheus(),
            settings,
        };
        // What a process does with the demo provider's webhooks.
        tokio::spawn(async move {
            while let Some(webhook) = reported.recv().await {
                let signed = Signed { id: &webhook.id, timestamp: &webhook.timestamp, signature: &webhook.signature };
                webhooks.take(&signed, &webhook.body).await.unwrap();
            }
        });
        let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (buyers, operators) = (bind(), bind());
        let addresses = (buyers.local_addr().unwrap(), operators.local_addr().unwrap());
        let stop = CancellationToken::new();
        let served = tokio::spawn(gateway::serve(parts, buyers, Some(operators), stop.clone()));
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        let shop = Self { clock, world, buyers: addresses.0, operators: addresses.1, stop, served: Some(served), http };
        shop.eventually(|shop| async { shop.get("/readyz").await.status == 200 }).await;
        shop
    }

    /// A shop with an open sale `s1` of one item `red`.
    pub async fn selling(stock: i64, limit: u16) -> Self {
        let shop = Self::start().await;
        shop.open("s1", stock, limit).await;
        shop
    }

    pub async fn open(&self, sale: &str, stock: i64, limit: u16) {
        self.operate("POST", "/admin/v1/sales", Some(self.draft(sale, stock, limit))).await.expect(201);
        self.operate("POST", &format!("/admin/v1/sales/{sale}/warm"), None).await.expect(200);
        self.operate("POST", &format!("/admin/v1/sales/{sale}/open"), None).await.expect(200);
    }

    /// A sale that opened a minute ago and closes in an hour.
    pub fn draft(&self, sale: &str, stock: i64, limit: u16) -> Value {
        json!({ "id": sale, "title": "Sneakers", "opensAt": self.at(-60), "closesAt": self.at(3600),
            "limitPerBuyer": limit, "paymentWindowSeconds": 900,
            "items": [{ "id": "red", "title": "Red", "price": { "amount": 19900, "currency": "CNY" }, "stock": stock }] })
    }

    /// So many seconds from now, as text.
    pub fn at(&self, seconds: i64) -> String {
        (self.clock.now() + chrono::TimeDelta::seconds(seconds)).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, text, json }
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method.parse().unwrap(), format!("http://{}{path}", self.buyers))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    pub async fn get_as(&self, buyer: &str, path: &str) -> Answer {
        self.send(self.request("GET", path).bearer_auth(self.login(buyer))).await
    }

    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.send(self.request("POST", path).header("content-type", "application/json").body(body)).await
    }

    pub fn operation(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method.parse().unwrap(), format!("http://{}{path}", self.operators))
    }

    pub async fn operate(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = self.operation(method, path).bearer_auth(ADMIN_KEY);
        self.send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    pub fn login(&self, buyer: &str) -> String {
        self.login_with(json!({ "sub": buyer, "exp": chrono::Utc::now().timestamp() + 600 }))
    }

    pub fn login_with(&self, claims: Value) -> String {
        let key = jsonwebtoken::EncodingKey::from_secret(&LOGIN_SECRET);
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
    }

    pub async fn ask_token(&self, buyer: &str, sale: &str, body: &'static str) -> Answer {
        let request = self.request("POST", &format!("/api/v1/sales/{sale}/tokens")).bearer_auth(self.login(buyer));
        self.send(request.header("content-type", "application/json").body(body)).await
    }

    /// A token and its job.
    pub async fn token(&self, buyer: &str, sale: &str) -> (String, String) {
        let answer = self.ask_token(buyer, sale, "{}").await.expect(201);
        let text = |name: &str| answer.json[name].as_str().unwrap().to_owned();
        (text("token"), text("jobId"))
    }

    pub async fn buy_with(&self, sale: &str, token: &str, quantity: u16) -> Answer {
        let body = json!({ "token": token, "item": "red", "quantity": quantity });
        self.post(&format!("/api/v1/sales/{sale}/orders"), body.to_string()).await
    }

    pub async fn buy(&self, buyer: &str, quantity: u16) -> Answer {
        let (token, _) = self.token(buyer, "s1").await;
        self.buy_with("s1", &token, quantity).await
    }

    /// Does a consumer's work once: places what is on the queue, and tells the gate.
    pub async fn place(&self) {
        let mut lane = self.world.queue.lane(domain::Shard::default());
        let deliveries = tokio::time::timeout(Duration::from_secs(5), lane.take(100)).await.unwrap().unwrap();
        for delivery in &deliveries {
            let group = decode_group(&delivery.body).unwrap();
            let placed = self.world.store.place(&group).await.unwrap();
            for (one, placement) in group.iter().zip(placed) {
                let live = matches!(placement.outcome, domain::Outcome::Placed);
                let hold = Hold {
                    job: one.job,
                    rev: 1,
                    buyer: Some(one.buyer.clone()),
                    item: Some(one.item),
                    quantity: one.quantity.get(),
                    units: if live { one.quantity.get() } else { 0 },
                    outcome: placement.outcome,
                    at: self.clock.now(),
                };
                let version = Some((ItemIndex::new(0), self.version().await));
                domain::ports::Gate::hold(&*self.world.gate, one.job.route(), &[hold], version).await.unwrap();
            }
        }
        lane.ack(&deliveries.iter().map(|delivery| delivery.tag).collect::<Vec<_>>()).await.unwrap();
    }

    async fn version(&self) -> i64 {
        use domain::ports::SaleStore as _;
        let sale = self.world.store.sale(&"s1".parse().unwrap()).await.unwrap().unwrap();
        self.world.store.versions(sale.number).await.unwrap()[0]
    }

    /// Sends bytes as they are and reads what comes back until the connection is closed.
    pub async fn raw(&self, bytes: impl Into<Vec<u8>>) -> String {
        let (address, bytes) = (self.buyers, bytes.into());
        let talk = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let _ = stream.write_all(&bytes); // an answer may come, and the connection end, before all is sent
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::task::spawn_blocking(talk).await.unwrap()
    }

    pub async fn eventually<'a, F: Future<Output = bool>>(&'a self, holds: impl Fn(&'a Self) -> F) {
        for _ in 0..500 {
            if holds(self).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it did not become true within ten seconds");
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
