//! Pages of other sites: closed unless their origin is listed. Buyers' port only, and never with credentials: cookies
//! are not used there, and a login is sent by the page itself.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a page may read of an answer, beside what every page may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Date, ETag, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id",
);

/// What it may send.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
const HEADERS: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, If-None-Match, Last-Event-ID, Prefer, X-Request-Id");

/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Another site, exactly as a browser names it: scheme, host, and a port that is not the scheme's own.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct CorsOrigin(String);

impl TryFrom<String> for CorsOrigin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte);
        match host {
            Some(host) if !host.is_empty() && host.bytes().all(plain) => Ok(Self(text)),
            _ => Err(format!("{text:?} is not an origin like https://shop.example (no path, no \"*\", lower case)")),
        }
    }
}

impl From<CorsOrigin> for String {
    fn from(origin: CorsOrigin) -> Self {
        origin.0
    }
}

/// The sites that may ask.
pub struct Cors(Vec<HeaderValue>);

impl Cors {
    /// `None` where no other site may: then nothing is looked at, and nothing is said.
    pub fn new(origins: &[CorsOrigin]) -> Option<Arc<Self>> {
        let origins: Vec<_> = origins.iter().filter_map(|origin| HeaderValue::from_str(&origin.0).ok()).collect();
        (!origins.is_empty()).then(|| Arc::new(Self(origins)))
    }

    /// Who asks, and whether it only asks if it may ask.
    pub fn crossing(&self, request: &ServiceRequest) -> Crossing {
        let origin = request.headers().get(header::ORIGIN);
        let allowed = origin.and_then(|origin| self.0.iter().find(|listed| *listed == origin)).cloned();
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let preflight = (asks && allowed.is_some()).then_some(Preflight);
        Crossing { allowed, preflight }
    }
}

/// One request, seen from another site.
pub struct Crossing {
    allowed: Option<HeaderValue>,
    /// The browser's question before the page's own request. Answered here.
    pub preflight: Option<Preflight>,
}

/// The answer to the question whether a page may ask.
#[derive(Clone)]
pub struct Preflight;

impl Preflight {
    /// Yes, and how.
    pub fn build(self) -> HttpResponse {
        let mut answer = HttpResponse::NoContent();
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ] {
            answer.insert_header((name, value));
        }
        answer.finish()
    }
}

impl Crossing {
    /// Says who may read the answer. `Vary` also where nobody may: a cache must not give one site's answer to another.
    pub fn finish(self, headers: &mut HeaderMap) {
        const VARY: HeaderName = header::VARY;
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exact_and_never_everybody() {
        let origin = |text: &str| CorsOrigin::try_from(text.to_owned());
        for good in ["https://shop.example", "http://127.0.0.1:3000", "https://[::1]:8443"] {
            assert!(origin(good).is_ok(), "{good}");
        }
        for wrong in
            ["*", "null", "", "https://", "https://*.example", "https://Shop.example", "https://a/b", "ftp://a"]
        {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }
}
