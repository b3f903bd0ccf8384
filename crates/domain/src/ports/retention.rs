//! What is kept for a while only.

use async_trait::async_trait;

use super::Outage;

/// Forgets sales that are over: their orders, payments, allowances and restocks, and the sale itself.
#[async_trait]
pub trait Retention: Send + Sync {
    /// One step, of at most `limit` rows of each table; answers how many rows it cleared, 0 when there is nothing to do.
    /// Several callers share the work.
    ///
    /// A sale may go when its window ended and its last payment was due more than `older_than_s` seconds ago, and nothing
    /// of it is unsettled: no unpaid order, no payment to be decided or given back, no withdrawal, nothing that waits in the
    /// outbox. The first step takes the sale away from everybody, so that whatever still arrives for it finds no sale and
    /// places nothing; the steps after it remove the orders. Writes the audit log: what was sold, and paid.
    async fn clear_ended(&self, older_than_s: u32, limit: usize) -> Result<u64, Outage>;
}
