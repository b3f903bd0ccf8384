//! Who is asking: buyers by the JWT of an identity provider, operators by a key, or by the session that it began.

mod buyers;
mod operators;
mod session;

pub use buyers::{Buyer, BuyerKeys, BuyerSettings, is_channel, is_client};
pub use operators::{MetricsKeys, require_admin, require_metrics};
pub use session::{Session, clear_cookie};

use actix_web::http::header::{self, HeaderMap};

/// The bearer token of a request, if it sends one.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
