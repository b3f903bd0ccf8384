//! One fair way in which the processes bring any state to rest once faults have stopped and nobody buys.
//!
//! Each step is an ordinary step of a gateway, a consumer, a relay or a keeper. A state from which this does not
//! come to rest, or rests with wrong books, is stuck.

use crate::action::Action;
use crate::moves::paying::{next_of_refund, next_open};
use crate::moves::restocking::{next_of_porter, open};
use crate::moves::{is_queued, may_republish, next_of_keeper};
use crate::shop::Shop;
use crate::state::{CASHIERS, Desk, KEEPERS, PORTERS, State, Till};

/// Far more steps than the largest world needs.
const STEPS_MAX: usize = 300;

/// How a state came to rest.
pub struct Rest {
    pub state: State,
    /// `false`: it was still moving after [`STEPS_MAX`] steps.
    pub is_quiet: bool,
}

/// Brings `state` to rest; each step is shown to `watch`.
pub fn settle(mut state: State, shop: &Shop, mut watch: impl FnMut(Action)) -> Rest {
    for _ in 0..STEPS_MAX {
        let Some(action) = next(&state, shop) else { return Rest { state, is_quiet: true } };
        watch(action);
        state = state.after(shop, action);
    }
    Rest { state, is_quiet: false }
}

fn next(state: &State, shop: &Shop) -> Option<Action> {
    at_the_desks(state, shop)
        .or_else(|| in_the_queue(state, shop))
        .or_else(|| by_the_keepers(state, shop))
        .or_else(|| on_the_way_back(state, shop))
        .or_else(|| by_the_porters(state, shop))
        .or_else(|| by_the_watch(state, shop))
        .or_else(|| by_the_cashiers(state, shop))
}

fn at_the_desks(state: &State, shop: &Shop) -> Option<Action> {
    let mut jobs = 0..shop.wishes.len();
    let publish = |job| (0..shop.messages.len()).find(|message| shop.jobs_in(*message).eq([job])).map(Action::Publish);
    jobs.find_map(|job| match state.desks[job] {
        Desk::Empty => None,
        Desk::Admitted => publish(job),
        Desk::Sent => Some(Action::Confirm(job)),
    })
}

fn in_the_queue(state: &State, shop: &Shop) -> Option<Action> {
    let message = (0..shop.messages.len()).find(|message| state.queue[*message] > 0)?;
    Some(if state.unacked[message] { Action::Ack(message) } else { Action::Place(message) })
}

fn by_the_keepers(state: &State, shop: &Shop) -> Option<Action> {
    let under_way = (0..KEEPERS).find_map(|keeper| next_of_keeper(state, shop, keeper));
    under_way.or_else(|| (!state.gate_is_fit()).then_some(Action::Decide(0)))
}

fn on_the_way_back(state: &State, shop: &Shop) -> Option<Action> {
    if state.echo.is_some() {
        return Some(Action::EchoArrives);
    }
    let stock = state.postgres.restocks.iter().position(|restock| restock.in_outbox).map(Action::RelayStock);
    stock.or_else(|| {
        (0..shop.wishes.len()).find_map(|job| match state.postgres.outbox[job] {
            0 => None,
            waiting => Some(Action::Relay(job, waiting.trailing_zeros() as u8 + 1)),
        })
    })
}

fn by_the_porters(state: &State, shop: &Shop) -> Option<Action> {
    let under_way = (0..PORTERS).find_map(|porter| next_of_porter(state, shop, porter));
    under_way.or_else(|| open(state, shop).next().map(|restock| Action::TakeUp(0, restock)))
}

/// Without new reservations: that the money goes back is always an end.
fn by_the_cashiers(state: &State, shop: &Shop) -> Option<Action> {
    let under_way = (0..CASHIERS).find_map(|cashier| match state.cashiers[cashier].step {
        Till::Idle => None,
        Till::Claimed => Some(Action::EndUnreserved(cashier)),
        Till::Reserved => Some(Action::EndReserved(cashier)),
    });
    under_way
        .or_else(|| next_open(state, shop).next().map(|payment| Action::LookAgain(0, payment)))
        .or_else(|| (0..shop.payments.len()).find_map(|payment| next_of_refund(state, shop, payment)))
}

/// What still has a message is the consumer's; the watch has patience.
fn by_the_watch(state: &State, shop: &Shop) -> Option<Action> {
    let is_due = |message: &usize| {
        may_republish(state, shop, *message) && shop.jobs_in(*message).all(|job| !is_queued(state, shop, job))
    };
    (0..shop.messages.len()).find(is_due).map(Action::Republish)
}
