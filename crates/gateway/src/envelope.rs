//! What is done around every request, in one step: its id, its measures, its headers, and the body of a problem.

use std::cell::{Cell, OnceCell, RefCell};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{Error, HttpRequest};
use control::Operation;
use domain::JobId;
use metrics::{Counter, Histogram};

use crate::cors::{Cors, Crossing};
use crate::edge::Edge;
use crate::load::{Load, Shed};
use crate::problem::{Code, Problem};
use crate::unread::Unread;
use crate::views::JOB_URL;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a caller or a proxy.
const REQUEST_ID_MAX: usize = 64;

/// Paths that count as work: probes and pages are always answered.
const COUNTED: &str = "/api/";

/// Calls the rest of the application, and finishes its answer; refuses where the port has too much in hand. `cors`: which
/// other sites may ask, where any may.
pub fn seal<S>(
    mut request: ServiceRequest,
    service: &S,
    cors: Option<&Cors>,
    load: Option<&Arc<Load>>,
) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    let started = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let crossing = cors.map(|cors| cors.crossing(&request));
    let unread = Unread::of(&mut request);
    let counted = load.filter(|_| request.path().starts_with(COUNTED)).map(Load::answer);
    let answering = match (&crossing, counted) {
        (Some(Crossing { preflight: Some(answer), .. }), _) => Err(request.into_response(answer.clone().build())),
        (_, Some(None)) => {
            Shed::InFlight.count();
            Err(request.into_response(Problem::overloaded().answer(text(&id))))
        }
        (_, counted) => Ok((counted.flatten(), service.call(request))),
    };
    async move {
        let mut response = match answering {
            Ok((_counted, answering)) => answering.await?,
            Err(answered) => answered,
        };
        let mut job = None;
        if let Some(error) = response.response().error() {
            job = error.as_error::<Problem>().and_then(Problem::job);
            let problem = match error.as_error::<Problem>() {
                Some(problem) if problem.is_of_stranger() => {
                    Box::pin(limited(response.request())).await.as_ref().unwrap_or(problem).answer(text(&id))
                }
                Some(problem) => problem.answer(text(&id)),
                None => unforeseen(error, text(&id)),
            };
            response = response.into_response(problem);
        }
        let status = response.status();
        if let Some(job) = job.or_else(|| purchased(&response))
            && let Some(edge) = response.request().app_data::<Data<Edge>>()
        {
            edge.recent.note(id.as_bytes(), edge.clock.now(), job);
        }
        if let Some(metrics) = response.request().app_data::<RouteMetrics>() {
            let took = started.elapsed();
            metrics.note(&method, status, took);
            metrics.watch(response.request(), status, took);
            metrics.sample(&id, status, took);
        }
        finish(response.headers_mut(), id);
        if let Some(crossing) = crossing {
            crossing.finish(response.headers_mut());
        }
        Ok(match unread {
            Some(unread) => unread.end_with(response),
            None => response,
        })
    }
}

/// The job that a purchase was answered with.
fn purchased(response: &ServiceResponse) -> Option<JobId> {
    let may_be = matches!(response.status(), StatusCode::OK | StatusCode::ACCEPTED);
    let location = response.headers().get(header::LOCATION).filter(|_| may_be)?;
    location.to_str().ok()?.strip_prefix(JOB_URL)?.parse().ok()
}

/// The shared limit of the caller's address, where they have collected too many refusals.
async fn limited(request: &HttpRequest) -> Option<Problem> {
    request.app_data::<Data<Edge>>()?.count_stranger(request).await.err()
}

fn finish(headers: &mut HeaderMap, id: HeaderValue) {
    headers.insert(REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
}

/// An error that is not ours: the framework could not read the request.
fn unforeseen(error: &Error, id: &str) -> actix_web::HttpResponse {
    let status = error.as_response_error().status_code();
    tracing::warn!(request.id = id, %status, %error, "a request was refused by the framework");
    let problem = match status {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge, "The request is too large."),
        StatusCode::NOT_FOUND => Problem::not_found(),
        status if status.is_client_error() => Problem::new(Code::Malformed, "The request cannot be read."),
        _ => Problem::new(Code::NotReady, "Something is wrong with us."),
    };
    problem.answer(id)
}

/// The caller's id where it is a sane one, else one of ours.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let sane = |id: &&HeaderValue| (1..=REQUEST_ID_MAX).contains(&id.len()) && id.as_bytes().iter().all(plain);
    headers.get(&REQUEST_ID).filter(sane).cloned().unwrap_or_else(fresh_id)
}

/// An id as text; it is ASCII.
fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

/// 64 bits that differ between requests, threads and processes; they name a request, they guard nothing.
fn fresh_id() -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    thread_local! {
        static COUNT: (RandomState, Cell<u64>) = (RandomState::new(), Cell::new(0));
    }
    COUNT.with(|(random, count)| {
        count.set(count.get().wrapping_add(1));
        let bits = random.hash_one(count.get());
        let digits: [u8; 16] = std::array::from_fn(|at| DIGITS[(bits >> (60 - 4 * at)) as usize & 0xf]);
        HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("none"))
    })
}

/// One answer in so many is logged, on each thread and route. Refusals are counted and never logged.
const SAMPLE: u32 = 1_000;

/// The measures of one route on one thread. Found once for each status, so that a request costs no look-up by name.
pub struct RouteMetrics {
    route: &'static str,
    answered: Cell<u32>,
    watched: OnceCell<Option<Operation>>,
    seconds: Histogram,
    requests: RefCell<Vec<(&'static str, StatusCode, Counter)>>,
}

impl RouteMetrics {
    /// Of the route with this pattern.
    pub fn new(route: &'static str) -> Self {
        let seconds = metrics::histogram!("seckill_http_request_seconds", "route" => route);
        Self { route, answered: Cell::new(0), watched: OnceCell::new(), seconds, requests: RefCell::default() }
    }

    fn sample(&self, id: &HeaderValue, status: StatusCode, took: Duration) {
        if status.is_client_error() {
            return;
        }
        let answered = self.answered.get().wrapping_add(1);
        self.answered.set(answered);
        if answered.is_multiple_of(SAMPLE) {
            let us = took.as_micros() as u64;
            tracing::info!(
                request.id = text(id),
                route = self.route,
                status = status.as_u16(),
                us,
                "one request of {SAMPLE}"
            );
        }
    }

    /// For the operators' page of performance. A refusal is an answer; what ends with 500 or more has failed.
    fn watch(&self, request: &HttpRequest, status: StatusCode, took: Duration) {
        let found = || request.app_data::<Data<Edge>>().map(|edge| edge.works.monitor.operation(self.route));
        if let Some(operation) = self.watched.get_or_init(found) {
            operation.note(took, kind(status));
        }
    }

    fn note(&self, method: &Method, status: StatusCode, took: Duration) {
        self.seconds.record(took);
        let mut requests = self.requests.borrow_mut();
        let method = label(method);
        match requests.iter().find(|(m, s, _)| *m == method && *s == status) {
            Some((_, _, counter)) => counter.increment(1),
            None => {
                let counter = metrics::counter!("seckill_http_requests_total",
                    "route" => self.route, "method" => method, "status" => status.as_str().to_owned());
                counter.increment(1);
                requests.push((method, status, counter));
            }
        }
    }
}

/// The kind of failure that a status stands for, if it does.
fn kind(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        ..500 => None,
        503 => Some("503"),
        500 => Some("500"),
        _ => Some("5xx"),
    }
}

/// Callers may invent methods; metrics may not grow with them.
fn label(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(sent: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_str(sent).unwrap());
        text(&request_id(&headers)).to_owned()
    }

    #[test]
    fn a_sane_id_is_kept_and_any_other_replaced() {
        assert_eq!(id_for("abc-123"), "abc-123");
        for insane in ["", "a b", "a\tb", "a\"b", "<script>", &"x".repeat(65)] {
            let id = id_for(insane);
            assert!(id != insane && id.len() == 16, "{insane:?} became {id:?}");
        }
        assert_ne!(fresh_id(), fresh_id());
    }
}
