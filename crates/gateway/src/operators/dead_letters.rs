//! Messages that could not be read or placed: look at them, try them again, or let them go.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::ports::{DeadLetter, Outage, Unplaced};
use domain::{JobId, RefusedReason};
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;

use crate::body;
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views::json;

/// Letters in one listing. Whoever has more has one problem, not many.
const LIST_MAX: usize = 200;

/// Bytes of a body that are shown.
const BODY_SHOWN: usize = 2_048;

/// Dead letters.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LettersBody {
    /// Oldest first, at most 200.
    dead_letters: Vec<LetterBody>,
}

/// A message that could not be read or placed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeadLetter)]
struct LetterBody {
    /// The message, not a job.
    message_id: String,
    /// Why it is here.
    why: String,
    /// The jobs it carried, as far as known.
    #[schema(value_type = Vec<String>)]
    jobs: Vec<JobId>,
    /// Its beginning, as text.
    body: String,
}

impl From<DeadLetter> for LetterBody {
    fn from(letter: DeadLetter) -> Self {
        let shown = &letter.body[..letter.body.len().min(BODY_SHOWN)];
        let body = String::from_utf8_lossy(shown).into_owned();
        Self { message_id: letter.message_id, why: letter.why, jobs: letter.jobs, body }
    }
}

/// Which letters: one by its message, or all. One of the two has to be said.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Which {
    /// This one.
    message_id: Option<String>,
    /// `true`: every one.
    #[serde(default)]
    all: bool,
    /// Why, for the log.
    reason: Option<String>,
}

/// What was done.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLettersDone)]
struct DoneBody {
    /// So many letters.
    count: usize,
}

/// The dead letters; they stay where they are.
#[utoipa::path(get, path = "/admin/v1/dead-letters", tag = "operators", security(("adminKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated", "not-ready"]))),
    responses((status = 200, description = "The letters.", body = LettersBody)))]
pub async fn list(edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let letters = edge.dead_letters.clone();
    let listed = edge.to_its_end(async move { letters.list(LIST_MAX).await }).await;
    let listed = listed.map_err(|outage| Problem::unread(&outage))?;
    Ok(json(StatusCode::OK, &LettersBody { dead_letters: listed.into_iter().map(LetterBody::from).collect() }))
}

/// Puts letters back on the queue.
#[utoipa::path(post, path = "/admin/v1/dead-letters/replay", tag = "operators", security(("adminKey" = [])),
    request_body = Which,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "not-found", "too-large",
        "unsupported-media-type", "validation-failed", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "They are back on the queue.", body = DoneBody)))]
pub async fn replay(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let which = which(&request, &edge, payload).await?;
    let letters = edge.dead_letters.clone();
    let wanted = which.message_id.clone();
    let replayed = edge.to_its_end(async move { letters.replay(wanted.as_deref()).await }).await;
    done("replayed", &which, replayed)
}

/// Removes letters for good; each job in them that has no order yet ends as refused.
#[utoipa::path(post, path = "/admin/v1/dead-letters/discard", tag = "operators", security(("adminKey" = [])),
    request_body = Which,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "not-found", "too-large",
        "unsupported-media-type", "validation-failed", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "They are gone.", body = DoneBody)))]
pub async fn discard(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let which = which(&request, &edge, payload).await?;
    let (letters, orders) = (edge.dead_letters.clone(), edge.orders.clone());
    let wanted = which.message_id.clone();
    let discarded = edge.to_its_end::<usize, Outage>(async move {
        let discarded = letters.discard(wanted.as_deref()).await?;
        // Most have their row since they were buried; whoever has none gets it now.
        let jobs = discarded.iter().flat_map(|letter| &letter.jobs);
        let jobs: Vec<Unplaced> = jobs.map(|job| Unplaced { job: *job, reservation: None }).collect();
        orders.refuse(&jobs, RefusedReason::Discarded).await?;
        Ok(discarded.len())
    });
    done("discarded", &which, discarded.await)
}

async fn which(request: &HttpRequest, edge: &Edge, payload: Payload) -> Result<Which, Problem> {
    let body = body::json_bytes(request, payload, edge.operator_body()).await?;
    let which: Which = body::parse(&body)?;
    if which.message_id.is_some() == which.all {
        return Err(Problem::new(Code::Malformed, "Say which: either \"messageId\" or \"all\": true."));
    }
    super::operator(which.reason.clone())?;
    Ok(which)
}

fn done(action: &'static str, which: &Which, count: Result<usize, Outage>) -> Result<HttpResponse, Problem> {
    let count = count.map_err(|outage| Problem::unwritten(&outage))?;
    if count == 0 && !which.all {
        return Err(Problem::new(Code::NotFound, "There is no such dead letter."));
    }
    info!(action, count, reason = which.reason.as_deref(), "{count} dead letters were {action}");
    Ok(json(StatusCode::OK, &DoneBody { count }))
}
