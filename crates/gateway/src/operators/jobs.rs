//! A job that hangs, ended by an operator.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::ports::AuditNote;
use domain::{JobId, Outcome};
use order_intake::{Discarded, discard_job};
use serde::Serialize;
use serde_json::json;
use tracing::warn;
use utoipa::ToSchema;

use super::{note, operator_of};
use crate::buyers::part;
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views::json as answer;

/// How a job ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DiscardedJob)]
struct DiscardedBody {
    /// The job.
    #[schema(value_type = String, format = Uuid)]
    job_id: JobId,
    /// `refused`, or `placed`: it has its order, and keeps it.
    status: &'static str,
    /// `false`: it had ended before, and nothing was changed.
    changed: bool,
}

/// Ends a job that hangs: it is refused, and its units are for sale again, unless it has its order already. What was
/// accepted is placed by itself, however late; this is for a sale that cannot wait.
#[utoipa::path(post, path = "/admin/v1/jobs/{jobId}/discard", tag = "operators", security(("adminKey" = [])),
    params(("jobId" = String, Path, description = "The job")), request_body = Option<super::Reason>,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "not-found", "too-large", "validation-failed",
        "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "It has ended.", body = DiscardedBody)))]
pub async fn discard(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let job: JobId = part(&request, "jobId").parse().map_err(|_| Problem::not_found())?;
    let by = operator_of(&request, &edge, payload).await?;
    let asked = AuditNote { action: "discard-job".to_owned(), sale: None, before: None, after: json!({ "job": job }) };
    note(&edge, asked, &by).await?;
    let (gate, orders) = (edge.gate.clone(), edge.orders.clone());
    let discarded = edge.to_its_end(async move { discard_job(gate.as_ref(), orders.as_ref(), job).await }).await;
    match discarded.map_err(|outage| Problem::unwritten(&outage))? {
        Discarded::Ended(placement) => {
            let changed = !placement.duplicate;
            if changed {
                metrics::counter!("seckill_jobs_total", "outcome" => "refused").increment(1);
                warn!(job.id = %job, reason = by.reason.as_deref(), "an operator has discarded job {job}");
            }
            let status = if placement.outcome == Outcome::Placed { "placed" } else { "refused" };
            Ok(answer(StatusCode::OK, &DiscardedBody { job_id: job, status, changed }))
        }
        Discarded::Unknown => Err(Problem::not_found()),
        Discarded::NotReady => Err(Problem::new(Code::NotReady, "The gate is loading this sale.")),
    }
}
