//! What became of a purchase: answered to whoever has the unguessable id.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::ports::JobLookup;
use domain::{JobId, JobRecord, JobStatus};

use super::{part, wait};
use crate::catalog::Listed;
use crate::edge::Edge;
use crate::limits::{Action, Caller};
use crate::problem::Problem;
use crate::views::{JobBody, json};

/// First pause between two looks at a job that somebody waits for.
const LOOK_FIRST: Duration = Duration::from_millis(20);

/// Longest pause.
const LOOK_LAST: Duration = Duration::from_millis(250);

/// A job as it stands.
#[utoipa::path(get, path = "/api/v1/jobs/{jobId}", tag = "purchases",
    params(("jobId" = String, Path, description = "As the token and the purchase named it"),
           ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds (at most 5) for the end")),
    extensions(("x-problems" = json!(["not-found", "rate-limited", "overloaded", "not-ready"]))),
    responses((status = 200, description = "The job, in its present state.", body = JobBody<'static>)))]
pub async fn get(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let (record, listed) = find(&request, &edge).await?;
    let record = match wait(&request) {
        Some(patience) => Box::pin(finished_within(&edge, record, patience)).await,
        None => record,
    };
    Ok(json(StatusCode::OK, &JobBody::new(&record, &listed.sale)))
}

/// The job that the path names, and its sale. Guessing ids counts against the address.
pub async fn find(request: &HttpRequest, edge: &Edge) -> Result<(JobRecord, Arc<Listed>), Problem> {
    let unknown = |problem| edge.count_problem(request, problem);
    let job: JobId = part(request, "jobId").parse().map_err(|_| unknown(Problem::not_found()))?;
    let listed = edge.catalog.numbered(job.route().sale).map_err(unknown)?;
    if job.route() != listed.sale.route() {
        return Err(unknown(Problem::not_found())); // a shard that the sale does not have
    }
    match look(edge, job).await? {
        JobLookup::Found(record) => {
            // Only jobs that exist are remembered, so that guesses cannot fill the limiter.
            edge.limits.status.check(job)?;
            let (buyer, sale) = (record.buyer.as_ref().map(|buyer| buyer.as_str()), Some(listed.sale.id.as_str()));
            edge.count_shared(Action::Status, Caller { buyer, sale, ..Caller::default() }).await?;
            Ok((record, listed))
        }
        JobLookup::Absent => Err(unknown(Problem::not_found())),
        // A sale that was never warm has admitted nothing, so there is nothing that could have been lost.
        JobLookup::NotReady if listed.sale.epoch == 0 => Err(unknown(Problem::not_found())),
        JobLookup::NotReady => Err(Problem::gate_away()),
    }
}

async fn look(edge: &Edge, job: JobId) -> Result<JobLookup, Problem> {
    edge.within(edge.jobs.look(job)).await.map_err(|outage| Problem::unread(&outage))
}

/// The job as it is once finished, or after `patience`, or when we are told to stop. While the gate does not answer
/// the last known is good enough: what was accepted stays accepted.
pub async fn finished_within(edge: &Edge, mut record: JobRecord, patience: Duration) -> JobRecord {
    let Some(_waiting) = edge.load.wait() else { return record };
    let started = Instant::now();
    let mut pause = LOOK_FIRST;
    while record.state.status() == JobStatus::Queued && !edge.stop.is_cancelled() {
        let left = patience.saturating_sub(started.elapsed());
        if left.is_zero() {
            break;
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 3 / 2).min(LOOK_LAST);
        if let Ok(JobLookup::Found(newer)) = look(edge, record.job).await {
            record = newer;
        }
    }
    record
}
