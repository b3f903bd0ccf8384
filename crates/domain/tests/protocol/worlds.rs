//! The worlds in which the protocol, as it is, has to hold.

use crate::explorer::{Explored, explore};
use crate::page;
use crate::shop::Shop;

/// Above this a world is too large for the memory of a small machine: 48 bytes for each state.
const STATES_MAX: usize = 60_000_000;

/// Buyer, item and units of each token.
type Wishes = &'static [(usize, usize, u8)];

const TWO_BUYERS: Wishes = &[(0, 0, 1), (1, 0, 1)];
const TWICE_ONE_BUYER: Wishes = &[(0, 0, 1), (0, 0, 1)];
const THREE_TOKENS: Wishes = &[(0, 0, 1), (0, 0, 1), (1, 0, 1)];
const TWO_ITEMS: Wishes = &[(0, 0, 1), (0, 1, 1), (1, 1, 1)];
const UNEQUAL: Wishes = &[(0, 0, 2), (1, 0, 1), (2, 0, 1)];

fn worlds() -> Vec<Shop> {
    let two = |name| Shop::new(name, TWO_BUYERS, &[1], 1);
    vec![
        Shop { presses: 2, ..two("two buyers, one unit") },
        Shop { presses: 2, ..two("… one loss of Redis").one_loss() },
        Shop { copies: 1, cancels: true, ..two("… one loss, orders end").one_loss() },
        Shop { copies: 1, keepers: 2, rebuilds: 2, ..two("… one loss, two keepers race").one_loss() },
        Shop { copies: 1, cancels: true, echoes: 1, ..two("… effects arrive late, orders end") },
        Shop { copies: 1, cancels: true, late_payments: true, ..two("… late payments are rebooked") },
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
    ]
}

fn large_worlds() -> Vec<Shop> {
    let two = |name| Shop::new(name, TWO_BUYERS, &[1], 1);
    vec![
        Shop { copies: 1, losses: 2, rebuilds: 2, ..two("two buyers, one unit, two losses").one_loss() },
        Shop { copies: 1, losses: 2, rebuilds: 2, keepers: 2, ..two("… two losses, two keepers race").one_loss() },
        Shop {
            copies: 1,
            keepers: 2,
            rebuilds: 2,
            cancels: true,
            ..two("… one loss, two keepers, orders end").one_loss()
        },
        Shop { copies: 1, cancels: true, echoes: 1, ..two("… one loss, effects arrive late, orders end").one_loss() },
        Shop { copies: 1, cancels: true, late_payments: true, ..two("… one loss, late payments").one_loss() },
    ]
}

fn hold(worlds: Vec<Shop>) {
    for shop in worlds {
        let Explored { states, seconds, complete, broken } = explore(&shop, STATES_MAX);
        println!("{states:>10} states {seconds:>6.1} s  {}", shop.name);
        if let Some(broken) = broken {
            panic!("{}: {broken}", shop.name);
        }
        assert!(complete, "{} has more than {STATES_MAX} states", shop.name);
        page::has(&format!("| {} | {} |", shop.name, page::grouped(states)));
    }
}

#[test]
fn every_promise_holds_in_every_world() {
    hold(worlds());
}

/// Minutes and gigabytes; only where `PROTOCOL_MODEL=full` asks for it.
#[test]
fn every_promise_holds_in_larger_worlds() {
    if std::env::var("PROTOCOL_MODEL").is_ok_and(|size| size == "full") {
        hold(large_worlds());
    }
}
