//! Units added to a sale, or taken out of it, while it runs.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::Restock;
use domain::ports::Restocked;
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;

use super::sales::refresh;
use super::{operator, sale_id};
use crate::body;
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views::json;

/// A change of stock, done once for each id.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestockDraft {
    /// The operator's name for this change: 1 to 64 letters, digits, `-`, `_` or `.`.
    #[schema(example = "second-delivery")]
    id: String,
    /// Which item.
    item: String,
    /// Units: above 0 adds, below takes out; at most 100000000 either way.
    delta: i64,
    /// Why, for the audit log.
    reason: Option<String>,
}

impl RestockDraft {
    fn check(&self) -> Result<Restock, Problem> {
        let Self { id, item, delta, reason: _ } = self;
        let slug = "has to be 1 to 64 letters, digits, '-', '_' or '.'";
        if *delta == 0 || delta.unsigned_abs() > Restock::MAX.unsigned_abs() {
            return Err(Problem::validation("delta", "has to be from -100000000 to 100000000, and not 0"));
        }
        Ok(Restock {
            id: id.parse().map_err(|_| Problem::validation("id", slug))?,
            item: item.parse().map_err(|_| Problem::validation("item", slug))?,
            delta: *delta,
        })
    }
}

/// An item's stock after a change.
#[derive(Serialize, ToSchema)]
#[schema(as = Restocked)]
struct RestockedBody {
    /// The change.
    id: String,
    /// The item.
    item: String,
    /// Units in total now.
    stock: i64,
    /// `false`: it was done by an earlier request with this id.
    changed: bool,
}

/// Adds units to an item, or takes some out. Units that are taken out have to be free: they are taken from the gate first.
#[utoipa::path(post, path = "/admin/v1/sales/{sale}/restock", tag = "operators", security(("adminKey" = [])),
    params(("sale" = String, Path, description = "Its id")), request_body = RestockDraft,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "not-found", "too-large",
        "unsupported-media-type", "validation-failed", "conflict", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "It is done.", body = RestockedBody)))]
pub async fn create(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let id = sale_id(&request)?;
    let body = body::json_bytes(&request, payload, edge.operator_body()).await?;
    let mut draft: RestockDraft = body::parse(&body)?;
    let by = operator(draft.reason.take())?;
    let restock = draft.check()?;
    let (gate, sales, sale) = (edge.gate.clone(), edge.sales.clone(), id.clone());
    let done = edge
        .to_its_end(async move { order_intake::restock(gate.as_ref(), sales.as_ref(), &sale, &restock, &by).await });
    match done.await.map_err(|outage| Problem::unwritten(&outage))? {
        Restocked::Done { stock, repeated } => {
            info!(sale.id = %id, item = draft.item, delta = draft.delta, stock, repeated, "sale {id} was restocked");
            refresh(&edge).await;
            let body = RestockedBody { id: draft.id, item: draft.item, stock, changed: !repeated };
            Ok(json(StatusCode::OK, &body))
        }
        Restocked::NotFound => Err(Problem::new(Code::NotFound, "There is no such sale, or it has no such item.")),
        Restocked::Conflict(why) => Err(Problem::new(Code::Conflict, why)),
        // `order_intake::restock` goes on where this is answered.
        Restocked::Withdraw(_) => Err(Problem::new(Code::NotReady, "The units are still being taken out.")),
    }
}
