//! The port `OrderStore`: writing is [`super::place`]'s, reading is here.

use async_trait::async_trait;
use domain::ports::{OrderStore, Outage, PlaceError, Placement, Unplaced};
use domain::{BuyerId, Hold, ItemTotals, JobId, OrderView, RefusedReason, Reservation, SaleId, SaleNumber, Timestamp};
use futures_util::FutureExt as _;

use super::Postgres;
use super::failure::Failure;
use super::rows::{Order, OrderLine, ViewLine, item_id, select_orders, select_views};
use super::session::Session;

const HOLD: &str = select_orders!("where o.id = $1");

const ORDER: &str = select_views!("where o.id = $1 and o.buyer_id = $2");

/// A buyer's orders are in two indexes, each asked in its own words.
macro_rules! select_own {
    ($asked:literal) => {
        concat!(
            select_views!(""),
            $asked,
            " and (o.exclusive and o.status in ('pending_payment', 'paid')) union all ",
            select_views!(""),
            $asked,
            " and not (o.exclusive and o.status in ('pending_payment', 'paid'))
             order by created_at desc, id desc
             limit 100"
        )
    };
}

/// Two statements, so that each is planned for what it is asked.
pub(super) const ORDERS_OF: &str = select_own!("where o.buyer_id = $1");

const ORDERS_OF_IN_SALE: &str = select_own!("where o.buyer_id = $1 and o.sale_id = $2");

/// One statement is one snapshot. Held and paid units are kept with the item, so nothing is summed over orders.
pub(super) const TOTALS: &str = "
    select i.item_id, i.stock - after.stock as stock, i.sold - i.paid as held, i.paid, after.units as after,
           (select o.expires_at
            from orders o
            where o.sale_id = i.sale_id and o.item_id = i.item_id and o.status = 'pending_payment' and i.sold > i.paid
            order by o.expires_at desc
            limit 1) as held_until
    from sales s join sale_items i on i.sale_id = s.id
    cross join lateral (
        select coalesce(sum(b.units_delta), 0)::bigint as units, coalesce(sum(b.stock_delta), 0)::bigint as stock
        from outbox b
        where b.sink = 'gate' and b.version is not null
          and b.sale_id = i.sale_id and b.item_position = i.position
          and b.version > coalesce(($2::bigint[])[i.position + 1], 0)) as after
    where s.number = $1
    order by i.position";

#[derive(sqlx::FromRow)]
struct TotalsLine {
    item_id: String,
    stock: i64,
    held: i64,
    paid: i64,
    after: i64,
    held_until: Option<Timestamp>,
}

impl TryFrom<TotalsLine> for ItemTotals {
    type Error = Failure;

    fn try_from(line: TotalsLine) -> Result<Self, Failure> {
        let TotalsLine { item_id: item, stock, held, paid, after, held_until } = line;
        Ok(Self { item: item_id(item)?, stock, held, paid, after, held_until })
    }
}

/// One order as its owner sees it, within a transaction.
pub(super) async fn view(
    session: &mut Session<'_>,
    order: JobId,
    buyer: &BuyerId,
) -> Result<Option<OrderView>, Failure> {
    let query = sqlx::query_as(ORDER).bind(order.uuid()).bind(buyer.as_str());
    let line: Option<ViewLine> = session.one("order", query).await?;
    line.map(OrderView::try_from).transpose()
}

#[async_trait]
impl OrderStore for Postgres {
    async fn place(&self, batch: &[Reservation]) -> Result<Vec<Placement>, PlaceError> {
        self.place_batch(batch).await
    }

    async fn refuse(&self, jobs: &[Unplaced], reason: RefusedReason) -> Result<Vec<Placement>, Outage> {
        self.refuse_jobs(jobs, reason).await
    }

    async fn hold(&self, job: JobId) -> Result<Option<Hold>, Outage> {
        let query = sqlx::query_as(HOLD).bind(job.uuid());
        let line: Option<OrderLine> =
            self.database.read(|mut session| async move { session.one("hold", query).await }.boxed()).await?;
        Ok(line.map(Order::try_from).transpose()?.map(|order| order.hold()))
    }

    async fn order(&self, order: JobId, buyer: &BuyerId) -> Result<Option<OrderView>, Outage> {
        let buyer = buyer.clone();
        let found =
            self.database.read(move |mut session| async move { view(&mut session, order, &buyer).await }.boxed());
        Ok(found.await?)
    }

    async fn orders_of(&self, buyer: &BuyerId, sale: Option<&SaleId>) -> Result<Vec<OrderView>, Outage> {
        let buyer = String::from(buyer.clone());
        let query = match sale {
            Some(sale) => sqlx::query_as(ORDERS_OF_IN_SALE).bind(buyer).bind(String::from(sale.clone())),
            None => sqlx::query_as(ORDERS_OF).bind(buyer),
        };
        let lines: Vec<ViewLine> =
            self.database.read(|mut session| async move { session.all("orders_of", query).await }.boxed()).await?;
        let views: Result<Vec<OrderView>, Failure> = lines.into_iter().map(OrderView::try_from).collect();
        Ok(views?)
    }

    async fn totals(&self, sale: SaleNumber, seen: &[i64]) -> Result<Vec<ItemTotals>, Outage> {
        let query = sqlx::query_as(TOTALS).bind(sale.get().cast_signed()).bind(seen.to_vec());
        let lines: Vec<TotalsLine> =
            self.database.read(|mut session| async move { session.all("totals", query).await }.boxed()).await?;
        let totals: Result<Vec<ItemTotals>, Failure> = lines.into_iter().map(ItemTotals::try_from).collect();
        Ok(totals?)
    }
}
