//! The JSON that more than one handler answers with.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use domain::{JobId, JobRecord, JobState, JobStatus, Money, Phase, RefusedReason, Sale, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::catalog::Listed;

/// A moment. Under this name the description of the interface knows that its text is a date and a time.
pub type DateTime = Timestamp;

/// Clients see milliseconds; more digits say nothing and cost bytes.
pub fn to_ms(at: Timestamp) -> Timestamp {
    domain::from_ms(at.timestamp_millis())
}

/// An answer that no cache may keep.
pub fn json(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .body(json_bytes(body))
}

/// Does the caller know the content of this tag?
pub fn matches_tag(request: &HttpRequest, tag: &str) -> bool {
    let sent = request.headers().get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    sent.flat_map(|value| value.split(',')).map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

/// A body as JSON, in memory that suits most of them.
pub fn json_bytes(body: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => bytes,
        Err(_) => Vec::new(), // a type of ours that is no JSON: tests see it
    }
}

/// An amount in the currency's minor unit: 1999 CNY is 19.99 yuan.
#[derive(Serialize, ToSchema)]
#[schema(as = Money)]
pub struct MoneyBody {
    /// Minor units.
    #[schema(example = 19900)]
    amount: i64,
    /// ISO 4217.
    #[schema(value_type = String, example = "CNY")]
    currency: domain::Currency,
}

impl From<Money> for MoneyBody {
    fn from(Money { amount, currency }: Money) -> Self {
        Self { amount, currency }
    }
}

/// The word for a phase.
pub fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Draft => "draft",
        Phase::Scheduled => "scheduled",
        Phase::Open => "open",
        Phase::Paused => "paused",
        Phase::SoldOut => "soldOut",
        Phase::Ended => "ended",
    }
}

/// A sale as shoppers see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Sale)]
pub struct SaleBody<'a> {
    /// Its name in paths.
    id: &'a str,
    /// For people.
    title: &'a str,
    /// `scheduled`, `open`, `paused`, `soldOut` or `ended`.
    phase: &'static str,
    /// First moment at which a purchase is accepted.
    opens_at: DateTime,
    /// First moment at which tokens are issued. A page that fetches its token at a random moment between this and
    /// `opensAt` leaves the opening to one request.
    tokens_from: DateTime,
    /// First moment at which none is accepted any more.
    closes_at: DateTime,
    /// Units that one buyer may hold in live orders, over all items.
    limit_per_buyer: u16,
    /// What is sold.
    items: Vec<ItemBody<'a>>,
}

/// An item as shoppers see it. The exact stock is the seller's business.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Item)]
pub struct ItemBody<'a> {
    /// Its name in purchases.
    id: &'a str,
    /// For people.
    title: &'a str,
    /// For one unit.
    price: MoneyBody,
    /// `plenty`, `low` (a tenth or less is left) or `none`.
    stock_level: &'static str,
    /// Whole percent of the stock that is taken; 100 only when nothing is left.
    sold_percent: u8,
}

impl<'a> SaleBody<'a> {
    /// The sale at this moment, with tokens from `token_lead_s` seconds before its opening.
    pub fn new(listed: &'a Listed, token_lead_s: u32, now: Timestamp) -> Self {
        let Sale { id, title, opens_at, closes_at, limit_per_buyer, items, .. } = &listed.sale;
        let items = items.iter().enumerate().map(|(at, item)| {
            let free = listed.free(at);
            ItemBody {
                id: item.id.as_str(),
                title: &item.title,
                price: item.price.into(),
                stock_level: stock_level(free, item.stock),
                sold_percent: sold_percent(free, item.stock),
            }
        });
        Self {
            id: id.as_str(),
            title,
            phase: phase_word(listed.phase(now)),
            opens_at: *opens_at,
            tokens_from: *opens_at - chrono::TimeDelta::seconds(i64::from(token_lead_s)),
            closes_at: *closes_at,
            limit_per_buyer: *limit_per_buyer,
            items: items.collect(),
        }
    }
}

fn stock_level(free: i64, stock: i64) -> &'static str {
    match free {
        ..=0 => "none",
        _ if free <= stock / 10 => "low",
        _ => "plenty",
    }
}

fn sold_percent(free: i64, stock: i64) -> u8 {
    if free <= 0 {
        return 100;
    }
    let sold = (stock - free).max(0);
    u8::try_from(sold.saturating_mul(100) / stock.max(1)).unwrap_or(99).min(99)
}

/// A job as its buyer polls it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Job)]
pub struct JobBody<'a> {
    /// The token's id and, once placed, the order's.
    #[schema(value_type = String, format = Uuid)]
    job_id: JobId,
    /// The sale.
    sale: &'a str,
    /// The item; `null` where the gate knows the job only by its id.
    item: Option<&'a str>,
    /// Units asked for; `null` likewise.
    quantity: Option<u16>,
    /// `queued`, `placed` or `refused`.
    status: &'static str,
    /// Where to ask again.
    status_url: String,
    /// For people.
    message: &'static str,
    /// When it last changed.
    updated_at: DateTime,
    /// While queued: ask again after this many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    poll_after_ms: Option<u32>,
    /// When refused: `sold-out`, `limit-reached`, `unplaceable` or `discarded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// When placed: the order, for its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_url: Option<String>,
}

/// Most jobs are placed within some tens of milliseconds. The default limit of reads of one job allows this pace.
const POLL_AFTER_MS: u32 = 200;

impl<'a> JobBody<'a> {
    /// The job, with the words of its sale.
    pub fn new(record: &JobRecord, sale: &'a Sale) -> Self {
        let status = record.state.status();
        let item = record.item.and_then(|item| sale.item_at(item));
        Self {
            job_id: record.job,
            sale: sale.id.as_str(),
            item: item.map(|item| item.id.as_str()),
            quantity: (record.quantity > 0).then_some(record.quantity),
            status: status.as_str(),
            status_url: job_url(record.job),
            message: message(record.state),
            updated_at: to_ms(record.updated_at),
            poll_after_ms: (status == JobStatus::Queued).then_some(POLL_AFTER_MS),
            reason: match record.state {
                JobState::Refused(reason) => Some(reason.as_str()),
                _ => None,
            },
            order_url: (status == JobStatus::Placed).then(|| format!("/api/v1/orders/{}", record.job)),
        }
    }
}

/// Where a job is read.
pub fn job_url(job: JobId) -> String {
    format!("/api/v1/jobs/{job}")
}

fn message(state: JobState) -> &'static str {
    match state {
        JobState::Unpublished | JobState::Queued => "Your units are reserved; the order is being written.",
        JobState::Placed | JobState::ReservedAgain => "The order is placed.",
        JobState::Refused(RefusedReason::SoldOut) => "No unit was left after all. Nothing was ordered.",
        JobState::Refused(RefusedReason::LimitReached) => "You already hold what one buyer may hold in this sale.",
        JobState::Refused(RefusedReason::Unplaceable) => "The order could not be written. Nothing was ordered.",
        JobState::Refused(RefusedReason::Discarded) => "The seller has withdrawn this purchase. Nothing was ordered.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_percent_are_sold_only_when_nothing_is_left() {
        for (free, stock, level, percent) in [
            (1000, 1000, "plenty", 0),
            (101, 1000, "plenty", 89),
            (100, 1000, "low", 90),
            (1, 1000, "low", 99),
            (1, 1_000_000, "low", 99),
            (0, 1000, "none", 100),
            (-3, 1000, "none", 100),
            (0, 0, "none", 100),
            (1, 1, "plenty", 0),
        ] {
            assert_eq!((stock_level(free, stock), sold_percent(free, stock)), (level, percent), "{free} of {stock}");
        }
    }
}
