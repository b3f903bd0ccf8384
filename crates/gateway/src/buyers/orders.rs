//! The purchase itself: parse, verify, ask the intake, answer.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use control::Tally;
use domain::ports::JobLookup;
use domain::{
    Admissible, Attempt, ItemId, JobId, JobRecord, JobStatus, Quantity, Refusal, SaleToken, Stage, Timestamp,
};
use order_intake::Answer;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{jobs, part, wait};
use crate::auth::bearer;
use crate::body;
use crate::catalog::Listed;
use crate::edge::Edge;
use crate::limits::{Action, Caller};
use crate::load::Shed;
use crate::problem::{Code, Problem};
use crate::telemetry::{job_word, problem_word};
use crate::views::{JobBody, job_url, json};

/// A purchase.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrder)]
pub struct Purchase<'a> {
    /// The sale token. It names the buyer.
    #[serde(borrow)]
    token: Cow<'a, str>,
    /// The item's id.
    #[serde(borrow)]
    item: Cow<'a, str>,
    /// Units: a whole number from 1 to the sale's `limitPerBuyer`.
    #[serde(borrow)]
    #[schema(value_type = u16, minimum = 1)]
    quantity: &'a RawValue,
}

/// Buys. The same token may be sent any number of times and always leads to the same job.
#[utoipa::path(post, path = "/api/v1/sales/{sale}/orders", tag = "purchases", security((), ("buyer" = [])),
    params(("sale" = String, Path, description = "Its id"),
           ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds (at most 5) for the end")),
    request_body = Purchase<'static>,
    extensions(("x-problems" = json!(["malformed", "too-large", "unsupported-media-type", "quantity-invalid",
        "token-invalid", "token-expired", "token-mismatch", "not-found", "sale-not-open", "sale-paused", "sale-ended",
        "sold-out", "limit-reached", "quota-exceeded", "rate-limited", "overloaded", "not-ready", "outcome-unknown",
        "unauthenticated"]))),
    responses((status = 202, description = "Accepted; poll the job.", body = JobBody<'static>,
               headers(("Location" = String, description = "The job"),
                       ("Retry-After" = u32, description = "Seconds until it is worth asking"))),
              (status = 200, description = "Finished within the time of `Prefer: wait`.", body = JobBody<'static>)))]
pub async fn create(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let asked = Instant::now();
    let decided = decide(&request, &edge, payload).await;
    count(&request, &edge, &decided, asked);
    let Accepted { record, listed, .. } = decided?;
    let finished = match wait(&request) {
        Some(patience) => Box::pin(jobs::finished_within(&edge, record, patience)).await,
        None => record,
    };
    Ok(answer(&request, &finished, &listed))
}

/// A purchase that has a job.
struct Accepted {
    record: JobRecord,
    repeated: bool,
    listed: Arc<Listed>,
}

/// Notes how a purchase was answered. A refusal is the most common answer there is: a look-up and a few additions.
fn count(request: &HttpRequest, edge: &Edge, decided: &Result<Accepted, Problem>, asked: Instant) {
    let answered = |tally: &Tally, word| {
        tally.count(word);
        tally.took(Stage::Answer, asked.elapsed());
    };
    match decided {
        Ok(Accepted { repeated, listed, .. }) => {
            edge.purchases.job(*repeated);
            answered(&listed.tally, job_word(*repeated));
        }
        Err(problem) => {
            edge.purchases.problem(problem.code());
            edge.catalog.with_tally(part(request, "sale"), |tally| answered(tally, problem_word(problem.code())));
        }
    }
}

/// One purchase up to its decision.
async fn decide(request: &HttpRequest, edge: &Edge, payload: Payload) -> Result<Accepted, Problem> {
    // Whatever shows no valid token counts against its address; whatever does counts against its buyer.
    let anonymous = |problem| edge.count_problem(request, problem);
    let body = body::json_bytes(request, payload, edge.buyer_body()).await.map_err(anonymous)?;
    let purchase: Purchase<'_> = serde_json::from_slice(&body).map_err(|why| anonymous(body::not_json(&why)))?;
    let token = edge
        .token_keys
        .verify(&purchase.token)
        .map_err(|_| anonymous(Problem::new(Code::TokenInvalid, "This is not a token that this shop has issued.")))?;
    // A token that was admitted is held up here as well, but for a moment only.
    edge.limits.order.check(token.buyer.as_str())?;

    let listed = edge.catalog.public(part(request, "sale"))?;
    if token.job.route().sale != listed.sale.number {
        return Err(Problem::new(Code::TokenMismatch, "The token is for another sale."));
    }
    // A login is not needed; one that is sent as well has to be the token's.
    if bearer(request.headers()).is_some() {
        let buyer = edge.buyer(request)?;
        if buyer.id != token.buyer {
            return Err(Problem::new(Code::TokenMismatch, "The token is another buyer's."));
        }
        unless_admitted(edge, token.job, edge.count_request(&buyer).await).await?;
    }
    let rules = edge.limits.shared.concerns(Action::Order).then(|| token.channel.clone());
    let now = edge.catalog.now();
    let attempt = attempt(edge, &listed, token, &purchase, now)?;
    let (job, item) = (attempt.job, attempt.item);
    let may_return =
        |problem: Problem| problem.may_return(item.and_then(|item| edge.catalog.held_until(&listed.sale, item)));
    if edge.sold_out.denies(&listed, &attempt, now) {
        return Err(may_return(Problem::sold_out()));
    }
    if let Some(channel) = rules {
        let (buyer, sale) = (Some(attempt.buyer.as_str()), Some(listed.sale.id.as_str()));
        let caller = Caller { buyer, sale, channel: Some(&channel), ..Caller::default() };
        unless_admitted(edge, job, edge.count_shared(Action::Order, caller).await).await?;
    }
    match edge.purchase(attempt, &listed).await.map_err(may_return)? {
        Answer::Accepted { record, repeated } => Ok(Accepted { record, repeated, listed }),
        Answer::Refused(refusal) => {
            if refusal == Refusal::SoldOut {
                edge.sold_out.refused(listed.sale.number);
            }
            if let Some(shed) = Shed::of_refusal(&refusal) {
                shed.count();
            }
            Err(may_return(Problem::refused(&refusal)))
        }
        Answer::Unknown(_) => Err(Problem::unknown(job)),
        Answer::NotReady => Err(Problem::gate_away()),
        Answer::Overloaded => {
            Shed::Waiting.count();
            Err(Problem::overloaded())
        }
    }
}

/// What a limit that may last for hours has said. A token that was admitted goes on to its job in spite of it: whoever did
/// not get the answer has to be able to ask again. Only the gate knows, and nobody else is looked up.
async fn unless_admitted(edge: &Edge, job: JobId, counted: Result<(), Problem>) -> Result<(), Problem> {
    let Err(refused) = counted else { return Ok(()) };
    match edge.within(edge.gate.job(job)).await {
        Ok(JobLookup::Found(_)) => Ok(()),
        Ok(JobLookup::Absent) => Err(refused),
        Ok(JobLookup::NotReady) | Err(_) => Err(Problem::gate_away()),
    }
}

/// What the gate is asked. Whatever depends on whether the token was admitted before is left to the gate.
fn attempt(
    edge: &Edge,
    listed: &Listed,
    token: SaleToken,
    purchase: &Purchase<'_>,
    now: Timestamp,
) -> Result<Attempt, Problem> {
    let sale = &listed.sale;
    // Only a plain whole number: "5", 1.5, 1e3, -1 and null are not one.
    let units = purchase.quantity.get().parse::<u64>().ok().and_then(|units| Quantity::try_from(units).ok());
    let quantity = units.ok_or_else(|| Problem::quantity(sale.limit_per_buyer))?;
    let leeway = TimeDelta::milliseconds(i64::from(edge.settings.token_leeway_ms));
    if token.not_before > now + leeway {
        return Err(Problem::not_open(token.not_before, now));
    }
    let admissible = if token.expires_at + leeway <= now {
        Admissible::TokenExpired
    } else if !edge.queue.is_open() {
        Admissible::BrokerAway
    } else if listed.has_backlog(edge.settings.backlog_age_max_s) {
        Admissible::Backlog
    } else {
        Admissible::Yes
    };
    let item = purchase.item.parse::<ItemId>().ok().and_then(|id| Some(sale.item(&id)?.0));
    Ok(Attempt { job: token.job, buyer: token.buyer, channel: token.channel, item, quantity, admissible })
}

fn answer(request: &HttpRequest, record: &JobRecord, listed: &Listed) -> HttpResponse {
    let waited = wait(request).is_some();
    let done = waited && record.state.status() != JobStatus::Queued;
    let status = if done { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut answer = json(status, &JobBody::new(record, &listed.sale));
    let headers = answer.headers_mut();
    if let Ok(location) = HeaderValue::from_str(&job_url(record.job)) {
        headers.insert(header::LOCATION, location);
    }
    if !done {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if waited {
        headers.insert(HeaderName::from_static("preference-applied"), HeaderValue::from_static("wait"));
    }
    answer
}
