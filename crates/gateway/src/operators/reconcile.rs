//! A difference in the books, explained unit by unit, and repaired by loading the sale again.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use control::Task;
use domain::JobId;
use domain::ports::AuditNote;
use order_intake::{Finding, Reconciliation, WarmError, reconcile as compare};
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;

use super::ledger::LineBody;
use super::sales::find;
use super::{operator, sale_id};
use crate::body;
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views::{DateTime, json, to_ms};

/// How the audit log calls it.
pub const ACTION: &str = "reconcile";

/// What to do about a difference.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Repair {
    /// `true`: load the sale again from the database if its books differ.
    #[serde(default)]
    repair: bool,
    /// Why, for the audit log.
    reason: Option<String>,
}

/// Gate and database, held against each other.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Reconciliation)]
struct ReconciliationBody {
    /// The sale.
    sale: String,
    /// By the gate's clock.
    at: DateTime,
    /// Do the books balance?
    balanced: bool,
    /// The ledger. After a repair: as it was before.
    items: Vec<LineBody>,
    /// Records of the gate that were looked at.
    records: usize,
    /// Orders that they were held against.
    orders: usize,
    /// What explains the differences, and what is odd without making one; at most 1,000.
    findings: Vec<FindingBody>,
    /// Findings that are not listed.
    more: usize,
    /// The epoch that the sale was loaded in as the repair.
    #[serde(skip_serializing_if = "Option::is_none")]
    repaired_in_epoch: Option<u32>,
    /// Is it in the audit log? `false`: readiness does not know of it.
    remembered: bool,
}

/// One thing that is not as it should be.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Finding)]
struct FindingBody {
    /// The item, where known.
    item: Option<String>,
    /// The job, where it is about one.
    #[schema(value_type = Option<String>, format = Uuid)]
    job_id: Option<JobId>,
    /// What it adds to the item's difference: above 0, units are missing.
    units: i64,
    /// In a sentence.
    what: String,
}

impl From<Finding> for FindingBody {
    fn from(Finding { item, job, units, what }: Finding) -> Self {
        Self { item: item.map(String::from), job_id: job, units, what }
    }
}

/// Compares every record of the gate with its order, and says what differs. With `"repair": true` a sale whose books
/// differ is loaded again from the database; no counter is ever overwritten.
#[utoipa::path(post, path = "/admin/v1/sales/{sale}/reconcile", tag = "operators", security(("adminKey" = [])),
    params(("sale" = String, Path, description = "Its id")), request_body = Option<Repair>,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "not-found", "too-large",
        "unsupported-media-type", "validation-failed", "conflict", "overloaded", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "What was found, and done.", body = ReconciliationBody)))]
pub async fn create(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let id = sale_id(&request)?;
    let repair: Repair = body::optional_json(&request, payload, edge.operator_body()).await?.unwrap_or_default();
    let by = operator(repair.reason)?;
    let sale = find(&edge, &id).await?;
    if sale.epoch == 0 {
        return Err(Problem::new(Code::Conflict, format!("Sale {id} is not warm: it has no books yet.")));
    }
    // Each takes memory for every job of the sale.
    let Ok(turn) = edge.reconciling.clone().try_acquire_owned() else {
        return Err(Problem::new(Code::Overloaded, "Another sale is being looked at; one at a time."));
    };
    let (gate, orders, sales) = (edge.gate.clone(), edge.orders.clone(), edge.sales.clone());
    let compared = edge
        .task(Task::Reconcile, async move {
            let _turn = turn; // until it is done, also if the client has gone
            compare(gate.as_ref(), orders.as_ref(), sales.as_ref(), &sale).await
        })
        .await?;
    let compared = compared.map_err(|outage| Problem::unread(&outage))?;
    let Some(Reconciliation { counters, books, records, orders, findings, more }) = compared else {
        return Err(Problem::new(Code::NotReady, "The gate is loading this sale."));
    };
    let balanced = books.iter().all(|line| line.difference == 0);
    let mut repaired_in_epoch = None;
    if repair.repair && !balanced {
        let (warmup, sale, by) = (edge.warmup.clone(), id.clone(), by.clone());
        let loaded = edge.task(Task::Rebuild, async move { warmup.rebuild(&sale, &by).await }).await?;
        let loaded = loaded.map_err(|error| match error {
            WarmError::NotFound => Problem::no_sale(&id),
            WarmError::Conflict(why) => Problem::new(Code::Conflict, why),
            WarmError::Outage(outage) => Problem::unwritten(&outage),
        })?;
        info!(sale.id = %id, epoch = loaded.epoch, "the books of sale {id} differed; it was loaded again");
        repaired_in_epoch = Some(loaded.epoch);
    }
    let ok = balanced || repaired_in_epoch.is_some();
    let differs = (!ok).then(|| format!("{} findings", findings.len() + more));
    let after = serde_json::json!({ "ok": ok, "balanced": balanced, "records": records, "orders": orders,
        "repairedInEpoch": repaired_in_epoch, "detail": differs });
    let note = AuditNote { action: ACTION.to_owned(), sale: Some(id.clone()), before: None, after };
    // So that any gateway can say when this was last done. The answer is worth having without it.
    let remembered = super::note(&edge, note, &by).await.is_ok();
    let body = ReconciliationBody {
        sale: id.into(),
        at: to_ms(counters.now),
        balanced,
        items: books.into_iter().map(LineBody::from).collect(),
        records,
        orders,
        findings: findings.into_iter().map(FindingBody::from).collect(),
        more,
        repaired_in_epoch,
        remembered,
    };
    Ok(json(StatusCode::OK, &body))
}
