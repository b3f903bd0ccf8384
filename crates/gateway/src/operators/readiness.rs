//! Is everything ready for a sale to open? One list, and for everything that is not well a sentence that says what to do.

mod checks;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::sale_id;
use super::sales::find;
use crate::edge::Edge;
use crate::health::Status;
use crate::problem::{Code, Problem};
use crate::views::{DateTime, json, to_ms};

use checks::Checks;

/// Everything that was looked at.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SaleReadiness)]
struct ReadinessBody {
    /// All checks together.
    ready: bool,
    /// When, by this gateway's clock.
    checked_at: DateTime,
    /// Each of them, always in this order.
    checks: Vec<CheckBody>,
}

/// One check.
#[derive(Serialize, ToSchema)]
#[schema(as = SaleCheck)]
struct CheckBody {
    /// `database`, `redis`, `redis-settings`, `broker`, `consumers`, `queue-empty`, `clocks`, `limits`, `keys`, `warm`,
    /// `dry-run` or `reconcile`.
    name: &'static str,
    /// Is it well?
    ok: bool,
    /// What was found.
    detail: String,
    /// What to do about it, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    todo: Option<String>,
}

/// Can this sale be opened? Everything is looked at now, through this gateway; `dry-run` and `reconcile` tell of their
/// last time, which has to be of the last 24 hours.
#[utoipa::path(get, path = "/admin/v1/sales/{sale}/readiness", tag = "operators", security(("adminKey" = [])),
    params(("sale" = String, Path, description = "Its id")),
    extensions(("x-problems" = json!(["unauthenticated", "not-found", "not-ready"]))),
    responses((status = 200, description = "What was found.", body = ReadinessBody)))]
pub async fn get(request: HttpRequest, edge: Data<Edge>, status: Data<Status>) -> Result<HttpResponse, Problem> {
    let id = sale_id(&request)?;
    let sale = match find(&edge, &id).await {
        Ok(sale) => sale,
        // As it was last read: that the database is away is a part of the answer.
        Err(problem) if problem.code() == Code::NotReady => edge.catalog.listed(&id).ok_or(problem)?.sale.clone(),
        Err(problem) => return Err(problem),
    };
    let checks = edge.within(Checks { edge: &edge, status: &status, sale: &sale }.all()).await;
    let ready = checks.iter().all(|check| check.ok);
    Ok(json(StatusCode::OK, &ReadinessBody { ready, checked_at: to_ms(edge.clock.now()), checks }))
}
