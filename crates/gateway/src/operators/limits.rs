//! Rate limits: what is obeyed, and changes that every gateway obeys within a second.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use control::ChangeError;
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;

use super::operator;
use crate::body;
use crate::edge::Edge;
use crate::limits::{LimitsDocument, LimitsDraft};
use crate::problem::Problem;
use crate::views::json;

/// The limits as they stand.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LimitsNow)]
struct LimitsBody<'a> {
    /// What this gateway obeys, and every other one within a second.
    limits: &'a LimitsDocument,
    /// How often they were changed; 0: never, the configuration holds.
    version: i64,
    /// What the configuration says.
    default: &'a LimitsDocument,
    /// How many different callers this gateway has refused for a limit of their own within a minute, to about two percent.
    limited_callers: u64,
}

/// A change of the limits.
#[derive(Serialize, ToSchema)]
#[schema(as = LimitsChanged)]
struct ChangedBody {
    /// What held until now.
    before: LimitsDocument,
    /// What holds from now on.
    after: LimitsDocument,
    /// How often they were changed.
    version: i64,
}

/// The rate limits that are obeyed now.
#[utoipa::path(get, path = "/admin/v1/limits", tag = "operators", security(("adminKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated"]))),
    responses((status = 200, description = "The limits.", body = LimitsBody<'static>)))]
pub async fn get(edge: Data<Edge>) -> HttpResponse {
    let document = edge.limits.document();
    let (version, limits) = (document.version(), document.get());
    let limited_callers = edge.limits.limited_callers();
    json(StatusCode::OK, &LimitsBody { limits: &limits, version, default: document.default(), limited_callers })
}

/// Changes rate limits while they are obeyed: only what is named. This gateway obeys at once, every other one within a
/// second.
#[utoipa::path(put, path = "/admin/v1/limits", tag = "operators", security(("adminKey" = [])),
    request_body = LimitsDraft,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "too-large", "unsupported-media-type",
        "validation-failed", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "They are changed.", body = ChangedBody)))]
pub async fn put(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let body = body::json_bytes(&request, payload, edge.operator_body()).await?;
    let mut draft: LimitsDraft = body::parse(&body)?;
    let by = operator(draft.reason.take())?;
    let document = edge.limits.document().clone();
    let changed = edge.to_its_end(async move {
        let change = |now: &LimitsDocument| draft.apply(now, document.default());
        let (before, after) = document.change(&by, change).await?;
        Ok::<_, ChangeError<_>>(ChangedBody { before, after, version: document.version() })
    });
    let changed = changed.await.map_err(|error| match error {
        ChangeError::Refused((field, why)) => Problem::validation(field, &why),
        ChangeError::Outage(outage) => Problem::unwritten(&outage),
    })?;
    edge.limits.obey();
    info!(version = changed.version, "the rate limits were changed");
    Ok(json(StatusCode::OK, &changed))
}
