//! Somebody calls and has a number: of an order, a job, a buyer or a request. What became of it?

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::ports::{DeadLetter, JobLookup, LetterFilter, OrderHistory, Outage};
use domain::{BuyerId, JobId, JobRecord, SaleId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::story::{Happened, Known};
use crate::edge::Edge;
use crate::problem::Problem;
use crate::recent::REMEMBERED;
use crate::views::json;

/// Stories in one answer: the latest. Whoever has more has a list, `…/orders`.
const FOUND_MAX: usize = 20;

/// Longest text that is looked for: the longest id there is, of a buyer or a request.
const QUERY_MAX: usize = 64;

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// An order's or a job's id, a buyer's id, or the `X-Request-Id` of an answer.
    q: String,
}

/// What was found.
#[derive(Serialize, ToSchema)]
#[schema(as = SearchResult)]
struct SearchBody<'a> {
    /// What was looked for.
    query: &'a str,
    /// The latest 20 at most; of a buyer newest first.
    found: Vec<FoundBody>,
    /// What the answer does not say, and where else to look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
}

/// A job, and what happened to it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Found)]
struct FoundBody {
    /// What the text was the id of: `order`, `job` (there is no order of it), `buyer` or `request`.
    kind: &'static str,
    /// The sale; absent where it is not there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    sale: Option<SaleId>,
    /// Who bought, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    buyer: Option<BuyerId>,
    /// The job, which is the order's id as well.
    #[schema(value_type = String, format = Uuid)]
    job_id: JobId,
    /// The order's, else the job's at the gate: `queued`, `placed` or `refused`; else `unknown`.
    status: &'static str,
    /// In the order in which it happened.
    story: Vec<Happened>,
}

/// The story of an order, a job, a buyer or a request.
#[utoipa::path(get, path = "/admin/v1/search", tag = "operators", security(("adminKey" = [])), params(Wanted),
    extensions(("x-problems" = json!(["unauthenticated", "validation-failed", "not-ready"]))),
    responses((status = 200, description = "What is stored of it, which may be nothing.", body = SearchBody<'static>)))]
pub async fn get(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let wanted = Query::<Wanted>::from_query(request.query_string());
    let text = wanted.map_err(|_| Problem::validation("q", "has to be there, and nothing else"))?.into_inner().q;
    let text = text.trim();
    if text.is_empty() || text.len() > QUERY_MAX {
        return Err(Problem::validation("q", "has to be 1 to 64 bytes"));
    }
    let mut search = Search { edge: &edge, found: Vec::new(), hints: Vec::new(), letters: None };
    if let Ok(job) = text.parse::<JobId>() {
        search.tell("job", job).await?;
    }
    if let Ok(buyer) = text.parse::<BuyerId>() {
        search.buyer(&buyer).await?;
    }
    search.request(text).await?;
    let Search { found, mut hints, .. } = search;
    if found.is_empty() {
        hints.push(format!(
            "Nothing of this is stored. A refused purchase leaves nothing behind: its answer said why. This gateway \
             remembers the ids of its last {REMEMBERED} requests that came to a job, since its start; others may be \
             remembered by another gateway, or stand in the logs as request.id (errors, and one answer of 1,000)."
        ));
    }
    Ok(json(StatusCode::OK, &SearchBody { query: text, found, hints }))
}

struct Search<'a> {
    edge: &'a Edge,
    found: Vec<FoundBody>,
    hints: Vec<String>,
    /// Once they have been asked for.
    letters: Option<Vec<DeadLetter>>,
}

impl Search<'_> {
    async fn buyer(&mut self, buyer: &BuyerId) -> Result<(), Problem> {
        let (orders, buyer) = (self.edge.orders.clone(), buyer.clone());
        let listed = self.edge.to_its_end(async move { orders.orders_of(&buyer, None).await }).await;
        let listed = listed.map_err(|outage| Problem::unread(&outage))?;
        if listed.len() > FOUND_MAX {
            self.hints.push(format!("This buyer has more orders; told are the latest {FOUND_MAX}."));
        }
        let any = !listed.is_empty();
        for order in listed.into_iter().take(FOUND_MAX) {
            self.tell("buyer", order.order).await?;
        }
        if any {
            let hint = "Of a buyer, jobs are found that have an order. What is still on its way is found by its job.";
            self.hints.push(hint.to_owned());
        }
        Ok(())
    }

    async fn request(&mut self, id: &str) -> Result<(), Problem> {
        for (_, job) in self.edge.recent.find(id.as_bytes()).into_iter().rev().take(FOUND_MAX) {
            self.tell("request", job).await?;
        }
        Ok(())
    }

    /// Adds the story of one job, if anything of it is stored.
    async fn tell(&mut self, kind: &'static str, job: JobId) -> Result<(), Problem> {
        if self.found.iter().any(|found| found.job_id == job) {
            return Ok(());
        }
        let history = self.history(job).await.map_err(|outage| Problem::unread(&outage))?;
        let record = self.record(job).await;
        let letters: Vec<DeadLetter> =
            self.letters().await.iter().filter(|letter| letter.jobs.contains(&job)).cloned().collect();
        let letters: Vec<&DeadLetter> = letters.iter().collect();
        let known = Known { job, history: &history, record: record.as_ref(), letters: &letters };
        if known.is_anything() {
            let entry = history.entry.as_ref();
            let listed = self.edge.catalog.numbered(job.route().sale).ok();
            let sale = entry.map(|entry| entry.order.sale.clone());
            self.found.push(FoundBody {
                kind: if kind == "job" && entry.is_some() { "order" } else { kind },
                sale: sale.or_else(|| Some(listed?.sale.id.clone())),
                buyer: entry.and_then(|entry| entry.buyer.clone()).or_else(|| record.as_ref()?.buyer.clone()),
                job_id: job,
                status: known.status(),
                story: known.story(),
            });
        }
        Ok(())
    }

    async fn history(&self, job: JobId) -> Result<OrderHistory, Outage> {
        let archive = self.edge.archive.clone();
        self.edge.to_its_end(async move { archive.history(job).await }).await
    }

    async fn record(&mut self, job: JobId) -> Option<JobRecord> {
        let gate = self.edge.gate.clone();
        let hint = match self.edge.to_its_end(async move { gate.job(job).await }).await {
            Ok(JobLookup::Found(record)) => return Some(record),
            Ok(JobLookup::Absent) => return None,
            Ok(JobLookup::NotReady) => "The gate is loading a sale: what it knows is not told.",
            Err(_) => "The gate does not answer: what it knows is not told.",
        };
        self.hint(hint);
        None
    }

    /// Asked for once: the broker walks along its queue for it.
    async fn letters(&mut self) -> &[DeadLetter] {
        if self.letters.is_none() {
            let letters = self.edge.dead_letters.clone();
            let all = async move { letters.list(&LetterFilter::default(), order_intake::LETTERS_MAX).await };
            let listed = self.edge.to_its_end(all).await;
            match &listed {
                Ok(all) if all.len() >= order_intake::LETTERS_MAX => {
                    self.hint("There are very many dead letters: only the oldest 1,000 were looked through.");
                }
                Ok(_) => {}
                Err(_) => self.hint("The broker does not answer: dead letters are not told."),
            }
            self.letters = Some(listed.unwrap_or_default());
        }
        self.letters.as_deref().unwrap_or_default()
    }

    fn hint(&mut self, text: &str) {
        if !self.hints.iter().any(|hint| hint == text) {
            self.hints.push(text.to_owned());
        }
    }
}
