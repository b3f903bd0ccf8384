//! How an order may end, and what may happen to its payments.

use super::is_queued;
use crate::action::Action;
use crate::shop::{Mechanism, Shop};
use crate::state::{Paying, State, Status, Till};

pub fn ending(state: &State, shop: &Shop, job: usize, into: &mut Vec<Action>) {
    let status = state.postgres.rows[job].status;
    // Without a compare, whoever has read the order before it was paid goes on as if it were not.
    let is_pending = status == Status::Pending || status == Status::Paid && shop.lacks(Mechanism::CompareAndSet);
    if shop.cancels && is_pending {
        into.push(Action::Cancel(job));
    }
    if shop.expiries && is_pending {
        into.push(Action::Expire(job));
    }
    let is_watched = state.redis.records[job].is_watched();
    if status != Status::Absent || !is_watched && !is_queued(state, shop, job) {
        return;
    }
    if shop.discards {
        into.push(Action::Discard(job));
    }
    if shop.lacks(Mechanism::Tombstone) && state.redis.ready() && is_watched {
        into.push(Action::Drop(job));
    }
}

pub fn paying(state: &State, shop: &Shop, into: &mut Vec<Action>) {
    for (payment, job) in shop.payments.iter().enumerate() {
        let was_pressed = state.presses_left[*job] < shop.presses;
        let is_new = state.postgres.payments[payment].state == Paying::Absent;
        if was_pressed && (is_new || shop.lacks(Mechanism::PaymentOnce)) {
            into.push(Action::Pay(payment));
        }
        into.extend(next_of_refund(state, shop, payment));
        if state.postgres.payments[payment].in_hand {
            into.push(Action::RefunderDies(payment));
        }
    }
    if shop.payments.is_empty() {
        return;
    }
    for cashier in 0..shop.cashiers {
        let one = &state.cashiers[cashier];
        // Cashiers are alike: the second one is only looked at while the first is busy.
        let is_alike = cashier > 0 && state.cashiers[cashier - 1].step == Till::Idle;
        match one.step {
            Till::Idle if is_alike => {}
            Till::Idle => into.extend(next_open(state, shop).map(|payment| Action::LookAgain(cashier, payment))),
            Till::Claimed => {
                into.extend([Action::EndUnreserved(cashier), Action::CashierDies(cashier)]);
                if one.rev > 0 {
                    into.push(Action::Reserve(cashier));
                    if shop.lacks(Mechanism::ReserveBeforeRebook) {
                        into.push(Action::EndReserved(cashier));
                    }
                }
            }
            Till::Reserved => into.extend([Action::EndReserved(cashier), Action::CashierDies(cashier)]),
        }
    }
}

/// Open payments, as far as anybody looks at them.
pub fn next_open(state: &State, shop: &Shop) -> impl Iterator<Item = usize> + use<> {
    let payments = state.postgres.payments;
    let looked_at = if shop.lacks(Mechanism::LookAgain) { 0 } else { shop.payments.len() };
    (0..looked_at).filter(move |payment| payments[*payment].state == Paying::Open)
}

/// The next half of a refund.
pub fn next_of_refund(state: &State, shop: &Shop, payment: usize) -> Option<Action> {
    let one = &state.postgres.payments[payment];
    let note_first = shop.lacks(Mechanism::RefundBeforeNote);
    match (one.state, one.in_hand) {
        (Paying::RefundDue, false) if shop.refunds && note_first => Some(Action::NoteRefund(payment)),
        (Paying::Refunded, true) => Some(Action::GiveBack(payment)),
        (Paying::RefundDue, false) if shop.refunds => Some(Action::GiveBack(payment)),
        (Paying::RefundDue, true) => Some(Action::NoteRefund(payment)),
        _ => None,
    }
}
