//! Rows of the outbox, written in the transaction that they tell of.

use domain::ports::Sink;
use domain::{EventMessage, Hold, ItemId, ItemIndex, OrderEvent, Route, SaleId};
use serde::Serialize;

use super::failure::Failure;
use super::rows::Order;
use super::session::Session;

/// Version of an event message's layout.
const EVENT_SCHEMA: u8 = 1;

/// Ids are given in the order of the arrays, after the items were locked: per item, their order is that of commits.
const INSERT: &str = "
    insert into outbox (sink, sale_id, sale_number, shard, item_position, version, units_delta, stock_delta, body)
    select * from unnest($1::text[], $2::text[], $3::integer[], $4::smallint[], $5::smallint[], $6::bigint[],
                         $7::bigint[], $8::bigint[], $9::text[])";

/// A change of an item, and its version after that.
#[derive(Clone, Copy, Default)]
pub(super) struct Moved {
    pub(super) version: i64,
    /// Change of the units in live orders.
    pub(super) units: i64,
    /// Change of the stock.
    pub(super) stock: i64,
}

/// What one transaction tells the gate and the world.
#[derive(Default)]
pub(super) struct Rows<'f> {
    sink: Vec<&'static str>,
    sale: Vec<&'f str>,
    number: Vec<i32>,
    shard: Vec<i16>,
    position: Vec<Option<i16>>,
    version: Vec<Option<i64>>,
    units: Vec<i64>,
    stock: Vec<i64>,
    body: Vec<String>,
}

impl<'f> Rows<'f> {
    /// An effect for the gate; `moved` where the item's units or stock changed with it.
    pub(super) fn effect(
        &mut self,
        place: (Route, Option<ItemIndex>),
        sale: &'f SaleId,
        moved: Option<Moved>,
        effect: &impl Serialize,
    ) {
        self.push(Sink::Gate, place, sale, moved, effect);
    }

    /// Events of one item, for the world.
    pub(super) fn events(
        &mut self,
        place: (Route, Option<ItemIndex>),
        sale: &'f SaleId,
        item: Option<&ItemId>,
        events: Vec<OrderEvent>,
    ) {
        let message = EventMessage { schema: EVENT_SCHEMA, sale: sale.clone(), item: item.cloned(), events };
        self.push(Sink::Events, place, sale, None, &message);
    }

    fn push(
        &mut self,
        sink: Sink,
        (route, item): (Route, Option<ItemIndex>),
        sale: &'f SaleId,
        moved: Option<Moved>,
        body: &impl Serialize,
    ) {
        self.sink.push(sink.as_str());
        self.sale.push(sale.as_str());
        self.number.push(route.sale.get().cast_signed());
        self.shard.push(i16::from(route.shard.get()));
        self.position.push(item.map(|item| i16::from(item.get())));
        self.version.push(moved.map(|moved| moved.version));
        self.units.push(moved.map_or(0, |moved| moved.units));
        self.stock.push(moved.map_or(0, |moved| moved.stock));
        self.body.push(serde_json::to_string(body).expect("effects and events are plain data"));
    }

    pub(super) async fn write(self, session: &mut Session<'_>) -> Result<(), Failure> {
        if self.sink.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(INSERT)
            .bind(self.sink)
            .bind(self.sale)
            .bind(self.number)
            .bind(self.shard)
            .bind(self.position)
            .bind(self.version)
            .bind(self.units)
            .bind(self.stock)
            .bind(self.body);
        session.write("insert_outbox", query).await?;
        Ok(())
    }
}

/// As the gate takes them, in order: the body of one effect.
pub(super) fn holds<'o>(orders: impl IntoIterator<Item = &'o Order>) -> Vec<Hold> {
    orders.into_iter().map(Order::hold).collect()
}

/// As the world hears of them, in order.
pub(super) fn events<'o>(orders: impl IntoIterator<Item = &'o Order>) -> Vec<OrderEvent> {
    orders.into_iter().map(Order::event).collect()
}
