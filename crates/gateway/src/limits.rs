//! Rate limits of one caller. A limit never decides about a unit; it only keeps one caller from taking the time of
//! all others. Memory is bounded whatever callers send.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::problem::Problem;
use crate::settings::{Limit, Limits};

/// Callers remembered for each limit: some 3 MB. A caller is forgotten within a second of its burst being whole again.
const KEYS_MAX: usize = 100_000;

/// Locks the callers are spread over, so that gateway threads rarely wait for each other.
const SHARDS: usize = 64;

/// Between two rounds of forgetting.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// Every limit of the edge.
pub struct Limiters {
    /// By [`crate::address::Origin`].
    pub ip: Limiter,
    /// By buyer.
    pub token: Limiter,
    /// By buyer.
    pub order: Limiter,
    /// By job, or by buyer.
    pub status: Limiter,
}

impl Limiters {
    /// As configured.
    pub fn new(limits: &Limits) -> Self {
        Self {
            ip: Limiter::new("ip", limits.per_ip, WhenFull::Share),
            token: Limiter::new("token", limits.token_per_buyer, WhenFull::LetIn),
            order: Limiter::new("order", limits.order_per_buyer, WhenFull::LetIn),
            status: Limiter::new("status", limits.status, WhenFull::LetIn),
        }
    }

    /// Forgets callers that would be treated like new ones, for ever.
    pub async fn forget(&self) {
        loop {
            tokio::time::sleep(FORGET_EVERY).await;
            for limiter in [&self.ip, &self.token, &self.order, &self.status] {
                if let Some(rates) = &limiter.rates {
                    rates.retain_recent();
                    rates.shrink_to_fit();
                }
            }
        }
    }
}

type Rates = RateLimiter<u64, Bounded, DefaultClock, NoOpMiddleware<<DefaultClock as governor::clock::Clock>::Instant>>;

/// One limit, with the callers it has seen lately.
pub struct Limiter {
    name: &'static str,
    per_second: NonZeroU32,
    burst: NonZeroU32,
    /// `None` when it is switched off.
    rates: Option<Rates>,
    /// Callers are remembered by a hash that they cannot foresee: no copy of their name, no chosen collisions.
    hasher: RandomState,
}

impl Limiter {
    fn new<const P: u32, const B: u32>(name: &'static str, limit: Limit<P, B>, when_full: WhenFull) -> Self {
        let Limit { enabled, per_second, burst } = limit;
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let rates = enabled.then(|| RateLimiter::new(quota, Bounded::new(when_full), DefaultClock::default()));
        Self { name, per_second, burst, rates, hasher: RandomState::new() }
    }

    /// Counts one request of `caller`; an error when it is one too many.
    pub fn check(&self, caller: impl Hash) -> Result<(), Problem> {
        let Some(rates) = &self.rates else { return Ok(()) };
        rates.check_key(&self.hasher.hash_one(caller)).map_err(|early| {
            let wait = early.wait_time_from(rates.clock().now());
            Problem::rate_limited(self.name, self.per_second.get(), self.burst.get(), wait)
        })
    }
}

/// What happens to a caller for whom there is no room. Those who were there before are not touched.
#[derive(Clone, Copy)]
enum WhenFull {
    /// Newcomers share one state: they are slowed down together.
    Share,
    /// They are let in: whoever has shown who they are is never refused because we lack memory.
    LetIn,
}

/// Rate states of at most [`KEYS_MAX`] callers.
struct Bounded {
    shards: Vec<Mutex<Shard>>,
    when_full: WhenFull,
}

#[derive(Default)]
struct Shard {
    states: HashMap<u64, Nanos>,
    newcomers: Option<Nanos>,
}

impl Bounded {
    fn new(when_full: WhenFull) -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), when_full }
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, Shard> {
        // The upper bits choose the shard, so that the map inside may use the lower ones.
        lock(&self.shards[(key >> 32) as usize % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateStore for Bounded {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut shard = self.shard(*key);
        let known = shard.states.get(key).copied();
        if known.is_none() && shard.states.len() >= KEYS_MAX / SHARDS {
            let (answer, state) = match self.when_full {
                WhenFull::Share => decide(shard.newcomers)?,
                WhenFull::LetIn => decide(None)?,
            };
            shard.newcomers = Some(state);
            return Ok(answer);
        }
        let (answer, state) = decide(known)?;
        shard.states.insert(*key, state);
        Ok(answer)
    }
}

impl ShrinkableKeyedStateStore<u64> for Bounded {
    fn retain_recent(&self, drop_below: Nanos) {
        for shard in &self.shards {
            lock(shard).states.retain(|_, state| *state > drop_below);
        }
    }

    fn shrink_to_fit(&self) {
        for shard in &self.shards {
            let states = &mut lock(shard).states;
            let wanted = 2 * states.len();
            states.shrink_to(wanted);
        }
    }

    fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).states.len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> Limiter {
        Limiter::new("ip", Limit::<1, 3>::default(), WhenFull::Share)
    }

    #[test]
    fn a_caller_has_a_burst_and_the_next_one_has_its_own() {
        let limiter = limiter();
        for _ in 0..3 {
            assert!(limiter.check("ann").is_ok());
        }
        assert!(limiter.check("ann").is_err());
        assert!(limiter.check("bob").is_ok());
    }

    #[test]
    fn whoever_has_shown_who_they_are_is_not_refused_for_lack_of_memory() {
        let limiter = Limiter::new("order", Limit::<1, 3>::default(), WhenFull::LetIn);
        assert!((0..4 * KEYS_MAX).all(|caller| limiter.check(caller).is_ok()));
        assert!(limiter.rates.as_ref().unwrap().len() <= KEYS_MAX);
    }

    #[test]
    fn any_number_of_callers_takes_bounded_memory_and_does_not_touch_the_first_ones() {
        let limiter = limiter();
        let refused = (0..4 * KEYS_MAX).filter(|caller| limiter.check(caller).is_err()).count();
        assert!(limiter.rates.as_ref().unwrap().len() <= KEYS_MAX);
        assert!(refused > 2 * KEYS_MAX, "newcomers share what is left: {refused}");
        assert!(limiter.check(0_usize).is_ok(), "the first caller still has a part of its burst");
    }

    #[test]
    fn a_limit_that_is_switched_off_refuses_nobody() {
        let off = Limiter::new("order", Limit::<1, 1> { enabled: false, ..Limit::default() }, WhenFull::Share);
        assert!((0..1000).all(|_| off.check("ann").is_ok()));
    }

    #[test]
    fn callers_whose_burst_is_whole_again_are_forgotten() {
        let limiter = Limiter::new("order", Limit::<1000, 1>::default(), WhenFull::Share);
        (0..100).for_each(|caller| drop(limiter.check(caller)));
        std::thread::sleep(Duration::from_millis(20));
        let rates = limiter.rates.unwrap();
        rates.retain_recent();
        assert!(rates.is_empty());
    }
}
