//! Makes anybody a buyer. Served in the demo profile only.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::BuyerId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body;
use crate::edge::Edge;
use crate::problem::{Code, Problem};
use crate::views::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoWishes {}

/// A buyer of the demo.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DemoBuyer<'a> {
    /// Its id.
    #[schema(value_type = String)]
    buyer: &'a BuyerId,
    /// Its login, good for twelve hours.
    access_token: &'a str,
}

/// A new buyer and its login. In the demo profile only.
#[utoipa::path(post, path = "/api/v1/demo/buyers", tag = "demo",
    extensions(("x-problems" = json!(["malformed", "unsupported-media-type", "too-large", "rate-limited", "not-found"]))),
    responses((status = 201, description = "A buyer that nobody was before.", body = DemoBuyer<'static>)))]
pub async fn create(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    edge.count_address(&request)?;
    let _: Option<NoWishes> = body::optional_json(&request, payload, edge.buyer_body()).await?;
    let buyer: BuyerId = format!("demo-{}", edge.entropy.six().map(|byte| format!("{byte:02x}")).concat())
        .parse()
        .map_err(|_| Problem::not_found())?;
    let now_s = u64::try_from(edge.clock.now().timestamp()).unwrap_or(0);
    let login = edge.buyers.issue(&buyer, now_s);
    let login = login.ok_or_else(|| Problem::new(Code::NotFound, "Logins are made elsewhere."))?;
    Ok(json(StatusCode::CREATED, &DemoBuyer { buyer: &buyer, access_token: login.expose() }))
}
