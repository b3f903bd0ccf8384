//! The port [`OrderArchive`].

use std::ops::Bound;

use async_trait::async_trait;
use domain::ports::{OrderArchive, OrderEntry, OrderHistory, OrderPage, Outage};
use domain::{JobId, OrderStatus, SaleId};

use super::EmbeddedStore;
use super::state::Tables;

#[async_trait]
impl OrderArchive for EmbeddedStore {
    async fn page(
        &self,
        sale: &SaleId,
        status: Option<OrderStatus>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<OrderPage, Outage> {
        let tables = self.tables();
        let Some(row) = tables.sale(sale) else { return Ok(OrderPage::default()) };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let chosen = row.orders.range((from, Bound::Unbounded)).map(|(job, order)| (*job, order.status));
        let chosen = chosen.filter(|(_, of)| status.is_none_or(|wanted| wanted == *of)).take(limit.max(1));
        let orders: Vec<OrderEntry> = chosen.filter_map(|(job, _)| tables.entry(job)).collect();
        let next = orders.last().filter(|_| orders.len() >= limit.max(1)).map(|last| last.order.order);
        Ok(OrderPage { orders, next })
    }

    async fn history(&self, order: JobId) -> Result<OrderHistory, Outage> {
        let tables = self.tables();
        Ok(OrderHistory { entry: tables.entry(order), payments: tables.payments.of(order) })
    }
}

impl Tables {
    fn entry(&self, job: JobId) -> Option<OrderEntry> {
        let row = self.order(job)?;
        Some(OrderEntry {
            order: self.view(job)?,
            buyer: row.buyer.clone(),
            admitted_at: row.admitted_at,
            paid_at: self.payments.settled_at(job),
            updated_at: row.updated_at,
        })
    }
}
