//! Plugs the backends into the ports. The URL is the switch.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use backends::embedded::{Embedded, EmbeddedLimits, EmbeddedLocks};
use backends::payments::{Demo, Guarded, SignedWebhook};
use backends::postgres::Postgres;
use backends::rabbitmq::RabbitMq;
use backends::redis::{RedisGate, RedisLimits};
use backends::{SystemClock, SystemEntropy};
use control::{Concurrency, Task, Works};
use domain::Shard;
use domain::ports::{
    Accountant, ActivityStore, AuditLog, Clock, DeadLetters, Entropy, EventBus, Gate, Health, Lane, LockStore,
    OrderArchive, OrderLife, OrderStore, Outbox, PaymentProvider, Queue, QuotaGate, QuotaStore, Retention, SaleStore,
    SettingStore, SharedLimits,
};
use domain::webhook::WebhookSecret;
use order_intake::Warmup;
use tokio::sync::mpsc;

use crate::config::{Config, EMBEDDED, Provider};

/// Everything from outside, behind the ports.
pub struct World {
    pub gate: Arc<dyn Gate>,
    pub queue: Arc<dyn Queue>,
    pub bus: Arc<dyn EventBus>,
    pub dead_letters: Arc<dyn DeadLetters>,
    /// What operators change while everything runs.
    pub setting_store: Arc<dyn SettingStore>,
    /// Everything they did.
    pub audit: Arc<dyn AuditLog>,
    /// Counts what rate limits count for all gateways together.
    pub shared_limits: Arc<dyn SharedLimits>,
    /// Counts what is used of quotas.
    pub quota_gate: Arc<dyn QuotaGate>,
    /// Keeps it.
    pub quota_store: Arc<dyn QuotaStore>,
    pub orders: Arc<dyn OrderStore>,
    /// Orders, for operators.
    pub archive: Arc<dyn OrderArchive>,
    pub life: Arc<dyn OrderLife>,
    /// Who takes the money; `None` where the seller's own checkout does.
    pub payments: Option<Arc<dyn PaymentProvider>>,
    /// What is believed of payment webhooks.
    pub webhook_secrets: Vec<WebhookSecret>,
    /// What the demo provider reports, for whoever serves this process' webhooks.
    pub reported: std::sync::Mutex<Option<mpsc::Receiver<SignedWebhook>>>,
    pub sales: Arc<dyn SaleStore>,
    pub outbox: Arc<dyn Outbox>,
    /// Keeps what was asked and how it was answered.
    pub activity: Arc<dyn ActivityStore>,
    /// Adds up a sale's orders.
    pub accountant: Arc<dyn Accountant>,
    /// Names this run of this process.
    pub run: String,
    /// Forgets sales that are over.
    pub retention: Arc<dyn Retention>,
    pub health: Vec<Arc<dyn Health>>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub warmup: Arc<Warmup>,
    /// How much may be under way at once.
    pub concurrency: Arc<Concurrency>,
    /// Locks, task pools and measures.
    pub works: Arc<Works>,
    /// For what only the real ones can do.
    pub redis: Option<Arc<RedisGate>>,
    pub postgres: Option<Arc<Postgres>>,
    make_lane: Box<dyn Fn(Shard) -> Box<dyn Lane> + Send + Sync>,
}

/// Lanes of the queue: one for each shard, and sales are not split yet.
const LANES: u8 = 1;

impl World {
    /// Connects nothing that is not needed yet: a service that is away is found by its health check, not here.
    pub async fn new(config: &Config) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // Costs nothing where it is not used.
        let Embedded { gate, queue, store, quotas } = Embedded::new(clock.clone());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let locks: Arc<dyn LockStore> = Arc::new(EmbeddedLocks::default());
        // Tells the tokens of this process from those of all others.
        let instance = uuid::Uuid::new_v4().simple().to_string();
        let mut tokens: Arc<dyn domain::ports::Concurrency> = gate.clone();
        let mut world = Self {
            concurrency: Concurrency::new(store.clone(), tokens.clone(), &config.concurrency, instance.clone()),
            works: Works::new(locks, None, entropy.clone(), config.works.clone()),
            warmup: Warmup::new(gate.clone(), store.clone(), queue.clone()),
            health: vec![gate.clone(), queue.clone(), store.clone()],
            gate,
            bus: queue.clone(),
            dead_letters: queue.clone(),
            queue: queue.clone(),
            orders: store.clone(),
            archive: store.clone(),
            life: store.clone(),
            payments: None,
            webhook_secrets: config.webhook_secrets.clone(),
            reported: Default::default(),
            sales: store.clone(),
            setting_store: store.clone(),
            audit: store.clone(),
            shared_limits: Arc::new(EmbeddedLimits::new(clock.clone())),
            quota_gate: quotas,
            quota_store: store.clone(),
            retention: store.clone(),
            activity: store.clone(),
            accountant: store.clone(),
            run: instance.clone(),
            outbox: store,
            clock,
            entropy,
            redis: None,
            postgres: None,
            make_lane: Box::new(move |shard| queue.lane(shard)),
        };
        if config.redis.url != EMBEDDED {
            let redis = RedisGate::connect(&config.redis).await.context("redis.url")?;
            world.health[0] = redis.clone();
            world.gate = redis.clone();
            tokens = redis.clone();
            world.quota_gate = redis.clone();
            world.redis = Some(redis);
            world.shared_limits = RedisLimits::connect(&config.redis).await.context("redis.url")?;
        }
        if config.rabbitmq.url != EMBEDDED {
            let connected = RabbitMq::connect(config.rabbitmq.clone(), LANES);
            let rabbitmq = connected.map_err(anyhow::Error::msg).context("rabbitmq.url")?;
            world.health[1] = rabbitmq.clone();
            world.queue = rabbitmq.clone();
            world.bus = rabbitmq.clone();
            world.dead_letters = rabbitmq.clone();
            world.make_lane = Box::new(move |shard| rabbitmq.lane(shard));
        }
        if config.postgres.url != EMBEDDED {
            let postgres = Postgres::connect(&config.postgres).await.context("postgres.url")?;
            world.health[2] = postgres.clone();
            world.orders = postgres.clone();
            world.archive = postgres.clone();
            world.life = postgres.clone();
            world.sales = postgres.clone();
            world.outbox = postgres.clone();
            world.retention = postgres.clone();
            world.activity = postgres.clone();
            world.accountant = postgres.clone();
            world.setting_store = postgres.clone();
            world.audit = postgres.clone();
            world.quota_store = postgres.clone();
            world.postgres = Some(postgres);
        }
        if config.provider == Provider::Demo {
            // A secret of this process, which is all that its webhooks pass through.
            let halves = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(uuid::Uuid::into_bytes);
            let secret = WebhookSecret::try_from(halves.concat()).context("a secret for the demo provider")?;
            let (demo, reported) = Demo::new(secret.clone(), world.clock.clone());
            world.webhook_secrets.push(secret);
            let retry = config.works.retry;
            let base_delay = Duration::from_millis(retry.base_delay_ms);
            world.payments = Some(Guarded::new(demo, retry.max_retries, base_delay));
            world.reported = std::sync::Mutex::new(Some(reported));
        }
        world.concurrency = Concurrency::new(world.setting_store.clone(), tokens, &config.concurrency, instance);
        if let Some(redis) = world.redis.clone() {
            let fallback = world.postgres.clone().map(|postgres| postgres as Arc<dyn LockStore>);
            world.works = Works::new(redis, fallback, world.entropy.clone(), config.works.clone());
        }
        let locks = world.works.locks.clone();
        world.warmup = Warmup::locked(world.gate.clone(), world.sales.clone(), world.queue.clone(), locks);
        Ok(world)
    }

    /// The lanes that a consumer serves.
    pub fn lanes(&self) -> Vec<Box<dyn Lane>> {
        (0..LANES).filter_map(Shard::new).map(|shard| (self.make_lane)(shard)).collect()
    }

    /// Commands of their own process need services that other processes reach too.
    pub fn shared(config: &Config) -> anyhow::Result<()> {
        let urls = [
            ("redis.url", &config.redis.url),
            ("rabbitmq.url", &config.rabbitmq.url),
            ("postgres.url", &config.postgres.url),
        ];
        for (key, url) in urls {
            if url == EMBEDDED {
                bail!(
                    "{key} is {EMBEDDED:?}, which lives inside the process that sells: another process cannot reach it (use the operators' port, or `seckill all`)"
                );
            }
        }
        Ok(())
    }

    /// Does an operator's work as soon as a task of its kind may run, as the operators' port does. A command does not
    /// follow the rules: it reads them once.
    pub async fn as_task<F: Future>(&self, task: Task, work: F) -> anyhow::Result<F::Output> {
        self.concurrency.rules().await;
        Ok(self.concurrency.run(task, work).await?)
    }

    /// Waits for the broker, for commands that need it now.
    pub async fn broker(&self) -> anyhow::Result<()> {
        for _ in 0..100 {
            if self.queue.is_open() {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        bail!("the broker does not answer at rabbitmq.url")
    }
}
