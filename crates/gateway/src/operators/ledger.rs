//! The conservation ledger of a sale, read now.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::{ItemBooks, SaleId};
use order_intake::books;
use serde::Serialize;
use utoipa::ToSchema;

use super::sale_id;
use super::sales::find;
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views::{DateTime, json, to_ms};

/// The ledger: `stock = free + unpublished + queued + held + paid + difference`, in units.
#[derive(Serialize, ToSchema)]
#[schema(as = Ledger)]
struct LedgerBody {
    /// The sale.
    #[schema(value_type = String)]
    sale: SaleId,
    /// By the gate's clock.
    at: DateTime,
    /// Its items.
    items: Vec<LineBody>,
}

/// A line of the ledger, in units.
#[derive(Serialize, ToSchema)]
#[schema(as = LedgerLine)]
pub struct LineBody {
    /// The item.
    id: String,
    /// In total.
    stock: i64,
    /// For sale.
    free: i64,
    /// Admitted, not known to be on the queue.
    unpublished: i64,
    /// On the queue.
    queued: i64,
    /// In unpaid orders.
    held: i64,
    /// In paid orders.
    paid: i64,
    /// Above 0 units are missing, below 0 there are too many.
    difference: i64,
}

impl From<ItemBooks> for LineBody {
    fn from(books: ItemBooks) -> Self {
        let ItemBooks { item, stock, free, unpublished, queued, held, paid, difference, held_until: _ } = books;
        Self { id: item.into(), stock, free, unpublished, queued, held, paid, difference }
    }
}

/// Where every unit of the sale is.
#[utoipa::path(get, path = "/admin/v1/sales/{sale}/ledger", tag = "operators", security(("adminKey" = [])),
    params(("sale" = String, Path, description = "Its id")),
    extensions(("x-problems" = json!(["unauthenticated", "not-found", "conflict", "not-ready"]))),
    responses((status = 200, description = "The ledger.", body = LedgerBody)))]
pub async fn get(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let sale = find(&edge, &sale_id(&request)?).await?;
    if sale.epoch == 0 {
        return Err(Problem::new(Code::Conflict, format!("Sale {} is not warm: it has no books yet.", sale.id)));
    }
    let (gate, orders, id) = (edge.gate.clone(), edge.orders.clone(), sale.id.clone());
    let read = edge.to_its_end(async move { books(gate.as_ref(), orders.as_ref(), &sale).await }).await;
    let read = read.map_err(|outage| Problem::unread(&outage))?;
    let (counters, lines) = read.ok_or_else(|| Problem::new(Code::NotReady, "The gate is loading this sale."))?;
    let items = lines.into_iter().map(LineBody::from).collect();
    Ok(json(StatusCode::OK, &LedgerBody { sale: id, at: to_ms(counters.now), items }))
}
