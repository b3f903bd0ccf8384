//! A sale's way from draft to close: warm, open, pause, resume, close.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use control::Task;
use domain::ports::Changed;
use domain::{ItemId, SaleState};
use order_intake::WarmError;
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;

use super::sales::{changed, find, refresh};
use super::{Reason, operator_of, sale_id};
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views::json;

/// A sale in the gate.
#[derive(Serialize, ToSchema)]
#[schema(as = Warmed)]
struct WarmedBody {
    /// How often it was loaded.
    epoch: u32,
    /// `false`: it was there already, and nothing was changed.
    changed: bool,
    /// Its items.
    items: Vec<FreeBody>,
}

/// What is for sale of an item.
#[derive(Serialize, ToSchema)]
#[schema(as = Free)]
struct FreeBody {
    /// The item.
    #[schema(value_type = String)]
    id: ItemId,
    /// Units.
    free: i64,
}

/// Loads the sale's stock into the gate. Again while it is there, it changes nothing.
#[utoipa::path(post, path = "/admin/v1/sales/{sale}/warm", tag = "operators", security(("adminKey" = [])),
    params(("sale" = String, Path, description = "Its id")), request_body = Option<Reason>,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "not-found", "too-large", "validation-failed",
        "conflict", "overloaded", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "It is warm.", body = WarmedBody)))]
pub async fn warm(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let id = sale_id(&request)?;
    let by = operator_of(&request, &edge, payload).await?;
    let (warmup, sale) = (edge.warmup.clone(), id.clone());
    let warmed = edge.task(Task::Rebuild, async move { warmup.warm(&sale, &by).await }).await?;
    let warmed = warmed.map_err(|error| match error {
        WarmError::NotFound => Problem::no_sale(&id),
        WarmError::Conflict(why) => Problem::new(Code::Conflict, why),
        WarmError::Outage(outage) => Problem::unwritten(&outage),
    })?;
    info!(sale.id = %id, epoch = warmed.epoch, fresh = warmed.fresh, "sale {id} is warm");
    refresh(&edge).await;
    let items = warmed.free.into_iter().map(|(id, free)| FreeBody { id, free }).collect();
    Ok(json(StatusCode::OK, &WarmedBody { epoch: warmed.epoch, changed: warmed.fresh, items }))
}

macro_rules! change {
    ($(#[doc = $doc:literal])* $name:ident $path:literal $done:literal => $state:expr) => {
        $(#[doc = $doc])*
        #[utoipa::path(post, path = $path, tag = "operators", security(("adminKey" = [])),
            params(("sale" = String, Path, description = "Its id")), request_body = Option<Reason>,
            extensions(("x-problems" = json!(["unauthenticated", "malformed", "not-found", "too-large",
                "validation-failed", "conflict", "not-ready", "outcome-unknown"]))),
            responses((status = 200, description = $done, body = super::sales::OperatorSaleBody<'static>)))]
        pub async fn $name(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
            set(&request, &edge, payload, $state, stringify!($name)).await
        }
    };
}

change! {
    /// Opens a warm sale; it sells within its window.
    open "/admin/v1/sales/{sale}/open" "It is open, or will be by its window." => SaleState::Open
}
change! {
    /// Takes no purchases for now. What was accepted is placed.
    pause "/admin/v1/sales/{sale}/pause" "It is paused." => SaleState::Paused
}
change! {
    /// Takes purchases again after a pause.
    resume "/admin/v1/sales/{sale}/resume" "It is open again." => SaleState::Open
}
change! {
    /// Ends the sale for good. What was accepted is placed.
    close "/admin/v1/sales/{sale}/close" "It is over." => SaleState::Closed
}

async fn set(
    request: &HttpRequest,
    edge: &Edge,
    payload: Payload,
    state: SaleState,
    action: &'static str,
) -> Result<HttpResponse, Problem> {
    let id = sale_id(request)?;
    let by = operator_of(request, edge, payload).await?;
    if action == "resume" && find(edge, &id).await?.state == SaleState::Draft {
        return Err(Problem::new(Code::Conflict, format!("Sale {id} is a draft: there is no pause to end. Open it.")));
    }
    let (warmup, sale) = (edge.warmup.clone(), id.clone());
    let done = edge.to_its_end(async move { warmup.change(&sale, state, &by).await }).await;
    info!(sale.id = %id, action, done = matches!(done, Ok(Changed::Done(_))), "{action} of sale {id}");
    changed(edge, &id, done).await
}
