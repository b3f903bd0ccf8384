//! The port `Accountant`: what the orders of a sale add up to. Reads all of them, so it is asked by people only.

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{Accountant, Outage};
use domain::{Accounts, ItemAccounts, SaleNumber};
use futures_util::FutureExt as _;

use super::Postgres;
use super::failure::Failure;
use super::rows::item_id;
use super::session::Session;

/// A million orders take some two seconds.
const PATIENCE: Duration = Duration::from_secs(30);

const ITEMS: &str = "
    select i.item_id, i.stock,
           coalesce(sum(o.quantity) filter (where o.status = 'paid'), 0)::bigint as paid,
           coalesce(sum(o.quantity) filter (where o.status = 'pending_payment'), 0)::bigint as unpaid,
           coalesce(sum(o.quantity) filter (where o.status in ('expired', 'cancelled')), 0)::bigint as returned,
           coalesce(sum(o.amount) filter (where o.status = 'paid'), 0)::bigint as revenue
    from sales s join sale_items i on i.sale_id = s.id
    left join orders o on o.sale_id = s.id and o.item_id = i.item_id
    where s.number = $1
    group by i.position, i.item_id, i.stock
    order by i.position";

const ORDERS: &str = "
    select count(distinct o.buyer_id) filter (where o.status in ('pending_payment', 'paid')),
           count(*) filter (where o.status = 'expired'),
           count(*) filter (where o.status = 'cancelled'),
           count(*) filter (where o.status = 'rejected')
    from orders o
    where o.sale_id = (select id from sales where number = $1)";

const REFUNDED: &str = "
    select count(*)
    from payments p join orders o on o.id = p.order_id
    where p.state = 'refunded' and o.sale_id = (select id from sales where number = $1)";

#[derive(sqlx::FromRow)]
struct ItemLine {
    item_id: String,
    stock: i64,
    paid: i64,
    unpaid: i64,
    returned: i64,
    revenue: i64,
}

impl TryFrom<ItemLine> for ItemAccounts {
    type Error = Failure;

    fn try_from(line: ItemLine) -> Result<Self, Failure> {
        let ItemLine { item_id: item, stock, paid, unpaid, returned, revenue } = line;
        Ok(Self { item: item_id(item)?, stock, paid, unpaid, returned, revenue })
    }
}

#[async_trait]
impl Accountant for Postgres {
    async fn accounts(&self, sale: SaleNumber) -> Result<Option<Accounts>, Outage> {
        let number = sale.get().cast_signed();
        Ok(self.database.transaction("accounts", move |session| read(session, number).boxed()).await?)
    }
}

async fn read(mut session: Session<'_>, number: i32) -> Result<Option<Accounts>, Failure> {
    // One snapshot for the three of them.
    let snapshot = sqlx::query("set transaction isolation level repeatable read, read only");
    session.write("accounts_begin", snapshot).await?;
    session.take_time(PATIENCE).await?;
    let lines: Vec<ItemLine> = session.all("accounts_items", sqlx::query_as(ITEMS).bind(number)).await?;
    if lines.is_empty() {
        return Ok(None);
    }
    let orders = sqlx::query_as(ORDERS).bind(number);
    let orders: Option<(i64, i64, i64, i64)> = session.one("accounts_orders", orders).await?;
    let (buyers, expired, cancelled, rejected) = orders.unwrap_or_default();
    let refunded: Option<(i64,)> = session.one("accounts_refunded", sqlx::query_as(REFUNDED).bind(number)).await?;
    Ok(Some(Accounts {
        items: lines.into_iter().map(ItemAccounts::try_from).collect::<Result<_, _>>()?,
        buyers: buyers.unsigned_abs(),
        expired: expired.unsigned_abs(),
        cancelled: cancelled.unsigned_abs(),
        rejected: rejected.unsigned_abs(),
        refunded: refunded.map_or(0, |(payments,)| payments.unsigned_abs()),
    }))
}
