//! The two ends of an unpaid order: its buyer cancels it, or its time is over.

use domain::ports::Cancelled;
use domain::{BuyerId, ItemIndex, JobId, OrderStatus, SaleNumber};
use futures_util::FutureExt as _;

use tracing::warn;

use super::order::{self, CANCEL};
use super::shelf::{Change, Shelf};
use crate::postgres::Postgres;
use crate::postgres::failure::Failure;
use crate::postgres::orders::view;
use crate::postgres::rows::{Order, OrderLine, item_index, order_columns, sale_number};
use crate::postgres::session::Session;

/// Orders ended by one transaction: what the gate takes in one call, and a lock on the item for a few milliseconds.
const CHUNK_MAX: usize = domain::ports::HOLD_MAX;

/// Items that have an order whose time is over, the longest waiting first. Only those that hold unpaid units are asked.
pub(in crate::postgres) const DUE_ITEMS: &str = "
    select s.number, i.position
    from sale_items i join sales s on s.id = i.sale_id
    cross join lateral (
        select o.expires_at
        from orders o
        where o.sale_id = i.sale_id and o.item_id = i.item_id and o.status = 'pending_payment'
        order by o.expires_at
        limit 1) as first
    where i.sold > i.paid and first.expires_at <= now()
    order by first.expires_at
    limit $1";

/// An array, so that the rows are always found by their key. Nobody else should have one of them, since the item is
/// ours; but if somebody has, the rest does not wait.
pub(in crate::postgres) const EXPIRE: &str = concat!(
    "update orders o
     set status = 'expired', rev = o.rev + 1, seq = o.seq + 1, updated_at = now()
     from sale_items i
     where i.sale_id = $1 and i.item_id = $2 and o.status = 'pending_payment'
       and o.id = any(array(
           select due.id
           from orders due
           where due.sale_id = $1 and due.item_id = $2 and due.status = 'pending_payment' and due.expires_at <= now()
           order by due.expires_at
           limit $3
           for update skip locked))
     returning ",
    order_columns!()
);

pub(super) async fn cancel(mut session: Session<'_>, job: JobId, buyer: BuyerId) -> Result<Option<Cancelled>, Failure> {
    let order = order::find(&mut session, job).await?.filter(|order| order.buyer.as_ref() == Some(&buyer));
    let Some(order) = order else { return Ok(None) };
    if let (OrderStatus::PendingPayment, Some(item)) = (order.status, order.item) {
        let shelf = Shelf::lock(&mut session, job.route().sale, item).await?;
        if let Some(order) = order::moved(&mut session, job, CANCEL, shelf.counted).await? {
            shelf.change(&mut session, Change::Ended, &[order]).await?;
        }
    }
    let view = view(&mut session, job, &buyer).await?;
    Ok(view.map(|view| match view.status {
        OrderStatus::Cancelled => Cancelled::Done(view),
        _ => Cancelled::TooLate(view),
    }))
}

impl Postgres {
    /// See `OrderLife::expire`. One item at a time: several callers at the same item take turns.
    pub(super) async fn expire_due(&self, limit: usize) -> Result<usize, Failure> {
        let query = sqlx::query_as(DUE_ITEMS).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let items: Vec<(i32, i16)> =
            self.database.read(|mut session| async move { session.all("due_items", query).await }.boxed()).await?;
        let (mut ended, mut failure) = (0, None);
        for (number, position) in items {
            let place = (sale_number(number)?, item_index(position)?);
            while ended < limit {
                let chunk = CHUNK_MAX.min(limit - ended);
                let ask = (place.0, place.1, chunk);
                let work = self
                    .persist("expire", &ask, |session, (sale, item, chunk)| expire(session, sale, item, chunk).boxed());
                // An item that somebody keeps locked does not keep back those of other sales.
                let some = match work.await {
                    Ok(some) => some,
                    Err(why) => {
                        warn!(sale = number, position, ?why, "the deadlines of an item could not be looked at");
                        failure = Some(why);
                        break;
                    }
                };
                ended += some;
                if some < chunk {
                    break;
                }
            }
        }
        match failure {
            Some(why) if ended == 0 => Err(why),
            _ => Ok(ended),
        }
    }
}

async fn expire(mut session: Session<'_>, sale: SaleNumber, item: ItemIndex, limit: usize) -> Result<usize, Failure> {
    let shelf = Shelf::lock(&mut session, sale, item).await?;
    let query = sqlx::query_as(EXPIRE)
        .bind(shelf.sale.as_str())
        .bind(shelf.item.as_str())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let lines: Vec<OrderLine> = session.all("expire_orders", query).await?;
    let orders = lines.into_iter().map(Order::try_from).collect::<Result<Vec<_>, _>>()?;
    shelf.change(&mut session, Change::Ended, &orders).await?;
    Ok(orders.len())
}
