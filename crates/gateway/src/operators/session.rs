//! Signing in to the console: the admin key once, then a cookie.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};
use utoipa::ToSchema;

use crate::address::{Origin, came_over_tls};
use crate::auth::{Session, clear_cookie};
use crate::body;
use crate::edge::Edge;
use crate::health::Status;
use crate::problem::Problem;
use crate::views::{DateTime, json};

/// Whoever wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The admin key.
    key: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
struct SessionBody<'a> {
    /// To be sent as `X-CSRF-Token` with every write.
    csrf_token: &'a str,
    /// When the key is needed again.
    expires_at: DateTime,
}

/// Begins a session: from now on the cookie stands for the key, on every gateway, for twelve hours or until the key is
/// changed.
#[utoipa::path(post, path = "/admin/v1/session", tag = "operators", request_body = SignIn,
    extensions(("x-problems" = json!(["unauthenticated", "malformed", "unsupported-media-type", "too-large",
        "rate-limited"]))),
    responses((status = 200, description = "Signed in.", body = SessionBody<'static>,
               headers(("Set-Cookie" = String, description = "`seckill_operator`, for this port alone")))))]
pub async fn create(
    request: HttpRequest,
    edge: Data<Edge>,
    status: Data<Status>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let origin = Origin::of(&request, &edge.settings.trusted_proxies);
    // Before the key is looked at: a limit that let right ones through would not slow down a search for it.
    edge.limits.sign_in.check(origin)?;
    let SignIn { key } = body::parse(&body::json_bytes(&request, payload, edge.operator_body()).await?)?;
    if !status.keys.opens_all(&key) {
        warn!(%origin, "somebody at {origin} tried to sign in with a wrong key");
        return Err(Problem::unauthenticated("This is not the operators' key.", &["Bearer realm=\"operators\""]));
    }
    info!(%origin, "an operator signed in from {origin}");
    Ok(begun(&request, &edge, &status))
}

/// The session that the cookie shows. Shown the key instead, it begins one.
#[utoipa::path(get, path = "/admin/v1/session", tag = "operators", security(("adminKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated"]))),
    responses((status = 200, description = "Signed in.", body = SessionBody<'static>)))]
pub async fn get(request: HttpRequest, edge: Data<Edge>, status: Data<Status>) -> HttpResponse {
    match Session::of(request.headers(), &status.keys.admin, edge.clock.now()) {
        Some(session) => json(StatusCode::OK, &SessionBody::of(&session)),
        None => begun(&request, &edge, &status),
    }
}

/// Makes the browser forget its session.
#[utoipa::path(delete, path = "/admin/v1/session", tag = "operators", security(("adminKey" = [])),
    extensions(("x-problems" = json!(["unauthenticated"]))),
    responses((status = 204, description = "Signed out.")))]
pub async fn delete(request: HttpRequest, edge: Data<Edge>) -> HttpResponse {
    let secure = came_over_tls(&request, &edge.settings.trusted_proxies);
    HttpResponse::NoContent()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::SET_COOKIE, clear_cookie(secure)))
        .finish()
}

fn begun(request: &HttpRequest, edge: &Edge, status: &Status) -> HttpResponse {
    let session = Session::begin(&status.keys.admin, edge.clock.now(), edge.entropy.six());
    let secure = came_over_tls(request, &edge.settings.trusted_proxies);
    let mut answer = json(StatusCode::OK, &SessionBody::of(&session));
    answer.headers_mut().insert(header::SET_COOKIE, session.set_cookie(secure));
    answer
}

impl<'a> SessionBody<'a> {
    fn of(session: &'a Session) -> Self {
        Self { csrf_token: &session.csrf_token, expires_at: session.expires_at }
    }
}
