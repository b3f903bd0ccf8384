//! Refusals and errors as `application/problem+json` (RFC 9457). The only place that picks an HTTP status for them.
//!
//! Handlers return a [`Problem`]; the envelope turns it into an answer, because only the envelope knows the
//! request's id. 429 is for this caller's limit, 503 for us: never one for the other.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use control::NotAllowed;
use domain::ports::Outage;
use domain::{JobId, Refusal, SaleId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::challenge::Challenge;
use crate::views::{DateTime, json_bytes, to_ms};

macro_rules! codes {
    ($($name:ident $word:literal $status:literal $retryable:literal $title:literal;)*) => {
        /// What kind of problem it is. Clients decide by this word, never by the sentence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $(#[doc = $title] $name),* }

        /// The words that purchases are counted under: the two good answers, then every code in the order of the enum.
        pub const ANSWERS: &[&str] = &[domain::activity::ACCEPTED, domain::activity::REPEATED, $($word),*];

        impl Code {
            /// Every code, in the order of the enum.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word in the answer and in metrics.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// What kind of problem it is, as a URN.
            fn urn(self) -> &'static str {
                match self { $(Self::$name => concat!("urn:seckill:problem:", $word)),* }
            }

            /// The HTTP status.
            pub fn status(self) -> StatusCode {
                let status: u16 = match self { $(Self::$name => $status),* };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// May the very same request succeed later?
            pub fn retryable(self) -> bool {
                match self { $(Self::$name => $retryable),* }
            }

            /// For people; the same for every problem of this code.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }
        }
    };
}

codes! {
    SaleNotOpen          "sale-not-open"          409 true  "The sale has not opened yet";
    SalePaused           "sale-paused"            503 true  "The sale is paused";
    SaleEnded            "sale-ended"             410 false "The sale is over";
    SoldOut              "sold-out"               409 false "Everything is taken";
    LimitReached         "limit-reached"          409 false "You hold what one buyer may hold";
    QuotaExceeded        "quota-exceeded"         429 true  "Your quota is used up";
    QuantityInvalid      "quantity-invalid"       422 false "That quantity cannot be bought";
    TokenInvalid         "token-invalid"          403 false "This is not a token of ours";
    TokenExpired         "token-expired"          403 false "The token has expired";
    TokenMismatch        "token-mismatch"         403 false "The token is for something else";
    ChallengeRequired    "challenge-required"     403 false "A challenge has to be solved first";
    ChallengeFailed      "challenge-failed"       403 false "The challenge was not solved";
    RateLimited          "rate-limited"           429 true  "You are asking too often";
    Overloaded           "overloaded"             503 true  "We are too busy";
    NotReady             "not-ready"              503 true  "We cannot decide this now";
    OutcomeUnknown       "outcome-unknown"        503 true  "It is not known whether it happened";
    Malformed            "malformed"              400 false "The request cannot be understood";
    Unauthenticated      "unauthenticated"        401 false "Who is asking?";
    Forbidden            "forbidden"              403 false "This is not for you";
    NotFound             "not-found"              404 false "There is no such thing here";
    MethodNotAllowed     "method-not-allowed"     405 false "This cannot be done to it";
    TooLarge             "too-large"              413 false "The request is too large";
    UnsupportedMediaType "unsupported-media-type" 415 false "Only application/json is read here";
    ValidationFailed     "validation-failed"      422 false "A value is out of its range";
    Conflict             "conflict"               409 false "Not possible as things are";
}

/// Facts that some problems carry.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Extras {
    /// With `sale-not-open`: when the sale opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<DateTime>,
    /// With `sale-not-open`: the clock that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_time: Option<DateTime>,
    /// With `sold-out`, while unpaid orders hold units: until when these may come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    may_return_until: Option<DateTime>,
    /// With `limit-reached` and `quantity-invalid`: units that one buyer may hold in the sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u16>,
    /// With `limit-reached`: the buyer's job. With `outcome-unknown`: the job this purchase has, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uuid)]
    job_id: Option<JobId>,
    /// With `quota-exceeded`: what is counted, `purchases` or `requests`.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<&'static str>,
    /// With `quota-exceeded`: when the next day begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    resets_at: Option<DateTime>,
    /// With `validation-failed`: the field that is wrong, for example `items[0].stock`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// With `challenge-required` and `challenge-failed`: what to solve, for one token.
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<Box<Challenge>>,
}

/// The body of a problem.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// A URN that ends with the code.
    r#type: &'a str,
    /// The same for every problem of this code.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// This problem, in a sentence.
    detail: &'a str,
    /// What programs decide by.
    code: &'a str,
    /// May the same request succeed later? `Retry-After` says when to try.
    retryable: bool,
    /// Names this request in our logs.
    request_id: &'a str,
    /// Facts that some problems carry.
    #[serde(flatten)]
    extras: &'a Extras,
}

/// Why a request was not done.
#[derive(Clone)]
pub struct Problem(Box<Parts>);

#[derive(Clone)]
struct Parts {
    code: Code,
    detail: Cow<'static, str>,
    retry_after_s: Option<u64>,
    extras: Extras,
    headers: Vec<(HeaderName, HeaderValue)>,
    of_stranger: bool,
}

/// Asked to come back after this many seconds where nothing better is known.
const RETRY_SOON_S: u64 = 1;

/// After a pause by the operator: nobody knows how long, and buyers should not hammer.
const RETRY_PAUSED_S: u64 = 5;

/// Longest `Retry-After`: whoever waits longer should look at the sale again first.
const RETRY_MAX_S: u64 = 3_600;

impl Problem {
    /// A problem of this kind, in a sentence.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let retry_after_s = (code.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_SOON_S);
        let detail = detail.into();
        let (extras, headers) = (Extras::default(), Vec::new());
        Self(Box::new(Parts { code, detail, retry_after_s, extras, headers, of_stranger: false }))
    }

    /// The caller has shown nothing valid.
    pub fn of_stranger(mut self) -> Self {
        self.0.of_stranger = true;
        self
    }

    /// Has the caller shown nothing valid?
    pub fn is_of_stranger(&self) -> bool {
        self.0.of_stranger
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The job that it names.
    pub fn job(&self) -> Option<JobId> {
        self.0.extras.job_id
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds.clamp(1, RETRY_MAX_S));
        self
    }

    fn with(mut self, fill: impl FnOnce(&mut Extras)) -> Self {
        fill(&mut self.0.extras);
        self
    }

    fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.push((name, value));
        }
        self
    }

    /// The gate's refusal of a purchase.
    pub fn refused(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotOpen { opens_at, server_time } => Self::not_open(*opens_at, *server_time),
            Refusal::Paused => Self::new(Code::SalePaused, "The seller has paused the sale. Try again in a while.")
                .retry_after(RETRY_PAUSED_S),
            Refusal::Ended => Self::ended(),
            Refusal::SoldOut => Self::sold_out(),
            Refusal::LimitReached { limit, job } => {
                Self::new(Code::LimitReached, format!("One buyer may hold {limit} in this sale, and you do.")).with(
                    |extras| {
                        extras.limit = Some(*limit);
                        extras.job_id = Some(*job);
                    },
                )
            }
            Refusal::QuantityAboveLimit { limit } => Self::quantity(*limit),
            Refusal::UnknownItem => Self::new(Code::NotFound, "The sale has no such item."),
            Refusal::TokenExpired => Self::new(Code::TokenExpired, "The token's time is over; fetch a new one."),
            Refusal::NotReady => Self::gate_away(),
            Refusal::Backlog => {
                Self::new(Code::Overloaded, "What was accepted before waits too long. Nothing was taken from you.")
            }
            Refusal::BrokerAway => {
                Self::new(Code::NotReady, "Orders cannot be taken on at the moment. Nothing was taken from you.")
            }
            Refusal::AllBusy => {
                Self::new(Code::Overloaded, "As many orders are under way as may be. Nothing was taken from you.")
            }
            Refusal::ChannelBusy => Self::new(
                Code::Overloaded,
                "As many orders of this sales channel are under way as may be. Nothing was taken from you.",
            ),
            Refusal::BuyerBusy { max } => Self::buyer_busy(*max),
        }
    }

    /// Nothing is left, or not enough.
    pub fn sold_out() -> Self {
        Self::new(Code::SoldOut, "Not enough units are left.")
    }

    /// Until when units may come back, with `sold-out` only.
    pub fn may_return(self, until: Option<Timestamp>) -> Self {
        let sold_out = self.code() == Code::SoldOut;
        self.with(|extras| extras.may_return_until = until.filter(|_| sold_out).map(to_ms))
    }

    /// The sale opens later.
    pub fn not_open(opens_at: Timestamp, server_time: Timestamp) -> Self {
        let wait_ms = (opens_at - server_time).num_milliseconds().max(0).unsigned_abs();
        Self::new(Code::SaleNotOpen, "The sale has not opened yet.").retry_after(wait_ms.div_ceil(1000)).with(
            |extras| {
                extras.opens_at = Some(opens_at);
                extras.server_time = Some(to_ms(server_time));
            },
        )
    }

    /// The sale is over.
    pub fn ended() -> Self {
        Self::new(Code::SaleEnded, "The sale is over.")
    }

    /// Not a number of units that this sale sells to one buyer.
    pub fn quantity(limit: u16) -> Self {
        Self::new(Code::QuantityInvalid, format!("The quantity has to be a whole number from 1 to {limit}."))
            .with(|extras| extras.limit = Some(limit))
    }

    /// The gate has lost the sale, is being loaded, or is away. Nothing happened.
    pub fn gate_away() -> Self {
        Self::new(Code::NotReady, "The sale cannot be decided on at the moment. Nothing was taken from you.")
    }

    /// Too many are waiting. Nothing happened.
    pub fn overloaded() -> Self {
        Self::new(Code::Overloaded, "Too many are waiting already. Nothing was taken from you.")
    }

    /// The purchase may have been accepted.
    pub fn unknown(job: JobId) -> Self {
        let detail = "It is not known yet whether this purchase was accepted. The same token leads to the same job.";
        Self::new(Code::OutcomeUnknown, detail).with(|extras| extras.job_id = Some(job))
    }

    /// As many tasks of this type are running as may, and none ended in time. Nothing was done.
    pub fn task_busy(busy: control::Busy) -> Self {
        Self::new(Code::Overloaded, format!("There are {busy}, and none has ended in time. Nothing was done."))
    }

    /// Something could not be read. Nothing was to be changed.
    pub fn unread(outage: &Outage) -> Self {
        tracing::debug!(%outage, "a read found no answer");
        Self::new(Code::NotReady, "This cannot be looked up at the moment.")
    }

    /// An operator's change found no answer.
    pub fn unwritten(outage: &Outage) -> Self {
        tracing::warn!(%outage, "an operator's change found no answer");
        match outage {
            Outage::NotSent(_) => Self::new(Code::NotReady, "Nothing was changed: a dependency is away."),
            Outage::Unknown(_) => Self::new(
                Code::OutcomeUnknown,
                "A dependency did not answer: the change may or may not have been made.",
            ),
        }
    }

    /// One caller asks too often.
    pub fn rate_limited(policy: &str, per_second: u32, burst: u32, wait: Duration) -> Self {
        let wait_s = whole_seconds(wait);
        let window_s = burst.div_ceil(per_second);
        Self::new(Code::RateLimited, format!("At most {per_second} a second on average, {burst} at once."))
            .retry_after(wait_s)
            .header(HeaderName::from_static("ratelimit-policy"), &format!("\"{policy}\";q={burst};w={window_s}"))
            .header(HeaderName::from_static("ratelimit"), &format!("\"{policy}\";r=0;t={wait_s}"))
    }

    /// As many orders of one buyer are in flight as may be: again when one of them is settled.
    fn buyer_busy(max: u32) -> Self {
        let policy = format!("\"in-flight\";q={max};qu=\"concurrent-requests\"");
        Self::new(Code::RateLimited, format!("At most {max} of your orders may be under way at once; try again."))
            .retry_after(RETRY_SOON_S)
            .header(HeaderName::from_static("ratelimit-policy"), &policy)
            .header(HeaderName::from_static("ratelimit"), &format!("\"in-flight\";r=0;t={RETRY_SOON_S}"))
    }

    /// One caller is above a limit that all gateways keep together; `name` is the rule's.
    pub fn over_limit(name: &str, limit: u32, window_s: u32, wait: Duration) -> Self {
        let wait_s = whole_seconds(wait);
        let mut problem = Self::new(Code::RateLimited, format!("At most {limit} within {window_s} s."));
        problem.0.retry_after_s = Some(wait_s);
        problem
            .header(HeaderName::from_static("ratelimit-policy"), &format!("\"{name}\";q={limit};w={window_s}"))
            .header(HeaderName::from_static("ratelimit"), &format!("\"{name}\";r=0;t={wait_s}"))
    }

    /// All callers of a sale or a channel together are above its limit. That is no fault of this one.
    pub fn group_over_limit(wait: Duration) -> Self {
        let mut problem = Self::overloaded();
        problem.0.retry_after_s = Some(whole_seconds(wait));
        problem
    }

    /// The day's quota of this buyer or API client is used up, or cannot be counted.
    pub fn quota(refused: &NotAllowed) -> Self {
        match refused {
            NotAllowed::Exceeded { kind, limit, resets_at, now } => {
                let wait_ms = (*resets_at - *now).num_milliseconds().max(0).unsigned_abs();
                let what = kind.as_str();
                let text = format!("At most {limit} {what} a day, and this would be more.");
                let mut problem = Self::new(Code::QuotaExceeded, text).with(|extras| {
                    extras.quota = Some(what);
                    extras.resets_at = Some(to_ms(*resets_at));
                });
                problem.0.retry_after_s = Some(wait_ms.div_ceil(1000).max(1)); // the rest of the day, whatever that is
                problem
            }
            NotAllowed::Away(outage) => {
                tracing::debug!(%outage, "a use of a quota could not be counted");
                Self::new(Code::NotReady, "Your quota cannot be counted at the moment. Nothing was taken from you.")
            }
        }
    }

    /// No credential, or none that is valid.
    pub fn unauthenticated(detail: &'static str, schemes: &[&str]) -> Self {
        let problem = Self::new(Code::Unauthenticated, detail);
        schemes.iter().fold(problem, |problem, scheme| problem.header(header::WWW_AUTHENTICATE, scheme))
    }

    /// The path exists, the method does not.
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::new(Code::MethodNotAllowed, format!("Here you can {allow}.")).header(header::ALLOW, allow)
    }

    /// A token is given for a solved challenge only, and none came.
    pub fn challenge_required(challenge: Challenge) -> Self {
        let detail = "Solve the challenge, and send its solution as \"altcha\".";
        Self::new(Code::ChallengeRequired, detail).with(|extras| extras.challenge = Some(Box::new(challenge)))
    }

    /// The solution is wrong, late, used, or another buyer's.
    pub fn challenge_failed(challenge: Challenge) -> Self {
        let detail = "That is not a fresh solution of a challenge that you were given. Here is another one.";
        Self::new(Code::ChallengeFailed, detail).with(|extras| extras.challenge = Some(Box::new(challenge)))
    }

    /// A value that the operator sent is out of its range.
    pub fn validation(field: impl Into<String>, why: &str) -> Self {
        let field = field.into();
        Self::new(Code::ValidationFailed, format!("{field} {why}.")).with(|extras| extras.field = Some(field))
    }

    /// No route, no such thing, or not for this caller: all the same.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing here, or nothing for you.")
    }

    /// There is no such sale, for this caller.
    pub fn no_sale(sale: &SaleId) -> Self {
        Self::new(Code::NotFound, format!("There is no sale {sale}."))
    }

    /// The answer to the request of this id.
    pub fn answer(&self, request_id: &str) -> HttpResponse {
        let Parts { code, detail, retry_after_s, extras, headers, of_stranger: _ } = &*self.0;
        let mut answer = HttpResponse::build(code.status());
        answer.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")));
        answer.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        if let Some(seconds) = retry_after_s {
            answer.insert_header((header::RETRY_AFTER, *seconds));
        }
        for (name, value) in headers {
            answer.append_header((name.clone(), value.clone()));
        }
        let body = ProblemBody {
            r#type: code.urn(),
            title: code.title(),
            status: code.status().as_u16(),
            detail,
            code: code.as_str(),
            retryable: code.retryable(),
            request_id,
            extras,
        };
        answer.body(json_bytes(&body))
    }
}

/// A wait in whole seconds, never too short and never none.
fn whole_seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.detail)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The envelope writes the body; this is only the way a handler's error gets there.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_status_of_the_contract() {
        let table = "sale-not-open 409, sale-paused 503, sale-ended 410, sold-out 409, limit-reached 409, \
             quota-exceeded 429, quantity-invalid 422, token-invalid 403, token-expired 403, token-mismatch 403, \
             challenge-required 403, challenge-failed 403, rate-limited 429, overloaded 503, not-ready 503, \
             outcome-unknown 503, malformed 400, unauthenticated 401, forbidden 403, not-found 404, \
             method-not-allowed 405, too-large 413, unsupported-media-type 415, validation-failed 422, conflict 409";
        let ours: Vec<String> =
            Code::ALL.iter().map(|code| format!("{} {}", code.as_str(), code.status().as_u16())).collect();
        assert_eq!(ours.join(", "), table.split_whitespace().collect::<Vec<_>>().join(" "));
    }

    #[test]
    fn waiting_is_said_in_whole_seconds_and_never_zero() {
        let header = |problem: Problem| {
            let answer = problem.answer("r");
            answer.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned())
        };
        let at = domain::from_ms;
        assert_eq!(header(Problem::not_open(at(1_001), at(0))).as_deref(), Some("2"));
        assert_eq!(header(Problem::not_open(at(0), at(1))).as_deref(), Some("1"));
        assert_eq!(header(Problem::rate_limited("ip", 20, 40, Duration::from_millis(30))).as_deref(), Some("1"));
        assert_eq!(header(Problem::overloaded()).as_deref(), Some("1"));
        assert_eq!(header(Problem::ended()), None);
        for code in Code::ALL {
            let waits = code.status() == StatusCode::SERVICE_UNAVAILABLE;
            assert_eq!(header(Problem::new(*code, "")).is_some(), waits, "{code:?}");
        }
    }
}
