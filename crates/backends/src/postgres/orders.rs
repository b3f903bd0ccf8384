//! The port `OrderStore`: writing is [`super::place`]'s, reading is here.

use async_trait::async_trait;
use domain::ports::{OrderStore, Outage, PlaceError, Placement, Unplaced};
use domain::{BuyerId, ItemTotals, JobId, OrderView, RefusedReason, Reservation, SaleId, SaleNumber};
use futures_util::FutureExt as _;

use super::Postgres;
use super::failure::Failure;
use super::rows::{ViewLine, item_id};

const ORDER: &str = "
    select id, sale_id, item_id, quantity, amount, currency, status, reason, created_at, expires_at
    from orders
    where id = $1 and buyer_id = $2";

/// Two statements, so that each is planned for what it is asked.
const ORDERS_OF: &str = "
    select id, sale_id, item_id, quantity, amount, currency, status, reason, created_at, expires_at
    from orders
    where buyer_id = $1
    order by created_at desc, id desc
    limit 100";

const ORDERS_OF_IN_SALE: &str = "
    select id, sale_id, item_id, quantity, amount, currency, status, reason, created_at, expires_at
    from orders
    where buyer_id = $1 and sale_id = $2
    order by created_at desc, id desc
    limit 100";

/// One statement is one snapshot. Held and paid units are kept with the item, so nothing is summed over orders.
const TOTALS: &str = "
    select i.item_id, i.stock, i.sold - i.paid, i.paid,
           (select coalesce(sum(o.units_delta), 0)
            from outbox o
            where o.sink = 'gate' and o.version is not null
              and o.sale_id = i.sale_id and o.item_position = i.position
              and o.version > coalesce(($2::bigint[])[i.position + 1], 0))::bigint
    from sales s join sale_items i on i.sale_id = s.id
    where s.number = $1
    order by i.position";

#[async_trait]
impl OrderStore for Postgres {
    async fn place(&self, batch: &[Reservation]) -> Result<Vec<Placement>, PlaceError> {
        self.place_batch(batch).await
    }

    async fn refuse(&self, jobs: &[Unplaced], reason: RefusedReason) -> Result<(), Outage> {
        self.refuse_jobs(jobs, reason).await
    }

    async fn order(&self, order: JobId, buyer: &BuyerId) -> Result<Option<OrderView>, Outage> {
        let query = sqlx::query_as(ORDER).bind(order.uuid()).bind(String::from(buyer.clone()));
        let line: Option<ViewLine> =
            self.database.read(|mut session| async move { session.one("order", query).await }.boxed()).await?;
        Ok(line.map(OrderView::try_from).transpose()?)
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
        let lines: Vec<(String, i64, i64, i64, i64)> =
            self.database.read(|mut session| async move { session.all("totals", query).await }.boxed()).await?;
        let totals: Result<Vec<ItemTotals>, Failure> = lines
            .into_iter()
            .map(|(item, stock, held, paid, after)| {
                Ok(ItemTotals { item: item_id(item)?, stock, held, paid, after, held_until: None })
            })
            .collect();
        Ok(totals?)
    }
}
