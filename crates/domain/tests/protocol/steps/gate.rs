//! The scripts of `lua/`, as far as they decide anything.

use crate::shop::{Mechanism, Shop};
use crate::state::{Known, Record, Redis, Row};

/// Answer of `admit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    NotReady,
    Repeated(Known),
    Refused,
    Admitted,
}

impl Redis {
    /// A sale with its whole stock free.
    pub fn fresh(shop: &Shop, epoch: u8, loading: bool) -> Self {
        let mut redis = Self { present: true, same_run: true, loading, epoch, ..Self::default() };
        for (free, stock) in redis.free.iter_mut().zip(&shop.stock) {
            *free = stock.cast_signed();
        }
        redis
    }

    /// What is left of this after a restart: every script looks at `run` first, and then at nothing but the epoch.
    pub fn as_read_by_a_later_run(&self, shop: &Shop) -> Self {
        if shop.lacks(Mechanism::RunId) || !self.present {
            return *self;
        }
        Self { present: true, epoch: self.epoch, ..Self::default() }
    }

    pub fn ready(&self) -> bool {
        self.present && self.same_run && !self.loading
    }

    /// `admit.lua`
    pub fn admit(&mut self, shop: &Shop, job: usize) -> Verdict {
        if !self.ready() {
            return Verdict::NotReady;
        }
        let known = self.records[job].state;
        if known != Known::Absent {
            return Verdict::Repeated(known);
        }
        if !self.take(shop, job) {
            return Verdict::Refused;
        }
        self.records[job] = Record { state: Known::Unpublished, rev: 0, units: shop.wishes[job].units };
        Verdict::Admitted
    }

    /// The unit of a late payment: as if it were admitted again, if the gate knows that the order holds nothing.
    pub fn reserve(&mut self, shop: &Shop, job: usize, rev: u8) -> bool {
        let record = self.records[job];
        if !self.ready() || record.rev != rev {
            return false;
        }
        if record.units > 0 {
            return true; // by the one before us, who died
        }
        let taken = self.take(shop, job);
        if taken {
            self.records[job].units = shop.wishes[job].units;
        }
        taken
    }

    fn take(&mut self, shop: &Shop, job: usize) -> bool {
        let wish = shop.wishes[job];
        let units = wish.units.cast_signed();
        if self.held[wish.buyer] + units > shop.limit.cast_signed() || self.free[wish.item] < units {
            return false;
        }
        self.free[wish.item] -= units;
        self.held[wish.buyer] += units;
        true
    }

    /// What a request path that compensates would do.
    pub fn give_back(&mut self, shop: &Shop, job: usize) {
        if !self.ready() {
            return;
        }
        let wish = shop.wishes[job];
        let units = self.records[job].units.cast_signed();
        self.free[wish.item] += units;
        self.held[wish.buyer] -= units;
        self.records[job] = Record::default();
    }

    /// `mark_queued.lua`
    pub fn mark(&mut self, job: usize) {
        if self.ready() && self.records[job].state == Known::Unpublished {
            self.records[job].state = Known::Queued;
        }
    }

    /// `hold.lua`: what an order holds. `false`: not ready, keep the effect.
    pub fn hold(&mut self, shop: &Shop, job: usize, row: Row) -> bool {
        if !self.present || !self.same_run {
            return false;
        }
        let wish = shop.wishes[job];
        let known = self.records[job];
        let rev = row.rev();
        // A missing record counts as rev −1; no effect has a rev below 1.
        let newer = known.state == Known::Absent || rev > known.rev;
        if newer || shop.lacks(Mechanism::Revisions) {
            let state = if row == Row::Rejected { Known::Refused } else { Known::Placed };
            let units = if row.is_live() { wish.units } else { 0 };
            let given = known.units.cast_signed() - units.cast_signed();
            self.free[wish.item] += given;
            self.held[wish.buyer] = (self.held[wish.buyer] - given).max(0);
            self.records[job] = Record { state, rev, units };
        }
        true
    }

    /// `begin_epoch.lua`
    pub fn begin_epoch(&mut self, shop: &Shop, epoch: u8) -> bool {
        if self.present && self.epoch >= epoch {
            return false;
        }
        *self = Self::fresh(shop, epoch, true);
        true
    }

    /// `finish_epoch.lua`
    pub fn finish_epoch(&mut self, shop: &Shop, epoch: u8) {
        if self.present && self.same_run && (self.epoch == epoch || shop.lacks(Mechanism::FinishChecksEpoch)) {
            self.loading = false;
        }
    }
}
