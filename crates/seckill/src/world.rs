//! Plugs the backends into the ports. The URL is the switch.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use backends::embedded::Embedded;
use backends::postgres::Postgres;
use backends::rabbitmq::RabbitMq;
use backends::redis::RedisGate;
use backends::{SystemClock, SystemEntropy};
use domain::Shard;
use domain::ports::{Clock, DeadLetters, Entropy, EventBus, Gate, Health, Lane, OrderStore, Outbox, Queue, SaleStore};
use order_intake::Warmup;

use crate::config::{Config, EMBEDDED};

/// Everything from outside, behind the ports.
pub struct World {
    pub gate: Arc<dyn Gate>,
    pub queue: Arc<dyn Queue>,
    pub bus: Arc<dyn EventBus>,
    pub dead_letters: Arc<dyn DeadLetters>,
    pub orders: Arc<dyn OrderStore>,
    pub sales: Arc<dyn SaleStore>,
    pub outbox: Arc<dyn Outbox>,
    pub health: Vec<Arc<dyn Health>>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub warmup: Arc<Warmup>,
    /// For what only the real ones can do.
    pub redis: Option<Arc<RedisGate>>,
    pub rabbitmq: Option<Arc<RabbitMq>>,
    pub postgres: Option<Arc<Postgres>>,
    make_lane: Box<dyn Fn(Shard) -> Box<dyn Lane> + Send + Sync>,
}

/// Lanes of the queue: one for each shard, and sales are not split yet.
const LANES: u8 = 1;

impl World {
    /// Connects nothing that is not needed yet: a service that is away is found by its health check, not here.
    pub async fn new(config: &Config) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let Embedded { gate, queue, store } = Embedded::new(clock.clone());
        let is_real = |url: &str| url != EMBEDDED;

        let redis = if is_real(&config.redis.url) {
            Some(RedisGate::connect(&config.redis).await.context("redis.url")?)
        } else {
            None
        };
        let rabbitmq = if is_real(&config.rabbitmq.url) {
            Some(
                RabbitMq::connect(config.rabbitmq.clone(), LANES)
                    .map_err(anyhow::Error::msg)
                    .context("rabbitmq.url")?,
            )
        } else {
            None
        };
        let postgres = if is_real(&config.postgres.url) {
            Some(Postgres::connect(&config.postgres).await.context("postgres.url")?)
        } else {
            None
        };

        let (gate_port, gate_health): (Arc<dyn Gate>, Arc<dyn Health>) = match &redis {
            Some(redis) => (redis.clone(), redis.clone()),
            None => (gate.clone(), gate),
        };
        let (queue_port, bus, dead_letters, queue_health): (
            Arc<dyn Queue>,
            Arc<dyn EventBus>,
            Arc<dyn DeadLetters>,
            Arc<dyn Health>,
        ) = match &rabbitmq {
            Some(rabbit) => (rabbit.clone(), rabbit.clone(), rabbit.clone(), rabbit.clone()),
            None => (queue.clone(), queue.clone(), queue.clone(), queue.clone()),
        };
        let make_lane: Box<dyn Fn(Shard) -> Box<dyn Lane> + Send + Sync> = match &rabbitmq {
            Some(rabbit) => {
                let rabbit = rabbit.clone();
                Box::new(move |shard| rabbit.lane(shard))
            }
            None => Box::new(move |shard| queue.lane(shard)),
        };
        let (orders, sales, outbox, store_health): (
            Arc<dyn OrderStore>,
            Arc<dyn SaleStore>,
            Arc<dyn Outbox>,
            Arc<dyn Health>,
        ) = match &postgres {
            Some(postgres) => (postgres.clone(), postgres.clone(), postgres.clone(), postgres.clone()),
            None => (store.clone(), store.clone(), store.clone(), store),
        };

        Ok(Self {
            warmup: Warmup::new(gate_port.clone(), sales.clone(), queue_port.clone()),
            gate: gate_port,
            queue: queue_port,
            bus,
            dead_letters,
            orders,
            sales,
            outbox,
            health: vec![gate_health, queue_health, store_health],
            clock,
            entropy: Arc::new(SystemEntropy),
            redis,
            rabbitmq,
            postgres,
            make_lane,
        })
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
