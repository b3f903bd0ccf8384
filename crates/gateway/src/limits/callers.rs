//! How many different callers were limited lately, without remembering any of them.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bits of one slice of time: 16 KiB. Counting by the bits that stayed empty ("linear counting") is exact to about two
/// percent up to some half a million callers.
const BITS: usize = 1 << 17;

const WORDS: usize = BITS / 64;

/// A slice of time, and how many make the minute; one more is being filled.
const SLICE: Duration = Duration::from_secs(10);
const SLICES: usize = 7;

/// A hash that callers cannot foresee, and one bit for each caller that was limited in a slice of time. A hundred
/// kilobytes, whatever happens.
pub(super) struct Callers {
    hasher: RandomState,
    slices: [Box<[AtomicU64]>; SLICES],
    present: AtomicUsize,
    turned: Mutex<Option<Instant>>,
}

impl Callers {
    pub(super) fn new() -> Self {
        let slice = || (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        Self {
            hasher: RandomState::new(),
            slices: std::array::from_fn(|_| slice()),
            present: AtomicUsize::new(0),
            turned: Mutex::new(None),
        }
    }

    /// What a caller is remembered by, here and by the limits: no copy of their name, no chosen collisions.
    pub(super) fn hash(&self, caller: impl Hash) -> u64 {
        self.hasher.hash_one(caller)
    }

    /// This caller was limited.
    pub(super) fn note(&self, hash: u64) {
        let bit = hash as usize % BITS;
        let slice = &self.slices[self.present.load(Ordering::Relaxed) % SLICES];
        slice[bit / 64].fetch_or(1 << (bit % 64), Ordering::Relaxed);
    }

    /// Begins the next slice when it is time, and forgets the oldest.
    pub(super) fn turn(&self, now: Instant) {
        let mut turned = self.turned.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *turned.get_or_insert(now);
        let slices = (now.saturating_duration_since(since).as_nanos() / SLICE.as_nanos()) as u32;
        for _ in 0..slices.min(SLICES as u32) {
            let next = (self.present.load(Ordering::Relaxed) + 1) % SLICES;
            self.slices[next].iter().for_each(|word| word.store(0, Ordering::Relaxed));
            self.present.store(next, Ordering::Relaxed);
        }
        *turned = Some(since + SLICE * slices);
    }

    /// How many different callers were limited in the last minute.
    pub(super) fn count(&self) -> u64 {
        let word = |at: usize| self.slices.iter().fold(0, |all, slice| all | slice[at].load(Ordering::Relaxed));
        let set: u32 = (0..WORDS).map(|at| word(at).count_ones()).sum();
        let empty = (BITS - set as usize).max(1) as f64;
        (-(BITS as f64) * (empty / BITS as f64).ln()).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(callers: &Callers, range: std::ops::Range<u32>) {
        range.for_each(|caller| callers.note(callers.hash(caller)));
    }

    #[test]
    fn each_caller_counts_once_whatever_their_number() {
        let callers = Callers::new();
        assert_eq!(callers.count(), 0);
        (0..100).for_each(|_| noted(&callers, 0..3));
        assert_eq!(callers.count(), 3);
        noted(&callers, 0..200_000);
        assert!(callers.count().abs_diff(200_000) < 6_000, "{}", callers.count());
    }

    #[test]
    fn a_caller_is_forgotten_after_a_minute() {
        let (callers, start) = (Callers::new(), Instant::now());
        let at = |seconds| callers.turn(start + Duration::from_secs(seconds));
        at(0);
        noted(&callers, 0..5);
        at(55);
        noted(&callers, 3..8);
        assert_eq!(callers.count(), 8);
        at(65);
        assert_eq!(callers.count(), 8, "not a minute yet since the first slice ended");
        at(75);
        assert_eq!(callers.count(), 5);
        at(1_000);
        assert_eq!(callers.count(), 0);
    }
}
