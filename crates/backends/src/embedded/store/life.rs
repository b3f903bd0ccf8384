//! The port [`OrderLife`], and what happens to the row and the books of an order.

use async_trait::async_trait;
use domain::ports::{Cancelled, OrderLife, Outage};
use domain::{
    BuyerId, ItemIndex, JobId, OpenPayment, OrderStatus, PaymentEvent, PaymentId, PaymentNoted, PaymentState, Refund,
    SaleNumber, Timestamp,
};

use super::EmbeddedStore;
use super::place::Changes;
use super::state::Tables;

#[async_trait]
impl OrderLife for EmbeddedStore {
    async fn cancel(&self, order: JobId, buyer: &BuyerId) -> Result<Option<Cancelled>, Outage> {
        let cancelled = self.tables().cancel(order, buyer, self.now());
        self.relays.wake();
        Ok(cancelled)
    }

    async fn expire(&self, limit: usize) -> Result<usize, Outage> {
        let expired = self.tables().expire(limit, self.now());
        self.relays.wake();
        Ok(expired)
    }

    async fn note_payment(&self, event: &PaymentEvent) -> Result<PaymentNoted, Outage> {
        let noted = self.tables().note_payment(event, self.now());
        self.relays.wake();
        Ok(noted)
    }

    async fn open_payments(&self, limit: usize) -> Result<Vec<OpenPayment>, Outage> {
        let open = self.tables().open_payments(limit, self.now());
        self.relays.wake();
        Ok(open)
    }

    async fn end_open_payment(&self, payment: &OpenPayment, reserved: bool) -> Result<PaymentState, Outage> {
        let state = self.tables().end_open_payment(payment, reserved, self.now());
        self.relays.wake();
        state.ok_or_else(|| Outage::NotSent(format!("there is no payment {}", payment.payment)))
    }

    async fn claim_refunds(&self, limit: usize) -> Result<Vec<Refund>, Outage> {
        Ok(self.tables().payments.claim_refunds(limit, self.now()))
    }

    async fn note_refunded(&self, payment: &PaymentId) -> Result<(), Outage> {
        self.tables().note_refunded(payment, self.now());
        self.relays.wake();
        Ok(())
    }
}

impl Tables {
    fn cancel(&mut self, job: JobId, buyer: &BuyerId, now: Timestamp) -> Option<Cancelled> {
        let order = self.order(job).filter(|order| order.buyer.as_ref() == Some(buyer))?;
        if order.status == OrderStatus::PendingPayment {
            self.moves(&[job], OrderStatus::Cancelled, now);
        }
        let view = self.view(job)?;
        Some(match view.status {
            OrderStatus::Cancelled => Cancelled::Done(view),
            _ => Cancelled::TooLate(view),
        })
    }

    fn expire(&mut self, limit: usize, now: Timestamp) -> usize {
        let due = self.due.iter().take_while(|(expires_at, _)| *expires_at <= now).take(limit);
        let jobs: Vec<JobId> = due.map(|(_, job)| *job).collect();
        self.moves(&jobs, OrderStatus::Expired, now);
        jobs.len()
    }

    /// The latest deadline of an unpaid order of this item.
    pub(super) fn held_until(&self, sale: SaleNumber, item: ItemIndex) -> Option<Timestamp> {
        let of_item = |job: JobId| job.route().sale == sale && self.order(job).is_some_and(|it| it.item == Some(item));
        self.due.iter().rev().find(|(_, job)| of_item(*job)).map(|(expires_at, _)| *expires_at)
    }

    /// Moves orders to a status that they may have next. An order whose units change has a new revision, and so
    /// has one that stays as it is; one whose status changes has an event.
    pub(super) fn moves(&mut self, jobs: &[JobId], to: OrderStatus, now: Timestamp) {
        let mut changes = Changes::new();
        for job in jobs {
            let Some(row) = self.sales.get_mut(&job.route().sale) else { continue };
            let Some(order) = row.orders.get_mut(job) else { continue };
            let (from, quantity) = (order.status, i64::from(order.quantity));
            (order.status, order.updated_at) = (to, now);
            if let (OrderStatus::PendingPayment, Some(expires_at)) = (from, order.expires_at) {
                self.due.remove(&(expires_at, *job));
            }
            let written = changes.entry((job.route(), order.item)).or_default();
            if from.is_live() != to.is_live() || from == to {
                order.rev += 1;
                written.holds.push(order.hold(*job));
            }
            if from != to {
                order.seq += 1;
                written.events.push(order.event(*job));
            }
            let units = quantity * (i64::from(to.is_live()) - i64::from(from.is_live()));
            written.units += units;
            let order = order.clone();
            row.take(&order, units);
            if let (OrderStatus::Paid, Some(item)) = (to, order.item)
                && let Some(books) = row.books.get_mut(usize::from(item.get()))
            {
                books.paid += quantity;
            }
        }
        self.publish(changes, now);
    }
}
