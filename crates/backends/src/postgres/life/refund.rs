//! Money that has to go back.

use domain::{JobId, Money, OrderEvent, PaymentId, Refund, RefundReason};
use futures_util::FutureExt as _;
use uuid::Uuid;

use crate::postgres::Postgres;
use crate::postgres::failure::Failure;
use crate::postgres::outbox::Rows;
use crate::postgres::rows::{Order, OrderLine, currency, item_id, order_columns, sale_id};
use crate::postgres::session::Session;

/// Nobody else gets them for 30 s, after which the provider is asked again.
pub(in crate::postgres) const CLAIM: &str = "
    update payments p
    set due_at = now() + interval '30 seconds', attempts = p.attempts + 1, updated_at = now()
    where p.state = 'refund_due' and p.id = any(array(
        select due.id
        from payments due
        where due.state = 'refund_due' and due.due_at <= now()
        order by due.due_at
        limit $1
        for update skip locked))
    returning p.id, p.order_id, p.amount, p.currency, p.reason";

const REFUNDED: &str = "
    update payments set state = 'refunded', updated_at = now()
    where id = $1 and state = 'refund_due'
    returning order_id";

/// No item is locked: units stay as they are, and the row's own lock keeps the order's events in order.
const ANNOUNCE: &str = concat!(
    "with o as (
         update orders set seq = seq + 1, updated_at = now() where id = $1 returning *
     )
     select o.sale_id, o.item_id, ",
    order_columns!(),
    " from o left join sale_items i on i.sale_id = o.sale_id and i.item_id = o.item_id"
);

/// The type of the event.
const KIND: &str = "order.refunded";

#[derive(sqlx::FromRow)]
struct Line {
    id: String,
    order_id: Uuid,
    amount: i64,
    currency: String,
    reason: Option<String>,
}

impl TryFrom<Line> for Refund {
    type Error = Failure;

    fn try_from(line: Line) -> Result<Self, Failure> {
        let reason = line.reason.as_deref().and_then(RefundReason::from_word);
        Ok(Self {
            payment: line.id.try_into().map_err(Failure::unreadable)?,
            order: line.order_id.try_into().map_err(Failure::unreadable)?,
            amount: Money { amount: line.amount, currency: currency(line.currency)? },
            reason: reason.ok_or_else(|| Failure::unreadable("the reason of a refund"))?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct Announced {
    sale_id: String,
    item_id: Option<String>,
    #[sqlx(flatten)]
    order: OrderLine,
}

impl Postgres {
    /// See `OrderLife::claim_refunds`.
    pub(super) async fn claim_due_refunds(&self, limit: usize) -> Result<Vec<Refund>, Failure> {
        let query = sqlx::query_as(CLAIM).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let lines: Vec<Line> =
            self.database.read(|mut session| async move { session.all("claim_refunds", query).await }.boxed()).await?;
        lines.into_iter().map(Refund::try_from).collect()
    }
}

/// See `OrderLife::note_refunded`.
pub(super) async fn note(mut session: Session<'_>, payment: PaymentId) -> Result<(), Failure> {
    let order: Option<(Uuid,)> = session.one("note_refunded", sqlx::query_as(REFUNDED).bind(payment.as_str())).await?;
    let Some((order,)) = order else { return Ok(()) };
    let line: Option<Announced> = session.one("announce_refund", sqlx::query_as(ANNOUNCE).bind(order)).await?;
    let Some(line) = line else { return Ok(()) };
    let (sale, item) = (sale_id(line.sale_id)?, line.item_id.map(item_id).transpose()?);
    let order = Order::try_from(line.order)?;
    let event = OrderEvent { kind: KIND.to_owned(), ..order.event() };
    let mut rows = Rows::default();
    rows.events((JobId::route(order.job), order.item), &sale, item.as_ref(), vec![event]);
    rows.write(&mut session).await
}
