//! Listens, serves, and ends in good order: what is in flight when the process is told to stop is answered.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use control::Live;
use domain::ports::Health;
use metrics_exporter_prometheus::PrometheusHandle;
use order_intake::DryRun;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::auth::MetricsKeys;
use crate::buyers::lookup::JobLookups;
use crate::catalog::Catalog;
use crate::challenge::Challenges;
use crate::cors::Cors;
use crate::edge::{EXPORTS_MAX, Edge, GatewayParts, STREAMS_MAX};
use crate::envelope::{RouteMetrics, seal};
use crate::health::{Admission, Status, upkeep};
use crate::limits::Limiters;
use crate::live::Hub;
use crate::load::Load;
use crate::problem::Problem;
use crate::recent::Recent;
use crate::routes::{self, At};
use crate::settings::GatewaySettings;
use crate::sold_out::SoldOut;
use crate::telemetry::{Connection, PurchaseCounters};

/// Requests that are in flight at the end may take this many seconds.
pub const DRAIN_S: u64 = 5;

/// At the start, what operators have set is waited for so long.
const SETTINGS_WAIT: Duration = Duration::from_secs(1);
/// After an early answer the rest of a body is read and thrown away for so long, so that the client sees the answer before
/// the connection ends.
const LINGER: Duration = Duration::from_millis(500);

/// Connections to the operators' port: people and collectors are few.
const OPERATOR_CONNECTIONS: usize = 256;

/// Serves both ports until `stop`, then answers what is in flight and returns. Has to be called inside the runtime
/// that backends and intake work in.
pub async fn serve(
    parts: GatewayParts,
    buyers: TcpListener,
    operators: Option<TcpListener>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let catalog = Catalog::new(
        parts.gate.clone(),
        parts.orders.clone(),
        parts.sales.clone(),
        parts.clock.clone(),
        parts.meter.clone(),
    );
    let admission = Admission { queue: parts.queue.clone(), catalog: catalog.clone() };
    let keys = MetricsKeys { admin: parts.admin_key.clone(), metrics: parts.metrics_key.clone() };
    let status =
        Arc::new(Status::new(keys, parts.prometheus.clone(), parts.health.clone(), Some(admission), stop.clone()));
    let edge = Arc::new(edge(parts, catalog, stop.clone()));
    // From the first request on; without an answer the configuration holds until there is one.
    let _ = tokio::time::timeout(SETTINGS_WAIT, edge.limits.document().refresh()).await;
    edge.limits.obey();

    // They end with this function, not with `stop`: requests in flight still need what they keep fresh.
    let mut chores = chores(&status);
    let one = edge.clone();
    chores.spawn(async move { one.catalog.keep_fresh().await });
    let one = edge.clone();
    chores.spawn(async move { one.catalog.keep_ledger().await });
    let one = edge.clone();
    chores.spawn(async move { one.limits.forget().await });
    let meter = edge.meter.clone();
    chores.spawn(async move { meter.serve(CancellationToken::new()).await });
    let one = edge.clone();
    chores.spawn(async move { one.load.show().await });
    let one = edge.clone();
    chores.spawn(async move { one.sold_out.keep(&one.catalog, one.gate.clone()).await });

    let one = edge.clone();
    chores.spawn(async move {
        let document = one.limits.document();
        document.follow(one.stop.clone(), |_| one.limits.obey()).await;
    });

    let settings = &edge.settings;
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        chosen => chosen,
    };
    let demo = settings.demo && edge.buyers.can_issue();
    let bounds = Bounds { workers, connections: settings.max_connections };
    let cors = Cors::new(&settings.cors_origins);
    let (seen, guards) = ((&status, Some(&edge)), (cors, Some(edge.load.clone())));
    let buyers = listen(buyers, bounds, settings, seen, guards, move || routes::buyers(demo))?;
    let bounds = Bounds { workers: 1, connections: OPERATOR_CONNECTIONS };
    let operators = operators
        .map(|listener| listen(listener, bounds, settings, (&status, Some(&edge)), (None, None), routes::operators))
        .transpose()?;
    let served = run([Some(buyers), operators], stop).await;
    drop(chores);
    edge.meter.end().await;
    served
}

/// Serves `/livez`, `/readyz` and `/metrics` of a process that is no gateway, until `stop`.
pub async fn serve_status(
    listener: TcpListener,
    health: Vec<Arc<dyn Health>>,
    prometheus: PrometheusHandle,
    keys: MetricsKeys,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let status = Arc::new(Status::new(keys, prometheus, health, None, stop.clone()));
    let _chores = chores(&status);
    let bounds = Bounds { workers: 1, connections: OPERATOR_CONNECTIONS };
    let server = listen(listener, bounds, &GatewaySettings::default(), (&status, None), (None, None), routes::status)?;
    run([Some(server), None], stop).await
}

fn edge(parts: GatewayParts, catalog: Arc<Catalog>, stop: CancellationToken) -> Edge {
    let document = Live::new("limits", parts.setting_store, (&parts.settings.limits).into());
    let limits = Limiters::new(document, parts.shared_limits);
    let dry_run = Arc::new(DryRun {
        warmup: parts.warmup.clone(),
        gate: parts.gate.clone(),
        queue: parts.queue.clone(),
        orders: parts.orders.clone(),
        life: parts.life.clone(),
        sales: parts.sales.clone(),
        clock: parts.clock.clone(),
        entropy: parts.entropy.clone(),
        token_keys: parts.token_keys.clone(),
    });
    Edge {
        dry_run,
        dry_running: Arc::new(Semaphore::new(1)),
        intake: parts.intake,
        warmup: parts.warmup,
        jobs: JobLookups::new(parts.gate.clone(), parts.orders.clone()),
        concurrency: parts.concurrency,
        gate: parts.gate,
        queue: parts.queue,
        orders: parts.orders,
        archive: parts.archive,
        life: parts.life,
        payments: parts.payments,
        webhooks: parts.webhooks,
        sales: parts.sales,
        dead_letters: parts.dead_letters,
        audit: parts.audit,
        quotas: parts.quotas,
        meter: parts.meter,
        accountant: parts.accountant,
        live: Hub::new(),
        clock: parts.clock,
        entropy: parts.entropy,
        challenges: Challenges::new(parts.settings.challenge.clone(), parts.token_keys.clone()),
        token_keys: parts.token_keys,
        buyers: parts.buyers,
        load: Load::new(parts.settings.in_flight_max),
        sold_out: SoldOut::new(parts.settings.sold_out.clone()),
        settings: parts.settings,
        catalog,
        limits,
        purchases: PurchaseCounters::new(),
        streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
        recent: Recent::new(),
        reconciling: Arc::new(Semaphore::new(1)),
        reporting: Arc::new(Semaphore::new(2)),
        works: parts.works,
        stop,
        runtime: Handle::current(),
    }
}

/// What every process does beside answering. Dropping the set ends it.
fn chores(status: &Arc<Status>) -> JoinSet<()> {
    let mut chores = JoinSet::new();
    chores.spawn(upkeep(status.prometheus()));
    let status = status.clone();
    chores.spawn(async move { status.sample().await });
    chores
}

#[derive(Clone, Copy)]
struct Bounds {
    workers: usize,
    connections: usize,
}

fn listen(
    listener: TcpListener,
    bounds: Bounds,
    settings: &GatewaySettings,
    (status, edge): (&Arc<Status>, Option<&Arc<Edge>>),
    (cors, load): (Option<Arc<Cors>>, Option<Arc<Load>>),
    routes: impl Fn() -> Vec<At> + Send + Clone + 'static,
) -> std::io::Result<Server> {
    let (status, edge) = (Data::from(status.clone()), edge.map(|edge| Data::from(edge.clone())));
    let app = move || {
        let (status, edge, routes, cors, load) = (status.clone(), edge.clone(), routes(), cors.clone(), load.clone());
        App::new()
            .app_data(RouteMetrics::new("none"))
            .app_data(status)
            .configure(|config| {
                if let Some(edge) = edge {
                    config.app_data(edge);
                }
                for at in routes {
                    config.service(at.into_resource());
                }
            })
            .default_service(web::to(|| async { Err::<actix_web::HttpResponse, Problem>(Problem::not_found()) }))
            .wrap_fn(move |request, service| seal(request, service, cors.as_deref(), load.as_ref()))
    };
    let server = HttpServer::new(app)
        .workers(bounds.workers)
        .max_connections(bounds.connections.div_ceil(bounds.workers)) // counted by worker
        .keep_alive(Duration::from_secs(u64::from(settings.keep_alive_s)))
        .client_request_timeout(Duration::from_millis(u64::from(settings.head_timeout_ms)))
        .client_disconnect_timeout(LINGER)
        .shutdown_timeout(DRAIN_S)
        .tcp_nodelay(true)
        .disable_signals()
        .on_connect(|_, extensions| {
            extensions.insert(Connection::opened());
        })
        .listen(listener)?;
    Ok(server.run())
}

async fn run(servers: [Option<Server>; 2], stop: CancellationToken) -> std::io::Result<()> {
    let mut running = JoinSet::new();
    let mut handles = Vec::new();
    for server in servers.into_iter().flatten() {
        handles.push(server.handle());
        running.spawn(server);
    }
    tokio::select! {
        () = stop.cancelled() => {}
        // A server that ends by itself has failed; the other one has to end too.
        ended = running.join_next() => {
            stop.cancel();
            if let Some(Ok(Err(error))) = ended {
                return Err(error);
            }
        }
    }
    futures_util::future::join_all(handles.iter().map(|handle| handle.stop(true))).await;
    while let Some(ended) = running.join_next().await {
        ended.map_err(std::io::Error::other)??;
    }
    Ok(())
}
