//! Writes what was judged, under guards: where a row is not as it was read, the attempt was overtaken.

use std::collections::BTreeMap;

use domain::{BuyerId, Currency, SaleId, Timestamp};
use uuid::Uuid;

use super::Changes;
use super::judge::Facts;
use crate::postgres::failure::Failure;
use crate::postgres::rows::Order;
use crate::postgres::session::Session;

/// A unique index may end the attempt: a job has a row by now, or its buyer holds the limit. To ask for that row by row
/// (`on conflict do nothing`) costs a quarter more.
const ORDERS: &str = "
    insert into orders (id, sale_id, item_id, buyer_id, quantity, status, reason, amount, currency, rev, exclusive,
                        created_at, admitted_at, updated_at, expires_at)
    select id, sale_id, item_id, buyer_id, quantity, status, reason, amount, currency, 1, exclusive,
           now(), admitted_at, now(), expires_at
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::bigint[],
                $9::text[], $10::boolean[], $11::timestamptz[], $12::timestamptz[])
        as new (id, sale_id, item_id, buyer_id, quantity, status, reason, amount, currency, exclusive,
                admitted_at, expires_at)";

/// The limit is looked up here again: nobody may count on one that has changed.
const ALLOWANCES: &str = "
    insert into allowances as a (sale_id, buyer_id, units)
    select sale_id, buyer_id, units from unnest($1::text[], $2::text[], $3::integer[]) as new (sale_id, buyer_id, units)
    on conflict (sale_id, buyer_id) do update set units = a.units + excluded.units
    where a.units + excluded.units <= (select limit_per_buyer from sales where id = excluded.sale_id)";

/// Rows are locked in the order of their keys before the first is changed.
const ITEMS: &str = "
    with change as (
        select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
            as change (sale_id, item_id, seen, units, steps)
    ), locked as (
        select i.sale_id, i.item_id from sale_items i join change using (sale_id, item_id)
        order by i.sale_id, i.item_id
        for update of i
    )
    update sale_items i
    set sold = i.sold + change.units, version = i.version + change.steps
    from change join locked using (sale_id, item_id)
    where i.sale_id = change.sale_id and i.item_id = change.item_id
      and i.version = change.seen and i.sold + change.units <= i.stock";

/// Fails with `raced` unless all were written.
fn all_written(written: u64, wanted: usize, raced: &str) -> Result<(), Failure> {
    if written == wanted as u64 { Ok(()) } else { Err(Failure::Raced(raced.to_owned())) }
}

#[derive(Default)]
struct Columns<'o> {
    id: Vec<Uuid>,
    sale: Vec<&'o str>,
    item: Vec<Option<&'o str>>,
    buyer: Vec<Option<&'o str>>,
    quantity: Vec<i32>,
    status: Vec<&'static str>,
    reason: Vec<Option<&'static str>>,
    amount: Vec<Option<i64>>,
    currency: Vec<Option<&'o str>>,
    exclusive: Vec<bool>,
    admitted_at: Vec<Option<Timestamp>>,
    expires_at: Vec<Option<Timestamp>>,
}

pub(super) async fn orders(session: &mut Session<'_>, facts: &Facts, orders: &[Order]) -> Result<(), Failure> {
    if orders.is_empty() {
        return Ok(());
    }
    let mut rows = Columns::default();
    for order in orders {
        let number = order.job.route().sale;
        let Some(sale) = facts.sales.get(&number) else { continue };
        let item = order.item.and_then(|item| facts.item(number, item));
        rows.id.push(order.job.uuid());
        rows.sale.push(sale.id.as_str());
        rows.item.push(item.map(|item| item.id.as_str()));
        rows.buyer.push(order.buyer.as_ref().map(BuyerId::as_str));
        rows.quantity.push(i32::from(order.quantity));
        rows.status.push(order.status.as_str());
        rows.reason.push(order.reason.map(|reason| reason.as_str()));
        rows.amount.push(order.amount.map(|money| money.amount));
        rows.currency.push(order.amount.as_ref().map(|money| Currency::as_str(&money.currency)));
        rows.exclusive.push(!sale.counted);
        rows.admitted_at.push(order.admitted_at);
        rows.expires_at.push(order.expires_at);
    }
    let query = sqlx::query(ORDERS)
        .bind(rows.id)
        .bind(rows.sale)
        .bind(rows.item)
        .bind(rows.buyer)
        .bind(rows.quantity)
        .bind(rows.status)
        .bind(rows.reason)
        .bind(rows.amount)
        .bind(rows.currency)
        .bind(rows.exclusive)
        .bind(rows.admitted_at)
        .bind(rows.expires_at);
    let written = session.write("insert_orders", query).await?;
    all_written(written, orders.len(), "not all orders of a batch were written")
}

/// Counts new units where the sale counts, summed per buyer.
pub(super) async fn allowances(session: &mut Session<'_>, facts: &Facts, orders: &[Order]) -> Result<(), Failure> {
    let mut sums: BTreeMap<(&SaleId, &BuyerId), i32> = BTreeMap::new();
    for order in orders.iter().filter(|order| order.status.is_live()) {
        if let Some(sale) = facts.sales.get(&order.job.route().sale)
            && let Some(buyer) = &order.buyer
            && sale.counted
        {
            *sums.entry((&sale.id, buyer)).or_default() += i32::from(order.quantity);
        }
    }
    if sums.is_empty() {
        return Ok(());
    }
    let wanted = sums.len();
    let (mut sales, mut buyers, mut units) = (Vec::new(), Vec::new(), Vec::new());
    for ((sale, buyer), sum) in sums {
        sales.push(sale.as_str());
        buyers.push(buyer.as_str());
        units.push(sum);
    }
    let query = sqlx::query(ALLOWANCES).bind(sales).bind(buyers).bind(units);
    let written = session.write("count_allowances", query).await?;
    all_written(written, wanted, "a buyer's allowance was used by somebody else")
}

/// Takes the units from the stock. Each outbox row of an item has a version of its own.
pub(super) async fn items(session: &mut Session<'_>, facts: &Facts, changes: &Changes<'_>) -> Result<(), Failure> {
    let mut sums = BTreeMap::new();
    for ((route, item), change) in changes.iter().filter(|(_, change)| change.units > 0) {
        let Some(item) = item else { continue };
        let (units, steps) = sums.entry((route.sale, *item)).or_insert((0_i64, 0_i64));
        *units += change.units;
        *steps += 1;
    }
    if sums.is_empty() {
        return Ok(());
    }
    let wanted = sums.len();
    let (mut sales, mut items, mut seen, mut units, mut steps) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((number, position), (sum, rows)) in sums {
        let (Some(sale), Some(item)) = (facts.sales.get(&number), facts.item(number, position)) else { continue };
        sales.push(sale.id.as_str());
        items.push(item.id.as_str());
        seen.push(item.version);
        units.push(sum);
        steps.push(rows);
    }
    let query = sqlx::query(ITEMS).bind(sales).bind(items).bind(seen).bind(units).bind(steps);
    let written = session.write("take_stock", query).await?;
    // Someone else sold a unit between our read and this write: start over, do not guess.
    all_written(written, wanted, "an item was sold by somebody else")
}
