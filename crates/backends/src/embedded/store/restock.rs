//! Changes of an item's stock while its sale runs, each done once per id.

use domain::ports::{Operator, Restocked};
use domain::{Item, ItemStock, Restock, RestockId, SaleId, SaleNumber, StockEffect, Timestamp, Withdrawal};

use super::state::Tables;

/// Withdrawals in one answer.
const OPEN_MAX: usize = 100;

/// A restock that was asked for.
pub(super) struct RestockRow {
    restock: Restock,
    by: Operator,
    at: Timestamp,
    state: State,
}

#[derive(Clone)]
enum State {
    Done(i64),
    Withdrawing,
    Refused(String),
}

impl Tables {
    pub(super) fn restock(&mut self, id: &SaleId, restock: &Restock, by: &Operator, now: Timestamp) -> Restocked {
        let Some(row) = self.sale(id) else { return Restocked::NotFound };
        let Some((item, Item { stock, .. })) = row.sale.item(&restock.item) else { return Restocked::NotFound };
        let (stock, key) = (*stock, (row.sale.number, restock.id.clone()));
        if let Some(earlier) = self.restocks.get(&key) {
            return match &earlier.state {
                _ if earlier.restock != *restock => {
                    Restocked::Conflict(format!("restock {} was another item or number before", restock.id))
                }
                State::Done(stock) => Restocked::Done { stock: *stock, repeated: true },
                State::Withdrawing => Restocked::Withdraw(row.sale.withdrawal(restock, item)),
                State::Refused(why) => Restocked::Conflict(why.clone()),
            };
        }
        let (warm, under_way) = (row.sale.epoch > 0, row.sale.withdrawal(restock, item));
        let sold = row.books.get(usize::from(item.get())).map_or(0, |books| books.sold);
        if let Err(why) = row.sale.may_restock(stock, sold, restock.delta) {
            return Restocked::Conflict(why);
        }
        let begun = RestockRow { restock: restock.clone(), by: by.clone(), at: now, state: State::Withdrawing };
        self.restocks.insert(key, begun);
        if warm && restock.delta < 0 {
            return Restocked::Withdraw(under_way);
        }
        self.change(id, restock, now)
    }

    pub(super) fn is_withdrawing(&self, sale: SaleNumber) -> bool {
        self.restocks.iter().any(|((of, _), row)| *of == sale && matches!(row.state, State::Withdrawing))
    }

    pub(super) fn end_withdrawal(&mut self, sale: &SaleId, id: &RestockId, taken: bool, now: Timestamp) -> Restocked {
        let Some(row) = self.sale_mut(sale) else { return Restocked::NotFound };
        let key = (row.sale.number, id.clone());
        let Some(RestockRow { restock, state, .. }) = self.restocks.get(&key) else { return Restocked::NotFound };
        match state {
            State::Done(stock) => return Restocked::Done { stock: *stock, repeated: true },
            State::Refused(why) => return Restocked::Conflict(why.clone()),
            State::Withdrawing => {}
        }
        let restock = restock.clone();
        let Some(row) = self.sale_mut(sale) else { return Restocked::NotFound };
        let Some((index, item)) = row.sale.item(&restock.item) else { return Restocked::NotFound };
        let (at, stock) = (usize::from(index.get()), item.stock);
        let sold = row.books.get(at).map_or(0, |books| books.sold);
        if taken && sold <= stock + restock.delta {
            return self.change(sale, &restock, now);
        }
        let why = if taken {
            format!("{sold} units of item {} are sold, more than would be left of {stock}", restock.item)
        } else {
            format!("fewer than {} units of item {} are free", -restock.delta, restock.item)
        };
        row.sale.items[at].stock_rev += 1;
        let stock = ItemStock { units: stock, rev: row.sale.items[at].stock_rev };
        let (told, effect) = (row.sale.clone(), StockEffect { item: index, stock, ends: Some(id.clone()) });
        self.outbox.write_stock(&told, &effect, None, 0, now);
        self.ended(key, State::Refused(why.clone()));
        Restocked::Conflict(why)
    }

    /// Changes the stock of a restock that was noted, and tells the gate of a warm sale.
    fn change(&mut self, id: &SaleId, restock: &Restock, now: Timestamp) -> Restocked {
        let Some(row) = self.sale_mut(id) else { return Restocked::NotFound };
        let Some((index, _)) = row.sale.item(&restock.item) else { return Restocked::NotFound };
        let (at, before) = (usize::from(index.get()), row.sale.clone());
        let version = row.books.get_mut(at).map(|books| {
            books.version += 1;
            books.version
        });
        let item = &mut row.sale.items[at];
        item.stock += restock.delta;
        item.stock_rev += u32::from(before.epoch > 0);
        let stock = ItemStock { units: item.stock, rev: item.stock_rev };
        let after = row.sale.clone();
        if after.epoch > 0 {
            let ends = (restock.delta < 0).then(|| restock.id.clone());
            self.outbox.write_stock(&after, &StockEffect { item: index, stock, ends }, version, restock.delta, now);
        }
        let key = (after.number, restock.id.clone());
        if let Some(by) = self.restocks.get(&key).map(|row| row.by.clone()) {
            self.note("restock", &by, Some(before), after, now);
        }
        self.ended(key, State::Done(stock.units));
        Restocked::Done { stock: stock.units, repeated: false }
    }

    fn ended(&mut self, key: (domain::SaleNumber, RestockId), state: State) {
        if let Some(row) = self.restocks.get_mut(&key) {
            row.state = state;
        }
    }

    pub(super) fn open_withdrawals(&self, begun_before: Timestamp) -> Vec<Withdrawal> {
        let open = self.restocks.iter().filter(|(_, row)| matches!(row.state, State::Withdrawing));
        let mut old: Vec<_> = open.filter(|(_, row)| row.at < begun_before).collect();
        old.sort_by_key(|(_, row)| row.at);
        let answer = |((number, _), row): (&(domain::SaleNumber, RestockId), &RestockRow)| {
            let sale = &self.sales.get(number)?.sale;
            let (item, _) = sale.item(&row.restock.item)?;
            Some(sale.withdrawal(&row.restock, item))
        };
        old.into_iter().filter_map(answer).take(OPEN_MAX).collect()
    }
}
