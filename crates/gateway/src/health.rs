//! Alive, able to admit, and the measures: what both kinds of processes answer to whoever watches them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use arc_swap::ArcSwap;
use domain::ports::{Connections, Health, Queue};
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use utoipa::ToSchema;

use crate::auth::MetricsKeys;
use crate::catalog::Catalog;
use crate::views;

/// Between two looks at a dependency.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// A dependency that takes longer to answer is not well.
const CHECK_MAX: Duration = Duration::from_secs(1);

/// A sample that is older says nothing: whoever takes them is stuck.
const SAMPLE_OLD: Duration = Duration::from_secs(5);

/// What is known about this process.
pub struct Status {
    /// The keys of the operators' port.
    pub keys: MetricsKeys,
    prometheus: PrometheusHandle,
    dependencies: Vec<Arc<dyn Health>>,
    samples: ArcSwap<Vec<Sample>>,
    admission: Option<Admission>,
    stop: CancellationToken,
}

/// What a gateway needs besides, to admit.
pub struct Admission {
    /// Open while the broker takes messages.
    pub queue: Arc<dyn Queue>,
    /// Loaded once the sales have been read.
    pub catalog: Arc<Catalog>,
}

struct Sample {
    name: &'static str,
    ok: bool,
    taken: Instant,
    connections: Option<Connections>,
}

/// One check, as `/readyz?verbose` lists it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What was looked at.
    name: &'static str,
    /// Was it well?
    ok: bool,
    /// How long ago, in milliseconds.
    age_ms: u64,
    /// Its connections, where it has any that can be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    connections: Option<ConnectionsBody>,
}

/// The connections to a dependency.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Connections)]
pub struct ConnectionsBody {
    /// Open now.
    open: u32,
    /// With work on them; of one that all calls share: calls without an answer yet.
    in_use: u32,
    /// The most of the latter.
    max: u32,
    /// Lost or grown old since the start, and made anew where they were needed.
    renewed: u64,
}

impl From<Connections> for ConnectionsBody {
    fn from(Connections { open, in_use, max, renewed }: Connections) -> Self {
        Self { open, in_use, max, renewed }
    }
}

impl Check {
    /// Was a dependency looked at, and not this process?
    pub fn is_dependency(&self) -> bool {
        !["sampled", "running", "queue open", "sales read"].contains(&self.name)
    }
}

/// Able to admit?
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    /// All checks together.
    ready: bool,
    /// Each of them; only with `?verbose`.
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Vec<Check>>,
}

impl Status {
    pub fn new(
        keys: MetricsKeys,
        prometheus: PrometheusHandle,
        dependencies: Vec<Arc<dyn Health>>,
        admission: Option<Admission>,
        stop: CancellationToken,
    ) -> Self {
        Self { keys, prometheus, dependencies, samples: ArcSwap::default(), admission, stop }
    }

    /// What has to be well.
    pub fn dependencies(&self) -> &[Arc<dyn Health>] {
        &self.dependencies
    }

    /// Renders the measures.
    pub fn prometheus(&self) -> PrometheusHandle {
        self.prometheus.clone()
    }

    /// Looks at the dependencies once a second, for ever. A change is logged once.
    pub async fn sample(&self) {
        loop {
            let samples = join_all(self.dependencies.iter().map(|dependency| look_at(dependency.as_ref()))).await;
            let before = self.samples.swap(Arc::new(samples));
            for sample in self.samples.load().iter() {
                let was = before.iter().find(|old| old.name == sample.name).map(|old| old.ok);
                match (was, sample.ok) {
                    // Whoever starts before its dependencies has said so already.
                    (Some(true), false) => warn!(dependency = sample.name, "{} does not answer", sample.name),
                    (Some(false), true) => info!(dependency = sample.name, "{} answers again", sample.name),
                    _ => {}
                }
            }
            tokio::time::sleep(SAMPLE_EVERY).await;
        }
    }

    /// The dependencies as they were last looked at: name, well or not, and how long ago in milliseconds.
    pub fn dependency_states(&self) -> impl Iterator<Item = (&'static str, bool, u64)> {
        self.checks().into_iter().filter(Check::is_dependency).map(|check| (check.name, check.ok, check.age_ms))
    }

    /// Everything that was looked at.
    pub fn checks(&self) -> Vec<Check> {
        let samples = self.samples.load();
        let mut checks: Vec<Check> = samples
            .iter()
            .map(|sample| {
                let age = sample.taken.elapsed();
                Check {
                    name: sample.name,
                    ok: sample.ok && age < SAMPLE_OLD,
                    age_ms: age.as_millis() as u64,
                    connections: sample.connections.map(ConnectionsBody::from),
                }
            })
            .collect();
        let mut now = |name, ok| checks.push(Check { name, ok, age_ms: 0, connections: None });
        now("sampled", samples.len() == self.dependencies.len());
        now("running", !self.stop.is_cancelled());
        if let Some(Admission { queue, catalog }) = &self.admission {
            now("queue open", queue.is_open());
            now("sales read", catalog.is_loaded());
        }
        checks
    }
}

async fn look_at(dependency: &dyn Health) -> Sample {
    let answer = tokio::time::timeout(CHECK_MAX, dependency.check()).await;
    let ok = matches!(answer, Ok(Ok(())));
    let name = dependency.name();
    metrics::gauge!("seckill_dependency_up", "name" => name).set(if ok { 1.0 } else { 0.0 });
    let connections = dependency.connections();
    if let Some(Connections { renewed, .. }) = connections {
        metrics::counter!("seckill_connections_renewed_total", "name" => name).absolute(renewed);
    }
    Sample { name, ok, taken: Instant::now(), connections }
}

/// Is the process alive?
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, description = "It is.", body = String)))]
pub async fn livez() -> HttpResponse {
    HttpResponse::Ok().insert_header(("cache-control", "no-store")).content_type("text/plain").body("alive\n")
}

/// Can the process do its work now?
#[utoipa::path(get, path = "/readyz", tag = "health",
    params(("verbose" = Option<String>, Query, description = "List the checks")),
    responses((status = 200, description = "It can.", body = Readiness),
              (status = 503, description = "It cannot, or is about to stop.", body = Readiness)))]
pub async fn readyz(request: HttpRequest, status: Data<Status>) -> HttpResponse {
    let checks = status.checks();
    let ready = checks.iter().all(|check| check.ok);
    let verbose = request.query_string().split('&').any(|part| part.split('=').next() == Some("verbose"));
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut answer = views::json(code, &Readiness { ready, checks: verbose.then_some(checks) });
    if !ready {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

/// The measures of this process.
#[utoipa::path(get, path = "/metrics", tag = "operators", security(("adminKey" = []), ("metricsKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated"]))),
    responses((status = 200, description = "Prometheus' text format.", body = String, content_type = "text/plain")))]
pub async fn metrics(status: Data<Status>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(status.prometheus.render())
}

/// Keeps the recorder's memory bounded, for ever.
pub async fn upkeep(prometheus: PrometheusHandle) {
    const EVERY: Duration = Duration::from_secs(5);
    loop {
        tokio::time::sleep(EVERY).await;
        prometheus.run_upkeep();
    }
}
