//! Orders, for their owner. Anybody else's is not found, whoever asks.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use control::{Locks, NotLocked};
use domain::ports::{Cancelled, OrderLife, Outage};
use domain::{BuyerId, JobId, OrderStatus, OrderView, SaleId};
use serde::Serialize;
use utoipa::ToSchema;

use super::part;
use crate::edge::Edge;
use crate::limits::{Action, Caller};
use crate::problem::{Code, Problem};
use crate::views::{DateTime, MoneyBody, json, to_ms};

/// An order.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Order)]
struct OrderBody {
    /// Its id: the job's and the token's.
    #[schema(value_type = String, format = Uuid)]
    order_id: JobId,
    /// The sale.
    #[schema(value_type = String)]
    sale: SaleId,
    /// The item; `null` on a rejected order whose purchase could not be read.
    item: Option<String>,
    /// Units.
    quantity: u16,
    /// What it costs in all; `null` like the item.
    amount: Option<MoneyBody>,
    /// `pending_payment`, `paid`, `expired`, `cancelled` or `rejected`.
    status: &'static str,
    /// When rejected: `sold-out`, `limit-reached`, `unplaceable` or `discarded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// When it was written.
    created_at: DateTime,
    /// When it ends unless it is paid; while it waits for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime>,
    /// A payment that did not pay this order: `open` (being decided), `refund_due` or `refunded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<&'static str>,
}

/// How long a second request to cancel waits for the first.
const CANCEL_WAIT: Duration = Duration::from_millis(500);

/// A buyer's orders.
#[derive(Serialize, ToSchema)]
struct OrdersBody {
    /// Newest first, at most 100.
    orders: Vec<OrderBody>,
}

impl From<OrderView> for OrderBody {
    fn from(order: OrderView) -> Self {
        Self {
            order_id: order.order,
            sale: order.sale,
            item: order.item.map(String::from),
            quantity: order.quantity,
            amount: order.amount.map(MoneyBody::from),
            status: order.status.as_str(),
            reason: order.reason.map(|reason| reason.as_str()),
            created_at: to_ms(order.created_at),
            expires_at: order.expires_at.filter(|_| order.status == OrderStatus::PendingPayment).map(to_ms),
            refund: order.refund.map(|state| state.as_str()),
        }
    }
}

/// One of the caller's orders.
#[utoipa::path(get, path = "/api/v1/orders/{order}", tag = "orders", security(("buyer" = [])),
    params(("order" = String, Path, description = "Its id: the job's")),
    extensions(("x-problems" = json!(["unauthenticated", "not-found", "quota-exceeded", "rate-limited", "overloaded",
        "not-ready"]))),
    responses((status = 200, description = "The order.", body = OrderBody)))]
pub async fn get(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let order = own_order(&request, &edge).await?;
    Ok(json(StatusCode::OK, &OrderBody::from(order)))
}

/// The caller, and the order that the path names.
async fn caller(request: &HttpRequest, edge: &Edge) -> Result<(BuyerId, JobId), Problem> {
    let buyer = reader(request, edge).await?;
    let id = part(request, "order").parse().map_err(|_| Problem::not_found())?;
    Ok((buyer, id))
}

/// Whoever wants to know something about their orders.
async fn reader(request: &HttpRequest, edge: &Edge) -> Result<BuyerId, Problem> {
    let buyer = edge.buyer(request)?;
    let id = buyer.id.as_str();
    edge.limits.status.check(id)?;
    let caller = Caller { buyer: Some(id), channel: buyer.channel.as_deref(), ..Caller::default() };
    edge.count_shared(Action::Status, caller).await?;
    edge.count_request(&buyer).await?;
    Ok(buyer.id)
}

/// The order that the path names, if it is the caller's.
pub async fn own_order(request: &HttpRequest, edge: &Edge) -> Result<OrderView, Problem> {
    let (buyer, id) = caller(request, edge).await?;
    let orders = edge.orders.clone();
    let found = edge.to_its_end(async move { orders.order(id, &buyer).await }).await;
    found.map_err(|outage| Problem::unread(&outage))?.ok_or_else(Problem::not_found)
}

/// Cancels an unpaid order; its units are for sale again at once. Cancelling it again changes nothing.
#[utoipa::path(post, path = "/api/v1/orders/{order}/cancel", tag = "orders", security(("buyer" = [])),
    params(("order" = String, Path, description = "Its id: the job's")),
    extensions(("x-problems" = json!(["unauthenticated", "not-found", "conflict", "quota-exceeded", "rate-limited", "overloaded", "not-ready",
        "outcome-unknown"]))),
    responses((status = 200, description = "It is cancelled.", body = OrderBody)))]
pub async fn cancel(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let (buyer, id) = caller(&request, &edge).await?;
    let (life, locks) = (edge.life.clone(), edge.works.locks.clone());
    let cancelled = edge.to_its_end(async move { cancel_once(&locks, life.as_ref(), id, &buyer).await }).await;
    match cancelled.map_err(|outage| Problem::unwritten(&outage))? {
        None => Err(Problem::not_found()),
        Some(Cancelled::Done(order)) => Ok(json(StatusCode::OK, &OrderBody::from(order))),
        Some(Cancelled::TooLate(order)) => {
            let detail = format!("The order cannot be cancelled any more: it is {}.", order.status.as_str());
            Err(Problem::new(Code::Conflict, detail))
        }
    }
}

/// A second request for the same order waits for the first one, and then finds it done. Where it cannot wait, the row
/// decides between them as well.
async fn cancel_once(
    locks: &Arc<Locks>,
    life: &dyn OrderLife,
    order: JobId,
    buyer: &BuyerId,
) -> Result<Option<Cancelled>, Outage> {
    let cancelled = locks.with(&order.to_string(), "cancel", CANCEL_WAIT, |_| life.cancel(order, buyer)).await;
    match cancelled {
        Ok(cancelled) => cancelled,
        Err(NotLocked::Busy | NotLocked::Outage(_)) => life.cancel(order, buyer).await,
    }
}

/// The caller's orders, of all sales or of one.
#[utoipa::path(get, path = "/api/v1/me/orders", tag = "orders", security(("buyer" = [])),
    params(("sale" = Option<String>, Query, description = "Only of this sale")),
    extensions(("x-problems" = json!(["unauthenticated", "validation-failed", "quota-exceeded", "rate-limited", "overloaded",
        "not-ready"]))),
    responses((status = 200, description = "The orders; none of an unknown sale.", body = OrdersBody)))]
pub async fn list(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let buyer = reader(&request, &edge).await?;
    let named = request.query_string().split('&').find_map(|part| part.strip_prefix("sale="));
    let sale = named.map(str::parse::<SaleId>).transpose();
    let sale = sale.map_err(|_| Problem::validation("sale", "has to be the id of a sale"))?;
    let orders = edge.orders.clone();
    let found = edge.to_its_end(async move { orders.orders_of(&buyer, sale.as_ref()).await }).await;
    let orders = found.map_err(|outage| Problem::unread(&outage))?;
    Ok(json(StatusCode::OK, &OrdersBody { orders: orders.into_iter().map(OrderBody::from).collect() }))
}
