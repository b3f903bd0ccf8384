//! The protocol without one of its mechanisms: each variant has to break a promise, or the mechanism is not needed.

use crate::explorer::{Broken, explore};
use crate::page;
use crate::promises::Violation;
use crate::shop::{Mechanism, Shop};

/// A variant is broken long before that.
const STATES_MAX: usize = 3_000_000;

fn two_buyers() -> Shop {
    Shop::new("two buyers, one unit", &[(0, 0, 1), (1, 0, 1)], &[1], 1)
}

fn lossy() -> Shop {
    two_buyers().one_loss()
}

/// Each mechanism, the smallest world that needs it, and the promise that breaks there.
fn variants() -> Vec<(Mechanism, Shop, Violation)> {
    let one_buyer = Shop::new("one buyer with two tokens", &[(0, 0, 1), (0, 0, 1)], &[2], 1).one_loss();
    let late = || Shop { cancels: true, late_payments: true, ..two_buyers() };
    vec![
        (Mechanism::Watch, two_buyers(), Violation::StillWaiting(0)),
        (Mechanism::NoCompensation, two_buyers(), Violation::RefusedYetThere(0)),
        (Mechanism::ConfirmBefore202, lossy(), Violation::AcceptedIsLost(0)),
        (Mechanism::AckAfterCommit, lossy(), Violation::AcceptedIsLost(0)),
        (Mechanism::Revisions, Shop { cancels: true, ..two_buyers() }, Violation::UnitsDoNotAddUp(0)),
        (Mechanism::SentAgain, Shop { effect_losses: 1, ..two_buyers() }, Violation::NeverAtRest),
        (Mechanism::ReserveBeforeRebook, late(), Violation::RefusedWithoutALoss(1)),
        (Mechanism::RefundIsAnEffect, late(), Violation::UnitsDoNotAddUp(0)),
        (Mechanism::AllowanceInPostgres, one_buyer, Violation::AboveTheLimit(0)),
        (Mechanism::StockInPostgres, lossy(), Violation::Oversold(0)),
        (Mechanism::ShutBeforeRead, Shop { repairs: true, ..lossy() }, Violation::UnitsDoNotAddUp(0)),
        (Mechanism::HoldsWhileLoading, lossy(), Violation::UnitsDoNotAddUp(0)),
        (Mechanism::FinishChecksEpoch, Shop { keepers: 2, rebuilds: 2, ..lossy() }, Violation::UnitsDoNotAddUp(0)),
        (Mechanism::RunId, lossy(), Violation::UnitsDoNotAddUp(0)),
    ]
}

#[test]
fn every_mechanism_is_needed() {
    for (mechanism, shop, expected) in variants() {
        let broken = break_it(&Shop { without: Some(mechanism), ..shop });
        println!("without {mechanism:?}\n    {broken}");
        assert_eq!(broken.violation, expected, "without {mechanism:?}");
        page::has(&format!("| `{mechanism:?}` | {broken} |"));
    }
}

/// Rebuilding from Postgres brings back every effect that a loss of Redis has taken along. Sending it again on a
/// duplicate delivery is the net below that: for an effect that was struck off and never arrived.
#[test]
fn a_loss_of_redis_alone_does_not_need_effects_to_be_sent_again() {
    let shop = Shop { without: Some(Mechanism::SentAgain), presses: 2, ..lossy() };
    let explored = explore(&shop, STATES_MAX);
    assert!(explored.broken.is_none() && explored.complete, "{} states", explored.states);
}

/// The limit of what is promised, kept in view: a message that outlives the loss is placed, but until then the gate
/// that was loaded without it says that there is no such job. Waiting for the queue to drain makes this rarer, and
/// cannot end it: a gateway may publish after the drain what it admitted before the loss.
#[test]
fn after_a_loss_the_gate_may_deny_what_was_accepted_until_its_order_is_placed() {
    for drain_times_out in [true, false] {
        let broken = break_it(&Shop { strict_answers: true, drain_times_out, ..lossy() });
        println!("drain may time out: {drain_times_out}\n    {broken}");
        assert_eq!(broken.violation, Violation::AcceptedThenDenied(0));
        page::has(&broken.to_string());
    }
}

fn break_it(shop: &Shop) -> Broken {
    let explored = explore(shop, STATES_MAX);
    explored.broken.unwrap_or_else(|| panic!("{shop:?} holds, as far as {} states go", explored.states))
}
