//! From the queue to Postgres, what becomes of orders there, and their way back to the gate.

use crate::shop::{Mechanism, Shop};
use crate::state::{Row, State, Status};

impl State {
    /// One transaction: rows, stock and outbox of all jobs in a message.
    pub(super) fn place(&mut self, shop: &Shop, message: usize) {
        for job in shop.jobs_in(message) {
            if self.postgres.rows[job].is_absent() {
                let status = if self.has_room(shop, job) { Status::Pending } else { Status::Rejected };
                self.change(shop, job, status);
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
        let fits = self.postgres.sold[wish.item] + wish.units <= self.postgres.stock[wish.item].units;
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

    /// The units of a row change, with its stock, its revision and its effect, in one transaction.
    pub(super) fn change(&mut self, shop: &Shop, job: usize, status: Status) {
        let wish = shop.wishes[job];
        let row = Row { status, rev: self.postgres.rows[job].rev + 1 };
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
        self.postgres.outbox[job] |= 1 << (self.postgres.rows[job].rev - 1);
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
