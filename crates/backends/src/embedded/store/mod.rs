//! The database in memory: sales, orders and the outbox under one lock, so that every call is one transaction.
//!
//! [`state`] is the tables, [`place`] writes orders, [`life`] and [`payments`] pay and end them, [`sales`] and [`restock`] do
//! what operators decide, [`outbox`] hands on what has to reach someone else, [`archive`] is read by operators, [`activity`] keeps what was asked, [`retention`] forgets what is over. Nothing
//! outlives the process.

mod activity;
mod archive;
mod life;
mod orders;
mod outbox;
mod payments;
mod place;
mod quota;
mod relay;
mod restock;
mod retention;
mod sales;
mod settings;
mod state;

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use domain::Timestamp;
use domain::ports::{AuditEntry, Clock, Health, Outage};

use self::relay::Relays;
use self::state::Tables;
use super::lock;

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
    pub fn audit_log(&self) -> Vec<AuditEntry> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use domain::ports::{Operator, SaleStore};
    use domain::{NewSale, Patch, SaleState};

    use super::*;

    #[tokio::test]
    async fn every_change_of_a_sale_leaves_a_line_and_what_was_refused_leaves_none() {
        let store = EmbeddedStore::new(Arc::new(crate::SystemClock));
        let new: NewSale = serde_json::from_str(
            r#"{"id":"s","title":"S","opensAt":"2031-01-01T00:00:00Z","closesAt":"2031-01-02T00:00:00Z",
                "items":[{"id":"a","title":"A","price":{"amount":1,"currency":"CNY"},"stock":1}]}"#,
        )
        .unwrap();
        let by = Operator { via: "cli".to_owned(), reason: Some("spring".to_owned()) };
        let sale = store.create(&new, &by).await.unwrap().unwrap();
        store.set_state(&sale.id, SaleState::Open, &by).await.unwrap(); // not warm yet
        store.next_epoch(&sale.id, &domain::ports::Operator::default()).await.unwrap();
        store.set_state(&sale.id, SaleState::Open, &by).await.unwrap();
        let patch = Patch { title: Some("T".to_owned()), reason: Some("a typo".to_owned()), ..Patch::default() };
        store.patch(&sale.id, &patch, &by).await.unwrap();

        let log = store.audit_log();
        let lines: Vec<_> = log.iter().map(|line| (line.note.action.as_str(), line.by.reason.as_deref())).collect();
        let spring = Some("spring");
        assert_eq!(lines, [("create", spring), ("next-epoch", None), ("set-state", spring), ("patch", Some("a typo"))]);
        assert_eq!(log[0].note.before, None);
        assert_eq!(log[3].note.before, Some(log[2].note.after.clone()));
        assert_eq!((log[3].note.after["sale"]["title"].as_str(), log[3].by.via.as_str()), (Some("T"), "cli"));
    }
}
