//! The worlds in which the protocol, as it is, has to hold.

mod large;
mod later;

use crate::action::Action;
use crate::explorer::{Explored, explore, explore_watching};
use crate::page::{Missing, grouped};
use crate::shop::Shop;
use crate::state::Status;

/// Above this a world is too large for the memory of a small machine: 64 bytes for each state.
const STATES_MAX: usize = 60_000_000;

/// Buyer, item and units of each token.
type Wishes = &'static [(usize, usize, u8)];

const ONE_BUYER: Wishes = &[(0, 0, 1)];
const TWO_BUYERS: Wishes = &[(0, 0, 1), (1, 0, 1)];
const TWICE_ONE_BUYER: Wishes = &[(0, 0, 1), (0, 0, 1)];
const THREE_TOKENS: Wishes = &[(0, 0, 1), (0, 0, 1), (1, 0, 1)];
const TWO_ITEMS: Wishes = &[(0, 0, 1), (0, 1, 1), (1, 1, 1)];
const UNEQUAL: Wishes = &[(0, 0, 2), (1, 0, 1), (2, 0, 1)];

/// The world that [`an_order_ends_while_it_is_loaded_and_its_token_is_sent_after_the_loss`] looks into.
const REPLAY: &str = "one buyer, one unit, the token is sent twice, the order ends, one loss";

fn worlds() -> Vec<Shop> {
    let two = |name| Shop::new(name, TWO_BUYERS, &[1], 1);
    vec![
        Shop { presses: 2, ..two("two buyers, one unit") },
        Shop { presses: 2, ..two("… one loss of Redis").one_loss() },
        Shop { copies: 1, cancels: true, ..two("… one loss, orders end").one_loss() },
        Shop { copies: 1, keepers: 2, rebuilds: 2, ..two("… one loss, two keepers race").one_loss() },
        Shop { copies: 1, cancels: true, echoes: 1, ..two("… effects arrive late, orders end") },
        Shop { presses: 2, discards: true, ..two("… an operator discards what hangs") },
        Shop { copies: 1, discards: true, ..two("… one loss, an operator discards what hangs").one_loss() },
        Shop { losses: 1, repairs: true, rebuilds: 1, presses: 2, ..two("… a healthy gate is loaded again") },
        Shop { queue_losses: 1, presses: 2, ..two("… the queue is deleted once") },
        Shop { effect_losses: 1, presses: 2, ..two("… an effect is passed over once") },
        Shop { messages: vec![1, 2, 3], ..two("… a group of two in one message, one loss").one_loss() },
        Shop {
            presses: 2,
            ..Shop::new("one buyer with two tokens, limit 1, one loss", TWICE_ONE_BUYER, &[2], 1).one_loss()
        },
        Shop {
            copies: 1,
            ..Shop::new("tokens for 2, 1 and 1 units, stock 2, limit 2, one loss", UNEQUAL, &[2], 2).one_loss()
        },
        Shop {
            copies: 1,
            ..Shop::new("three tokens, two buyers, stock 2, limit 2, one loss", THREE_TOKENS, &[2], 2).one_loss()
        },
        Shop { copies: 1, ..Shop::new("three tokens, two items, limit 1, one loss", TWO_ITEMS, &[1, 1], 1).one_loss() },
        Shop { presses: 2, cancels: true, ..Shop::new(REPLAY, ONE_BUYER, &[1], 1).one_loss() },
    ]
}

fn hold(worlds: Vec<Shop>) {
    let mut missing = Missing::default();
    for shop in worlds {
        let Explored { states, seconds, complete, broken } = explore(&shop, STATES_MAX);
        println!("{states:>10} states {seconds:>6.1} s  {}", shop.name);
        if let Some(broken) = broken {
            panic!("{}: {broken}", shop.name);
        }
        assert!(complete, "{} has more than {STATES_MAX} states", shop.name);
        missing.has(&format!("| {} | {} |", shop.name, grouped(states)));
    }
    missing.none();
}

#[test]
fn every_promise_holds_in_every_world() {
    hold(worlds());
}

#[test]
fn every_promise_holds_where_payments_cancels_and_deadlines_meet() {
    hold(later::paying_worlds());
}

#[test]
fn every_promise_holds_where_units_are_added_and_taken_out() {
    hold(later::restocking_worlds());
}

/// What the promises are worth depends on what happens in their worlds: these two things do.
#[test]
fn an_order_ends_while_it_is_loaded_and_its_token_is_sent_after_the_loss() {
    let shop = worlds().into_iter().find(|shop| shop.name == REPLAY).expect("this world is there");
    let (mut ends_while_loaded, mut sent_after) = (false, false);
    explore_watching(&shop, STATES_MAX, |state, action| match action {
        Action::Cancel(0) => ends_while_loaded |= state.keepers[0].read[0].is_live(),
        Action::Press(0) => {
            sent_after |= state.gate_has_lost(&shop) && state.postgres.rows[0].status == Status::Cancelled;
        }
        _ => {}
    });
    assert!(ends_while_loaded && sent_after);
}

/// Minutes and gigabytes; only where `PROTOCOL_MODEL=full` asks for it.
#[test]
fn every_promise_holds_in_larger_worlds() {
    if std::env::var("PROTOCOL_MODEL").is_ok_and(|size| size == "full") {
        hold(large::worlds());
    }
}
