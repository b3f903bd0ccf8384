//! The port `OrderArchive`: what operators read. It must not hold up what sells, so no look is longer than its limit.

use async_trait::async_trait;
use domain::ports::{OrderArchive, OrderEntry, OrderHistory, OrderPage, Outage, PaymentEntry};
use domain::{JobId, Money, OrderStatus, RefundReason, SaleId, Timestamp};
use futures_util::FutureExt as _;
use uuid::Uuid;

use super::Postgres;
use super::failure::Failure;
use super::rows::{ViewLine, buyer, currency, payment_state, view_columns};

/// Rows that one look passes over for those of a status. Reading so many takes some ten milliseconds.
const LOOK_MAX: i64 = 20_000;

/// The columns of an [`EntryLine`], from `orders o`.
macro_rules! entry_columns {
    () => {
        concat!(
            view_columns!(),
            ", o.buyer_id, o.admitted_at, o.updated_at,
             (select p.updated_at from payments p where p.order_id = o.id and p.state = 'settled') as paid_at"
        )
    };
}

/// Along the index of a sale's orders, and never further than `$3` rows of it. In an order that only this index has, as
/// [`super::sales::HOLDS`] is: else the planner takes the primary key, past the orders of all other sales.
pub(super) const PAGE: &str = concat!(
    "select ",
    entry_columns!(),
    " from (select * from orders where (sale_id, id) > ($1, $2) and sale_id <= $1 order by sale_id, id limit $3) o
     where $4::text is null or o.status = $4
     order by o.sale_id, o.id
     limit $5"
);

/// The last row that a look has passed over, if it went as far as it may.
pub(super) const END_OF_LOOK: &str = "
    select id
    from orders
    where (sale_id, id) > ($1, $2) and sale_id <= $1
    order by sale_id, id
    offset $3 - 1
    limit 1";

const ENTRY: &str = concat!("select ", entry_columns!(), " from orders o where o.id = $1");

const PAYMENTS: &str = "
    select id, amount, currency, state, reason, received_at, updated_at
    from payments
    where order_id = $1
    order by received_at, id
    limit 100";

#[derive(sqlx::FromRow)]
struct EntryLine {
    #[sqlx(flatten)]
    view: ViewLine,
    buyer_id: Option<String>,
    admitted_at: Option<Timestamp>,
    updated_at: Timestamp,
    paid_at: Option<Timestamp>,
}

impl TryFrom<EntryLine> for OrderEntry {
    type Error = Failure;

    fn try_from(line: EntryLine) -> Result<Self, Failure> {
        let EntryLine { view, buyer_id, admitted_at, updated_at, paid_at } = line;
        Ok(Self { order: view.try_into()?, buyer: buyer_id.map(buyer).transpose()?, admitted_at, paid_at, updated_at })
    }
}

#[derive(sqlx::FromRow)]
struct PaymentLine {
    id: String,
    amount: i64,
    currency: String,
    state: String,
    reason: Option<String>,
    received_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<PaymentLine> for PaymentEntry {
    type Error = Failure;

    fn try_from(line: PaymentLine) -> Result<Self, Failure> {
        Ok(Self {
            payment: line.id.try_into().map_err(Failure::unreadable)?,
            amount: Money { amount: line.amount, currency: currency(line.currency)? },
            state: payment_state(&line.state)?,
            reason: line.reason.as_deref().and_then(RefundReason::from_word),
            received_at: line.received_at,
            updated_at: line.updated_at,
        })
    }
}

#[async_trait]
impl OrderArchive for Postgres {
    async fn page(
        &self,
        sale: &SaleId,
        status: Option<OrderStatus>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<OrderPage, Outage> {
        let (sale, after) = (String::from(sale.clone()), after.map_or(Uuid::nil(), JobId::uuid));
        let limit = i64::try_from(limit).unwrap_or(LOOK_MAX).clamp(1, LOOK_MAX);
        let look = if status.is_some() { LOOK_MAX } else { limit };
        let read = self.database.read(move |mut session| {
            async move {
                let status = status.map(OrderStatus::as_str);
                let page = sqlx::query_as(PAGE).bind(sale.clone()).bind(after).bind(look).bind(status).bind(limit);
                let lines: Vec<EntryLine> = session.all("orders_page", page).await?;
                let full = lines.len() as i64 == limit;
                let orders = lines.into_iter().map(OrderEntry::try_from).collect::<Result<Vec<_>, _>>()?;
                let next = match orders.last() {
                    Some(last) if full => Some(last.order.order),
                    _ if status.is_none() => None,
                    _ => {
                        let end = sqlx::query_as(END_OF_LOOK).bind(sale).bind(after).bind(look);
                        let end: Option<(Uuid,)> = session.one("orders_end_of_look", end).await?;
                        end.map(|(id,)| id.try_into().map_err(Failure::unreadable)).transpose()?
                    }
                };
                Ok(OrderPage { orders, next })
            }
            .boxed()
        });
        Ok(read.await?)
    }

    async fn history(&self, order: JobId) -> Result<OrderHistory, Outage> {
        let id = order.uuid();
        let read = self.database.read(move |mut session| {
            async move {
                let entry: Option<EntryLine> = session.one("order_entry", sqlx::query_as(ENTRY).bind(id)).await?;
                let payments = sqlx::query_as(PAYMENTS).bind(id);
                let payments: Vec<PaymentLine> = session.all("order_payments", payments).await?;
                let payments = payments.into_iter().map(PaymentEntry::try_from).collect::<Result<_, _>>()?;
                Ok(OrderHistory { entry: entry.map(OrderEntry::try_from).transpose()?, payments })
            }
            .boxed()
        });
        Ok(read.await?)
    }
}
