//! What the provider reports, noted once, and decided on the order as it stands.

use domain::{
    JobId, Money, OrderStatus, PaymentEvent, PaymentId, PaymentNoted, PaymentResult, PaymentState, RefundReason,
};
use tracing::error;

use super::order::{self, PAY};
use super::shelf::{Change, Shelf};
use crate::postgres::failure::Failure;
use crate::postgres::rows::Order;
use crate::postgres::session::Session;

const EVENT: &str = "
    insert into payment_events (id, payment_id, result) values ($1, $2, $3) on conflict do nothing";

/// A payment that failed may still succeed; everything else about a payment that is known already is a repetition.
/// It counts as received when there was money.
const PAYMENT: &str = "
    insert into payments as p (id, order_id, amount, currency, state) values ($1, $2, $3, $4, $5)
    on conflict (id) do update
    set order_id = excluded.order_id, amount = excluded.amount, currency = excluded.currency, state = excluded.state,
        due_at = now(), received_at = now(), updated_at = now()
    where p.state = 'failed' and excluded.state = 'open'";

const DECIDED: &str = "
    update payments set state = $2, reason = $3, due_at = now(), updated_at = now() where id = $1";

/// A payment with money in it.
pub(super) struct Received {
    pub(super) payment: PaymentId,
    pub(super) order: JobId,
    pub(super) amount: Money,
}

pub(super) async fn note(mut session: Session<'_>, event: PaymentEvent) -> Result<PaymentNoted, Failure> {
    let PaymentEvent { event: webhook, payment, order, amount, result } = event;
    let (word, state) = match result {
        PaymentResult::Succeeded => ("succeeded", PaymentState::Open),
        PaymentResult::Failed => ("failed", PaymentState::Failed),
    };
    let query = sqlx::query(EVENT).bind(webhook.as_str()).bind(payment.as_str()).bind(word);
    if session.write("note_event", query).await? == 0 {
        return Ok(PaymentNoted::Repeated);
    }
    let query = sqlx::query(PAYMENT)
        .bind(payment.as_str())
        .bind(order.uuid())
        .bind(amount.amount)
        .bind(amount.currency.as_str())
        .bind(state.as_str());
    if session.write("note_payment", query).await? == 0 {
        return Ok(PaymentNoted::Repeated);
    }
    match result {
        PaymentResult::Succeeded => decide(&mut session, &Received { payment, order, amount }).await,
        PaymentResult::Failed => Ok(PaymentNoted::Failed),
    }
}

/// What a payment means for the order as it was read.
enum Meaning {
    Pays(Order),
    Waits,
    GoesBack(RefundReason),
}

fn meaning(order: Option<Order>, paid: Money) -> Meaning {
    let Some(order) = order else { return Meaning::Waits };
    if order.amount.is_some_and(|amount| amount != paid) {
        return Meaning::GoesBack(RefundReason::WrongAmount);
    }
    match order.status {
        // Also when its time is over, as long as nobody has ended it.
        OrderStatus::PendingPayment => Meaning::Pays(order),
        OrderStatus::Expired => Meaning::Waits,
        OrderStatus::Cancelled | OrderStatus::Rejected => Meaning::GoesBack(RefundReason::OrderEnded),
        OrderStatus::Paid => Meaning::GoesBack(RefundReason::PaidTwice),
    }
}

/// Decides an open payment whose row is ours. Only a payment that pays needs the item: the others change no books.
pub(super) async fn decide(session: &mut Session<'_>, received: &Received) -> Result<PaymentNoted, Failure> {
    loop {
        match meaning(order::find(session, received.order).await?, received.amount) {
            Meaning::Pays(order) => {
                if pay(session, &order).await? {
                    decided(session, &received.payment, PaymentState::Settled, None).await?;
                    return Ok(PaymentNoted::Paid);
                }
                // Somebody ended it before we had the lock. An order does not wait for its payment a second time, so
                // the next look is the last.
            }
            Meaning::Waits => return Ok(PaymentNoted::Open),
            Meaning::GoesBack(reason) => {
                if reason == RefundReason::WrongAmount {
                    error!(
                        payment.id = %received.payment, order.id = %received.order,
                        amount = received.amount.amount, currency = received.amount.currency.as_str(),
                        "payment {} is not what order {} costs and goes back", received.payment, received.order
                    );
                }
                decided(session, &received.payment, PaymentState::RefundDue, Some(reason)).await?;
                return Ok(PaymentNoted::RefundDue(reason));
            }
        }
    }
}

async fn pay(session: &mut Session<'_>, order: &Order) -> Result<bool, Failure> {
    let Some(item) = order.item else {
        return Err(Failure::unreadable(format_args!("the item of order {}", order.job)));
    };
    let shelf = Shelf::lock(session, order.job.route().sale, item).await?;
    let Some(paid) = order::moved(session, order.job, PAY, shelf.counted).await? else { return Ok(false) };
    shelf.change(session, Change::Paid, &[paid]).await?;
    Ok(true)
}

/// Notes where a payment stands.
pub(super) async fn decided(
    session: &mut Session<'_>,
    payment: &PaymentId,
    state: PaymentState,
    reason: Option<RefundReason>,
) -> Result<(), Failure> {
    let query = sqlx::query(DECIDED).bind(payment.as_str()).bind(state.as_str()).bind(reason.map(RefundReason::as_str));
    session.write("decide_payment", query).await?;
    Ok(())
}
