//! Payments that came too late or too early: looked at again, and ended.

use domain::{Currency, JobId, Money, OpenPayment, OrderStatus, PaymentId, PaymentState, RefundReason};
use futures_util::FutureExt as _;
use tracing::warn;
use uuid::Uuid;

use super::order::{self, REBOOK, STAY};
use super::payment::{Received, decide, decided};
use super::shelf::{Change, Shelf};
use crate::postgres::Postgres;
use crate::postgres::failure::Failure;
use crate::postgres::rows::{Order, count, currency, payment_state};
use crate::postgres::session::Session;

/// Nobody else gets them for two seconds, and they are answered with their order as it stands.
pub(in crate::postgres) const CLAIM: &str = "
    update payments p
    set due_at = now() + interval '2 seconds'
    where p.state = 'open' and p.id = any(array(
        select due.id
        from payments due
        where due.state = 'open' and due.due_at <= now()
        order by due.due_at
        limit $1
        for update skip locked))
    returning p.id, p.order_id, extract(epoch from now() - p.received_at)::bigint as waited_s,
              (select o.status from orders o where o.id = p.order_id) as status,
              (select o.rev from orders o where o.id = p.order_id) as rev";

const LOCK: &str = "select order_id, amount, currency, state from payments where id = $1 for update";

const DUE: &str = "update payments set due_at = now() where id = $1";

#[derive(sqlx::FromRow)]
struct Line {
    id: String,
    order_id: Uuid,
    waited_s: i64,
    status: Option<String>,
    rev: Option<i32>,
}

impl Postgres {
    /// See `OrderLife::open_payments`.
    pub(super) async fn look_at_open_payments(&self, limit: usize) -> Result<Vec<OpenPayment>, Failure> {
        let query = sqlx::query_as(CLAIM).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let lines: Vec<Line> =
            self.database.read(|mut session| async move { session.all("claim_open", query).await }.boxed()).await?;
        let mut open = Vec::new();
        for line in lines {
            let payment: PaymentId = line.id.try_into().map_err(Failure::unreadable)?;
            if line.status.is_none_or(|status| status == OrderStatus::Expired.as_str()) {
                open.push(OpenPayment {
                    payment,
                    order: job(line.order_id)?,
                    rev: line.rev.map(count).transpose()?,
                    waited_s: line.waited_s,
                });
            } else {
                let decided =
                    self.persist("decide_payment", &payment, |session, payment| again(session, payment).boxed());
                if let Err(why) = decided.await {
                    warn!(payment.id = %payment, ?why, "a payment could not be decided; it is due again in two seconds");
                }
            }
        }
        Ok(open)
    }
}

/// Decides a payment whose order has moved. If that goes wrong, it is due again in two seconds.
async fn again(mut session: Session<'_>, payment: PaymentId) -> Result<(), Failure> {
    if let Some((received, PaymentState::Open)) = locked(&mut session, &payment).await? {
        decide(&mut session, &received).await?;
    }
    Ok(())
}

/// The payment, which nobody else decides until the transaction ends.
async fn locked(session: &mut Session<'_>, payment: &PaymentId) -> Result<Option<(Received, PaymentState)>, Failure> {
    let query = sqlx::query_as(LOCK).bind(payment.as_str());
    let line: Option<(Uuid, i64, String, String)> = session.one("lock_payment", query).await?;
    let Some((order, amount, code, state)) = line else { return Ok(None) };
    let code: Currency = currency(code)?;
    let received = Received { payment: payment.clone(), order: job(order)?, amount: Money { amount, currency: code } };
    Ok(Some((received, payment_state(&state)?)))
}

/// See `OrderLife::end_open_payment`.
pub(super) async fn end(
    mut session: Session<'_>,
    payment: OpenPayment,
    reserved: bool,
) -> Result<PaymentState, Failure> {
    let Some((received, state)) = locked(&mut session, &payment.payment).await? else {
        return Err(Failure::not_sent(format!("there is no payment {}", payment.payment)));
    };
    if state != PaymentState::Open {
        return Ok(state);
    }
    let order = order::find(&mut session, received.order).await?;
    match (order, payment.rev) {
        (None, None) => back(&mut session, &payment.payment, RefundReason::UnknownOrder).await,
        (Some(order), Some(rev)) if order.rev == rev && order.status == OrderStatus::Expired => {
            late(&mut session, &received, &order, reserved).await
        }
        _ => undecided(&mut session, &payment.payment).await,
    }
}

/// The order has expired, at the revision that the gate was asked about, if nobody was faster.
async fn late(
    session: &mut Session<'_>,
    received: &Received,
    seen: &Order,
    reserved: bool,
) -> Result<PaymentState, Failure> {
    let payment = &received.payment;
    let (Some(item), Some(buyer)) = (seen.item, &seen.buyer) else {
        return Err(Failure::unreadable(format_args!("the item or the buyer of order {}", seen.job)));
    };
    let shelf = Shelf::lock(session, seen.job.route().sale, item).await?;
    let now = order::find(session, seen.job).await?;
    if now.is_none_or(|now| (now.rev, now.status) != (seen.rev, seen.status)) {
        return undecided(session, payment).await;
    }
    // The allowance is asked last, because asking takes it.
    let is_right = seen.amount == Some(received.amount);
    if is_right && reserved && shelf.has(seen.quantity) && shelf.allow(session, buyer, seen.quantity).await? {
        let paid = order::moved(session, seen.job, REBOOK, shelf.counted).await?;
        shelf.change(session, Change::Rebooked, paid.as_slice()).await?;
        decided(session, payment, PaymentState::Settled, None).await?;
        return Ok(PaymentState::Settled);
    }
    let stays = order::moved(session, seen.job, STAY, shelf.counted).await?;
    shelf.change(session, Change::Stayed, stays.as_slice()).await?;
    back(session, payment, if is_right { RefundReason::Late } else { RefundReason::WrongAmount }).await
}

async fn back(session: &mut Session<'_>, payment: &PaymentId, reason: RefundReason) -> Result<PaymentState, Failure> {
    decided(session, payment, PaymentState::RefundDue, Some(reason)).await?;
    Ok(PaymentState::RefundDue)
}

/// Something has changed: to be looked at at once.
async fn undecided(session: &mut Session<'_>, payment: &PaymentId) -> Result<PaymentState, Failure> {
    session.write("payment_due", sqlx::query(DUE).bind(payment.as_str())).await?;
    Ok(PaymentState::Open)
}

fn job(id: Uuid) -> Result<JobId, Failure> {
    id.try_into().map_err(Failure::unreadable)
}
