//! What a batch is judged on.

use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;
use domain::{JobId, Money, SaleNumber, Timestamp};
use uuid::Uuid;

use super::Ask;
use super::judge::{Facts, Held, ItemFacts, SaleFacts};
use crate::postgres::failure::Failure;
use crate::postgres::rows::{Order, OrderLine, buyer, currency, item_id, sale_id, sale_number, select_orders};
use crate::postgres::session::Session;

/// Items are read before anything else: what is committed later changes their version, and the write notices.
const ITEMS: &str = "
    select s.number, s.id as sale_id, s.limit_per_buyer, s.counted, s.payment_window_s,
           i.item_id, i.price_amount, i.currency, i.stock, i.sold, i.version, now() as now
    from sales s join sale_items i on i.sale_id = s.id
    where s.number = any($1)
    order by i.sale_id, i.position";

/// The same under locks, taken in the order of the rows' keys like everywhere. The sale is read after that, by
/// `ITEMS`: its limit may have been what changed.
const LOCK_ITEMS: &str = "
    select i.position
    from sales s join sale_items i on i.sale_id = s.id
    where s.number = any($1)
    order by i.sale_id, i.item_id
    for update of i";

const ORDERS: &str = select_orders!("where o.id = any($1)");

/// Each buyer is looked up by the whole key, which `offset 0` insists on: a plan that was made while the table was empty
/// would read all buyers of the sale, for each of these.
pub(in crate::postgres) const COUNTED: &str = "
    select s.number, wanted.buyer_id, a.units
    from unnest($1::integer[], $2::text[]) as wanted (number, buyer_id)
    join sales s on s.number = wanted.number
    cross join lateral (
        select units from allowances where sale_id = s.id and buyer_id = wanted.buyer_id offset 0) as a";

pub(in crate::postgres) const EXCLUSIVE: &str = "
    select s.number, wanted.buyer_id, 1
    from unnest($1::integer[], $2::text[]) as wanted (number, buyer_id)
    join sales s on s.number = wanted.number
    cross join lateral (
        select from orders
        where sale_id = s.id and buyer_id = wanted.buyer_id and exclusive and status in ('pending_payment', 'paid')
        offset 0) as o";

#[derive(sqlx::FromRow)]
struct Line {
    number: i32,
    sale_id: String,
    limit_per_buyer: i32,
    counted: bool,
    payment_window_s: i32,
    item_id: String,
    price_amount: i64,
    currency: String,
    stock: i64,
    sold: i64,
    version: i64,
    now: Timestamp,
}

/// The sales of these jobs, with all their items. `locked` keeps everybody else from changing them.
pub(super) async fn facts(session: &mut Session<'_>, asks: &[Ask], locked: bool) -> Result<Facts, Failure> {
    let numbers: BTreeSet<i32> = asks.iter().map(|ask| word(ask.job.route().sale)).collect();
    let numbers: Vec<i32> = numbers.into_iter().collect();
    if locked {
        session.all::<(i16,)>("lock_items", sqlx::query_as(LOCK_ITEMS).bind(&numbers)).await?;
    }
    let lines: Vec<Line> = session.all("read_items", sqlx::query_as(ITEMS).bind(&numbers)).await?;
    let mut facts = Facts { now: Timestamp::default(), sales: HashMap::with_capacity(numbers.len()) };
    for line in lines {
        facts.now = line.now;
        let sale = facts.sales.entry(sale_number(line.number)?).or_insert(SaleFacts {
            id: sale_id(line.sale_id)?,
            limit: i64::from(line.limit_per_buyer),
            counted: line.counted,
            payment_window: TimeDelta::seconds(i64::from(line.payment_window_s)),
            items: Vec::new(),
        });
        sale.items.push(ItemFacts {
            id: item_id(line.item_id)?,
            price: Money { amount: line.price_amount, currency: currency(line.currency)? },
            stock: line.stock,
            sold: line.sold,
            version: line.version,
        });
    }
    Ok(facts)
}

/// Rows that these jobs have already.
pub(super) async fn orders(session: &mut Session<'_>, asks: &[&Ask]) -> Result<HashMap<JobId, Order>, Failure> {
    let ids: Vec<Uuid> = asks.iter().map(|ask| ask.job.uuid()).collect();
    let lines: Vec<OrderLine> = session.all("read_orders", sqlx::query_as(ORDERS).bind(ids)).await?;
    lines.into_iter().map(|line| Order::try_from(line).map(|order| (order.job, order))).collect()
}

/// What the buyers of these jobs hold. Where a unique index keeps the limit, nobody is looked up at first: the gate
/// has turned away those who hold something, and the index turns away who slipped through.
pub(super) async fn held(
    session: &mut Session<'_>,
    facts: &Facts,
    asks: &[&Ask],
    locked: bool,
) -> Result<Held, Failure> {
    let mut held = Held::new();
    for (name, query, counted) in [("read_allowances", COUNTED, true), ("read_holders", EXCLUSIVE, false)] {
        if !counted && !locked {
            continue;
        }
        let mut wanted = BTreeSet::new();
        for ask in asks.iter().filter(|ask| ask.refused.is_none()) {
            let sale = ask.job.route().sale;
            if let Some(wish) = &ask.reservation
                && facts.sales.get(&sale).is_some_and(|facts| facts.counted == counted)
            {
                wanted.insert((word(sale), wish.buyer.as_str()));
            }
        }
        if wanted.is_empty() {
            continue;
        }
        let (numbers, buyers): (Vec<i32>, Vec<&str>) = wanted.into_iter().unzip();
        let lines: Vec<(i32, String, i32)> =
            session.all(name, sqlx::query_as(query).bind(numbers).bind(buyers)).await?;
        for (sale, name, units) in lines {
            held.insert((sale_number(sale)?, buyer(name)?), i64::from(units));
        }
    }
    Ok(held)
}

/// A sale number as the database has it; 20 bits always fit.
fn word(number: SaleNumber) -> i32 {
    number.get().cast_signed()
}
