//! Tries a whole purchase before the crowd does, and remembers in the audit log how it went.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::ports::{AuditNote, Outage};
use order_intake::Step;
use serde::Serialize;
use serde_json::json;
use tracing::{info, warn};
use utoipa::ToSchema;

use super::sales::find;
use super::{Reason, operator_of, sale_id};
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views;

/// How the audit log calls it.
pub const ACTION: &str = "dry-run";

/// How a dry run went.
#[derive(Serialize, ToSchema)]
#[schema(as = DryRun)]
struct DryRunBody {
    /// Did every step succeed?
    ok: bool,
    /// How long it took, in milliseconds.
    ms: u64,
    /// The steps that were taken, in their order. What follows a failure is left out, but not `undo`.
    steps: Vec<StepBody>,
    /// Is it in the audit log? `false`: readiness does not know of it.
    remembered: bool,
}

/// One step.
#[derive(Serialize, ToSchema)]
#[schema(as = DryRunStep)]
struct StepBody {
    /// `token`, `admit`, `publish`, `place`, `effect` or `undo`.
    name: &'static str,
    /// Did it succeed?
    ok: bool,
    /// How long it took, in milliseconds.
    ms: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl From<Step> for StepBody {
    fn from(Step { name, ok, took, detail }: Step) -> Self {
        Self { name, ok, ms: took.as_millis() as u64, detail }
    }
}

/// Buys one unit of a sale that is there for this alone, and gives it back: through token, gate, broker, consumer,
/// database and back to the gate. Units of real sales are not touched; on `seckill.events` it is seen as an order of the
/// sale `seckill-dry-run` that is cancelled. A failure is an answer: look at `ok`. Takes a minute at most.
#[utoipa::path(post, path = "/admin/v1/sales/{sale}/dry-run", tag = "operators", security(("adminKey" = [])),
    params(("sale" = String, Path, description = "Which sale's readiness it counts for")), request_body = Option<Reason>,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "not-found", "too-large",
        "validation-failed", "overloaded", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "How it went.", body = DryRunBody)))]
pub async fn create(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let id = sale_id(&request)?;
    let by = operator_of(&request, &edge, payload).await?;
    find(&edge, &id).await?;
    let Ok(turn) = edge.dry_running.clone().try_acquire_owned() else {
        return Err(Problem::new(Code::Overloaded, "Another dry run is under way; one at a time."));
    };
    let (dry_run, operator) = (edge.dry_run.clone(), by.clone());
    let steps = edge
        .to_its_end(async move {
            let _turn = turn; // until it is undone, also if the client has gone
            Ok::<_, Outage>(dry_run.run(&operator).await)
        })
        .await
        .map_err(|outage| Problem::unwritten(&outage))?;
    let steps: Vec<StepBody> = steps.into_iter().map(StepBody::from).collect();
    let (ok, ms) = (steps.iter().all(|step| step.ok), steps.iter().map(|step| step.ms).sum());
    let failed = steps.iter().find(|step| !step.ok);
    match failed {
        None => info!(sale.id = %id, ms, "a dry run for sale {id} went well"),
        Some(StepBody { name, detail, .. }) => {
            warn!(sale.id = %id, step = name, why = detail.as_deref(), "a dry run for sale {id} failed at {name}");
        }
    }
    let after = json!({ "ok": ok, "ms": ms, "failed": failed.map(|step| step.name),
        "detail": failed.and_then(|step| step.detail.as_deref()) });
    let note = AuditNote { action: ACTION.to_owned(), sale: Some(id), before: None, after };
    let remembered = super::note(&edge, note, &by).await.is_ok();
    Ok(views::json(StatusCode::OK, &DryRunBody { ok, ms, steps, remembered }))
}
