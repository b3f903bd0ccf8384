//! The port [`LockStore`]: one key for each lock, in Redis, which forgets it when its time is over.

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{LockStore, LockToken, Outage};

use super::RedisGate;
use super::link::Args;
use super::scripts::Name;

impl RedisGate {
    async fn lock(
        &self,
        wish: &str,
        name: &str,
        token: Option<&LockToken>,
        ttl: Duration,
    ) -> Result<Vec<String>, Outage> {
        let Self { namespace, .. } = self;
        // One hash tag, as everywhere: all keys of a script are of one slot.
        let keys = [format!("{namespace}:{{locks}}:{name}"), format!("{namespace}:{{locks}}")];
        let mut args = Args::default();
        args.text(wish).text(name).text(token.map_or("", LockToken::as_str)).text(ttl.as_millis().max(1));
        self.link.run(Name::Lock, &keys, args).await
    }

    async fn answers(
        &self,
        word: &str,
        wish: &str,
        name: &str,
        token: &LockToken,
        ttl: Duration,
    ) -> Result<bool, Outage> {
        Ok(self.lock(wish, name, Some(token), ttl).await?.first().is_some_and(|answer| answer == word))
    }
}

#[async_trait]
impl LockStore for RedisGate {
    async fn acquire(&self, name: &str, token: &LockToken, ttl: Duration) -> Result<bool, Outage> {
        self.answers("taken", "take", name, token, ttl).await
    }

    async fn renew(&self, name: &str, token: &LockToken, ttl: Duration) -> Result<bool, Outage> {
        self.answers("renewed", "renew", name, token, ttl).await
    }

    async fn release(&self, name: &str, token: &LockToken) -> Result<bool, Outage> {
        self.answers("ended", "end", name, token, Duration::from_millis(1)).await
    }

    async fn active(&self) -> Result<u64, Outage> {
        let answer = self.lock("count", "", None, Duration::ZERO).await?;
        let wrong = || Outage::NotSent(format!("Redis: {answer:?} is no count of locks"));
        answer.get(1).and_then(|count| count.parse().ok()).ok_or_else(wrong)
    }
}
