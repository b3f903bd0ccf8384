//! The operators' key: as bearer token, as the password of HTTP Basic, so that a browser can ask for it, or in the
//! session that it began. A browser sends the last two by itself, whoever made it: writes that come with them have to
//! show that they come from a page of ours.

use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use subtle::ConstantTimeEq as _;

use crate::auth::{Session, bearer};
use crate::edge::Edge;
use crate::health::Status;
use crate::problem::{Code, Problem};
use crate::settings::Secret;

/// The keys of the operators' port.
#[derive(Clone, Debug)]
pub struct MetricsKeys {
    /// Opens everything.
    pub admin: Secret,
    /// Opens `/metrics` only.
    pub metrics: Option<Secret>,
}

impl MetricsKeys {
    /// Is this the admin key?
    pub fn opens_all(&self, sent: &str) -> bool {
        same(&self.admin, sent)
    }

    fn opens_metrics(&self, sent: &str) -> bool {
        self.metrics.as_ref().is_some_and(|key| same(key, sent)) | self.opens_all(sent)
    }
}

/// Takes as long for a key that is nearly right as for one that is all wrong.
fn same(key: &Secret, sent: &str) -> bool {
    !key.expose().is_empty() && bool::from(key.expose().as_bytes().ct_eq(sent.as_bytes()))
}

/// Lets a request through that knows the admin key.
pub async fn require_admin(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    require(request, next, MetricsKeys::opens_all).await
}

/// Lets a request through that knows the admin key or the metrics key.
pub async fn require_metrics(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    require(request, next, MetricsKeys::opens_metrics).await
}

async fn require(
    request: ServiceRequest,
    next: Next<BoxBody>,
    opens: fn(&MetricsKeys, &str) -> bool,
) -> Result<ServiceResponse, Error> {
    match admitted(&request, opens) {
        Ok(()) => next.call(request).await,
        Err(problem) => Ok(request.error_response(problem)),
    }
}

fn admitted(request: &ServiceRequest, opens: fn(&MetricsKeys, &str) -> bool) -> Result<(), Problem> {
    let headers = request.headers();
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let Some(status) = request.app_data::<Data<Status>>() else { return Err(stranger(headers)) };
    if headers.contains_key(header::AUTHORIZATION) {
        // A key that is shown decides alone, also when it is wrong.
        if !key(headers).is_some_and(|sent| opens(&status.keys, &sent)) {
            return Err(stranger(headers));
        }
        let foreign = writes && bearer(headers).is_none() && is_cross_site(headers);
        return if foreign { Err(foreign_page()) } else { Ok(()) };
    }
    let edge = request.app_data::<Data<Edge>>().ok_or_else(|| stranger(headers))?;
    let session = Session::of(headers, &status.keys.admin, edge.clock.now()).ok_or_else(|| stranger(headers))?;
    if writes && !session.allows_write(headers) { Err(foreign_page()) } else { Ok(()) }
}

/// Has the browser said that a page of another site asks?
fn is_cross_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

fn foreign_page() -> Problem {
    Problem::new(Code::Forbidden, "Nothing was changed: the request does not show that it comes from the console.")
}

/// Whoever shows nothing that opens. A browser asks its user for the key if it is told that Basic will do: wanted when
/// they have gone to a page, not when a page of ours has asked for something.
fn stranger(headers: &HeaderMap) -> Problem {
    let by_script = headers.get("sec-fetch-mode").is_some_and(|mode| mode != "navigate");
    let schemes = ["Bearer realm=\"operators\"", "Basic realm=\"operators\", charset=\"UTF-8\""];
    let offered = if by_script { &schemes[..1] } else { &schemes[..] };
    Problem::unauthenticated("The operators' key is needed.", offered)
}

fn key(headers: &HeaderMap) -> Option<String> {
    if let Some(token) = bearer(headers) {
        return Some(token.to_owned());
    }
    let (scheme, credentials) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(credentials.trim()).ok()?).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn sent(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        key(&headers)
    }

    #[test]
    fn the_key_is_a_bearer_token_or_a_password() {
        assert_eq!(sent("Bearer k").as_deref(), Some("k"));
        assert_eq!(sent("bearer k").as_deref(), Some("k"));
        assert_eq!(sent(&format!("Basic {}", BASE64.encode("anyone:k:k"))).as_deref(), Some("k:k"));
        for nothing in ["k", "Basic k", "Digest k", ""] {
            assert_eq!(sent(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn the_metrics_key_opens_metrics_only_and_an_empty_key_opens_nothing() {
        let keys = MetricsKeys { admin: "a".to_owned().into(), metrics: Some("m".to_owned().into()) };
        assert!(keys.opens_all("a") && keys.opens_metrics("a") && keys.opens_metrics("m"));
        assert!(!keys.opens_all("m") && !keys.opens_all("") && !keys.opens_all("aa") && !keys.opens_metrics(""));
        let none = MetricsKeys { admin: String::new().into(), metrics: None };
        assert!(!none.opens_all("") && !none.opens_metrics(""));
    }
}
