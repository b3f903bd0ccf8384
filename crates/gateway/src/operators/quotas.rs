//! Quotas: their limits, which change while everything runs, and how their usage is written.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use control::{ChangeError, QuotaHealth, QuotaLimits, QuotaStatistics, Quotas, Writing};
use domain::QuotaKind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::operator;
use crate::auth::is_client;
use crate::body;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::views::{DateTime, json, to_ms};

/// Whose usage is asked for.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// A buyer, or an API client. With `kind`.
    subject: Option<String>,
    /// `purchases` or `requests`.
    kind: Option<String>,
}

/// Quotas, as this instance knows them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Quotas)]
struct QuotasBody {
    /// What one subject may use in a day.
    limits: LimitsBody,
    /// How many times the limits were changed.
    version: i64,
    /// When the next day begins.
    resets_at: DateTime,
    /// How this instance writes usage.
    consumer: ConsumerBody,
    /// Since this instance began.
    statistics: StatisticsBody,
    /// Of this instance, now.
    health: HealthBody,
    /// Of the subject that was asked for, today, over all instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageBody>,
}

/// What one subject may use in a day. 0: no limit.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QuotaLimits)]
struct LimitsBody {
    /// Units of one buyer, over all sales.
    purchases_per_buyer_and_day: u64,
    /// Requests of one API client: the login's `client_id`.
    requests_per_client_and_day: u64,
}

/// How usage is written.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QuotaConsumer)]
struct ConsumerBody {
    /// `false`: each use is written before its answer.
    enabled: bool,
    /// Tasks that write.
    worker_count: usize,
    /// Uses that may wait.
    channel_size: usize,
    /// Uses in one statement.
    batch_size: usize,
    /// A batch that is not full is written after this long.
    flush_interval_ms: u64,
    /// Attempts before a batch counts as failed.
    retry_attempts: u32,
    /// Between two attempts.
    retry_delay_ms: u64,
}

/// What became of uses: `total` is `processed`, `dropped` and what waits.
#[derive(Serialize, ToSchema)]
#[schema(as = QuotaStatistics)]
struct StatisticsBody {
    /// Uses to be written.
    total: u64,
    /// Written.
    processed: u64,
    /// Times that a use was in a batch whose attempts all failed; it is kept and tried again.
    failed: u64,
    /// Given up: a request was refused instead; a purchase will be counted by its order.
    dropped: u64,
    /// Batches written.
    batches: u64,
    /// Written before the answer, because too many waited.
    fallbacks: u64,
    /// Counted by Postgres, because Redis was away.
    direct: u64,
}

/// How the workers are.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QuotaHealth)]
struct HealthBody {
    /// All workers live, what they write arrives, and there is room for more.
    healthy: bool,
    /// Workers that live.
    workers_alive: usize,
    /// Workers that died and were replaced.
    workers_replaced: u64,
    /// Uses that wait in the channel.
    channel_fill: usize,
    /// Uses in batches that are not written yet.
    in_batches: usize,
    /// When something was last written.
    last_flush_at: Option<DateTime>,
}

/// What a subject has used today.
#[derive(Serialize, ToSchema)]
#[schema(as = QuotaUsage)]
struct UsageBody {
    /// `purchases` or `requests`.
    kind: &'static str,
    /// The buyer or API client.
    subject: String,
    /// Units used, also what is not written yet.
    used: u64,
    /// Units left; `null` without a limit.
    remaining: Option<u64>,
}

/// New limits. What is not given stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewQuotas {
    /// Units of one buyer in a day, over all sales. 0: no limit.
    purchases_per_buyer_and_day: Option<u64>,
    /// Requests of one API client in a day. 0: no limit.
    requests_per_client_and_day: Option<u64>,
    /// Why, at most 500 characters. Kept in the audit log.
    reason: Option<String>,
}

/// A change of the limits.
#[derive(Serialize, ToSchema)]
#[schema(as = QuotasChanged)]
struct ChangedBody {
    /// What was.
    before: LimitsBody,
    /// What is, on every instance within a second.
    after: LimitsBody,
}

impl From<QuotaLimits> for LimitsBody {
    fn from(limits: QuotaLimits) -> Self {
        Self {
            purchases_per_buyer_and_day: limits.purchases_per_buyer_and_day,
            requests_per_client_and_day: limits.requests_per_client_and_day,
        }
    }
}

impl From<&Writing> for ConsumerBody {
    fn from(writing: &Writing) -> Self {
        let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            enabled: writing.enabled,
            worker_count: writing.worker_count,
            channel_size: writing.channel_size,
            batch_size: writing.batch_size,
            flush_interval_ms: ms(writing.flush_interval),
            retry_attempts: writing.retry_attempts,
            retry_delay_ms: ms(writing.retry_delay),
        }
    }
}

impl From<QuotaStatistics> for StatisticsBody {
    fn from(counts: QuotaStatistics) -> Self {
        let QuotaStatistics { total, processed, failed, dropped, batches, fallbacks, direct } = counts;
        Self { total, processed, failed, dropped, batches, fallbacks, direct }
    }
}

impl From<QuotaHealth> for HealthBody {
    fn from(health: QuotaHealth) -> Self {
        Self {
            healthy: health.is_healthy(),
            workers_alive: health.workers_alive,
            workers_replaced: health.workers_replaced,
            channel_fill: health.channel_fill,
            in_batches: health.in_batches,
            last_flush_at: health.last_flush_at.map(to_ms),
        }
    }
}

/// Limits, statistics and health of quotas; with `subject` and `kind` also what that one has used today.
#[utoipa::path(get, path = "/admin/v1/quotas", tag = "operators", security(("adminKey" = [])), params(Wanted),
    extensions(("x-problems" = json!(["unauthenticated", "validation-failed", "not-ready"]))),
    responses((status = 200, description = "Quotas, as this instance knows them.", body = QuotasBody)))]
pub async fn get(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let wanted = Query::<Wanted>::from_query(request.query_string());
    let wanted = wanted.map_err(|_| Problem::validation("query", "knows subject and kind"))?.into_inner();
    let usage = usage(&edge, wanted).await?;
    let quotas: &Quotas = &edge.quotas;
    let body = QuotasBody {
        limits: (*quotas.limits().get()).into(),
        version: quotas.limits().version(),
        resets_at: to_ms(quotas.resets_at()),
        consumer: quotas.writing().into(),
        statistics: quotas.statistics().into(),
        health: quotas.health().into(),
        usage,
    };
    Ok(json(StatusCode::OK, &body))
}

async fn usage(edge: &Edge, wanted: Wanted) -> Result<Option<UsageBody>, Problem> {
    let (subject, kind) = match (wanted.subject, wanted.kind) {
        (None, None) => return Ok(None),
        (Some(subject), Some(kind)) => (subject, kind),
        (None, Some(_)) => return Err(Problem::validation("subject", "is needed with kind")),
        (Some(_), None) => return Err(Problem::validation("kind", "is needed with subject")),
    };
    let kind = QuotaKind::of(&kind).ok_or_else(|| Problem::validation("kind", "has to be purchases or requests"))?;
    if !is_client(&subject) {
        return Err(Problem::validation("subject", "has to be 1 to 128 visible ASCII characters"));
    }
    let used = edge.within(edge.quotas.used(kind, &subject)).await.map_err(|outage| Problem::unread(&outage))?;
    let limit = edge.quotas.limits().get().of(kind);
    let remaining = (limit > 0).then(|| limit.saturating_sub(used));
    Ok(Some(UsageBody { kind: kind.as_str(), subject, used, remaining }))
}

/// Changes limits, on every instance within a second. What is not given stays.
#[utoipa::path(put, path = "/admin/v1/quotas", tag = "operators", security(("adminKey" = [])), request_body = NewQuotas,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "too-large", "unsupported-media-type",
        "validation-failed", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "Before and after.", body = ChangedBody)))]
pub async fn put(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let body = body::json_bytes(&request, payload, edge.operator_body()).await?;
    let NewQuotas { purchases_per_buyer_and_day: purchases, requests_per_client_and_day: requests, reason } =
        body::parse(&body)?;
    for (field, limit) in [("purchasesPerBuyerAndDay", purchases), ("requestsPerClientAndDay", requests)] {
        if limit.is_some_and(|limit| limit > QuotaLimits::MAX) {
            return Err(Problem::validation(field, "is more than can be counted"));
        }
    }
    let by = operator(reason)?;
    let limits = edge.quotas.limits().clone();
    let change = move |now: &QuotaLimits| {
        Ok::<_, std::convert::Infallible>(QuotaLimits {
            purchases_per_buyer_and_day: purchases.unwrap_or(now.purchases_per_buyer_and_day),
            requests_per_client_and_day: requests.unwrap_or(now.requests_per_client_and_day),
        })
    };
    let changed = edge.to_its_end(async move {
        limits.change(&by, change).await.map_err(|why| match why {
            ChangeError::Refused(never) => match never {},
            ChangeError::Outage(outage) => outage,
        })
    });
    let (before, after) = changed.await.map_err(|outage| Problem::unwritten(&outage))?;
    Ok(json(StatusCode::OK, &ChangedBody { before: before.into(), after: after.into() }))
}
