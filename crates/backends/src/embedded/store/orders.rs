//! The port [`OrderStore`].

use async_trait::async_trait;
use domain::ports::{OrderStore, Outage, PlaceError, Placement, Unplaced};
use domain::{BuyerId, Hold, ItemIndex, ItemTotals, JobId, OrderView, RefusedReason, Reservation, SaleId, SaleNumber};

use super::EmbeddedStore;

/// Orders of one buyer in one answer.
const ORDERS_MAX: usize = 100;

#[async_trait]
impl OrderStore for EmbeddedStore {
    async fn place(&self, batch: &[Reservation]) -> Result<Vec<Placement>, PlaceError> {
        let placements = self.tables().place(batch, self.now())?;
        self.relays.wake();
        Ok(placements)
    }

    async fn refuse(&self, jobs: &[Unplaced], reason: RefusedReason) -> Result<Vec<Placement>, Outage> {
        let ended = self.tables().refuse(jobs, reason, self.now());
        self.relays.wake();
        Ok(ended)
    }

    async fn hold(&self, job: JobId) -> Result<Option<Hold>, Outage> {
        Ok(self.tables().order(job).map(|row| row.hold(job)))
    }

    async fn order(&self, order: JobId, buyer: &BuyerId) -> Result<Option<OrderView>, Outage> {
        let tables = self.tables();
        let own = tables.order(order).is_some_and(|found| found.buyer.as_ref() == Some(buyer));
        Ok(tables.view(order).filter(|_| own))
    }

    async fn orders_of(&self, buyer: &BuyerId, sale: Option<&SaleId>) -> Result<Vec<OrderView>, Outage> {
        let tables = self.tables();
        let jobs = tables.by_buyer.get(buyer).map(Vec::as_slice).unwrap_or_default();
        let views = jobs.iter().rev().filter_map(|job| {
            let view = tables.view(*job)?;
            sale.is_none_or(|wanted| *wanted == view.sale).then_some(view)
        });
        Ok(views.take(ORDERS_MAX).collect())
    }

    async fn totals(&self, sale: SaleNumber, seen: &[i64]) -> Result<Vec<ItemTotals>, Outage> {
        let tables = self.tables();
        let Some(row) = tables.sales.get(&sale) else { return Ok(Vec::new()) };
        let lines = (0_u8..).zip(row.sale.items.iter().zip(&row.books));
        let totals = lines.map(|(at, (item, books))| {
            let seen = seen.get(usize::from(at)).copied().unwrap_or_default();
            let after = tables.outbox.after(sale, ItemIndex::new(at), seen);
            ItemTotals {
                item: item.id.clone(),
                stock: item.stock - after.stock,
                held: books.sold - books.paid,
                paid: books.paid,
                held_until: tables.held_until(sale, ItemIndex::new(at)),
                after: after.units,
            }
        });
        Ok(totals.collect())
    }
}
