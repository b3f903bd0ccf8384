//! Shared limits where everything lives in one process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{Clock, LimitAlgorithm, Outage, SharedLimit, SharedLimits, Spent};

use super::lock;

/// Subjects remembered. One for whom there is no room is let in: limits fail open.
const KEYS_MAX: usize = 100_000;

/// Between two rounds of forgetting, in microseconds.
const FORGET_EVERY_US: u64 = 1_000_000;

/// Limits in memory. The same decisions as the script `limit.lua`.
pub struct EmbeddedLimits {
    clock: Arc<dyn Clock>,
    states: Mutex<States>,
}

#[derive(Default)]
struct States {
    by_key: HashMap<(LimitAlgorithm, String), State>,
    forgotten_at: u64,
}

struct State {
    /// It says nothing any more from then on.
    until: u64,
    memory: Memory,
}

enum Memory {
    /// The times of the requests of the last window, oldest first.
    Window(VecDeque<u64>),
    /// When the limit is whole again.
    WholeAt(u64),
}

impl EmbeddedLimits {
    /// Nothing counted yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, states: Mutex::default() }
    }
}

#[async_trait]
impl SharedLimits for EmbeddedLimits {
    async fn spend(&self, limits: &[SharedLimit]) -> Result<Spent, Outage> {
        let now = u64::try_from(self.clock.now().timestamp_micros()).unwrap_or(0);
        let mut states = lock(&self.states);
        let waits = limits.iter().map(|limit| states.wait(limit, now)).map(Duration::from_micros).collect();
        let spent = Spent { at_us: now, waits };
        if spent.is_allowed() {
            states.forget(now);
            limits.iter().for_each(|limit| states.note(limit, now));
        }
        Ok(spent)
    }
}

fn key(limit: &SharedLimit) -> (LimitAlgorithm, String) {
    (limit.algorithm, limit.key.clone())
}

/// The time at which a GCRA is whole again after one request at `now`, and how far ahead it may be.
fn gcra(limit: &SharedLimit, whole_at: u64, now: u64) -> (u64, u64) {
    let full = u64::from(limit.limit) * limit.spacing_us();
    (whole_at.clamp(now, now + full) + limit.spacing_us(), now + full)
}

impl States {
    /// Microseconds until there is room for one more.
    fn wait(&mut self, limit: &SharedLimit, now: u64) -> u64 {
        let Some(state) = self.by_key.get_mut(&key(limit)) else { return 0 };
        match &mut state.memory {
            Memory::Window(times) => {
                let window = limit.window_us();
                while times.front().is_some_and(|time| time + window <= now) {
                    times.pop_front();
                }
                let above = times.len().checked_sub(limit.limit as usize);
                above.map_or(0, |above| times[above] + window - now)
            }
            Memory::WholeAt(whole_at) => {
                let (next, latest) = gcra(limit, *whole_at, now);
                next.saturating_sub(latest)
            }
        }
    }

    fn note(&mut self, limit: &SharedLimit, now: u64) {
        let key = key(limit);
        if self.by_key.len() >= KEYS_MAX && !self.by_key.contains_key(&key) {
            return;
        }
        let fresh = || match limit.algorithm {
            LimitAlgorithm::SlidingWindow => Memory::Window(VecDeque::new()),
            LimitAlgorithm::Gcra => Memory::WholeAt(now),
        };
        let state = self.by_key.entry(key).or_insert_with(|| State { until: now, memory: fresh() });
        match &mut state.memory {
            Memory::Window(times) => {
                times.push_back(now);
                state.until = now + limit.window_us();
            }
            Memory::WholeAt(whole_at) => {
                *whole_at = gcra(limit, *whole_at, now).0;
                state.until = *whole_at;
            }
        }
    }

    fn forget(&mut self, now: u64) {
        if now < self.forgotten_at + FORGET_EVERY_US {
            return;
        }
        self.forgotten_at = now;
        self.by_key.retain(|_, state| state.until > now);
        let wanted = 2 * self.by_key.len();
        self.by_key.shrink_to(wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;

    #[tokio::test]
    async fn any_number_of_subjects_takes_bounded_memory_and_what_is_over_is_forgotten() {
        let limits = EmbeddedLimits::new(Arc::new(SystemClock));
        let limit = |key: String, window| SharedLimit { key, algorithm: LimitAlgorithm::Gcra, limit: 1, window };
        for n in 0..KEYS_MAX + 1_000 {
            let spent = limits.spend(&[limit(n.to_string(), Duration::from_secs(3_600))]).await.unwrap();
            assert!(spent.is_allowed(), "{n} came for the first time");
        }
        assert_eq!(lock(&limits.states).by_key.len(), KEYS_MAX);
        let again = limits.spend(&[limit("0".to_owned(), Duration::from_secs(3_600))]).await.unwrap();
        assert!(!again.is_allowed(), "whoever was there before is still counted");
        let far = u64::MAX / 2;
        lock(&limits.states).forget(far);
        assert!(lock(&limits.states).by_key.is_empty());
    }
}
