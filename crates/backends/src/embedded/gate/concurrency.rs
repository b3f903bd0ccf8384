//! The port [`Concurrency`].

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::ConcurrencyRules;
use domain::ports::{Acquired, Concurrency, ConcurrencyUsage, Obeyed, Outage};

use super::EmbeddedGate;
use crate::embedded::lock;

#[async_trait]
impl Concurrency for EmbeddedGate {
    async fn obey(&self, version: i64, rules: &ConcurrencyRules, force: bool) -> Result<Obeyed, Outage> {
        Ok(lock(&self.state).tokens.obey(version, rules, force))
    }

    async fn acquire(&self, task: &str, token: &str) -> Result<Acquired, Outage> {
        Ok(lock(&self.state).tokens.acquire(task, token, self.now()))
    }

    async fn renew(&self, task: &str, token: &str) -> Result<(), Outage> {
        lock(&self.state).tokens.renew(task, token, self.now());
        Ok(())
    }

    async fn release(&self, task: &str, token: &str) -> Result<(), Outage> {
        lock(&self.state).tokens.release(task, token, self.now());
        Ok(())
    }

    async fn usage(&self) -> Result<ConcurrencyUsage, Outage> {
        Ok(lock(&self.state).tokens.usage(self.now()))
    }

    async fn stats(&self) -> Result<BTreeMap<String, u64>, Outage> {
        Ok(lock(&self.state).tokens.stats(self.now()))
    }
}
