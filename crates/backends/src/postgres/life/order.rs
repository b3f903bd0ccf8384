//! One order: reading it, and moving it from one status to another.

use domain::{JobId, OrderStatus};

use crate::postgres::failure::Failure;
use crate::postgres::rows::{Order, OrderLine, order_columns, select_orders};
use crate::postgres::session::Session;

const FIND: &str = select_orders!("where o.id = $1");

/// A row of a sale that counts allowances is counted there, whatever it was when it was written.
const MOVE: &str = concat!(
    "update orders o
     set status = $3, rev = o.rev + $4, seq = o.seq + $5, updated_at = now(), exclusive = o.exclusive and not $6
     from sale_items i
     where o.id = $1 and o.status = $2 and i.sale_id = o.sale_id and i.item_id = o.item_id
     returning ",
    order_columns!()
);

/// What may happen to an order.
#[derive(Clone, Copy)]
pub(super) struct Move {
    from: OrderStatus,
    to: OrderStatus,
    /// Does it change its units, or have to seem so?
    rev: i32,
    /// Is it announced?
    seq: i32,
}

pub(super) const PAY: Move = Move { from: OrderStatus::PendingPayment, to: OrderStatus::Paid, rev: 0, seq: 1 };
pub(super) const CANCEL: Move = Move { from: OrderStatus::PendingPayment, to: OrderStatus::Cancelled, rev: 1, seq: 1 };
/// A late payment whose units were reserved again.
pub(super) const REBOOK: Move = Move { from: OrderStatus::Expired, to: OrderStatus::Paid, rev: 1, seq: 1 };
/// A late payment that goes back: no units change, but a reservation that nobody knows of has to end.
pub(super) const STAY: Move = Move { from: OrderStatus::Expired, to: OrderStatus::Expired, rev: 1, seq: 0 };

/// The order as it is now.
pub(super) async fn find(session: &mut Session<'_>, job: JobId) -> Result<Option<Order>, Failure> {
    let line: Option<OrderLine> = session.one("find_order", sqlx::query_as(FIND).bind(job.uuid())).await?;
    line.map(Order::try_from).transpose()
}

/// Moves the order if it stands where the move begins; answers what became of it. Its item has to be locked;
/// `counted` is the sale's.
pub(super) async fn moved(
    session: &mut Session<'_>,
    job: JobId,
    by: Move,
    counted: bool,
) -> Result<Option<Order>, Failure> {
    let query = sqlx::query_as(MOVE)
        .bind(job.uuid())
        .bind(by.from.as_str())
        .bind(by.to.as_str())
        .bind(by.rev)
        .bind(by.seq)
        .bind(counted);
    let line: Option<OrderLine> = session.one("move_order", query).await?;
    line.map(Order::try_from).transpose()
}
