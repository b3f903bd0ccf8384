//! The orders of a sale: a page at a time for people, all of them line by line for programs.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::{Bytes, Data, Query};
use actix_web::{Error, HttpRequest, HttpResponse};
use domain::ports::{OrderEntry, OrderPage, Outage};
use domain::{BuyerId, JobId, OrderStatus, RefusedReason, SaleId};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};

use super::sale_id;
use super::sales::find;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::views::{DateTime, json, to_ms};

/// Orders on a page, unless it is said.
const PAGE: usize = 100;

/// Orders on a page at most, and read at once for a stream: some 300 KB.
const PAGE_MAX: usize = 1_000;

/// Looks for one page of a rare status. After so many the rest is left to the next page.
const LOOKS_MAX: usize = 20;

/// Which orders.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `pending_payment`, `paid`, `expired`, `cancelled` or `rejected`.
    status: Option<String>,
    /// Behind this page: its `nextCursor`.
    cursor: Option<String>,
    /// Orders on the page: 1 to 1,000, else 100. A stream has no pages.
    limit: Option<usize>,
}

/// A page of orders.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OperatorOrders)]
struct OrdersBody {
    /// In the order in which their tokens were issued. There may be fewer than asked for, though more follow.
    orders: Vec<OrderLineBody>,
    /// What `cursor` has to be for the next page; absent after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    next_cursor: Option<JobId>,
}

/// One order.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OperatorOrder)]
struct OrderLineBody {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    id: JobId,
    /// The job's: the same.
    #[schema(value_type = String, format = Uuid)]
    job_id: JobId,
    /// The item; absent where its message could not be read, as is the buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    /// Units.
    quantity: u16,
    /// Who bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    buyer: Option<BuyerId>,
    /// `pending_payment`, `paid`, `expired`, `cancelled` or `rejected`.
    #[schema(value_type = String)]
    status: OrderStatus,
    /// When it was written.
    created_at: DateTime,
    /// When an unpaid order ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime>,
    /// When its payment was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<DateTime>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reason: Option<RefusedReason>,
}

impl From<OrderEntry> for OrderLineBody {
    fn from(OrderEntry { order, buyer, paid_at, .. }: OrderEntry) -> Self {
        Self {
            id: order.order,
            job_id: order.order,
            item: order.item.map(String::from),
            quantity: order.quantity,
            buyer,
            status: order.status,
            created_at: to_ms(order.created_at),
            expires_at: order.expires_at.map(to_ms),
            paid_at: paid_at.map(to_ms),
            reason: order.reason,
        }
    }
}

/// The orders of a sale, a page at a time. With `Accept: application/x-ndjson` all that follow the cursor, one in a line.
#[utoipa::path(get, path = "/admin/v1/sales/{sale}/orders", tag = "operators", security(("adminKey" = [])),
    params(("sale" = String, Path, description = "Its id"), Wanted),
    extensions(("x-problems" = json!(["unauthenticated", "not-found", "validation-failed", "overloaded", "not-ready"]))),
    responses((status = 200, description = "A page, or a stream. A stream that cannot go on breaks off: its end is that of \
        the answer's body, as HTTP tells it.", content(
            (OrdersBody = "application/json"), (OrderLineBody = "application/x-ndjson"))))) ]
pub async fn list(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let wanted = Query::<Wanted>::from_query(request.query_string());
    let wanted = wanted.map_err(|_| Problem::validation("query", "knows status, cursor and limit"))?.into_inner();
    let limit = wanted.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::validation("limit", "has to be 1 to 1000"));
    }
    let status = wanted.status.map(|word| {
        OrderStatus::from_word(&word).ok_or_else(|| {
            Problem::validation("status", "has to be pending_payment, paid, expired, cancelled or rejected")
        })
    });
    let after = wanted
        .cursor
        .map(|text| text.parse().map_err(|_| Problem::validation("cursor", "has to be the nextCursor of a page")));
    let sale = find(&edge, &sale_id(&request)?).await?.id;
    let mut reading = Reading { edge: edge.into_inner(), sale, status: status.transpose()?, after: after.transpose()? };
    if wants_lines(&request) {
        return stream(reading);
    }
    let (mut orders, mut next) = (Vec::new(), None);
    for _ in 0..LOOKS_MAX {
        let page = reading.page(limit - orders.len()).await.map_err(|outage| Problem::unread(&outage))?;
        orders.extend(page.orders.into_iter().map(OrderLineBody::from));
        next = page.next;
        if orders.len() >= limit || next.is_none() {
            break;
        }
    }
    Ok(json(StatusCode::OK, &OrdersBody { orders, next_cursor: next }))
}

fn wants_lines(request: &HttpRequest) -> bool {
    let accept = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    let mut kinds = accept.flat_map(|value| value.split(',')).filter_map(|kind| kind.split(';').next());
    kinds.any(|kind| kind.trim().eq_ignore_ascii_case("application/x-ndjson"))
}

/// Where somebody is in the orders of a sale.
struct Reading {
    edge: Arc<Edge>,
    sale: SaleId,
    status: Option<OrderStatus>,
    after: Option<JobId>,
}

impl Reading {
    /// What follows; the next call goes on behind it.
    async fn page(&mut self, limit: usize) -> Result<OrderPage, Outage> {
        let (archive, sale, status, after) = (self.edge.archive.clone(), self.sale.clone(), self.status, self.after);
        let page = self.edge.to_its_end(async move { archive.page(&sale, status, after, limit).await }).await?;
        self.after = page.next.or(self.after);
        Ok(page)
    }
}

fn stream(reading: Reading) -> Result<HttpResponse, Problem> {
    let permit = reading.edge.exports.clone().try_acquire_owned().map_err(|_| Problem::overloaded())?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/x-ndjson"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(lines(reading, permit)))
}

/// One page in memory, and the next is read when that one has been taken.
fn lines(reading: Reading, permit: OwnedSemaphorePermit) -> impl Stream<Item = Result<Bytes, Error>> {
    unfold(Some((reading, permit)), |state| async move {
        let (mut reading, permit) = state?;
        loop {
            if reading.edge.stop.is_cancelled() {
                return Some((Err(broken_off("this gateway is about to stop")), None));
            }
            let page = match reading.page(PAGE_MAX).await {
                Ok(page) => page,
                Err(outage) => return Some((Err(broken_off(&outage.to_string())), None)),
            };
            let more = page.next.is_some();
            if page.orders.is_empty() && more {
                continue;
            }
            let mut text = Vec::with_capacity(page.orders.len() * 300);
            for order in page.orders {
                if serde_json::to_writer(&mut text, &OrderLineBody::from(order)).is_ok() {
                    text.push(b'\n');
                }
            }
            return Some((Ok(Bytes::from(text)), more.then_some((reading, permit))));
        }
    })
}

/// Ends the connection instead of the body: whoever reads must not take a part for the whole.
fn broken_off(why: &str) -> Error {
    tracing::warn!(why, "a stream of orders breaks off: {why}");
    actix_web::error::ErrorInternalServerError("the stream breaks off")
}
