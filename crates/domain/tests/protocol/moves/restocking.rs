//! What may happen to the stock.

use crate::action::Action;
use crate::shop::{Mechanism, Shop};
use crate::state::{Carry, Stage, State};

pub fn restocking(state: &State, shop: &Shop, into: &mut Vec<Action>) {
    for (restock, one) in state.postgres.restocks.iter().enumerate().take(shop.restocks.len()) {
        if one.stage == Stage::Absent {
            into.push(Action::Restock(restock));
        }
        if one.in_outbox {
            into.extend([Action::RelayStock(restock), Action::RelayStockRepeats(restock)]);
        }
    }
    if shop.restocks.is_empty() {
        return;
    }
    for porter in 0..shop.porters {
        let is_idle = state.porters[porter].step == Carry::Idle;
        // Porters are alike: the second one is only looked at while the first is busy.
        let is_alike = porter > 0 && state.porters[porter - 1].step == Carry::Idle;
        if is_idle && !is_alike {
            into.extend(open(state, shop).map(|restock| Action::TakeUp(porter, restock)));
        } else if !is_idle {
            into.extend(next_of_porter(state, shop, porter));
            into.push(Action::PorterDies(porter));
        }
    }
}

/// Withdrawals that have not ended.
pub fn open(state: &State, shop: &Shop) -> impl Iterator<Item = usize> + use<> {
    let restocks = state.postgres.restocks;
    (0..shop.restocks.len()).filter(move |restock| restocks[*restock].stage == Stage::Withdrawing)
}

/// What a worker with a withdrawal in hand does next.
pub fn next_of_porter(state: &State, shop: &Shop, porter: usize) -> Option<Action> {
    match state.porters[porter].step {
        Carry::Idle => None,
        Carry::Claimed if shop.lacks(Mechanism::SetAsideFirst) => Some(Action::EndWithdrawal(porter)),
        Carry::Claimed => Some(Action::SetAside(porter)),
        Carry::Taken | Carry::TooMany => Some(Action::EndWithdrawal(porter)),
    }
}
