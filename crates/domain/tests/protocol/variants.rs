//! The protocol without one of its mechanisms: each variant has to break a promise, or the mechanism is not needed.

use crate::explorer::{Broken, explore};
use crate::page::Missing;
use crate::promises::Violation;
use crate::shop::{Mechanism, Shop};

/// A variant is broken long before that.
const STATES_MAX: usize = 3_000_000;

fn two_buyers() -> Shop {
    Shop::new("two buyers, one unit", &[(0, 0, 1), (1, 0, 1)], &[1], 1)
}

fn two_units() -> Shop {
    Shop::new("two buyers, two units", &[(0, 0, 1), (1, 0, 1)], &[2], 1)
}

fn lossy() -> Shop {
    two_buyers().one_loss()
}

/// Each mechanism, the smallest world that needs it, and the promise that breaks there.
fn variants() -> Vec<(Mechanism, Shop, Violation)> {
    let one_buyer = Shop::new("one buyer with two tokens", &[(0, 0, 1), (0, 0, 1)], &[2], 1).one_loss();
    let late = || Shop { expiries: true, payments: vec![0], ..two_buyers() };
    let two_late = || Shop { payments: vec![0, 0], cashiers: 2, ..late() };
    let paid = || Shop { cancels: true, expiries: true, payments: vec![0], refunds: true, ..two_buyers() };
    let more = || Shop { restocks: vec![(0, 1)], ..two_buyers() };
    let fewer = || Shop { restocks: vec![(0, -1)], porters: 2, ..two_units() };
    vec![
        (Mechanism::Watch, two_buyers(), Violation::StillWaiting(0)),
        (Mechanism::NoCompensation, two_buyers(), Violation::RefusedYetThere(0)),
        (Mechanism::ConfirmBefore202, lossy(), Violation::AcceptedIsLost(0)),
        (Mechanism::AckAfterCommit, lossy(), Violation::AcceptedIsLost(0)),
        (Mechanism::Revisions, Shop { cancels: true, ..two_buyers() }, Violation::UnitsDoNotAddUp(0)),
        (Mechanism::SentAgain, Shop { effect_losses: 1, ..two_buyers() }, Violation::NeverAtRest),
        (Mechanism::ReserveBeforeRebook, late(), Violation::RefusedWithoutALoss(1)),
        (Mechanism::RefundIsAnEffect, late(), Violation::UnitsDoNotAddUp(0)),
        (Mechanism::EndChecksRev, two_late(), Violation::RefusedWithoutALoss(1)),
        (Mechanism::ReserveAtRev, two_late(), Violation::UnitsDoNotAddUp(0)),
        (Mechanism::Tombstone, two_buyers(), Violation::RefusedWithoutALoss(1)),
        (Mechanism::CompareAndSet, paid(), Violation::PaidByOtherThanOne(0)),
        (Mechanism::PaymentOnce, paid(), Violation::PaidByOtherThanOne(0)),
        (Mechanism::LookAgain, paid(), Violation::PaymentIsStuck(0)),
        (Mechanism::RefundKey, paid(), Violation::GivenBackTwice(0)),
        (Mechanism::RefundBeforeNote, paid(), Violation::PaymentIsStuck(0)),
        (Mechanism::WholeStock, more(), Violation::UnitsDoNotAddUp(0)),
        (Mechanism::SetAsideFirst, Shop { restocks: vec![(0, -1)], ..two_buyers() }, Violation::RefusedWithoutALoss(0)),
        (Mechanism::SetAsideOnce, Shop { restocks: vec![(0, -1), (0, 1)], ..fewer() }, Violation::UnitsDoNotAddUp(0)),
        (Mechanism::SetAsideAtRev, fewer(), Violation::UnitsDoNotAddUp(0)),
        (Mechanism::EndsWhenOld, Shop { restocks: vec![(0, -1), (0, 1)], ..fewer() }, Violation::UnitsDoNotAddUp(0)),
        (Mechanism::StockAfterShut, Shop { repairs: true, ..more().one_loss() }, Violation::UnitsDoNotAddUp(0)),
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
    let mut missing = Missing::default();
    for (mechanism, shop, expected) in variants() {
        let broken = break_it(&Shop { without: Some(mechanism), ..shop });
        println!("without {mechanism:?}\n    {broken}");
        assert_eq!(broken.violation, expected, "without {mechanism:?}");
        missing.has(&format!("| `{mechanism:?}` | {broken} |"));
    }
    missing.none();
}

/// Rebuilding from Postgres brings back every effect that a loss of Redis has taken along. Sending it again on a
/// duplicate delivery is the net below that: for an effect that was struck off and never arrived.
#[test]
fn a_loss_of_redis_alone_does_not_need_effects_to_be_sent_again() {
    let shop = Shop { without: Some(Mechanism::SentAgain), presses: 2, ..lossy() };
    let explored = explore(&shop, STATES_MAX);
    assert!(explored.broken.is_none() && explored.complete, "{} states", explored.states);
}

/// The gate cannot know for ever which withdrawals have ended: a loss, or a rebuild, takes that along, and a worker that
/// stalled before its call sets units aside for nobody. So it names the stock revision that it saw.
#[test]
fn to_know_the_ended_withdrawals_is_enough_only_until_the_gate_is_loaded_again() {
    let known = Shop {
        restocks: vec![(0, -1)],
        porters: 2,
        ended_ids: true,
        without: Some(Mechanism::SetAsideAtRev),
        ..two_units()
    };
    let explored = explore(&known, STATES_MAX);
    assert!(explored.broken.is_none() && explored.complete, "{} states", explored.states);
    let broken = break_it(&known.one_loss());
    println!("ended withdrawals are known by their ids\n    {broken}");
    assert_eq!(broken.violation, Violation::UnitsDoNotAddUp(0));
    let mut missing = Missing::default();
    missing.has(&broken.to_string());
    missing.none();
}

/// The limit of what is promised, kept in view: a message that outlives the loss is placed, but until then the gate
/// that was loaded without it says that there is no such job. Waiting for the queue to drain makes this rarer, and
/// cannot end it: a gateway may publish after the drain what it admitted before the loss.
#[test]
fn after_a_loss_the_gate_may_deny_what_was_accepted_until_its_order_is_placed() {
    let mut missing = Missing::default();
    for drain_times_out in [true, false] {
        let broken = break_it(&Shop { strict_answers: true, drain_times_out, ..lossy() });
        println!("drain may time out: {drain_times_out}\n    {broken}");
        assert_eq!(broken.violation, Violation::AcceptedThenDenied(0));
        missing.has(&broken.to_string());
    }
    missing.none();
}

fn break_it(shop: &Shop) -> Broken {
    let explored = explore(shop, STATES_MAX);
    explored.broken.unwrap_or_else(|| panic!("{shop:?} holds, as far as {} states go", explored.states))
}
