//! Locks that several processes agree on.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::Outage;

/// Keeps locks, each with the token of its holder and a time after which it is anybody's. A lock saves work; no promise
/// rests on one, because a holder may sleep longer than its time.
#[async_trait]
pub trait LockStore: Send + Sync {
    /// Takes the lock `name` for `ttl`; `false` while somebody else holds it. Asked again by its holder, it holds on, so
    /// that a lost answer may be asked for again.
    async fn acquire(&self, name: &str, token: &LockToken, ttl: Duration) -> Result<bool, Outage>;

    /// Gives the holder another `ttl` from now; `false` when the lock is not its own any more.
    async fn renew(&self, name: &str, token: &LockToken, ttl: Duration) -> Result<bool, Outage>;

    /// Ends the lock, if it is the holder's; `false` when it is not.
    async fn release(&self, name: &str, token: &LockToken) -> Result<bool, Outage>;

    /// Locks held now, by all processes together.
    async fn active(&self) -> Result<u64, Outage>;
}

/// Names one holder of one lock, once. Nobody else can guess it, so nobody else can end the lock.
#[derive(Clone, PartialEq, Eq)]
pub struct LockToken(String);

impl LockToken {
    /// From twice the bytes of [`super::Entropy::six`].
    pub fn new(random: [[u8; 6]; 2]) -> Self {
        Self(random.concat().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// 24 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LockToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockToken(…)")
    }
}
