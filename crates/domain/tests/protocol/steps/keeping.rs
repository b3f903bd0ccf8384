//! Loading a sale into the gate, step by step: `warmup.rs` and `keeper.rs`.

use crate::shop::{Mechanism, Shop};
use crate::state::{Keeper, State, Step};

impl State {
    /// Would a keeper leave the gate alone?
    pub fn gate_is_fit(&self) -> bool {
        self.redis.ready() && self.redis.epoch == self.postgres.epoch
    }

    pub(super) fn decide(&mut self, keeper: usize) {
        self.rebuilds_left = self.rebuilds_left.saturating_sub(1);
        self.keepers[keeper] = Keeper { step: Step::Decided, ..Keeper::default() };
    }

    pub(super) fn number(&mut self, shop: &Shop, keeper: usize) {
        self.postgres.epoch += 1;
        let epoch = self.postgres.epoch;
        let read = if shop.lacks(Mechanism::ShutBeforeRead) { self.postgres.rows } else { Default::default() };
        let stock = self.postgres.stock;
        self.keepers[keeper] = Keeper { step: Step::Numbered, epoch, next: 0, read, stock };
    }

    pub(super) fn shut(&mut self, shop: &Shop, keeper: usize) {
        let one = &mut self.keepers[keeper];
        if self.redis.begin_epoch(one.stock, one.epoch) {
            let is_fixed = shop.restocks.is_empty() || shop.lacks(Mechanism::StockAfterShut);
            one.step = if is_fixed { Step::Loading } else { Step::Shut };
            one.stock = Default::default();
        } else {
            self.keepers[keeper] = Keeper::default(); // another keeper was faster
        }
    }

    /// The stock may have changed, and its effect may have been spent on what the gate has forgotten.
    pub(super) fn read_stock(&mut self, keeper: usize) {
        let one = &mut self.keepers[keeper];
        one.stock = self.postgres.stock;
        one.step = Step::StockRead;
    }

    pub(super) fn load_stock(&mut self, keeper: usize) {
        let one = &mut self.keepers[keeper];
        for (item, stock) in std::mem::take(&mut one.stock).into_iter().enumerate() {
            self.redis.restock(item, stock);
        }
        one.step = Step::Loading;
    }

    /// A page is one row: other steps may come between any two of them.
    pub(super) fn read(&mut self, shop: &Shop, keeper: usize) {
        let one = &mut self.keepers[keeper];
        let job = usize::from(one.next);
        if self.postgres.rows[job].is_absent() || shop.lacks(Mechanism::ShutBeforeRead) {
            one.next += 1;
        } else {
            one.read[job] = self.postgres.rows[job];
        }
    }

    /// Whether the gate took it does not matter here: a gate that did not is in another epoch by the end.
    pub(super) fn load(&mut self, shop: &Shop, keeper: usize) {
        let one = &mut self.keepers[keeper];
        let job = usize::from(one.next);
        let row = std::mem::take(&mut one.read[job]);
        one.next += 1;
        self.redis.hold(shop, job, row);
    }

    pub(super) fn finish(&mut self, shop: &Shop, keeper: usize) {
        self.redis.finish_epoch(shop, self.keepers[keeper].epoch);
        self.keepers[keeper] = Keeper::default();
    }
}
