//! Restocks, and the worker who takes units out.

use crate::shop::{Mechanism, Shop};
use crate::state::{Aside, Carry, Porter, Stage, State};

impl State {
    /// Units are added at once; units that are to be taken out are only noted.
    pub(super) fn ask_restock(&mut self, shop: &Shop, restock: usize) {
        let (item, delta) = shop.restocks[restock];
        if shop.withdrawal(restock).is_some() {
            self.postgres.restocks[restock].stage = Stage::Withdrawing;
        } else {
            self.postgres.stock[item].units += delta.unsigned_abs();
            self.end_restock(shop, restock, Stage::Done);
        }
    }

    pub(super) fn take_up(&mut self, shop: &Shop, porter: usize, restock: usize) {
        let rev = self.postgres.stock[shop.restocks[restock].0].rev;
        self.porters[porter] = Porter { step: Carry::Claimed, restock: restock as u8, rev };
    }

    pub(super) fn set_aside(&mut self, shop: &Shop, porter: usize) {
        let one = &mut self.porters[porter];
        one.step = self.redis.withdraw(shop, one.restock.into(), one.rev);
        if one.step == Carry::Idle {
            *one = Porter::default();
        } else {
            one.rev = 0; // it has served
        }
    }

    /// Without its units, or with more sold than would be left, a withdrawal is refused. The gate is told either way.
    pub(super) fn end_withdrawal(&mut self, shop: &Shop, porter: usize) {
        let Porter { step, restock, .. } = std::mem::take(&mut self.porters[porter]);
        let restock = usize::from(restock);
        let Some((item, units)) = shop.withdrawal(restock) else { return };
        if self.postgres.restocks[restock].stage != Stage::Withdrawing {
            return; // somebody else was faster
        }
        let stock = &mut self.postgres.stock[item];
        let done = step != Carry::TooMany && self.postgres.sold[item] + units <= stock.units;
        if done {
            stock.units -= units;
        }
        self.end_restock(shop, restock, if done { Stage::Done } else { Stage::Refused });
    }

    fn end_restock(&mut self, shop: &Shop, restock: usize, stage: Stage) {
        let stock = &mut self.postgres.stock[shop.restocks[restock].0];
        stock.rev += 1;
        let one = &mut self.postgres.restocks[restock];
        one.stage = stage;
        one.stock = *stock;
        one.in_outbox = true;
    }

    /// Units of an item that the gate has set aside.
    pub fn units_aside(&self, shop: &Shop, item: usize) -> i8 {
        let withdrawals = (0..shop.restocks.len()).filter(|restock| self.redis.aside[*restock] == Aside::Set);
        let of_item = withdrawals.filter_map(|restock| shop.withdrawal(restock)).filter(|(of, _)| *of == item);
        of_item.map(|(_, units)| units.cast_signed()).sum()
    }

    /// The effect of a restock reaches the gate: stock and the end of a withdrawal, in one step.
    pub(super) fn relay_stock(&mut self, shop: &Shop, restock: usize, strike_off: bool) {
        let (item, delta) = shop.restocks[restock];
        let one = &mut self.postgres.restocks[restock];
        let is_new = one.stock.rev > self.redis.stock[item].rev;
        if shop.lacks(Mechanism::WholeStock) {
            if !self.redis.present || !self.redis.same_run {
                return;
            }
            self.redis.free[item] += if one.stage == Stage::Done { delta } else { 0 };
        } else if !self.redis.restock(item, one.stock) {
            return;
        }
        if is_new || !shop.lacks(Mechanism::EndsWhenOld) {
            self.redis.end_withdrawal(shop, restock);
        }
        if strike_off {
            one.in_outbox = false;
        }
    }
}
