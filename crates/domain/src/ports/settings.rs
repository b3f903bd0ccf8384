//! What operators change while everything runs, and what is kept of whatever they did.

use async_trait::async_trait;
use serde_json::Value;

use super::{Operator, Outage};
use crate::{SaleId, Timestamp};

/// Settings by name, each a JSON document with a version. Whoever changes one has seen it: no change is lost to another.
#[async_trait]
pub trait SettingStore: Send + Sync {
    /// The setting, or one of version 0 and `null` that was never set.
    async fn setting(&self, name: &str) -> Result<Setting, Outage>;

    /// Replaces the value and writes the audit log (action `set-<name>`), if the version is still `seen`; answers the
    /// new version, or `None` when somebody else was first.
    async fn set(&self, name: &str, seen: i64, value: &Value, by: &Operator) -> Result<Option<i64>, Outage>;
}

/// One setting as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setting {
    /// Counts the changes; 0 means never set.
    pub version: i64,
    /// The document; `null` when it was never set.
    pub value: Value,
}

/// Everything that operators did, whatever it changed. Changes of sales and settings write their own lines, in the
/// transaction that makes them; [`AuditLog::note`] is for what changes no row.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds a line.
    async fn note(&self, note: &AuditNote, by: &Operator) -> Result<(), Outage>;

    /// The latest line of this action on this sale.
    async fn latest(&self, sale: &SaleId, action: &str) -> Result<Option<AuditEntry>, Outage>;

    /// Lines, newest first, at most `limit`: before the line of id `before`, where one is given; of one sale, where one
    /// is named.
    async fn entries(
        &self,
        sale: Option<&SaleId>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, Outage>;
}

/// What an operator did.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditNote {
    /// For example `replay-dead-letters`.
    pub action: String,
    /// The sale it was done to, if it was one.
    pub sale: Option<SaleId>,
    /// How things were, where that is known.
    pub before: Option<Value>,
    /// How they are now, or what was asked for.
    pub after: Value,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its number: later lines have higher ones.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Operator,
    /// What.
    pub note: AuditNote,
}
