//! The challenge that a buyer's device solves before it gets a token, where the seller asks for that.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::{BuyerId, Timestamp};

use crate::challenge::Challenge;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::views::json;

/// A challenge for this buyer, in the format of ALTCHA's widget; 404 while none is asked for. The widget solves it and
/// hands out a payload, which is sent as `altcha` with the wish for a token.
#[utoipa::path(get, path = "/api/v1/challenge", tag = "purchases", security(("buyer" = [])),
    extensions(("x-problems" = json!(["unauthenticated", "not-found", "rate-limited"]))),
    responses((status = 200, description = "The challenge; for one token.", body = Challenge)))]
pub async fn get(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    if !edge.challenges.enabled() {
        return Err(edge.count_problem(&request, Problem::not_found()));
    }
    let buyer = edge.buyer(&request)?;
    edge.limits.token.check(buyer.id.as_str())?;
    Ok(json(StatusCode::OK, &fresh(&edge, &buyer.id, edge.catalog.now())))
}

/// The solution that came with a wish for a token is good, or the problem says what to solve now.
pub fn solved(
    edge: &Edge,
    request: &HttpRequest,
    buyer: &BuyerId,
    altcha: Option<&str>,
    now: Timestamp,
) -> Result<(), Problem> {
    if !edge.challenges.enabled() {
        return Ok(());
    }
    match altcha.map(|payload| edge.challenges.check(payload, buyer, now)) {
        Some(Ok(())) => Ok(()),
        Some(Err(_)) => Err(edge.count_problem(request, Problem::challenge_failed(fresh(edge, buyer, now)))),
        None => Err(Problem::challenge_required(fresh(edge, buyer, now))),
    }
}

fn fresh(edge: &Edge, buyer: &BuyerId, now: Timestamp) -> Challenge {
    edge.challenges.make(buyer, edge.entropy.as_ref(), now)
}
