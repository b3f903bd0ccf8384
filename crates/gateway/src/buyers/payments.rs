//! Paying: a buyer begins a payment, the provider reports how it ended.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::webhook::Signed;
use domain::{JobId, OrderStatus};
use serde::Serialize;
use tracing::warn;
use utoipa::ToSchema;

use super::mine::own_order;
use crate::body::{self, Bounds};
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views::{MoneyBody, json};
use crate::webhooks::NotTaken;

/// Largest webhook, in bytes: providers add details of their own.
const WEBHOOK_MAX: usize = 64 * 1024;

/// A payment that was begun.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Payment)]
struct PaymentBody {
    /// The provider's name for it.
    payment_id: String,
    /// What it is for.
    #[schema(value_type = String, format = Uuid)]
    order_id: JobId,
    /// What is to be paid.
    amount: Option<MoneyBody>,
    /// Where the buyer goes on, if anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// Begins a payment for an unpaid order. The order is paid when the provider has said so: ask for the order.
#[utoipa::path(post, path = "/api/v1/orders/{order}/payments", tag = "orders", security(("buyer" = [])),
    params(("order" = String, Path, description = "Its id: the job's")),
    extensions(("x-problems" = json!(["unauthenticated", "not-found", "conflict", "quota-exceeded", "rate-limited", "overloaded", "not-ready",
        "outcome-unknown"]))),
    responses((status = 201, description = "The payment has begun.", body = PaymentBody)))]
pub async fn start(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let order = own_order(&request, &edge).await?;
    let Some(provider) = edge.payments.clone() else {
        return Err(Problem::new(Code::NotFound, "Payments do not begin here: the seller's own checkout takes them."));
    };
    if order.status != OrderStatus::PendingPayment {
        let detail = format!("The order does not wait for a payment: it is {}.", order.status.as_str());
        return Err(Problem::new(Code::Conflict, detail));
    }
    let (order_id, amount) = (order.order, order.amount.map(MoneyBody::from));
    let started = edge.to_its_end(async move { provider.start(&order).await }).await;
    let started = started.map_err(|outage| Problem::unwritten(&outage))?;
    let body = PaymentBody { payment_id: started.payment.into(), order_id, amount, url: started.url };
    Ok(json(StatusCode::CREATED, &body))
}

/// What the payment provider reports: a Standard Webhook, `payment.succeeded` or `payment.failed`, with
/// `data: {paymentId, orderId, amount: {amount, currency}}`. Answered after the commit; anything but a 2xx means: send it
/// again.
#[utoipa::path(post, path = "/api/v1/payments/webhook", tag = "orders",
    params(("webhook-id" = String, Header, description = "The same for each delivery of it"),
           ("webhook-timestamp" = String, Header, description = "Seconds since 1970"),
           ("webhook-signature" = String, Header, description = "`v1,` and the base64 of HMAC-SHA-256 over `id.timestamp.body`")),
    request_body(content = String, description = "The event", content_type = "application/json"),
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "too-large", "rate-limited", "not-ready",
        "outcome-unknown"]))),
    responses((status = 204, description = "It is noted, now or since an earlier delivery.")))]
pub async fn webhook(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let bounds = Bounds { max_bytes: WEBHOOK_MAX, ..edge.buyer_body() };
    let body = body::bytes(&request, payload, bounds).await.map_err(|problem| edge.count_problem(&request, problem))?;
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (id, timestamp, signature) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let webhooks = edge.webhooks.clone();
    let taken = edge.runtime.spawn(async move {
        let signed = Signed { id: &id, timestamp: &timestamp, signature: &signature };
        webhooks.take(&signed, &body).await
    });
    let lost = |error: tokio::task::JoinError| NotTaken::Outage(domain::ports::Outage::Unknown(error.to_string()));
    match taken.await.unwrap_or_else(|error| Err(lost(error))) {
        Ok(_) => Ok(HttpResponse::NoContent().finish()),
        Err(NotTaken::NotSigned(why)) => {
            warn!(%why, "a payment webhook was not believed");
            let problem = Problem::new(Code::Unauthenticated, format!("Not believed: {why}."));
            Err(edge.count_problem(&request, problem))
        }
        Err(NotTaken::Wrong(why)) => {
            warn!(why, "a signed payment webhook cannot be read");
            Err(Problem::new(Code::Malformed, format!("Signed, but not to be read: {why}.")))
        }
        Err(NotTaken::Outage(outage)) => Err(Problem::unwritten(&outage)),
    }
}
