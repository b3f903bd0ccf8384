//! The port [`OrderStore`].

use async_trait::async_trait;
use domain::ports::{OrderStore, Outage, PlaceError, Placement, Unplaced};
use domain::{BuyerId, ItemIndex, ItemTotals, JobId, OrderView, RefusedReason, Reservation, SaleId, SaleNumber};

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

    async fn refuse(&self, jobs: &[Unplaced], reason: RefusedReason) -> Result<(), Outage> {
        self.tables().refuse(jobs, reason, self.now());
        self.relays.wake();
        Ok(())
    }

    async fn order(&self, order: JobId, buyer: &BuyerId) -> Result<Option<OrderView>, Outage> {
        let tables = self.tables();
        let found = tables.sales.get(&order.route().sale).and_then(|row| Some((row, row.orders.get(&order)?)));
        let own = found.filter(|(_, order)| order.buyer.as_ref() == Some(buyer));
        Ok(own.map(|(row, found)| found.view(order, &row.sale)))
    }

    async fn orders_of(&self, buyer: &BuyerId, sale: Option<&SaleId>) -> Result<Vec<OrderView>, Outage> {
        let tables = self.tables();
        let jobs = tables.by_buyer.get(buyer).map(Vec::as_slice).unwrap_or_default();
        let views = jobs.iter().rev().filter_map(|job| {
            let row = tables.sales.get(&job.route().sale)?;
            if sale.is_some_and(|wanted| *wanted != row.sale.id) {
                return None;
            }
            Some(row.orders.get(job)?.view(*job, &row.sale))
        });
        Ok(views.take(ORDERS_MAX).collect())
    }

    async fn totals(&self, sale: SaleNumber, seen: &[i64]) -> Result<Vec<ItemTotals>, Outage> {
        let tables = self.tables();
        let Some(row) = tables.sales.get(&sale) else { return Ok(Vec::new()) };
        let lines = (0_u8..).zip(row.sale.items.iter().zip(&row.books));
        let totals = lines.map(|(at, (item, books))| {
            let seen = seen.get(usize::from(at)).copied().unwrap_or_default();
            ItemTotals {
                item: item.id.clone(),
                stock: item.stock,
                held: books.sold - books.paid,
                paid: books.paid,
                held_until: None,
                after: tables.outbox.after(sale, ItemIndex::new(at), seen),
            }
        });
        Ok(totals.collect())
    }
}
