//! The ports [`SettingStore`] and [`AuditLog`].

use async_trait::async_trait;
use domain::SaleId;
use domain::ports::{AuditEntry, AuditLog, AuditNote, Operator, Outage, Setting, SettingStore};
use serde_json::Value;

use super::EmbeddedStore;

#[async_trait]
impl SettingStore for EmbeddedStore {
    async fn setting(&self, name: &str) -> Result<Setting, Outage> {
        Ok(self.tables().settings.get(name).cloned().unwrap_or_default())
    }

    async fn set(&self, name: &str, seen: i64, value: &Value, by: &Operator) -> Result<Option<i64>, Outage> {
        let at = self.now();
        let mut tables = self.tables();
        let before = tables.settings.get(name).cloned().unwrap_or_default();
        if before.version != seen {
            return Ok(None);
        }
        let version = seen + 1;
        tables.settings.insert(name.to_owned(), Setting { version, value: value.clone() });
        let before = (before.version > 0).then_some(before.value);
        tables.audit(AuditNote { action: format!("set-{name}"), sale: None, before, after: value.clone() }, by, at);
        Ok(Some(version))
    }
}

#[async_trait]
impl AuditLog for EmbeddedStore {
    async fn note(&self, note: &AuditNote, by: &Operator) -> Result<(), Outage> {
        let at = self.now();
        self.tables().audit(note.clone(), by, at);
        Ok(())
    }

    async fn latest(&self, sale: &SaleId, action: &str) -> Result<Option<AuditEntry>, Outage> {
        let wanted = |entry: &&AuditEntry| entry.note.sale.as_ref() == Some(sale) && entry.note.action == action;
        Ok(self.tables().audit.iter().rev().find(wanted).cloned())
    }

    async fn entries(
        &self,
        sale: Option<&SaleId>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, Outage> {
        let wanted = |entry: &&AuditEntry| {
            before.is_none_or(|before| entry.id < before) && (sale.is_none() || entry.note.sale.as_ref() == sale)
        };
        Ok(self.tables().audit.iter().rev().filter(wanted).take(limit).cloned().collect())
    }
}
