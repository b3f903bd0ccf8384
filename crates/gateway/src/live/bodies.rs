//! The events of the live stream, as JSON.

use std::collections::BTreeMap;

use actix_web::web::Bytes;
use domain::{Activity, Latencies, Stage};
use serde::Serialize;
use utoipa::ToSchema;

use super::past::Past;
use crate::views::{DateTime, json_bytes};

/// The first event of the stream, `history`: the whole sale so far.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LiveHistory)]
pub struct HistoryBody {
    /// Seconds in a step.
    step_seconds: i64,
    /// At most 600; steps in which nothing happened are left out.
    points: Vec<PointBody>,
}

/// One step. Counts are of the step, levels at its end; a level that did not change in it is left out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LivePoint)]
pub struct PointBody {
    /// Its beginning.
    at: DateTime,
    /// Units for sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<i64>,
    /// Units that are accepted and in no order yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    queued: Option<i64>,
    /// Units in unpaid orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<i64>,
    /// Units in paid orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    paid: Option<i64>,
    /// Purchases answered, over all gateways.
    asked: u64,
    /// Those that got a job.
    accepted: u64,
    /// Those that were refused.
    refused: u64,
    /// 99 of 100 were answered within so many milliseconds; absent where nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_ms: Option<f64>,
}

impl HistoryBody {
    pub(super) fn new(past: &Past) -> Self {
        let points = past.steps().map(|(at, activity)| {
            let levels = activity.levels.as_ref().map(domain::Levels::total);
            PointBody {
                at,
                free: levels.map(|levels| levels.free),
                queued: levels.map(|levels| levels.queued),
                held: levels.map(|levels| levels.held),
                paid: levels.map(|levels| levels.paid),
                asked: activity.asked(),
                accepted: activity.accepted(),
                refused: activity.refused().map(|(_, count)| count).sum(),
                p99_ms: activity.latencies.get(&Stage::Answer).and_then(|latencies| latencies.quantile_ms(0.99)),
            }
        });
        Self { step_seconds: past.step_s(), points: points.collect() }
    }
}

/// The event `live`, once a second. A part that cannot be read now is left out and named in `missing`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Live)]
pub struct LiveBody {
    /// By the clock that decides about windows.
    pub at: DateTime,
    /// As for operators: `draft`, `scheduled`, `open`, `paused`, `soldOut`, `ended`.
    pub phase: &'static str,
    /// First moment of the window.
    pub opens_at: DateTime,
    /// First moment after it.
    pub closes_at: DateTime,
    /// Where the units are.
    pub items: Vec<LiveItemBody>,
    /// How old the ledger is that the items are from, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger_age_ms: Option<u64>,
    /// The whole sale so far, over all gateways.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funnel: Option<FunnelBody>,
    /// How long ago funnel, rates and latencies were read, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_age_ms: Option<u64>,
    /// Rates of the last two seconds that everybody has told of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<RatesBody>,
    /// Of the last ten seconds, by stage; a stage in which nothing happened is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<BTreeMap<&'static str, LatencyBody>>,
    /// What was accepted and has no order yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueBody>,
    /// Messages among the dead letters, of all sales.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<u64>,
    /// Gateways that were alive within two minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateways: Option<Vec<GatewayBody>>,
    /// What this gateway depends on, as it last looked.
    pub dependencies: Vec<DependencyBody>,
    /// `ledger`, `activity`, `queue`, `deadLetters`, `gateways`.
    pub missing: Vec<&'static str>,
}

/// An item. Without the ledger only its stock is known.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LiveItem)]
pub struct LiveItemBody {
    /// Its name.
    pub id: String,
    /// For people.
    pub title: String,
    /// In total.
    pub stock: i64,
    /// Where its units are.
    #[serde(flatten)]
    pub units: Option<UnitsBody>,
    /// When nothing was left; while something is, when that will be at the pace of the last seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sold_out_at: Option<DateTime>,
}

/// Units of an item.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveUnits)]
pub struct UnitsBody {
    /// For sale.
    pub free: i64,
    /// Admitted, not known to be on the queue.
    pub unpublished: i64,
    /// On the queue.
    pub queued: i64,
    /// In unpaid orders.
    pub held: i64,
    /// In paid orders.
    pub paid: i64,
    /// Above 0 units are missing, below 0 there are too many.
    pub difference: i64,
}

/// What came of the purchases: `asked = accepted + repeated + refused`.
#[derive(Serialize, ToSchema)]
#[schema(as = Funnel)]
pub struct FunnelBody {
    asked: u64,
    accepted: u64,
    /// Their token had its job before.
    repeated: u64,
    /// By the code of the problem.
    refused: BTreeMap<String, u64>,
}

impl From<&Activity> for FunnelBody {
    fn from(activity: &Activity) -> Self {
        Self {
            asked: activity.asked(),
            accepted: activity.accepted(),
            repeated: activity.repeated(),
            refused: activity.refused().map(|(code, count)| (code.to_owned(), count)).collect(),
        }
    }
}

/// Counts in a second.
#[derive(Serialize, ToSchema)]
#[schema(as = Rates)]
pub struct RatesBody {
    asked: f64,
    accepted: f64,
    refused: f64,
    /// Orders written.
    placed: f64,
}

impl RatesBody {
    pub(super) fn new(activity: &Activity, seconds: i64) -> Self {
        let rate = |count: u64| count as f64 / seconds as f64;
        Self {
            asked: rate(activity.asked()),
            accepted: rate(activity.accepted()),
            refused: rate(activity.refused().map(|(_, count)| count).sum()),
            placed: rate(activity.placed()),
        }
    }
}

/// Times that so many of a hundred did not exceed, in milliseconds, to within an eighth.
#[derive(Serialize, ToSchema)]
#[schema(as = Latency)]
pub struct LatencyBody {
    p50: f64,
    p95: f64,
    p99: f64,
}

/// `None` where nothing was timed.
pub fn latency(latencies: &Latencies) -> Option<LatencyBody> {
    let of = |share| latencies.quantile_ms(share);
    Some(LatencyBody { p50: of(0.5)?, p95: of(0.95)?, p99: of(0.99)? })
}

/// Accepted and in no order yet.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LiveQueue)]
pub struct QueueBody {
    /// Jobs of this sale.
    pub depth: u64,
    /// How long the oldest one has waited.
    pub oldest_seconds: f64,
}

/// A gateway.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LiveGateway)]
pub struct GatewayBody {
    /// One run of one process.
    pub instance: String,
    /// How long ago it was alive, in milliseconds.
    pub age_ms: u64,
}

/// A dependency.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LiveDependency)]
pub struct DependencyBody {
    /// What it is.
    pub name: &'static str,
    /// Was it well?
    pub ok: bool,
    /// How long ago, in milliseconds.
    pub age_ms: u64,
}

/// A body as an event.
pub(super) fn event(name: &str, body: &impl Serialize) -> Bytes {
    let mut text = format!("event: {name}\ndata: ").into_bytes();
    text.extend(json_bytes(body));
    text.extend_from_slice(b"\n\n");
    text.into()
}
