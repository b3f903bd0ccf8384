//! The scripts of `lua/`, as far as they decide anything.

use crate::shop::{Mechanism, Shop};
use crate::state::{Aside, Carry, ITEMS, Known, Record, Redis, Row, Stock};

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
    pub fn fresh(stock: [Stock; ITEMS], epoch: u8, loading: bool) -> Self {
        let free = stock.map(|one| one.units.cast_signed());
        Self { present: true, same_run: true, loading, epoch, free, stock, ..Self::default() }
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

    /// `reserve.lua`: the units of a late payment, as if they were admitted again, if the gate knows that the order
    /// holds nothing.
    pub fn reserve(&mut self, shop: &Shop, job: usize, rev: u8) -> bool {
        let record = self.records[job];
        if !self.ready() || record.rev != rev && !shop.lacks(Mechanism::ReserveAtRev) {
            return false;
        }
        if record.units > 0 {
            return record.state == Known::Again; // by the one before us, who died; else the order is live
        }
        let taken = self.take(shop, job);
        if taken {
            let units = shop.wishes[job].units;
            self.records[job] = Record { state: Known::Again, units, ..record };
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

    /// What a request path that compensates would do, or a gate that forgets.
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
        let rev = row.rev;
        // A missing record counts as rev −1; no effect has a rev below 1.
        let newer = known.state == Known::Absent || rev > known.rev;
        if newer || shop.lacks(Mechanism::Revisions) {
            let state = if row.is_refused() { Known::Refused } else { Known::Placed };
            let units = if row.is_live() { wish.units } else { 0 };
            let given = known.units.cast_signed() - units.cast_signed();
            self.free[wish.item] += given;
            self.held[wish.buyer] = (self.held[wish.buyer] - given).max(0);
            self.records[job] = Record { state, rev, units };
        }
        true
    }

    /// `begin_epoch.lua`
    pub fn begin_epoch(&mut self, stock: [Stock; ITEMS], epoch: u8) -> bool {
        if self.present && self.epoch >= epoch {
            return false;
        }
        *self = Self::fresh(stock, epoch, true);
        true
    }

    /// `finish_epoch.lua`
    pub fn finish_epoch(&mut self, shop: &Shop, epoch: u8) {
        if self.present && self.same_run && (self.epoch == epoch || shop.lacks(Mechanism::FinishChecksEpoch)) {
            self.loading = false;
        }
    }

    /// `withdraw.lua`: sets units aside. `Idle`: not now, or not any more.
    pub fn withdraw(&mut self, shop: &Shop, restock: usize, rev: u8) -> Carry {
        let Some((item, units)) = shop.withdrawal(restock) else { return Carry::Idle };
        let aside = self.aside[restock];
        if !self.ready() || aside == Aside::Ended {
            return Carry::Idle;
        }
        if aside == Aside::Set && !shop.lacks(Mechanism::SetAsideOnce) {
            return Carry::Taken; // by the one before us
        }
        if self.stock[item].rev != rev && !shop.lacks(Mechanism::SetAsideAtRev) {
            return Carry::Idle;
        }
        if self.free[item] < units.cast_signed() {
            return Carry::TooMany;
        }
        self.free[item] -= units.cast_signed();
        self.aside[restock] = Aside::Set;
        Carry::Taken
    }

    /// `restock.lua`: the whole stock, if it is newer. `false`: not ready, keep the effect.
    pub fn restock(&mut self, item: usize, stock: Stock) -> bool {
        if !self.present || !self.same_run {
            return false;
        }
        let known = self.stock[item];
        if stock.rev > known.rev {
            self.free[item] += stock.units.cast_signed() - known.units.cast_signed();
            self.stock[item] = stock;
        }
        true
    }

    /// The other half of `restock.lua`, in the same step: what was set aside is free again.
    pub fn end_withdrawal(&mut self, shop: &Shop, restock: usize) {
        let Some((item, units)) = shop.withdrawal(restock) else { return };
        if self.aside[restock] == Aside::Set {
            self.free[item] += units.cast_signed();
        }
        self.aside[restock] = if shop.ended_ids { Aside::Ended } else { Aside::Nothing };
    }
}
