//! An item under its lock: its books, its buyers' allowances, and what is told when its orders move.

use std::collections::BTreeMap;

use domain::{BuyerId, ItemId, ItemIndex, Route, SaleId, SaleNumber};

use crate::postgres::failure::Failure;
use crate::postgres::outbox::{Moved, Rows, events, holds};
use crate::postgres::rows::{Order, item_id, sale_id};
use crate::postgres::session::Session;

const LOCK: &str = "
    select true from sale_items where sale_id = (select id from sales where number = $1) and position = $2 for update";

/// A statement of its own, after the lock: the sale's limit may have been what changed.
const READ: &str = "
    select s.id as sale_id, i.item_id, i.stock, i.sold, i.version, s.limit_per_buyer, s.counted
    from sales s join sale_items i on i.sale_id = s.id
    where s.number = $1 and i.position = $2";

const MOVE: &str = "
    update sale_items set sold = sold + $3, paid = paid + $4, version = version + $5
    where sale_id = $1 and item_id = $2";

/// Rows are locked in the order in which placing locks them.
const GIVE_BACK: &str = r#"
    with change as (
        select * from unnest($2::text[], $3::integer[]) as change (buyer_id, units)
    ), locked as (
        -- By the whole key: a join may be planned to read all buyers of the sale.
        select buyer_id from allowances
        where sale_id = $1 and buyer_id = any($2)
        order by buyer_id collate "C"
        for update
    )
    update allowances a
    set units = a.units - change.units
    from change join locked using (buyer_id)
    where a.sale_id = $1 and a.buyer_id = change.buyer_id"#;

/// As placing does it.
const TAKE: &str = "
    insert into allowances as a (sale_id, buyer_id, units) values ($1, $2, $3)
    on conflict (sale_id, buyer_id) do update set units = a.units + excluded.units
    where a.units + excluded.units <= $4";

const HOLDS_ONE: &str = "
    select true from orders
    where sale_id = $1 and buyer_id = $2 and exclusive and status in ('pending_payment', 'paid')";

#[derive(sqlx::FromRow)]
struct Line {
    sale_id: String,
    item_id: String,
    stock: i64,
    sold: i64,
    version: i64,
    limit_per_buyer: i32,
    counted: bool,
}

/// An item that nobody else changes until the transaction ends.
pub(super) struct Shelf {
    pub(super) sale: SaleId,
    pub(super) item: ItemId,
    /// Are allowances counted in rows? If not, the limit is 1 and a unique index keeps it.
    pub(super) counted: bool,
    index: ItemIndex,
    stock: i64,
    sold: i64,
    version: i64,
    limit: i32,
}

/// What happened to orders of an item, all to the same end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// They are paid. The gate knows their units already.
    Paid,
    /// They were cancelled or have expired.
    Ended,
    /// An expired one is paid after all. The allowance has been taken.
    Rebooked,
    /// An expired one stays that, under a new revision.
    Stayed,
}

impl Shelf {
    pub(super) async fn lock(session: &mut Session<'_>, sale: SaleNumber, index: ItemIndex) -> Result<Self, Failure> {
        let (number, position) = (sale.get().cast_signed(), i16::from(index.get()));
        session.all::<(bool,)>("lock_item", sqlx::query_as(LOCK).bind(number).bind(position)).await?;
        let line: Option<Line> = session.one("read_item", sqlx::query_as(READ).bind(number).bind(position)).await?;
        let line = line.ok_or_else(|| Failure::unreadable(format_args!("sale {number} without item {position}")))?;
        Ok(Self {
            sale: sale_id(line.sale_id)?,
            item: item_id(line.item_id)?,
            counted: line.counted,
            index,
            stock: line.stock,
            sold: line.sold,
            version: line.version,
            limit: line.limit_per_buyer,
        })
    }

    /// Are so many units left in the stock?
    pub(super) fn has(&self, units: u16) -> bool {
        self.sold + i64::from(units) <= self.stock
    }

    /// Lets a buyer hold so many more units, if the limit allows it.
    pub(super) async fn allow(&self, session: &mut Session<'_>, buyer: &BuyerId, units: u16) -> Result<bool, Failure> {
        let units = i32::from(units);
        if units > self.limit {
            return Ok(false);
        }
        if self.counted {
            let query = sqlx::query(TAKE).bind(self.sale.as_str()).bind(buyer.as_str()).bind(units).bind(self.limit);
            return Ok(session.write("take_allowance", query).await? == 1);
        }
        let query = sqlx::query_as(HOLDS_ONE).bind(self.sale.as_str()).bind(buyer.as_str());
        Ok(session.one::<(bool,)>("read_holder", query).await?.is_none())
    }

    /// Moves the books after the rows of these orders were written, and tells the gate and the world.
    pub(super) async fn change(
        &self,
        session: &mut Session<'_>,
        change: Change,
        orders: &[Order],
    ) -> Result<(), Failure> {
        let mut by_route: BTreeMap<Route, Vec<&Order>> = BTreeMap::new();
        for order in orders {
            by_route.entry(order.job.route()).or_default().push(order);
        }
        let (mut units, mut steps, mut rows) = (0, 0, Rows::default());
        for (route, orders) in by_route {
            let place = (route, Some(self.index));
            let quantity: i64 = orders.iter().map(|order| i64::from(order.quantity)).sum();
            let delta = match change {
                Change::Paid | Change::Stayed => 0,
                Change::Ended => -quantity,
                Change::Rebooked => quantity,
            };
            units += delta;
            let moved = (delta != 0).then(|| {
                steps += 1;
                Moved { version: self.version + steps, units: delta, stock: 0 }
            });
            if change != Change::Paid {
                rows.effect(place, &self.sale, moved, &holds(orders.iter().copied()));
            }
            if change != Change::Stayed {
                rows.events(place, &self.sale, Some(&self.item), events(orders));
            }
        }
        let paid: i64 = match change {
            Change::Paid | Change::Rebooked => orders.iter().map(|order| i64::from(order.quantity)).sum(),
            Change::Ended | Change::Stayed => 0,
        };
        if (units, paid) != (0, 0) {
            let query = sqlx::query(MOVE).bind(self.sale.as_str()).bind(self.item.as_str());
            session.write("move_item", query.bind(units).bind(paid).bind(steps)).await?;
        }
        if change == Change::Ended && self.counted {
            self.give_back(session, orders).await?;
        }
        rows.write(session).await
    }

    async fn give_back(&self, session: &mut Session<'_>, orders: &[Order]) -> Result<(), Failure> {
        let mut sums: BTreeMap<&BuyerId, i32> = BTreeMap::new();
        for order in orders {
            if let Some(buyer) = &order.buyer {
                *sums.entry(buyer).or_default() += i32::from(order.quantity);
            }
        }
        let (buyers, units): (Vec<&str>, Vec<i32>) = sums.iter().map(|(buyer, units)| (buyer.as_str(), *units)).unzip();
        let query = sqlx::query(GIVE_BACK).bind(self.sale.as_str()).bind(&buyers).bind(units);
        if session.write("give_back_allowances", query).await? == buyers.len() as u64 {
            return Ok(());
        }
        Err(Failure::unreadable(format_args!("a buyer of sale {} with an order and without an allowance", self.sale)))
    }
}
