//! How much may be under way at once: rules, use and statistics, under the routes and in the envelope of the requirements.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use control::RulesError;
use domain::{ConcurrencyPatch, ConcurrencyRules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{operator, operator_of};
use crate::body;
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views::json;

/// Said after a change, in the words of the requirements.
const CHANGED: &str = "并发配置更新成功，已立即生效";

/// Said after a reset.
const RESET: &str = "并发配置已重置为默认值，已立即生效";

/// What every answer here is wrapped in.
#[derive(Serialize, ToSchema)]
#[schema(as = ConcurrencyAnswer)]
struct Envelope<T> {
    /// Always `true`: a failure is a problem.
    success: bool,
    /// The answer.
    data: T,
    /// After a change: that it is obeyed already.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// The rules. 0 means unlimited.
#[derive(Serialize, ToSchema)]
#[schema(as = ConcurrencyConfig)]
struct RulesBody {
    /// Orders in flight (admitted and not settled) over all sales.
    global_max: u32,
    /// Orders in flight by sales channel.
    platform_max: BTreeMap<String, u32>,
    /// Orders in flight by buyer.
    account_max: u32,
    /// Background tasks at once by type: publish, batch_publish, rebuild, reconcile, refund.
    task_type_max: BTreeMap<String, u32>,
    /// `false`: nothing is limited.
    enabled: bool,
    /// Seconds until a token ends by itself.
    timeout: u32,
}

impl From<ConcurrencyRules> for RulesBody {
    fn from(rules: ConcurrencyRules) -> Self {
        let ConcurrencyRules { global_max, platform_max, account_max, task_type_max, enabled, timeout } = rules;
        Self { global_max, platform_max, account_max, task_type_max, enabled, timeout }
    }
}

/// What to change; the rest stays, also inside the maps.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConcurrencyChange)]
pub struct RulesDraft {
    /// 0 to 1000000.
    #[schema(value_type = Option<u32>, maximum = 1_000_000)]
    global_max: Option<Value>,
    /// By channel: 0 to 1000000.
    #[schema(value_type = Option<BTreeMap<String, u32>>)]
    platform_max: Option<BTreeMap<String, Value>>,
    /// 0 to 1000000.
    #[schema(value_type = Option<u32>, maximum = 1_000_000)]
    account_max: Option<Value>,
    /// By type of task: 0 to 1000000.
    #[schema(value_type = Option<BTreeMap<String, u32>>)]
    task_type_max: Option<BTreeMap<String, Value>>,
    /// `false`: nothing is limited.
    #[schema(value_type = Option<bool>)]
    enabled: Option<Value>,
    /// 1 to 86400.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 86_400)]
    timeout: Option<Value>,
    /// Why, for the audit log.
    reason: Option<String>,
}

impl RulesDraft {
    fn check(self) -> Result<ConcurrencyPatch, Problem> {
        let enabled = self
            .enabled
            .map(|value| value.as_bool().ok_or_else(|| Problem::validation("enabled", "has to be true or false")));
        Ok(ConcurrencyPatch {
            global_max: self.global_max.map(|value| number("global_max", &value)).transpose()?,
            platform_max: numbers("platform_max", self.platform_max)?,
            account_max: self.account_max.map(|value| number("account_max", &value)).transpose()?,
            task_type_max: numbers("task_type_max", self.task_type_max)?,
            enabled: enabled.transpose()?,
            timeout: self.timeout.map(|value| number("timeout", &value)).transpose()?,
        })
    }
}

fn number(field: &str, value: &Value) -> Result<u32, Problem> {
    // A whole number that is too large for any field is refused with the field's own range.
    let whole = value.as_u64().map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    whole.ok_or_else(|| Problem::validation(field, "has to be a whole number, 0 or above"))
}

fn numbers(field: &str, map: Option<BTreeMap<String, Value>>) -> Result<BTreeMap<String, u32>, Problem> {
    let one = |(name, value): (String, Value)| Ok((name.clone(), number(&format!("{field}.{name}"), &value)?));
    map.unwrap_or_default().into_iter().map(one).collect()
}

/// How much of a dimension is used.
#[derive(Serialize, ToSchema)]
#[schema(as = ConcurrencyUse)]
struct UseBody {
    /// Tokens that are taken. What is unlimited keeps none and says 0; but `global` is then
    /// counted from the gate, and up to a second old.
    current: u64,
    /// The limit; 0: unlimited.
    max: u32,
}

/// What is used of each dimension.
#[derive(Serialize, ToSchema)]
#[schema(as = ConcurrencyUsage)]
struct UsageBody {
    /// Orders in flight over all sales.
    global: UseBody,
    /// Orders in flight by channel.
    platforms: BTreeMap<String, UseBody>,
    /// Tasks by type.
    task_types: BTreeMap<String, UseBody>,
}

/// The rules as they are obeyed.
#[utoipa::path(get, path = "/api/v1/concurrency/config", tag = "operators", security(("adminKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated"]))),
    responses((status = 200, description = "The rules.", body = Envelope<RulesBody>)))]
pub async fn config(edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let rules = edge.within(edge.concurrency.rules()).await;
    Ok(answer(RulesBody::from(rules.as_ref().clone()), None))
}

/// Changes a part of the rules. Every instance obeys when this answers.
#[utoipa::path(put, path = "/api/v1/concurrency/config", tag = "operators", security(("adminKey" = [])),
    request_body = RulesDraft,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "too-large", "unsupported-media-type",
        "validation-failed", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "All of the rules, as they are obeyed now.", body = Envelope<RulesBody>)))]
pub async fn change(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let body = body::json_bytes(&request, payload, edge.operator_body()).await?;
    let mut draft: RulesDraft = body::parse(&body)?;
    let by = operator(draft.reason.take())?;
    let patch = draft.check()?;
    let concurrency = edge.concurrency.clone();
    let changed = edge.to_its_end(async move { Ok::<_, domain::ports::Outage>(concurrency.change(&by, &patch).await) });
    let changed = changed.await.unwrap_or_else(|outage| Err(RulesError::Unwritten(outage)));
    Ok(answer(RulesBody::from(changed.map_err(refused)?), Some(CHANGED)))
}

/// The default rules again.
#[utoipa::path(post, path = "/api/v1/concurrency/reset", tag = "operators", security(("adminKey" = [])),
    request_body = Option<super::Reason>,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "too-large", "validation-failed", "not-ready",
        "outcome-unknown"]))),
    responses((status = 200, description = "The default, obeyed now.", body = Envelope<RulesBody>)))]
pub async fn reset(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let by = operator_of(&request, &edge, payload).await?;
    let concurrency = edge.concurrency.clone();
    let reset = edge.to_its_end(async move { Ok::<_, domain::ports::Outage>(concurrency.reset(&by).await) });
    let reset = reset.await.unwrap_or_else(|outage| Err(RulesError::Unwritten(outage)));
    Ok(answer(RulesBody::from(reset.map_err(refused)?), Some(RESET)))
}

/// What is used now, of everything that the rules name.
#[utoipa::path(get, path = "/api/v1/concurrency/usage", tag = "operators", security(("adminKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated", "not-ready"]))),
    responses((status = 200, description = "What is used.", body = Envelope<UsageBody>)))]
pub async fn usage(edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let rules = edge.within(edge.concurrency.rules()).await;
    let usage = edge.within(edge.concurrency.usage()).await.map_err(|outage| Problem::unread(&outage))?;
    let of = |maxima: &BTreeMap<String, u32>, live: &BTreeMap<String, u64>| {
        let used = |(name, max): (&String, &u32)| {
            let current = live.get(name).copied().unwrap_or(0);
            (name.clone(), UseBody { current, max: *max })
        };
        maxima.iter().map(used).collect()
    };
    let in_flight = usage.global.unwrap_or_else(|| edge.catalog.in_flight());
    let body = UsageBody {
        global: UseBody { current: in_flight, max: rules.global_max },
        platforms: of(&rules.platform_max, &usage.platforms),
        task_types: of(&rules.task_type_max, &usage.task_types),
    };
    Ok(answer(body, None))
}

/// Tokens taken and given back in the last 24 hours, by dimension and name. The present hour is included.
#[utoipa::path(get, path = "/api/v1/concurrency/stats", tag = "operators", security(("adminKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated", "not-ready"]))),
    responses((status = 200, description = "The counters; a total that was never counted is 0.",
               body = Envelope<BTreeMap<String, u64>>)))]
pub async fn stats(edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let mut stats = edge.within(edge.concurrency.stats()).await.map_err(|outage| Problem::unread(&outage))?;
    for total in ["acquired:total", "released:total"] {
        stats.entry(total.to_owned()).or_default();
    }
    Ok(answer(stats, None))
}

fn answer(data: impl Serialize, message: Option<&'static str>) -> HttpResponse {
    json(StatusCode::OK, &Envelope { success: true, data, message })
}

fn refused(error: RulesError) -> Problem {
    match error {
        RulesError::Wrong(wrong) => Problem::validation(wrong.field, wrong.why),
        RulesError::Unwritten(outage) => Problem::unwritten(&outage),
        RulesError::Untold(outage) => {
            tracing::warn!(%outage, "the concurrency rules are changed and not yet obeyed");
            Problem::new(Code::OutcomeUnknown, "The rules are changed, and will be obeyed when Redis answers again.")
        }
    }
}
