//! The operators' port. Every route but the probes, the pages' files and the sign-in is behind the key; see
//! [`crate::routes`].

pub mod audit;
pub mod changes;
pub mod concurrency;
pub mod dead_letters;
pub mod drafts;
pub mod jobs;
pub mod ledger;
pub mod limits;
pub mod pages;
pub mod performance;
pub mod quotas;
pub mod reconcile;
pub mod restock;
pub mod sales;
pub mod session;

use actix_web::HttpRequest;
use actix_web::web::Payload;
use domain::SaleId;
use domain::ports::{AuditNote, Operator};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body;
use crate::edge::Edge;
use crate::problem::Problem;

/// Longest reason kept in the audit log, in characters.
const REASON_MAX: usize = 500;

/// Why an operator does something.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// In the operator's words, at most 500 characters. Kept in the audit log.
    reason: Option<String>,
}

/// Whoever sent this, as the audit log names them.
fn operator(reason: Option<String>) -> Result<Operator, Problem> {
    if reason.as_ref().is_some_and(|text| text.chars().count() > REASON_MAX) {
        return Err(Problem::validation("reason", "has to be at most 500 characters"));
    }
    Ok(Operator { via: "api".to_owned(), reason })
}

/// Writes into the audit log what is about to be done. Where that cannot be noted, it is not done: what changes no row
/// has no transaction to write its line in, and a line about nothing is better than a deed without a line.
async fn note(edge: &Edge, note: AuditNote, by: &Operator) -> Result<(), Problem> {
    let (audit, by) = (edge.audit.clone(), by.clone());
    let noted = edge.to_its_end(async move { audit.note(&note, &by).await }).await;
    noted.map_err(|outage| Problem::unwritten(&domain::ports::Outage::NotSent(outage.to_string())))
}

/// The operator of a request whose body is an optional reason, with any content type.
async fn operator_of(request: &HttpRequest, edge: &Edge, payload: Payload) -> Result<Operator, Problem> {
    let body = body::bytes(request, payload, edge.operator_body()).await?;
    let reason = if body.is_empty() { Reason::default() } else { body::parse(&body)? };
    operator(reason.reason)
}

/// The sale that the path names. A text that is no sale id is the id of no sale.
fn sale_id(request: &HttpRequest) -> Result<SaleId, Problem> {
    crate::buyers::part(request, "sale").parse().map_err(|_| Problem::not_found())
}
