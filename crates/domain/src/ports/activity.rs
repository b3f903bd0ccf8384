//! Where activity is written and read, and what the orders of a sale add up to.

use async_trait::async_trait;

use super::Outage;
use crate::{Accounts, ActivityRow, Instance, Role, SaleNumber};

/// Keeps what every process has seen, so that any of them can tell the whole.
#[async_trait]
pub trait ActivityStore: Send + Sync {
    /// Writes rows in one statement, and that `by` is alive. A row of the same sale, time and instance is there already
    /// when an answer was lost: then it changes nothing. Rows of sales that are no more are dropped.
    async fn note(&self, by: &Instance, rows: &[ActivityRow]) -> Result<(), Outage>;

    /// Rows of a sale whose id is above `after`, in the order of their ids, at most `limit`. A row may become visible some
    /// moments after one with a higher id: see [`VISIBLE_WITHIN_S`].
    async fn activity(&self, sale: SaleNumber, after: i64, limit: usize) -> Result<Vec<NotedActivity>, Outage>;

    /// Instances that were alive within so many seconds.
    async fn instances(&self, within_s: u32) -> Result<Vec<Seen>, Outage>;

    /// Makes one row of each minute that ended more than `older_than_s` seconds ago, at most `limit` minutes of a sale;
    /// answers how many. Forgets instances that were not alive in that time.
    async fn condense(&self, older_than_s: u32, limit: usize) -> Result<u64, Outage>;
}

/// A row gets its id before it can be seen: after so many seconds every lower one can be seen as well.
pub const VISIBLE_WITHIN_S: u64 = 10;

/// A row, and its place in the order in which they were written.
#[derive(Clone, Debug, PartialEq)]
pub struct NotedActivity {
    /// Its place.
    pub id: i64,
    /// The row.
    pub row: ActivityRow,
}

/// An instance that was alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub id: String,
    /// What it does.
    pub role: Role,
    /// How long ago it said so, in milliseconds.
    pub age_ms: u64,
}

/// Adds up orders and payments, by the books and not by counters.
#[async_trait]
pub trait Accountant: Send + Sync {
    /// What the orders of a sale add up to now; `None` for a sale that there is not.
    async fn accounts(&self, sale: SaleNumber) -> Result<Option<Accounts>, Outage>;
}
