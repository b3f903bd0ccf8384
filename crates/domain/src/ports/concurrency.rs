//! Tokens for what is under way at once. Those of purchases are taken and given back by the [`super::Gate`] itself, in the
//! step that moves the units; this is the rest: the rules that it obeys, the tokens of tasks, and what can be seen.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::Outage;
use crate::ConcurrencyRules;

/// Keeps tokens, each with an expiry. May forget everything: then the default rules hold until they are told again.
#[async_trait]
pub trait Concurrency: Send + Sync {
    /// The rules as of change number `version`. Whatever is obeyed from a later change stays, unless `force`; what is
    /// known already is not written again. A dimension that becomes unlimited forgets its tokens.
    async fn obey(&self, version: i64, rules: &ConcurrencyRules, force: bool) -> Result<Obeyed, Outage>;

    /// Takes a token for a task of this type, under a name of the caller's that nobody else uses.
    async fn acquire(&self, task: &str, token: &str) -> Result<Acquired, Outage>;

    /// Gives a token a new life, also one that was lost meanwhile.
    async fn renew(&self, task: &str, token: &str) -> Result<(), Outage>;

    /// Gives a token back. One that is not there any more is fine.
    async fn release(&self, task: &str, token: &str) -> Result<(), Outage>;

    /// Live tokens of everything that is limited now.
    async fn usage(&self) -> Result<ConcurrencyUsage, Outage>;

    /// Tokens taken and given back in the last 24 hours (whole hours, the present one included): `acquired:total`,
    /// `released:total`, `acquired:platform:<channel>`, `acquired:task_type:<type>`.
    async fn stats(&self) -> Result<BTreeMap<String, u64>, Outage>;
}

/// Answer of [`Concurrency::obey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obeyed {
    /// Obeyed from now on.
    Written,
    /// They were obeyed already.
    Kept,
    /// A change with this later number is obeyed; nothing was written.
    Newer(i64),
}

/// Answer of [`Concurrency::acquire`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The token is the caller's until it is released or expires.
    Taken,
    /// As many as may run are running.
    Busy,
    /// Tasks of this type are not limited: there is no token.
    Unlimited,
}

/// Live tokens by dimension; what is unlimited is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConcurrencyUsage {
    /// Orders in flight, where they are limited over all.
    pub global: Option<u64>,
    /// By channel.
    pub platforms: BTreeMap<String, u64>,
    /// By type of task.
    pub task_types: BTreeMap<String, u64>,
}
