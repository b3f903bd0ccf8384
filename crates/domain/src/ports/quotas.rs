//! Where quotas are counted, and where they are written.

use async_trait::async_trait;

use super::Outage;
use crate::{QuotaEnd, QuotaEvent, QuotaKey, QuotaSeed, QuotaTaken, QuotaUsage, QuotaUse, Timestamp};

/// Counts uses the moment they happen, for every gateway. May lose what it has; the [`QuotaStore`] says what a lost
/// counter begins with.
#[async_trait]
pub trait QuotaGate: Send + Sync {
    /// Counts a use if it is within `limit`, in one step. `seed` begins the counter where there is none; one that is
    /// there does not change by it. The counter is forgotten some time after `ends_at`.
    async fn take(
        &self,
        one: &QuotaUse,
        limit: u64,
        ends_at: Timestamp,
        seed: Option<&QuotaSeed>,
    ) -> Result<QuotaTaken, Outage>;

    /// The try has ended. Answers whether the use was taken back.
    async fn end(&self, one: &QuotaUse, end: QuotaEnd) -> Result<bool, Outage>;

    /// Tells the counter what is written of each generation. It counts its own itself, and learns of the others what it
    /// does not know; twice, late and in any order are fine. Does nothing where there is no counter.
    async fn raise(&self, key: &QuotaKey, written: &[QuotaUsage]) -> Result<(), Outage>;

    /// Units counted; `None` where there is no counter.
    async fn counted(&self, key: &QuotaKey) -> Result<Option<u64>, Outage>;
}

/// Keeps what was used.
#[async_trait]
pub trait QuotaStore: Send + Sync {
    /// Writes events as one statement, added up by subject, kind and generation. An event that is written already
    /// changes nothing. Answers the keys that are known under more than one generation now.
    async fn write(&self, events: &[QuotaEvent]) -> Result<Vec<QuotaKey>, Outage>;

    /// What is written of each generation.
    async fn written(&self, key: &QuotaKey) -> Result<Vec<QuotaUsage>, Outage>;

    /// Units used as far as the store knows, and of purchases never fewer than the buyer's orders admitted from `from` to
    /// `until` have: these are kept whatever happens to the counts.
    async fn used(&self, key: &QuotaKey, from: Timestamp, until: Timestamp) -> Result<u64, Outage>;

    /// Counts a use without the gate, in one step, as generation [`QuotaUsage::DIRECT`].
    async fn take_directly(&self, one: &QuotaUse, limit: u64) -> Result<QuotaTaken, Outage>;

    /// Forgets what is of a day before `before`, at most `limit` rows of each table; answers how many there were.
    async fn sweep(&self, before: chrono::NaiveDate, limit: usize) -> Result<u64, Outage>;
}
