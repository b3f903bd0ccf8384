//! The outbox table: what was written with an order and has to reach someone else, in order, per sink.

use std::collections::{BTreeMap, VecDeque};

use chrono::TimeDelta;
use domain::ports::{OutboxRow, Sink};
use domain::{EventMessage, Hold, ItemIndex, OrderEvent, Route, Sale, SaleNumber, StockEffect, Timestamp};
use serde::Serialize;

/// Delivered rows removed by one sweep.
const SWEEP_MAX: usize = 10_000;

/// What one transaction wrote for one item.
#[derive(Default)]
pub(super) struct Written {
    pub(super) holds: Vec<Hold>,
    pub(super) events: Vec<OrderEvent>,
    /// Effects sent again, which change nothing here.
    pub(super) repeats: Vec<Hold>,
    /// Change of the item's held units.
    pub(super) units: i64,
}

/// How far an item moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    /// Units in live orders.
    pub(super) units: i64,
    /// Its stock.
    pub(super) stock: i64,
}

/// A row that waits.
struct Waiting {
    row: OutboxRow,
    moved: Moved,
    written_at: Timestamp,
}

/// What is remembered of a delivered row until it is swept: enough to take books at a version.
struct Delivered {
    change: Option<Change>,
    delivered_at: Timestamp,
}

/// An item's units or its stock changed at a version.
#[derive(Clone, Copy)]
struct Change {
    sale: SaleNumber,
    item: ItemIndex,
    version: i64,
    moved: Moved,
}

/// Both sinks.
#[derive(Default)]
pub(super) struct OutboxTable {
    last_id: i64,
    gate: SinkRows,
    events: SinkRows,
}

#[derive(Default)]
struct SinkRows {
    waiting: BTreeMap<i64, Waiting>,
    /// In the order of delivery.
    delivered: VecDeque<Delivered>,
}

impl Waiting {
    fn change(&self) -> Option<Change> {
        let (item, version) = self.row.version?;
        Some(Change { sale: self.row.route.sale, item, version, moved: self.moved })
    }
}

impl OutboxTable {
    /// One row for the gate and one for the world; repeated effects follow in a row of their own, without a version.
    pub(super) fn write(
        &mut self,
        route: Route,
        sale: &Sale,
        item: Option<ItemIndex>,
        version: Option<(ItemIndex, i64)>,
        written: Written,
        now: Timestamp,
    ) {
        let Written { holds, events, repeats, units } = written;
        let moved = Moved { units, stock: 0 };
        if !holds.is_empty() {
            self.push(Sink::Gate, route, sale, version, moved, &holds, now);
        }
        if !repeats.is_empty() {
            self.push(Sink::Gate, route, sale, None, Moved::default(), &repeats, now);
        }
        if !events.is_empty() {
            let item = item.and_then(|item| sale.item_at(item)).map(|item| item.id.clone());
            let message = EventMessage { schema: 1, sale: sale.id.clone(), item, events };
            self.push(Sink::Events, route, sale, None, Moved::default(), &message, now);
        }
    }

    /// A row for the gate about an item's stock, which moved by `delta` if it has a version.
    pub(super) fn write_stock(
        &mut self,
        sale: &Sale,
        effect: &StockEffect,
        version: Option<i64>,
        delta: i64,
        now: Timestamp,
    ) {
        let version = version.map(|version| (effect.item, version));
        self.push(Sink::Gate, sale.route(), sale, version, Moved { units: 0, stock: delta }, effect, now);
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row")]
    fn push(
        &mut self,
        sink: Sink,
        route: Route,
        sale: &Sale,
        version: Option<(ItemIndex, i64)>,
        moved: Moved,
        body: &impl Serialize,
        now: Timestamp,
    ) {
        self.last_id += 1;
        let id = self.last_id;
        let body = serde_json::to_string(body).expect("effects and events are plain data");
        let row = OutboxRow { id, route, sale: sale.id.clone(), version, body };
        self.rows_mut(sink).waiting.insert(id, Waiting { row, moved, written_at: now });
    }

    /// The oldest rows that wait.
    pub(super) fn oldest(&self, sink: Sink, limit: usize) -> Vec<OutboxRow> {
        self.rows(sink).waiting.values().take(limit).map(|waiting| waiting.row.clone()).collect()
    }

    /// Notes that these rows arrived; answers how many of them were waiting.
    pub(super) fn delivered(&mut self, sink: Sink, ids: &[i64], now: Timestamp) -> usize {
        let rows = self.rows_mut(sink);
        let arrived: Vec<Waiting> = ids.iter().filter_map(|id| rows.waiting.remove(id)).collect();
        let notes = arrived.iter().map(|waiting| Delivered { change: waiting.change(), delivered_at: now });
        rows.delivered.extend(notes);
        arrived.len()
    }

    /// Rows that wait, and the age of the oldest in seconds.
    pub(super) fn backlog(&self, sink: Sink, now: Timestamp) -> (u64, f64) {
        let waiting = &self.rows(sink).waiting;
        let oldest = waiting.values().next().map(|waiting| now - waiting.written_at);
        let age_s = oldest.map_or(0.0, |age| age.num_milliseconds().max(0) as f64 / 1000.0);
        (waiting.len() as u64, age_s)
    }

    /// Does anything of this sale wait?
    pub(super) fn waits_for(&self, sale: SaleNumber) -> bool {
        let waiting = self.gate.waiting.values().chain(self.events.waiting.values());
        waiting.into_iter().any(|waiting| waiting.row.route.sale == sale)
    }

    /// Forgets delivered rows; answers how many.
    pub(super) fn sweep(&mut self, older_than: TimeDelta, now: Timestamp) -> u64 {
        let mut swept = 0;
        for rows in [&mut self.gate, &mut self.events] {
            while swept < SWEEP_MAX && rows.delivered.front().is_some_and(|row| row.delivered_at + older_than < now) {
                rows.delivered.pop_front();
                swept += 1;
            }
        }
        swept as u64
    }

    /// Change of an item by rows of a later version than `seen`, whether they were delivered or not.
    pub(super) fn after(&self, sale: SaleNumber, item: ItemIndex, seen: i64) -> Moved {
        let waiting = self.gate.waiting.values().filter_map(Waiting::change);
        let delivered = self.gate.delivered.iter().filter_map(|row| row.change);
        waiting
            .chain(delivered)
            .filter(|change| change.sale == sale && change.item == item && change.version > seen)
            .map(|change| change.moved)
            .fold(Moved::default(), |sum, one| Moved { units: sum.units + one.units, stock: sum.stock + one.stock })
    }

    fn rows(&self, sink: Sink) -> &SinkRows {
        match sink {
            Sink::Gate => &self.gate,
            Sink::Events => &self.events,
        }
    }

    fn rows_mut(&mut self, sink: Sink) -> &mut SinkRows {
        match sink {
            Sink::Gate => &mut self.gate,
            Sink::Events => &mut self.events,
        }
    }
}
