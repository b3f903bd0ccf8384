//! The port [`LockStore`] in memory. Goes by the runtime's clock, so that tests may stop it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{LockStore, LockToken, Outage};
use tokio::time::Instant;

use super::lock;

/// The locks of one process.
#[derive(Default)]
pub struct EmbeddedLocks(Mutex<HashMap<String, (LockToken, Instant)>>);

impl EmbeddedLocks {
    /// The locks that are held now.
    fn held(&self) -> MutexGuard<'_, HashMap<String, (LockToken, Instant)>> {
        let mut held = lock(&self.0);
        let now = Instant::now();
        held.retain(|_, (_, ends)| now < *ends);
        held
    }
}

#[async_trait]
impl LockStore for EmbeddedLocks {
    async fn acquire(&self, name: &str, token: &LockToken, ttl: Duration) -> Result<bool, Outage> {
        let mut held = self.held();
        if held.get(name).is_some_and(|(holder, _)| holder != token) {
            return Ok(false);
        }
        held.insert(name.to_owned(), (token.clone(), Instant::now() + ttl));
        Ok(true)
    }

    async fn renew(&self, name: &str, token: &LockToken, ttl: Duration) -> Result<bool, Outage> {
        match self.held().get_mut(name) {
            Some((holder, ends)) if holder == token => {
                *ends = Instant::now() + ttl;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn release(&self, name: &str, token: &LockToken) -> Result<bool, Outage> {
        let mut held = self.held();
        let is_ours = held.get(name).is_some_and(|(holder, _)| holder == token);
        if is_ours {
            held.remove(name);
        }
        Ok(is_ours)
    }

    async fn active(&self) -> Result<u64, Outage> {
        Ok(self.held().len() as u64)
    }
}
