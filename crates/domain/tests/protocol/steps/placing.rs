//! From the queue to Postgres, what becomes of orders there, and their way back to the gate.

use crate::shop::{Mechanism, Shop};
use crate::state::{Late, Row, State};

impl State {
    /// One transaction: rows, stock and outbox of all jobs in a message.
    pub(super) fn place(&mut self, shop: &Shop, message: usize) {
        for job in shop.jobs_in(message) {
            if self.postgres.rows[job] == Row::Absent {
                let row = if self.has_room(shop, job) { Row::Live } else { Row::Rejected };
                self.change(shop, job, row);
            } else if !shop.lacks(Mechanism::SentAgain) {
                self.send_effect(job);
            }
        }
        self.unacked[message] = true;
    }

    pub(super) fn ack(&mut self, message: usize) {
        self.queue[message] -= 1;
        self.unacked[message] = false;
    }

    /// May this job hold its units, as far as Postgres knows?
    pub fn has_room(&self, shop: &Shop, job: usize) -> bool {
        let wish = shop.wishes[job];
        let fits = self.postgres.sold[wish.item] + wish.units <= shop.stock[wish.item];
        let allowed = self.live_units_of(shop, wish.buyer) + wish.units <= shop.limit;
        (fits || shop.lacks(Mechanism::StockInPostgres)) && (allowed || shop.lacks(Mechanism::AllowanceInPostgres))
    }

    pub fn live_units_of(&self, shop: &Shop, buyer: usize) -> u8 {
        self.live(shop).filter(|wish| wish.buyer == buyer).map(|wish| wish.units).sum()
    }

    pub fn live_units_at(&self, shop: &Shop, item: usize) -> u8 {
        self.live(shop).filter(|wish| wish.item == item).map(|wish| wish.units).sum()
    }

    fn live<'s>(&self, shop: &'s Shop) -> impl Iterator<Item = &'s crate::shop::Wish> {
        let rows = self.postgres.rows;
        shop.wishes.iter().zip(rows).filter(|(_, row)| row.is_live()).map(|(wish, _)| wish)
    }

    /// A row becomes something else, with its stock and its effect, in one transaction.
    pub(super) fn change(&mut self, shop: &Shop, job: usize, row: Row) {
        let wish = shop.wishes[job];
        if self.postgres.rows[job].is_live() {
            self.postgres.sold[wish.item] -= wish.units;
        }
        if row.is_live() {
            self.postgres.sold[wish.item] += wish.units;
        }
        self.postgres.rows[job] = row;
        self.send_effect(job);
    }

    fn send_effect(&mut self, job: usize) {
        self.postgres.outbox[job] |= 1 << (self.postgres.rows[job].rev() - 1);
    }

    pub(super) fn reserve(&mut self, shop: &Shop, job: usize) {
        let rev = self.postgres.rows[job].rev();
        if self.redis.reserve(shop, job, rev) {
            self.postgres.late[job] = Late::Reserved;
        }
    }

    /// The end of a late payment. Whichever way it ends, the revision grows: a unit that was reserved comes back.
    pub(super) fn end_late_payment(&mut self, shop: &Shop, job: usize, row: Row) {
        self.postgres.late[job] = Late::None;
        if row.is_live() || !shop.lacks(Mechanism::RefundIsAnEffect) {
            self.change(shop, job, row);
        }
    }

    pub(super) fn relay(&mut self, shop: &Shop, job: usize, rev: u8, strike_off: bool) {
        let row = self.postgres.rows[job].at(rev);
        let is_thrown_away = self.redis.loading && shop.lacks(Mechanism::HoldsWhileLoading);
        if (is_thrown_away || self.redis.hold(shop, job, row)) && strike_off {
            self.strike_off(job, rev);
        }
    }

    pub(super) fn strike_off(&mut self, job: usize, rev: u8) {
        self.postgres.outbox[job] &= !(1 << (rev - 1));
    }

    pub(super) fn echo_arrives(&mut self, shop: &Shop) {
        if let Some((job, rev)) = self.echo.take() {
            self.relay(shop, job.into(), rev, false);
        }
    }
}
