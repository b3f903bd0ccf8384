//! Which purchase a request's id led to, for as long as this gateway remembers.
//!
//! Whoever calls names a request by the id that its answer carries. Noted is what came to a job; what was refused left
//! nothing behind, and there are too many of those. Bounded, and gone with the process.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{JobId, Timestamp};

/// Requests remembered: some minutes of a rush, and 5 MB.
pub const REMEMBERED: usize = 100_000;

/// Locks that they are spread over, so that server threads rarely wait for each other or for an operator's search.
const SHARDS: usize = 16;

/// The latest requests.
pub struct Recent {
    random: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    /// Grows to its full length, and then the oldest is replaced.
    ring: Vec<Noted>,
    next: usize,
}

/// The id's hash: callers may choose long ids, and all that is wanted is to find one again.
#[derive(Clone, Copy)]
struct Noted {
    id: u64,
    at: Timestamp,
    job: JobId,
}

impl Recent {
    pub fn new() -> Self {
        Self { random: RandomState::new(), shards: Default::default() }
    }

    /// The request of this id was answered with this job.
    pub fn note(&self, id: &[u8], at: Timestamp, job: JobId) {
        let id = self.random.hash_one(id);
        let noted = Noted { id, at, job };
        let mut shard = self.shard(id);
        if shard.ring.len() < REMEMBERED / SHARDS {
            shard.ring.push(noted);
            return;
        }
        let next = shard.next;
        shard.ring[next] = noted;
        shard.next = (next + 1) % shard.ring.len();
    }

    /// When the request of this id was answered, and with which job. Callers may use an id more than once.
    pub fn find(&self, id: &[u8]) -> Vec<(Timestamp, JobId)> {
        let id = self.random.hash_one(id);
        let mut found: Vec<_> =
            self.shard(id).ring.iter().filter(|noted| noted.id == id).map(|noted| (noted.at, noted.job)).collect();
        found.sort_unstable();
        found
    }

    fn shard(&self, id: u64) -> MutexGuard<'_, Shard> {
        self.shards[(id >> 60) as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::{Route, SaleNumber, Shard as Lane};

    use super::*;

    #[test]
    fn what_was_noted_is_found_until_it_is_the_oldest_of_too_many() {
        let route = Route { sale: SaleNumber::new(1).unwrap(), shard: Lane::default() };
        let job = |n: u64| JobId::new(n, route, [0; 6]);
        let at = |n: u64| domain::from_ms(n as i64);
        let recent = Recent::new();
        recent.note(b"first", at(1), job(1));
        recent.note(b"twice", at(2), job(2));
        recent.note(b"twice", at(3), job(3));
        assert_eq!(recent.find(b"first"), [(at(1), job(1))]);
        assert_eq!(recent.find(b"twice"), [(at(2), job(2)), (at(3), job(3))]);
        assert_eq!(recent.find(b"other"), []);
        for n in 0..2 * REMEMBERED as u64 {
            recent.note(&n.to_be_bytes(), at(n), job(n));
        }
        assert_eq!(recent.find(b"first"), []);
        let last = 2 * REMEMBERED as u64 - 1;
        assert_eq!(recent.find(&last.to_be_bytes()), [(at(last), job(last))]);
        assert!(recent.shards.iter().all(|shard| shard.lock().unwrap().ring.capacity() <= 2 * REMEMBERED / SHARDS));
    }
}
