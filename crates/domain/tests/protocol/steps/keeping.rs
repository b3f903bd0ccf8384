//! Loading a sale into the gate, step by step: `warmup.rs` and `keeper.rs`.

use crate::shop::{Mechanism, Shop};
use crate::state::{Keeper, Row, State, Step};

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
        self.keepers[keeper] = Keeper { step: Step::Numbered, epoch, next: 0, read };
    }

    pub(super) fn shut(&mut self, shop: &Shop, keeper: usize) {
        let begun = self.redis.begin_epoch(shop, self.keepers[keeper].epoch);
        if begun {
            self.keepers[keeper].step = Step::Loading;
        } else {
            self.keepers[keeper] = Keeper::default(); // another keeper was faster
        }
    }

    /// A page is one row: other steps may come between any two of them.
    pub(super) fn read(&mut self, shop: &Shop, keeper: usize) {
        let one = &mut self.keepers[keeper];
        let job = usize::from(one.next);
        if self.postgres.rows[job] == Row::Absent || shop.lacks(Mechanism::ShutBeforeRead) {
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
