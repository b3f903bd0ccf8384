//! Locks within one process, by name: whoever wants what another task here is doing already waits here, and asks nobody
//! outside for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, Notify, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};

/// Looks for what is idle, in the time after which it is.
const SWEEPS: u32 = 10;

/// A bounded map of locks. One that nobody holds or waits for is forgotten when it has been idle, or sooner, the oldest
/// first, when its place is needed; one that is held is never forgotten.
pub struct LockMap {
    cap: usize,
    idle: Duration,
    entries: Mutex<Entries>,
    freed: Notify,
}

struct Entries {
    by_name: HashMap<String, Entry>,
    swept: Instant,
}

struct Entry {
    turn: Arc<Turn<()>>,
    /// Holders and waiters.
    users: usize,
    /// When the last of them left.
    used: Instant,
}

/// Why a lock was not got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Somebody else held it all the time.
    #[error("somebody else is at it")]
    Busy,
    /// Every place in the map is held by somebody.
    #[error("too many locks are held")]
    Full,
}

/// The lock, until it is dropped.
#[must_use]
pub struct Held {
    user: Option<User>,
    turn: Option<OwnedMutexGuard<()>>,
}

/// Keeps an entry from being forgotten.
struct User {
    map: Arc<LockMap>,
    name: String,
}

impl Drop for User {
    fn drop(&mut self) {
        if let Some(entry) = self.map.entries().by_name.get_mut(&self.name) {
            entry.users -= 1;
            entry.used = Instant::now();
        }
        self.map.freed.notify_waiters();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // In this order: an entry without users is not locked.
        self.turn.take();
        self.user.take();
    }
}

impl LockMap {
    /// At most `cap` locks; those that nobody has used for `idle` are forgotten.
    pub fn new(cap: usize, idle: Duration) -> Arc<Self> {
        let entries = Entries { by_name: HashMap::new(), swept: Instant::now() };
        Arc::new(Self { cap: cap.max(1), idle, entries: Mutex::new(entries), freed: Notify::new() })
    }

    /// Locks that are remembered, held or not.
    pub fn len(&self) -> usize {
        self.entries().by_name.len()
    }

    /// Is none remembered?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the lock `name`, waiting for it no longer than `wait`.
    pub async fn lock(self: &Arc<Self>, name: &str, wait: Duration) -> Result<Held, Refused> {
        let until = Instant::now() + wait;
        let (turn, user) = loop {
            let freed = self.freed.notified();
            let mut freed = std::pin::pin!(freed);
            freed.as_mut().enable(); // before looking, so that nothing is missed in between
            if let Some(entered) = self.enter(name) {
                break entered;
            }
            timeout_at(until, freed).await.map_err(|_| Refused::Full)?;
        };
        let turn = match turn.clone().try_lock_owned() {
            Ok(turn) => turn,
            Err(_) => timeout_at(until, turn.lock_owned()).await.map_err(|_| Refused::Busy)?,
        };
        Ok(Held { user: Some(user), turn: Some(turn) })
    }

    /// Forgets what has been idle too long. Done by [`LockMap::lock`] too, now and then.
    pub fn sweep(&self) {
        self.entries().sweep(self.idle);
    }

    /// The entry of this name, found or made; `None` while every place is in use.
    fn enter(self: &Arc<Self>, name: &str) -> Option<(Arc<Turn<()>>, User)> {
        let mut entries = self.entries();
        if entries.swept.elapsed() >= self.idle / SWEEPS {
            entries.sweep(self.idle);
        }
        if !entries.by_name.contains_key(name) && entries.by_name.len() >= self.cap {
            let unheld = entries.by_name.iter().filter(|(_, entry)| entry.users == 0);
            let oldest = unheld.min_by_key(|(_, entry)| entry.used).map(|(name, _)| name.clone())?;
            entries.by_name.remove(&oldest);
        }
        let fresh = || Entry { turn: Arc::default(), users: 0, used: Instant::now() };
        let entry = entries.by_name.entry(name.to_owned()).or_insert_with(fresh);
        entry.users += 1;
        Some((entry.turn.clone(), User { map: self.clone(), name: name.to_owned() }))
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn sweep(&mut self, idle: Duration) {
        self.swept = Instant::now();
        self.by_name.retain(|_, entry| entry.users > 0 || entry.used.elapsed() < idle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(300);

    #[tokio::test(start_paused = true)]
    async fn one_holds_a_name_and_another_waits_no_longer_than_it_said() {
        let map = LockMap::new(10, IDLE);
        let held = map.lock("a", Duration::ZERO).await.unwrap();
        assert_eq!(map.lock("a", Duration::ZERO).await.err(), Some(Refused::Busy));
        assert!(map.lock("b", Duration::ZERO).await.is_ok(), "another name is another lock");
        let before = Instant::now();
        assert_eq!(map.lock("a", Duration::from_secs(2)).await.err(), Some(Refused::Busy));
        assert_eq!(before.elapsed(), Duration::from_secs(2));
        let (waiting, ()) = tokio::join!(map.lock("a", Duration::from_secs(9)), async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            drop(held);
        });
        assert!(waiting.is_ok());
        assert_eq!(before.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_map_forgets_the_oldest_that_nobody_holds_and_never_a_held_one() {
        let map = LockMap::new(2_000, IDLE);
        let oldest = map.lock("held", Duration::ZERO).await.unwrap();
        for n in 0..1_999 {
            tokio::time::advance(Duration::from_millis(10)).await;
            drop(map.lock(&format!("n{n}"), Duration::ZERO).await.unwrap());
        }
        assert_eq!(map.len(), 2_000);
        drop(map.lock("new", Duration::ZERO).await.unwrap());
        assert_eq!(map.len(), 2_000);
        let known = |name: &str| map.entries().by_name.contains_key(name);
        assert!(known("held") && known("new") && known("n1") && !known("n0"), "the oldest that nobody held has gone");
        assert_eq!(map.lock("held", Duration::ZERO).await.err(), Some(Refused::Busy), "it is still locked");
        drop(oldest);

        let few = LockMap::new(2, IDLE);
        let held = [few.lock("a", Duration::ZERO).await.unwrap(), few.lock("b", Duration::ZERO).await.unwrap()];
        assert_eq!(few.lock("c", Duration::from_secs(1)).await.err(), Some(Refused::Full));
        let (third, ()) = tokio::join!(few.lock("c", Duration::from_secs(9)), async move { drop(held) });
        assert!(third.is_ok(), "it was told of a place that became free");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_idle_for_five_minutes_is_forgotten() {
        let map = LockMap::new(2_000, IDLE);
        let held = map.lock("held", Duration::ZERO).await.unwrap();
        for n in 0..50 {
            drop(map.lock(&format!("n{n}"), Duration::ZERO).await.unwrap());
        }
        tokio::time::advance(Duration::from_secs(299)).await;
        map.sweep();
        assert_eq!(map.len(), 51);
        tokio::time::advance(Duration::from_secs(1)).await;
        map.sweep();
        assert_eq!(map.len(), 1, "the held one");
        drop(map.lock("idle", Duration::ZERO).await.unwrap());
        tokio::time::advance(Duration::from_secs(301)).await;
        assert_eq!(map.lock("held", Duration::ZERO).await.err(), Some(Refused::Busy));
        assert_eq!(map.len(), 1, "whoever asks for a lock looks around, too");
        drop(held);
    }
}
