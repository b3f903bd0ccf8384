//! The port [`SaleStore`].

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::ports::{Changed, Operator, Outage, Restocked, SaleStore};
use domain::{
    Hold, Item, JobId, NewItem, NewSale, Patch, Restock, RestockId, Sale, SaleId, SaleNumber, SaleState, Withdrawal,
};

use super::EmbeddedStore;
use super::state::{ItemRow, SaleRow};

#[async_trait]
impl SaleStore for EmbeddedStore {
    async fn create(&self, new: &NewSale, by: &Operator) -> Result<Option<Sale>, Outage> {
        let mut tables = self.tables();
        if tables.numbers.contains_key(&new.id) {
            return Ok(None);
        }
        let next = tables.last_number + 1;
        let number = SaleNumber::new(next).ok_or_else(|| Outage::NotSent("there is no sale number left".to_owned()))?;
        let sale = draft(number, new);
        let row = SaleRow {
            sale: sale.clone(),
            books: vec![ItemRow::default(); sale.items.len()],
            allowances: HashMap::new(),
            orders: BTreeMap::new(),
        };
        tables.last_number = next;
        tables.sales.insert(number, row);
        tables.numbers.insert(new.id.clone(), number);
        tables.note("create", by, None, sale.clone(), self.now());
        Ok(Some(sale))
    }

    async fn sales(&self, keep_ended_s: u32) -> Result<Vec<Sale>, Outage> {
        let ended_after = self.now() - TimeDelta::seconds(i64::from(keep_ended_s));
        let tables = self.tables();
        let newest_first = tables.sales.values().rev().map(|row| &row.sale);
        Ok(newest_first.filter(|sale| sale.closes_at > ended_after).cloned().collect())
    }

    async fn sale(&self, id: &SaleId) -> Result<Option<Sale>, Outage> {
        Ok(self.tables().sale(id).map(|row| row.sale.clone()))
    }

    async fn set_state(&self, id: &SaleId, state: SaleState, by: &Operator) -> Result<Changed, Outage> {
        self.change("set-state", id, by, |sale| {
            sale.may_become(state)?;
            sale.state = state;
            Ok(())
        })
    }

    async fn patch(&self, id: &SaleId, patch: &Patch, by: &Operator) -> Result<Changed, Outage> {
        let by = Operator { reason: patch.reason.clone().or_else(|| by.reason.clone()), ..by.clone() };
        self.change("patch", id, &by, |sale| {
            *sale = sale.patched(patch)?;
            Ok(())
        })
    }

    async fn next_epoch(&self, id: &SaleId, by: &Operator) -> Result<Option<u32>, Outage> {
        let mut tables = self.tables();
        let Some(row) = tables.sale_mut(id) else { return Ok(None) };
        let before = row.sale.clone();
        row.sale.epoch += 1;
        row.books.iter_mut().for_each(|books| books.version += 1);
        let after = row.sale.clone();
        let epoch = after.epoch;
        tables.note("next-epoch", by, Some(before), after, self.now());
        Ok(Some(epoch))
    }

    async fn versions(&self, sale: SaleNumber) -> Result<Vec<i64>, Outage> {
        let tables = self.tables();
        let books = tables.sales.get(&sale).map(|row| row.books.as_slice()).unwrap_or_default();
        Ok(books.iter().map(|books| books.version).collect())
    }

    async fn restock(&self, sale: &SaleId, restock: &Restock, by: &Operator) -> Result<Restocked, Outage> {
        let restocked = self.tables().restock(sale, restock, by, self.now());
        self.relays.wake();
        Ok(restocked)
    }

    async fn end_withdrawal(&self, sale: &SaleId, id: &RestockId, taken: bool) -> Result<Restocked, Outage> {
        let restocked = self.tables().end_withdrawal(sale, id, taken, self.now());
        self.relays.wake();
        Ok(restocked)
    }

    async fn open_withdrawals(&self, older_than_s: u32) -> Result<Vec<Withdrawal>, Outage> {
        let begun_before = self.now() - TimeDelta::seconds(i64::from(older_than_s));
        Ok(self.tables().open_withdrawals(begun_before))
    }

    async fn holds(&self, sale: SaleNumber, after: Option<JobId>, limit: usize) -> Result<Vec<Hold>, Outage> {
        let tables = self.tables();
        let Some(row) = tables.sales.get(&sale) else { return Ok(Vec::new()) };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = row.orders.range((from, Bound::Unbounded)).take(limit);
        Ok(page.map(|(job, order)| order.hold(*job)).collect())
    }
}

impl EmbeddedStore {
    /// Changes a sale and notes who did, or changes nothing and says why.
    fn change(
        &self,
        action: &'static str,
        id: &SaleId,
        by: &Operator,
        change: impl FnOnce(&mut Sale) -> Result<(), String>,
    ) -> Result<Changed, Outage> {
        let mut tables = self.tables();
        let Some(row) = tables.sale_mut(id) else { return Ok(Changed::NotFound) };
        let before = row.sale.clone();
        let mut after = before.clone();
        if let Err(why) = change(&mut after) {
            return Ok(Changed::Conflict(why));
        }
        if after.items.iter().zip(&row.books).any(|(item, books)| item.stock < books.sold) {
            return Ok(Changed::Conflict(format!("sale {id} has sold more than that already")));
        }
        row.sale = after.clone();
        tables.note(action, by, Some(before), after.clone(), self.now());
        Ok(Changed::Done(after))
    }
}

fn draft(number: SaleNumber, new: &NewSale) -> Sale {
    let item = |item: &NewItem| Item {
        id: item.id.clone(),
        title: item.title.clone(),
        price: item.price,
        stock: item.stock,
        stock_rev: 0,
    };
    Sale {
        number,
        id: new.id.clone(),
        title: new.title.clone(),
        state: SaleState::Draft,
        epoch: 0,
        opens_at: new.opens_at,
        closes_at: new.closes_at,
        limit_per_buyer: new.limit_per_buyer,
        payment_window_s: new.payment_window_seconds,
        items: new.items.iter().map(item).collect(),
    }
}
