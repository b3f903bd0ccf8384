//! What must never be seen, and what must be true at rest.

use std::fmt;

use crate::moves::{is_kept, is_queued, is_unknown_to_gate};
use crate::shop::Shop;
use crate::state::{Client, Desk, Known, Paying, State, Status};

/// A broken promise. A number is a job, an item, a buyer or a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    Oversold(usize),
    SoldIsNotTheSumOfOrders(usize),
    AboveTheLimit(usize),
    AcceptedIsLost(usize),
    QueuedIsNowhere(usize),
    RefusedWithoutALoss(usize),
    RefusedYetThere(usize),
    AcceptedThenDenied(usize),
    FreeBelowZero(usize),
    NeverAtRest,
    StillWaiting(usize),
    UnitsDoNotAddUp(usize),
    AllowanceIsNotWhatIsHeld(usize),
    AnswerIsNotTheOrder(usize),
    PaidByOtherThanOne(usize),
    PaidAndGivenBack(usize),
    GivenBackTwice(usize),
    PaymentIsStuck(usize),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oversold(item) => write!(f, "item {item} is oversold"),
            Self::SoldIsNotTheSumOfOrders(item) => write!(f, "`sold` of item {item} is not the sum of its orders"),
            Self::AboveTheLimit(buyer) => write!(f, "buyer {buyer} holds more than the limit"),
            Self::AcceptedIsLost(job) => write!(f, "the 202 of job {job} is lost: no row, no message, no watch"),
            Self::QueuedIsNowhere(job) => write!(f, "job {job} is queued at the gate, and nowhere else"),
            Self::RefusedWithoutALoss(job) => {
                write!(f, "job {job} was admitted, and is rejected though nothing was lost")
            }
            Self::RefusedYetThere(job) => write!(f, "job {job} was refused, and is there"),
            Self::AcceptedThenDenied(job) => write!(f, "job {job} was told 202, and is denied now"),
            Self::FreeBelowZero(item) => write!(f, "the gate gave away more of item {item} than there is"),
            Self::NeverAtRest => write!(f, "the processes never come to rest"),
            Self::StillWaiting(job) => write!(f, "job {job} waits at the gate for ever"),
            Self::UnitsDoNotAddUp(item) => write!(f, "free + live is not the stock of item {item}"),
            Self::AllowanceIsNotWhatIsHeld(buyer) => {
                write!(f, "the gate counts other units for buyer {buyer} than are live")
            }
            Self::AnswerIsNotTheOrder(job) => {
                write!(f, "the gate answers something else for job {job} than its order is")
            }
            Self::PaidByOtherThanOne(job) => write!(f, "the payments that settled job {job} are not what it says"),
            Self::PaidAndGivenBack(payment) => write!(f, "payment p{payment} paid its order and was given back"),
            Self::GivenBackTwice(payment) => write!(f, "payment p{payment} is given back twice"),
            Self::PaymentIsStuck(payment) => write!(f, "payment p{payment} neither paid its order nor came back"),
        }
    }
}

/// Promises that hold in every state.
pub fn always(state: &State, shop: &Shop) -> Option<Violation> {
    of_items(state, shop)
        .or_else(|| of_buyers(state, shop))
        .or_else(|| of_payments(state, shop))
        .or_else(|| (0..shop.wishes.len()).find_map(|job| of_job(state, shop, job)))
}

fn of_items(state: &State, shop: &Shop) -> Option<Violation> {
    for item in 0..shop.stock.len() {
        let live = state.live_units_at(shop, item);
        if live > state.postgres.stock[item].units {
            return Some(Violation::Oversold(item));
        }
        if live != state.postgres.sold[item] {
            return Some(Violation::SoldIsNotTheSumOfOrders(item));
        }
        if state.redis.free[item] + state.units_aside(shop, item) < 0 && !state.gate_has_lost(shop) {
            return Some(Violation::FreeBelowZero(item));
        }
    }
    None
}

fn of_buyers(state: &State, shop: &Shop) -> Option<Violation> {
    let above = |wish: &crate::shop::Wish| state.live_units_of(shop, wish.buyer) > shop.limit;
    shop.wishes.iter().find(|wish| above(wish)).map(|wish| Violation::AboveTheLimit(wish.buyer))
}

fn of_payments(state: &State, shop: &Shop) -> Option<Violation> {
    for (payment, job) in shop.payments.iter().enumerate() {
        let one = &state.postgres.payments[payment];
        if one.given_back > 1 {
            return Some(Violation::GivenBackTwice(payment));
        }
        if one.given_back > 0 && !matches!(one.state, Paying::RefundDue | Paying::Refunded) {
            return Some(Violation::PaidAndGivenBack(payment));
        }
        let is_paid = state.postgres.rows[*job].status == Status::Paid;
        let settles = |(other, of): (&crate::state::Payment, &usize)| of == job && other.state == Paying::Settled;
        let settled = state.postgres.payments.iter().zip(&shop.payments).filter(|pair| settles(*pair)).count();
        if settled != usize::from(is_paid) {
            return Some(Violation::PaidByOtherThanOne(*job));
        }
    }
    None
}

fn of_job(state: &State, shop: &Shop, job: usize) -> Option<Violation> {
    let lost = state.gate_has_lost(shop);
    let queue_lost = state.queue_losses_left < shop.queue_losses;
    let client = state.clients[job];
    let record = state.redis.records[job];
    let was_told_202 = matches!(client, Client::Accepted | Client::Contradicted);
    // Redis and the broker may not both lose what they had; either of them alone may.
    let both_lost = lost && queue_lost;
    if was_told_202 && !both_lost && !is_kept(state, shop, job) && !record.is_watched() {
        return Some(Violation::AcceptedIsLost(job));
    }
    if record.state == Known::Queued && !is_kept(state, shop, job) && !queue_lost {
        return Some(Violation::QueuedIsNowhere(job));
    }
    let denied = client == Client::Contradicted
        || client == Client::Accepted && state.redis.ready() && is_unknown_to_gate(state, job);
    if denied && (shop.strict_answers || !lost) {
        return Some(Violation::AcceptedThenDenied(job));
    }
    if lost {
        return None;
    }
    // What an operator discarded is another matter.
    if state.postgres.rows[job].status == Status::Rejected {
        return Some(Violation::RefusedWithoutALoss(job));
    }
    let is_there = is_kept(state, shop, job) || !is_unknown_to_gate(state, job);
    (client == Client::Refused && state.desks[job] == Desk::Empty && is_there)
        .then_some(Violation::RefusedYetThere(job))
}

/// Promises of a state in which nothing moves any more.
pub fn at_rest(state: &State, shop: &Shop) -> Option<Violation> {
    let mut jobs = 0..shop.wishes.len();
    let waits = |job: &usize| state.redis.records[*job].is_watched() || is_queued(state, shop, *job);
    if let Some(job) = jobs.clone().find(waits) {
        return Some(Violation::StillWaiting(job));
    }
    // What is still set aside is missing here: at rest nothing is.
    for item in 0..shop.stock.len() {
        let stock = state.postgres.stock[item].units.cast_signed();
        if state.redis.free[item] + state.live_units_at(shop, item).cast_signed() != stock {
            return Some(Violation::UnitsDoNotAddUp(item));
        }
    }
    for wish in &shop.wishes {
        if state.redis.held[wish.buyer] != state.live_units_of(shop, wish.buyer).cast_signed() {
            return Some(Violation::AllowanceIsNotWhatIsHeld(wish.buyer));
        }
    }
    let is_at_its_end = |payment: usize| match state.postgres.payments[payment].state {
        Paying::Absent | Paying::Settled => true,
        Paying::RefundDue => !shop.refunds,
        Paying::Refunded => state.postgres.payments[payment].given_back == 1,
        Paying::Open => false,
    };
    if let Some(payment) = (0..shop.payments.len()).find(|payment| !is_at_its_end(*payment)) {
        return Some(Violation::PaymentIsStuck(payment));
    }
    jobs.find(|job| !answers_the_order(state, shop, *job)).map(Violation::AnswerIsNotTheOrder)
}

/// Does the gate tell a buyer who polls what Postgres has?
fn answers_the_order(state: &State, shop: &Shop, job: usize) -> bool {
    let (row, record) = (state.postgres.rows[job], state.redis.records[job]);
    let told = match row.status {
        Status::Absent => Known::Absent,
        Status::Rejected | Status::Discarded => Known::Refused,
        Status::Pending | Status::Paid | Status::Expired | Status::Cancelled => Known::Placed,
    };
    let units = if row.is_live() { shop.wishes[job].units } else { 0 };
    record.state == told && record.rev == row.rev && record.units == units
}
