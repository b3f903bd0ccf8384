//! What is sold, from memory. Not rate-limited: a 429 would cost as much as the answer, and caches share it.

use std::hash::{DefaultHasher, Hasher as _};

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::part;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::views::{DateTime, SaleBody, json, matches_tag, to_ms};

/// All sales that shoppers may know of.
#[derive(Serialize, ToSchema)]
struct SalesBody<'a> {
    /// Newest first.
    sales: Vec<SaleBody<'a>>,
}

/// The clock that decides about opening and closing.
#[derive(Serialize, ToSchema)]
struct TimeBody {
    /// Now.
    now: DateTime,
}

/// All sales, newest first.
#[utoipa::path(get, path = "/api/v1/sales", tag = "sales",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer")),
    extensions(("x-problems" = json!(["not-ready"]))),
    responses((status = 200, description = "For a second, from any cache.", body = SalesBody<'static>,
               headers(("ETag" = String, description = "For If-None-Match"))),
              (status = 304, description = "Nothing has changed.")))]
pub async fn list(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let (view, lead_s) = (edge.catalog.view()?, edge.settings.token_lead_s);
    let now = edge.catalog.now();
    Ok(cacheable(
        &request,
        &SalesBody { sales: view.public().map(|listed| SaleBody::new(listed, lead_s, now)).collect() },
    ))
}

/// One sale.
#[utoipa::path(get, path = "/api/v1/sales/{sale}", tag = "sales",
    params(("sale" = String, Path, description = "Its id"),
           ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer")),
    extensions(("x-problems" = json!(["not-found", "not-ready"]))),
    responses((status = 200, description = "For a second, from any cache.", body = SaleBody<'static>,
               headers(("ETag" = String, description = "For If-None-Match"))),
              (status = 304, description = "Nothing has changed.")))]
pub async fn get(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let listed = edge.catalog.public(part(&request, "sale"))?;
    Ok(cacheable(&request, &SaleBody::new(&listed, edge.settings.token_lead_s, edge.catalog.now())))
}

/// The time, for countdowns.
#[utoipa::path(get, path = "/api/v1/time", tag = "sales",
    responses((status = 200, description = "By the clock that decides.", body = TimeBody)))]
pub async fn time(edge: Data<Edge>) -> HttpResponse {
    json(actix_web::http::StatusCode::OK, &TimeBody { now: to_ms(edge.catalog.now()) })
}

/// The same bytes have the same tag on every gateway, so that a client may ask any of them.
fn cacheable(request: &HttpRequest, body: &impl Serialize) -> HttpResponse {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut hash = DefaultHasher::new();
    hash.write(&body);
    let tag = format!("\"{:016x}\"", hash.finish());
    let known = matches_tag(request, &tag);
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, "public, max-age=1"));
    if known {
        return answer.finish();
    }
    answer.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json"))).body(body)
}
