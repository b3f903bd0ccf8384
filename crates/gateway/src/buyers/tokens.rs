//! Issues sale tokens: the right to one purchase, bound to buyer and sale.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use domain::{JobId, Sale, SaleState, SaleToken, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{challenge, part};
use crate::auth::is_channel;
use crate::body;
use crate::edge::Edge;
use crate::limits::{Action, Caller};
use crate::problem::Problem;
use crate::settings::GatewaySettings;
use crate::views::{DateTime, json, to_ms};

/// What a buyer may wish for with a token.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenWishes {
    /// The sales channel: 1 to 32 of a-z, 0-9 and `-`. A channel in the login wins.
    channel: Option<String>,
    /// The solved challenge, as ALTCHA's widget hands it out (base64). Only looked at while one is asked for.
    altcha: Option<String>,
}

/// A sale token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TokenBody {
    /// What the purchase is sent with. Opaque.
    token: String,
    /// The job that a purchase with it becomes: even a client that lost every answer can ask for it.
    #[schema(value_type = String, format = Uuid)]
    job_id: JobId,
    /// Not usable before.
    not_before: DateTime,
    /// Not usable from then on, unless it was admitted before.
    expires_at: DateTime,
}

/// A token for one purchase in this sale.
#[utoipa::path(post, path = "/api/v1/sales/{sale}/tokens", tag = "purchases", security(("buyer" = [])),
    params(("sale" = String, Path, description = "Its id")), request_body = Option<TokenWishes>,
    extensions(("x-problems" = json!(["malformed", "unauthenticated", "challenge-required", "challenge-failed", "not-found",
        "sale-not-open", "sale-ended", "too-large", "unsupported-media-type", "validation-failed", "quota-exceeded",
        "rate-limited", "overloaded", "not-ready"]))),
    responses((status = 201, description = "The token; usable from the opening.", body = TokenBody)))]
pub async fn create(request: HttpRequest, edge: Data<Edge>, payload: Payload) -> Result<HttpResponse, Problem> {
    let buyer = edge.buyer(&request)?;
    edge.limits.token.check(buyer.id.as_str())?;
    edge.count_request(&buyer).await?;
    let wishes: Option<TokenWishes> = body::optional_json(&request, payload, edge.buyer_body()).await?;
    let TokenWishes { channel: wished, altcha } = wishes.unwrap_or_default();
    if wished.as_deref().is_some_and(|channel| !is_channel(channel)) {
        return Err(Problem::validation("channel", "has to be 1 to 32 of a-z, 0-9 and '-'"));
    }
    let listed = edge.catalog.public(part(&request, "sale"))?;
    let now = edge.catalog.now();
    let (not_before, expires_at) = window(&listed.sale, &edge.settings, now)?;
    let solved = challenge::solved(&edge, &buyer.id, altcha.as_deref(), now)?;
    let channel = buyer.channel.or(wished).unwrap_or_default();
    let (id, sale) = (Some(buyer.id.as_str()), Some(listed.sale.id.as_str()));
    let caller = Caller { buyer: id, sale, channel: Some(&channel), ..Caller::default() };
    edge.count_shared(Action::Token, caller).await?;
    challenge::use_up(&edge, &buyer.id, solved, now)?;
    let issued_ms = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    let token = SaleToken {
        job: JobId::new(issued_ms, listed.sale.route(), edge.entropy.six()),
        buyer: buyer.id,
        channel,
        not_before,
        expires_at,
    };
    let body = TokenBody { token: edge.token_keys.sign(&token), job_id: token.job, not_before, expires_at };
    Ok(json(StatusCode::CREATED, &body))
}

/// From when to when a token issued now is usable.
fn window(sale: &Sale, settings: &GatewaySettings, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    if sale.state == SaleState::Closed || now >= sale.closes_at {
        return Err(Problem::ended());
    }
    if now < sale.opens_at - TimeDelta::seconds(i64::from(settings.token_lead_s)) {
        return Err(Problem::not_open(sale.opens_at, now));
    }
    let not_before = to_ms(sale.opens_at.max(now));
    Ok((not_before, not_before + TimeDelta::seconds(i64::from(settings.token_life_s))))
}
