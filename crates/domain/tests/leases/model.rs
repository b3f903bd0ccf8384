//! The sold-out lease in discrete time: one gateway with a memory, the gate, and everybody else.
//!
//! Other gateways are what they do to the gate: they admit, and they are granted leases too. Jobs 0 and 1 were issued before
//! a loss, job 2 after it; a set of jobs is a bit mask.

use std::collections::{HashMap, VecDeque};
use std::fmt;

/// Ticks that the gate admits nobody for, and that a gateway uses a lease for: 1.5 s and 1 s.
const LEASE: u8 = 3;
const USE: u8 = 2;
const JOBS: u8 = 3;
const FRESH: u8 = 0b100;

/// What is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    Nothing,
    Lease,
    Filter,
    Completeness,
    Epochs,
    MeasuringFromBefore,
    WaitAfterLoading,
    IssueTime,
    RefusalWhileFree,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Known {
    epoch: u8,
    jobs: u8,
}

/// A question for a lease under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Asked {
    ticks_ago: u8,
    granted: Option<(u8, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Memory {
    left: u8,
    lease_epoch: u8,
    filter: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    epoch: u8,
    is_lost: bool,
    free: u8,
    jobs: u8,
    lease: u8,
    /// Ticks for which a unit has been free.
    held_up: u8,
    /// Told 202, in whichever epoch.
    admitted: u8,
    asked: Option<Asked>,
    reading: Option<(Known, u8)>,
    filter: Option<Known>,
    memory: Option<Memory>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Tick,
    Admit(u8),
    Return,
    Ask,
    Grant,
    GrantToOther,
    Answer,
    Read,
    Lose,
    Reload { written: u8, free: u8 },
    Arrive(u8),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tick => f.write_str("tick"),
            Self::Admit(job) => write!(f, "admit {job}"),
            Self::Return => f.write_str("a unit comes back"),
            Self::Ask => f.write_str("ask"),
            Self::Grant => f.write_str("lease"),
            Self::GrantToOther => f.write_str("lease to another"),
            Self::Answer => f.write_str("answer"),
            Self::Read => f.write_str("read"),
            Self::Lose => f.write_str("loss"),
            Self::Reload { free, .. } => write!(f, "loaded again, {free} free"),
            Self::Arrive(job) => write!(f, "effect of {job}"),
        }
    }
}

fn has(jobs: u8, job: u8) -> bool {
    jobs & (1 << job) != 0
}

impl State {
    fn first() -> Self {
        Self {
            epoch: 1,
            is_lost: false,
            free: 1,
            jobs: 0,
            lease: 0,
            held_up: 0,
            admitted: 0,
            asked: None,
            reading: None,
            filter: None,
            memory: None,
        }
    }

    fn actions(&self, without: Without) -> Vec<Action> {
        let mut all = vec![Action::Tick, Action::Ask];
        let issued = if self.epoch == 1 { JOBS - 1 } else { JOBS };
        let is_shut = self.lease > 0 && without != Without::Lease;
        if !self.is_lost {
            let news = (0..issued).filter(|job| !has(self.jobs, *job));
            all.extend(news.filter(|_| self.free > 0 && !is_shut).map(Action::Admit));
            let late = (0..JOBS).filter(|job| has(self.admitted, *job) && !has(self.jobs, *job));
            all.extend(late.map(Action::Arrive));
            if self.free == 0 && self.jobs != 0 {
                all.push(Action::Return);
            }
            if self.free == 0 || without == Without::RefusalWhileFree {
                all.push(Action::GrantToOther);
                if self.asked.is_some_and(|asked| asked.granted.is_none()) {
                    all.push(Action::Grant);
                }
            }
            all.push(Action::Read);
            if self.epoch == 1 {
                all.push(Action::Lose);
            }
        } else {
            for free in [0, 1] {
                let some = (0..1_u8 << JOBS).filter(|jobs| jobs & !self.admitted == 0);
                all.extend(some.map(|written| Action::Reload { written, free }));
            }
        }
        if self.asked.is_some_and(|asked| asked.granted.is_some()) {
            all.push(Action::Answer);
        }
        all
    }

    fn after(mut self, action: Action, without: Without) -> Self {
        match action {
            Action::Tick => {
                self.lease = self.lease.saturating_sub(1);
                self.held_up = if self.free > 0 && !self.is_lost { (self.held_up + 1).min(LEASE) } else { 0 };
                if let Some(asked) = &mut self.asked {
                    asked.ticks_ago = (asked.ticks_ago + 1).min(LEASE);
                }
                self.memory = self.memory.map(|known| Memory { left: known.left - 1, ..known });
            }
            Action::Admit(job) => {
                self.jobs |= 1 << job;
                self.admitted |= 1 << job;
                (self.free, self.held_up) = (self.free - 1, 0);
            }
            Action::Return => (self.free, self.held_up) = (1, 0),
            Action::Ask => self.asked = Some(Asked { ticks_ago: 0, granted: None }),
            Action::Grant => {
                self.lease = LEASE;
                let granted = Some((self.epoch, self.jobs.count_ones()));
                self.asked = self.asked.map(|asked| Asked { granted, ..asked });
            }
            Action::GrantToOther => self.lease = LEASE,
            Action::Answer => self.answered(without),
            Action::Read => {
                let (mut read, at) = self.reading.unwrap_or((Known { epoch: self.epoch, jobs: 0 }, 0));
                read.jobs |= self.jobs & (1 << at);
                self.reading = (at + 1 < JOBS).then_some((read, at + 1));
                if self.reading.is_none() {
                    self.filter = Some(read);
                }
            }
            Action::Lose => {
                (self.is_lost, self.jobs, self.lease, self.free, self.held_up) = (true, 0, 0, 0, 0);
            }
            Action::Reload { written, free } => {
                (self.is_lost, self.epoch, self.jobs, self.free, self.held_up) = (false, 2, written, free, 0);
                self.lease = if without == Without::WaitAfterLoading { 0 } else { LEASE };
            }
            Action::Arrive(job) => self.jobs |= 1 << job,
        }
        self.memory = self.memory.filter(|known| known.left > 0);
        self
    }

    fn answered(&mut self, without: Without) {
        let Some(Asked { ticks_ago, granted: Some((epoch, count)) }) = self.asked.take() else { return };
        let is_complete = |filter: &Known| {
            without == Without::Completeness
                || filter.jobs.count_ones() == count && (filter.epoch == epoch || without == Without::Epochs)
        };
        let filter = self.filter.filter(is_complete).map(|filter| filter.jobs);
        let filter = if without == Without::Filter { Some(0) } else { filter };
        let since = if without == Without::MeasuringFromBefore { 0 } else { ticks_ago };
        if let Some(filter) = filter.filter(|_| since < USE) {
            self.memory = Some(Memory { left: USE - since, lease_epoch: epoch, filter });
        }
    }

    /// The promise that is broken here.
    fn broken(&self, without: Without) -> Option<&'static str> {
        if let Some(known) = self.memory {
            let of_any_time = known.lease_epoch == 1 || without == Without::IssueTime;
            let asked_about = if of_any_time { !0 } else { FRESH };
            if self.admitted & !known.filter & asked_about != 0 {
                return Some("a job that was told 202 is denied from memory");
            }
        }
        (self.free > 0 && self.held_up >= LEASE && self.lease > 0)
            .then_some("a free unit is held up for longer than a lease")
    }
}

/// Every state that can be reached: how many there are, or the shortest way to a broken promise.
pub fn explore(without: Without) -> Result<usize, String> {
    let first = State::first();
    let mut seen: HashMap<State, Option<(State, Action)>> = HashMap::from([(first, None)]);
    let mut next = VecDeque::from([first]);
    while let Some(state) = next.pop_front() {
        for action in state.actions(without) {
            let after = state.after(action, without);
            if seen.contains_key(&after) {
                continue;
            }
            seen.insert(after, Some((state, action)));
            if let Some(broken) = after.broken(without) {
                return Err(format!("{broken}: {}", way(&seen, after)));
            }
            next.push_back(after);
        }
    }
    Ok(seen.len())
}

fn way(seen: &HashMap<State, Option<(State, Action)>>, mut state: State) -> String {
    let mut steps = Vec::new();
    while let Some(Some((before, action))) = seen.get(&state) {
        steps.push(action.to_string());
        state = *before;
    }
    steps.reverse();
    steps.join(" → ")
}
