//! The port [`Retention`].

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::ports::{AuditNote, Operator, Outage, Retention};
use domain::{OrderStatus, SaleNumber, Timestamp};
use serde_json::json;

use super::EmbeddedStore;
use super::state::{SaleRow, Tables};

#[async_trait]
impl Retention for EmbeddedStore {
    async fn clear_ended(&self, older_than_s: u32, limit: usize) -> Result<u64, Outage> {
        let now = self.now();
        let mut tables = self.tables();
        if let Some(row) = tables.clearing.take() {
            return Ok(tables.clear(row, limit));
        }
        let older_than = TimeDelta::seconds(i64::from(older_than_s));
        let ended = tables.sales.iter().find(|(_, row)| tables.may_go(row, older_than, now)).map(|(number, _)| *number);
        Ok(ended.map_or(0, |number| tables.take_away(number, now)))
    }
}

impl Tables {
    fn may_go(&self, row: &SaleRow, older_than: TimeDelta, now: Timestamp) -> bool {
        let payment_window = TimeDelta::seconds(i64::from(row.sale.payment_window_s));
        row.sale.closes_at + payment_window + older_than < now
            && row.orders.values().all(|order| order.status != OrderStatus::PendingPayment)
            && !self.is_withdrawing(row.sale.number)
            && !self.outbox.waits_for(row.sale.number)
            && row.orders.keys().all(|order| !self.payments.waits_for(*order))
    }

    /// From here on there is no such sale; its orders are cleared step by step.
    fn take_away(&mut self, number: SaleNumber, now: Timestamp) -> u64 {
        let Some(row) = self.sales.remove(&number) else { return 0 };
        self.numbers.remove(&row.sale.id);
        let restocks = self.restocks.len();
        self.restocks.retain(|(of, _), _| *of != number);
        let items = row.sale.items.iter().zip(&row.books);
        let books: Vec<_> = items
            .map(
                |(item, books)| json!({ "item": item.id, "stock": item.stock, "sold": books.sold, "paid": books.paid }),
            )
            .collect();
        let note = AuditNote {
            action: "clear".to_owned(),
            sale: Some(row.sale.id.clone()),
            before: Some(row.sale.audited()),
            after: json!({ "books": books }),
        };
        self.audit(note, &Operator { via: "retention".to_owned(), reason: None }, now);
        let rows = restocks - self.restocks.len() + row.sale.items.len();
        self.clearing = Some(row);
        rows as u64
    }

    fn clear(&mut self, mut row: SaleRow, limit: usize) -> u64 {
        let mut cleared = 0;
        while cleared < limit
            && let Some((job, order)) = row.orders.pop_first()
        {
            cleared += 1;
            self.payments.forget(job);
            if let Some(buyer) = &order.buyer
                && let Some(jobs) = self.by_buyer.get_mut(buyer)
            {
                jobs.retain(|other| *other != job);
                if jobs.is_empty() {
                    self.by_buyer.remove(buyer);
                }
            }
        }
        if cleared == 0 {
            self.activity.forget(row.sale.number);
            return 1; // the sale itself, which ends here
        }
        self.clearing = Some(row);
        cleared as u64
    }
}
