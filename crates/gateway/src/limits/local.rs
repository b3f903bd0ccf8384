//! Limits of this process alone. Memory is bounded whatever callers send.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::callers::Callers;
use super::document::Rate;
use crate::problem::Problem;

/// Callers remembered for each limit: some 3 MB. A caller is forgotten within a second of its burst being whole again.
const KEYS_MAX: usize = 100_000;

/// Locks the callers are spread over, so that gateway threads rarely wait for each other.
const SHARDS: usize = 64;

type Rates = RateLimiter<u64, Bounded, DefaultClock, NoOpMiddleware<<DefaultClock as governor::clock::Clock>::Instant>>;

/// One limit, with the callers it has seen lately.
pub struct Limiter {
    name: &'static str,
    when_full: WhenFull,
    present: ArcSwap<Present>,
    callers: Arc<Callers>,
}

struct Present {
    rate: Rate,
    /// `None` while it is switched off.
    keyed: Option<Keyed>,
}

impl Present {
    fn new(rate: Rate, when_full: WhenFull) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Self { rate, keyed: rate.enabled.then(|| Keyed::new(quota, when_full)) }
    }
}

impl Limiter {
    pub(super) fn new(name: &'static str, rate: Rate, when_full: WhenFull, callers: Arc<Callers>) -> Self {
        Self { name, when_full, present: ArcSwap::from_pointee(Present::new(rate, when_full)), callers }
    }

    /// Counts one request of `caller`; an error when it is one too many.
    pub fn check(&self, caller: impl Hash) -> Result<(), Problem> {
        let present = self.present.load();
        let Some(keyed) = &present.keyed else { return Ok(()) };
        let caller = self.callers.hash(caller);
        keyed.check(caller).map_err(|wait| {
            self.callers.note(caller);
            Problem::rate_limited(self.name, present.rate.per_second.get(), present.rate.burst.get(), wait)
        })
    }

    /// Another rate from now on. Whoever is known begins anew, unless it is the same one.
    pub(super) fn set(&self, rate: Rate) {
        if self.present.load().rate != rate {
            self.present.store(Arc::new(Present::new(rate, self.when_full)));
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Forgets callers that would be treated like new ones.
    pub(super) fn forget(&self) {
        if let Some(keyed) = &self.present.load().keyed {
            keyed.forget();
        }
    }

    /// Callers remembered now.
    pub(super) fn keys(&self) -> usize {
        self.present.load().keyed.as_ref().map_or(0, Keyed::keys)
    }
}

/// One quota for each caller.
pub(super) struct Keyed(Rates);

impl Keyed {
    pub(super) fn new(quota: Quota, when_full: WhenFull) -> Self {
        Self(RateLimiter::new(quota, Bounded::new(when_full), DefaultClock::default()))
    }

    /// Counts one request; an error is the wait until there is room.
    pub(super) fn check(&self, caller: u64) -> Result<(), Duration> {
        self.0.check_key(&caller).map_err(|early| early.wait_time_from(self.0.clock().now()))
    }

    pub(super) fn forget(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }

    pub(super) fn keys(&self) -> usize {
        self.0.len()
    }
}

/// What happens to a caller for whom there is no room. Those who were there before are not touched.
#[derive(Clone, Copy)]
pub(super) enum WhenFull {
    /// Newcomers share one state: they are slowed down together.
    Share,
    /// They are let in: whoever has shown who they are is never refused because we lack memory.
    LetIn,
}

/// Rate states of at most [`KEYS_MAX`] callers.
struct Bounded {
    shards: Vec<Mutex<Shard>>,
    /// The state that newcomers share.
    newcomers: Mutex<Option<Nanos>>,
    when_full: WhenFull,
}

type Shard = HashMap<u64, Nanos>;

impl Bounded {
    fn new(when_full: WhenFull) -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), newcomers: Mutex::default(), when_full }
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, Shard> {
        // The upper bits choose the shard, so that the map inside may use the lower ones.
        lock(&self.shards[(key >> 32) as usize % SHARDS])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateStore for Bounded {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut shard = self.shard(*key);
        let known = shard.get(key).copied();
        if known.is_none() && shard.len() >= KEYS_MAX / SHARDS {
            drop(shard);
            return match self.when_full {
                WhenFull::LetIn => decide(None).map(|(answer, _)| answer),
                WhenFull::Share => {
                    let mut newcomers = lock(&self.newcomers);
                    let (answer, state) = decide(*newcomers)?;
                    *newcomers = Some(state);
                    Ok(answer)
                }
            };
        }
        let (answer, state) = decide(known)?;
        shard.insert(*key, state);
        Ok(answer)
    }
}

impl ShrinkableKeyedStateStore<u64> for Bounded {
    fn retain_recent(&self, drop_below: Nanos) {
        for shard in &self.shards {
            lock(shard).retain(|_, state| *state > drop_below);
        }
    }

    fn shrink_to_fit(&self) {
        for shard in &self.shards {
            let mut states = lock(shard);
            let wanted = 2 * states.len();
            states.shrink_to(wanted);
        }
    }

    fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(name: &'static str, (per_second, burst): (u32, u32), when_full: WhenFull) -> Limiter {
        Limiter::new(name, rate(per_second, burst), when_full, Arc::new(Callers::new()))
    }

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate { enabled: true, per_second: per_second.try_into().unwrap(), burst: burst.try_into().unwrap() }
    }

    #[test]
    fn a_caller_has_a_burst_and_the_next_one_has_its_own() {
        let limiter = limiter("ip", (1, 3), WhenFull::Share);
        for _ in 0..3 {
            assert!(limiter.check("ann").is_ok());
        }
        assert_eq!(limiter.callers.count(), 0);
        assert!(limiter.check("ann").is_err());
        assert!(limiter.check("bob").is_ok());
        assert!(limiter.check("ann").is_err());
        assert_eq!(limiter.callers.count(), 1, "one caller was limited, twice");
    }

    #[test]
    fn whoever_has_shown_who_they_are_is_not_refused_for_lack_of_memory() {
        let limiter = limiter("order", (1, 3), WhenFull::LetIn);
        assert!((0..4 * KEYS_MAX).all(|caller| limiter.check(caller).is_ok()));
        assert!(limiter.keys() <= KEYS_MAX);
    }

    #[test]
    fn any_number_of_callers_takes_bounded_memory_and_does_not_touch_the_first_ones() {
        let limiter = limiter("ip", (1, 3), WhenFull::Share);
        let refused = (0..4 * KEYS_MAX).filter(|caller| limiter.check(caller).is_err()).count();
        assert!(limiter.keys() <= KEYS_MAX);
        // Whoever finds no room shares one bucket of three, which a second fills by one.
        assert!(refused > 5 * KEYS_MAX / 2, "newcomers share what is left: {refused}");
        assert!(limiter.check(0_usize).is_ok(), "the first caller still has a part of its burst");
    }

    #[test]
    fn a_limit_that_is_switched_off_refuses_nobody() {
        let off = Rate { enabled: false, ..rate(1, 1) };
        let off = Limiter::new("order", off, WhenFull::Share, Arc::new(Callers::new()));
        assert!((0..1000).all(|_| off.check("ann").is_ok()));
    }

    #[test]
    fn the_same_rate_again_keeps_what_was_counted_and_another_one_holds_at_once() {
        let limiter = limiter("order", (1, 2), WhenFull::LetIn);
        assert!((0..2).all(|_| limiter.check("ann").is_ok()));
        limiter.set(rate(1, 2));
        assert!(limiter.check("ann").is_err(), "nothing was changed, nothing is forgotten");
        limiter.set(rate(1, 5));
        assert_eq!((0..9).filter(|_| limiter.check("ann").is_ok()).count(), 5);
        limiter.set(Rate { enabled: false, ..rate(1, 5) });
        assert!((0..99).all(|_| limiter.check("ann").is_ok()));
        assert_eq!(limiter.keys(), 0);
    }

    #[test]
    fn callers_whose_burst_is_whole_again_are_forgotten() {
        let limiter = limiter("order", (1000, 1), WhenFull::Share);
        (0..100).for_each(|caller| drop(limiter.check(caller)));
        std::thread::sleep(Duration::from_millis(20));
        limiter.forget();
        assert_eq!(limiter.keys(), 0);
    }
}
