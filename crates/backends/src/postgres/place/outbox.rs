//! Writes what the gate and the world have to hear of a batch.

use std::collections::HashMap;

use domain::ports::Sink;
use domain::{EventMessage, Hold, ItemIndex, Route, SaleId, SaleNumber};
use serde::Serialize;

use super::Changes;
use super::judge::Facts;
use crate::postgres::failure::Failure;
use crate::postgres::rows::Order;
use crate::postgres::session::Session;

/// Version of an event message's layout.
const EVENT_SCHEMA: u8 = 1;

/// Ids are given in the order of the arrays, after the items were locked: per item, their order is that of commits.
const INSERT: &str = "
    insert into outbox (sink, sale_id, sale_number, shard, item_position, version, units_delta, body)
    select * from unnest($1::text[], $2::text[], $3::integer[], $4::smallint[], $5::smallint[], $6::bigint[],
                         $7::bigint[], $8::text[])";

#[derive(Default)]
struct Columns<'f> {
    sink: Vec<&'static str>,
    sale: Vec<&'f str>,
    number: Vec<i32>,
    shard: Vec<i16>,
    position: Vec<Option<i16>>,
    version: Vec<Option<i64>>,
    units: Vec<i64>,
    body: Vec<String>,
}

impl<'f> Columns<'f> {
    /// `moved` is the version and the change of units, where units changed.
    fn push(
        &mut self,
        sink: Sink,
        (route, item): (Route, Option<ItemIndex>),
        sale: &'f SaleId,
        moved: Option<(i64, i64)>,
        body: &impl Serialize,
    ) {
        self.sink.push(sink.as_str());
        self.sale.push(sale.as_str());
        self.number.push(route.sale.get().cast_signed());
        self.shard.push(i16::from(route.shard.get()));
        self.position.push(item.map(|item| i16::from(item.get())));
        self.version.push(moved.map(|(version, _)| version));
        self.units.push(moved.map_or(0, |(_, units)| units));
        self.body.push(serde_json::to_string(body).expect("holds and events are plain data"));
    }
}

/// One row for the gate and one for the world for each item; effects that are only sent again follow in a row of
/// their own, without a version, and the world has heard of them.
pub(super) async fn write(session: &mut Session<'_>, facts: &Facts, changes: &Changes<'_>) -> Result<(), Failure> {
    let mut rows = Columns::default();
    let mut steps: HashMap<(SaleNumber, ItemIndex), i64> = HashMap::new();
    for (place @ (route, item), change) in changes {
        let Some(sale) = facts.sales.get(&route.sale) else { continue };
        let shelf = item.and_then(|item| facts.item(route.sale, item).map(|facts| (item, facts)));
        let moved = shelf.filter(|_| change.units > 0).map(|(item, facts)| {
            let step = steps.entry((route.sale, item)).or_default();
            *step += 1;
            (facts.version + *step, change.units)
        });
        if !change.written.is_empty() {
            rows.push(Sink::Gate, *place, &sale.id, moved, &holds(&change.written));
        }
        if !change.repeated.is_empty() {
            rows.push(Sink::Gate, *place, &sale.id, None, &holds(&change.repeated));
        }
        if !change.written.is_empty() {
            let message = EventMessage {
                schema: EVENT_SCHEMA,
                sale: sale.id.clone(),
                item: shelf.map(|(_, facts)| facts.id.clone()),
                events: change.written.iter().map(|order| order.event()).collect(),
            };
            rows.push(Sink::Events, *place, &sale.id, None, &message);
        }
    }
    if rows.sink.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(INSERT)
        .bind(rows.sink)
        .bind(rows.sale)
        .bind(rows.number)
        .bind(rows.shard)
        .bind(rows.position)
        .bind(rows.version)
        .bind(rows.units)
        .bind(rows.body);
    session.write("insert_outbox", query).await?;
    Ok(())
}

fn holds(orders: &[&Order]) -> Vec<Hold> {
    orders.iter().map(|order| order.hold()).collect()
}
