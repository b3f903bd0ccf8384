//! What all handlers share.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use control::{Concurrency, Meter, Quotas, Task, Works};
use domain::TokenKeys;
use domain::ports::{
    Accountant, AuditLog, Clock, DeadLetters, Entropy, Gate, Health, OrderArchive, OrderLife, OrderStore, Outage,
    PaymentProvider, Queue, SaleStore, SettingStore, SharedLimits,
};
use metrics_exporter_prometheus::PrometheusHandle;
use order_intake::{DryRun, Intake, Warmup};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::address::Origin;
use crate::auth::{Buyer, BuyerKeys, bearer};
use crate::body::Bounds;
use crate::buyers::lookup::JobLookups;
use crate::catalog::Catalog;
use crate::challenge::Challenges;
use crate::context;
use crate::limits::{Action, Caller, Limiters};
use crate::live::Hub;
use crate::load::{Load, Shed};
use crate::problem::Problem;
use crate::recent::Recent;
use crate::settings::{GatewaySettings, Secret};
use crate::sold_out::SoldOut;
use crate::telemetry::PurchaseCounters;
use crate::webhooks::Webhooks;

/// Everything the edge is made of.
pub struct GatewayParts {
    /// Decides and publishes purchases.
    pub intake: Arc<Intake>,
    /// Loads sales into the gate and changes them.
    pub warmup: Arc<Warmup>,
    /// How much may be under way at once.
    pub concurrency: Arc<Concurrency>,
    /// Answers polls.
    pub gate: Arc<dyn Gate>,
    /// Says whether the broker takes messages.
    pub queue: Arc<dyn Queue>,
    /// Orders, for their owners and the ledger.
    pub orders: Arc<dyn OrderStore>,
    /// The same, for operators.
    pub archive: Arc<dyn OrderArchive>,
    /// What becomes of orders.
    pub life: Arc<dyn OrderLife>,
    /// Who begins payments; `None` where the seller's own checkout does.
    pub payments: Option<Arc<dyn PaymentProvider>>,
    /// Who reports them.
    pub webhooks: Arc<Webhooks>,
    /// Sales.
    pub sales: Arc<dyn SaleStore>,
    /// For operators.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// What operators change while everything runs.
    pub setting_store: Arc<dyn SettingStore>,
    /// Everything they did.
    pub audit: Arc<dyn AuditLog>,
    /// Counts what rules count for all gateways together.
    pub shared_limits: Arc<dyn SharedLimits>,
    /// What buyers and API clients may use in a day.
    pub quotas: Arc<Quotas>,
    /// Counts purchases, under [`crate::ANSWERS`].
    pub meter: Arc<Meter>,
    /// Adds up a sale's orders.
    pub accountant: Arc<dyn Accountant>,
    /// Locks, task pools and measures.
    pub works: Arc<Works>,
    /// What has to be well for `/readyz`.
    pub health: Vec<Arc<dyn Health>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes for token ids.
    pub entropy: Arc<dyn Entropy>,
    /// Signs and verifies sale tokens.
    pub token_keys: TokenKeys,
    /// Verifies buyers' logins.
    pub buyers: BuyerKeys,
    /// Opens the operators' port.
    pub admin_key: Secret,
    /// Opens `/metrics` only.
    pub metrics_key: Option<Secret>,
    /// Renders the measures.
    pub prometheus: PrometheusHandle,
    /// Everything that is configured.
    pub settings: GatewaySettings,
}

/// Event streams open at once. Each looks at its job a few times a second; more would be a load test of the gate.
pub const STREAMS_MAX: usize = 2_000;

/// Streams of all orders of a sale at once: each reads as fast as it is read.
pub const EXPORTS_MAX: usize = 2;

/// Largest body on the operators' port: a sale of 50 items with long titles has some 50 KB.
const OPERATOR_BODY_MAX: usize = 256 * 1024;

/// One for each process, shared by all server threads.
pub struct Edge {
    pub intake: Arc<Intake>,
    pub warmup: Arc<Warmup>,
    pub concurrency: Arc<Concurrency>,
    pub gate: Arc<dyn Gate>,
    pub jobs: JobLookups,
    pub queue: Arc<dyn Queue>,
    pub orders: Arc<dyn OrderStore>,
    pub archive: Arc<dyn OrderArchive>,
    pub life: Arc<dyn OrderLife>,
    pub payments: Option<Arc<dyn PaymentProvider>>,
    pub webhooks: Arc<Webhooks>,
    pub sales: Arc<dyn SaleStore>,
    pub dead_letters: Arc<dyn DeadLetters>,
    pub audit: Arc<dyn AuditLog>,
    pub quotas: Arc<Quotas>,
    pub meter: Arc<Meter>,
    pub accountant: Arc<dyn Accountant>,
    pub live: Hub,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub token_keys: TokenKeys,
    pub challenges: Challenges,
    pub buyers: BuyerKeys,
    pub settings: GatewaySettings,
    pub catalog: Arc<Catalog>,
    pub limits: Limiters,
    pub purchases: PurchaseCounters,
    pub load: Arc<Load>,
    pub sold_out: SoldOut,
    pub streams: Arc<Semaphore>,
    pub exports: Arc<Semaphore>,
    pub dry_run: Arc<DryRun>,
    pub dry_running: Arc<Semaphore>,
    pub recent: Recent,
    pub reconciling: Arc<Semaphore>,
    pub reporting: Arc<Semaphore>,
    pub works: Arc<Works>,
    pub stop: CancellationToken,
    pub runtime: Handle,
}

impl Edge {
    /// Reads a buyer's body.
    pub fn buyer_body(&self) -> Bounds {
        let within = Duration::from_millis(u64::from(self.settings.body_timeout_ms));
        Bounds { max_bytes: self.settings.body_max_bytes, within }
    }

    /// Reads an operator's body.
    pub fn operator_body(&self) -> Bounds {
        Bounds { max_bytes: OPERATOR_BODY_MAX, ..self.buyer_body() }
    }

    /// Counts a request against its address; for requests that show nothing valid.
    pub fn count_address(&self, request: &HttpRequest) -> Result<(), Problem> {
        self.limits.ip.check(Origin::of(request, &self.settings.trusted_proxies))
    }

    /// `problem`, or the limit of the address where the caller has collected too many of them.
    pub fn count_problem(&self, request: &HttpRequest, problem: Problem) -> Problem {
        match self.count_address(request) {
            Ok(()) => problem.of_stranger(),
            Err(limited) => limited,
        }
    }

    /// Counts a request against the rules that all gateways keep together.
    pub async fn count_shared(&self, action: Action, caller: Caller<'_>) -> Result<(), Problem> {
        // Without a rule there is nothing to wait for, and no runtime to enter.
        if !self.limits.shared.concerns(action) {
            return Ok(());
        }
        Box::pin(self.within(self.limits.shared.check(action, caller))).await
    }

    /// The problem of a request that has shown nothing valid, or the shared limit of its address. The last word of the
    /// envelope, because reading tokens and logins waits for nobody.
    pub async fn count_stranger(&self, request: &HttpRequest) -> Result<(), Problem> {
        if self.limits.shared.is_empty() {
            return Ok(());
        }
        let action = Action::of_route(request.match_pattern().as_deref());
        let origin = Some(Origin::of(request, &self.settings.trusted_proxies));
        self.count_shared(action, Caller { origin, ..Caller::default() }).await
    }

    /// The buyer whose login the request carries. Failures count against the address.
    pub fn buyer(&self, request: &HttpRequest) -> Result<Buyer, Problem> {
        let verified = match bearer(request.headers()) {
            Some(jwt) => self.buyers.verify(jwt),
            None => Err(Problem::unauthenticated("Log in first: send the login as bearer token.", &["Bearer"])),
        };
        verified.map_err(|problem| self.count_problem(request, problem))
    }

    /// See [`context::within`].
    pub async fn within<F: Future>(&self, work: F) -> F::Output {
        context::within(&self.runtime, work).await
    }

    /// Runs `work` to its end on the main runtime, as soon as one more task of this type may run.
    pub async fn task<T, E>(
        &self,
        task: Task,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<Result<T, E>, Problem>
    where
        T: Send + 'static,
        E: From<Outage> + Send + 'static,
    {
        let concurrency = self.concurrency.clone();
        let done = self.to_its_end(async move { Ok::<_, Outage>(concurrency.run(task, work).await) }).await;
        done.unwrap_or_else(|lost| Ok(Err(lost.into()))).map_err(|busy| {
            Shed::Tasks.count();
            Problem::task_busy(busy)
        })
    }

    /// See [`context::to_its_end`].
    pub async fn to_its_end<T, E>(&self, work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Outage> + Send + 'static,
    {
        context::to_its_end(&self.runtime, work).await
    }
}
