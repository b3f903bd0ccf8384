//! What is done to both gates, at random.

use domain::{Admissible, ItemStock, Outcome, RefusedReason, SaleState};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Forty on average; a failing sequence is shortened to the steps that matter.
const STEPS_MAX: usize = 80;
pub(super) const JOBS: u8 = 16;
pub(super) const BUYERS: [&str; 3] = ["ann", "bob", "cid"];
/// The first is the one that is limited.
pub(super) const CHANNELS: [&str; 3] = ["app", "web", ""];
const WITHDRAWALS: u8 = 4;

/// A withdrawal is always of the same item.
pub(super) fn item_of(withdrawal: u8) -> u8 {
    withdrawal % 2
}

/// What is done to both gates.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Admit { attempts: Vec<Try>, confirmed: Vec<u8> },
    MarkQueued(Vec<u8>),
    Hold { holds: Vec<Effect>, version: Option<(u8, i64)> },
    Begin { epoch: u32, stock: [ItemStock; 2], limit: u16 },
    Finish { epoch: u32, versions: [i64; 2] },
    Follow { epoch: u32, state: SaleState, limit: u16 },
    Reserve { job: u8, rev: u32 },
    Withdraw { id: u8, units: i64, stock_rev: u32 },
    Restock { item: u8, stock: ItemStock, ends: Option<u8>, version: Option<i64> },
    Limit { enabled: bool, global: u32, app: u32, account: u32 },
}

#[derive(Clone, Debug)]
pub(super) struct Try {
    pub(super) job: u8,
    pub(super) buyer: usize,
    pub(super) channel: &'static str,
    pub(super) item: Option<u8>,
    pub(super) quantity: u64,
    pub(super) admissible: Admissible,
}

#[derive(Clone, Debug)]
pub(super) struct Effect {
    pub(super) job: u8,
    pub(super) rev: u32,
    pub(super) buyer: Option<usize>,
    pub(super) item: Option<u8>,
    pub(super) quantity: u16,
    pub(super) units: u16,
    pub(super) outcome: Outcome,
}

fn a_job() -> impl Strategy<Value = u8> {
    0..JOBS
}

/// Mostly one of the two items; sometimes one that is not there.
fn an_item() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![8 => (0..2_u8).prop_map(Some), 1 => Just(Some(2)), 1 => Just(None)]
}

fn a_try() -> impl Strategy<Value = Try> {
    let admissible = prop_oneof![
        8 => Just(Admissible::Yes),
        1 => Just(Admissible::TokenExpired),
        1 => Just(Admissible::BrokerAway),
        1 => Just(Admissible::Backlog),
    ];
    let channel = proptest::sample::select(CHANNELS.to_vec());
    (a_job(), 0..BUYERS.len(), channel, an_item(), 1..4_u64, admissible).prop_map(
        |(job, buyer, channel, item, quantity, admissible)| Try { job, buyer, channel, item, quantity, admissible },
    )
}

fn an_effect() -> impl Strategy<Value = Effect> {
    let outcome = prop_oneof![
        2 => Just(Outcome::Placed),
        1 => proptest::sample::select(RefusedReason::ALL.to_vec()).prop_map(Outcome::Refused),
    ];
    (a_job(), 1..8_u32, option::weighted(0.9, 0..BUYERS.len()), an_item(), 0..4_u16, any::<bool>(), outcome).prop_map(
        |(job, rev, buyer, item, quantity, live, outcome)| {
            // An order holds units only of an item and for a buyer that can be named.
            let units = if live && buyer.is_some() && item.is_some() { quantity } else { 0 };
            Effect { job, rev, buyer, item, quantity, units, outcome }
        },
    )
}

/// Very often with the same buyer or the same token twice.
fn a_group() -> impl Strategy<Value = Vec<Try>> {
    (vec(a_try(), 1..5), a_try(), 0..3_u8).prop_map(|(mut group, other, twice)| {
        let first = group[0].clone();
        match twice {
            1 => {
                let (job, admissible) = ((first.job + 1) % JOBS, Admissible::Yes);
                group.push(Try { buyer: first.buyer, job, admissible, ..other });
            }
            2 => group.push(Try { job: first.job, ..other }),
            _ => {}
        }
        group
    })
}

/// Mostly so low that it is met.
fn a_limit() -> impl Strategy<Value = u32> {
    prop_oneof![2 => Just(0), 4 => Just(1), 1 => Just(2)]
}

fn a_stock() -> impl Strategy<Value = ItemStock> {
    (0..12_i64, 0..6_u32).prop_map(|(units, rev)| ItemStock { units, rev })
}

fn a_restock() -> impl Strategy<Value = Command> {
    (0..3_u8, a_stock(), option::of(0..WITHDRAWALS), option::of(0..6_i64)).prop_map(|(item, stock, ends, version)| {
        let item = ends.map_or(item, item_of);
        Command::Restock { item, stock, ends, version }
    })
}

/// Most sequences start with an open sale, or hardly anything would happen in them.
pub(super) fn a_sequence() -> impl Strategy<Value = Vec<Command>> {
    let warm = [
        Command::Begin { epoch: 1, stock: [5, 8].map(|units| ItemStock { units, rev: 0 }), limit: 2 },
        Command::Follow { epoch: 1, state: SaleState::Open, limit: 2 },
        Command::Finish { epoch: 1, versions: [0, 0] },
    ];
    (prop::bool::weighted(0.9), vec(a_step(), 1..=STEPS_MAX)).prop_map(move |(is_warm, random)| {
        let start = if is_warm { warm.to_vec() } else { Vec::new() };
        start.into_iter().chain(random.into_iter().flatten()).collect()
    })
}

/// One command, or the few that belong to a late payment or to a limit: by chance alone they hardly ever meet.
fn a_step() -> impl Strategy<Value = Vec<Command>> {
    prop_oneof![12 => a_command().prop_map(|command| vec![command]), 1 => a_late_payment(), 1 => a_rush()]
}

/// A limit is set, and met at once: a buyer presses twice and others press with them.
fn a_rush() -> impl Strategy<Value = Vec<Command>> {
    let limits = prop_oneof![3 => Just((0, 0, 1)), 1 => Just((1, 0, 0)), 1 => Just((0, 1, 0)), 1 => Just((2, 3, 1))];
    (a_job(), 0..BUYERS.len(), limits).prop_map(|(job, buyer, (global, app, account))| {
        let press = |at: u8| Try {
            job: (job + at) % JOBS,
            buyer: (buyer + usize::from(at / 2)) % BUYERS.len(),
            channel: CHANNELS[0],
            item: Some(at % 2),
            quantity: 1,
            admissible: Admissible::Yes,
        };
        let group = Command::Admit { attempts: (0..4).map(press).collect(), confirmed: Vec::new() };
        vec![Command::Limit { enabled: true, global, app, account }, group]
    })
}

/// An order expires, its units are reserved again, and perhaps the payment ends at once.
fn a_late_payment() -> impl Strategy<Value = Vec<Command>> {
    (a_job(), 1..8_u32, 0..BUYERS.len(), 0..2_u8, 1..4_u16, option::of(any::<bool>())).prop_map(
        |(job, rev, buyer, item, quantity, paid)| {
            let hold = |rev, units| {
                let (buyer, item, outcome) = (Some(buyer), Some(item), Outcome::Placed);
                let effect = Effect { job, rev, buyer, item, quantity, units, outcome };
                Command::Hold { holds: vec![effect], version: None }
            };
            let end = paid.map(|paid| hold(rev + 1, if paid { quantity } else { 0 }));
            [hold(rev, 0), Command::Reserve { job, rev }].into_iter().chain(end).collect()
        },
    )
}

fn a_command() -> impl Strategy<Value = Command> {
    let (epoch, limit) = (1..4_u32, 1..4_u16);
    let state = prop_oneof![
        6 => Just(SaleState::Open),
        1 => proptest::sample::select(SaleState::ALL.to_vec()),
    ];
    prop_oneof![
        10 => (a_group(), vec(a_job(), 0..3))
            .prop_map(|(attempts, confirmed)| Command::Admit { attempts, confirmed }),
        3 => vec(a_job(), 0..4).prop_map(Command::MarkQueued),
        6 => (vec(an_effect(), 0..4), option::of((0..3_u8, 0..6_i64)))
            .prop_map(|(holds, version)| Command::Hold { holds, version }),
        1 => (epoch.clone(), [a_stock(), a_stock()], limit.clone())
            .prop_map(|(epoch, stock, limit)| Command::Begin { epoch, stock, limit }),
        2 => (epoch.clone(), [0..6_i64, 0..6_i64])
            .prop_map(|(epoch, versions)| Command::Finish { epoch, versions }),
        4 => (a_job(), 1..8_u32).prop_map(|(job, rev)| Command::Reserve { job, rev }),
        5 => (0..WITHDRAWALS, 1..4_i64, prop_oneof![2 => Just(0), 1 => 1..6_u32])
            .prop_map(|(id, units, stock_rev)| Command::Withdraw { id, units, stock_rev }),
        3 => a_restock(),
        3 => (prop::bool::weighted(0.9), a_limit(), a_limit(), a_limit())
            .prop_map(|(enabled, global, app, account)| Command::Limit { enabled, global, app, account }),
        2 => (epoch, state, limit).prop_map(|(epoch, state, limit)| Command::Follow { epoch, state, limit }),
    ]
}
