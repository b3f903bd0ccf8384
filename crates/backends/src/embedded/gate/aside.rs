//! Units that are neither free nor in an order: reserved again for a late payment, or set aside for a withdrawal.

use domain::ports::{Reserved, Withdrawn};
use domain::{JobId, JobState, SaleState, StockEffect, Withdrawal};

use super::sale::GateSale;

impl GateSale {
    /// Takes the units of an expired order again, if it is known at just this revision.
    pub(super) fn reserve_again(&mut self, job: JobId, rev: u32) -> Reserved {
        let Some(record) = self.jobs.get(&job).filter(|record| record.rev == rev) else { return Reserved::Stale };
        if record.state == JobState::ReservedAgain {
            return Reserved::Reserved;
        }
        if record.units > 0 {
            return Reserved::Stale; // live: the effect that ends it has not arrived
        }
        let (quantity, item, buyer) = (record.quantity, record.item, record.buyer.clone());
        let is_placed = record.state == JobState::Placed && quantity > 0;
        let Some(buyer) = buyer.filter(|_| is_placed && self.state != SaleState::Closed) else {
            return Reserved::Refused;
        };
        let units = i64::from(quantity);
        let held = self.buyers.get(&buyer).map_or(0, |holding| holding.units);
        let within_limit = held + units <= i64::from(self.limit);
        let Some(counters) = self.counters(item).filter(|counters| within_limit && units <= counters.free) else {
            return Reserved::Refused;
        };
        counters.free -= units;
        counters.queued += units;
        self.move_allowance(buyer, units, job);
        if let Some(record) = self.jobs.get_mut(&job) {
            record.state = JobState::ReservedAgain;
            record.units = quantity;
        }
        Reserved::Reserved
    }

    /// Sets units aside, once per id, at the revision of the stock that the caller has seen.
    pub(super) fn withdraw(&mut self, withdrawal: &Withdrawal) -> Withdrawn {
        match self.withdrawals.get(&withdrawal.id) {
            Some(0) => return Withdrawn::Ended,
            Some(_) => return Withdrawn::Taken,
            None => {}
        }
        let known = self.stock.get(usize::from(withdrawal.item.get()));
        if known.is_some_and(|known| known.rev != withdrawal.stock_rev) {
            return Withdrawn::Stale;
        }
        let units = withdrawal.units;
        let Some(counters) = self.counters(Some(withdrawal.item)) else { return Withdrawn::TooMany { free: 0 } };
        if counters.free < units {
            return Withdrawn::TooMany { free: counters.free };
        }
        counters.free -= units;
        counters.queued += units;
        self.withdrawals.insert(withdrawal.id.clone(), units);
        Withdrawn::Taken
    }

    /// Applies a stock that is newer than the known one, and ends a withdrawal; `false` when both were known.
    pub(super) fn restock(&mut self, effect: &StockEffect) -> bool {
        let mut difference = 0;
        let known = self.stock.get_mut(usize::from(effect.item.get()));
        let newer = known.filter(|known| known.rev < effect.stock.rev);
        let mut is_news = newer.is_some();
        if let Some(known) = newer {
            difference = effect.stock.units - known.units;
            *known = effect.stock;
        }
        let mut aside = 0;
        if let Some(id) = &effect.ends {
            let ended = self.withdrawals.insert(id.clone(), 0);
            is_news |= ended != Some(0);
            aside = ended.unwrap_or(0);
        }
        if let Some(counters) = self.counters(Some(effect.item)) {
            counters.free += difference + aside;
            counters.queued -= aside;
        }
        is_news
    }
}
