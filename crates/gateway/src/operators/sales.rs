//! Sales: create, list, read, change.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::ports::{Changed, Outage};
use domain::{GateCounters, Sale, SaleId, Timestamp};
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;

use super::drafts::{NewSaleDraft, PatchDraft};
use super::{operator, sale_id};
use crate::body;
use crate::catalog::phase;
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views::{DateTime, MoneyBody, json, phase_word};

/// Sales that ended longer ago than this are not listed: 30 days.
const LIST_ENDED_S: u32 = 30 * 86_400;

/// A sale as operators see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OperatorSale)]
pub struct OperatorSaleBody<'a> {
    /// Its name.
    id: &'a str,
    /// For people.
    title: &'a str,
    /// What shoppers see: `draft`, `scheduled`, `open`, `paused`, `soldOut` or `ended`.
    phase: &'static str,
    /// What the operator decided: `draft`, `open`, `paused` or `closed`.
    state: &'static str,
    /// How often it was loaded into the gate; 0 means it is not warm.
    epoch: u32,
    /// First moment at which a purchase is accepted.
    opens_at: DateTime,
    /// First moment at which none is accepted any more.
    closes_at: DateTime,
    /// Units that one buyer may hold in live orders, over all items.
    limit_per_buyer: u16,
    /// Seconds an order waits for its payment.
    payment_window_seconds: u32,
    /// What is sold.
    items: Vec<OperatorItemBody<'a>>,
}

/// An item as operators see it.
#[derive(Serialize, ToSchema)]
#[schema(as = OperatorItem)]
struct OperatorItemBody<'a> {
    /// Its name.
    id: &'a str,
    /// For people.
    title: &'a str,
    /// For one unit.
    price: MoneyBody,
    /// Units in total.
    stock: i64,
}

/// Sales.
#[derive(Serialize, ToSchema)]
struct OperatorSalesBody<'a> {
    /// Newest first; those that ended in the last 30 days are among them.
    sales: Vec<OperatorSaleBody<'a>>,
}

impl<'a> OperatorSaleBody<'a> {
    fn new(sale: &'a Sale, counters: Option<GateCounters>, now: Timestamp) -> Self {
        let phase = phase(sale, counters.as_ref(), now);
        let items = sale.items.iter().map(|item| OperatorItemBody {
            id: item.id.as_str(),
            title: &item.title,
            price: item.price.into(),
            stock: item.stock,
        });
        Self {
            id: sale.id.as_str(),
            title: &sale.title,
            phase: phase_word(phase),
            state: sale.state.as_str(),
            epoch: sale.epoch,
            opens_at: sale.opens_at,
            closes_at: sale.closes_at,
            limit_per_buyer: sale.limit_per_buyer,
            payment_window_seconds: sale.payment_window_s,
            items: items.collect(),
        }
    }
}

/// A sale, as the answer to a request.
pub fn answer(edge: &Edge, status: StatusCode, sale: &Sale) -> HttpResponse {
    json(status, &OperatorSaleBody::new(sale, edge.catalog.counters(sale.number), edge.catalog.now()))
}

/// The answer to a change, once everybody on this gateway sees it.
pub async fn changed(edge: &Edge, id: &SaleId, changed: Result<Changed, Outage>) -> Result<HttpResponse, Problem> {
    match changed.map_err(|outage| Problem::unwritten(&outage))? {
        Changed::Done(sale) => {
            refresh(edge).await;
            Ok(answer(edge, StatusCode::OK, &sale))
        }
        Changed::NotFound => Err(Problem::no_sale(id)),
        Changed::Conflict(why) => Err(Problem::new(Code::Conflict, why)),
    }
}

/// Reads the catalog anew, so that the next request on this gateway sees what was changed.
pub async fn refresh(edge: &Edge) {
    let catalog = edge.catalog.clone();
    let _: Result<bool, Outage> = edge.to_its_end(async move { Ok(catalog.refresh().await) }).await;
}

/// The sale as Postgres has it now.
pub async fn find(edge: &Edge, id: &SaleId) -> Result<Sale, Problem> {
    let (sales, wanted) = (edge.sales.clone(), id.clone());
    let found = edge.to_its_end(async move { sales.sale(&wanted).await }).await;
    found.map_err(|outage| Problem::unread(&outage))?.ok_or_else(|| Problem::no_sale(id))
}

/// Creates a sale as a draft.
#[utoipa::path(post, path = "/admin/v1/sales", tag = "operators", security(("adminKey" = [])),
    request_body = NewSaleDraft,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "too-large", "unsupported-media-type",
        "validation-failed", "conflict", "not-ready", "outcome-unknown"]))),
    responses((status = 201, description = "The sale.", body = OperatorSaleBody<'static>)))]
pub async fn create(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let body = body::json_bytes(&request, payload, edge.operator_body()).await?;
    let mut draft: NewSaleDraft = body::parse(&body)?;
    let by = operator(draft.reason.take())?;
    let sale = draft.check()?;
    let (sales, id) = (edge.sales.clone(), sale.id.clone());
    let created = edge.to_its_end(async move { sales.create(&sale, &by).await }).await;
    let created = created.map_err(|outage| Problem::unwritten(&outage))?;
    let sale = created.ok_or_else(|| Problem::new(Code::Conflict, format!("There is a sale {id} already.")))?;
    info!(sale.id = %id, "sale {id} was created");
    refresh(&edge).await;
    Ok(answer(&edge, StatusCode::CREATED, &sale))
}

/// All sales, drafts too; but not the one that dry runs buy from.
#[utoipa::path(get, path = "/admin/v1/sales", tag = "operators", security(("adminKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated", "not-ready"]))),
    responses((status = 200, description = "The sales.", body = OperatorSalesBody<'static>)))]
pub async fn list(edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let sales = edge.sales.clone();
    let read = edge.to_its_end(async move { sales.sales(LIST_ENDED_S).await }).await;
    let sales = read.map_err(|outage| Problem::unread(&outage))?;
    let now = edge.catalog.now();
    let own = sales.iter().filter(|sale| !sale.id.is_of_dry_runs());
    let bodies = own.map(|sale| OperatorSaleBody::new(sale, edge.catalog.counters(sale.number), now));
    Ok(json(StatusCode::OK, &OperatorSalesBody { sales: bodies.collect() }))
}

/// One sale.
#[utoipa::path(get, path = "/admin/v1/sales/{sale}", tag = "operators", security(("adminKey" = [])),
    params(("sale" = String, Path, description = "Its id")),
    extensions(("x-problems" = json!(["unauthenticated", "not-found", "not-ready"]))),
    responses((status = 200, description = "The sale.", body = OperatorSaleBody<'static>)))]
pub async fn get(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let sale = find(&edge, &sale_id(&request)?).await?;
    Ok(answer(&edge, StatusCode::OK, &sale))
}

/// Changes a sale.
#[utoipa::path(patch, path = "/admin/v1/sales/{sale}", tag = "operators", security(("adminKey" = [])),
    params(("sale" = String, Path, description = "Its id")), request_body = PatchDraft,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "not-found", "too-large",
        "unsupported-media-type", "validation-failed", "conflict", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "The sale as it is now.", body = OperatorSaleBody<'static>)))]
pub async fn patch(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let id = sale_id(&request)?;
    let body = body::json_bytes(&request, payload, edge.operator_body()).await?;
    let draft: PatchDraft = body::parse(&body)?;
    let patch = draft.check(&find(&edge, &id).await?)?;
    let by = operator(patch.reason.clone())?;
    let (warmup, sale) = (edge.warmup.clone(), id.clone());
    let done = edge.to_its_end(async move { warmup.patch(&sale, &patch, &by).await }).await;
    info!(sale.id = %id, done = matches!(done, Ok(Changed::Done(_))), "sale {id} was to be changed");
    changed(&edge, &id, done).await
}
