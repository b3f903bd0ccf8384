//! Messages that could not be read or placed: look at them, try them again, or let them go.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use control::{Failed, Task};
use domain::ports::{AuditNote, DeadLetter, LetterFilter, Outage};
use domain::{JobId, SaleId};
use order_intake::{LETTERS_MAX, discard as let_go, explain};
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::{IntoParams, ToSchema};

use super::sales::find;
use crate::body;
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views::json;

/// Letters in one listing. Whoever has more has one problem, not many.
const LIST_MAX: usize = 200;

/// Operators' work on letters at once.
const AT_ONCE: usize = 4;

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
    /// What that means, what became of its jobs, and what to do.
    explanation: String,
    /// The jobs it carried, as far as known.
    #[schema(value_type = Vec<String>)]
    jobs: Vec<JobId>,
    /// Its beginning, as text.
    body: String,
}

impl From<DeadLetter> for LetterBody {
    fn from(letter: DeadLetter) -> Self {
        let shown = &letter.body[..letter.body.len().min(BODY_SHOWN)];
        let (body, explanation) = (String::from_utf8_lossy(shown).into_owned(), explain(&letter));
        Self { message_id: letter.message_id, why: letter.why, explanation, jobs: letter.jobs, body }
    }
}

/// Which letters: those that fit everything that is given.
#[derive(Default, Deserialize, IntoParams, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Chosen {
    /// This one.
    message_id: Option<String>,
    /// With a job of this sale.
    sale: Option<String>,
    /// With this job.
    job: Option<String>,
    /// With this text in its reason.
    why: Option<String>,
}

/// Which letters, and how. A filter or `"all": true` has to be said.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Which {
    /// This one.
    message_id: Option<String>,
    /// With a job of this sale.
    sale: Option<String>,
    /// With this job.
    job: Option<String>,
    /// With this text in its reason.
    why: Option<String>,
    /// `true`: every one.
    #[serde(default)]
    all: bool,
    /// `true`: only say which it would be.
    #[serde(default)]
    dry_run: bool,
    /// Why, for the log.
    reason: Option<String>,
}

/// What was done.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeadLettersDone)]
struct DoneBody {
    /// So many letters.
    count: usize,
    /// With `dryRun`: these, and nothing was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_be: Option<Vec<LetterBody>>,
}

/// The dead letters; they stay where they are.
#[utoipa::path(get, path = "/admin/v1/dead-letters", tag = "operators", security(("adminKey" = [])), params(Chosen),
    extensions(("x-problems" = json!(["unauthenticated", "not-found", "validation-failed", "not-ready"]))),
    responses((status = 200, description = "The letters.", body = LettersBody)))]
pub async fn list(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let chosen = Query::<Chosen>::from_query(request.query_string());
    let chosen = chosen.map_err(|_| Problem::validation("query", "knows messageId, sale, job and why"))?.into_inner();
    let listed = listed(&edge, filter(&edge, chosen).await?, LIST_MAX).await?;
    Ok(json(StatusCode::OK, &LettersBody { dead_letters: listed.into_iter().map(LetterBody::from).collect() }))
}

/// Puts letters back on the queue. A job that has ended stays as it is.
#[utoipa::path(post, path = "/admin/v1/dead-letters/replay", tag = "operators", security(("adminKey" = [])),
    request_body = Which,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "not-found", "too-large",
        "unsupported-media-type", "validation-failed", "overloaded", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "They are back on the queue.", body = DoneBody)))]
pub async fn replay(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let (which, chosen) = which(&request, &edge, payload).await?;
    if which.dry_run {
        return would_be(&edge, chosen).await;
    }
    noted(&edge, "replay-dead-letters", &which, &chosen).await?;
    let letters = edge.dead_letters.clone();
    let replay = in_turn(&edge, async move { letters.replay(&chosen).await });
    let replayed = edge.task(Task::BatchPublish, replay).await?;
    done("replayed", &which, replayed)
}

/// Removes letters for good; each job in them that has no order yet ends as refused. At most 1,000 in one call.
#[utoipa::path(post, path = "/admin/v1/dead-letters/discard", tag = "operators", security(("adminKey" = [])),
    request_body = Which,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "not-found", "too-large",
        "unsupported-media-type", "validation-failed", "not-ready", "outcome-unknown"]))),
    responses((status = 200, description = "They are gone.", body = DoneBody)))]
pub async fn discard(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let (which, chosen) = which(&request, &edge, payload).await?;
    if which.dry_run {
        return would_be(&edge, chosen).await;
    }
    noted(&edge, "discard-dead-letters", &which, &chosen).await?;
    let (letters, orders) = (edge.dead_letters.clone(), edge.orders.clone());
    let batch = edge.works.batch;
    let discard = in_turn(&edge, async move { let_go(letters.as_ref(), orders.as_ref(), &chosen, &batch).await });
    let discarded = edge.to_its_end(discard).await;
    done("discarded", &which, discarded.map(|letters| letters.len()))
}

/// Which letters were meant, in the audit log. The sale is its own column, as for everything done to a sale.
async fn noted(edge: &Edge, action: &str, which: &Which, chosen: &LetterFilter) -> Result<(), Problem> {
    let LetterFilter { message_ids, job, why, .. } = chosen;
    let after = serde_json::json!({ "messageId": message_ids.first(), "job": job, "why": why, "all": which.all });
    let sale = which.sale.as_deref().and_then(|id| id.parse().ok());
    let asked = AuditNote { action: action.to_owned(), sale, before: None, after };
    super::note(edge, asked, &super::operator(which.reason.clone())?).await
}

/// Work on letters reads all of them: a few at a time do so, others wait.
fn in_turn<T: Send + 'static>(
    edge: &Edge,
    work: impl Future<Output = Result<T, Outage>> + Send + 'static,
) -> impl Future<Output = Result<T, Outage>> + Send + 'static {
    let pool = edge.works.pools.pool("dead letters", AT_ONCE);
    async move {
        pool.execute(work).await.map_err(|failed| match failed {
            Failed::Error(outage) => outage,
            Failed::Closed => Outage::NotSent("this process is about to stop".to_owned()),
            Failed::Panicked(what) => Outage::Unknown(what),
        })
    }
}

async fn which(request: &HttpRequest, edge: &Edge, payload: Payload) -> Result<(Which, LetterFilter), Problem> {
    let body = body::json_bytes(request, payload, edge.operator_body()).await?;
    let mut which: Which = body::parse(&body)?;
    super::operator(which.reason.clone())?;
    let (sale, job, why) = (which.sale.clone(), which.job.take(), which.why.take());
    let chosen = filter(edge, Chosen { message_id: which.message_id.clone(), sale, job, why }).await?;
    if (chosen == LetterFilter::default()) != which.all {
        let detail = "Say which: \"messageId\", \"sale\", \"job\", \"why\" or several of them; or \"all\": true.";
        return Err(Problem::new(Code::Malformed, detail));
    }
    Ok((which, chosen))
}

async fn filter(edge: &Edge, chosen: Chosen) -> Result<LetterFilter, Problem> {
    let Chosen { message_id, sale, job, why } = chosen;
    let sale = match sale {
        Some(text) => {
            let id: SaleId = text.parse().map_err(|_| Problem::validation("sale", "has to be the id of a sale"))?;
            Some(find(edge, &id).await?.number)
        }
        None => None,
    };
    let job = job.map(|text| text.parse().map_err(|_| Problem::validation("job", "has to be the id of a job")));
    Ok(LetterFilter { message_ids: message_id.into_iter().collect(), sale, job: job.transpose()?, why })
}

async fn listed(edge: &Edge, chosen: LetterFilter, limit: usize) -> Result<Vec<DeadLetter>, Problem> {
    let letters = edge.dead_letters.clone();
    let listed = edge.to_its_end(async move { letters.list(&chosen, limit).await }).await;
    listed.map_err(|outage| Problem::unread(&outage))
}

async fn would_be(edge: &Edge, chosen: LetterFilter) -> Result<HttpResponse, Problem> {
    let found = listed(edge, chosen, LETTERS_MAX).await?;
    let count = found.len();
    let would_be = Some(found.into_iter().take(LIST_MAX).map(LetterBody::from).collect());
    Ok(json(StatusCode::OK, &DoneBody { count, would_be }))
}

fn done(action: &'static str, which: &Which, count: Result<usize, Outage>) -> Result<HttpResponse, Problem> {
    let count = count.map_err(|outage| Problem::unwritten(&outage))?;
    if count == 0 && which.message_id.is_some() {
        return Err(Problem::new(Code::NotFound, "There is no such dead letter."));
    }
    info!(action, count, reason = which.reason.as_deref(), "{count} dead letters were {action}");
    Ok(json(StatusCode::OK, &DoneBody { count, would_be: None }))
}
