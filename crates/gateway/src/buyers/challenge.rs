//! The challenge that a buyer's device solves before it gets a token, where the seller asks for that.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::{BuyerId, Timestamp};

use crate::challenge::{Challenge, Solved};
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

/// The solution that came with a wish for a token is good, or the problem says what to solve now. `None` while nothing is
/// asked for. Whoever fails has logged in: it counts against the buyer's own limit and never against the address, which
/// others share.
pub fn solved(edge: &Edge, buyer: &BuyerId, altcha: Option<&str>, now: Timestamp) -> Result<Option<Solved>, Problem> {
    if !edge.challenges.enabled() {
        return Ok(None);
    }
    match altcha.map(|payload| edge.challenges.check(payload, buyer, now)) {
        Some(Ok(solved)) => Ok(Some(solved)),
        Some(Err(_)) => Err(Problem::challenge_failed(fresh(edge, buyer, now))),
        None => Err(Problem::challenge_required(fresh(edge, buyer, now))),
    }
}

/// Uses a solution up, once nothing else stands in the way of its token.
pub fn use_up(edge: &Edge, buyer: &BuyerId, solved: Option<Solved>, now: Timestamp) -> Result<(), Problem> {
    let used = solved.map_or(Ok(()), |solved| edge.challenges.use_up(&solved, now));
    used.map_err(|_| Problem::challenge_failed(fresh(edge, buyer, now)))
}

fn fresh(edge: &Edge, buyer: &BuyerId, now: Timestamp) -> Challenge {
    edge.challenges.make(buyer, edge.entropy.as_ref(), now)
}
