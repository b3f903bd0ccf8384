//! Which actions are possible in a state. What they do is in [`crate::steps`].

pub mod paying;
pub mod restocking;

use crate::action::Action;
use crate::shop::{Mechanism, Shop};
use crate::state::{Client, Desk, Keeper, Known, State, Step};

/// Revisions that an order may have: placed, expired, and one for each of two late payments; one to spare.
const REVS: u8 = 5;

/// Every action that is possible, gathered in `into`.
pub fn possible(state: &State, shop: &Shop, into: &mut Vec<Action>) {
    into.clear();
    for job in 0..shop.wishes.len() {
        buying(state, shop, job, into);
        paying::ending(state, shop, job, into);
        relaying(state, job, into);
    }
    for message in 0..shop.messages.len() {
        carrying(state, shop, message, into);
    }
    if state.unacked.contains(&true) {
        into.push(Action::ConsumerDies);
    }
    if state.echo.is_some() {
        into.extend([Action::EchoArrives, Action::EchoLost]);
    }
    for keeper in 0..shop.keepers {
        keeping(state, shop, keeper, into);
    }
    paying::paying(state, shop, into);
    restocking::restocking(state, shop, into);
    losing(state, shop, into);
}

fn buying(state: &State, shop: &Shop, job: usize, into: &mut Vec<Action>) {
    match state.desks[job] {
        Desk::Empty => {
            let wants = state.presses_left[job] > 0 && state.clients[job] != Client::Contradicted;
            if wants && state.redis.ready() {
                into.push(Action::Press(job));
            }
        }
        Desk::Admitted => into.push(Action::PublishLost(job)),
        Desk::Sent => into.extend([Action::Confirm(job), Action::ConfirmLost(job)]),
    }
    if state.desks[job] != Desk::Empty && shop.lacks(Mechanism::NoCompensation) {
        into.push(Action::Compensate(job));
    }
    if state.marks[job] {
        into.push(Action::Mark(job));
    }
}

fn carrying(state: &State, shop: &Shop, message: usize, into: &mut Vec<Action>) {
    if shop.jobs_in(message).all(|job| state.desks[job] == Desk::Admitted) {
        into.push(Action::Publish(message));
    }
    if state.queue[message] < shop.copies && may_republish(state, shop, message) {
        into.push(Action::Republish(message));
    }
    if state.unacked[message] {
        into.push(Action::Ack(message));
    } else if state.queue[message] > 0 {
        into.push(Action::Place(message));
        if shop.lacks(Mechanism::AckAfterCommit) {
            into.push(Action::AckFirst(message));
        }
    }
}

/// Is every job of the message overdue, as far as the check index of a ready gate knows?
pub fn may_republish(state: &State, shop: &Shop, message: usize) -> bool {
    let watched = shop.jobs_in(message).all(|job| state.redis.records[job].is_watched());
    state.redis.ready() && watched && !shop.lacks(Mechanism::Watch)
}

fn relaying(state: &State, job: usize, into: &mut Vec<Action>) {
    let waiting = state.postgres.outbox[job];
    for rev in (1..=REVS).filter(|rev| waiting & (1 << (rev - 1)) != 0) {
        into.extend([Action::Relay(job, rev), Action::RelayRepeats(job, rev)]);
        if state.echoes_left > 0 && state.echo.is_none() {
            into.push(Action::RelayStalls(job, rev));
        }
        if state.effect_losses_left > 0 && rev == 1 {
            into.push(Action::EffectLost(job));
        }
    }
}

fn keeping(state: &State, shop: &Shop, keeper: usize, into: &mut Vec<Action>) {
    let one = &state.keepers[keeper];
    if one.step != Step::Idle {
        into.extend(next_of_keeper(state, shop, keeper));
        into.push(Action::KeeperDies(keeper));
        return;
    }
    // Keepers are alike: the second one is only looked at while the first is busy.
    let is_alike = keeper > 0 && state.keepers[keeper - 1].step == Step::Idle;
    if state.rebuilds_left > 0 && !is_alike {
        if !state.gate_is_fit() {
            into.push(Action::Decide(keeper));
        } else if shop.repairs && state.losses_left > 0 {
            into.push(Action::Repair(keeper));
        }
    }
}

/// What a keeper that has decided to load does next; `None` while it waits for the queue to drain.
pub fn next_of_keeper(state: &State, shop: &Shop, keeper: usize) -> Option<Action> {
    let Keeper { step, next, read, .. } = state.keepers[keeper];
    let job = usize::from(next);
    match step {
        Step::Idle => None,
        Step::Decided => Some(Action::Number(keeper)),
        Step::Numbered => Some(Action::Shut(keeper)),
        Step::Shut => Some(Action::ReadStock(keeper)),
        Step::StockRead => Some(Action::LoadStock(keeper)),
        Step::Loading if job == shop.wishes.len() => Some(Action::Finish(keeper)),
        Step::Loading if !read[job].is_absent() => Some(Action::Load(keeper)),
        Step::Loading => {
            let drained = state.queue.iter().all(|copies| *copies == 0);
            (job > 0 || drained || shop.drain_times_out).then_some(Action::Read(keeper))
        }
    }
}

fn losing(state: &State, shop: &Shop, into: &mut Vec<Action>) {
    let may_lose = state.losses_left > 0;
    if may_lose && shop.wipes && state.redis.present {
        into.push(Action::Wipe);
    }
    if may_lose && shop.rewinds && state.redis.present && state.redis.same_run {
        into.push(if state.snapshot.is_some() { Action::Rewind } else { Action::Snapshot });
    }
    if state.queue_losses_left > 0 && state.queue.iter().any(|copies| *copies > 0) {
        into.push(Action::QueueLost);
    }
}

/// Is the job, admitted once, still on its way or at its end?
pub fn is_kept(state: &State, shop: &Shop, job: usize) -> bool {
    !state.postgres.rows[job].is_absent() || is_queued(state, shop, job)
}

/// Does a message carry it?
pub fn is_queued(state: &State, shop: &Shop, job: usize) -> bool {
    let carries = |message: usize| state.queue[message] > 0 && shop.messages[message] & (1 << job) != 0;
    (0..shop.messages.len()).any(carries)
}

/// Has the gate no idea of this job?
pub fn is_unknown_to_gate(state: &State, job: usize) -> bool {
    state.redis.records[job].state == Known::Absent
}
