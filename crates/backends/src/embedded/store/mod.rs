//! The database in memory: sales, orders and the outbox under one lock, so that every call is one transaction.
//!
//! [`state`] is the tables, [`place`] writes orders, [`sales`] does what operators decide, [`outbox`] hands on what
//! has to reach someone else. Nothing outlives the process.

mod orders;
mod outbox;
mod place;
mod relay;
mod sales;
mod state;

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use domain::Timestamp;
use domain::ports::{Clock, Health, Outage};

use self::relay::Relays;
use self::state::Tables;
use super::lock;

pub use self::state::AuditLine;

/// The store of one process.
pub struct EmbeddedStore {
    clock: Arc<dyn Clock>,
    tables: Mutex<Tables>,
    relays: Relays,
}

impl EmbeddedStore {
    /// A store without sales or orders.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, tables: Mutex::default(), relays: Relays::default() }
    }

    /// What operators have done, oldest first, at most 10,000 lines.
    pub fn audit_log(&self) -> Vec<AuditLine> {
        self.tables().audit.iter().cloned().collect()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        lock(&self.tables)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

#[async_trait]
impl Health for EmbeddedStore {
    fn name(&self) -> &'static str {
        "embedded store"
    }

    async fn check(&self) -> Result<(), Outage> {
        Ok(())
    }
}
