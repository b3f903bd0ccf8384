//! What a process does: gateway, consumer, or both.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use backends::payments::SignedWebhook;
use consumer::Consumer;
use control::{Meter, Works};
use domain::Role;
use domain::ports::Health as _;
use domain::webhook::Signed;
use gateway::{BuyerKeys, GatewayParts, Webhooks};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use order_intake::{Intake, Keeper, Routes};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::cli::Listen;
use crate::config::Config;
use crate::quotas;
use crate::safety::{self, Findings};
use crate::world::World;

/// After the first signal to stop, work in hand may take this long.
const STOP_MAX: Duration = Duration::from_secs(9);

// One after the other: requests end, then what they used of quotas is written. A second is left for what comes after.
const _: () = assert!(gateway::DRAIN_S + quotas::CLOSE_MAX.as_secs() < STOP_MAX.as_secs());

/// Buckets of histograms that count jobs.
const JOB_BUCKETS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

pub async fn gateway(config: Config, listen: Listen) -> anyhow::Result<ExitCode> {
    World::shared(&config)?;
    let (world, prometheus) = start(&config).await?;
    let stop = stop_on_signal();
    let listeners = Listeners::bind(&config, &listen)?;
    finish(serve_gateway(&world, &config, listeners, prometheus, stop.clone()), stop).await
}

pub async fn consumer(config: Config, status: Option<SocketAddr>) -> anyhow::Result<ExitCode> {
    World::shared(&config)?;
    let (world, prometheus) = start(&config).await?;
    let stop = stop_on_signal();
    let status = match status.or(config.consumer_status) {
        Some(address) => Some(bind(address)?),
        None => None,
    };
    let serve_status = async {
        match status {
            Some(listener) => {
                let keys = gateway::MetricsKeys {
                    admin: config.admin_key.clone().into(),
                    metrics: config.metrics_key.clone().map(Into::into),
                };
                gateway::serve_status(listener, world.health.clone(), prometheus, keys, stop.clone()).await?;
            }
            None => stop.cancelled().await,
        }
        anyhow::Ok(())
    };
    let serve_status = async {
        let served = serve_status.await;
        stop.cancel();
        served
    };
    let both = async {
        let ((), status) = tokio::join!(serve_consumer(&world, &config, stop.clone()), serve_status);
        status
    };
    finish(both, stop.clone()).await
}

pub async fn all(config: Config, listen: Listen) -> anyhow::Result<ExitCode> {
    let (world, prometheus) = start(&config).await?;
    let stop = stop_on_signal();
    let listeners = Listeners::bind(&config, &listen)?;
    finish(serve_all(&world, &config, listeners, prometheus, stop.clone()), stop).await
}

pub async fn migrate(config: Config) -> anyhow::Result<ExitCode> {
    World::shared(&config)?;
    let world = World::new(&config).await?;
    let postgres = world.postgres.context("postgres.url names no database")?;
    let applied = postgres.migrate().await?;
    match applied.as_slice() {
        [] => println!("The schema is up to date."),
        names => names.iter().for_each(|name| println!("applied {name}")),
    }
    Ok(ExitCode::SUCCESS)
}

/// The world, checked as far as it can be reached, and the recorder of metrics.
pub async fn start(config: &Config) -> anyhow::Result<(World, PrometheusHandle)> {
    let prometheus = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), gateway::SECONDS_BUCKETS)?
        .set_buckets_for_metric(Matcher::Suffix("_jobs".to_owned()), JOB_BUCKETS)?
        .install_recorder()
        .context("the recorder of metrics")?;
    gateway::describe_metrics();
    let world = World::new(config).await?;
    if let Some(redis) = &world.redis {
        match redis.findings().await {
            Ok(findings) if findings.is_empty() => {}
            Ok(findings) => bail!("unsafe to sell with: {}", findings.join("; ")),
            Err(outage) => warn!(%outage, "Redis does not answer yet; admission stays closed until it does"),
        }
    }
    if let Some(postgres) = &world.postgres {
        if let Ok(findings) = postgres.findings().await
            && !findings.is_empty()
        {
            bail!("unsafe to sell with: {}", findings.join("; "));
        }
        match postgres.pending_migrations().await {
            Ok(pending) if pending.is_empty() => {}
            Ok(pending) => bail!("the database lacks {}; run `seckill migrate` first", pending.join(", ")),
            Err(outage) => warn!(%outage, "Postgres does not answer yet; orders wait on the queue until it does"),
        }
    }
    Ok((world, prometheus))
}

/// Gateway and consumer in one process.
pub async fn serve_all(
    world: &World,
    config: &Config,
    listeners: Listeners,
    prometheus: PrometheusHandle,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let gateway = async {
        let served = serve_gateway(world, config, listeners, prometheus, stop.clone()).await;
        stop.cancel(); // whatever ended it, the consumer ends as well
        served
    };
    let ((), served) = tokio::join!(serve_consumer(world, config, stop.clone()), gateway);
    served
}

async fn serve_gateway(
    world: &World,
    config: &Config,
    listeners: Listeners,
    prometheus: PrometheusHandle,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let meter = meter(world, Role::Gateway, gateway::ANSWERS);
    let intake = Intake::new(world.gate.clone(), world.queue.clone(), meter.clone());
    let routes = Arc::new(Routes::default());
    let tasks = TaskTracker::new();
    // The watch goes on until the last purchase is answered, so that its last marks reach the gate.
    let answered = CancellationToken::new();
    tasks.spawn(order_intake::watch(
        intake.clone(),
        world.gate.clone(),
        world.queue.clone(),
        routes.clone(),
        world.concurrency.clone(),
        answered.clone(),
    ));
    let keeper = Keeper {
        warmup: world.warmup.clone(),
        gate: world.gate.clone(),
        sales: world.sales.clone(),
        clock: world.clock.clone(),
        routes,
        concurrency: world.concurrency.clone(),
        pools: world.works.pools.clone(),
    };
    tasks.spawn(keeper.run(stop.clone()));
    tasks.spawn(log_performance(world.works.clone(), stop.clone()));
    tasks.spawn(sample(world.postgres.clone(), stop.clone()));
    let (concurrency, stopped) = (world.concurrency.clone(), stop.clone());
    tasks.spawn(async move { concurrency.follow(stopped).await });
    let webhooks = Arc::new(Webhooks::new(world.webhook_secrets.clone(), world.life.clone(), world.clock.clone()));
    if let Some(reported) = world.reported.lock().ok().and_then(|mut reported| reported.take()) {
        tasks.spawn(demo_webhooks(reported, webhooks.clone(), stop.clone()));
    } else if world.webhook_secrets.is_empty() {
        warn!("secrets.webhook_secrets is empty: no payment will be believed, and unpaid orders expire");
    }
    let quotas = quotas::start(world, config)?;
    tasks.spawn(quotas::keep(quotas.clone(), stop.clone()));
    let parts = GatewayParts {
        quotas: quotas.clone(),
        archive: world.archive.clone(),
        meter,
        accountant: world.accountant.clone(),
        life: world.life.clone(),
        payments: world.payments.clone(),
        webhooks,
        intake,
        warmup: world.warmup.clone(),
        concurrency: world.concurrency.clone(),
        gate: world.gate.clone(),
        queue: world.queue.clone(),
        orders: world.orders.clone(),
        sales: world.sales.clone(),
        dead_letters: world.dead_letters.clone(),
        works: world.works.clone(),
        setting_store: world.setting_store.clone(),
        audit: world.audit.clone(),
        shared_limits: world.shared_limits.clone(),
        health: world.health.clone(),
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
        token_keys: config.token_keys.clone(),
        buyers: BuyerKeys::from_settings(&config.buyers).map_err(|why| anyhow::anyhow!("buyers: {why}"))?,
        admin_key: config.admin_key.clone().into(),
        metrics_key: config.metrics_key.clone().map(Into::into),
        prometheus,
        settings: config.gateway.clone(),
    };
    info!(buyers = %listeners.buyers_address()?, operators = ?listeners.operators_address(), "the gateway is listening");
    let served = gateway::serve(parts, listeners.buyers, listeners.operators, stop).await.context("the gateway");
    quotas.close(quotas::CLOSE_MAX).await;
    answered.cancel();
    tasks.close();
    tasks.wait().await;
    served
}

async fn serve_consumer(world: &World, config: &Config, stop: CancellationToken) {
    let sampling = tokio::spawn(sample(world.postgres.clone(), stop.clone()));
    let logging = tokio::spawn(log_performance(world.works.clone(), stop.clone()));
    let consumer = Consumer {
        lanes: world.lanes(),
        orders: world.orders.clone(),
        life: world.life.clone(),
        payments: world.payments.clone(),
        outbox: world.outbox.clone(),
        sales: world.sales.clone(),
        retention: world.retention.clone(),
        kept: config.retention.clone(),
        gate: world.gate.clone(),
        bus: world.bus.clone(),
        concurrency: world.concurrency.clone(),
        meter: meter(world, Role::Consumer, consumer::OUTCOMES),
        clock: world.clock.clone(),
        works: world.works.clone(),
    };
    info!("the consumer is working");
    tokio::join!(consumer.run(stop.clone()), world.concurrency.follow(stop));
    let _ = tokio::join!(sampling, logging);
}

/// What a role counts: of two in one process, each its own.
fn meter(world: &World, role: Role, words: &'static [&'static str]) -> Arc<Meter> {
    Meter::new(world.activity.clone(), world.clock.clone(), role, &world.run, words)
}

/// One line a minute; of two roles in one process, the first one's.
async fn log_performance(works: Arc<Works>, stop: CancellationToken) {
    works.log(stop).await;
}

/// Delivers the demo provider's webhooks as a real one's would arrive: signed, and again after a failure.
async fn demo_webhooks(
    mut reported: tokio::sync::mpsc::Receiver<SignedWebhook>,
    webhooks: Arc<Webhooks>,
    stop: CancellationToken,
) {
    while let Some(Some(webhook)) = stop.run_until_cancelled(reported.recv()).await {
        let SignedWebhook { id, timestamp, signature, body } = &webhook;
        let signed = Signed { id, timestamp, signature };
        for attempt in 1..=5 {
            match webhooks.take(&signed, body).await {
                Ok(_) => break,
                Err(why) => warn!(attempt, ?why, "a demo payment could not be reported"),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Takes the measures of the database pool once a second.
async fn sample(postgres: Option<Arc<backends::postgres::Postgres>>, stop: CancellationToken) {
    let Some(postgres) = postgres else { return };
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        postgres.sample_metrics().await;
    }
}

/// Runs to the end, or cuts the end short when it takes too long.
pub async fn finish(
    work: impl Future<Output = anyhow::Result<()>>,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(STOP_MAX).await;
    };
    tokio::select! {
        done = work => {
            stop.cancel();
            done?;
            info!("stopped");
            Ok(ExitCode::SUCCESS)
        }
        () = overdue => {
            warn!("stopped before everything in hand was finished; what is not acknowledged comes again");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Cancelled by SIGTERM or Ctrl-C.
pub fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    tokio::spawn(async move {
        let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(terminate) => terminate,
            Err(error) => return warn!(%error, "signals cannot be received; end the process by force"),
        };
        tokio::select! {
            _ = terminate.recv() => info!("told to stop"),
            _ = tokio::signal::ctrl_c() => info!("told to stop"),
        }
        signalled.cancel();
    });
    stop
}

/// Bound before anything else starts, so that a port that is taken is said at once.
pub struct Listeners {
    buyers: TcpListener,
    operators: Option<TcpListener>,
}

impl Listeners {
    pub fn bind(config: &Config, listen: &Listen) -> anyhow::Result<Self> {
        let operators = match listen.operators.as_deref() {
            Some("none") => None,
            Some(text) => Some(
                text.parse().with_context(|| format!("--operators: {text:?} is neither an address nor \"none\""))?,
            ),
            None => config.operators,
        };
        let buyers = listen.listen.unwrap_or(config.listen);
        // The command line may have chosen others than were checked with the file.
        let mut findings = Findings::default();
        safety::listeners(buyers.ip(), operators.map(|address| address.ip()), &config.gateway, &mut findings);
        if let Some(finding) = findings.refused().next() {
            bail!("{finding}");
        }
        Ok(Self { buyers: bind(buyers)?, operators: operators.map(bind).transpose()? })
    }

    pub fn buyers_address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.buyers.local_addr()?)
    }

    pub fn operators_address(&self) -> Option<SocketAddr> {
        self.operators.as_ref()?.local_addr().ok()
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("{address} cannot be listened on"))
}
