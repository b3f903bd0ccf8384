//! What operators did.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::SaleId;
use domain::ports::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::edge::Edge;
use crate::problem::Problem;
use crate::views::{DateTime, json, to_ms};

/// Lines on a page, unless it is said.
const PAGE: usize = 100;

/// Lines on a page, at most.
const PAGE_MAX: usize = 1_000;

/// Which lines.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Of this sale only.
    sale: Option<String>,
    /// Older than this line: the `next` of the page before.
    before: Option<i64>,
    /// Lines on the page: 1 to 1,000, else 100.
    limit: Option<usize>,
}

/// A page of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditLog)]
struct AuditBody {
    /// Newest first.
    entries: Vec<AuditLineBody>,
    /// What `before` has to be for the next page; `null` after the last.
    next: Option<i64>,
}

/// One thing that was done.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditLine)]
struct AuditLineBody {
    /// Its number; later lines have higher ones.
    id: i64,
    /// When.
    at: DateTime,
    /// `console`, `api` or `cli`.
    via: String,
    /// For example `create`, `set-state`, `restock`, `set-limits`.
    action: String,
    /// The sale it was done to, if it was one.
    #[schema(value_type = Option<String>)]
    sale: Option<SaleId>,
    /// Why, in the operator's words.
    reason: Option<String>,
    /// How things were, where that is known.
    before: Option<Value>,
    /// How they are now, or what was asked for.
    after: Value,
}

impl From<AuditEntry> for AuditLineBody {
    fn from(AuditEntry { id, at, by, note }: AuditEntry) -> Self {
        Self {
            id,
            at: to_ms(at),
            via: by.via,
            action: note.action,
            sale: note.sale,
            reason: by.reason,
            before: note.before,
            after: note.after,
        }
    }
}

/// What operators did, newest first.
#[utoipa::path(get, path = "/admin/v1/audit-log", tag = "operators", security(("adminKey" = [])), params(Wanted),
    extensions(("x-problems" = json!(["unauthenticated", "validation-failed", "not-ready"]))),
    responses((status = 200, description = "A page of the log.", body = AuditBody)))]
pub async fn list(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let wanted = Query::<Wanted>::from_query(request.query_string());
    let wanted = wanted.map_err(|_| Problem::validation("query", "knows sale, before and limit"))?.into_inner();
    let sale = wanted.sale.as_deref().map(str::parse).transpose();
    let sale: Option<SaleId> = sale.map_err(|_| Problem::validation("sale", "is not the id of a sale"))?;
    let limit = wanted.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::validation("limit", "has to be from 1 to 1000"));
    }
    let page = edge.within(edge.audit.entries(sale.as_ref(), wanted.before, limit)).await;
    let page = page.map_err(|outage| Problem::unread(&outage))?;
    let next = page.last().map(|line| line.id).filter(|_| page.len() == limit);
    Ok(json(StatusCode::OK, &AuditBody { entries: page.into_iter().map(AuditLineBody::from).collect(), next }))
}
