//! Visits every state that can be reached, in the order of its distance from the first one.
//!
//! So the first broken promise is found on a shortest way. States are kept packed, each with the number of the state
//! it was first reached from; the way there is worked out again when it has to be told.

use std::fmt;

use crate::action::Action;
use crate::moves::possible;
use crate::packing::{Packed, Size};
use crate::promises::{Violation, always, at_rest};
use crate::recovery::settle;
use crate::shop::Shop;
use crate::state::State;

/// Steps of a recovery that are told: one that never ends repeats itself long before.
const TOLD_MAX: usize = 14;

/// What came of an exploration.
pub struct Explored {
    pub states: usize,
    pub seconds: f64,
    /// Was everything visited? Otherwise the limit was reached, or a violation found.
    pub complete: bool,
    pub broken: Option<Broken>,
}

/// A broken promise and the shortest way to it.
pub struct Broken {
    pub violation: Violation,
    pub way: Vec<Action>,
    /// What the processes did after that to come to rest, where the promise is one of rest.
    pub then: Vec<Action>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |actions: &[Action]| actions.iter().map(Action::to_string).collect::<Vec<_>>().join(" → ");
        write!(f, "{}: {}", self.violation, words(&self.way))?;
        if self.then.is_empty() {
            return Ok(());
        }
        let told = &self.then[..self.then.len().min(TOLD_MAX)];
        let more = if told.len() < self.then.len() { " → …" } else { "" };
        write!(f, " ⇒ {}{more}", words(told))
    }
}

/// Explores until everything has been seen, a promise is broken, or there are more than `limit` states.
pub fn explore(shop: &Shop, limit: usize) -> Explored {
    explore_watching(shop, limit, |_, _| {})
}

/// Likewise; each step is shown to `watch`, with the state that it is taken in.
pub fn explore_watching(shop: &Shop, limit: usize, mut watch: impl FnMut(&State, Action)) -> Explored {
    let started = std::time::Instant::now();
    let size = Size::of(shop);
    let mut seen = Seen::default();
    seen.insert(size.pack(&State::first(shop)), 0);
    let mut actions = Vec::new();
    let mut at = 0;
    let mut broken = check(&State::first(shop), shop).map(|violation| (0, violation));
    while at < seen.states.len() && seen.states.len() <= limit && broken.is_none() {
        let state = size.unpack(seen.states[at]);
        possible(&state, shop, &mut actions);
        for action in &actions {
            watch(&state, *action);
            let next = state.after(shop, *action);
            if seen.insert(size.pack(&next), at as u32)
                && let Some(violation) = check(&next, shop)
            {
                broken = Some((seen.states.len() - 1, violation));
                break;
            }
        }
        at += 1;
    }
    Explored {
        states: seen.states.len(),
        seconds: started.elapsed().as_secs_f64(),
        complete: at == seen.states.len() && broken.is_none(),
        broken: broken.map(|(state, violation)| tell(&seen, state, violation, shop)),
    }
}

fn check(state: &State, shop: &Shop) -> Option<Violation> {
    always(state, shop).or_else(|| {
        let rest = settle(*state, shop, |_| {});
        if !rest.is_quiet {
            return Some(Violation::NeverAtRest);
        }
        always(&rest.state, shop).or_else(|| at_rest(&rest.state, shop))
    })
}

fn tell(seen: &Seen, state: usize, violation: Violation, shop: &Shop) -> Broken {
    let size = Size::of(shop);
    let mut way = Vec::new();
    let mut at = state;
    let mut actions = Vec::new();
    while at != 0 {
        let from = seen.parents[at] as usize;
        let before = size.unpack(seen.states[from]);
        possible(&before, shop, &mut actions);
        way.extend(actions.iter().find(|action| size.pack(&before.after(shop, **action)) == seen.states[at]));
        at = from;
    }
    way.reverse();
    let last = size.unpack(seen.states[state]);
    let mut then = Vec::new();
    if always(&last, shop).is_none() {
        settle(last, shop, |action| then.push(action));
    }
    Broken { violation, way, then }
}

/// The states seen so far, in the order in which they were found, and a table to find them by.
#[derive(Default)]
struct Seen {
    states: Vec<Packed>,
    parents: Vec<u32>,
    /// Number of a state plus one, at a place that follows from its hash; 0 is empty. At most half full.
    table: Vec<u32>,
}

impl Seen {
    /// `false` if it was there.
    fn insert(&mut self, state: Packed, parent: u32) -> bool {
        if self.table.len() < 2 * (self.states.len() + 1) {
            self.grow();
        }
        let mask = self.table.len() - 1;
        let mut place = hash(&state) & mask;
        while self.table[place] != 0 {
            if self.states[self.table[place] as usize - 1] == state {
                return false;
            }
            place = (place + 1) & mask;
        }
        self.states.push(state);
        self.parents.push(parent);
        self.table[place] = self.states.len() as u32;
        true
    }

    fn grow(&mut self) {
        let size = (2 * self.table.len()).max(1024);
        self.table = vec![0; size];
        for (number, state) in self.states.iter().enumerate() {
            let mut place = hash(state) & (size - 1);
            while self.table[place] != 0 {
                place = (place + 1) & (size - 1);
            }
            self.table[place] = number as u32 + 1;
        }
    }
}

/// Multiplies and folds each word into the next.
fn hash(state: &Packed) -> usize {
    let fold = |sum: u64, word: &u64| {
        let product = u128::from(sum ^ word) * 0x9e37_79b9_7f4a_7c15;
        (product >> 64) as u64 ^ product as u64
    };
    state.iter().fold(0x243f_6a88_85a3_08d3, fold) as usize
}
