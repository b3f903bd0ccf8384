//! How a sale went, on one page: what was asked, what was sold, what came back.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::activity::{MINUTE, busier};
use domain::ports::{ActivityStore, Outage};
use domain::{
    Accounts, Activity, ActivityRow, Busiest, Latencies, Money, Sale, SaleId, SaleNumber, Stage, Timestamp, from_ms,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::sale_id;
use super::sales::find;
use crate::edge::Edge;
use crate::live::whole;
use crate::load::Shed;
use crate::problem::Problem;
use crate::views::{DateTime, MoneyBody, json, phase_word, to_ms};

/// The report. Purchases are as the gateways counted them, orders and money as the books have them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Report)]
struct ReportBody {
    /// The sale.
    #[schema(value_type = String)]
    sale: SaleId,
    /// For people.
    title: String,
    /// `draft`, `scheduled`, `open`, `paused`, `soldOut` or `ended`.
    phase: &'static str,
    /// First moment of the window.
    opens_at: DateTime,
    /// First moment after it.
    closes_at: DateTime,
    /// Purchases answered: `accepted + repeated + refused`.
    asked: u64,
    /// Those that got a job.
    accepted: u64,
    /// Those whose token had its job before.
    repeated: u64,
    /// The others, by the code of the problem.
    refused: BTreeMap<String, u64>,
    /// Buyers who hold an order, paid or not.
    buyers: u64,
    /// By position.
    items: Vec<ReportItemBody>,
    /// Orders that were not paid in time.
    expired: u64,
    /// Orders that their buyers cancelled.
    cancelled: u64,
    /// Jobs that became no order.
    rejected: u64,
    /// Payments that were given back.
    refunded: u64,
    /// Since when nothing has been left of any item; absent while something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    sold_out_at: Option<DateTime>,
    /// The minute in which answers took longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    slowest_minute: Option<SlowestMinuteBody>,
    /// The second in which most was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    busiest_second: Option<BusiestSecondBody>,
    /// Units by which the ledger does not balance, over all items, whichever way; absent while it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger_difference: Option<u64>,
    /// `ledger`, while the gate does not answer or has forgotten the sale.
    missing: Vec<&'static str>,
}

/// An item, in units.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportItem)]
struct ReportItemBody {
    /// Its name.
    id: String,
    /// For people.
    title: String,
    /// In total.
    stock: i64,
    /// In live orders: paid and unpaid.
    sold: i64,
    /// In paid orders.
    paid: i64,
    /// In orders that wait for their payment.
    unpaid: i64,
    /// In orders that expired or were cancelled: for sale again.
    returned: i64,
    /// What the paid orders cost.
    revenue: MoneyBody,
}

/// A minute.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SlowestMinute)]
struct SlowestMinuteBody {
    /// Its beginning.
    at: DateTime,
    /// 99 of 100 purchases were answered within so many milliseconds.
    p99_ms: f64,
    /// Purchases answered.
    asked: u64,
}

/// A second.
#[derive(Serialize, ToSchema)]
#[schema(as = BusiestSecond)]
struct BusiestSecondBody {
    /// Its beginning.
    at: DateTime,
    /// Purchases answered.
    asked: u64,
}

/// How a sale went, or goes. Works without the gate, and for as long as the sale's orders are kept.
#[utoipa::path(get, path = "/admin/v1/sales/{sale}/report", tag = "operators", security(("adminKey" = [])),
    params(("sale" = String, Path, description = "Its id")),
    extensions(("x-problems" = json!(["unauthenticated", "not-found", "overloaded", "not-ready"]))),
    responses((status = 200, description = "The report.", body = ReportBody)))]
pub async fn get(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let _turn = edge.reporting.clone().try_acquire_owned().map_err(|_| {
        Shed::Streams.count();
        Problem::overloaded()
    })?;
    let sale = find(&edge, &sale_id(&request)?).await?;
    let (store, accountant, number) = (edge.meter.store().clone(), edge.accountant.clone(), sale.number);
    let read = edge.to_its_end(async move {
        Ok::<_, Outage>((Course::read(store.as_ref(), number).await?, accountant.accounts(number).await?))
    });
    let (course, accounts) = read.await.map_err(|outage| Problem::unread(&outage))?;
    let accounts = accounts.ok_or_else(|| Problem::no_sale(&sale.id))?;
    let difference = match sale.epoch {
        0 => Some(0), // never warm: there are no books yet
        _ => difference(&edge, &sale).await,
    };
    Ok(json(StatusCode::OK, &body(sale, course, accounts, difference, edge.catalog.now())))
}

/// `None` while the gate does not answer, or has forgotten the sale.
async fn difference(edge: &Edge, sale: &Sale) -> Option<u64> {
    let (gate, orders, sale) = (edge.gate.clone(), edge.orders.clone(), sale.clone());
    let read = edge.to_its_end(async move { order_intake::books(gate.as_ref(), orders.as_ref(), &sale).await }).await;
    let (_, lines) = read.ok()??;
    Some(lines.iter().map(|line| line.difference.unsigned_abs()).sum())
}

fn body(sale: Sale, course: Course, accounts: Accounts, difference: Option<u64>, now: Timestamp) -> ReportBody {
    let free = accounts.items.iter().map(|item| item.stock - item.paid - item.unpaid).sum();
    let phase = sale.phase(now, free);
    let all = course.all;
    let slowest = course.minutes.iter().filter_map(|(minute, (asked, latencies))| {
        let at = from_ms(minute * i64::from(MINUTE) * 1_000);
        Some(SlowestMinuteBody { at, p99_ms: latencies.quantile_ms(0.99)?, asked: *asked })
    });
    let items = sale.items.iter().zip(accounts.items).map(|(item, units)| ReportItemBody {
        id: item.id.to_string(),
        title: item.title.clone(),
        stock: units.stock,
        sold: units.paid + units.unpaid,
        paid: units.paid,
        unpaid: units.unpaid,
        returned: units.returned,
        revenue: Money { amount: units.revenue, currency: item.price.currency }.into(),
    });
    ReportBody {
        phase: phase_word(phase),
        opens_at: sale.opens_at,
        closes_at: sale.closes_at,
        asked: all.asked(),
        accepted: all.accepted(),
        repeated: all.repeated(),
        refused: all.refused().map(|(code, count)| (code.to_owned(), count)).collect(),
        buyers: accounts.buyers,
        items: items.collect(),
        expired: accounts.expired,
        cancelled: accounts.cancelled,
        rejected: accounts.rejected,
        refunded: accounts.refunded,
        sold_out_at: all.levels.as_ref().and_then(|levels| levels.total().none_since).map(to_ms),
        slowest_minute: slowest.max_by(|one, other| one.p99_ms.total_cmp(&other.p99_ms)),
        busiest_second: course.busiest.map(|Busiest { at, asked }| BusiestSecondBody { at, asked }),
        ledger_difference: difference,
        missing: if difference.is_none() { vec!["ledger"] } else { Vec::new() },
        title: sale.title,
        sale: sale.id,
    }
}

/// The activity of a sale from its beginning, as far as the report tells it.
#[derive(Default)]
struct Course {
    all: Activity,
    /// By minute since 1970: what was asked, and how long answers took.
    minutes: BTreeMap<i64, (u64, Latencies)>,
    busiest: Option<Busiest>,
}

impl Course {
    async fn read(store: &dyn ActivityStore, sale: SaleNumber) -> Result<Self, Outage> {
        let (mut course, mut seconds) = (Self::default(), BTreeMap::<Timestamp, u64>::new());
        whole(store, sale).await?.iter().for_each(|noted| course.add(&noted.row, &mut seconds));
        let seconds = seconds.into_iter().filter(|(_, asked)| *asked > 0).map(|(at, asked)| Busiest { at, asked });
        course.busiest = seconds.map(Some).fold(course.all.busiest, busier);
        Ok(course)
    }

    fn add(&mut self, row: &ActivityRow, seconds: &mut BTreeMap<Timestamp, u64>) {
        self.all.add(&row.activity);
        if row.seconds == 1 {
            *seconds.entry(row.at).or_default() += row.activity.asked();
        }
        if let Some(latencies) = row.activity.latencies.get(&Stage::Answer) {
            let minute = row.at.timestamp().div_euclid(i64::from(MINUTE));
            let (asked, known) = self.minutes.entry(minute).or_default();
            *asked += row.activity.asked();
            known.add(latencies);
        }
    }
}
