//! The buyers' port.

pub mod challenge;
pub mod demo;
pub mod events;
pub mod jobs;
pub mod lookup;
pub mod mine;
pub mod orders;
pub mod payments;
pub mod sales;
pub mod tokens;

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

/// Longest `Prefer: wait`, in seconds: less than what load balancers put up with.
const WAIT_MAX_S: u64 = 5;

/// The part of the path with this name.
pub fn part<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.match_info().get(name).unwrap_or_default()
}

/// How long the caller would rather wait than ask again: `Prefer: wait=N`, in seconds (RFC 7240).
pub fn wait(request: &HttpRequest) -> Option<Duration> {
    const PREFER: HeaderName = HeaderName::from_static("prefer");
    let preferences = request.headers().get_all(PREFER).filter_map(|value| value.to_str().ok());
    let mut waits = preferences.flat_map(|value| value.split(',')).filter_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').parse::<u64>().ok())?
    });
    waits.next().filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.min(WAIT_MAX_S)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn waiting_is_bounded_and_only_done_for_whole_seconds() {
        let wait = |prefer: &str| wait(&TestRequest::default().insert_header(("prefer", prefer)).to_http_request());
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(wait("wait=3"), seconds(3));
        assert_eq!(wait("respond-async, Wait = \"2\""), seconds(2));
        assert_eq!(wait("wait=86400"), seconds(5));
        for nothing in ["wait=0", "wait=-1", "wait=1.5", "wait", "wait=", "", "wait=99999999999999999999"] {
            assert_eq!(wait(nothing), None, "{nothing}");
        }
    }
}
