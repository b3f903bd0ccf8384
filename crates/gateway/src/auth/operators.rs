//! The operators' key: as bearer token, or as the password of HTTP Basic, so that a browser can ask for it.

use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use subtle::ConstantTimeEq as _;

use crate::auth::bearer;
use crate::health::Status;
use crate::problem::Problem;
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
    fn opens_all(&self, sent: &str) -> bool {
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
    let sent = key(request.headers());
    let keys = request.app_data::<Data<Status>>().map(|status| &status.keys);
    if let (Some(sent), Some(keys)) = (sent, keys)
        && opens(keys, &sent)
    {
        return next.call(request).await;
    }
    let schemes = ["Bearer realm=\"operators\"", "Basic realm=\"operators\", charset=\"UTF-8\""];
    Ok(request.error_response(Problem::unauthenticated("The operators' key is needed.", &schemes)))
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
