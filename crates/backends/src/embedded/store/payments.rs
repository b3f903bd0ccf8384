//! Payments: noted once, decided on the order as it stands, given back once.

use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;
use domain::ports::PaymentEntry;
use domain::{
    EventId, JobId, Money, OpenPayment, OrderEvent, OrderStatus, PaymentEvent, PaymentId, PaymentNoted, PaymentResult,
    PaymentState, Refund, RefundReason, Timestamp,
};

use super::outbox::Written;
use super::state::{OrderRow, Tables};

/// An open payment that was looked at is not looked at again before this.
const LOOK_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(2);

/// A refund that was claimed is not claimed again before this.
const REFUND_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(30);

/// The tables of payments and of their events.
#[derive(Default)]
pub(super) struct Payments {
    rows: HashMap<PaymentId, PaymentRow>,
    events: HashMap<EventId, PaymentId>,
    /// Payments of each order, in the order in which they were received.
    of_order: HashMap<JobId, Vec<PaymentId>>,
    /// Open ones and refunds, by when they are due.
    due: BTreeSet<(Timestamp, PaymentId)>,
}

#[derive(Clone)]
struct PaymentRow {
    order: JobId,
    amount: Money,
    state: PaymentState,
    reason: Option<RefundReason>,
    received_at: Timestamp,
    updated_at: Timestamp,
    due_at: Timestamp,
}

impl Payments {
    /// The latest payment that did not pay its order.
    pub(super) fn refund_of(&self, order: JobId) -> Option<PaymentState> {
        let states = self.of_order.get(&order)?.iter().rev().filter_map(|id| Some(self.rows.get(id)?.state));
        states.into_iter().find(|state| !matches!(state, PaymentState::Settled | PaymentState::Failed))
    }

    /// When the payment that settled this order was decided.
    pub(super) fn settled_at(&self, order: JobId) -> Option<Timestamp> {
        let rows = self.of_order.get(&order)?.iter().filter_map(|id| self.rows.get(id));
        rows.into_iter().find(|row| row.state == PaymentState::Settled).map(|row| row.updated_at)
    }

    /// All payments for this order, in the order in which they were received.
    pub(super) fn of(&self, order: JobId) -> Vec<PaymentEntry> {
        let ids = self.of_order.get(&order).into_iter().flatten();
        let entry = |id: &PaymentId| {
            let PaymentRow { amount, state, reason, received_at, updated_at, .. } = self.rows.get(id)?.clone();
            Some(PaymentEntry { payment: id.clone(), amount, state, reason, received_at, updated_at })
        };
        ids.filter_map(entry).collect()
    }

    /// Payments for this order that were given back.
    pub(super) fn refunded(&self, order: JobId) -> u64 {
        let states = self.of_order.get(&order).into_iter().flatten().filter_map(|id| Some(self.rows.get(id)?.state));
        states.filter(|state| *state == PaymentState::Refunded).count() as u64
    }

    /// Is there a payment for this order that has to be decided, or given back?
    pub(super) fn waits_for(&self, order: JobId) -> bool {
        let states = self.of_order.get(&order).into_iter().flatten().filter_map(|id| Some(self.rows.get(id)?.state));
        states.into_iter().any(|state| matches!(state, PaymentState::Open | PaymentState::RefundDue))
    }

    /// Forgets what was paid for an order.
    pub(super) fn forget(&mut self, order: JobId) {
        let Some(payments) = self.of_order.remove(&order) else { return };
        self.events.retain(|_, payment| !payments.contains(payment));
        for payment in &payments {
            self.rows.remove(payment);
        }
    }

    /// Notes where a payment stands; it is due at once, or never again.
    fn decided(&mut self, id: &PaymentId, state: PaymentState, reason: Option<RefundReason>, now: Timestamp) {
        if let Some(row) = self.rows.get_mut(id) {
            (row.state, row.reason, row.updated_at) = (state, reason, now);
        }
        self.postpone(id, now);
    }

    fn postpone(&mut self, id: &PaymentId, until: Timestamp) {
        let Some(row) = self.rows.get_mut(id) else { return };
        self.due.remove(&(row.due_at, id.clone()));
        row.due_at = until;
        if matches!(row.state, PaymentState::Open | PaymentState::RefundDue) {
            self.due.insert((until, id.clone()));
        }
    }

    /// The longest due of one state, which are due again only after `pause`.
    fn claim(
        &mut self,
        state: PaymentState,
        limit: usize,
        pause: TimeDelta,
        now: Timestamp,
    ) -> Vec<(PaymentId, PaymentRow)> {
        let due = self.due.iter().take_while(|(due_at, _)| *due_at <= now);
        let rows = due.filter_map(|(_, id)| Some((id.clone(), self.rows.get(id)?.clone())));
        let claimed: Vec<_> = rows.filter(|(_, row)| row.state == state).take(limit).collect();
        for (id, _) in &claimed {
            self.postpone(id, now + pause);
        }
        claimed
    }

    pub(super) fn claim_refunds(&mut self, limit: usize, now: Timestamp) -> Vec<Refund> {
        let claimed = self.claim(PaymentState::RefundDue, limit, REFUND_AGAIN_AFTER, now);
        let refund = |(payment, row): (PaymentId, PaymentRow)| {
            Some(Refund { payment, order: row.order, amount: row.amount, reason: row.reason? })
        };
        claimed.into_iter().filter_map(refund).collect()
    }
}

/// What a payment means for its order as it stands.
enum Meaning {
    Pays,
    Waits,
    GoesBack(RefundReason),
}

fn meaning(order: Option<&OrderRow>, paid: Money) -> Meaning {
    let Some(order) = order else { return Meaning::Waits };
    if order.amount.is_some_and(|amount| amount != paid) {
        return Meaning::GoesBack(RefundReason::WrongAmount);
    }
    match order.status {
        OrderStatus::PendingPayment => Meaning::Pays,
        OrderStatus::Expired => Meaning::Waits,
        OrderStatus::Cancelled | OrderStatus::Rejected => Meaning::GoesBack(RefundReason::OrderEnded),
        OrderStatus::Paid => Meaning::GoesBack(RefundReason::PaidTwice),
    }
}

impl Tables {
    pub(super) fn note_payment(&mut self, event: &PaymentEvent, now: Timestamp) -> PaymentNoted {
        let PaymentEvent { event, payment, order, amount, result } = event;
        let payments = &mut self.payments;
        let known = payments.rows.get(payment).map(|row| row.state);
        let succeeds_after_all = known == Some(PaymentState::Failed) && *result == PaymentResult::Succeeded;
        if payments.events.insert(event.clone(), payment.clone()).is_some() || (known.is_some() && !succeeds_after_all)
        {
            return PaymentNoted::Repeated;
        }
        let state = match result {
            PaymentResult::Succeeded => PaymentState::Open,
            PaymentResult::Failed => PaymentState::Failed,
        };
        if let Some(before) = payments.rows.get(payment)
            && let Some(of_order) = payments.of_order.get_mut(&before.order)
        {
            of_order.retain(|other| other != payment);
        }
        payments.of_order.entry(*order).or_default().push(payment.clone());
        let (order, amount) = (*order, *amount);
        let row = PaymentRow { order, amount, state, reason: None, received_at: now, updated_at: now, due_at: now };
        payments.rows.insert(payment.clone(), row);
        payments.postpone(payment, now);
        match result {
            PaymentResult::Succeeded => self.decide(payment, order, amount, now),
            PaymentResult::Failed => PaymentNoted::Failed,
        }
    }

    fn decide(&mut self, payment: &PaymentId, order: JobId, amount: Money, now: Timestamp) -> PaymentNoted {
        match meaning(self.order(order), amount) {
            Meaning::Pays => {
                self.moves(&[order], OrderStatus::Paid, now);
                self.payments.decided(payment, PaymentState::Settled, None, now);
                PaymentNoted::Paid
            }
            Meaning::Waits => PaymentNoted::Open,
            Meaning::GoesBack(reason) => {
                if reason == RefundReason::WrongAmount {
                    tracing::error!(
                        payment.id = %payment, order.id = %order, amount = amount.amount,
                        currency = amount.currency.as_str(),
                        "payment {payment} is not what order {order} costs and goes back"
                    );
                }
                self.payments.decided(payment, PaymentState::RefundDue, Some(reason), now);
                PaymentNoted::RefundDue(reason)
            }
        }
    }

    pub(super) fn open_payments(&mut self, limit: usize, now: Timestamp) -> Vec<OpenPayment> {
        let mut open = Vec::new();
        for (payment, row) in self.payments.claim(PaymentState::Open, limit, LOOK_AGAIN_AFTER, now) {
            if self.decide(&payment, row.order, row.amount, now) == PaymentNoted::Open {
                let rev = self.order(row.order).map(|order| order.rev);
                open.push(OpenPayment {
                    payment,
                    order: row.order,
                    rev,
                    waited_s: (now - row.received_at).num_seconds(),
                });
            }
        }
        open
    }

    /// `None`: there is no such payment.
    pub(super) fn end_open_payment(
        &mut self,
        open: &OpenPayment,
        reserved: bool,
        now: Timestamp,
    ) -> Option<PaymentState> {
        let row = self.payments.rows.get(&open.payment)?;
        let job = row.order;
        if row.state != PaymentState::Open {
            return Some(row.state);
        }
        let (state, reason) = match (self.order(job), open.rev) {
            (None, None) => (PaymentState::RefundDue, Some(RefundReason::UnknownOrder)),
            (Some(order), Some(rev)) if order.rev == rev && order.status == OrderStatus::Expired => {
                if reserved && self.may_hold_again(job) {
                    self.moves(&[job], OrderStatus::Paid, now);
                    (PaymentState::Settled, None)
                } else {
                    self.moves(&[job], OrderStatus::Expired, now);
                    (PaymentState::RefundDue, Some(RefundReason::Late))
                }
            }
            _ => (PaymentState::Open, None),
        };
        self.payments.decided(&open.payment, state, reason, now);
        Some(state)
    }

    /// Are there units for an order that holds none, and may its buyer have them?
    fn may_hold_again(&self, job: JobId) -> bool {
        let ask = || {
            let row = self.sales.get(&job.route().sale)?;
            let order = row.orders.get(&job)?;
            let at = usize::from(order.item?.get());
            let units = i64::from(order.quantity);
            let held = row.allowances.get(order.buyer.as_ref()?).copied().unwrap_or_default();
            let left = row.sale.items.get(at)?.stock - row.books.get(at)?.sold;
            Some(units <= left && held + units <= i64::from(row.sale.limit_per_buyer))
        };
        ask().unwrap_or(false)
    }

    pub(super) fn note_refunded(&mut self, payment: &PaymentId, now: Timestamp) {
        let Some(row) = self.payments.rows.get(payment) else { return };
        let (job, reason) = (row.order, row.reason);
        if row.state != PaymentState::RefundDue {
            return;
        }
        self.payments.decided(payment, PaymentState::Refunded, reason, now);
        let Some(row) = self.sales.get_mut(&job.route().sale) else { return };
        let Some(order) = row.orders.get_mut(&job) else { return };
        order.seq += 1;
        order.updated_at = now;
        let event = OrderEvent { kind: "order.refunded".to_owned(), ..order.event(job) };
        let (item, written) = (order.item, Written { events: vec![event], ..Written::default() });
        self.outbox.write(job.route(), &row.sale, item, None, written, now);
    }
}
