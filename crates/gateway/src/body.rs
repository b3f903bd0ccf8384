//! Reads request bodies: JSON only, never larger than allowed, never slower than allowed.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

use crate::load::Shed;
use crate::problem::{Code, Problem};

/// How much, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes.
    pub max_bytes: usize,
    /// From the first byte to the last.
    pub within: Duration,
}

/// The body of a request that has to be JSON.
pub async fn json_bytes(request: &HttpRequest, payload: Payload, bounds: Bounds) -> Result<Bytes, Problem> {
    if !is_json(request) {
        return Err(no_json());
    }
    bytes(request, payload, bounds).await
}

/// The body of a request, whatever it says it is.
pub async fn bytes(request: &HttpRequest, mut payload: Payload, bounds: Bounds) -> Result<Bytes, Problem> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > bounds.max_bytes as u64) {
        return Err(too_large(bounds));
    }
    let mut read = pin!(async {
        let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
        let first = first.map_err(|_| cut_off())?;
        let mut all: Option<BytesMut> = None;
        let mut length = first.len();
        while length <= bounds.max_bytes {
            let Some(next) = payload.next().await else {
                return Ok(all.map_or(first, BytesMut::freeze));
            };
            let next = next.map_err(|_| cut_off())?;
            length += next.len();
            all.get_or_insert_with(|| BytesMut::from(&first[..])).extend_from_slice(&next);
        }
        Err(too_large(bounds))
    });
    if let Some(read) = at_once(read.as_mut()).await {
        return read;
    }
    tokio::time::timeout(bounds.within, read).await.unwrap_or_else(|_| {
        Shed::BodyTimeout.count();
        Err(Problem::new(Code::Malformed, format!("The body did not arrive within {} ms.", bounds.within.as_millis())))
    })
}

/// What `work` comes to without waiting. The framework calls us with the head and hands over the body that came with it
/// right after: most requests need no timer.
async fn at_once<F: Future>(mut work: Pin<&mut F>) -> Option<F::Output> {
    let mut again = false;
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if again => Poll::Ready(None),
        Poll::Pending => {
            again = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// The value of a request whose body may also be missing.
pub async fn optional_json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
    bounds: Bounds,
) -> Result<Option<T>, Problem> {
    let body = bytes(request, payload, bounds).await?;
    if body.is_empty() {
        return Ok(None);
    }
    if !is_json(request) {
        return Err(no_json());
    }
    parse(&body).map(Some)
}

/// The value that JSON bytes hold: all of them, nothing unknown, nothing twice.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|why| not_json(&why))
}

/// Why a body cannot be read, without repeating what is in it.
pub fn not_json(why: &serde_json::Error) -> Problem {
    Problem::new(Code::Malformed, format!("The body is not what is expected here: {why}."))
}

fn is_json(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let plain = headers.get(header::CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (kind, parameters) = media.split_once(';').unwrap_or((media, ""));
    let parameters = parameters.trim();
    let utf8 = parameters.is_empty()
        || parameters.split_once('=').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("charset") && value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        });
    plain && utf8 && kind.trim().eq_ignore_ascii_case("application/json")
}

fn no_json() -> Problem {
    Problem::new(Code::UnsupportedMediaType, "Send the body with content-type: application/json.")
}

fn too_large(bounds: Bounds) -> Problem {
    Shed::TooLarge.count();
    Problem::new(Code::TooLarge, format!("At most {} bytes are read here.", bounds.max_bytes))
}

fn cut_off() -> Problem {
    Problem::new(Code::Malformed, "The body ended early.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_json_in_utf8_is_json() {
        let media =
            |value: &str| is_json(&TestRequest::default().insert_header(("content-type", value)).to_http_request());
        for right in [
            "application/json",
            "Application/JSON ",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            assert!(media(right), "{right}");
        }
        for wrong in [
            "",
            "text/plain",
            "application/jsonx",
            "application/json; charset=utf-16",
            "application/json; x",
            "application/x-www-form-urlencoded",
        ] {
            assert!(!media(wrong), "{wrong}");
        }
        let packed = TestRequest::default()
            .insert_header(("content-type", "application/json"))
            .insert_header(("content-encoding", "gzip"));
        assert!(!is_json(&packed.to_http_request()));
    }
}
